use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mosaic_types::{LatLng, Timestamp};

use super::{Fix, Traces};
use crate::{Cell, Place, PlaceIndex, PlaceKind, PlaceTag, Provenance, Resolution, distance_m, sphere::centroid};

/// Somebody stayed around one place for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stay {
    /// The middle of the fixes.
    pub position: LatLng,
    /// The first of them.
    pub arrive: Timestamp,
    /// The last of them.
    pub leave: Timestamp,
}

/// Where somebody stayed: runs of fixes within `radius_m` metres of the run's first, at least `min_dwell` long
/// (Li et al., "Mining user similarity based on location history", 2008). The fixes are in order of time.
pub fn stay_points(fixes: &[Fix], radius_m: f64, min_dwell: Duration) -> Vec<Stay> {
    let (mut stays, mut rest) = (Vec::new(), fixes);
    while let Some(first) = rest.first() {
        let near = rest.iter().take_while(|fix| distance_m(first.position, fix.position) <= radius_m).count();
        let (run, after) = rest.split_at(near.max(1));
        let stay = run.last().filter(|last| last.at.since(first.at) >= min_dwell);
        let middle = stay.and_then(|_| centroid(run.iter().map(|fix| fix.position)));
        if let (Some(last), Some(position)) = (stay, middle) {
            stays.push(Stay { position, arrive: first.at, leave: last.at });
            rest = after;
        } else {
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    stays
}

/// How stops become places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gathering {
    /// How far around its first fix a stop may wander, in metres.
    pub radius_m: f64,
    /// How long a stop lasts at least.
    pub min_dwell: Duration,
    /// How many different users must have stopped there: a place that only one person visits is that person's home or
    /// secret and must not become public.
    pub min_users: usize,
}

impl Default for Gathering {
    fn default() -> Self {
        Self { radius_m: 60.0, min_dwell: Duration::from_mins(5), min_users: 3 }
    }
}

impl PlaceIndex {
    /// Places from a trace's own stops, for where no map extract fits: one per r9 cell in which enough different users
    /// stopped, at the middle of their stops. Each is of kind `stop=stop` and has no name.
    pub fn from_stays(traces: &Traces, gathering: Gathering, provenance: Provenance) -> Self {
        let mut cells: BTreeMap<Cell, (BTreeSet<usize>, Vec<LatLng>)> = BTreeMap::new();
        for (number, (_, fixes)) in traces.users().enumerate() {
            for stay in stay_points(fixes, gathering.radius_m, gathering.min_dwell) {
                let (users, stops) = cells.entry(Cell::at(stay.position, Resolution::R9)).or_default();
                users.insert(number);
                stops.push(stay.position);
            }
        }
        let kind = PlaceKind::new(PlaceTag::Stop, "stop");
        let shared = cells.into_values().filter(|(users, _)| users.len() >= gathering.min_users);
        let place = |position| Place { position, kind: kind.clone(), name: String::new(), hours: None };
        Self::from_places(shared.filter_map(|(_, stops)| centroid(stops)).map(place).collect(), provenance)
    }
}
