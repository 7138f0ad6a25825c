use std::{collections::BinaryHeap, ops::Range};

use mosaic_types::LatLng;

use super::{
    PlaceIndex, PlaceRef,
    boxes::{GeoBox, Origin},
    layout::{FAN, levels},
};
use crate::{EARTH_RADIUS_M, distance_m, found::Found};

/// What is kept free for the rounding of haversines, relative to them: pruning must never lose a place.
const SLACK: f64 = 1.0 + 1e-9;

/// A descent through the boxes, the nearest first: exact, because no box is left out that could hold a nearer place.
pub(super) struct Search<'a, F> {
    index: &'a PlaceIndex,
    boxes: &'a [u8],
    /// Where each level of boxes begins, and how many it has; leaves first.
    levels: Vec<(usize, usize)>,
    from: LatLng,
    origin: Origin,
    most: usize,
    reach: f64,
    keep: F,
    found: BinaryHeap<Found>,
    /// Farther than this, as a haversine, nothing can enter any more.
    limit: f64,
}

impl<'a, F: FnMut(PlaceRef<'a>) -> bool> Search<'a, F> {
    /// At most `most` places within `reach` metres that `keep` wants.
    pub(super) fn new(index: &'a PlaceIndex, from: LatLng, most: usize, reach: f64, keep: F) -> Self {
        let (boxes, levels) = (index.section(&index.layout.boxes), starts_of_levels(index.len()));
        let (origin, found, limit) = (Origin::new(from), BinaryHeap::new(), haversine_of(reach));
        Self { index, boxes, levels, from, origin, most, reach, keep, found, limit }
    }

    /// The places with their distance, nearest first, among equals the one with the lower number.
    pub(super) fn run(mut self) -> Vec<(PlaceRef<'a>, f64)> {
        if self.most > 0 && !self.levels.is_empty() && !self.reach.is_nan() {
            self.open(self.levels.len() - 1, 0);
        }
        let Self { index, found, .. } = self;
        found.into_sorted_vec().into_iter().filter_map(|it| Some((index.get(it.place as usize)?, it.metres))).collect()
    }

    /// Looks into a box: at its places when it is a leaf, else at the boxes below, the nearest first.
    fn open(&mut self, level: usize, number: usize) {
        let Some(below) = level.checked_sub(1) else { return self.look(number) };
        let (start, count) = self.levels[below];
        let mut near = [(0.0_f64, 0_usize); FAN];
        let mut size = 0;
        for child in (FAN * number..count).take(FAN) {
            let Some(area) = GeoBox::read(self.boxes, start + child) else { continue };
            near[size] = (self.origin.haversine_at_least(area), child);
            size += 1;
        }
        let near = &mut near[..size];
        near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        for &(haversine, child) in &*near {
            if haversine <= self.limit {
                self.open(below, child);
            }
        }
    }

    fn look(&mut self, leaf: usize) {
        for number in (FAN * leaf..self.index.len()).take(FAN) {
            let Some(place) = self.index.get(number) else { continue };
            if self.origin.haversine(place.position) > self.limit {
                continue;
            }
            let metres = distance_m(self.from, place.position);
            let found = Found { metres, place: place.number };
            let too_far = metres > self.reach || self.found.len() >= self.most && self.found.peek() <= Some(&found);
            if too_far || !(self.keep)(place) {
                continue;
            }
            self.found.push(found);
            if self.found.len() > self.most {
                self.found.pop();
            }
            if let Some(farthest) = self.found.peek().filter(|_| self.found.len() >= self.most) {
                self.limit = haversine_of(farthest.metres.min(self.reach));
            }
        }
    }
}

impl PlaceIndex {
    /// Runs of place numbers, ascending, that hold every place within `reach_m` metres, and a few more: whole boxes
    /// where a box lies inside the circle, whole leaves where its edge passes.
    pub(crate) fn runs_within(&self, from: LatLng, reach_m: f64) -> Vec<Range<usize>> {
        let levels = starts_of_levels(self.len());
        let mut runs = Vec::new();
        if let Some(top) = levels.len().checked_sub(1).filter(|_| reach_m >= 0.0) {
            let gather = Gather { boxes: self.section(&self.layout.boxes), levels: &levels, origin: Origin::new(from) };
            gather.collect(&mut runs, (top, 0), haversine_of(reach_m), self.len());
        }
        runs
    }
}

/// A descent that keeps whole boxes.
struct Gather<'a> {
    boxes: &'a [u8],
    levels: &'a [(usize, usize)],
    origin: Origin,
}

impl Gather<'_> {
    fn collect(&self, runs: &mut Vec<Range<usize>>, (level, number): (usize, usize), limit: f64, places: usize) {
        let Some(&(start, _)) = self.levels.get(level) else { return };
        let Some(area) = GeoBox::read(self.boxes, start + number) else { return };
        if self.origin.haversine_at_least(area) > limit {
            return;
        }
        let below = level.checked_sub(1).filter(|_| self.origin.haversine_at_most(area) > limit);
        if let Some(below) = below {
            let count = self.levels.get(below).map_or(0, |&(_, count)| count);
            (FAN * number..count).take(FAN).for_each(|child| self.collect(runs, (below, child), limit, places));
            return;
        }
        let size = FAN.pow(u32::try_from(level).unwrap_or(u32::MAX) + 1);
        let (from, until) = (size * number, (size * (number + 1)).min(places));
        match runs.last_mut().filter(|last| last.end == from) {
            Some(last) => last.end = until,
            None => runs.push(from..until),
        }
    }
}

/// Where each level of boxes begins, and how many it has.
pub(super) fn starts_of_levels(places: usize) -> Vec<(usize, usize)> {
    let mut start = 0;
    let place = |count: usize| {
        start += count;
        (start - count, count)
    };
    levels(places).into_iter().map(place).collect()
}

/// The haversine of a distance in metres, with room for rounding; anything beyond half the circumference is everywhere.
pub(super) fn haversine_of(metres: f64) -> f64 {
    let angle = metres / EARTH_RADIUS_M;
    if angle >= std::f64::consts::PI { f64::INFINITY } else { (angle / 2.0).sin().powi(2) * SLACK + 1e-30 }
}
