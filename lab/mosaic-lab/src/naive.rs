//! The naive design as the baseline: elements in clear, noise from other people's recent elements.
//!
//! This is what PRIVACY 1.1 measures: five true elements an event (venue, class, 1 km zone, 250 m
//! cell, slot of the week), mixed with elements of the last thousand contexts of others until the
//! wanted share is noise.

use std::collections::{HashSet, VecDeque};

use std::time::Duration;

use mosaic_attack::{ByteStatistics, EventView, Rebroadcast, SlotView};
use mosaic_geo::{PlaceIndex, Resident};
use mosaic_types::{ClassId, LatLng, Timestamp};
use rand::{Rng, RngExt, seq::SliceRandom};

/// A person's true wish at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Who.
    pub user: u32,
    /// When.
    pub at: Timestamp,
    /// Where, truly.
    pub place: LatLng,
    /// What class of thing.
    pub class: ClassId,
    /// Position of the nearest public venue: names it.
    pub venue: LatLng,
}

/// What `people` want in `days` days from `start`: one to three wishes a day, wherever they are then.
/// In order of time.
pub fn wishes(people: &[Resident], places: &PlaceIndex, start: Timestamp, days: u64, rng: &mut impl Rng) -> Vec<Wish> {
    let mut wishes = Vec::new();
    for (user, person) in (0..).zip(people) {
        for day in 0..days {
            for _ in 0..rng.random_range(1..=3) {
                let second = day * 86_400 + rng.random_range(0..86_400);
                let at = start.after(Duration::from_secs(second));
                wishes.push(Wish::of(user, person, places, at, rng));
            }
        }
    }
    wishes.sort_by_key(|wish| wish.at);
    wishes
}

impl Wish {
    /// What a person wants at an instant: mostly what it likes best, where it is then.
    pub fn of(user: u32, person: &Resident, places: &PlaceIndex, at: Timestamp, rng: &mut impl Rng) -> Self {
        let class = person.interests()[[0, 0, 0, 1, 1, 2][rng.random_range(0..6)]];
        let place = person.position_at(at);
        let venue = places.nearest(place, 1).first().map_or(place, |(venue, _)| venue.position);
        Self { user, at, place, class, venue }
    }
}

/// Contexts kept for mixing.
const POOL: usize = 1_000;
/// Contexts released before recording starts, so that the pool is full of ordinary ones.
const WARM_UP: usize = 1_000;

/// What a server of the naive design sees of `wishes` (in order of time) at a noise ratio below 1.
pub fn naive_traffic(wishes: &[Wish], ratio: f64, rng: &mut impl Rng) -> Vec<EventView> {
    let mut pool: VecDeque<u64> = VecDeque::new();
    let mut events = Vec::with_capacity(wishes.len());
    for (number, wish) in wishes.iter().enumerate() {
        let truth = elements(wish);
        let wanted = (truth.len() as f64 / (1.0 - ratio)).round() as usize - truth.len();
        let noise = rand::seq::index::sample(rng, pool.len(), wanted.min(pool.len()));
        let mut slots: Vec<SlotView> = truth.iter().map(|&key| slot(key, true)).collect();
        slots.extend(noise.iter().map(|index| slot(pool[index], false)));
        slots.shuffle(rng);
        if number >= WARM_UP.min(wishes.len() / 4) {
            events.push(EventView { user: wish.user, at: wish.at.as_secs(), slots });
        }
        pool.extend(truth);
        while pool.len() > POOL * 5 {
            pool.pop_front();
        }
    }
    events
}

/// The same with the redundancy of "adaptive noise": the first element is sent five times, the second twice.
pub fn redundant_traffic(wishes: &[Wish], ratio: f64, rng: &mut impl Rng) -> Vec<EventView> {
    let mut events = naive_traffic(wishes, ratio, rng);
    for event in &mut events {
        // one who counts on purpose sends nothing twice by chance
        let mut met = HashSet::new();
        event.slots.sort_by_key(|slot| !slot.real);
        event.slots.retain(|slot| met.insert(slot.key));
        let mut real = event.slots.iter().filter(|slot| slot.real).copied();
        let (first, second) = (real.next(), real.next());
        event.slots.extend(first.into_iter().flat_map(|slot| [slot; 4]).chain(second));
    }
    events
}

/// One wish sent `times` times, each time with fresh noise from the elements of `pool`.
pub fn rebroadcast(wish: &Wish, pool: &VecDeque<Wish>, ratio: f64, times: usize, rng: &mut impl Rng) -> Rebroadcast {
    let truth = elements(wish);
    let wanted = (truth.len() as f64 / (1.0 - ratio)).round() as usize - truth.len();
    let mut send = || {
        let mut slots: Vec<SlotView> = truth.iter().map(|&key| slot(key, true)).collect();
        let noise = rand::seq::index::sample(rng, pool.len() * truth.len(), wanted.min(pool.len()));
        let drawn = noise.iter().map(|index| elements(&pool[index / truth.len()])[index % truth.len()]);
        // what the truth holds already adds nothing
        slots.extend(drawn.filter(|key| !truth.contains(key)).map(|key| slot(key, false)));
        EventView { user: wish.user, at: wish.at.as_secs(), slots }
    };
    Rebroadcast { user: wish.user, broadcasts: (0..times).map(|_| send()).collect() }
}

/// Distinct numbers for the five elements; the kind is in the top bits, as a label would be.
fn elements(wish: &Wish) -> [u64; 5] {
    let grid = |step_m: f64| {
        let north = (wish.place.lat() * 111_195.0 / step_m).floor() as i64;
        let east = (wish.place.lng() * 111_195.0 * wish.place.lat().to_radians().cos() / step_m).floor() as i64;
        ((north as u64) << 24 ^ (east as u64 & 0xFF_FFFF)) & 0xFF_FFFF_FFFF_FFFF
    };
    let kind = |number: u64, value: u64| number << 60 | value;
    [
        kind(1, (wish.venue.lat().to_bits() ^ wish.venue.lng().to_bits().rotate_left(32)) >> 4),
        kind(2, category(wish)),
        kind(3, grid(1_000.0)),
        kind(4, grid(250.0)),
        kind(5, wish.at.as_secs() / 3_600 % 168),
    ]
}

/// As fine as the 232 categories of the check-ins that the first figures were measured on (PRIVACY 0.3): the class,
/// and one of 14 kinds of its venues.
fn category(wish: &Wish) -> u64 {
    let venue = wish.venue.lat().to_bits() ^ wish.venue.lng().to_bits().rotate_left(32);
    let kind = ((venue ^ venue >> 29).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % 14;
    u64::from(wish.class.get()) << 8 | kind
}

fn slot(key: u64, real: bool) -> SlotView {
    SlotView { key, chain: 0, bytes: ByteStatistics::default(), real }
}

/// A point displaced by fresh planar Laplace noise of the given scale: the naive report of a place,
/// redrawn each time (Andres et al. 2013; ε = ln 4 / `scale_m`).
pub fn fresh_report(place: LatLng, scale_m: f64, rng: &mut impl Rng) -> LatLng {
    let epsilon = 4_f64.ln() / scale_m;
    // the radius of planar Laplace noise is a Gamma(2, 1/ε): the sum of two exponentials
    let exponential = |rng: &mut dyn FnMut() -> f64| -(1.0 - rng()).ln() / epsilon;
    let mut uniform = || rng.random_range(0.0..1.0);
    let radius = exponential(&mut uniform) + exponential(&mut uniform);
    let angle = uniform() * std::f64::consts::TAU;
    mosaic_geo::offset_m(place, radius * angle.cos(), radius * angle.sin())
}
