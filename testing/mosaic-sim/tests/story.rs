//! The journey of one event, in the seven steps of DESIGN section 3: two strangers want coffee, find each
//! other through three providers, and exchange contacts; then two friends meet by a token. Virtual time.
//!
//! If you read one test of MOSAIC, read this one.

use std::time::Duration;

use mosaic_agent::{AgentEvent, EventTruth, TruthLog};
use mosaic_api::Granularity;
use mosaic_geo::offset_m;
use mosaic_release::SlotTruth;
use mosaic_sim::{Needles, PersonId, Setup, World, every_card};
use mosaic_types::{Lane, LatLng, Mode};
use mosaic_wire::{EventFields, event_hash};

const HOUR: Duration = Duration::from_hours(1);

const ALICE_SAYS: &str = "coffee meetup by the yellow tram";
const BOB_SAYS: &str = "coffee meetup, anyone?";
const ALICE: &str = "alice@quiet.example";
const BOB: &str = "bob on +351 555 0199";

#[test]
fn two_strangers_meet_for_coffee_and_nobody_else_learns_of_it() {
    let mut world = World::new(Setup { truth: TruthLog::Record, ..Setup::new(7) }).unwrap();
    let (alice, bob, carol) = (world.join(Mode::Balanced), world.join(Mode::Balanced), world.join(Mode::Balanced));
    let alices_place = LatLng::new(-45.004_213_7, 0.006_871_9).unwrap();
    let bobs_place = offset_m(alices_place, 310.0, -120.0);
    world.advance(Duration::from_mins(10));

    // 1. Draft. Alice says what she wants and where she is; from here on both are `Sensitive`.
    let accepted = world.broadcast(alice, alices_place, ALICE_SAYS).unwrap();
    world.broadcast(bob, bobs_place, BOB_SAYS).unwrap();

    // 2. Release. Words became class and topics, the place a blurred cell, and the ledger was charged; the
    //    noise she gets is what she asked for or more.
    assert!(
        accepted.noise.effective.discovery >= 0.60 && accepted.noise.effective.discovery >= accepted.noise.requested
    );
    assert_eq!(accepted.granularity, Granularity::Fine);
    assert!(accepted.ledger_left < 10.0 && !accepted.topics.is_empty());

    // 3. Seal. One of the events that leave carries her bundle: in one of ten slots that look alike.
    let waited = world.wait_for(HOUR, |world| hers(world, alice).is_some());
    assert!(waited.is_some(), "her bundle leaves within the hour");
    world.advance(Duration::from_mins(1));
    let event = hers(&world, alice).unwrap();
    assert_eq!(event.slots.iter().filter(|slot| slot.is_real()).count(), 1);
    let stored = stored_events(&world).find(|bytes| event_hash(bytes) == event.event).unwrap();
    let rows = EventFields::decode(&stored).unwrap().rows.map(|tag| tag.row());
    assert_eq!(rows.iter().collect::<std::collections::BTreeSet<_>>().len(), 10, "ten distinct rows");

    // 4. Send. Events leave on schedule, on both lanes in turn, through a relay; Carol, who has nothing to
    //    say, sends as many as Alice.
    world.advance(HOUR);
    let sent = |who, lane| released(&world, who, lane);
    for lane in [Lane::Discovery, Lane::Rendezvous] {
        assert!(sent(carol, lane).abs_diff(sent(alice, lane)) <= 1 && sent(carol, lane) >= 5);
    }
    assert!(world.providers().into_iter().all(|provider| world.learned_by(provider).relayed() > 0));

    // 5. Provider. Whatever was released is acknowledged: it lies at its origin and at one replica.
    let acknowledged =
        world.person(carol).happened().iter().filter(|(_, event)| matches!(event, AgentEvent::Acknowledged(_)));
    assert!(acknowledged.count() + 2 >= sent(carol, Lane::Discovery) + sent(carol, Lane::Rendezvous));

    // 6. Discover. Bob reads the rows of the cells around him; Alice's card is among what opens, and
    //    nothing in it says that it is the real one.
    let found = world.look(bob, bobs_place, BOB_SAYS).unwrap();
    let card = found.cards.iter().find(|card| her_cards(&world, alice).contains(&card.id)).expect("Bob finds Alice");
    assert!(card.distance_m - card.uncertainty_m <= 333.0 && 333.0 <= card.distance_m + card.uncertainty_m);
    assert_eq!(card.text.as_deref(), Some(ALICE_SAYS), "he named her topic, so he reads her words");

    // 7. Associate. He waves at every card; all answer by themselves, and only a person can accept.
    world.wave(bob, every_card(), BOB).unwrap();
    let approached = world.wait_for(HOUR, |world| !world.person(alice).agent().waves().waves.is_empty());
    assert!(approached.is_some(), "Alice sees the wave");
    world.accept_all(alice, ALICE).unwrap();
    let met = world.wait_for(HOUR, |world| world.contacts_of(bob) == [ALICE] && world.contacts_of(alice) == [BOB]);
    assert!(met.is_some(), "both hold the other's contact");

    //    Carol and Alice know each other already: a 32-character token, used once, is enough.
    let offer = world.associate(carol, None, "carol").unwrap();
    world.associate(alice, offer.token.clone(), ALICE).unwrap();
    let joined = world.wait_for(HOUR, |world| {
        world.contacts_of(carol) == [ALICE] && world.contacts_of(alice).contains(&"carol".to_owned())
    });
    assert!(joined.is_some(), "the token connects them");

    // And the providers? Everything they ever received holds no word, no place, no contact, no token.
    let needles = Needles::new()
        .words(ALICE_SAYS)
        .words(BOB_SAYS)
        .place(alices_place)
        .place(bobs_place)
        .contact(ALICE)
        .contact(BOB)
        .key(offer.token.unwrap().as_bytes());
    for provider in world.providers() {
        let learned = world.learned_by(provider).bytes();
        assert!(learned.len() > 500_000 && needles.found_in(learned).is_empty(), "provider {provider}");
        assert!(!needles.found_in(&[learned, ALICE.as_bytes()].concat()).is_empty(), "the search itself works");
    }
}

/// The first event that carries a bundle of this person.
fn hers(world: &World, who: PersonId) -> Option<EventTruth> {
    let carries = |event: &&EventTruth| event.slots.iter().any(|slot| matches!(slot, SlotTruth::Broadcast(_)));
    world.person(who).truth().iter().find(carries).cloned()
}

fn her_cards(world: &World, who: PersonId) -> Vec<String> {
    let now = world.now();
    world.person(who).agent().broadcasts(now).broadcasts.into_iter().flat_map(|broadcast| broadcast.cards).collect()
}

/// Every event that reached a provider from an agent.
fn stored_events(world: &World) -> impl Iterator<Item = [u8; 2048]> + '_ {
    world.providers().into_iter().flat_map(|provider| world.learned_by(provider).events().map(|(_, event)| *event))
}

fn released(world: &World, who: PersonId, lane: Lane) -> usize {
    let is = |(_, event): &&(_, AgentEvent)| *event == AgentEvent::Released(lane);
    world.person(who).happened().iter().filter(is).count()
}
