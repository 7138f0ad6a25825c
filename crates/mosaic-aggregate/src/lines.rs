use std::fmt::Write as _;

use mosaic_types::{ClassId, Timestamp};

use crate::{PartOfDay, Published};

/// A published statement in the line protocol of InfluxDB, one line for each class and part of the day of which something
/// is said, at the beginning of its day and in nanoseconds (L4-09). Nothing else can be written: [`Published`] is made by
/// checking two signatures, and holds nothing but noisy counts.
///
/// `name` gives a class its public name.
pub fn lines<'a>(published: &Published, name: impl Fn(ClassId) -> &'a str) -> String {
    let counted = published.counted();
    let at = Timestamp::from_secs(u64::from(counted.day) * 86_400).as_secs();
    let mut lines = String::new();
    for class in (0..ClassId::COUNT).filter_map(|class| ClassId::new(class).ok()) {
        for part in PartOfDay::ALL {
            let Some(wishes) = published.wishes(class, part) else { continue };
            // writing to a string never fails
            let _ = writeln!(
                lines,
                "mosaic_wishes,class={},part={},tile={} epsilon={},reports={}i,wishes={wishes:.1} {at}000000000",
                escaped(name(class)),
                part.name(),
                counted.tile.0,
                published.epsilon(),
                published.reports(),
            );
        }
    }
    lines
}

/// A tag's value: commas, equals signs and spaces behind a backslash, and no line break.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        if matches!(letter, ',' | '=' | ' ' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}
