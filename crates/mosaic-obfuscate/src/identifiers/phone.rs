//! Telephone numbers: told from dates, times, distances and prices by how their digits are grouped.

use std::{ops::Range, sync::OnceLock};

use regex::Regex;

/// Words that announce a number.
const CUES: &[&str] = &[
    "call",
    "text",
    "phone",
    "tel",
    "whatsapp",
    "ring",
    "sms",
    "mobile",
    "number",
    "cell",
    "contact",
    "telephone",
    "dial",
    "viber",
    "signal",
];
/// What a number before it counts or costs.
const UNITS: &[&str] =
    &["km", "m", "euro", "euros", "eur", "zl", "pln", "usd", "gbp", "people", "steps", "kcal", "points"];
const SPOKEN: &str =
    r"(?i)(?:\b(?:zero|oh|o|one|two|three|four|five|six|seven|eight|nine|double|triple|hundred)\b[ ,\-]*){7,}";
const WRITTEN: &str = r"(?:\+ ?|\(\+?)?\d(?:[ .\-/()\u{a0}]{0,3}\d){5,18}";

pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    static PATTERNS: OnceLock<[Option<Regex>; 2]> = OnceLock::new();
    let [written, spoken] = PATTERNS.get_or_init(|| [WRITTEN, SPOKEN].map(|pattern| Regex::new(pattern).ok()));
    let written = written.iter().flat_map(|pattern| pattern.find_iter(text).map(|found| found.range()));
    let spoken = spoken.iter().flat_map(|pattern| pattern.find_iter(text).map(|found| found.range()));
    let trimmed = spoken.map(|range| {
        let kept = text.get(range.clone()).unwrap_or_default().trim_end_matches([' ', ',', '-']).len();
        range.start..range.start + kept
    });
    written.filter_map(|range| number(text, range)).chain(trimmed).collect()
}

/// The number in a run of digits, after a date at its beginning.
fn number(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let run = text.get(range.clone())?;
    let (before, after) = (text.get(..range.start)?, text.get(range.end..)?);
    if before.ends_with(|c: char| c.is_alphanumeric() || ".:€$£#_".contains(c))
        || before.trim_end().ends_with(['€', '$', '£'])
    {
        return None;
    }
    if after.starts_with(|c: char| c.is_alphanumeric() || c == ':' || c == '_' || c == '€') {
        return None;
    }
    let unit = after.trim_start().split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_lowercase();
    let groups = groups(run);
    if let Some(end) = date_end(&groups, run) {
        let rest = run.get(end..)?;
        let lead = rest.len() - rest.trim_start_matches([' ', '.', '-', '/', '(', ')', '\u{a0}']).len();
        let left = range.start + end + lead..range.end;
        return (left.len() < run.len() && left.len() > 5).then(|| number(text, left)).flatten();
    }
    let counted = UNITS.contains(&unit.as_str()) || after.trim_start().starts_with(['€', '$', '£']);
    let is_number = !counted && shaped(run, &groups, cued(before));
    is_number.then_some(range)
}

/// The digits between separators, with their places.
fn groups(run: &str) -> Vec<(usize, &str)> {
    let mut groups = Vec::new();
    let mut at = 0;
    for part in run.split(|c: char| !c.is_numeric()) {
        if !part.is_empty() {
            groups.push((at, part));
        }
        // the separator may be longer than a byte
        at += part.len();
        at += run.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
    groups
}

/// Where a date at the beginning ends: `12.07.2026`, `2026-08-14`, `1/9/26`, `12-14.12.2026`.
fn date_end(groups: &[(usize, &str)], run: &str) -> Option<usize> {
    let value = |at: usize| groups.get(at).and_then(|(_, digits)| digits.parse::<u32>().ok());
    let end = |at: usize| groups.get(at).map(|(start, digits)| start + digits.len());
    let year =
        |at: usize| groups.get(at).is_some_and(|(_, digits)| digits.len() == 4) && value(at).is_some_and(is_year);
    let day = |at: usize| {
        groups.get(at).is_some_and(|(_, digits)| digits.len() <= 2) && value(at).is_some_and(|v| (1..=31).contains(&v))
    };
    let short = |at: usize| groups.get(at).is_some_and(|(_, digits)| digits.len() == 2);
    let marked = run.contains(['.', '/', '-']) && !run.starts_with(['+', '(']);
    if !marked {
        let whole =
            groups.len() == 1 && run.len() == 8 && run.get(..4).and_then(|y| y.parse().ok()).is_some_and(is_year);
        return whole.then_some(run.len());
    }
    if day(0) && day(1) && year(2) || year(0) && day(1) && day(2) {
        return end(2);
    }
    if day(0) && day(1) && day(2) && year(3) {
        return end(3);
    }
    let joined = groups.get(2).and_then(|(start, _)| run.get(..*start)).is_some_and(|head| !head.contains(' '));
    if day(0) && day(1) && short(2) && joined && groups.len() == 3 {
        return end(2);
    }
    (year(0) && year(1)).then(|| end(1)).flatten()
}

const fn is_year(value: u32) -> bool {
    1900 <= value && value <= 2100
}

fn cued(before: &str) -> bool {
    let words = before.rsplit(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(4);
    words.into_iter().any(|word| CUES.contains(&word.to_lowercase().as_str()))
}

fn shaped(run: &str, groups: &[(usize, &str)], cued: bool) -> bool {
    let digits: usize = groups.iter().map(|(_, digits)| digits.chars().count()).sum();
    let lengths: Vec<usize> = groups.iter().map(|(_, digits)| digits.chars().count()).collect();
    let first = groups.first().map_or("", |(_, digits)| digits);
    if run.starts_with('+') || run.starts_with("(+") || first.starts_with("00") {
        return (8..=16).contains(&digits);
    }
    // thousands: 1 200 000, 100.000.000
    let thousands = lengths.iter().skip(1).all(|length| *length == 3)
        && (first.len() < 3 || groups.iter().skip(1).all(|(_, d)| *d == "000"));
    if lengths.len() > 1 && thousands {
        return false;
    }
    let range = lengths == [4, 4] && run.contains('-') || lengths == [3, 3] && !cued;
    if range {
        return false;
    }
    match (digits, lengths.as_slice()) {
        _ if cued => digits >= 6,
        (9..=12, _) if first.starts_with('0') => lengths.iter().all(|length| *length >= 2),
        (10, [10] | [3, 3, 4] | [2, 2, 2, 2, 2] | [5, 5] | [3, 7]) | (11, [1, 3, 3, 4]) => true,
        (9, [9] | [3, 3, 3] | [2, 3, 2, 2]) | (8, [2, 2, 2, 2]) | (7, [3, 4]) => true,
        _ => false,
    }
}
