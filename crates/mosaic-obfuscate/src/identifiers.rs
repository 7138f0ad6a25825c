//! Words that point at one person (L6-45): an e-mail address, a plate, a name, a word that nobody else writes. A reader
//! who knows such a word from elsewhere knows who wrote it, however many decoys stand beside it (S-33).
//!
//! A detector by shape: [`find`] takes a text and says what kinds stand where, [`without`] makes a text that lacks one kind.
//! It knows what the shapes below know and nothing else; how much it misses and how often it cries wolf is printed by
//! `tests/it/identifiers.rs`. Matching is linear in the text (no backtracking), and nothing is kept or logged.

mod known;
mod mend;
mod names;
mod phone;
mod rare;
mod shapes;

use std::{fmt, ops::Range};

use mosaic_wire::CardText;

pub use mend::without;

/// What kind of word it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentifierKind {
    /// An e-mail address, with `@` or spelled out.
    Email,
    /// A wallet or a bank account.
    Account,
    /// A name on a platform: `@name`, `u/name`, `t.me/name`, `name#1234`.
    Handle,
    /// A web address.
    Link,
    /// Degrees, a plus code, a `geo:` address.
    Coordinates,
    /// A street with a house number, or a British postcode.
    Address,
    /// A telephone number.
    Phone,
    /// A number plate.
    Plate,
    /// A hashtag.
    Hashtag,
    /// A person's name, where the words say that it is one.
    Name,
    /// A word that is in no list and is put together like none.
    RareWord,
}

impl IdentifierKind {
    /// Every kind; where two overlap, the earlier one counts.
    pub const ALL: [Self; 11] = [
        Self::Email,
        Self::Account,
        Self::Handle,
        Self::Link,
        Self::Coordinates,
        Self::Address,
        Self::Phone,
        Self::Plate,
        Self::Hashtag,
        Self::Name,
        Self::RareWord,
    ];

    /// How much a finding weighs: what names a person, a thing or a spot for certain is worth a question.
    pub const fn weight(self) -> Weight {
        match self {
            Self::Hashtag | Self::Name | Self::RareWord => Weight::Hint,
            _ => Weight::Certain,
        }
    }

    /// In words, for a message.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Email => "an e-mail address",
            Self::Account => "an account or wallet",
            Self::Handle => "a user name",
            Self::Link => "a web address",
            Self::Coordinates => "coordinates",
            Self::Address => "a street address",
            Self::Phone => "a telephone number",
            Self::Plate => "a number plate",
            Self::Hashtag => "a hashtag",
            Self::Name => "a name",
            Self::RareWord => "a rare word",
        }
    }
}

/// What a finding asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The person confirms it, or it does not leave.
    Certain,
    /// The person is told.
    Hint,
}

/// Whether a finding would leave the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaches {
    /// It begins within what leaves: readers who name the topic see it, or the beginning of it.
    Readers,
    /// It lies behind what leaves, and is forgotten with the rest of the draft.
    Nobody,
}

/// One word or group of words that points at a person. It holds no word of the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: IdentifierKind,
    /// Where: bytes of the text, at boundaries of characters.
    pub range: Range<usize>,
}

impl Finding {
    /// Whether it would leave: [`CardText`] holds the first 108 bytes of a text.
    pub fn reaches(&self, text: &str) -> Reaches {
        let leaves = CardText::clipped(text).as_str().len();
        if self.range.start < leaves { Reaches::Readers } else { Reaches::Nobody }
    }

    /// Whether the person is to confirm it before `text` leaves: it is certain, and readers would see it.
    pub fn is_to_confirm(&self, text: &str) -> bool {
        self.kind.weight() == Weight::Certain && self.reaches(text) == Reaches::Readers
    }
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Finding({:?})", self.kind)
    }
}

/// Everything in `text` that points at a person, in its order, no two overlapping.
pub fn find(text: &str) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for kind in IdentifierKind::ALL {
        for range in ranges(kind, text) {
            let free = found.iter().all(|other| range.end <= other.range.start || other.range.end <= range.start);
            if free && !range.is_empty() {
                found.push(Finding { kind, range });
            }
        }
    }
    found.sort_by_key(|finding| finding.range.start);
    found
}

/// The first finding of each kind, in the order of the text: of its kind it reaches furthest.
pub fn first_of_each_kind(text: &str) -> Vec<Finding> {
    let mut first: Vec<Finding> = Vec::new();
    for finding in find(text) {
        if first.iter().all(|known| known.kind != finding.kind) {
            first.push(finding);
        }
    }
    first
}

/// The text without what is of that kind, to be suggested; `None` if nothing would be left.
pub fn suggestion(text: &str, kind: IdentifierKind) -> Option<String> {
    Some(without(text, kind)).filter(|left| !left.trim().is_empty())
}

/// A text as it would be released, in so far as a finding could hide in what is left out: control characters go.
pub fn released_form(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').collect()
}

fn ranges(kind: IdentifierKind, text: &str) -> Vec<Range<usize>> {
    match kind {
        IdentifierKind::Phone => phone::find(text),
        IdentifierKind::Name => names::find(text),
        IdentifierKind::RareWord => rare::find(text),
        other => shapes::find(other, text),
    }
}
