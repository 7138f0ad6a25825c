//! What an opened bundle looks like to somebody who knows the town, the person's earlier events, and perhaps the
//! person.

use std::collections::HashMap;

use anyhow::Result;
use mosaic_attack::{Choice, History, Popularity, contrast};
use mosaic_geo::{Cell, PlaceIndex, Residents, Resolution, distance_m};
use mosaic_types::{ClassId, LatLng};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::{
    naive::{Wish, wishes},
    opened::Opened,
    runs::evening,
};

/// What a bundle is described by, in order; those of a profile follow. The library's features, and where it stands.
pub(super) const FEATURES: [&str; mosaic_attack::FEATURES.len() + 1] = {
    let mut all = ["position"; mosaic_attack::FEATURES.len() + 1];
    let mut at = 0;
    while at < mosaic_attack::FEATURES.len() {
        all[at] = mosaic_attack::FEATURES[at];
        at += 1;
    }
    all
};

/// How much of everybody's bundles name each class and each cell.
pub(in crate::run) struct Town {
    classes: HashMap<ClassId, f64>,
    cells: HashMap<Cell, f64>,
}

impl Popularity for Town {
    fn of_cell(&self, cell: Cell) -> f64 {
        self.cells.get(&cell).copied().unwrap_or_default()
    }

    fn of_class(&self, class: ClassId) -> f64 {
        self.classes.get(&class).copied().unwrap_or_default()
    }
}

impl Town {
    pub(in crate::run) fn survey(opened: &[Opened]) -> Self {
        let mut town = Self { classes: HashMap::new(), cells: HashMap::new() };
        for slot in opened.iter().flat_map(|event| &event.slots) {
            *town.classes.entry(slot.class).or_default() += 1.0;
            *town.cells.entry(slot.cell).or_default() += 1.0;
        }
        town
    }
}

/// A clean profile: what the person wanted, and where, in weeks without any defence before the recording.
pub(in crate::run) struct Profile {
    pairs: HashMap<(ClassId, Cell), u32>,
    classes: HashMap<ClassId, f64>,
    zones: HashMap<Cell, f64>,
    places: Vec<LatLng>,
}

impl Profile {
    /// What was wanted most often, and in which zone.
    pub(in crate::run) fn commonest(&self) -> Option<(ClassId, Cell)> {
        self.pairs.iter().max_by_key(|(pair, times)| (**times, **pair)).map(|(pair, _)| *pair)
    }
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
        let (mut classes, mut zones, mut pairs) = (HashMap::new(), HashMap::new(), HashMap::new());
        for wish in &wishes {
            let zone = Cell::at(wish.place, Resolution::R7);
            *classes.entry(wish.class).or_default() += share;
            *zones.entry(zone).or_default() += share;
            *pairs.entry((wish.class, zone)).or_default() += 1;
        }
        Profile { pairs, classes, zones, places: wishes.iter().map(|wish| wish.place).collect() }
    };
    Ok(own.into_iter().map(profile).collect())
}

/// The events with a real bundle as choices, those where `wanted` says yes to how many times the same bundle has
/// been sent by then. What came before, in windows that are over and in this one, is used.
pub(super) fn choices(
    opened: &[Opened],
    town: &Town,
    profiles: Option<&[Profile]>,
    wanted: impl Fn(usize) -> bool,
) -> Vec<Choice> {
    ask(opened, town, profiles, |event, history| {
        event.real().filter(|truth| wanted(history.times(&event.slots[*truth].seen()) + 1))
    })
}

/// The events for which `truth` names a bundle, or one beyond the last where none is real, as choices.
pub(in crate::run) fn choices_among(
    opened: &[Opened],
    town: &Town,
    profiles: Option<&[Profile]>,
    truth: impl Fn(&Opened) -> Option<usize>,
) -> Vec<Choice> {
    ask(opened, town, profiles, |event, _| truth(event))
}

fn ask(
    opened: &[Opened],
    town: &Town,
    profiles: Option<&[Profile]>,
    truth: impl Fn(&Opened, &History) -> Option<usize>,
) -> Vec<Choice> {
    let mut asked = Vec::new();
    for own in opened.chunk_by(|a, b| a.user == b.user) {
        let mut history = History::of_everything();
        for event in own {
            let profile = profiles.and_then(|all| all.get(event.user as usize));
            if let Some(truth) = truth(event, &history) {
                let rows = contrast(&rows(&history, event, town, profile));
                asked.push(Choice { user: event.user, rows, truth });
            }
            history.absorb(event.at, &event.bundles());
        }
    }
    asked
}

/// The library's numbers, the position in the event, and what a profile adds.
fn rows(history: &History, event: &Opened, town: &Town, profile: Option<&Profile>) -> Vec<Vec<f64>> {
    let mut rows = history.rows(event.at, &event.bundles(), town);
    for (at, (row, slot)) in rows.iter_mut().zip(&event.slots).enumerate() {
        row.push(at as f64);
        if let Some(profile) = profile {
            let share = |share: Option<&f64>| (share.copied().unwrap_or(0.0) + 0.01).ln();
            let zone = slot.cell.parent(Resolution::R7).unwrap_or(slot.cell);
            let place = slot.cell.center();
            let near = profile.places.iter().map(|known| distance_m(*known, place)).fold(1e5, f64::min);
            row.extend([share(profile.classes.get(&slot.class)), share(profile.zones.get(&zone)), near]);
        }
    }
    rows
}
