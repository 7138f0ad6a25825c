use std::collections::{BTreeMap, BTreeSet};

use super::words;

/// Weight of a word that was meant rather than written.
const GUESSED: f64 = 0.9;
/// Weight of a known word with something unknown behind it.
const HALF_KNOWN: f64 = 0.5;
/// Shortest word that may be a misspelt one, and from which length two slips are forgiven.
const SHORTEST: usize = 4;
const LONG: usize = 8;
/// Shortest part of a compound.
const SHORTEST_PART: usize = 3;

/// Which words of the lists somebody meant who wrote a word that is in none.
///
/// People write on phones: letters are missing, doubled or swapped, and compounds are written together.
#[derive(Debug, Default)]
pub(super) struct Spelling {
    /// Known words as written, by their first letter: slips are rare there (Pollock and Zamora 1984).
    known: BTreeMap<char, BTreeSet<String>>,
}

impl Spelling {
    /// Adds the words of a phrase of the vocabulary.
    pub(super) fn add(&mut self, phrase: &str) {
        for word in words::split(phrase) {
            if let Some(first) = word.chars().next() {
                self.known.entry(first).or_default().insert(word);
            }
        }
    }

    fn knows(&self, word: &str) -> bool {
        word.chars().next().and_then(|first| self.known.get(&first)).is_some_and(|words| words.contains(word))
    }

    /// The stems that an unknown word stands for, with their weights; none when nothing is near.
    pub(super) fn meant(&self, word: &str) -> Vec<(String, f64)> {
        let squeezed = squeezed(word);
        if squeezed != word && self.knows(&squeezed) {
            return vec![(words::stem(&squeezed), GUESSED)];
        }
        if let Some([a, b]) = self.parts(&squeezed) {
            return vec![(words::stem(a), GUESSED), (words::stem(b), GUESSED)];
        }
        let near: BTreeSet<String> = self.nearest(&squeezed).into_iter().map(words::stem).collect();
        if near.is_empty() {
            return self.beginning(&squeezed).map(|known| (words::stem(known), HALF_KNOWN)).into_iter().collect();
        }
        let weight = GUESSED / (1..).zip(&near).last().map_or(1.0, |(many, _)| f64::from(many));
        near.into_iter().map(|stem| (stem, weight)).collect()
    }

    /// Two known words written as one; the longest first part wins.
    fn parts<'a>(&self, word: &'a str) -> Option<[&'a str; 2]> {
        let cuts = word.char_indices().map(|(at, _)| at).rev();
        let mut parts = cuts.map(|at| word.split_at(at)).filter(|(a, b)| a.len().min(b.len()) >= SHORTEST_PART);
        parts.find(|(a, b)| self.knows(a) && self.knows(b)).map(|(a, b)| [a, b])
    }

    /// The longest known word that the unknown one begins with: the rest is a name or an ending.
    fn beginning<'a>(&self, word: &'a str) -> Option<&'a str> {
        let cuts = word.char_indices().map(|(at, _)| at).rev();
        let parts = cuts.map(|at| &word[..at]).take_while(|part| part.len() >= SHORTEST);
        parts.into_iter().find(|part| self.knows(part))
    }

    /// The known words with the fewest slips between them and `word`, if those are few enough for its length.
    fn nearest(&self, word: &str) -> Vec<&str> {
        let letters: Vec<char> = word.chars().collect();
        let forgiven = match letters.len() {
            ..SHORTEST => return Vec::new(),
            SHORTEST..LONG => 1,
            _ => 2,
        };
        let known = letters.first().and_then(|first| self.known.get(first)).into_iter().flatten();
        let slips = known.filter(|known| known.chars().count() >= SHORTEST).filter_map(|known| {
            let other: Vec<char> = known.chars().collect();
            let far = letters.len().abs_diff(other.len()) > forgiven;
            let slips = if far { usize::MAX } else { slips(&letters, &other) };
            (slips <= forgiven).then_some((slips, known.as_str()))
        });
        let slips: Vec<(usize, &str)> = slips.collect();
        let fewest = slips.iter().map(|(slips, _)| *slips).min().unwrap_or_default();
        slips.into_iter().filter(|(slips, _)| *slips == fewest).map(|(_, known)| known).collect()
    }
}

/// Letters that somebody leaned on, as in "sooo", count twice at most; a run at the end counts once.
fn squeezed(word: &str) -> String {
    let letters: Vec<char> = word.chars().collect();
    let runs: Vec<&[char]> = letters.chunk_by(|a, b| a == b).collect();
    let last = runs.len().saturating_sub(1);
    let kept = |(at, run): (usize, &&[char])| {
        let most = if run.len() > 2 && at == last { 1 } else { 2 };
        run.iter().take(most).collect::<String>()
    };
    runs.iter().enumerate().map(kept).collect()
}

/// Letters missing, added, wrong, or two neighbours swapped: the restricted distance of Damerau (1964).
fn slips(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let changed = last[j] + usize::from(x != y);
            let mut best = changed.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(phrases: &[&str]) -> Spelling {
        let mut spelling = Spelling::default();
        phrases.iter().for_each(|phrase| spelling.add(phrase));
        spelling
    }

    #[test]
    fn slips_compounds_and_long_letters_are_understood() {
        let spelling = of(&["coffee", "board game", "tennis court", "sushi", "badminton"]);
        for (written, meant) in [
            ("cofee", vec!["coffe"]),
            ("coffeeee", vec!["coffe"]),
            ("boardgame", vec!["board", "game"]),
            ("tenins", vec!["tennis"]),
            ("badmington", vec!["badminton"]),
            ("xsushi", vec![]),
            ("sus", vec![]),
        ] {
            let found = spelling.meant(written);
            let stems: Vec<&str> = found.iter().map(|(stem, _)| stem.as_str()).collect();
            assert_eq!(stems, meant.into_iter().map(words::stem).collect::<Vec<_>>(), "{written}");
        }
    }

    #[test]
    fn a_swap_is_one_slip() {
        let letters = |word: &str| word.chars().collect::<Vec<_>>();
        for (a, b, many) in [("anxeity", "anxiety", 1), ("", "ab", 2), ("ca", "abc", 3), ("tea", "tea", 0)] {
            assert_eq!(slips(&letters(a), &letters(b)), many, "{a} {b}");
        }
    }
}
