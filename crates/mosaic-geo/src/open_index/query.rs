//! Asking the index.

use std::f64::consts::{FRAC_PI_2, PI};

use mosaic_types::{LatLng, Timestamp};

use super::{Near, OpenIndex, Spot, grid::SPAN};
use crate::{EARTH_RADIUS_M, sphere::UnitVector};

/// Room for rounding in what is looked at, as a share of the circle: what is compared at last has none.
const SLACK: f64 = 1.0 + 1e-9;

/// A circle on the sphere.
struct Circle {
    middle: LatLng,
    vector: UnitVector,
    /// Its radius as an angle; at most half a turn.
    angle: f64,
    /// Its radius as a chord of the unit sphere, squared.
    chord2: f64,
}

impl Circle {
    /// `None` for a radius that is negative or no number.
    fn new(middle: LatLng, metres: f64) -> Option<Self> {
        let angle = (metres / EARTH_RADIUS_M).min(PI);
        // half the circumference is everybody, whatever rounding says
        let chord2 = if angle < PI { (2.0 * (angle / 2.0).sin()).powi(2) } else { f64::INFINITY };
        (metres >= 0.0).then_some(Self { middle, vector: middle.into(), angle, chord2 })
    }

    /// Half the width in longitude, in degrees; a half turn where a pole lies inside.
    fn half_width(&self) -> f64 {
        let (lat, angle) = (self.middle.lat().to_radians(), self.angle * SLACK);
        if lat.abs() + angle >= FRAC_PI_2 {
            return 180.0;
        }
        (angle.sin() / lat.cos()).clamp(0.0, 1.0).asin().to_degrees() * SLACK + 1e-9
    }
}

impl OpenIndex {
    /// At most `most` entries within `reach_m` metres at `now`, whichever come first; all of them where there are no more. What
    /// is in `found` before is lost. A reach that is negative or no number finds nobody.
    pub fn any(&self, from: LatLng, reach_m: f64, now: Timestamp, most: usize, found: &mut Vec<Near>) {
        found.clear();
        let Some(circle) = Circle::new(from, reach_m).filter(|_| most > 0) else { return };
        self.each(&circle, now, |id, chord2| {
            found.push(Near { id, metres: metres_of(chord2) });
            found.len() < most
        });
    }

    /// The `most` nearest entries within `reach_m` metres at `now`, nearest first, of equally near ones those with lower
    /// names. What is in `found` before is lost. A reach that is negative or no number finds nobody.
    pub fn nearest(&self, from: LatLng, reach_m: f64, now: Timestamp, most: usize, found: &mut Vec<Near>) {
        found.clear();
        let Some(whole) = Circle::new(from, reach_m).filter(|_| most > 0) else { return };
        // whoever is within a smaller circle is nearer than all others, so a smaller one with enough people will do
        let reach_m = reach_m.min(EARTH_RADIUS_M * PI);
        let mut metres = reach_m / 4.0;
        while metres < reach_m / 1.5 {
            let Some(circle) = Circle::new(from, metres) else { break };
            self.gather(&circle, now, found);
            if found.len() >= most {
                return sort_out(found, most);
            }
            metres *= 2.0;
        }
        self.gather(&whole, now, found);
        sort_out(found, most);
    }

    /// Everybody in the circle, with squared chords for metres.
    fn gather(&self, circle: &Circle, now: Timestamp, found: &mut Vec<Near>) {
        found.clear();
        self.each(circle, now, |id, chord2| {
            found.push(Near { id, metres: chord2 });
            true
        });
    }

    /// Shows each entry in the circle with its squared chord, until `see` has seen enough. The rows of the middle come first.
    fn each(&self, circle: &Circle, now: Timestamp, mut see: impl FnMut(u64, f64) -> bool) {
        let reach = (circle.angle * SLACK).to_degrees() + 1e-9;
        let (lat, lng, half) = (circle.middle.lat(), circle.middle.lng(), circle.half_width());
        let (first, middle, last) = (self.grid.row(lat - reach), self.grid.row(lat), self.grid.row(lat + reach));
        for row in (middle..=last).chain(first..middle) {
            for columns in self.grid.between(row, lng - half, lng + half) {
                let mut column = columns.start;
                while column < columns.end {
                    let block = (u64::from(row) << 32) | (u64::from(column) / SPAN as u64);
                    let end = (column - column % SPAN as u32 + SPAN as u32).min(columns.end);
                    if let Some(block) = self.blocks.get(&block) {
                        let from = column as usize % SPAN;
                        for spots in &block[from..from + (end - column) as usize] {
                            if !look(spots, circle, now, &mut see) {
                                return;
                            }
                        }
                    }
                    column = end;
                }
            }
        }
    }
}

/// Shows those of a square that are in the circle now; whether more are wanted.
fn look(spots: &[Spot], circle: &Circle, now: Timestamp, see: &mut impl FnMut(u64, f64) -> bool) -> bool {
    let [x, y, z] = circle.vector.0;
    for spot in spots {
        let [a, b, c] = spot.vector.0;
        let (a, b, c) = (a - x, b - y, c - z);
        let chord2 = a * a + b * b + c * c;
        if chord2 <= circle.chord2 && spot.from <= now && now < spot.until && !see(spot.id, chord2) {
            return false;
        }
    }
    true
}

/// Keeps the nearest, in order, and makes metres of their chords.
fn sort_out(found: &mut Vec<Near>, most: usize) {
    let order = |a: &Near, b: &Near| a.metres.total_cmp(&b.metres).then(a.id.cmp(&b.id));
    if found.len() > most {
        found.select_nth_unstable_by(most, order);
        found.truncate(most);
    }
    found.sort_unstable_by(order);
    found.iter_mut().for_each(|near| near.metres = metres_of(near.metres));
}

fn metres_of(chord2: f64) -> f64 {
    2.0 * EARTH_RADIUS_M * (chord2.sqrt() / 2.0).min(1.0).asin()
}
