use rand::RngExt;
use rand_chacha::ChaCha20Rng;

/// Words that some people write shorter.
const SHORTER: &[(&str, &str)] = &[
    ("please", "pls"),
    ("people", "ppl"),
    ("tomorrow", "tmrw"),
    ("you", "u"),
    ("your", "ur"),
    ("because", "cos"),
    ("right now", "rn"),
    ("and", "&"),
    ("tonight", "2nite"),
    ("want to", "wanna"),
    ("going to", "gonna"),
    ("though", "tho"),
    ("something", "smth"),
];
const MARKS: &[&str] = &[" :)", " 🙂", " 😅", " 🙏", " 🙌", " 😊", " lol", "!!", " xx", " haha"];
/// Shortest word that slips happen in.
const SLIPPERY: usize = 5;

/// How somebody writes on a phone: the same in every line of theirs.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::persona) struct Hand {
    /// How much stands around the core of a line: 0.1 to 1.2.
    pub(super) wordiness: f64,
    /// How often a line begins with a capital letter, is in short forms, ends with a stop, has a smiley, has a slip.
    capital: f64,
    short_forms: f64,
    stop: f64,
    smiley: f64,
    slip: f64,
    /// Whether apostrophes are typed.
    apostrophes: bool,
    /// What stands between the parts of a line.
    between: &'static str,
}

impl Hand {
    /// Somebody's hand.
    pub(in crate::persona) fn new(rng: &mut ChaCha20Rng) -> Self {
        Self {
            wordiness: rng.random_range(0.1..1.2),
            capital: if rng.random_bool(0.25) { 0.95 } else { 0.08 },
            short_forms: if rng.random_bool(0.2) { 0.8 } else { 0.0 },
            stop: if rng.random_bool(0.1) { 0.7 } else { 0.0 },
            smiley: if rng.random_bool(0.15) { 0.4 } else { 0.01 },
            slip: if rng.random_bool(0.25) { 0.3 } else { 0.03 },
            apostrophes: rng.random_bool(0.6),
            between: [" ", " ", ", ", ", ", ", ", ", ", ". ", " - "][rng.random_range(0..8_usize)],
        }
    }

    /// One line of several parts, each with its own words.
    pub(super) fn write(&self, parts: &[String], rng: &mut ChaCha20Rng) -> String {
        let joined = parts.iter().filter(|part| !part.is_empty()).fold(String::new(), |line, part| {
            let ended = line.is_empty() || line.ends_with(['?', '!', ',']);
            let between = if line.is_empty() { "" } else { [self.between, " "][usize::from(ended)] };
            line + between + part
        });
        let mut line = joined;
        if rng.random_bool(self.short_forms) {
            line = SHORTER.iter().fold(line, |line, (long, short)| with_words(&line, long, short));
        }
        if rng.random_bool(self.slip) {
            line = slipped(&line, rng);
        }
        if !self.apostrophes {
            line = line.replace('\'', "");
        }
        if rng.random_bool(self.capital) {
            line = capitalised(&line);
        }
        if rng.random_bool(self.stop) && line.ends_with(|last: char| last.is_alphanumeric()) {
            line.push('.');
        }
        if rng.random_bool(self.smiley) {
            line.push_str(MARKS[rng.random_range(0..MARKS.len())]);
        }
        line
    }
}

/// Whole words only.
fn with_words(line: &str, long: &str, short: &str) -> String {
    let inner = format!(" {line} ").replace(&format!(" {long} "), &format!(" {short} "));
    inner.trim().to_owned()
}

/// One slip of the thumb in one longer word: a letter missing, doubled, or swapped with the next.
fn slipped(line: &str, rng: &mut ChaCha20Rng) -> String {
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let long = words.iter_mut().filter(|word| word.len() >= SLIPPERY && word.chars().all(|c| c.is_ascii_lowercase()));
    let mut long: Vec<&mut String> = long.collect();
    let which = rng.random_range(0..long.len().max(1));
    if let Some(word) = long.get_mut(which) {
        let at = rng.random_range(1..word.len() - 1);
        let mut letters: Vec<char> = word.chars().collect();
        match rng.random_range(0..3) {
            0 => drop(letters.remove(at)),
            1 => letters.insert(at, letters[at]),
            _ => letters.swap(at, at + 1),
        }
        **word = letters.into_iter().collect();
    }
    words.join(" ")
}

fn capitalised(line: &str) -> String {
    let mut letters = line.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn one_slip_changes_one_word_and_spares_short_ones() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        for _ in 0..200 {
            let line = slipped("ok meetup now", &mut rng);
            assert!(line.starts_with("ok ") && line.ends_with(" now"), "{line}");
            assert!((5..=7).contains(&line.split(' ').nth(1).unwrap().len()), "{line}");
        }
        assert_eq!(slipped("a b c", &mut rng), "a b c");
    }

    #[test]
    fn short_forms_are_of_whole_words() {
        assert_eq!(with_words("thank you, your youth", "your", "ur"), "thank you, ur youth");
    }
}
