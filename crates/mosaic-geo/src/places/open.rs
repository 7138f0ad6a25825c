use std::ops::Range;

use flate2::Crc;
use mosaic_types::Timestamp;
use thiserror::Error;

use super::{
    PlaceIndex, PlaceKind, PlaceTag, Provenance,
    boxes::{GeoBox, boxes_over},
    degrees::E7,
    layout::{CHECKED_FROM, Counts, HEADER, Layout, MAGIC, NO_DATE, VERSION, i32_at, u16_at, u32_at, u64_at},
};
use crate::{Cell, Resolution};

/// Why some bytes are no places file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodePlacesError {
    /// The file starts differently.
    #[error("this is no places file; make one with `mosaic places build`")]
    NotPlaces,
    /// Written by an earlier or a later version.
    #[error("the places file has version {found}, this program reads version 2; build the file again")]
    Version {
        /// The version in the file.
        found: u8,
    },
    /// Cut short, damaged or larger than allowed.
    #[error("the places file is damaged or cut short; build it again")]
    Damaged,
    /// A place has a value it cannot have.
    #[error("place {index} of the places file has an impossible value; build the file again")]
    Impossible {
        /// Which place, counted from zero.
        index: usize,
    },
}

use DecodePlacesError::{Damaged, Impossible};

impl PlaceIndex {
    /// Uses a places file in place: the bytes may be a file that the caller mapped into memory. Everything is checked
    /// once, in one pass (tens of milliseconds for a million places): checksum, order of the cells, every position,
    /// number, text and box, so that no search can read beyond or answer wrongly about distances. That a place lies in
    /// the cell it is listed under is what the checksum vouches for; it finds damage, not malice.
    ///
    /// # Errors
    /// [`DecodePlacesError`] for anything else, whatever it is.
    pub fn open(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Self, DecodePlacesError> {
        let whole = bytes.as_ref();
        let layout = layout_of(whole)?;
        check_sum(whole)?;
        let section = |range: &Range<usize>| whole.get(range.clone()).unwrap_or_default();
        check_cells(section(&layout.cells), section(&layout.starts), layout.counts)?;
        check_positions(section(&layout.positions), section(&layout.boxes), layout.counts.places)?;
        let text = str::from_utf8(section(&layout.text)).map_err(|_| Damaged)?;
        check_strings(text, section(&layout.ends), layout.counts)?;
        check_places(&layout, whole)?;
        let kinds = read_kinds(text, section(&layout.ends), section(&layout.kinds), layout.counts.kinds)?;
        let attribution = str::from_utf8(section(&layout.attribution)).map_err(|_| Damaged)?;
        let as_of = u64_at(whole, CHECKED_FROM / 8).filter(|&millis| millis != NO_DATE).map(Timestamp::from_millis);
        let provenance = Provenance::new(attribution, as_of);
        Ok(Self::assembled(bytes, layout, kinds, provenance))
    }

    /// Reads a places file from a copy of its bytes, see [`Self::open`].
    ///
    /// # Errors
    /// [`DecodePlacesError`] for anything else, whatever it is.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodePlacesError> {
        // Refused before anything is copied.
        layout_of(bytes)?;
        Self::open(bytes.to_vec())
    }
}

/// The sections that the header announces, if the file is exactly as long as they are.
fn layout_of(whole: &[u8]) -> Result<Layout, DecodePlacesError> {
    let rest = whole.strip_prefix(&MAGIC).ok_or(DecodePlacesError::NotPlaces)?;
    match rest.first() {
        Some(&VERSION) => {}
        Some(&found) => return Err(DecodePlacesError::Version { found }),
        None => return Err(Damaged),
    }
    let header = whole.get(..HEADER).ok_or(Damaged)?;
    let count =
        |number: usize| u32_at(header, CHECKED_FROM / 4 + 2 + number).map(|count| count as usize).ok_or(Damaged);
    let counts = Counts {
        places: count(0)?,
        cells: count(1)?,
        kinds: count(2)?,
        strings: count(3)?,
        text: count(4)?,
        attribution: count(5)?,
    };
    let zeros = [header.get(9..12), header.get(CHECKED_FROM + 32..)];
    let spare = zeros.into_iter().flatten().flatten().all(|&byte| byte == 0);
    let layout = Layout::of(counts);
    let bounded = counts.places <= PlaceIndex::MAX_PLACES && counts.cells <= counts.places;
    if spare && bounded && layout.len() == whole.len() { Ok(layout) } else { Err(Damaged) }
}

fn check_sum(whole: &[u8]) -> Result<(), DecodePlacesError> {
    let mut crc = Crc::new();
    crc.update(whole.get(CHECKED_FROM..).ok_or(Damaged)?);
    if u32_at(whole, CHECKED_FROM / 4 - 1) == Some(crc.sum()) { Ok(()) } else { Err(Damaged) }
}

/// Cells of resolution 9 in ascending order, whose places begin at 0 and follow each other.
fn check_cells(cells: &[u8], starts: &[u8], counts: Counts) -> Result<(), DecodePlacesError> {
    let (mut last, mut begin) = (None, None);
    for number in 0..counts.cells {
        let cell = u64_at(cells, number).and_then(|raw| Cell::from_raw(raw).ok()).ok_or(Damaged)?;
        let start = u32_at(starts, number).map(|start| start as usize).ok_or(Damaged)?;
        let first = if number == 0 { start == 0 } else { begin < Some(start) };
        if !first || start >= counts.places || last >= Some(cell) || cell.resolution() != Resolution::R9 {
            return Err(Damaged);
        }
        (last, begin) = (Some(cell), Some(start));
    }
    if counts.cells == 0 && counts.places > 0 { Err(Damaged) } else { Ok(()) }
}

/// Positions on the globe, and the boxes that exactly they give.
fn check_positions(positions: &[u8], boxes: &[u8], count: usize) -> Result<(), DecodePlacesError> {
    let mut points = Vec::with_capacity(count);
    for index in 0..count {
        points.push(e7_at(positions, index).ok_or(Impossible { index })?);
    }
    let fits = boxes_over(&points).enumerate().all(|(number, area)| GeoBox::read(boxes, number) == Some(area));
    if fits { Ok(()) } else { Err(Damaged) }
}

/// The `index`th position.
pub(super) fn e7_at(positions: &[u8], index: usize) -> Option<E7> {
    E7::new(i32_at(positions, 2 * index)?, i32_at(positions, 2 * index + 1)?)
}

/// Texts that follow each other and end between letters, the first of them empty.
fn check_strings(text: &str, ends: &[u8], counts: Counts) -> Result<(), DecodePlacesError> {
    let mut last = 0;
    for number in 0..counts.strings {
        let end = u32_at(ends, number).ok_or(Damaged)? as usize;
        if end < last || !text.is_char_boundary(end) || (number == 0 && end != 0) {
            return Err(Damaged);
        }
        last = end;
    }
    if counts.strings == 0 || last != text.len() { Err(Damaged) } else { Ok(()) }
}

/// Every place names a kind and texts that there are.
fn check_places(layout: &Layout, whole: &[u8]) -> Result<(), DecodePlacesError> {
    let section = |range: &Range<usize>| whole.get(range.clone()).unwrap_or_default();
    let (names, hours, kind_of) = (section(&layout.names), section(&layout.hours), section(&layout.kind_of));
    let known = |number: Option<u32>| number.is_some_and(|number| (number as usize) < layout.counts.strings);
    for index in 0..layout.counts.places {
        let kind = u16_at(kind_of, index).is_some_and(|kind| usize::from(kind) < layout.counts.kinds);
        if !kind || !known(u32_at(names, index)) || !known(u32_at(hours, index)) {
            return Err(Impossible { index });
        }
    }
    Ok(())
}

fn read_kinds(text: &str, ends: &[u8], kinds: &[u8], count: usize) -> Result<Vec<PlaceKind>, DecodePlacesError> {
    let kind = |number: usize| {
        let tag = PlaceTag::ALL.get(u32_at(kinds, 2 * number)? as usize)?;
        let value = u32_at(kinds, 2 * number + 1).and_then(|string| text.get(span(ends, string)?))?;
        Some(PlaceKind::new(*tag, value))
    };
    (0..count).map(|number| kind(number).ok_or(Damaged)).collect()
}

/// Where in the text a string lies.
pub(super) fn span(ends: &[u8], string: u32) -> Option<Range<usize>> {
    let number = string as usize;
    let start = number.checked_sub(1).map_or(Some(0), |before| u32_at(ends, before))?;
    Some(start as usize..u32_at(ends, number)? as usize)
}
