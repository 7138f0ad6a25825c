use std::time::Duration;

use mosaic_geo::{
    Fix, distance_m,
    movement::{Haunt, Stay, haunts, legs, stay_points},
};

/// A stop lasts so long, within so many metres.
const STOP: Duration = Duration::from_mins(15);
const STOP_M: f64 = 120.0;
/// Farther than this from where the day began is away, in metres.
const AWAY_M: f64 = 250.0;
/// Parts of the day of which the time away is looked at.
const PARTS: usize = 8;

/// What a day looks like: how many stops, how long, how far, how fast, when. Hours count from the first position, which
/// is at four in the morning.
pub(super) fn features(day: &[Fix]) -> Vec<f64> {
    let stays = stay_points(day, STOP_M, STOP);
    let places = haunts(&stays, STOP_M);
    let mut features = of_stays(day, &stays, &places);
    features.extend(of_ways(day, &stays));
    features.extend(of_hours(day));
    features
}

fn of_stays(day: &[Fix], stays: &[Stay], places: &[Haunt]) -> Vec<f64> {
    let hours = |duration: Duration| duration.as_secs_f64() / 3_600.0;
    let dwells: Vec<f64> = stays.iter().map(|stay| hours(stay.leave.since(stay.arrive))).collect();
    let all = dwells.iter().sum::<f64>().max(1e-9);
    let share = |rank: usize| places.get(rank).map_or(0.0, |place| hours(place.dwell) / all);
    let entropy: f64 = places.iter().map(|place| hours(place.dwell) / all).map(|p| -p * p.max(1e-9).ln()).sum();
    let home = day.first().map(|fix| fix.position);
    let back = stays.iter().filter(|stay| home.is_some_and(|home| distance_m(home, stay.position) < STOP_M)).count();
    let shortest = dwells.iter().copied().fold(24.0, f64::min);
    vec![
        stays.len() as f64,
        places.len() as f64,
        share(0),
        share(1),
        share(2),
        entropy,
        back as f64,
        all / stays.len().max(1) as f64,
        shortest,
    ]
}

fn of_ways(day: &[Fix], stays: &[Stay]) -> Vec<f64> {
    let hop = |pair: &[Fix]| distance_m(pair[0].position, pair[1].position);
    let hops: Vec<f64> = day.windows(2).map(hop).collect();
    let whole: f64 = hops.iter().sum();
    let moving: Vec<f64> = hops.iter().copied().filter(|metres| *metres > 1.0).collect();
    let greatest = hops.iter().copied().fold(0.0, f64::max);
    let legs = legs(day, stays);
    let direct =
        |fixes: &[Fix]| fixes.first().zip(fixes.last()).map_or(0.0, |(a, b)| distance_m(a.position, b.position));
    let between: Vec<f64> = legs.iter().map(|leg| direct(leg.fixes)).collect();
    let far = between.iter().copied().fold(0.0, f64::max);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let spread = mean(&moving.iter().map(|metres| (metres - mean(&moving)).powi(2)).collect::<Vec<f64>>()).sqrt();
    let straight = if whole > 0.0 { between.iter().sum::<f64>() / whole } else { 1.0 };
    vec![whole, moving.len() as f64, greatest, mean(&moving), spread, far, mean(&between), straight]
}

fn of_hours(day: &[Fix]) -> Vec<f64> {
    let Some(home) = day.first().map(|fix| fix.position) else { return Vec::new() };
    let away: Vec<f64> = day.iter().map(|fix| distance_m(home, fix.position)).collect();
    let count = away.len().max(1) as f64;
    let is_away = |metres: &f64| *metres > AWAY_M;
    let first = away.iter().position(is_away).unwrap_or(away.len());
    let last = away.iter().rposition(is_away).unwrap_or(0);
    let gyration = (away.iter().map(|metres| metres * metres).sum::<f64>() / count).sqrt();
    let farthest = away.iter().copied().fold(0.0, f64::max);
    let part = |number: usize| {
        let part = away.iter().skip(number * away.len() / PARTS).take(away.len() / PARTS);
        part.filter(|metres| is_away(metres)).count() as f64
    };
    let parts = (0..PARTS).map(part);
    [first as f64 / count, last as f64 / count, gyration, farthest].into_iter().chain(parts).collect()
}
