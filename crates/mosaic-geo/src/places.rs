//! The place index: public places, where they are and what kind they are (L3-33). Built from an OpenStreetMap extract,
//! from a trace's own stops, or generated; kept in a compact file that names its source, licence and date (L3-36).

use std::fmt;

use mosaic_types::{LatLng, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Cell, Resolution};

mod codec;
mod kind;
mod osm;
mod tree;

pub use codec::DecodePlacesError;
pub use kind::{Category, PlaceKind, PlaceTag};
pub use osm::OsmError;

pub(crate) use tree::Tree;

/// A public place.
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

/// Where an index came from, under which licence, and how old it is. Travels with every copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Whom to name and which licence holds, to be shown wherever places are.
    pub attribution: String,
    /// The date of the data; `None` where nothing tells it.
    pub as_of: Option<Timestamp>,
}

impl Provenance {
    /// What has to be said about OpenStreetMap data, derived databases included.
    pub const OPENSTREETMAP: &'static str = "© OpenStreetMap contributors, Open Database License (ODbL) 1.0";

    /// Names a source.
    pub fn new(attribution: impl Into<String>, as_of: Option<Timestamp>) -> Self {
        Self { attribution: attribution.into(), as_of }
    }

    /// OpenStreetMap data of that date.
    pub fn openstreetmap(as_of: Option<Timestamp>) -> Self {
        Self::new(Self::OPENSTREETMAP, as_of)
    }
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

/// Places, found by position and by cell. Immutable; share it in an `Arc`.
#[derive(Clone)]
pub struct PlaceIndex {
    places: Vec<Place>,
    fine: Vec<Cell>,
    occupied: [Vec<(Cell, u32)>; 4],
    tree: Tree,
    provenance: Provenance,
}

impl PlaceIndex {
    /// The most places an index may hold: what 1 GB of memory is meant for (L3-47).
    pub const MAX_PLACES: usize = 4_000_000;

    /// Builds an index. Positions are rounded to 1e-7 degrees; places are ordered by cell. What exceeds
    /// [`Self::MAX_PLACES`] is left out.
    pub fn from_places(mut places: Vec<Place>, provenance: Provenance) -> Self {
        places.truncate(Self::MAX_PLACES);
        for place in &mut places {
            place.position = codec::round(place.position);
        }
        let mut keyed: Vec<(Cell, Place)> =
            places.into_iter().map(|place| (Cell::at(place.position, Resolution::R9), place)).collect();
        keyed.sort_by(|(cell_a, a), (cell_b, b)| cell_a.cmp(cell_b).then_with(|| order(a, b)));
        let (fine, places): (Vec<Cell>, Vec<Place>) = keyed.into_iter().unzip();
        let occupied = Resolution::ALL.map(|resolution| occupied(&fine, resolution));
        let tree = Tree::new(places.iter().map(|place| place.position));
        Self { places, fine, occupied, tree, provenance }
    }

    /// Every place, in the order of their cells.
    pub fn all(&self) -> &[Place] {
        &self.places
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is no place at all.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Where the places came from, and when.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The `k` nearest places with their distance in metres, nearest first.
    pub fn nearest(&self, position: LatLng, k: usize) -> Vec<(&Place, f64)> {
        self.lend(self.tree.nearest(position, k))
    }

    /// The places at most `radius_m` metres away with their distance, nearest first.
    pub fn within(&self, position: LatLng, radius_m: f64) -> Vec<(&Place, f64)> {
        self.lend(self.tree.within(position, radius_m))
    }

    fn lend(&self, found: Vec<(u32, f64)>) -> Vec<(&Place, f64)> {
        found.into_iter().filter_map(|(at, metres)| Some((self.places.get(at as usize)?, metres))).collect()
    }

    /// The places in a cell (by the cells' exact hierarchy below it).
    pub fn in_cell(&self, cell: Cell) -> &[Place] {
        let above = |fine: &Cell| fine.parent(cell.resolution()).unwrap_or(*fine);
        let start = self.fine.partition_point(|fine| above(fine) < cell);
        let end = self.fine.partition_point(|fine| above(fine) <= cell);
        self.places.get(start..end).unwrap_or_default()
    }

    /// The cells that hold at least one place, sorted, with how many: those a place's r9 cell lies under.
    pub fn cells(&self, resolution: Resolution) -> &[(Cell, u32)] {
        let [six, seven, eight, nine] = &self.occupied;
        match resolution {
            Resolution::R6 => six,
            Resolution::R7 => seven,
            Resolution::R8 => eight,
            Resolution::R9 => nine,
        }
    }

    /// The smallest box around all places; `None` without places.
    pub fn bounds(&self) -> Option<Bounds> {
        let lats = || self.places.iter().map(|place| place.position.lat());
        let (south, north) = (lats().reduce(f64::min)?, lats().reduce(f64::max)?);
        let mut lngs: Vec<f64> = self.places.iter().map(|place| place.position.lng()).collect();
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
        crate::sphere::centroid(self.places.iter().map(|place| place.position))
    }
}

impl fmt::Debug for PlaceIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlaceIndex").field("places", &self.len()).field("provenance", &self.provenance).finish()
    }
}

/// A total order without ties between different places, so that equal input gives equal bytes.
fn order(a: &Place, b: &Place) -> std::cmp::Ordering {
    let key = |place: &Place| codec::to_e7(place.position);
    key(a)
        .cmp(&key(b))
        .then_with(|| a.kind.cmp(&b.kind))
        .then_with(|| a.name.cmp(&b.name))
        .then_with(|| a.hours.cmp(&b.hours))
}

fn occupied(fine: &[Cell], resolution: Resolution) -> Vec<(Cell, u32)> {
    let mut counts: Vec<(Cell, u32)> = Vec::new();
    for cell in fine.iter().filter_map(|cell| cell.parent(resolution)) {
        match counts.last_mut() {
            Some((last, count)) if *last == cell => *count += 1,
            _ => counts.push((cell, 1)),
        }
    }
    counts
}
