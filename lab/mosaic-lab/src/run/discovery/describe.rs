//! What an opened bundle looks like to somebody who knows the town, the person's earlier events, and perhaps the
//! person.

use std::collections::HashMap;

use anyhow::Result;
use mosaic_attack::Choice;
use mosaic_geo::{Cell, PlaceIndex, Residents, Resolution, distance_m};
use mosaic_types::LatLng;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::{
    naive::{Wish, wishes},
    opened::{Opened, OpenedSlot},
    runs::evening,
};

/// What a bundle is described by, in order; those of a profile follow.
pub(super) const FEATURES: [&str; 13] = [
    "times-seen",
    "hours-since-first",
    "hours-since-last",
    "own-cell",
    "own-class",
    "town-cell",
    "town-class",
    "metres-from-own-middle",
    "metres-to-next",
    "time-to-live",
    "resolution",
    "hour",
    "position",
];

/// How much of everybody's bundles name each class and each cell.
pub(super) struct Town {
    classes: HashMap<u64, f64>,
    cells: HashMap<Cell, f64>,
}

impl Town {
    pub(super) fn survey(opened: &[Opened]) -> Self {
        let mut town = Self { classes: HashMap::new(), cells: HashMap::new() };
        for slot in opened.iter().flat_map(|event| &event.slots) {
            *town.classes.entry(slot.class).or_default() += 1.0;
            *town.cells.entry(slot.cell).or_default() += 1.0;
        }
        town
    }
}

/// A clean profile: what the person wanted, and where, in weeks without any defence before the recording.
pub(super) struct Profile {
    classes: HashMap<u64, f64>,
    zones: HashMap<Cell, f64>,
    places: Vec<LatLng>,
}

/// Profiles of everybody, from `days` before the recording.
pub(super) fn profiles(places: &PlaceIndex, people: u32, seed: u64) -> Result<Vec<Profile>> {
    const DAYS: u64 = 14;
    let residents = Residents::generate(places, people as usize, seed)?;
    let mut rng = ChaCha20Rng::seed_from_u64(!seed);
    let start = evening().before(std::time::Duration::from_hours(24 * DAYS));
    let mut own: Vec<Vec<Wish>> = residents.all().iter().map(|_| Vec::new()).collect();
    wishes(residents.all(), places, start, DAYS, &mut rng)
        .into_iter()
        .for_each(|wish| own[wish.user as usize].push(wish));
    let profile = |wishes: Vec<Wish>| {
        let share = 1.0 / wishes.len().max(1) as f64;
        let (mut classes, mut zones) = (HashMap::new(), HashMap::new());
        for wish in &wishes {
            *classes.entry(wish.class.get().into()).or_default() += share;
            *zones.entry(Cell::at(wish.place, Resolution::R7)).or_default() += share;
        }
        Profile { classes, zones, places: wishes.iter().map(|wish| wish.place).collect() }
    };
    Ok(own.into_iter().map(profile).collect())
}

/// The events with a real bundle as choices, those where `wanted` says yes to how many times the same bundle has
/// been sent by then. What came before, in windows that are over and in this one, is used.
pub(super) fn choices(
    opened: &[Opened],
    town: &Town,
    profiles: Option<&Vec<Profile>>,
    wanted: impl Fn(usize) -> bool,
) -> Vec<Choice> {
    let mut asked = Vec::new();
    for own in opened.chunk_by(|a, b| a.user == b.user) {
        let mut history = History::default();
        for event in own {
            let profile = profiles.and_then(|all| all.get(event.user as usize));
            if let Some(truth) = event.real() {
                let sent = history.seen.get(&event.slots[truth].key()).map_or(0, |seen| seen.times as usize) + 1;
                if wanted(sent) {
                    let rows =
                        event.slots.iter().enumerate().map(|(at, slot)| history.row(event, at, slot, town, profile));
                    asked.push(Choice { user: event.user, rows: contrast(rows.collect()), truth });
                }
            }
            history.absorb(event);
        }
    }
    asked
}

/// How far each lies from the mean of its event, beside its own numbers.
fn contrast(rows: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let mean = |at: usize| rows.iter().map(|row| row[at]).sum::<f64>() / rows.len() as f64;
    let means: Vec<f64> = (0..rows.first().map_or(0, Vec::len)).map(mean).collect();
    let widen =
        |row: &Vec<f64>| row.iter().copied().chain(row.iter().zip(&means).map(|(value, mean)| value - mean)).collect();
    rows.iter().map(widen).collect()
}

#[derive(Clone, Copy)]
struct Seen {
    times: f64,
    first: u64,
    last: u64,
}

/// What one writer sent before.
#[derive(Default)]
struct History {
    seen: HashMap<u64, Seen>,
    cells: HashMap<Cell, f64>,
    classes: HashMap<u64, f64>,
    centre: (f64, f64, f64),
}

impl History {
    fn absorb(&mut self, event: &Opened) {
        let at = event.at.as_secs();
        for slot in &event.slots {
            let seen = self.seen.entry(slot.key()).or_insert(Seen { times: 0.0, first: at, last: at });
            (seen.times, seen.last) = (seen.times + 1.0, at);
            *self.cells.entry(slot.cell).or_default() += 1.0;
            *self.classes.entry(slot.class).or_default() += 1.0;
            let place = slot.cell.center();
            self.centre = (self.centre.0 + place.lat(), self.centre.1 + place.lng(), self.centre.2 + 1.0);
        }
    }

    fn row(&self, event: &Opened, index: usize, slot: &OpenedSlot, town: &Town, profile: Option<&Profile>) -> Vec<f64> {
        let seen = self.seen.get(&slot.key()).copied();
        let (place, now) = (slot.cell.center(), event.at.as_secs());
        let hours = |since: u64| now.saturating_sub(since) as f64 / 3_600.0;
        let log = |count: Option<&f64>| (1.0 + count.copied().unwrap_or(0.0)).ln();
        let middle = LatLng::new(self.centre.0 / self.centre.2, self.centre.1 / self.centre.2).ok();
        let others = event.slots.iter().enumerate().filter(|(other, _)| *other != index);
        let nearest = others.map(|(_, other)| distance_m(place, other.cell.center())).fold(f64::INFINITY, f64::min);
        let mut row = vec![
            seen.map_or(0.0, |seen| seen.times),
            seen.map_or(-1.0, |seen| hours(seen.first)),
            seen.map_or(-1.0, |seen| hours(seen.last)),
            log(self.cells.get(&slot.cell)),
            log(self.classes.get(&slot.class)),
            log(town.cells.get(&slot.cell)),
            log(town.classes.get(&slot.class)),
            middle.map_or(0.0, |middle| distance_m(place, middle)),
            nearest.min(1e5),
            f64::from(slot.ttl),
            slot.cell.resolution().number().into(),
            (now / 3_600 % 24) as f64,
            index as f64,
        ];
        if let Some(profile) = profile {
            let share = |share: Option<&f64>| (share.copied().unwrap_or(0.0) + 0.01).ln();
            let zone = slot.cell.parent(Resolution::R7).unwrap_or(slot.cell);
            let near = profile.places.iter().map(|known| distance_m(*known, place)).fold(1e5, f64::min);
            row.extend([share(profile.classes.get(&slot.class)), share(profile.zones.get(&zone)), near]);
        }
        row
    }
}
