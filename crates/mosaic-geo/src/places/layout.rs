//! Where everything stands in a places file, version 2 (`docs/book/places.md`). Numbers are little-endian; sections
//! follow each other without gaps, so that the counts of the header alone say where each begins.

use std::ops::Range;

/// What the file starts with.
pub(super) const MAGIC: [u8; 8] = *b"MOSAICPL";
/// The version this program writes and reads.
pub(super) const VERSION: u8 = 2;
/// The fixed part before the sections.
pub(super) const HEADER: usize = 64;
/// The checksum covers everything from here on.
pub(super) const CHECKED_FROM: usize = 16;
/// Places of one leaf, and boxes under one box.
pub(super) const FAN: usize = 8;
/// "No date" among the header's numbers.
pub(super) const NO_DATE: u64 = u64::MAX;

/// The header's counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) places: usize,
    pub(super) cells: usize,
    pub(super) kinds: usize,
    pub(super) strings: usize,
    pub(super) text: usize,
    pub(super) attribution: usize,
}

/// Where each section lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) counts: Counts,
    /// `u64` each: the occupied r9 cells, sorted.
    pub(super) cells: Range<usize>,
    /// Two `i32` each: latitude and longitude in 1e-7 degrees, in the order of the cells.
    pub(super) positions: Range<usize>,
    /// Four `i32` each: the leaves' boxes, then those above them, level by level up to a single one.
    pub(super) boxes: Range<usize>,
    /// `u32` each: the first place of each cell.
    pub(super) starts: Range<usize>,
    /// `u32` each: the string that is the place's name.
    pub(super) names: Range<usize>,
    /// `u32` each: the string that is the place's opening hours; 0, the empty string, where unknown.
    pub(super) hours: Range<usize>,
    /// Two `u32` each: a kind's tag and the string that is its value.
    pub(super) kinds: Range<usize>,
    /// `u32` each: where in the text each string ends.
    pub(super) ends: Range<usize>,
    /// `u16` each: the place's kind.
    pub(super) kind_of: Range<usize>,
    /// UTF-8: whom to name.
    pub(super) attribution: Range<usize>,
    /// UTF-8: all strings, each once.
    pub(super) text: Range<usize>,
}

impl Layout {
    /// The sections of a file with these counts. Counts are at most `u32::MAX` and sizes 64-bit, so nothing overflows.
    pub(super) fn of(counts: Counts) -> Self {
        let mut end = HEADER;
        let mut section = |count: usize, size: usize| {
            let start = end;
            end = start.saturating_add(count.saturating_mul(size));
            start..end
        };
        Self {
            counts,
            cells: section(counts.cells, 8),
            positions: section(counts.places, 8),
            boxes: section(levels(counts.places).iter().sum(), 16),
            starts: section(counts.cells, 4),
            names: section(counts.places, 4),
            hours: section(counts.places, 4),
            kinds: section(counts.kinds, 8),
            ends: section(counts.strings, 4),
            kind_of: section(counts.places, 2),
            attribution: section(counts.attribution, 1),
            text: section(counts.text, 1),
        }
    }

    /// How long the file is.
    pub(super) const fn len(&self) -> usize {
        self.text.end
    }
}

/// How many boxes each level has, leaves first; the last has one. Empty without places.
pub(super) fn levels(places: usize) -> Vec<usize> {
    let mut levels = Vec::new();
    let mut below = places;
    while below > 1 || (below == 1 && levels.is_empty()) {
        below = below.div_ceil(FAN);
        levels.push(below);
    }
    levels
}

/// The `index`th little-endian `u16` of a section.
pub(super) fn u16_at(section: &[u8], index: usize) -> Option<u16> {
    section.get(2 * index..)?.first_chunk().copied().map(u16::from_le_bytes)
}

/// The `index`th little-endian `u32` of a section.
pub(super) fn u32_at(section: &[u8], index: usize) -> Option<u32> {
    section.get(4 * index..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// The `index`th little-endian `i32` of a section.
pub(super) fn i32_at(section: &[u8], index: usize) -> Option<i32> {
    section.get(4 * index..)?.first_chunk().copied().map(i32::from_le_bytes)
}

/// The `index`th little-endian `u64` of a section.
pub(super) fn u64_at(section: &[u8], index: usize) -> Option<u64> {
    section.get(8 * index..)?.first_chunk().copied().map(u64::from_le_bytes)
}
