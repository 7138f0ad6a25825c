//! Whether somebody could be at a place at an hour, and where else somebody could plausibly go (L3-37 to L3-46). Serves
//! what is generated: decoys, personas, synthetic movement. It is never a reason to refuse what a person really does.

use mosaic_types::LatLng;

use crate::{Cell, PlaceIndex, PlaceRef, Resolution, hours::open_at, local_time::LocalTime};

mod destination;
mod glance;
mod habits;
mod profile;

use glance::Glance;

pub use destination::{Destination, Journey, destination};
pub use habits::{HourTable, HourTables};
pub use profile::Profile;

/// Scores by the hour (L3-39).
pub mod score {
    /// A place at its busiest.
    pub const PEAK: f64 = 0.9;
    /// A place when next to nobody is there, or closed.
    pub const LOW: f64 = 0.2;
    /// Any other hour, and every hour of a kind that nothing is known about.
    pub const OTHERWISE: f64 = 0.5;
    /// A venue counts when its score is above this.
    pub const COUNTS_ABOVE: f64 = 0.3;
    /// No venue at all (L3-37).
    pub const NO_VENUE: f64 = 0.1;
    /// Venues, but none at this hour (L3-38).
    pub const WRONG_TIME: f64 = 0.3;
}

/// How many alternatives are named at most (L3-41).
pub const MOST_ALTERNATIVES: usize = 3;

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The cell holds no venue (L3-37).
    NoVenue,
    /// It holds venues, none of which counts at this hour (L3-38).
    WrongTime,
    /// Somebody could be there.
    Fits,
}

/// A check's result.
#[derive(Clone, Debug)]
pub struct Plausibility<'a> {
    /// What was found.
    pub verdict: Verdict,
    /// 0.1 without a venue, 0.3 at the wrong time, else the temporal score of the best venue.
    pub score: f64,
    /// The venue that suits the profile best at this hour, where one fits.
    pub venue: Option<PlaceRef<'a>>,
    /// The next best, best first.
    pub alternatives: Vec<PlaceRef<'a>>,
    /// Where nothing fits: the nearest venue, or the nearest that fits the hour, and how many metres away it is.
    pub suggestion: Option<(PlaceRef<'a>, f64)>,
}

/// How likely people are at a place of this kind at this hour: what the habits of its region say, corrected by its
/// opening hours where they are known and understood. Closed, it is 0.2; open, at least 0.5 (L3-39, L3-40).
pub fn temporal_score(place: PlaceRef<'_>, at: LocalTime) -> f64 {
    corrected(habit(place, at), place.hours().and_then(|hours| open_at(hours, at)))
}

fn habit(place: PlaceRef<'_>, at: LocalTime) -> f64 {
    HourTables::at(place.position).score(place.kind, at.hour())
}

/// A habit, corrected by what the opening hours say.
const fn corrected(habit: f64, open: Option<bool>) -> f64 {
    match open {
        Some(false) => score::LOW,
        Some(true) => habit.max(score::OTHERWISE),
        None => habit,
    }
}

/// Temporal score times the profile's liking: what venues are ranked and destinations drawn by (L3-44). Zero for what is
/// no venue or does not count at this hour.
pub fn composite_score(place: PlaceRef<'_>, at: LocalTime, profile: &Profile) -> f64 {
    let category = place.kind.category();
    if !category.is_visited() {
        return 0.0;
    }
    let temporal = temporal_score(place, at);
    if temporal > score::COUNTS_ABOVE { temporal * profile.liking(category) } else { 0.0 }
}

/// Checks a position at a local time for somebody with this profile.
pub fn check<'a>(places: &'a PlaceIndex, position: LatLng, at: LocalTime, profile: &Profile) -> Plausibility<'a> {
    let here = places.in_cell(Cell::at(position, Resolution::R9));
    let venues: Vec<PlaceRef<'a>> = here.iter().filter(|place| place.kind.category().is_visited()).collect();
    if venues.is_empty() {
        let visited = |place: PlaceRef<'a>| place.kind.category().is_visited();
        return nothing(Verdict::NoVenue, score::NO_VENUE, places.nearest_where(position, 1, visited));
    }
    let mut glance = Glance::new(at);
    let mut best = best_of(&venues, &mut glance, profile).into_iter();
    let Some((venue, found)) = best.next() else {
        let fitting = |place: PlaceRef<'a>| {
            place.kind.category().is_visited() && glance.temporal_score(place) > score::COUNTS_ABOVE
        };
        return nothing(Verdict::WrongTime, score::WRONG_TIME, places.nearest_where(position, 1, fitting));
    };
    let alternatives = best.map(|(place, _)| place).collect();
    Plausibility { verdict: Verdict::Fits, score: found, venue: Some(venue), alternatives, suggestion: None }
}

fn nothing<'a>(verdict: Verdict, score: f64, nearest: Vec<(PlaceRef<'a>, f64)>) -> Plausibility<'a> {
    let suggestion = nearest.into_iter().next();
    Plausibility { verdict, score, venue: None, alternatives: Vec::new(), suggestion }
}

/// The best venues that count, best first, each with its temporal score; equals in the order of the index. Opening hours
/// are read only as long as they could still change the list.
fn best_of<'a>(venues: &[PlaceRef<'a>], glance: &mut Glance, profile: &Profile) -> Vec<(PlaceRef<'a>, f64)> {
    let hope = |place: &PlaceRef<'a>| glance.at_most(*place) * profile.liking(place.kind.category());
    let mut hopeful: Vec<(f64, PlaceRef<'a>)> = venues.iter().map(|place| (hope(place), *place)).collect();
    hopeful.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.number().cmp(&b.1.number())));
    // The composite score, the place and its temporal score; sorted, at most one more than the alternatives.
    let mut best: Vec<(f64, PlaceRef<'a>, f64)> = Vec::new();
    for (hope, place) in hopeful {
        // Whoever comes later scores no more, and among equals the first in the index is better.
        let beaten =
            |worst: &(f64, PlaceRef<'a>, f64)| worst.0 > hope || worst.0 >= hope && worst.1.number() < place.number();
        if best.len() > MOST_ALTERNATIVES && best.last().is_some_and(beaten) {
            break;
        }
        let temporal = glance.temporal_score(place);
        if temporal <= score::COUNTS_ABOVE {
            continue;
        }
        let composite = temporal * profile.liking(place.kind.category());
        let after = |other: &(f64, PlaceRef<'a>, f64)| {
            other.0 > composite || other.0 >= composite && other.1.number() < place.number()
        };
        let rank = best.iter().take_while(|other| after(other)).count();
        best.insert(rank, (composite, place, temporal));
        best.truncate(MOST_ALTERNATIVES + 1);
    }
    best.into_iter().map(|(_, place, temporal)| (place, temporal)).collect()
}
