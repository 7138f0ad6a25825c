use std::{fmt, ops::Range};

use mosaic_types::LatLng;

use super::{
    Place, PlaceIndex, PlaceKind,
    layout::{u16_at, u32_at},
    open::{e7_at, span},
};
use crate::{Cell, Resolution};

/// A place inside an index: its text is looked up when it is asked for.
#[derive(Clone, Copy)]
pub struct PlaceRef<'a> {
    index: &'a PlaceIndex,
    pub(super) number: u32,
    /// Where it is, to 1e-7 degrees (about a centimetre).
    pub position: LatLng,
    /// What it is.
    pub kind: &'a PlaceKind,
}

impl<'a> PlaceRef<'a> {
    pub(super) fn new(index: &'a PlaceIndex, number: usize) -> Option<Self> {
        let position = e7_at(index.section(&index.layout.positions), number)?.position();
        let kind = index.kinds.get(usize::from(u16_at(index.section(&index.layout.kind_of), number)?))?;
        Some(Self { index, number: u32::try_from(number).ok()?, position, kind })
    }

    /// Its number in the index.
    pub const fn number(self) -> u32 {
        self.number
    }

    /// Its name; empty when it has none.
    pub fn name(self) -> &'a str {
        self.text(&self.index.layout.names)
    }

    /// Its opening hours in the notation of OpenStreetMap, where known.
    pub fn hours(self) -> Option<&'a str> {
        Some(self.text(&self.index.layout.hours)).filter(|hours| !hours.is_empty())
    }

    /// The number of the text that its opening hours are, 0 where unknown: equal texts have equal numbers.
    pub(crate) fn hours_number(self) -> u32 {
        u32_at(self.index.section(&self.index.layout.hours), self.number as usize).unwrap_or_default()
    }

    /// The r9 cell it lies in.
    pub fn cell(self) -> Cell {
        Cell::at(self.position, Resolution::R9)
    }

    /// A copy that outlives the index.
    pub fn to_place(self) -> Place {
        Place {
            position: self.position,
            kind: self.kind.clone(),
            name: self.name().to_owned(),
            hours: self.hours().map(str::to_owned),
        }
    }

    /// All texts were checked when the index was opened; were one not there any more, it would read as empty.
    fn text(self, column: &Range<usize>) -> &'a str {
        let index = self.index;
        let found = u32_at(index.section(column), self.number as usize)
            .and_then(|string| span(index.section(&index.layout.ends), string))
            .and_then(|span| index.section(&index.layout.text).get(span));
        found.and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl PartialEq for PlaceRef<'_> {
    /// Equal places, of the same index or of two.
    fn eq(&self, other: &Self) -> bool {
        (self.position, self.kind) == (other.position, other.kind)
            && (self.name(), self.hours()) == (other.name(), other.hours())
    }
}

impl fmt::Debug for PlaceRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_place().fmt(f)
    }
}

/// A run of places of an index.
#[derive(Clone)]
pub struct Places<'a> {
    index: &'a PlaceIndex,
    range: Range<usize>,
}

impl<'a> Places<'a> {
    pub(super) const fn new(index: &'a PlaceIndex, range: Range<usize>) -> Self {
        Self { index, range }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// The `at`th of them.
    pub fn get(&self, at: usize) -> Option<PlaceRef<'a>> {
        self.range.clone().nth(at).and_then(|number| self.index.get(number))
    }

    /// The first of them.
    pub fn first(&self) -> Option<PlaceRef<'a>> {
        self.get(0)
    }

    /// All of them in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = PlaceRef<'a>> + Clone + use<'a> {
        let index = self.index;
        self.range.clone().filter_map(move |number| index.get(number))
    }
}

impl PartialEq for Places<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Places<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
