use super::{IdentifierKind, ranges};

/// Words that lead to a finding and say nothing without it.
const LEADING: &[&str] = &[
    "at",
    "on",
    "to",
    "via",
    "me",
    "my",
    "call",
    "text",
    "mail",
    "email",
    "e-mail",
    "ring",
    "message",
    "dm",
    "phone",
    "number",
    "is",
    "write",
    "whatsapp",
    "telegram",
    "insta",
    "instagram",
    "ig",
    "snap",
    "discord",
    "signal",
    "contact",
    "reach",
    "find",
    "plate",
    "plates",
    "reg",
    "tel",
    "sms",
    "mobile",
    "licence",
    "license",
    "i'm",
    "i",
    "am",
    "name",
    "ask",
    "for",
    "this",
    "or",
    "and",
    "by",
    "see",
    "with",
    "the",
    "cheers",
    "regards",
    "code",
];

/// `text` without anything of one kind: each finding goes, with the words that only lead to it. Empty when nothing is
/// left.
pub fn without(text: &str, kind: IdentifierKind) -> String {
    let mut left = text.to_owned();
    // what stood apart may meet once something goes; every round is shorter than the one before
    while let Some(range) = ranges(kind, &left).into_iter().find(|range| !range.is_empty()) {
        let (before, after) = (left.get(..range.start).unwrap_or_default(), left.get(range.end..).unwrap_or_default());
        let head = if ends_here(after) { without_lead(before) } else { before };
        left = joined(head, after);
    }
    left
}

/// Whether nothing of the clause follows.
fn ends_here(after: &str) -> bool {
    after.trim_start_matches(' ').chars().next().is_none_or(|c| c.is_ascii_punctuation() || c == '\n')
}

fn without_lead(before: &str) -> &str {
    let mut head = before;
    loop {
        let trimmed = head.trim_end_matches([' ', ':', '(', '=', ',']);
        let word = trimmed.rsplit(' ').next().unwrap_or_default();
        if word.is_empty() || !LEADING.contains(&word.to_lowercase().as_str()) {
            return if trimmed.is_empty() { "" } else { head };
        }
        head = trimmed.strip_suffix(word).unwrap_or_default();
    }
}

/// Never longer than both parts together.
fn joined(head: &str, tail: &str) -> String {
    let (head, tail) = (head.trim_end_matches([' ', ',', '(', ':', '@']), tail.trim_start_matches([' ', ')']));
    if head.is_empty() {
        return tail.trim_start_matches([',', '.', ';', ' ']).to_owned();
    }
    let gap = if tail.is_empty() || tail.starts_with(|c: char| c.is_ascii_punctuation()) { "" } else { " " };
    format!("{head}{gap}{tail}")
}
