//! The words by which a sentence promises privacy.
//!
//! A list finds no meaning: it finds the usual words, and who promises in others must cite by themselves. Words stand
//! separated by spaces; a star stands for any ending.

/// Words that promise by themselves.
const WORDS: &str = "anonym* blind blindly conceal* confidential* deniab* erase* hidden hide hides hiding \
                     indistinguishab* invisib* oblivious* private privately protect* secure securely undetect* unlinkab* unobserv* \
                     unreadab* untrace*";

/// What an adversary would like to do.
const LEARN: &str = "distinguish* guess* know knows learn* links read reads recognis* see sees tell tells";

/// Words that promise when one of `then` follows one of `first` within `within` words.
struct Pair {
    first: &'static str,
    then: &'static str,
    within: usize,
}

const PAIRS: [Pair; 12] = [
    Pair { first: "can't cannot impossible neither unable", then: LEARN, within: 4 },
    Pair { first: "can't cannot impossible neither unable", then: "link open", within: 4 },
    Pair { first: "never no nobody none", then: LEARN, within: 5 },
    Pair { first: "never no nobody nothing", then: "leave leaves send sends sent", within: 5 },
    Pair { first: "without", then: "able knowing learning opening reading", within: 3 },
    Pair { first: "doesn't don't not", then: "know learn* link read readable reveal* see tell visible", within: 2 },
    Pair { first: "nothing", then: "learn* read readable see seen", within: 3 },
    Pair {
        first: "betray* know knows learn* reveal* say says see sees show shows tell tells",
        then: "nothing",
        within: 2,
    },
    Pair { first: "only", then: "learn* open opens read reads see sees tell tells", within: 6 },
    Pair { first: "open opens read readable visible", then: "only", within: 3 },
    Pair { first: "keep keeps kept", then: "private secret", within: 2 },
    Pair { first: "remain* stay stays", then: "device machine sealed secret", within: 4 },
];

/// The words of `sentence` that promise privacy, if there are any.
pub(super) fn promise(sentence: &str) -> Option<String> {
    let lower = sentence.to_lowercase();
    let apart = |letter: char| !letter.is_alphanumeric() && letter != '\'';
    let words: Vec<&str> = lower.split(apart).filter(|word| !word.is_empty()).collect();
    let alone = words.iter().find(|word| matches(word, WORDS)).map(|word| (*word).to_owned());
    alone.or_else(|| PAIRS.iter().find_map(|pair| pair.found(&words)))
}

impl Pair {
    fn found(&self, words: &[&str]) -> Option<String> {
        words.iter().enumerate().find_map(|(at, word)| {
            // "cannot read FILE" has no subject: it is an error message
            let promises = matches(word, self.first) && (at > 0 || *word != "cannot");
            let mut near = words.iter().skip(at + 1).take(self.within).filter(|_| promises);
            near.find(|other| matches(other, self.then)).map(|then| format!("{word} … {then}"))
        })
    }
}

fn matches(word: &str, patterns: &str) -> bool {
    patterns.split_whitespace().any(|pattern| match pattern.strip_suffix('*') {
        Some(stem) => word.starts_with(stem),
        None => word == pattern,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_are_recognised() {
        for sentence in [
            "People meet through providers that learn nothing.",
            "One provider cannot tell real from decoy slots.",
            "Nobody but the two learns of it.",
            "While no operator learns where they are.",
            "The operators have nothing readable to hand over.",
            "A relay passes them on without being able to open them.",
            "Contacts open only for the two.",
            "Only people who accept can tell.",
            "The words and the place stay on this machine.",
            "Anonymous tokens; deniable slots.",
            "It hides what it holds.",
            "Old states are erased.",
            "The other side sees nothing.",
            "It stores records it cannot read.",
            "Private retrieval.",
            "They don't know you; it can't read that.",
            "Your place is kept secret.",
            "Secure messaging.",
            "No part of it sends them anywhere.",
            "Tokens do not link a person's requests.",
            "A provider cannot link two events.",
        ] {
            assert!(promise(sentence).is_some(), "{sentence}");
        }
    }

    #[test]
    fn other_sentences_are_left_alone() {
        for sentence in [
            "Retries are at most four.",
            "The provider signs a receipt.",
            "A command needs no configuration.",
            "Blinded points are 32 bytes.",
            "The reader opens a file.",
            "There is not one of them.",
            "cannot open the file",
            "That is no join link.",
            "A defence without a number is marked open.",
        ] {
            assert_eq!(promise(sentence), None, "{sentence}");
        }
    }
}
