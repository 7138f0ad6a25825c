use mosaic_geo::{PlaceIndex, displacement_m, distance_m, movement::Travel, offset_m};
use mosaic_types::LatLng;

use super::{manner::Manner, told::length_m};

/// A way turns about this often, in metres, at a place no farther from the straight line than half of it.
const TURNS_M: f64 = 300.0;
/// Most turns of a way.
const MOST_TURNS: u32 = 40;
/// Up to here a bicycle is taken, in metres.
const CYCLES_M: f64 = 15_000.0;
/// Hours in which no bus runs, and whoever goes by bus takes a cab.
const NIGHT: std::ops::Range<i64> = 1..5;

/// A way between two positions.
pub(super) struct Way {
    pub(super) travel: Travel,
    pub(super) points: Vec<LatLng>,
    /// How long it takes, rounded up.
    pub(super) seconds: i64,
}

impl Way {
    /// How somebody of this manner goes there at that hour of the day.
    pub(super) fn between(places: &PlaceIndex, manner: &Manner, from: LatLng, to: LatLng, hour: i64) -> Self {
        let points = over_places(places, from, to);
        let metres = length_m(&points);
        let travel = travel(manner, metres, hour);
        let speed = travel.speed_mps() * manner.pace * traffic(travel, hour);
        Self { travel, points, seconds: (metres / speed).ceil() as i64 }
    }
}

/// On foot where it is near, else as this persona rides; by cab where no bus runs, by bus where it is too far for a bicycle.
pub(super) fn travel(manner: &Manner, metres: f64, hour: i64) -> Travel {
    match manner.rides {
        _ if metres <= manner.walks_m => Travel::Walk,
        Travel::Cycle if metres > CYCLES_M => Travel::Transit,
        Travel::Transit if NIGHT.contains(&hour) => Travel::Drive,
        rides => rides,
    }
}

/// Share of the speed that is left of stops, lights and others on the road.
fn traffic(travel: Travel, hour: i64) -> f64 {
    let rush = matches!(hour, 7..=9 | 16..=18);
    match travel {
        Travel::Walk | Travel::Run => 1.0,
        Travel::Cycle => 0.85,
        Travel::Transit => 0.8,
        Travel::Drive if rush => 0.5,
        Travel::Drive => 0.7,
    }
}

/// From public place to public place along the straight line: places lie at streets and on land.
fn over_places(places: &PlaceIndex, from: LatLng, to: LatLng) -> Vec<LatLng> {
    let (metres, (east, north)) = (distance_m(from, to), displacement_m(from, to));
    let turns = ((metres / TURNS_M) as u32).min(MOST_TURNS);
    let turn = |number: u32| {
        let share = f64::from(number) / f64::from(turns);
        let (place, off) = places.nearest(offset_m(from, east * share, north * share), 1).into_iter().next()?;
        (off <= TURNS_M / 2.0).then_some(place.position)
    };
    let between = (1..turns).filter_map(turn);
    [from].into_iter().chain(between).chain([to]).collect()
}
