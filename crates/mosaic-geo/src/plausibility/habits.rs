use mosaic_types::LatLng;

use super::score;
use crate::{PlaceKind, places::Rhythm};

/// When a kind of place is busy and when it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourTable {
    /// Bit `h` is the hour from `h:00`.
    peak: u32,
    low: u32,
}

impl HourTable {
    /// From lists of hours, 0 to 23.
    pub const fn new(peak: &[u8], low: &[u8]) -> Self {
        Self { peak: bits(peak), low: bits(low) }
    }

    /// 0.9 at a peak, 0.2 when low, 0.5 otherwise (L3-39).
    pub const fn score(self, hour: u8) -> f64 {
        let bit = 1_u32.unbounded_shl(hour as u32);
        if self.peak & bit != 0 {
            score::PEAK
        } else if self.low & bit != 0 {
            score::LOW
        } else {
            score::OTHERWISE
        }
    }
}

const fn bits(hours: &[u8]) -> u32 {
    let (mut bits, mut at) = (0, 0);
    while at < hours.len() {
        bits |= 1_u32.unbounded_shl(hours[at] as u32);
        at += 1;
    }
    bits
}

/// The tables of one region (L3-49). Kinds that are not named score 0.5 at every hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourTables {
    /// Cafés.
    pub cafe: HourTable,
    /// Bars and pubs.
    pub bar: HourTable,
    /// Restaurants.
    pub restaurant: HourTable,
}

impl HourTables {
    /// Where nothing else is known (L3-40).
    pub const DEFAULT: Self = Self {
        cafe: HourTable::new(&[7, 8, 9, 14, 15], &[1, 2, 3, 4, 5, 22, 23]),
        bar: HourTable::new(&[20, 21, 22, 23, 0, 1], &[6, 7, 8, 9, 10]),
        restaurant: HourTable::new(&[12, 13, 18, 19, 20], &[3, 4, 5, 6]),
    };

    /// Late lunch, late dinner, later bars.
    pub const IBERIA: Self = Self {
        bar: HourTable::new(&[21, 22, 23, 0, 1, 2], &[6, 7, 8, 9, 10]),
        restaurant: HourTable::new(&[13, 14, 15, 20, 21, 22], &[3, 4, 5, 6, 7, 8]),
        ..Self::DEFAULT
    };

    /// Early lunch and dinner.
    pub const NORDIC: Self =
        Self { restaurant: HourTable::new(&[11, 12, 17, 18, 19], &[1, 2, 3, 4, 5, 6]), ..Self::DEFAULT };

    /// The tables for a position, by rough boxes around the regions.
    pub fn at(position: LatLng) -> Self {
        let inside = |south: f64, north: f64, west: f64, east: f64| {
            (south..=north).contains(&position.lat()) && (west..=east).contains(&position.lng())
        };
        if inside(36.0, 43.8, -9.6, 3.4) {
            Self::IBERIA
        } else if inside(54.5, 71.5, 4.0, 31.6) {
            Self::NORDIC
        } else {
            Self::DEFAULT
        }
    }

    /// What the kind's table says about an hour.
    pub fn score(&self, kind: &PlaceKind, hour: u8) -> f64 {
        match kind.rhythm() {
            Rhythm::Cafe => self.cafe.score(hour),
            Rhythm::Bar => self.bar.score(hour),
            Rhythm::Restaurant => self.restaurant.score(hour),
            Rhythm::Unknown => score::OTHERWISE,
        }
    }
}
