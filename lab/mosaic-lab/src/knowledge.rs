//! How few known visits pick somebody out of a crowd: recorded movement is thinned to visits, and every person's risk
//! is that of scikit-mobility's location attacks (`mosaic_attack::knowledge_risks`).

use std::{collections::HashMap, time::Duration};

use mosaic_attack::{Histogram, Knowledge, knowledge_risks};
use mosaic_geo::{Fix, PlaceIndex, Residents, Traces, residents::NoPlaces};
use mosaic_types::{InvalidPosition, LatLng, Timestamp};
use thiserror::Error;

use crate::evening;

/// Why movement cannot be thinned to visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ThinningError {
    /// No time between visits, or squares that are no squares.
    #[error("a visit is taken every second or less often, in squares of 0.0001 to 1 degree")]
    Plan,
    /// The middle of a square lies beyond a pole.
    #[error(transparent)]
    Position(#[from] InvalidPosition),
}

/// Which of somebody's positions count as visits, and how finely places are told apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thinning {
    every: Duration,
    side_deg: f64,
}

impl Thinning {
    /// A visit every `every` (at least a second) at squares of `side_deg` degrees, 0.0001 to 1.
    ///
    /// # Errors
    /// [`ThinningError::Plan`] outside these ranges.
    pub fn new(every: Duration, side_deg: f64) -> Result<Self, ThinningError> {
        let fits = every.as_secs() >= 1 && (1e-4..=1.0).contains(&side_deg);
        if fits { Ok(Self { every, side_deg }) } else { Err(ThinningError::Plan) }
    }

    /// Each user's first position of every stretch of time, counted from the first instant of all, moved to the middle
    /// of its square. Thinning what was thinned changes nothing.
    ///
    /// # Errors
    /// [`ThinningError::Position`] where the middle of a square is nowhere.
    pub fn visits(self, traces: &Traces) -> Result<Traces, ThinningError> {
        let Some((start, _)) = traces.span() else { return Ok(Traces::default()) };
        let stretch = |at: Timestamp| at.since(start).as_secs() / self.every.as_secs();
        let mut visits = Vec::new();
        for (user, fixes) in traces.users() {
            for own in fixes.chunk_by(|a, b| stretch(a.at) == stretch(b.at)) {
                let position = self.middle(own[0].position)?;
                visits.push((user.to_owned(), Fix { at: own[0].at, position, category: None }));
            }
        }
        // names and numbers that fitted once fit again
        Ok(Traces::collect(visits).unwrap_or_default())
    }

    fn middle(self, place: LatLng) -> Result<LatLng, InvalidPosition> {
        // in whole squares, so that one square has one middle to the last bit
        let middle = |degrees: f64| ((degrees / self.side_deg).floor() + 0.5) * self.side_deg;
        LatLng::new(middle(place.lat()).clamp(-90.0, 90.0), middle(place.lng()).clamp(-180.0, 180.0))
    }
}

/// Movement of generated people: where each of them is every `every` for `length`, from the first instant of all
/// recordings.
///
/// # Errors
/// [`NoPlaces`] when nobody can live in `places`.
pub fn generated(
    places: &PlaceIndex,
    people: usize,
    length: Duration,
    every: Duration,
    seed: u64,
) -> Result<Traces, NoPlaces> {
    let residents = Residents::generate(places, people, seed)?;
    let steps = length.as_secs() / every.as_secs().max(1);
    let times = (0..steps).map(|step| evening().after(Duration::from_secs(step * every.as_secs())));
    let fixes = residents.all().iter().zip(0..).flat_map(|(resident, number): (_, u32)| {
        times
            .clone()
            .map(move |at| (format!("r{number:04}"), Fix { at, position: resident.position_at(at), category: None }))
    });
    Ok(Traces::collect(fixes).unwrap_or_default())
}

/// Everybody's risk, 0 to 1, by user: the largest 1 / matches over all choices of `known` visits. Two positions are one
/// place when they are equal to the last bit: thin first.
pub fn risks(visits: &Traces, known: usize) -> Vec<(String, f64)> {
    let mut places: HashMap<[u64; 2], u64> = HashMap::new();
    let mut histogram = |fixes: &[Fix]| {
        Histogram::from_visits(fixes.iter().map(|fix| {
            let next = places.len() as u64;
            *places.entry([fix.position.lat().to_bits(), fix.position.lng().to_bits()]).or_insert(next)
        }))
    };
    let users: Vec<Histogram> = visits.users().map(|(_, fixes)| histogram(fixes)).collect();
    let risks = knowledge_risks(&users, known, Knowledge::Visits);
    visits.users().map(|(user, _)| user.to_owned()).zip(risks).collect()
}

#[cfg(test)]
mod tests {
    use mosaic_geo::{city::synthetic_city, movement::read_csv};

    use super::*;

    fn thinning(seconds: u64, side_deg: f64) -> Thinning {
        Thinning::new(Duration::from_secs(seconds), side_deg).unwrap()
    }

    #[test]
    fn the_first_position_of_a_stretch_counts_at_the_middle_of_its_square() {
        let csv = "b,1000,10.004,20.0149\nb,1059,11,21\nb,1060,10.0051,20.0051\na,1030,10.001,20.019\n";
        let visits = thinning(60, 0.01).visits(&read_csv(csv).unwrap()).unwrap();
        let of = |user| visits.fixes(user).iter().map(|fix| (fix.at.as_secs(), fix.position)).collect::<Vec<_>>();
        let [first, second] = [of("b"), of("a")];
        assert_eq!(first.iter().map(|visit| visit.0).collect::<Vec<_>>(), [1_000, 1_060]);
        assert!((first[0].1.lat() - 10.005).abs() < 1e-9 && (first[0].1.lng() - 20.015).abs() < 1e-9);
        assert_eq!(first[0].1, second[0].1, "one square has one middle");
        assert_eq!(thinning(60, 0.01).visits(&visits).unwrap(), visits, "twice is once");
    }

    /// Three people, one square apart or together, counted by hand.
    #[test]
    fn risks_count_who_else_was_there_as_often() {
        let csv = "a,0,1,1\na,100,1,1\na,200,2,2\nb,0,1,1\nb,100,2,2\nc,0,1,1\nc,100,1,1\nc,200,2,2\n";
        let visits = thinning(100, 0.5).visits(&read_csv(csv).unwrap()).unwrap();
        let risk = |known| risks(&visits, known).into_iter().map(|(_, risk)| risk).collect::<Vec<_>>();
        assert_eq!(risk(1), [1.0 / 3.0; 3]);
        assert_eq!(risk(2), [0.5, 1.0 / 3.0, 0.5], "b was there once only");
        assert_eq!(risks(&visits, 1)[2].0, "c");
    }

    #[test]
    fn impossible_thinning_is_refused() {
        for (seconds, side) in [(0, 0.01), (60, 0.0), (60, 1.5), (60, f64::NAN)] {
            assert_eq!(Thinning::new(Duration::from_secs(seconds), side), Err(ThinningError::Plan));
        }
    }

    /// Seed 1: ten residents, four positions each, the same again for the same seed.
    #[test]
    fn generated_movement_repeats() {
        let make = || {
            let (day, hour) = (Duration::from_hours(24), Duration::from_hours(6));
            generated(&synthetic_city(1), 10, day, hour, 1).unwrap()
        };
        assert_eq!((make().len(), make().fix_count()), (10, 40));
        assert_eq!(make(), make());
    }
}
