use std::cmp::Ordering;

use mosaic_geo::{Cell, Resolution};
use mosaic_types::LatLng;

/// How many rings around a blurred point are searched for a cell with public places (about 3 km).
pub const SNAP_RINGS: u32 = 3;

/// The nearest plausible r8 cell to `point`: one that holds public places, within [`SNAP_RINGS`], or else
/// the point's own cell. Post-processing of a noisy point, so it costs no budget (PRIVACY 2.2).
pub fn snap(point: LatLng, occupied: &impl Fn(Cell) -> bool) -> Cell {
    let own = Cell::at(point, Resolution::R8);
    let nearest =
        own.disk(SNAP_RINGS).into_iter().filter(|cell| occupied(*cell)).min_by(|a, b| by_distance(point, *a, *b));
    nearest.unwrap_or(own)
}

fn by_distance(point: LatLng, a: Cell, b: Cell) -> Ordering {
    let away = |cell: Cell| mosaic_geo::distance_m(point, cell.center());
    away(a).total_cmp(&away(b)).then(a.raw().cmp(&b.raw()))
}
