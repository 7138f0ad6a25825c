use super::*;
use mailbox::{APPROACHES_PER_CARD, APPROACHES_PER_CARD_AND_EPOCH};
use mosaic_wire::rows;

#[test]
fn of_two_who_join_one_token_exactly_one_completes() {
    let mut table = Table::default();
    let (mut alice, mut bob, id, token) = joined(&mut table);
    let mut carol = Device::new(3);
    carol.associations.join_token(minutes(1), &token, &mut carol.rng).unwrap();
    carol.sends(minutes(2), &mut table);
    alice.accepts(minutes(2), id, "alice");
    for minute in [3, 10, 40] {
        alice.reads(minutes(minute), &table);
        alice.sends(minutes(minute + 1), &mut table);
        bob.reads(minutes(minute + 2), &table);
        carol.reads(minutes(minute + 2), &table);
    }
    let contacts = [bob.contact(id), carol.contact(id)];
    assert_eq!(contacts, [Some("alice".to_owned()), None], "the first hello in the table wins");
    assert_eq!(carol.state(id), AssociationState::Waiting);
}

#[test]
fn a_replayed_first_message_is_answered_once() {
    let (mut alice, mut bob, mut table) = (Device::new(1), Device::new(2), Table::default());
    let card = alice.publishes(CardOrigin::Broadcast(1), minutes(0));
    bob.waves(minutes(1), &card);
    let frame = bob.frames(minutes(2)).remove(0);
    let first = bob.seals(&frame);
    table.records.extend([(frame.rows[0], first), (frame.rows[0], first)]);
    // a reader of the card can open the record and seal the same bytes at every other row of the mailbox
    for epoch in [minutes(2).epoch(), minutes(40).epoch()] {
        for j in 0..mosaic_wire::WAVE_ROWS {
            let copy = record::seal_record(
                &rows::wave_key(&card.public, epoch, j),
                RecordNonce::fixed_for_vectors([j; 24]),
                &frame.plain,
            );
            table.records.push((rows::wave_row(&card.public, epoch, j, 0, ROWS), copy));
        }
    }
    for minute in [3, 41, 90] {
        alice.reads(minutes(minute), &table);
    }
    assert_eq!((alice.associations.list().len(), alice.associations.queued()), (1, 1));
}

#[test]
fn a_reflected_or_moved_record_opens_nowhere_else() {
    let (mut alice, mut bob) = (Device::new(1), Device::new(2));
    let (id, token) = alice.associations.create_token(minutes(0), &mut alice.rng).unwrap();
    bob.associations.join_token(minutes(1), &token, &mut bob.rng).unwrap();
    let frame = bob.frames(minutes(2)).remove(0);
    let hello = bob.seals(&frame);
    // a provider copies bob's record to every row that bob, and alice's card and token, look at; only the
    // four chained rows of its own counter have its key
    let everywhere = bob.associations.wanted(minutes(3), ROWS).rows();
    let echo = Table { records: everywhere.into_iter().map(|row| (row, hello)).collect() };
    assert!(bob.reads(minutes(3), &echo).is_empty());
    alice.publishes(CardOrigin::Broadcast(1), minutes(0));
    let others = alice.associations.wanted(minutes(3), ROWS).rows().into_iter().filter(|row| !frame.rows.contains(row));
    let moved = Table { records: others.map(|row| (row, hello)).collect() };
    assert!(moved.records.len() > 500 && alice.reads(minutes(3), &moved).is_empty());
    assert_eq!((alice.state(id), bob.state(id)), (AssociationState::Waiting, AssociationState::Waiting));
}

#[test]
fn no_flipped_bit_passes() {
    let mut table = Table::default();
    let (mut alice, _, id, _) = joined(&mut table);
    let (row, honest) = table.records[0];
    for byte in 0..192 {
        let mut tampered = honest;
        tampered[byte] ^= 1 << (byte % 8);
        assert!(alice.reads(minutes(3), &Table { records: vec![(row, tampered)] }).is_empty(), "byte {byte}");
    }
    assert_eq!(alice.state(id), AssociationState::Waiting);
    assert_eq!(alice.reads(minutes(3), &table), [AssociationEvent::Approached(id)]);
}

#[test]
fn another_token_leads_nowhere() {
    let (mut alice, mut bob, mut table) = (Device::new(1), Device::new(2), Table::default());
    let (id, _) = alice.associations.create_token(minutes(0), &mut alice.rng).unwrap();
    let wrong = Token::parse("abcdefghijklmnopqrstuvwxyz012345").unwrap();
    let stray = bob.associations.join_token(minutes(0), &wrong, &mut bob.rng).unwrap();
    bob.sends(minutes(1), &mut table);
    assert!(alice.reads(minutes(2), &table).is_empty());
    assert_eq!((alice.state(id), bob.state(stray)), (AssociationState::Waiting, AssociationState::Waiting));
}

#[test]
fn a_flood_at_one_card_stays_within_that_cards_share() {
    let (mut alice, mut table) = (Device::new(1), Table::default());
    let card = alice.publishes(CardOrigin::Persona(2), minutes(0));
    for seed in 10..70 {
        let mut stranger = Device::new(seed);
        stranger.waves(minutes(1), &card);
        stranger.sends(minutes(2), &mut table);
    }
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    for j in 0..mosaic_wire::WAVE_ROWS {
        // valid records around junk, and junk records: neither may cost memory
        let mut junk = [0; 136];
        rng.fill_bytes(&mut junk);
        let key = rows::wave_key(&card.public, minutes(2).epoch(), j);
        let row = rows::wave_row(&card.public, minutes(2).epoch(), j, 0, ROWS);
        table.records.extend([
            (row, record::seal_record(&key, RecordNonce::fixed_for_vectors([j; 24]), &junk)),
            (row, [j; 192]),
        ]);
    }
    for minute in 3..10 {
        alice.reads(minutes(minute), &table);
    }
    assert_eq!(alice.associations.queued(), APPROACHES_PER_CARD_AND_EPOCH);
    assert_eq!(alice.associations.pairs.len(), APPROACHES_PER_CARD_AND_EPOCH);
    let rows = alice.associations.wanted(minutes(10), ROWS).rows().len();
    assert!(rows <= 2 * 256 + 256, "answered strangers add no rows to read: {rows}");
    let replies: usize = (0..12)
        .map(|half_hour| {
            alice.reads(minutes(20 + 30 * half_hour), &table);
            alice.sends(minutes(21 + 30 * half_hour), &mut Table::default())
        })
        .sum();
    assert_eq!((replies, alice.associations.pairs.len()), (APPROACHES_PER_CARD, 0));
}

#[test]
fn a_peer_cannot_grow_what_we_keep_of_its_contact() {
    let mut table = Table::default();
    let (mut alice, mut bob, id, _) = joined(&mut table);
    alice.reads(minutes(3), &table);
    alice.sends(minutes(4), &mut table);
    bob.reads(minutes(5), &table);
    let pair = alice.associations.pairs.get_mut(&id).unwrap();
    for index in 0..15 {
        let part = mosaic_wire::Part::new(index, 15).unwrap();
        pair.on_data(&mosaic_wire::Frame::new(mosaic_wire::FrameKind::Data, part, &[1; 132]).unwrap());
    }
    for index in 0..3 {
        let part = mosaic_wire::Part::new(index, 3).unwrap();
        pair.on_data(&mosaic_wire::Frame::new(mosaic_wire::FrameKind::Data, part, &[1; 132]).unwrap());
    }
    assert!(!pair.open_contact(), "three parts of nonsense");
    bob.accepts(minutes(6), id, "bob");
    bob.sends(minutes(7), &mut table);
    alice.reads(minutes(8), &table);
    assert_eq!(alice.contact(id).as_deref(), Some("bob"), "and the honest ones still count");
}
