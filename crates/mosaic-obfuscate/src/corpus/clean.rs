use std::collections::BTreeSet;

use mosaic_wire::ShortText;

/// Most words of a line (L3-14).
const MOST_WORDS: usize = 10;
/// Most digits of a line: times and sizes have fewer, telephone numbers more.
const MOST_DIGITS: usize = 5;
/// Most lines that one text gives.
const MOST_LINES: usize = 200;

/// The lines of a text that a persona could say, each once, in their order: without bullets, numbers and quotes
/// around them, and dropped when they point somewhere or are no plain line. Nothing is shortened: half a line would be
/// worse than none.
pub fn clean_lines(text: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let lines = text.lines().map(bare).filter(|line| is_clean(line));
    lines.filter(|line| seen.insert(line.to_lowercase())).take(MOST_LINES).map(str::to_owned).collect()
}

/// Whether a persona could say it: 1 to 41 bytes and ten words of one line, with a letter, and without links,
/// handles, addresses, telephone numbers and characters that cannot be seen.
pub(super) fn is_clean(line: &str) -> bool {
    let lower = line.to_lowercase();
    let hidden = |c: char| c.is_control() || HIDDEN.iter().any(|range| range.contains(&c));
    (1..=ShortText::MAX_BYTES).contains(&line.len())
        && line == line.trim()
        && line.split_whitespace().count() <= MOST_WORDS
        && line.chars().any(char::is_alphabetic)
        && line.chars().filter(|c| c.is_numeric()).count() <= MOST_DIGITS
        && !line.contains(['@', '#', '\\', '<', '>', '{', '}', '[', ']', '|', '`', '\t'])
        && !line.chars().any(hidden)
        && !["://", "www.", "http"].iter().any(|link| lower.contains(link))
        && !lower.split_whitespace().any(is_domain)
}

/// Direction marks, joiners and spaces without width, private use and tags: a line could carry a mark in them.
const HIDDEN: &[std::ops::RangeInclusive<char>] = &[
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{180b}'..='\u{180f}',
    '\u{2000}'..='\u{200f}',
    '\u{2028}'..='\u{202f}',
    '\u{205f}'..='\u{206f}',
    '\u{e000}'..='\u{f8ff}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{fff0}'..='\u{ffff}',
    '\u{e0000}'..='\u{10ffff}',
];

/// `cafe.com`, `bit.ly/x`: a dot between letters, behind it at least two.
fn is_domain(word: &str) -> bool {
    let mut parts = word.split(['/', '?', ':', ',']).next().unwrap_or_default().rsplit('.');
    let end = parts.find(|part| !part.is_empty()).unwrap_or_default();
    end.len() >= 2 && end.chars().all(char::is_alphabetic) && parts.any(|part| !part.is_empty())
}

/// Without the bullet, the number and the quotes that models put around lines.
fn bare(line: &str) -> &str {
    let line = line.trim().trim_start_matches(['-', '*', '•', '–']).trim_start();
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = (digits.len() < line.len()).then(|| digits.strip_prefix(". ").or_else(|| digits.strip_prefix(") ")));
    let line = numbered.flatten().unwrap_or(line).trim();
    line.trim_matches(['"', '“', '”']).trim()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bullets_numbers_and_quotes_go_and_duplicates_too() {
        let text = "1. coffee anyone?\n- \"Coffee anyone?\"\n  * late tea :)\n12) two seats left\n\n3x3 at 6\n";
        assert_eq!(clean_lines(text), ["coffee anyone?", "late tea :)", "two seats left", "3x3 at 6"]);
    }

    #[test]
    fn what_points_at_somebody_is_dropped() {
        for line in [
            "call 912 345 678",
            "me@example.org",
            "see www.example.org",
            "https://x.yz",
            "go to cafe.com now",
            "bit.ly/abc",
            "follow @anna",
            "#coffee",
            "a very long line that goes on beyond 41 bytes",
            "a b c d e f g h i j k",
            "tea\u{200b}time",
            "\u{202e}abc",
            "te\u{7}a",
            "12:30",
            "",
        ] {
            assert_eq!(clean_lines(line), Vec::<String>::new(), "{line:?}");
        }
        for line in ["tea at 5.30 pm", "ok... who comes", "café à noite?", "ramen 🍜 now", "e.g. chess"] {
            assert_eq!(clean_lines(line), [line]);
        }
    }

    proptest! {
        /// What was cleaned is clean, and cleaning it again changes nothing.
        #[test]
        fn cleaning_is_done_once(text in "(?s).{0,300}") {
            let lines = clean_lines(&text);
            prop_assert!(lines.iter().all(|line| is_clean(line)));
            let distinct: BTreeSet<String> = lines.iter().map(|line| line.to_lowercase()).collect();
            prop_assert_eq!(distinct.len(), lines.len());
        }
    }
}
