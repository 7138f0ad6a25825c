use super::*;
use proptest::prelude::*;

#[test]
fn a_wave_is_accepted_and_contacts_are_exchanged() {
    let (mut alice, mut bob, mut table) = (Device::new(1), Device::new(2), Table::default());
    let card = alice.publishes(CardOrigin::Broadcast(1), minutes(0));
    let wave = bob.waves(minutes(1), &card);
    bob.accepts(minutes(1), wave, "bob@example.org");
    assert_eq!((bob.state(wave), bob.sends(minutes(2), &mut table)), (AssociationState::Waiting, 1));

    let events = alice.reads(minutes(3), &table);
    let approach = alice.only();
    assert_eq!(events, [AssociationEvent::Approached(approach)]);
    assert_eq!((alice.state(approach), alice.sends(minutes(4), &mut table)), (AssociationState::Approached, 1));
    assert_eq!(bob.reads(minutes(5), &table), [AssociationEvent::Answered(wave)]);
    assert_eq!((bob.state(wave), bob.sends(minutes(6), &mut table)), (AssociationState::Answered, 0));

    alice.accepts(minutes(7), approach, "alice, +351 000");
    assert_eq!((alice.state(approach), alice.sends(minutes(8), &mut table)), (AssociationState::Accepted, 3));
    assert_eq!(bob.reads(minutes(9), &table), [AssociationEvent::ContactReceived(wave)]);
    assert_eq!((bob.state(wave), bob.sends(minutes(10), &mut table)), (AssociationState::Connected, 3));
    assert_eq!(alice.reads(minutes(11), &table), [AssociationEvent::ContactReceived(approach)]);
    assert_eq!(alice.state(approach), AssociationState::Connected);
    assert_eq!(alice.contact(approach).as_deref(), Some("bob@example.org"));
    assert_eq!(bob.contact(wave).as_deref(), Some("alice, +351 000"));
    for device in [&alice, &bob] {
        assert!(device.associations.pairs.values().all(|pair| pair.ratchet.is_none()), "no key remains");
    }
}

#[test]
fn a_token_connects_two_people_whoever_accepts_first() {
    for alice_first in [true, false] {
        let mut table = Table::default();
        let (mut alice, mut bob, id, token) = joined(&mut table);
        assert_eq!(Associations::id_of_token(&token), id);
        if alice_first {
            alice.accepts(minutes(3), id, "alice");
        } else {
            bob.accepts(minutes(3), id, "bob");
        }
        for round in 0..4 {
            alice.reads(minutes(4 + 3 * round), &table);
            alice.sends(minutes(5 + 3 * round), &mut table);
            bob.reads(minutes(6 + 3 * round), &table);
            bob.sends(minutes(6 + 3 * round), &mut table);
        }
        if alice_first {
            assert_eq!((bob.state(id), alice.state(id)), (AssociationState::Offered, AssociationState::Accepted));
            bob.accepts(minutes(20), id, "bob");
        } else {
            assert_eq!((alice.state(id), bob.state(id)), (AssociationState::Offered, AssociationState::Accepted));
            alice.accepts(minutes(20), id, "alice");
        }
        alice.sends(minutes(21), &mut table);
        bob.sends(minutes(21), &mut table);
        alice.reads(minutes(22), &table);
        bob.reads(minutes(22), &table);
        assert_eq!((alice.contact(id).as_deref(), bob.contact(id).as_deref()), (Some("bob"), Some("alice")));
    }
}

#[test]
fn frames_wait_for_somebody_who_was_away_for_hours() {
    let (mut alice, mut bob, mut table) = (Device::new(1), Device::new(2), Table::default());
    let card = alice.publishes(CardOrigin::Broadcast(1), minutes(0));
    let wave = bob.waves(minutes(20), &card);
    bob.accepts(minutes(20), wave, "bob");
    bob.sends(minutes(65), &mut table);
    alice.reads(minutes(8 * 60), &table);
    let approach = alice.only();
    alice.sends(minutes(8 * 60 + 40), &mut table);
    alice.accepts(minutes(9 * 60), approach, "alice");
    alice.sends(minutes(9 * 60 + 45), &mut table);
    bob.reads(minutes(30 * 60), &table);
    assert_eq!(bob.contact(wave).as_deref(), Some("alice"));
    bob.sends(minutes(30 * 60 + 1), &mut table);
    alice.reads(minutes(44 * 60), &table);
    assert_eq!(alice.contact(approach).as_deref(), Some("bob"));
}

#[test]
fn a_persona_answers_like_an_unattended_person() {
    let traffic = |origin| {
        let (mut alice, mut bob, mut table) = (Device::new(1), Device::new(2), Table::default());
        let card = alice.publishes(origin, minutes(0));
        let wave = bob.waves(minutes(1), &card);
        bob.sends(minutes(2), &mut table);
        let noticed = alice.reads(minutes(3), &table).len();
        let sent: Vec<_> = (4..200).map(|minute| alice.sends(minutes(minute), &mut table)).collect();
        bob.reads(minutes(201), &table);
        (sent, table.records, bob.state(wave), noticed, alice.associations.list().len())
    };
    let (person, persona) = (traffic(CardOrigin::Broadcast(1)), traffic(CardOrigin::Persona(4)));
    assert_eq!(person.0, persona.0, "kind, number and moment");
    assert_eq!(person.1, persona.1, "from one seed even every byte is the same");
    assert_eq!((person.2, persona.2), (AssociationState::Answered, AssociationState::Answered));
    assert_eq!((person.3, person.4, persona.3, persona.4), (1, 1, 0, 0), "only the person is told");
}

#[test]
fn declining_is_silence_and_still_answers_like_an_unattended_card() {
    let (mut alice, mut bob, mut table) = (Device::new(1), Device::new(2), Table::default());
    let card = alice.publishes(CardOrigin::Broadcast(1), minutes(0));
    let wave = bob.waves(minutes(1), &card);
    bob.sends(minutes(2), &mut table);
    alice.reads(minutes(3), &table);
    let approach = alice.only();
    alice.associations.decline(approach).unwrap();
    assert_eq!(alice.sends(minutes(4), &mut table), 1, "the automatic answer");
    assert!((5..300).all(|minute| alice.sends(minutes(minute), &mut table) == 0));
    bob.reads(minutes(301), &table);
    assert_eq!((bob.state(wave), alice.state(approach)), (AssociationState::Answered, AssociationState::Declined));
    assert!(alice.associations.pairs[&approach].ratchet.is_none(), "the keys are gone");
    assert!(matches!(
        alice.associations.accept_with(minutes(302), approach, || contact_bytes("x")),
        Err(AcceptError::Over)
    ));
}

#[test]
fn deleting_is_silence_and_still_answers_like_an_unattended_card() {
    let traffic = |deletes: bool| {
        let (mut alice, mut bob, mut table) = (Device::new(1), Device::new(2), Table::default());
        let card = alice.publishes(if deletes { CardOrigin::Broadcast(1) } else { CardOrigin::Persona(1) }, minutes(0));
        let wave = bob.waves(minutes(1), &card);
        bob.sends(minutes(2), &mut table);
        alice.reads(minutes(3), &table);
        if deletes {
            let approach = alice.only();
            alice.associations.delete(approach).unwrap();
            assert_eq!(alice.associations.delete(approach), Err(UnknownAssociation));
            assert!(alice.associations.list().is_empty() && alice.associations.get(approach).is_none());
        }
        let sent: Vec<_> = (4..200).map(|minute| alice.sends(minutes(minute), &mut table)).collect();
        bob.reads(minutes(201), &table);
        assert!(alice.associations.pairs.is_empty(), "nothing outlives the answer");
        (sent, table.records, bob.state(wave))
    };
    let (deleted, persona) = (traffic(true), traffic(false));
    assert_eq!(deleted.0.iter().sum::<usize>(), 1);
    assert!(deleted == persona, "every byte is the same");
    assert_eq!(deleted.2, AssociationState::Answered);
}

#[test]
fn deleting_forgets_at_once() {
    let mut table = Table::default();
    let (mut alice, _, id, _) = joined(&mut table);
    alice.associations.delete(id).unwrap();
    assert_eq!(alice.associations.delete(id), Err(UnknownAssociation));
    assert!(alice.reads(minutes(3), &table).is_empty() && alice.associations.list().is_empty());
}

#[test]
fn a_frame_that_found_no_room_leaves_again_on_other_rows() {
    let mut table = Table::default();
    let (mut alice, mut bob, id, _) = joined(&mut table);
    bob.accepts(minutes(2), id, "bob");
    alice.reads(minutes(3), &table);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let frames = alice.frames(minutes(4));
        assert_eq!(frames.len(), 1);
        assert!(alice.frames(minutes(4)).is_empty(), "handed out means waiting for the report");
        assert!(seen.insert(*frames[0].key), "no row and key is ever used twice");
        alice.associations.requeue(&[frames[0].id]);
    }
    alice.sends(minutes(34), &mut table);
    bob.reads(minutes(70), &table);
    assert_eq!(bob.state(id), AssociationState::Accepted);
}

#[test]
fn an_unreported_frame_is_offered_again_after_forty_minutes() {
    let mut table = Table::default();
    let (mut alice, _, _, _) = joined(&mut table);
    alice.reads(minutes(3), &table);
    assert_eq!(alice.frames(minutes(4)).len(), 1);
    assert_eq!((alice.frames(minutes(43)).len(), alice.frames(minutes(44)).len()), (0, 1));
}

#[test]
fn settled_epochs_are_erased_before_their_time() {
    let mut table = Table::default();
    let (mut alice, mut bob, id, _) = joined(&mut table);
    alice.reads(minutes(3), &table);
    alice.associations.settled(minutes(10 * 60).epoch());
    bob.associations.settled(minutes(9 * 60).epoch());
    alice.reads(minutes(11 * 60), &table);
    let oldest = alice.associations.pairs[&id].ratchet.as_ref().unwrap().epochs().next().unwrap();
    assert_eq!(oldest, minutes(10 * 60).epoch().next());
    alice.sends(minutes(11 * 60), &mut table);
    bob.reads(minutes(12 * 60), &table);
    assert_eq!(bob.state(id), AssociationState::Answered);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Records come in any order, late, twice, mixed with junk: both contacts arrive all the same.
    #[test]
    fn order_repetition_and_junk_do_not_matter(seed: u64, gaps in prop::collection::vec(1_u64..90, 8), contact in "[a-z]{1,300}") {
        let (mut alice, mut bob, mut table) = (Device::new(seed), Device::new(seed ^ 1), Table::default());
        let mut shuffle = ChaCha20Rng::seed_from_u64(!seed);
        let card = alice.publishes(CardOrigin::Broadcast(1), minutes(0));
        let wave = bob.waves(minutes(1), &card);
        bob.accepts(minutes(1), wave, &contact);
        let mut minute = 2;
        for gap in gaps {
            for device in [&mut bob, &mut alice] {
                minute += gap;
                device.sends(minutes(minute), &mut table);
                let junk = (shuffle.next_u32() % ROWS, [7; 192]);
                table.records.push(junk);
                use rand::seq::SliceRandom;
                table.records.shuffle(&mut shuffle);
                device.reads(minutes(minute), &table);
                if let Some(view) = device.associations.list().first().filter(|view| view.state == AssociationState::Approached) {
                    device.accepts(minutes(minute), view.id, &contact);
                }
            }
        }
        let approach = alice.only();
        prop_assert_eq!((alice.contact(approach), bob.contact(wave)), (Some(contact.clone()), Some(contact)));
    }
}

/// L5-06, L5-17: what is shown of an association's end is when it ends.
#[test]
fn an_association_says_when_it_ends() {
    let (mut maker, mut joiner, mut table) = (Device::new(61), Device::new(62), Table::default());
    let (id, token) = maker.associations.create_token(minutes(0), &mut maker.rng).unwrap();
    let until = |device: &Device| device.associations.get(id).unwrap().until;
    assert_eq!(until(&maker), minutes(24 * 60));
    joiner.associations.join_token(minutes(60), &token, &mut joiner.rng).unwrap();
    joiner.sends(minutes(61), &mut table);
    maker.reads(minutes(62), &table);
    assert_eq!((until(&maker), until(&joiner)), (minutes(48 * 60), minutes(25 * 60)), "one has heard of the other");
    let second = std::time::Duration::from_secs(1);
    for (device, end) in [(&mut joiner, minutes(25 * 60)), (&mut maker, minutes(48 * 60))] {
        device.associations.expire(end.before(second));
        assert!(device.associations.get(id).is_some());
        device.associations.expire(end);
        let over = device.associations.get(id).is_none_or(|view| view.state == AssociationState::Expired);
        assert!(over, "and then it does");
    }
}
