//! What a persona would like to do on a day, from people's usual hours: work, lunch, errands, an afternoon or an evening
//! out. What is said that day comes first; wishes take what it leaves.

use std::time::Duration;

use mosaic_geo::{
    LocalTime, PlaceRef,
    plausibility::{Journey, destination},
};
use rand::RngExt;
use rand_chacha::ChaCha20Rng;

use super::{
    Why,
    manner::Venue,
    schedule::{Planned, Schedule},
    told::Clock,
    way::travel,
};
use crate::persona::member::by_weight;

/// How often an outing goes to one of the persona's own haunts.
const OWN_HAUNT: f64 = 0.65;
/// Destinations that are drawn until one is what is looked for and open long enough.
const LOOKS: usize = 12;
/// Longer ways to work are not gone every day, in seconds.
const LONGEST_COMMUTE_S: f64 = 5_400.0;

/// Fits the wishes of the day in; each attempt has others.
pub(super) fn fit(schedule: &mut Schedule<'_>, attempt: u8) {
    let (manner, clock) = (schedule.manner, schedule.clock);
    let mut rng = stream(schedule, b"path day", attempt, 0);
    let works = !clock.weekend() && rng.random_bool(manner.works);
    let (start, noon) = (manner.starts + rng.random_range(-0.5..0.5), rng.random_range(11.8..13.3));
    let end = start + manner.works_h + rng.random_range(-0.7..1.0);
    let (late, after) = (rng.random_range(9.5..11.5), rng.random_range(13.0..16.0));
    let (evening, errand) = (rng.random_range(18.6..20.6), rng.random_range(0.2..0.7));
    let [lunch, short, long] = [0.4..0.9, 1.0..3.0, 1.0..3.5].map(|hours| rng.random_range(hours));
    let [eats_out, shops, out, again] =
        [0.5, manner.shops, manner.goes_out, manner.goes_out].map(|p| rng.random_bool(p));
    if works {
        if eats_out {
            go(schedule, Outing { why: Why::Lunch, minutes: 9, from: noon, hours: lunch, number: 1, attempt });
        }
        work(schedule, start, end);
    }
    if shops {
        let from = if works { end + 0.1 } else { late };
        go(schedule, Outing { why: Why::Errand, minutes: 14, from, hours: errand, number: 2, attempt });
    }
    if out && !works {
        go(schedule, Outing { why: Why::Outing, minutes: 25, from: after, hours: short, number: 3, attempt });
    }
    if again {
        go(schedule, Outing { why: Why::Outing, minutes: 22, from: evening, hours: long, number: 4, attempt });
    }
}

fn stream(schedule: &Schedule<'_>, what: &[u8], attempt: u8, number: u8) -> ChaCha20Rng {
    let (name, day) = (schedule.manner.persona.to_bytes(), schedule.clock.name());
    schedule.paths.cast.rng(&[what, &name, &day, &[attempt, number]])
}

fn work(schedule: &mut Schedule<'_>, start: f64, end: f64) {
    let manner = schedule.manner;
    let Some(venue) = manner.work else { return };
    let metres = mosaic_geo::distance_m(manner.home, venue.position);
    let speed = travel(manner, metres, start as i64).speed_mps() * manner.pace;
    if metres / speed <= LONGEST_COMMUTE_S {
        let (from, until) = (Clock::hour(start), Clock::hour(end));
        schedule.visit_in_parts(Planned { venue, why: Why::Work, from, until });
    }
}

/// Somewhere to go to on a whim.
#[derive(Clone, Copy)]
struct Outing {
    why: Why,
    /// How long the way there may take.
    minutes: u64,
    /// When, in hours on the wall, and for how many.
    from: f64,
    hours: f64,
    number: u8,
    attempt: u8,
}

fn go(schedule: &mut Schedule<'_>, outing: Outing) {
    let mut rng = stream(schedule, b"path outing", outing.attempt, outing.number);
    let (from, until) = (Clock::hour(outing.from), Clock::hour(outing.from + outing.hours));
    for _ in 0..LOOKS {
        let Some(place) = place(schedule, outing, from, &mut rng) else { continue };
        if !outing.why.fits(place.kind.category()) || schedule.paths.is_sea(place.position) {
            continue;
        }
        if schedule.visit(Planned { venue: Venue::inside(place), why: outing.why, from, until }) {
            return;
        }
    }
}

/// One of the persona's own places, or another within reach of where it is then.
fn place<'a>(schedule: &Schedule<'a>, outing: Outing, from: i64, rng: &mut ChaCha20Rng) -> Option<PlaceRef<'a>> {
    let (manner, paths, at) = (schedule.manner, schedule.paths, schedule.clock.at(from));
    let haunts: Vec<(usize, _)> = manner.haunts.iter().copied().enumerate().collect();
    let own = by_weight(&haunts, |(rank, _)| 1.0 / (*rank as f64 + 1.0), rng);
    if let Some((_, cell)) = own.filter(|_| outing.why == Why::Outing && rng.random_bool(OWN_HAUNT)) {
        return manner.venue(paths, cell, at, outing.why);
    }
    // lunch is near work, whatever is planned before it
    let here = match (outing.why, manner.work) {
        (Why::Lunch, Some(work)) => work.position,
        _ => schedule.before(from).venue.position,
    };
    let time = Duration::from_mins(outing.minutes);
    let on_foot = outing.why == Why::Lunch;
    let far_m = manner.walks_m + 1.0;
    let travel = if on_foot { mosaic_geo::movement::Travel::Walk } else { travel(manner, far_m, Clock::hour_of(from)) };
    let journey = Journey { from: here, travel, time };
    Some(destination(paths.places, &journey, LocalTime::by_sun(at, manner.home), &manner.profile, rng)?.place)
}
