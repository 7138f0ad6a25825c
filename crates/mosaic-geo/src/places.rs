//! The place index: public places, where they are and what kind they are (L3-33). Built from an OpenStreetMap extract,
//! from a trace's own stops, or generated; kept in a compact file that names its source, licence and date (L3-36) and is
//! used where it lies, mapped into memory or read (`docs/book/places.md`).

use std::{fmt, ops::Range, sync::Arc};

use mosaic_types::LatLng;

use crate::{Cell, Resolution};

mod boxes;
mod build;
mod degrees;
mod join;
mod kind;
mod layout;
mod open;
mod osm;
mod provenance;
mod search;
mod view;

pub(crate) use kind::Rhythm;
pub use kind::{Category, PlaceKind, PlaceTag};
pub use open::DecodePlacesError;
pub use osm::OsmError;
pub use provenance::Provenance;
pub use view::{PlaceRef, Places};

use layout::{Layout, u32_at, u64_at};
use search::Search;

/// A public place, as it is put into an index; what comes out is a [`PlaceRef`].
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Where it is, to 1e-7 degrees (about a centimetre).
    pub position: LatLng,
    /// What it is.
    pub kind: PlaceKind,
    /// Its name; empty when it has none.
    pub name: String,
    /// Its opening hours in the notation of OpenStreetMap, where known.
    pub hours: Option<String>,
}

/// The smallest box around all places. It crosses the antimeridian when `west > east`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Southernmost latitude in degrees.
    pub south: f64,
    /// Westernmost longitude in degrees.
    pub west: f64,
    /// Northernmost latitude in degrees.
    pub north: f64,
    /// Easternmost longitude in degrees.
    pub east: f64,
}

/// Places, found by position and by cell. Immutable and cheap to clone: clones share the bytes. A million places take
/// about 45 bytes each and their names; of a mapped file, only what is looked at need be in memory.
#[derive(Clone)]
pub struct PlaceIndex {
    bytes: Arc<dyn AsRef<[u8]> + Send + Sync>,
    layout: Arc<Layout>,
    kinds: Arc<[PlaceKind]>,
    provenance: Provenance,
}

impl PlaceIndex {
    /// The most places an index may hold: what 1 GB of memory is meant for (L3-47).
    pub const MAX_PLACES: usize = 4_000_000;

    fn assembled(
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
        layout: Layout,
        kinds: Vec<PlaceKind>,
        provenance: Provenance,
    ) -> Self {
        Self { bytes: Arc::new(bytes), layout: Arc::new(layout), kinds: kinds.into(), provenance }
    }

    /// The index as a file, see [`Self::open`].
    pub fn as_bytes(&self) -> &[u8] {
        (*self.bytes).as_ref()
    }

    /// The index as a file of its own.
    pub fn encode(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    /// The file's checksum: with the date of the data, the stamp of this version (L3-36).
    pub fn checksum(&self) -> u32 {
        u32_at(self.as_bytes(), layout::CHECKED_FROM / 4 - 1).unwrap_or_default()
    }

    fn section(&self, range: &Range<usize>) -> &[u8] {
        self.as_bytes().get(range.clone()).unwrap_or_default()
    }

    /// Every place, in the order of their cells.
    pub fn all(&self) -> Places<'_> {
        Places::new(self, 0..self.len())
    }

    /// The place with that number; numbers follow the cells and are this index's own.
    pub fn get(&self, number: usize) -> Option<PlaceRef<'_>> {
        PlaceRef::new(self, number)
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.layout.counts.places
    }

    /// Whether there is no place at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the places came from, and when.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The `k` nearest places with their distance in metres, nearest first.
    pub fn nearest(&self, position: LatLng, k: usize) -> Vec<(PlaceRef<'_>, f64)> {
        self.nearest_where(position, k, |_| true)
    }

    /// The `k` nearest of the places that `keep` wants, with their distance in metres, nearest first.
    pub fn nearest_where<'a>(
        &'a self,
        position: LatLng,
        k: usize,
        keep: impl FnMut(PlaceRef<'a>) -> bool,
    ) -> Vec<(PlaceRef<'a>, f64)> {
        Search::new(self, position, k, f64::INFINITY, keep).run()
    }

    /// The places at most `radius_m` metres away with their distance, nearest first.
    pub fn within(&self, position: LatLng, radius_m: f64) -> Vec<(PlaceRef<'_>, f64)> {
        Search::new(self, position, usize::MAX, radius_m, |_| true).run()
    }

    /// The places at least `from_m` and at most `to_m` metres away with their distance, nearest first.
    pub fn in_ring(&self, position: LatLng, from_m: f64, to_m: f64) -> Vec<(PlaceRef<'_>, f64)> {
        let mut found = self.within(position, to_m);
        let inside = found.partition_point(|(_, metres)| *metres < from_m);
        found.split_off(inside)
    }

    /// The places in a cell (by the cells' exact hierarchy below it).
    pub fn in_cell(&self, cell: Cell) -> Places<'_> {
        let (resolution, cells) = (cell.resolution(), self.section(&self.layout.cells));
        // At the index's own resolution numbers compare like cells, and need not be taken apart.
        let above = |raw: u64| {
            if resolution == Resolution::R9 {
                return raw;
            }
            Cell::from_raw(raw).ok().and_then(|fine| fine.parent(resolution)).map_or(u64::MAX, Cell::raw)
        };
        let first = |enough: &dyn Fn(u64) -> bool| {
            let (mut low, mut high) = (0, self.layout.counts.cells);
            while low < high {
                let middle = low.midpoint(high);
                if u64_at(cells, middle).is_none_or(|raw| enough(above(raw))) {
                    high = middle
                } else {
                    low = middle + 1
                }
            }
            self.start(low)
        };
        Places::new(self, first(&|found| found >= cell.raw())..first(&|found| found > cell.raw()))
    }

    /// The cells that hold at least one place, sorted, with how many: those a place's r9 cell lies under.
    pub fn cells(&self, resolution: Resolution) -> Vec<(Cell, u32)> {
        let mut counts: Vec<(Cell, u32)> = Vec::new();
        for number in 0..self.layout.counts.cells {
            let Some(cell) = self.cell(number).and_then(|fine| fine.parent(resolution)) else { continue };
            let here = u32::try_from(self.start(number + 1).saturating_sub(self.start(number))).unwrap_or(u32::MAX);
            match counts.last_mut() {
                Some((last, count)) if *last == cell => *count += here,
                _ => counts.push((cell, here)),
            }
        }
        counts
    }

    /// The `number`th occupied r9 cell.
    fn cell(&self, number: usize) -> Option<Cell> {
        Cell::from_raw(u64_at(self.section(&self.layout.cells), number)?).ok()
    }

    /// The first place of the `number`th occupied cell; beyond the last, the number of places.
    fn start(&self, number: usize) -> usize {
        u32_at(self.section(&self.layout.starts), number).map_or(self.len(), |start| start as usize)
    }

    /// The smallest box around all places; `None` without places.
    pub fn bounds(&self) -> Option<Bounds> {
        let lats = || self.all().iter().map(|place| place.position.lat());
        let (south, north) = (lats().reduce(f64::min)?, lats().reduce(f64::max)?);
        let mut lngs: Vec<f64> = self.all().iter().map(|place| place.position.lng()).collect();
        lngs.sort_by(f64::total_cmp);
        let (mut west, mut east) = (*lngs.first()?, *lngs.last()?);
        // The box is what remains when the widest empty stretch of longitude is left out.
        let mut widest = west + 360.0 - east;
        for pair in lngs.windows(2) {
            if let [a, b] = pair
                && b - a > widest
            {
                (widest, east, west) = (b - a, *a, *b);
            }
        }
        Some(Bounds { south, west, north, east })
    }

    /// The mean position of all places, where a map would open; `None` without places.
    pub fn center(&self) -> Option<LatLng> {
        crate::sphere::centroid(self.all().iter().map(|place| place.position))
    }
}

impl fmt::Debug for PlaceIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlaceIndex").field("places", &self.len()).field("provenance", &self.provenance).finish()
    }
}
