//! What a trajectory looks like to somebody who knows the town (PRIVACY part D).

use std::collections::HashSet;

use super::{Lineup, Session, Visit};
use crate::Histogram;
use crate::filter::apart;
use crate::ranking::mean;

/// How much a public corpus visits each place and zone.
#[derive(Clone, Debug, Default)]
pub struct PlacePopularity {
    places: Histogram,
    zones: Histogram,
}

impl PlacePopularity {
    /// Counts the visits of a corpus that contains nobody who is judged.
    pub fn learn(corpus: &[Session]) -> Self {
        let visits = || corpus.iter().flatten();
        Self {
            places: Histogram::from_visits(visits().map(|visit| visit.place)),
            zones: Histogram::from_visits(visits().map(|visit| visit.zone)),
        }
    }
}

/// Logarithm of the share of visits, half a visit added.
fn log_share(histogram: &Histogram, name: u64) -> f64 {
    ((f64::from(histogram.count(name)) + 0.5) / (histogram.total() as f64 + 1.0)).ln()
}

/// `[session][candidate]` rows: the features of each candidate, then how far each lies from the mean
/// of the session's candidates.
pub(super) fn lineup(lineup: &Lineup, popularity: &PlacePopularity, overlap: bool) -> Vec<Vec<Vec<f64>>> {
    let sessions = lineup.candidates.iter().map(Vec::len).min().unwrap_or(0);
    let everywhere: Vec<Visited> = (0..sessions).map(|session| Visited::in_session(lineup, session)).collect();
    let row = |session: usize, candidate: &Vec<Session>| {
        let mut row = trajectory(&candidate[session], popularity);
        if overlap {
            row.extend(overlaps(&candidate[session], session, &everywhere));
        }
        row
    };
    let rows = |session: usize| contrast(lineup.candidates.iter().map(|candidate| row(session, candidate)).collect());
    (0..sessions).map(rows).collect()
}

fn contrast(rows: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let features = rows.first().map_or(0, Vec::len);
    let means: Vec<f64> = (0..features).map(|at| mean(&rows.iter().map(|row| row[at]).collect::<Vec<_>>())).collect();
    let extend = |row: Vec<f64>| {
        let apart: Vec<f64> = row.iter().zip(&means).map(|(value, mean)| value - mean).collect();
        row.into_iter().chain(apart).collect()
    };
    rows.into_iter().map(extend).collect()
}

/// Popularity of the path, its steps in metres, and how often it repeats itself.
fn trajectory(session: &Session, popularity: &PlacePopularity) -> Vec<f64> {
    let mut row = summary(session.iter().map(|visit| log_share(&popularity.places, visit.place)).collect());
    row.extend(summary(session.iter().map(|visit| log_share(&popularity.zones, visit.zone)).collect()));
    let mut steps: Vec<f64> = session.windows(2).map(|pair| apart(pair[0].at, pair[1].at)).collect();
    steps.sort_by(f64::total_cmp);
    row.extend([
        mean(&steps),
        steps.last().copied().unwrap_or(0.0),
        steps.get(steps.len() / 2).copied().unwrap_or(0.0),
    ]);
    let distinct = |of: fn(&Visit) -> u64| session.iter().map(of).collect::<HashSet<_>>().len() as f64;
    let (places, zones) = (distinct(|visit| visit.place), distinct(|visit| visit.zone));
    row.extend([places, zones, session.len() as f64 - places, session.len() as f64 - zones]);
    row
}

/// Mean, least and most.
fn summary(values: Vec<f64>) -> Vec<f64> {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min).min(0.0);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max).max(-1e3);
    vec![mean(&values), least, most]
}

/// Places and zones of all candidates of one session.
struct Visited {
    places: HashSet<u64>,
    zones: HashSet<u64>,
}

impl Visited {
    fn in_session(lineup: &Lineup, session: usize) -> Self {
        let visits = || lineup.candidates.iter().flat_map(move |candidate| &candidate[session]);
        Self { places: visits().map(|visit| visit.place).collect(), zones: visits().map(|visit| visit.zone).collect() }
    }
}

/// Mean share of other sessions in which any candidate was at the same place, and zone: who is drawn
/// afresh recurs less.
fn overlaps(session: &Session, at: usize, everywhere: &[Visited]) -> [f64; 2] {
    let others = || everywhere.iter().enumerate().filter(move |(other, _)| *other != at).map(|(_, visited)| visited);
    let count = (others().count() * session.len()).max(1) as f64;
    let places = session.iter().map(|visit| others().filter(|seen| seen.places.contains(&visit.place)).count());
    let zones = session.iter().map(|visit| others().filter(|seen| seen.zones.contains(&visit.zone)).count());
    [places.sum::<usize>() as f64 / count, zones.sum::<usize>() as f64 / count]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_of_a_known_path() {
        let visit = |place: u64, east: f64| Visit { place, zone: place / 10, at: [east, 0.0] };
        let session = vec![visit(1, 0.0), visit(2, 300.0), visit(1, 0.0), visit(11, 1_000.0)];
        let row = trajectory(&session, &PlacePopularity::learn(std::slice::from_ref(&session)));
        let log = |count: f64| ((count + 0.5) / 5.0).ln();
        assert!((row[0] - (log(2.0) + log(1.0)) / 2.0).abs() < 1e-12);
        assert_eq!((row[1], row[2]), (log(1.0), log(2.0)));
        assert_eq!(row[6..], [1_600.0 / 3.0, 1_000.0, 300.0, 3.0, 2.0, 1.0, 2.0]);
    }
}
