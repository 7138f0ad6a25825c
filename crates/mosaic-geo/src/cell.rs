use std::fmt;

use h3o::CellIndex;
use mosaic_types::LatLng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{distance_m, sphere::UnitVector};

/// The H3 resolutions MOSAIC uses: 6 (zones), 7, 8 (discovery) and 9 (the place index, L3-33).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Resolution {
    /// About 36 km² a cell.
    R6,
    /// About 5.2 km² a cell.
    R7,
    /// About 0.74 km² a cell.
    R8,
    /// About 0.11 km² a cell.
    R9,
}

/// A number that is no resolution of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a resolution lies between 6 and 9")]
pub struct InvalidResolution;

impl Resolution {
    /// All four, coarse to fine.
    pub const ALL: [Self; 4] = [Self::R6, Self::R7, Self::R8, Self::R9];

    /// The H3 number, 6 to 9.
    pub const fn number(self) -> u8 {
        self as u8 + 6
    }

    /// The resolution with that H3 number.
    ///
    /// # Errors
    /// [`InvalidResolution`] outside `6..=9`.
    pub fn from_number(number: u8) -> Result<Self, InvalidResolution> {
        Self::ALL.into_iter().find(|resolution| resolution.number() == number).ok_or(InvalidResolution)
    }

    const fn h3(self) -> h3o::Resolution {
        match self {
            Self::R6 => h3o::Resolution::Six,
            Self::R7 => h3o::Resolution::Seven,
            Self::R8 => h3o::Resolution::Eight,
            Self::R9 => h3o::Resolution::Nine,
        }
    }
}

impl TryFrom<u8> for Resolution {
    type Error = InvalidResolution;

    fn try_from(number: u8) -> Result<Self, InvalidResolution> {
        Self::from_number(number)
    }
}

impl From<Resolution> for u8 {
    fn from(resolution: Resolution) -> Self {
        resolution.number()
    }
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.number())
    }
}

/// A hexagon (twelve times per resolution: a pentagon) of the H3 grid, resolution 6 to 9. Ordered as its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Cell(CellIndex);

/// A number that is no cell of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the number is no H3 cell of resolution 6 to 9")]
pub struct InvalidCell;

impl Cell {
    /// The cell a position lies in.
    pub fn at(position: LatLng, resolution: Resolution) -> Self {
        Self(to_h3(position).to_cell(resolution.h3()))
    }

    /// From its H3 number.
    ///
    /// # Errors
    /// [`InvalidCell`] when the number is no valid H3 cell or its resolution is not 6 to 9.
    pub fn from_raw(raw: u64) -> Result<Self, InvalidCell> {
        let cell = CellIndex::try_from(raw).map_err(|_| InvalidCell)?;
        Resolution::from_number(u8::from(cell.resolution())).map_err(|_| InvalidCell)?;
        Ok(Self(cell))
    }

    /// The H3 number.
    pub fn raw(self) -> u64 {
        self.0.into()
    }

    /// How fine the cell is.
    pub fn resolution(self) -> Resolution {
        Resolution::from_number(u8::from(self.0.resolution())).unwrap_or(Resolution::R9)
    }

    /// The cell of a coarser (or the same) resolution above this one; `None` for a finer one. Cells do not nest
    /// exactly: near an edge, a position may lie in a neighbour of the parent.
    pub fn parent(self, resolution: Resolution) -> Option<Self> {
        self.0.parent(resolution.h3()).map(Self)
    }

    /// The middle of the cell.
    pub fn center(self) -> LatLng {
        from_h3(h3o::LatLng::from(self.0))
    }

    /// The corners, counter-clockwise; edges are great-circle arcs.
    pub fn corners(self) -> Vec<LatLng> {
        self.0.boundary().iter().copied().map(from_h3).collect()
    }

    /// The cells at most `k` steps away, this one included, sorted. There are `1 + 3k(k+1)` of them, fewer around a
    /// pentagon.
    pub fn disk(self, k: u32) -> Vec<Self> {
        let mut cells: Vec<Self> = self.0.grid_disk_safe(k).map(Self).collect();
        cells.sort_unstable();
        cells
    }

    /// Whether the position lies in this cell.
    pub fn contains(self, position: LatLng) -> bool {
        Self::at(position, self.resolution()) == self
    }

    /// Metres from `position` to the nearest point of the cell; zero inside.
    pub fn distance_m(self, position: LatLng) -> f64 {
        if self.contains(position) {
            return 0.0;
        }
        let (from, corners) = (UnitVector::from(position), self.corners());
        let vectors: Vec<UnitVector> = corners.into_iter().map(UnitVector::from).collect();
        let next = vectors.iter().cycle().skip(1);
        let angle = vectors.iter().zip(next).map(|(&a, &b)| from.angle_to_arc(a, b)).fold(f64::INFINITY, f64::min);
        angle * crate::EARTH_RADIUS_M
    }

    /// Metres from the middle to the farthest corner: how far off a position known only by its cell may be.
    pub fn uncertainty_m(self) -> f64 {
        let center = self.center();
        self.corners().into_iter().map(|corner| distance_m(center, corner)).fold(0.0, f64::max)
    }
}

impl TryFrom<u64> for Cell {
    type Error = InvalidCell;

    fn try_from(raw: u64) -> Result<Self, InvalidCell> {
        Self::from_raw(raw)
    }
}

impl From<Cell> for u64 {
    fn from(cell: Cell) -> Self {
        cell.raw()
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cell({})", self.0)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn to_h3(position: LatLng) -> h3o::LatLng {
    // A `LatLng` is finite, which is all that h3o asks for.
    h3o::LatLng::new(position.lat(), position.lng()).unwrap_or_default()
}

fn from_h3(position: h3o::LatLng) -> LatLng {
    LatLng::wrapped(position.lat(), position.lng())
}
