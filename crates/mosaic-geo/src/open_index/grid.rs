//! Squares of about equal side over the whole sphere.

use mosaic_types::LatLng;

use crate::EARTH_RADIUS_M;

/// Columns of a row that lie together.
pub(super) const SPAN: usize = 16;
const SPAN_BITS: u32 = SPAN.ilog2();

/// Rows of equal latitude; each has as many columns as its longer edge has sides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    rows: u32,
    side_m: f64,
}

/// One square.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Square {
    pub(super) row: u32,
    pub(super) column: u32,
}

impl Square {
    /// The number of its block, the same for [`SPAN`] squares of a row.
    pub(super) fn block(self) -> u64 {
        u64::from(self.row) << 32 | u64::from(self.column >> SPAN_BITS)
    }

    /// Which of its block it is.
    pub(super) const fn within(self) -> usize {
        self.column as usize % SPAN
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rows and columns of 10 m fit 32 bits")]
impl Grid {
    /// `None` unless the side lies between 10 m and 100 km.
    pub(super) fn new(side_m: f64) -> Option<Self> {
        let rows = (EARTH_RADIUS_M * std::f64::consts::PI / side_m).ceil();
        (10.0..=100_000.0).contains(&side_m).then_some(Self { rows: rows as u32, side_m })
    }

    /// The square of a position.
    pub(super) fn square(self, at: LatLng) -> Square {
        let row = self.row(at.lat());
        Square { row, column: column(at.lng(), self.columns(row)) }
    }

    /// The row of a latitude in degrees; latitudes beyond a pole are that pole's.
    pub(super) fn row(self, lat: f64) -> u32 {
        let share = (lat + 90.0) / 180.0;
        // a float beyond the range becomes the nearest number
        ((share * f64::from(self.rows)) as u32).min(self.rows - 1)
    }

    /// How many columns a row has, at least one.
    pub(super) fn columns(self, row: u32) -> u32 {
        let edge = |row: u32| (f64::from(row) / f64::from(self.rows) - 0.5) * std::f64::consts::PI;
        let (south, north) = (edge(row), edge(row + 1));
        let nearest_equator = if south > 0.0 { south } else { north.min(0.0) };
        let around = 2.0 * std::f64::consts::PI * EARTH_RADIUS_M * nearest_equator.cos();
        ((around / self.side_m).ceil() as u32).max(1)
    }

    /// The columns of a row between two longitudes in degrees, west to east, as one run or two; all of them where the two
    /// are a whole turn apart.
    pub(super) fn between(self, row: u32, west: f64, east: f64) -> [std::ops::Range<u32>; 2] {
        let columns = self.columns(row);
        if east - west >= 360.0 {
            return [0..columns, 0..0];
        }
        let (first, last) = (column(turned(west), columns), column(turned(east), columns));
        if turned(west) <= turned(east) { [first..last + 1, 0..0] } else { [first..columns, 0..last + 1] }
    }
}

/// The column of a longitude of at most half a turn.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the number of columns")]
fn column(lng: f64, columns: u32) -> u32 {
    ((((lng + 180.0) / 360.0) * f64::from(columns)) as u32).min(columns - 1)
}

/// A longitude at most a turn beyond its range, brought back.
fn turned(lng: f64) -> f64 {
    if lng < -180.0 {
        lng + 360.0
    } else if lng > 180.0 {
        lng - 360.0
    } else {
        lng
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sides_out_of_range_are_refused() {
        for side in [9.9, 100_001.0, -1.0, 0.0, f64::NAN, f64::INFINITY] {
            assert!(Grid::new(side).is_none(), "{side}");
        }
        assert!(Grid::new(10.0).is_some() && Grid::new(100_000.0).is_some());
    }

    #[test]
    fn there_are_fewer_columns_towards_the_poles_and_never_none() {
        let grid = Grid::new(100.0).unwrap();
        let columns: Vec<u32> = [0.0, 30.0, 60.0, 89.0, 90.0].map(|lat| grid.columns(grid.row(lat))).into();
        assert!(columns.is_sorted_by(|a, b| a > b) && columns[4] >= 1, "{columns:?}");
        assert_eq!(grid.columns(grid.row(-60.0)).abs_diff(columns[2]) / 1_000, 0);
    }

    proptest! {
        /// Whoever lies between two longitudes lies in a column that is named, on either side of the antimeridian.
        #[test]
        fn a_run_of_columns_misses_nobody(
            lat in -90.0_f64..=90.0, lng in -180.0_f64..=180.0, half in 0.0_f64..179.9, share in -1.0_f64..=1.0, side in 10.0_f64..1e5,
        ) {
            let grid = Grid::new(side).unwrap();
            let row = grid.row(lat);
            let other = turned(lng + share * half);
            let runs = grid.between(row, lng - half, lng + half);
            let wanted = column(other, grid.columns(row));
            prop_assert!(runs.iter().any(|run| run.contains(&wanted)), "{runs:?} without {wanted}");
            prop_assert!(runs.iter().all(|run| run.end <= grid.columns(row)));
        }
    }
}
