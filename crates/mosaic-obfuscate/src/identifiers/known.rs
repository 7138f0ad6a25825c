use std::{collections::HashSet, sync::OnceLock};

use crate::Vocabulary;

/// Whether a word is in a public list, so that it points at nobody: the vocabulary's or the everyday one.
pub(super) fn known(word: &str) -> bool {
    let lower = word.to_lowercase();
    let bare = lower.trim_end_matches("'s").trim_end_matches("’s");
    everyday().contains(bare) || Vocabulary::builtin().knows(bare) || forms(bare).any(|form| everyday().contains(form))
}

/// The everyday list.
pub(super) fn everyday() -> &'static HashSet<&'static str> {
    static WORDS: OnceLock<HashSet<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let lines = include_str!("../../data/common-words.txt").lines().filter(|line| !line.starts_with('#'));
        lines.flat_map(str::split_whitespace).collect()
    })
}

/// The word without its commonest endings.
fn forms(word: &str) -> impl Iterator<Item = &str> {
    ["s", "es", "ed", "d", "ing", "er", "r", "ers", "ly"].into_iter().filter_map(|end| word.strip_suffix(end))
}
