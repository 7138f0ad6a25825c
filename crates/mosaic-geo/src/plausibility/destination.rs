use std::{ops::Range, time::Duration};

use mosaic_types::LatLng;
use rand::{Rng, RngExt as _};

use super::{Profile, composite_score, score};
use crate::{LocalTime, PlaceIndex, PlaceRef, distance_m, movement::Travel};

/// A way to be spent travelling from somewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Journey {
    /// Where it begins.
    pub from: LatLng,
    /// How.
    pub travel: Travel,
    /// How long at most.
    pub time: Duration,
}

impl Journey {
    /// How far it may lead, in metres along the ground: speed times time times the route buffer (L3-42, L3-43).
    pub fn reach_m(&self) -> f64 {
        self.travel.reach_m(self.time)
    }

    /// The radius of the disc of r9 cells that covers all of it: a cell for every 100 m, rounded up (L3-44). Cells are
    /// more than 100 m apart everywhere, so the disc has room to spare; it may hold millions of cells, which is why the
    /// search goes by distance through the index instead.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped; the Earth is 20,000 km wide")]
    pub fn ring_cells(&self) -> u32 {
        (self.reach_m() / 100.0).ceil().clamp(0.0, 300_000.0) as u32
    }
}

/// Somewhere plausible to go.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    /// The venue.
    pub place: PlaceRef<'a>,
    /// How far it is.
    pub metres: f64,
    /// Its composite score.
    pub score: f64,
}

/// How often a place is drawn before all are weighed.
const TRIES: usize = 256;

/// Draws a venue within reach, with a probability that is proportional to its composite score at the local time of
/// arrival (L3-44); `None` when no venue within reach can be drawn.
///
/// Places of all boxes that the disc touches are drawn evenly and kept with probability score / greatest score; when
/// that fails 256 times, every place is weighed. Both ways draw from the same distribution, so their mixture does too;
/// the first is fast where thousands of places lie within an hour's drive.
pub fn destination<'a>(
    places: &'a PlaceIndex,
    journey: &Journey,
    arrive: LocalTime,
    profile: &Profile,
    rng: &mut impl Rng,
) -> Option<Destination<'a>> {
    let reach_m = journey.reach_m();
    let runs = places.runs_within(journey.from, reach_m);
    let total: usize = runs.iter().map(ExactSizeIterator::len).sum();
    let weigh = |number: usize| {
        let place = places.get(number)?;
        let metres = distance_m(journey.from, place.position);
        let score = if metres <= reach_m { composite_score(place, arrive, profile) } else { 0.0 };
        (score > 0.0).then_some(Destination { place, metres, score })
    };
    let greatest = score::PEAK * profile.greatest();
    for _ in 0..TRIES {
        let drawn = rng.random_range(0..total.max(1));
        let Some(found) = nth(&runs, drawn).and_then(weigh) else { continue };
        if rng.random::<f64>() * greatest < found.score {
            return Some(found);
        }
    }
    let all: Vec<Destination<'a>> = runs.into_iter().flatten().filter_map(weigh).collect();
    let mut left = rng.random::<f64>() * all.iter().map(|found| found.score).sum::<f64>();
    let chosen = all.iter().find(|found| {
        left -= found.score;
        left < 0.0
    });
    chosen.or(all.last()).copied()
}

/// The number at a rank among some runs of numbers.
fn nth(runs: &[Range<usize>], mut rank: usize) -> Option<usize> {
    for run in runs {
        match rank.checked_sub(run.len()) {
            Some(beyond) => rank = beyond,
            None => return Some(run.start + rank),
        }
    }
    None
}
