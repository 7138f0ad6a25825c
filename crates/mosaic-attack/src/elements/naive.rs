//! The naive design of the source documents on a small check-in city, for tests.

use std::collections::VecDeque;

use rand::RngExt;
use rand_chacha::ChaCha20Rng;

use super::Rebroadcast;
use crate::{ByteStatistics, EventView, SlotView};

/// Five elements that describe one visit: venue, category, 1 km zone, 250 m cell, week slot.
pub(crate) type Context = [u64; 5];

/// A user's habits: places, the first ones visited most.
pub(crate) type Person = Vec<u64>;

const PLACES: u64 = 1_500;

/// `users` people who each have twelve favourite places near a home zone.
pub(crate) fn city(rng: &mut ChaCha20Rng, users: usize) -> Vec<Person> {
    let person = |rng: &mut ChaCha20Rng| {
        let home = rng.random_range(0..PLACES);
        (0..12).map(|_| (home + rng.random_range(0..60)) % PLACES).collect()
    };
    (0..users).map(|_| person(rng)).collect()
}

/// One visit: nine in ten to a favourite, earlier favourites more often.
pub(crate) fn visit(rng: &mut ChaCha20Rng, person: &Person) -> Context {
    let favourite = rng.random_range(0..12).min(rng.random_range(0..12));
    let place = if rng.random_bool(0.9) { person[favourite] } else { rng.random_range(0..PLACES) };
    let slot = place * 7 % 24 + rng.random_range(0..3);
    [place, 10_000 + place % 40, 20_000 + place / 30, 30_000 + place / 4, 40_000 + slot]
}

/// The truth and distinct elements of random earlier contexts until `ratio` of the broadcast is noise.
pub(crate) fn mix(
    rng: &mut ChaCha20Rng,
    user: u32,
    at: u64,
    truth: &Context,
    pool: &VecDeque<Context>,
    ratio: f64,
) -> EventView {
    let wanted = if pool.len() < 20 { 0 } else { (5.0 / (1.0 - ratio)).round() as usize - 5 };
    let mut slots: Vec<SlotView> =
        truth.iter().map(|&key| SlotView { key, chain: 0, bytes: ByteStatistics::default(), real: true }).collect();
    while slots.len() < 5 + wanted {
        let key = pool[rng.random_range(0..pool.len())][rng.random_range(0..5)];
        if slots.iter().all(|slot| slot.key != key) {
            slots.push(SlotView { key, chain: 0, bytes: ByteStatistics::default(), real: false });
        }
    }
    EventView { user, at, slots }
}

/// Interleaved histories; noise comes from the last 1,000 contexts, or (`pool` false) there is an
/// ideal defence: noise has the same law as the truth of a random other person.
pub(crate) fn mixed(rng: &mut ChaCha20Rng, users: u32, each: u64, ratio: f64, pool: bool) -> Vec<EventView> {
    let people = city(rng, users as usize);
    let mut recent: VecDeque<Context> = VecDeque::new();
    let mut events = Vec::new();
    for at in 0..u64::from(users) * each {
        let user = rng.random_range(0..users);
        let truth = visit(rng, &people[user as usize]);
        if pool {
            events.push(mix(rng, user, at, &truth, &recent, ratio));
        } else {
            // whole contexts of strangers, nobody tells which is whose
            let others: VecDeque<Context> = (0..3).map(|_| stranger(rng, &people)).collect();
            let real = stranger(rng, &people);
            let kinds = others.iter().map(|context| (context, false)).chain([(&real, true)]);
            let slots = kinds.flat_map(|(context, real)| {
                context.iter().map(move |&key| SlotView { key, chain: 0, bytes: ByteStatistics::default(), real })
            });
            events.push(EventView { user, at, slots: slots.collect() });
        }
        recent.push_back(truth);
        if recent.len() > 1_000 {
            recent.pop_front();
        }
    }
    events
}

fn stranger(rng: &mut ChaCha20Rng, people: &[Person]) -> Context {
    let person = rng.random_range(0..people.len());
    visit(rng, &people[person])
}

/// `contexts` contexts a user, each sent `times` times with fresh noise from 1,000 random contexts.
pub(crate) fn rebroadcasts(
    rng: &mut ChaCha20Rng,
    people: &[Person],
    contexts: usize,
    times: usize,
    ratio: f64,
) -> Vec<Rebroadcast> {
    let pool: VecDeque<Context> = (0..1_000).map(|_| stranger(rng, people)).collect();
    let mut sent = Vec::new();
    for (user, person) in people.iter().enumerate() {
        let user = user as u32;
        for _ in 0..contexts {
            let truth = visit(rng, person);
            let broadcasts = (0..times).map(|_| mix(rng, user, 0, &truth, &pool, ratio)).collect();
            sent.push(Rebroadcast { user, broadcasts });
        }
    }
    sent
}
