//! The open index: who is near here now, of positions that lie in clear.
//!
//! This is what a proximity service without MOSAIC runs, and what a gateway (DESIGN section 2) would hold for the people
//! who gave it their positions: **whoever runs it reads every position in it.** No agent and no provider uses it. It is here as
//! the measure of what blindness costs, and answers exactly: equal to looking at everybody, at the poles, across the
//! antimeridian and for any distance.
//!
//! The sphere is cut into rows of equal latitude and those into columns, all about as long as wide, so that there are fewer
//! columns near the poles and a circle meets a handful of squares everywhere. Sixteen columns of a row lie together. Positions
//! are unit vectors: a distance is compared as a squared chord, without trigonometry.

mod grid;
mod query;

use std::collections::{BTreeSet, HashMap};

use mosaic_types::{LatLng, Timestamp};
use thiserror::Error;

use crate::sphere::UnitVector;
use grid::{Grid, SPAN, Square};

/// Somebody, somewhere, for some time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// Names the entry; one that comes again replaces the one before.
    pub id: u64,
    /// Where.
    pub position: LatLng,
    /// From when on it is found.
    pub from: Timestamp,
    /// Until when; not at that moment any more.
    pub until: Timestamp,
}

/// An entry that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    /// Its name.
    pub id: u64,
    /// How far away, in metres.
    pub metres: f64,
}

/// An index cannot be made of such squares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the side of a square lies between 10 m and 100 km")]
pub struct InvalidSide;

/// An entry that ends before it begins is never found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an entry must end after it begins")]
pub struct EmptyWindow;

/// An entry as it lies in its square.
#[derive(Clone, Copy, Debug)]
struct Spot {
    vector: UnitVector,
    id: u64,
    from: Timestamp,
    until: Timestamp,
}

/// Sixteen squares beside each other.
type Block = [Vec<Spot>; SPAN];

/// Positions with time windows, found by distance.
#[derive(Clone, Debug)]
pub struct OpenIndex {
    grid: Grid,
    blocks: HashMap<u64, Block>,
    /// Each entry and its square.
    places: HashMap<u64, (Square, Entry)>,
    /// Who ends when.
    ends: BTreeSet<(Timestamp, u64)>,
}

impl OpenIndex {
    /// An empty index of squares with this side, in metres. A fifth of the usual reach is a good one.
    ///
    /// # Errors
    /// [`InvalidSide`] unless it lies between 10 m and 100 km.
    pub fn new(side_m: f64) -> Result<Self, InvalidSide> {
        let grid = Grid::new(side_m).ok_or(InvalidSide)?;
        Ok(Self { grid, blocks: HashMap::new(), places: HashMap::new(), ends: BTreeSet::new() })
    }

    /// How many entries there are, ended ones that [`Self::expire`] has not taken yet included.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The entry of that name.
    pub fn get(&self, id: u64) -> Option<&Entry> {
        self.places.get(&id).map(|(_, entry)| entry)
    }

    /// Adds an entry, in the place of one with the same name.
    ///
    /// # Errors
    /// [`EmptyWindow`]; nothing was changed then.
    pub fn insert(&mut self, entry: Entry) -> Result<(), EmptyWindow> {
        if entry.until <= entry.from {
            return Err(EmptyWindow);
        }
        self.remove(entry.id);
        let square = self.grid.square(entry.position);
        let Entry { id, position, from, until } = entry;
        let spot = Spot { vector: UnitVector::from(position), id, from, until };
        self.blocks.entry(square.block()).or_default()[square.within()].push(spot);
        self.places.insert(id, (square, entry));
        self.ends.insert((until, id));
        Ok(())
    }

    /// Removes an entry; whether there was one.
    pub fn remove(&mut self, id: u64) -> bool {
        let Some((square, entry)) = self.places.remove(&id) else { return false };
        self.ends.remove(&(entry.until, id));
        let Some(block) = self.blocks.get_mut(&square.block()) else { return false };
        let spots = &mut block[square.within()];
        if let Some(at) = spots.iter().position(|spot| spot.id == id) {
            spots.swap_remove(at);
        }
        if block.iter().all(Vec::is_empty) {
            self.blocks.remove(&square.block());
        }
        true
    }

    /// Removes every entry that has ended by `now`; how many.
    pub fn expire(&mut self, now: Timestamp) -> usize {
        let mut gone = 0;
        while let Some(&(_, id)) = self.ends.first().filter(|(until, _)| *until <= now) {
            self.remove(id);
            gone += 1;
        }
        gone
    }
}
