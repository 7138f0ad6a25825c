/// Words that say nothing about a wish.
const STOP: &[&str] = &[
    "a",
    "about",
    "all",
    "am",
    "an",
    "and",
    "any",
    "anybody",
    "anyone",
    "are",
    "around",
    "as",
    "at",
    "be",
    "but",
    "by",
    "can",
    "do",
    "for",
    "free",
    "from",
    "get",
    "go",
    "going",
    "good",
    "guys",
    "had",
    "has",
    "have",
    "here",
    "hey",
    "hi",
    "how",
    "i",
    "if",
    "im",
    "in",
    "into",
    "is",
    "it",
    "its",
    "just",
    "keen",
    "let",
    "lets",
    "like",
    "looking",
    "me",
    "more",
    "my",
    "near",
    "nearby",
    "need",
    "needed",
    "new",
    "no",
    "not",
    "now",
    "of",
    "on",
    "one",
    "or",
    "our",
    "out",
    "people",
    "please",
    "right",
    "s",
    "seeking",
    "so",
    "some",
    "somebody",
    "someone",
    "something",
    "soon",
    "than",
    "that",
    "the",
    "their",
    "them",
    "there",
    "these",
    "they",
    "this",
    "to",
    "today",
    "together",
    "tomorrow",
    "tonight",
    "too",
    "up",
    "us",
    "very",
    "want",
    "wanted",
    "wanting",
    "wants",
    "was",
    "we",
    "what",
    "when",
    "where",
    "who",
    "will",
    "with",
    "would",
    "you",
    "your",
];

/// Splits text into lower-case words and drops those of [`STOP`].
pub(super) fn split(text: &str) -> Vec<String> {
    let lower = text.to_lowercase().replace(['\'', '’'], "");
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.filter(|word| !STOP.contains(word)).map(str::to_owned).collect()
}

/// The words of a text that say something, each reduced to its stem.
pub(super) fn stems(text: &str) -> Vec<String> {
    split(text).iter().map(|word| stem(word)).collect()
}

/// A light stem: plural and the commonest verb endings go, and a doubled consonant before them is
/// halved. Both sides of a comparison pass through here, so it need only be consistent.
pub(super) fn stem(word: &str) -> String {
    if !word.is_ascii() || word.len() <= 3 {
        return word.to_owned();
    }
    let singular = if let Some(root) = word.strip_suffix("ies").filter(|root| root.len() >= 3) {
        format!("{root}y")
    } else if let Some(root) =
        ["sses", "shes", "ches", "xes"].iter().find_map(|end| word.ends_with(end).then(|| &word[..word.len() - 2]))
    {
        root.to_owned()
    } else if word.ends_with('s') && !word.ends_with("ss") && !word.ends_with("us") && !word.ends_with("is") {
        word[..word.len() - 1].to_owned()
    } else {
        word.to_owned()
    };
    let ending =
        ["ing", "ed", "ers", "er"].iter().find(|end| singular.ends_with(*end) && singular.len() - end.len() >= 4);
    let root = ending.map_or(singular.as_str(), |end| undouble(&singular[..singular.len() - end.len()]));
    root.trim_end_matches('e').to_owned()
}

fn undouble(root: &str) -> &str {
    match root.as_bytes() {
        [.., a, b] if a == b && !b"sl".contains(b) && root.len() > 3 => &root[..root.len() - 1],
        _ => root,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_word_meet() {
        for [a, b] in [
            ["runs", "running"],
            ["bakeries", "bakery"],
            ["dances", "dancing"],
            ["climbers", "climbing"],
            ["boxes", "box"],
        ] {
            assert_eq!(stem(a), stem(b), "{a} {b}");
        }
        assert_eq!(stems("Looking for a jazz-musician’s group!"), ["jazz", "musician", "group"]);
    }
}
