use std::collections::BTreeSet;

use mosaic_types::{LatLng, Radius};

use crate::{Cell, Resolution};

/// Every cell that has a point at most `radius` from `center`, sorted. Exact everywhere: around the poles, across the
/// antimeridian and at pentagons (C-73: the ring is derived from real cells, not from an assumed spacing).
pub fn cover(center: LatLng, radius: Radius, resolution: Resolution) -> Vec<Cell> {
    let reach = f64::from(radius.metres());
    let first = Cell::at(center, resolution);
    let (mut seen, mut cells, mut open) = (BTreeSet::from([first]), Vec::new(), vec![first]);
    // The cells that touch a disc are connected through neighbours, so growing from the middle finds all of them.
    while let Some(cell) = open.pop() {
        if cell.distance_m(center) <= reach {
            cells.push(cell);
            open.extend(cell.disk(1).into_iter().filter(|&neighbour| seen.insert(neighbour)));
        }
    }
    cells.sort_unstable();
    cells
}
