//! Who gets how much of what a device can answer, send and read.

use mailbox::{APPROACHES_PER_CARD_AND_EPOCH, APPROACHES_PER_EPOCH};
use mosaic_crypto::{agreement::AgreementPublic, handshake::Initiator};
use mosaic_wire::{Frame, FrameKind, Part, rows};

use super::{hello::Hello, *};

const CARDS: u8 = 5;

fn personas() -> Vec<CardOrigin> {
    (0..CARDS).map(CardOrigin::Persona).collect()
}

/// As many strangers as a card answers in an epoch wave at each of `cards`.
fn flood(cards: &[Card], table: &mut Table) {
    for (seed, card) in (100..).zip(cards.iter().flat_map(|card| [card; APPROACHES_PER_CARD_AND_EPOCH])) {
        let mut stranger = Device::new(seed);
        stranger.waves(minutes(0), card);
        stranger.sends(minutes(1), table);
    }
}

#[test]
fn all_cards_of_a_device_share_one_cap_whoever_they_belong_to() {
    let answered = |origins: &[CardOrigin]| {
        let (mut alice, mut table) = (Device::new(1), Table::default());
        flood(&alice.publishes_all(origins, minutes(0)), &mut table);
        alice.reads(minutes(2), &table);
        alice.reads(minutes(3), &table);
        let frames: Vec<_> = (4..29).flat_map(|minute| alice.frames(minutes(minute))).collect();
        frames.iter().map(|frame| (frame.rows, *frame.plain)).collect::<Vec<_>>()
    };
    let people: Vec<_> = (0..u64::from(CARDS)).map(CardOrigin::Broadcast).collect();
    let of_personas = answered(&personas());
    assert_eq!(of_personas.len(), APPROACHES_PER_EPOCH);
    assert!(of_personas == answered(&people), "every byte is the same");
}

#[test]
fn a_flood_holds_up_neither_the_person_nor_another_card() {
    let (mut alice, mut table) = (Device::new(1), Table::default());
    let cards = alice.publishes_all(&personas(), minutes(0));
    flood(&cards[..2], &mut table);
    alice.reads(minutes(2), &table);
    let mut late = Table::default();
    let mut bob = Device::new(2);
    let wave = bob.waves(minutes(2), &cards[4]);
    bob.sends(minutes(2), &mut late);
    alice.reads(minutes(3), &late);
    for seed in 50..58 {
        let card = Device::new(seed).publishes(CardOrigin::Persona(0), minutes(0));
        alice.waves(minutes(3), &card);
    }
    let mut kinds = |alice: &mut Device| {
        let frames = alice.frames(minutes(4));
        let kind = |frame: &OutgoingFrame| Frame::decode(frame.plain.as_slice()).unwrap().kind();
        let own = frames.iter().filter(|frame| kind(frame) == FrameKind::Hello).count();
        frames.iter().for_each(|frame| {
            let sealed = record::seal_record(&frame.key, RecordNonce::fixed_for_vectors([0; 24]), &frame.plain);
            late.records.push((frame.rows[0], sealed));
        });
        (own, frames.len() - own)
    };
    assert_eq!([kinds(&mut alice), kinds(&mut alice), kinds(&mut alice)], [(5, 5), (3, 7), (0, 5)]);
    late.records.truncate(11);
    bob.reads(minutes(5), &late);
    assert_eq!(bob.state(wave), AssociationState::Answered, "in the very first event");
}

#[test]
fn an_answer_leaves_within_two_epochs_or_with_an_acceptance() {
    let after = |origin, minute| {
        let (mut alice, mut bob, mut table) = (Device::new(1), Device::new(2), Table::default());
        let card = alice.publishes(origin, minutes(0));
        let wave = bob.waves(minutes(0), &card);
        bob.accepts(minutes(0), wave, "bob");
        bob.sends(minutes(1), &mut table);
        alice.reads(minutes(2), &table);
        let sent = alice.sends(minutes(minute), &mut table);
        (alice, bob, wave, table, sent)
    };
    for origin in [CardOrigin::Broadcast(1), CardOrigin::Persona(1)] {
        assert_eq!((after(origin, 59).4, after(origin, 60).4), (1, 0));
        assert_eq!(after(origin, 60).0.associations.queued(), 0);
    }
    assert!(after(CardOrigin::Persona(1), 60).0.associations.pairs.is_empty(), "its secrets are gone");
    let (mut alice, mut bob, wave, mut table, _) = after(CardOrigin::Broadcast(1), 60);
    let approach = alice.only();
    alice.accepts(minutes(300), approach, "alice");
    assert_eq!(alice.sends(minutes(301), &mut table), 4, "the answer and the contact");
    bob.reads(minutes(302), &table);
    bob.sends(minutes(303), &mut table);
    alice.reads(minutes(304), &table);
    assert_eq!((bob.contact(wave).as_deref(), alice.contact(approach).as_deref()), (Some("alice"), Some("bob")));
}

#[test]
fn a_root_sent_to_two_cards_of_one_device_meets_at_no_common_row() {
    let (mut alice, mut rng) = (Device::new(1), ChaCha20Rng::seed_from_u64(2));
    let cards = alice.publishes_all(&personas()[..2], minutes(0));
    let epoch = minutes(0).epoch();
    let mut table = Table::default();
    let ratchets: Vec<_> = cards
        .iter()
        .map(|card| {
            let hello = Hello { root: Zeroizing::new([7; 32]), base: epoch, purpose: hello::Purpose::Person };
            let initiator = Initiator::wave(&AgreementPublic::from_bytes(card.public));
            let (message, _) = initiator.start(hello.encode().as_slice(), &mut rng).unwrap();
            let plain = Frame::new(FrameKind::Hello, Part::WHOLE, &message).unwrap().encode();
            let sealed = record::seal_record(
                &rows::wave_key(&card.public, epoch, 0),
                RecordNonce::fixed_for_vectors([1; 24]),
                &plain,
            );
            table.records.push((rows::wave_row(&card.public, epoch, 0, 0, ROWS), sealed));
            hello.ratchet(Some(&card.public), &message)
        })
        .collect();
    alice.reads(minutes(1), &table);
    let replies = alice.frames(minutes(2));
    assert_eq!(replies.len(), 2);
    assert_ne!((replies[0].rows, *replies[0].key), (replies[1].rows, *replies[1].key));
    let theirs =
        |ratchet: &crate::ratchet::Ratchet| *ratchet.at(epoch).unwrap().key(mosaic_wire::Direction::FromResponder, 0);
    let known: std::collections::BTreeSet<_> = ratchets.iter().map(theirs).collect();
    assert!(replies.iter().all(|reply| known.contains(&*reply.key)), "and each sender finds its own");
}

#[test]
fn only_the_epochs_a_generation_can_hold_are_indexed_and_tried() {
    let (mut alice, mut bob, mut table) = (Device::new(1), Device::new(2), Table::default());
    let card = alice.publishes(CardOrigin::Persona(0), minutes(0));
    bob.waves(minutes(1), &card);
    bob.sends(minutes(2), &mut table);
    let (row, sealed) = table.records[0];
    let (now, epoch) = (minutes(300), minutes(2).epoch());
    let later = epoch.next().next()..=epoch.next().next();
    let other = alice.associations.wanted_for(now, ROWS, later.clone()).rows();
    assert!(other.len() <= 256 && !other.is_empty());
    let near = epoch.previous()..=epoch.next();
    let wanted = alice.associations.wanted_for(now, ROWS, near.clone());
    assert!(wanted.contains(row) && wanted.rows().len() <= 2 * 256, "the card begins with its window");
    let everything = alice.associations.wanted(now, ROWS).rows();
    assert!(other.iter().all(|row| everything.contains(row)) && everything.contains(&row));
    alice.associations.receive_from(now, later, row, &sealed, &mut alice.rng);
    assert_eq!(alice.associations.queued(), 0);
    alice.associations.receive_from(now, near, row, &sealed, &mut alice.rng);
    assert_eq!(alice.associations.queued(), 1);
    let nothing = Epoch(9)..=Epoch(3);
    assert!(alice.associations.wanted_for(now, ROWS, nothing).rows().is_empty());
}
