use super::*;

#[test]
fn twenty_five_waves_an_hour() {
    let mut bob = Device::new(2);
    let card = |seed| Device::new(seed).publishes(CardOrigin::Persona(0), minutes(0));
    for seed in 10..35 {
        bob.waves(minutes(seed - 10), &card(seed));
    }
    let retry_at = minutes(60);
    assert_eq!(bob.associations.wave(minutes(59), &card(35), &mut bob.rng), Err(WaveError::TooMany { retry_at }));
    assert!(bob.associations.wave(retry_at, &card(35), &mut bob.rng).is_ok());
}

#[test]
fn waves_that_make_no_sense_are_refused() {
    let mut bob = Device::new(2);
    let own = bob.publishes(CardOrigin::Persona(0), minutes(0));
    assert_eq!(bob.associations.wave(minutes(1), &own, &mut bob.rng), Err(WaveError::Own));
    let mut card = Device::new(3).publishes(CardOrigin::Persona(0), minutes(0));
    let first = bob.waves(minutes(1), &card);
    assert_eq!(bob.associations.wave(minutes(2), &card, &mut bob.rng), Err(WaveError::Again(first)));
    assert_eq!(
        bob.associations.wave(
            minutes(360),
            &Device::new(4).publishes(CardOrigin::Persona(0), minutes(0)),
            &mut bob.rng
        ),
        Err(WaveError::TooOld)
    );
    card.public = [0; 32];
    assert_eq!(bob.associations.wave(minutes(2), &card, &mut bob.rng), Err(WaveError::BadKey));
}

#[test]
fn five_accepted_a_day() {
    let mut bob = Device::new(2);
    let mut table = Table::default();
    for seed in 10..16 {
        let mut peer = Device::new(seed);
        let (_, token) = bob.associations.create_token(minutes(0), &mut bob.rng).unwrap();
        peer.associations.join_token(minutes(0), &token, &mut peer.rng).unwrap();
        peer.sends(minutes(1), &mut table);
    }
    bob.reads(minutes(2), &table);
    let ids: Vec<_> = bob.associations.list().iter().map(|view| view.id).collect();
    ids[..5].iter().for_each(|id| bob.accepts(minutes(3), *id, "bob"));
    let sixth = bob.associations.accept_with(minutes(4), ids[5], || contact_bytes("bob"));
    assert_eq!(sixth, Err(AcceptError::DailyLimit { retry_at: minutes(3 + 24 * 60) }));
    assert_eq!(bob.state(ids[5]), AssociationState::Approached);
    bob.accepts(minutes(3 + 24 * 60), ids[5], "bob");
    let again = bob.associations.accept_with(minutes(4), ids[0], || contact_bytes("bob"));
    assert_eq!(again, Err(AcceptError::Again));
}

#[test]
fn tokens_live_a_day_and_records_two() {
    let mut table = Table::default();
    let (mut alice, mut bob, id, _) = joined(&mut table);
    assert!(alice.associations.expire(minutes(24 * 60 - 1)).is_empty());
    assert_eq!(alice.associations.expire(minutes(24 * 60)), [AssociationEvent::Expired(id)]);
    assert_eq!(alice.state(id), AssociationState::Expired);
    assert!(alice.reads(minutes(24 * 60 + 1), &table).is_empty(), "the token is dead");
    assert_eq!(bob.associations.expire(minutes(24 * 60 + 1)), [AssociationEvent::Expired(id)]);
    alice.associations.expire(minutes(48 * 60));
    assert!(alice.associations.list().is_empty() && alice.associations.queued() == 0);
}

#[test]
fn an_answered_association_ends_after_two_days_with_its_keys() {
    let mut table = Table::default();
    let (mut alice, mut bob, id, _) = joined(&mut table);
    alice.reads(minutes(3), &table);
    alice.sends(minutes(4), &mut table);
    bob.reads(minutes(5), &table);
    assert!(bob.associations.expire(minutes(47 * 60)).is_empty());
    assert_eq!(bob.associations.expire(minutes(49 * 60)), [AssociationEvent::Expired(id)]);
    assert!(bob.associations.pairs.is_empty() && bob.associations.wanted(minutes(49 * 60), ROWS).rows().is_empty());
}

/// L5-17: everything is gone after 48 hours, contacts that were exchanged too, whatever is still to be read or sent.
#[test]
fn a_connected_association_is_erased_after_two_days() {
    let mut table = Table::default();
    let (mut alice, mut bob, id, _) = joined(&mut table);
    alice.accepts(minutes(2), id, "alice");
    bob.accepts(minutes(2), id, "bob");
    for minute in [3, 5, 7] {
        for device in [&mut alice, &mut bob] {
            device.reads(minutes(minute), &table);
            device.sends(minutes(minute + 1), &mut table);
        }
    }
    assert_eq!((alice.contact(id).as_deref(), bob.contact(id).as_deref()), (Some("bob"), Some("alice")));
    // in use up to the end: the table is read once more, and the association looked at
    for device in [&mut alice, &mut bob] {
        assert!(device.reads(minutes(48 * 60 - 1), &table).is_empty() && device.contact(id).is_some());
        device.associations.expire(minutes(48 * 60 - 1));
        assert_eq!(device.state(id), AssociationState::Connected);
        device.associations.expire(minutes(48 * 60 + 1));
        assert!(device.associations.get(id).is_none() && device.associations.pairs.is_empty());
        assert!(device.associations.wanted(minutes(48 * 60 + 1), ROWS).rows().is_empty());
        assert_eq!(device.associations.delete(id), Err(UnknownAssociation), "nothing is left to delete");
    }
}

/// Nobody cleared anything away: the age of the token alone decides.
#[test]
fn a_token_is_joined_within_its_day_and_not_a_minute_later() {
    for (read_at, joined) in [(24 * 60 - 1, true), (24 * 60, false)] {
        let (mut alice, mut bob, mut table) = (Device::new(1), Device::new(2), Table::default());
        let (id, token) = alice.associations.create_token(minutes(0), &mut alice.rng).unwrap();
        bob.associations.join_token(minutes(24 * 60 - 3), &token, &mut bob.rng).unwrap();
        bob.sends(minutes(24 * 60 - 2), &mut table);
        let events = alice.reads(minutes(read_at), &table);
        assert_eq!(events == [AssociationEvent::Approached(id)], joined, "read at minute {read_at}");
        assert_eq!(alice.state(id) == AssociationState::Waiting, !joined);
    }
}

/// An event that answers to strangers filled leaves a token's message behind: that is said, and a wave's is not.
#[test]
fn what_was_agreed_on_waits_until_it_is_handed_out() {
    let (mut alice, mut bob) = (Device::new(1), Device::new(2));
    let card = alice.publishes(CardOrigin::Broadcast(1), minutes(0));
    bob.associations.wave(minutes(0), &card, &mut bob.rng).unwrap();
    assert!(bob.associations.queued() > 0 && !bob.associations.agreed_waits(minutes(0)));
    let (_, token) = alice.associations.create_token(minutes(0), &mut alice.rng).unwrap();
    assert!(!alice.associations.agreed_waits(minutes(0)), "whoever made it waits for the other");
    bob.associations.join_token(minutes(0), &token, &mut bob.rng).unwrap();
    assert!(bob.associations.agreed_waits(minutes(0)));
    assert!(bob.associations.outgoing(minutes(1), ROWS, 0, &mut bob.rng).is_empty());
    assert!(bob.associations.agreed_waits(minutes(1)), "there was no room");
    let left: Vec<_> =
        bob.associations.outgoing(minutes(1), ROWS, 7, &mut bob.rng).iter().map(|sent| sent.id).collect();
    assert!(!bob.associations.agreed_waits(minutes(1)));
    bob.associations.requeue(&left);
    assert!(bob.associations.agreed_waits(minutes(2)));
}
