//! Movement to attack: recorded if there is any, else that of generated residents.

use std::time::Duration;

use anyhow::Result;
use mosaic_geo::{PlaceIndex, Residents, displacement_m, movement::position_at, offset_m};
use mosaic_types::{LatLng, Timestamp};

use crate::{RunPlan, runs::evening};

/// Everybody's positions in order of time.
pub(in crate::run) struct Walks {
    people: Vec<Vec<(Timestamp, LatLng)>>,
    middle: Timestamp,
    axis_mps: f64,
    /// From where to where what is released is moved.
    shift: Option<(LatLng, LatLng)>,
}

/// Days that residents are followed, and how often.
const DAYS: u64 = 14;
const EVERY: Duration = Duration::from_mins(15);
/// Movement farther than this from any public place is moved onto the places.
const NEAR_M: f64 = 3_000.0;

impl Walks {
    /// Movement as it was recorded, or that of residents.
    pub(in crate::run) fn new(places: &PlaceIndex, plan: &RunPlan) -> Result<Self> {
        let Some((_, traces)) = &plan.traces else { return Self::of_residents(places, plan) };
        let people: Vec<Vec<(Timestamp, LatLng)>> =
            traces.users().map(|(_, fixes)| fixes.iter().map(|fix| (fix.at, fix.position)).collect()).collect();
        let (from, to) = traces.span().unwrap_or((evening(), evening()));
        let middle = from.after(Duration::from_secs(to.as_secs().saturating_sub(from.as_secs()) / 2));
        let ends = median(&people).zip(places.center());
        let far = |here| places.nearest(here, 1).first().is_none_or(|(_, metres)| *metres > NEAR_M);
        Ok(Self { people, middle, axis_mps: 7.0, shift: ends.filter(|(here, _)| far(*here)) })
    }

    fn of_residents(places: &PlaceIndex, plan: &RunPlan) -> Result<Self> {
        let residents = Residents::generate(places, plan.size.people as usize, plan.seed)?;
        let steps = DAYS * 86_400 / EVERY.as_secs();
        let times: Vec<Timestamp> = (0_u32..).map(|step| evening().after(EVERY * step)).take(steps as usize).collect();
        let people =
            residents.all().iter().map(|one| times.iter().map(|at| (*at, one.position_at(*at))).collect()).collect();
        Ok(Self { people, middle: evening().after(Duration::from_hours(12 * DAYS)), axis_mps: 1.4, shift: None })
    }

    pub(in crate::run) fn people(&self) -> impl Iterator<Item = &[(Timestamp, LatLng)]> {
        self.people.iter().map(Vec::as_slice)
    }

    /// Where a position lies for the release. Movement elsewhere than the places is shifted by one vector onto them,
    /// so that there are places to make decoys of; distances keep.
    pub(in crate::run) fn placed(&self, place: LatLng) -> LatLng {
        let Some((here, there)) = self.shift else { return place };
        let (east, north) = displacement_m(here, place);
        offset_m(there, east, north)
    }

    /// Before it lies what the attacker learns from, after it what it links.
    pub(in crate::run) const fn middle(&self) -> Timestamp {
        self.middle
    }

    /// Speed on one axis, for filters.
    pub(in crate::run) const fn axis_mps(&self) -> f64 {
        self.axis_mps
    }
}

/// The point whose coordinates are the medians.
fn median(people: &[Vec<(Timestamp, LatLng)>]) -> Option<LatLng> {
    let axis = |of: fn(LatLng) -> f64| {
        let mut all: Vec<f64> = people.iter().flatten().step_by(97).map(|(_, place)| of(*place)).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied()
    };
    LatLng::new(axis(LatLng::lat)?, axis(LatLng::lng)?).ok()
}

/// The first `count` minutes in which somebody moves, a position a minute, between recorded ones on a straight line.
pub(in crate::run) fn minutes(fixes: &[(Timestamp, LatLng)], count: u64) -> Vec<(Timestamp, LatLng)> {
    let moving = fixes.windows(2).position(|pair| mosaic_geo::distance_m(pair[0].1, pair[1].1) > 100.0);
    let Some(start) = moving.and_then(|at| fixes.get(at)).map(|fix| fix.0) else { return Vec::new() };
    let known: Vec<mosaic_geo::Fix> =
        fixes.iter().map(|(at, position)| mosaic_geo::Fix { at: *at, position: *position, category: None }).collect();
    let step = |minute| start.after(Duration::from_mins(minute));
    (0..count).map(step).filter_map(|at| Some((at, position_at(&known, at)?))).collect()
}
