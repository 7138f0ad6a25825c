use std::cmp::Ordering;

use mosaic_geo::{Cell, Resolution};
use mosaic_types::LatLng;

/// How far from a blurred point a plausible cell may lie, in kilometres.
pub const SNAP_WITHIN_KM: u32 = 3;
/// Rings of r8 cells that surely hold every cell whose centre lies within [`SNAP_WITHIN_KM`].
pub const SNAP_RINGS: u32 = 5;
/// The same for a zone, in kilometres: the middle of its square may lie half a diagonal outside what is known.
const ZONE_WITHIN_KM: u32 = 8;
/// Rings for that.
const ZONE_RINGS: u32 = 13;

/// The nearest plausible r8 cell to `point`: one that a decoy may name too, within [`SNAP_WITHIN_KM`].
/// `None` where there is none: a cell that no decoy can name would be certainly true. Post-processing of
/// a noisy point, so it costs no budget (PRIVACY 2.2).
pub fn snap(point: LatLng, plausible: &impl Fn(Cell) -> bool) -> Option<Cell> {
    nearest(point, SNAP_WITHIN_KM, SNAP_RINGS, plausible)
}

/// The same for the blurred point of a zone, which may lie further from what is known: within 8 km.
pub fn snap_zone(point: LatLng, plausible: &impl Fn(Cell) -> bool) -> Option<Cell> {
    nearest(point, ZONE_WITHIN_KM, ZONE_RINGS, plausible)
}

fn nearest(point: LatLng, within_km: u32, rings: u32, plausible: &impl Fn(Cell) -> bool) -> Option<Cell> {
    let most = f64::from(within_km) * 1_000.0;
    let disk = Cell::at(point, Resolution::R8).disk(rings);
    let near = disk.into_iter().filter(|cell| mosaic_geo::distance_m(point, cell.center()) <= most);
    near.filter(|cell| plausible(*cell)).min_by(|a, b| by_distance(point, *a, *b))
}

fn by_distance(point: LatLng, a: Cell, b: Cell) -> Ordering {
    let away = |cell: Cell| mosaic_geo::distance_m(point, cell.center());
    away(a).total_cmp(&away(b)).then(a.raw().cmp(&b.raw()))
}
