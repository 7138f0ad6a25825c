//! Names of people, only where the words around say that it is one: `my name is`, `ask for`, `Dr.`, a signature.

use std::{ops::Range, sync::OnceLock};

use regex::Regex;

use super::known::known;

const PATTERNS: &[&str] = &[
    // a word in any case may follow these
    r"(?i:\b(?:my name is|my name['’]?s|ask for|call me|i am called|i['’]?m called))\s+(?<id>\p{L}[\p{L}'’\-]+(?: \p{Lu}[\p{L}'’\-]+){0,2})",
    // only a capital makes it a name here
    r"(?i:\b(?:i am|i['’]?m|this is|it['’]?s))\s+(?<id>\p{Lu}[\p{L}'’\-]+(?: \p{Lu}[\p{L}'’\-]*){0,3})",
    r"(?<id>\b(?i:mr|mrs|ms|dr|prof|professor|herr|frau|madame|señora?)\.?\s+\p{Lu}[\p{L}'’\-]+)",
    r"(?i:\b(?:cheers|regards|love|thanks|thx|hugs|yours))(?:,| -| –|\n)\s*(?<id>\p{Lu}[\p{L}'’\-]+(?: \p{Lu}[\p{L}'’\-]+)?)\W*$",
];

pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    static COMPILED: OnceLock<Vec<Regex>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(|| PATTERNS.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect());
    let found = compiled.iter().flat_map(|pattern| pattern.captures_iter(text));
    let named = found.filter_map(|captures| captures.name("id"));
    named.filter(|name| !name.as_str().split([' ', '-']).all(known)).map(|name| name.range()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert!(PATTERNS.iter().all(|pattern| Regex::new(pattern).is_ok()));
    }
}
