//! Worlds with faults, absences, floods and curious readers.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod absence;
mod blind;
mod codes;
mod counts;
mod crowd;
mod determinism;
mod faults;
mod groups;
mod hostile;
mod ledger;
mod logs;
mod meter;
mod modes;
mod retirement;
mod risk;
mod tokens;

use std::time::Duration;

use mosaic_geo::offset_m;
use mosaic_sim::{PersonId, Setup, World, every_card};
use mosaic_types::{Code, LatLng, Mode};

const HOUR: Duration = Duration::from_hours(1);

const WAVER: &str = "waver@quiet.example";
const OTHER: &str = "other at +351 555 0199";
const WORDS: &str = "coffee meetup by the yellow tram";

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

fn place() -> LatLng {
    LatLng::new(-45.004_213_7, 0.006_871_9).unwrap()
}

/// Two people, 330 m apart, who both broadcast the same wish.
fn two_who_want_coffee(setup: Setup) -> (World, PersonId, PersonId) {
    let mut world = World::new(setup).unwrap();
    let (alice, bob) = (world.join(Mode::Balanced), world.join(Mode::Balanced));
    world.advance(minutes(5));
    world.broadcast(alice, place(), WORDS).unwrap();
    world.broadcast(bob, near(), WORDS).unwrap();
    (world, alice, bob)
}

fn near() -> LatLng {
    offset_m(place(), 310.0, -120.0)
}

fn finds(world: &mut World, seeker: PersonId, sought: PersonId) -> bool {
    let now = world.now();
    let theirs: Vec<String> =
        world.person(sought).agent().broadcasts(now).broadcasts.into_iter().flat_map(|own| own.cards).collect();
    let found = world.look(seeker, near(), WORDS).unwrap();
    found.cards.iter().any(|card| theirs.contains(&card.id))
}

/// Lets the seeker look every five minutes until they find the other.
fn find_within(world: &mut World, limit: Duration, seeker: PersonId, sought: PersonId) -> bool {
    let until = world.now().after(limit);
    while world.now() < until {
        if finds(world, seeker, sought) {
            return true;
        }
        world.advance(minutes(5));
    }
    false
}

/// One waves at everybody, every hour as far as the mode allows, until the other sees it and accepts;
/// whether both then hold the other's contact.
fn meet_within(world: &mut World, limit: Duration, waver: PersonId, waved_at: PersonId) -> bool {
    let until = world.now().after(limit);
    let approached = |world: &World| !world.person(waved_at).agent().waves().waves.is_empty();
    while !approached(world) && world.now() < until {
        let waved = world.wave(waver, every_card(), WAVER);
        tracing::debug!(waved = waved.map_or(0, |reply| reply.associations.len()), "a round of waves");
        world.wait_for(HOUR, approached);
    }
    if world.accept_all(waved_at, OTHER).is_err() {
        return false;
    }
    let met = |world: &World| has(world, waver, OTHER) && has(world, waved_at, WAVER);
    world.wait_for(limit, met).is_some()
}

/// Whether somebody holds a contact. One who waved at the cards of two windows of one person may hold it twice.
fn has(world: &World, who: PersonId, contact: &str) -> bool {
    world.contacts_of(who).iter().any(|held| held == contact)
}
