//! Kinds that a pattern tells. Where a pattern has a group `id`, that is the finding, else all of it.

use std::{ops::Range, sync::OnceLock};

use regex::{Captures, Regex};

use super::{IdentifierKind as Kind, known::known};

const EMAIL: &[&str] = &[
    r"[\w.%+\-]+[@＠][\w\-]+(?:\.[\w\-]+)*\.\p{L}{2,}",
    r"(?i)[\w.%+\-]+ ?[\[(] ?at ?[\])] ?[\w\-]+(?: ?(?:\.|[\[(] ?dot ?[\])]) ?[\w\-]+)+",
    r"(?i)\b[\w.%+\-]+ at [\w\-]+(?: dot [\w\-]+)+",
];

const ACCOUNT: &[&str] = &[
    r"\b0x[0-9a-fA-F]{40}\b",
    r"(?i)\bbc1[02-9ac-hj-np-z]{25,60}\b",
    r"\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\b",
    r"\b[48][1-9A-HJ-NP-Za-km-z]{94}\b",
    r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b",
];

const HANDLE: &[&str] = &[
    r"(?:^|[^\w@＠/])(?<id>[@＠][\w.\-]+:[\w\-]+(?:\.[\w\-]+)+)",
    r"(?:^|[^\w@＠/])(?<id>[@＠][\p{L}\d_][\w.\-]{2,})",
    r"\b[\w.]{2,32}#\d{4}\b",
    r"(?i)\b(?:t|wa|m)\.me/[+\w]+",
    r"(?i)\b(?:instagram|facebook|tiktok|twitter|x|snapchat|linkedin|reddit|github|threads)\.com/\S+",
    r"(?:^|\s)(?<id>/?u/[\w\-]{3,})",
    r"(?i)\b(?:insta|instagram|ig|snap|snapchat|telegram|tg|discord|kik|wechat|signal|skype|twitter|tiktok|facebook|fb|reddit|steam|psn|xbox|whatsapp|matrix|threads|bluesky|mastodon)(?: (?:id|name|user|username|handle|tag))?(?:\s*[:=]\s*|\s+is\s+)(?<id>@?[\w.\-]{3,})",
];

const LINK: &[&str] = &[
    r"(?i)\bhttps?://\S+",
    r"(?i)\bwww\.[\w\-]+\.\S+",
    r"(?i)\b(?:[\p{L}\d][\w\-]*\.)+(?:com|org|net|info|io|app|dev|gg|xyz|eu|uk|de|pl|pt|fr|ru|es|nl|cz|edu|onion|blog|tv|ly)\b(?:/\S*)?",
    r"(?i)\b(?:[\p{L}\d][\w\-]*\.)+[a-z]{2,}/\S+",
];

const COORDINATES: &[&str] = &[
    r"[-+]?\b\d{1,2}\.\d{3,}\s?°?\s?[NSns]?\s?[,;/ ]\s?[-+]?\d{1,3}\.\d{3,}\s?°?(?:\s?[EWew]\b)?",
    r"\b\d{1,2}(?:\.\d+)?\s?°\s?[NS]?[,; ]*\d{1,3}(?:\.\d+)?\s?°(?:\s?[EW]\b)?",
    r#"(?:\b\d{1,3}\s?°\s?\d{1,2}(?:\.\d+)?\s?['’′]\s?(?:\d{1,2}(?:\.\d+)?\s?["”″'’]{1,2})?\s?[NSEW]?[\s,]*){1,2}"#,
    r"(?i)\bgeo:-?\d+(?:\.\d+)?,-?\d+(?:\.\d+)?",
    r"\b[2-9CFGHJMPQRVWX]{4,8}\+[2-9CFGHJMPQRVWX]{2,3}\b",
    r"///\p{L}+\.\p{L}+\.\p{L}+",
];

const ADDRESS: &[&str] = &[
    r"(?i)\b\d{1,5}[a-z]?,? (?<between>(?:[\p{L}.'’\-]+ ){1,3})(?:street|st|road|rd|avenue|ave|boulevard|blvd|lane|ln)\b",
    r"\b\d{1,5}[a-zA-Z]?,? (?<between>(?:\p{Lu}[\p{L}.'’\-]* ){1,3})(?i:drive|dr|court|ct|square|sq|way|terrace|place|close|crescent|row|gardens|hill|grove|mews|park|quay)\b",
    r"(?i)\b\p{L}{2,}(?:straße|strasse|str\.|straat|gracht|gasse|weg|platz|allee|gade|gatan|vägen|utca|katu)\s+\d{1,4}[a-z]?\b",
    r"(?:^|[^\p{L}])(?<id>(?i:ul\.?|ulica|al\.|aleja|os\.|pl\.|rue|calle|avenida|av\.|piazza|plaza|largo|rua|praça|travessa|viale|corso|boulevard|via|plac)\s+(?:(?i:de|da|do|dos|das|della|del|la|les|des|du|los|las)\s+)*\p{Lu}[\p{L}.'’\-]*(?:\s+[\p{L}.'’\-]+){0,2}?,?\s+(?i:n[ºo°.]\s?)?\d{1,4}[a-z]?)\b",
    r"(?i)\b\d{1,4}(?: ?(?:bis|ter))?,? (?:rue|avenue|boulevard|chemin|impasse|quai|allée)\s+(?:(?:de|des|du|la|le|les|l['’]|d['’])\s*)*[\p{L}'’\-]+",
    r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b",
];

const PLATE: &[&str] = &[
    r"\b[A-Z]{2}\d{2} ?[A-Z]{3}\b",
    r"\b[A-Z]{2}-\d{3}-[A-Z]{2}\b",
    r"\b[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} \d{1,4}\b",
    r"\b\d[A-Z]{3}\d{3}\b",
    r"(?i)\b(?:plates?|reg|rego|registration|licen[cs]e)\b(?:\W+\p{L}+){0,2}?\W+(?<cued>[a-z0-9]{1,4}[ \-]?[a-z0-9]{2,5}(?:[ \-][a-z0-9]{1,3})?)\b",
    r"(?i:\b(?:car|van|taxi|truck|motorbike|scooter|driving|vehicle)\b)(?:\W+\p{L}+){0,3}?\W+(?<id>[A-Z]{2,3} (?:\d{4,5}|[A-Z0-9]{2}\d{2,3}|\d[A-Z]\d{3})|\d{4} [A-Z]{3})\b",
];

const HASHTAG: &[&str] = &[r"(?:^|[^\w&])(?<id>[#＃][\w\-]*\p{L}[\w\-]+)"];

/// Words after `@` that say where or when.
const AFTER_AT: &[&str] = &["home", "work", "noon", "midnight", "school", "the", "mine", "yours", "ours"];
/// Words between a number and a street that count something.
const COUNTED: &[&str] = &[
    "km", "k", "m", "min", "mins", "minute", "minutes", "mile", "miles", "metre", "metres", "hour", "hours", "people",
    "person", "player", "players", "lane", "lanes", "side", "or", "and", "to", "from", "on", "at", "in", "the", "for",
    "euro", "euros", "day", "days", "seat", "seats", "pm", "am", "way",
];

pub(super) fn find(kind: Kind, text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for pattern in patterns(kind) {
        for captures in pattern.captures_iter(text) {
            let Some(whole) = captures.name("id").or_else(|| captures.name("cued")).or_else(|| captures.get(0)) else {
                continue;
            };
            if fits(kind, &captures, whole.as_str()) {
                found.push(trimmed(text, whole.range()));
            }
        }
    }
    found
}

fn fits(kind: Kind, captures: &Captures<'_>, found: &str) -> bool {
    match kind {
        Kind::Handle => is_handle(found.trim_end_matches(['.', '-'])),
        Kind::Plate => captures.name("cued").is_none_or(|cued| is_plate(cued.as_str())),
        Kind::Address => captures.name("between").is_none_or(|between| {
            !between.as_str().split_whitespace().any(|word| COUNTED.contains(&word.to_lowercase().as_str()))
        }),
        Kind::Account => found.contains(|c: char| c.is_ascii_digit()),
        _ => true,
    }
}

/// A name and no word: `@home` is where, `@5pm` is when, `discord is fun` says nothing.
fn is_handle(found: &str) -> bool {
    let name = found.trim_start_matches(['@', '＠']);
    let at = name.len() < found.len();
    let time = name.starts_with(|c: char| c.is_ascii_digit())
        && name.trim_end_matches("am").trim_end_matches("pm").chars().all(|c| c.is_ascii_digit() || c == '.');
    let word = if at { AFTER_AT.contains(&name.to_lowercase().as_str()) } else { known(name) };
    !time && !word && name.chars().count() >= 3
}

/// Five to eight letters and digits, at least one and two, no word among them.
fn is_plate(found: &str) -> bool {
    let count = |of: fn(&char) -> bool| found.chars().filter(of).count();
    let (letters, digits) = (count(char::is_ascii_alphabetic), count(char::is_ascii_digit));
    let words = found.split(|c: char| !c.is_ascii_alphabetic());
    let word = |word: &str| word.len() > 3 || (word.len() > 1 && !word.contains(char::is_uppercase) && known(word));
    letters >= 1 && digits >= 2 && (5..=8).contains(&(letters + digits)) && !words.into_iter().any(word)
}

/// Without the spaces and full stops at its end.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let kept = text.get(range.clone()).unwrap_or_default().trim_end_matches([' ', '.', ',', ';', '!', '?', ')', '\n']);
    range.start..range.start + kept.len()
}

fn patterns(kind: Kind) -> &'static [Regex] {
    static COMPILED: OnceLock<Vec<(Kind, Vec<Regex>)>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(|| {
        let compile = |patterns: &[&str]| patterns.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect();
        TABLE.iter().map(|(kind, patterns)| (*kind, compile(patterns))).collect()
    });
    compiled.iter().find(|(of, _)| *of == kind).map_or(&[], |(_, patterns)| patterns)
}

const TABLE: &[(Kind, &[&str])] = &[
    (Kind::Email, EMAIL),
    (Kind::Account, ACCOUNT),
    (Kind::Handle, HANDLE),
    (Kind::Link, LINK),
    (Kind::Coordinates, COORDINATES),
    (Kind::Address, ADDRESS),
    (Kind::Plate, PLATE),
    (Kind::Hashtag, HASHTAG),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for (kind, listed) in TABLE {
            assert_eq!(patterns(*kind).len(), listed.len(), "{kind:?}");
        }
    }
}
