use std::fmt;

use mosaic_types::LatLng;

use super::{Finding, Fix, Reason, Travel, validate_trajectory};
use crate::PlaceIndex;

/// What is around: places, and where the sea is.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    places: &'a PlaceIndex,
    empty_beyond_m: f64,
    sea: &'a dyn Fn(LatLng) -> bool,
}

impl<'a> Surroundings<'a> {
    /// Farther than this from any place, nobody generated has anything to do: an hour's walk.
    pub const EMPTY_BEYOND_M: f64 = 5_000.0;

    /// An area is empty where the nearest place is more than [`Self::EMPTY_BEYOND_M`] away; no sea is known.
    pub fn new(places: &'a PlaceIndex) -> Self {
        Self { places, empty_beyond_m: Self::EMPTY_BEYOND_M, sea: &|_| false }
    }

    /// Another bound for what is empty, in metres.
    #[must_use]
    pub const fn empty_beyond(self, metres: f64) -> Self {
        Self { empty_beyond_m: metres, ..self }
    }

    /// Where the sea is: an index of places holds no coast, so whoever has one says it.
    #[must_use]
    pub fn with_sea(self, sea: &'a dyn Fn(LatLng) -> bool) -> Self {
        Self { sea, ..self }
    }

    fn judge(&self, fix: &Fix) -> Option<Reason> {
        if (self.sea)(fix.position) {
            return Some(Reason::Sea);
        }
        let nearest = self.places.nearest(fix.position, 1).first().map(|(_, metres)| *metres);
        match nearest {
            Some(metres) if metres <= self.empty_beyond_m => None,
            Some(metres) => Some(Reason::EmptyArea { metres }),
            None => Some(Reason::EmptyArea { metres: f64::INFINITY }),
        }
    }
}

impl fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("places", self.places).finish_non_exhaustive()
    }
}

/// Checks one user's fixes against a way of travel and against what is around: teleports, speed, order, the sea, empty
/// areas (L3-51). One finding a fix, in order; the hop is judged before the place. For generated movement: real people
/// do sail and do hike.
pub fn validate_in(fixes: &[Fix], travel: Travel, around: &Surroundings<'_>) -> Vec<Finding> {
    let mut hops = validate_trajectory(fixes, travel).into_iter().peekable();
    let mut findings = Vec::new();
    for (index, fix) in fixes.iter().enumerate() {
        let hop = hops.next_if(|finding| finding.index == index);
        findings.extend(hop.or_else(|| around.judge(fix).map(|reason| Finding { index, reason })));
    }
    findings
}
