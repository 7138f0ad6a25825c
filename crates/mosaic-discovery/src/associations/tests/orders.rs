//! Every short order of turns around one token and one card: the model of the two handshakes is the code itself. Codes
//! have their own (`every_short_schedule_ends_well`).

use mosaic_wire::{Frame, FrameKind, rows};

use super::*;

/// All orders of `length` turns of four.
fn orders(length: u32) -> impl Iterator<Item = Vec<usize>> {
    (0..4_usize.pow(length)).map(move |order| (0..length).map(|at| order / 4_usize.pow(at) % 4).collect())
}

/// Everything so far comes once more, the last first.
fn repeat(table: &mut Table) {
    let again: Vec<_> = table.records.iter().rev().copied().collect();
    table.records.extend(again);
}

/// Whether `steps` stand in `order`, with anything between.
fn holds(order: &[usize], steps: &[usize]) -> bool {
    let mut left = steps.iter().peekable();
    for turn in order {
        let _done = left.next_if_eq(&turn);
    }
    left.peek().is_none()
}

const MAKER: usize = 0;
const JOINER: usize = 1;
const OTHER: usize = 2;

/// All 4,096 orders of six turns of a token's maker, two who hold the token, and a network that repeats and reverses
/// everything. In each: the maker meets one of the two or nobody; who has the maker's contact is whom the maker met, and
/// nobody else has one; contacts are those that were given. Where the first of them has the turns that an exchange takes
/// before the other has any, the two are connected.
#[test]
fn every_short_order_around_a_token_ends_well() {
    let (mut met, mut certain) = ([0, 0], 0);
    for order in orders(6) {
        let mut devices = [Device::new(1), Device::new(2), Device::new(3)];
        let [maker, joiner, other] = &mut devices;
        let (id, token) = maker.associations.create_token(minutes(0), &mut maker.rng).unwrap();
        for device in [joiner, other] {
            assert_eq!(device.associations.join_token(minutes(0), &token, &mut device.rng), Ok(id));
        }
        for (device, name) in devices.iter_mut().zip(["maker", "joiner", "other"]) {
            device.accepts(minutes(0), id, name);
        }
        let mut table = Table::default();
        for (minute, turn) in (1..).zip(&order) {
            match devices.get_mut(*turn) {
                Some(device) => {
                    device.reads(minutes(minute), &table);
                    device.sends(minutes(minute), &mut table);
                }
                None => repeat(&mut table),
            }
        }
        let held = devices.each_ref().map(|device| device.contact(id));
        let theirs = [held[JOINER].is_some(), held[OTHER].is_some()];
        assert!(theirs != [true, true], "{order:?}: one token, two who met its maker");
        assert!(held[JOINER..].iter().flatten().all(|contact| contact == "maker"), "{order:?}");
        match held[MAKER].as_deref() {
            None => {}
            Some("joiner") => assert!(theirs == [true, false], "{order:?}: gave before getting"),
            Some("other") => assert!(theirs == [false, true], "{order:?}"),
            Some(_) => panic!("{order:?}: a contact nobody gave"),
        }
        met[0] += u32::from(theirs[0]);
        met[1] += u32::from(theirs[1]);
        let alone = order.iter().position(|turn| *turn == OTHER).unwrap_or(order.len());
        if holds(&order[..alone], &[JOINER, MAKER]) && holds(&order, &[JOINER, MAKER, JOINER, MAKER]) {
            let states = [devices[MAKER].state(id), devices[JOINER].state(id)];
            assert_eq!(states, [AssociationState::Connected; 2], "{order:?}");
            certain += 1;
        }
    }
    assert!(certain > 50, "the last check was made: {certain}");
    assert!(met[0] == met[1] && met[0] > 300, "the two who hold the token are alike: {met:?}");
}

/// Somebody who read the card opens every wave's record, and seals what is inside again at other rows of the mailbox.
fn copy_waves(table: &mut Table, card: &[u8; 32], keys: &[(u32, [u8; 32])], rng: &mut ChaCha20Rng) {
    let opened = table.records.iter().filter_map(|(row, sealed)| {
        let (_, key) = keys.iter().find(|(known, _)| known == row)?;
        record::open_record(key, sealed)
    });
    let waves: Vec<_> =
        opened.filter(|plain| Frame::decode(plain.as_slice()).is_ok_and(|f| f.kind() == FrameKind::Hello)).collect();
    for plain in waves {
        for j in [3, 40] {
            let (epoch, nonce) = (minutes(0).epoch(), RecordNonce::draw(rng));
            let sealed = record::seal_record(&rows::wave_key(card, epoch, j), nonce, &plain);
            table.records.push((rows::wave_row(card, epoch, j, 0, ROWS), sealed));
        }
    }
}

/// As [`Device::reads`], of this epoch alone: that is where all of it is.
fn reads_now(device: &mut Device, now: Timestamp, table: &Table) {
    let epochs = now.epoch()..=now.epoch();
    let wanted = device.associations.wanted_for(now, ROWS, epochs.clone());
    let found: Vec<_> = table.records.iter().filter(|(row, _)| wanted.contains(*row)).copied().collect();
    for (row, sealed) in found {
        device.associations.receive_from(now, epochs.clone(), row, &sealed, &mut device.rng);
    }
}

/// All 1,024 orders of five turns of a card's publisher, somebody who waves, somebody else who waves and copies every
/// wave to other rows of the mailbox, and a network as above. While the publisher accepts nobody, nobody has anything, whatever
/// was answered by itself; where she accepts all, she is approached once by each, and contacts are those that were given.
#[test]
fn every_short_order_around_a_card_ends_well() {
    let mut connected = 0;
    for (order, accepts) in orders(5).flat_map(|order| [(order.clone(), false), (order, true)]) {
        let mut devices = [Device::new(1), Device::new(2), Device::new(3)];
        let card = devices[MAKER].publishes(CardOrigin::Broadcast(1), minutes(0));
        let waves = [JOINER, OTHER].map(|who| {
            let id = devices[who].waves(minutes(0), &card);
            devices[who].accepts(minutes(0), id, ["", "bob", "mallory"][who]);
            id
        });
        let epoch = minutes(0).epoch();
        let key = |j| (rows::wave_row(&card.public, epoch, j, 0, ROWS), rows::wave_key(&card.public, epoch, j));
        let keys: Vec<_> = (0..mosaic_wire::WAVE_ROWS).map(key).collect();
        let mut table = Table::default();
        for (minute, turn) in (1..).zip(&order) {
            let now = minutes(minute);
            let Some(device) = devices.get_mut(*turn) else {
                repeat(&mut table);
                continue;
            };
            reads_now(device, now, &table);
            if *turn == MAKER && accepts {
                for view in device.associations.list() {
                    if view.state == AssociationState::Approached {
                        device.accepts(now, view.id, "alice");
                    }
                }
            }
            device.sends(now, &mut table);
            if *turn == OTHER {
                copy_waves(&mut table, &card.public, &keys, &mut device.rng);
            }
        }
        let approaches = devices[MAKER].associations.list();
        let came = |who: usize| order.iter().position(|turn| *turn == who);
        let readable = [JOINER, OTHER].map(|who| came(who).is_some_and(|at| holds(&order[at..], &[who, MAKER])));
        assert_eq!(approaches.len(), readable.iter().filter(|can| **can).count(), "{order:?}: one approach of each");
        let mut given: Vec<String> =
            approaches.iter().filter_map(|view| Some(view.contact.as_ref()?.expose(str::to_owned))).collect();
        let held = [JOINER, OTHER].map(|who| devices[who].contact(waves[who - 1]));
        assert!(held.iter().flatten().all(|contact| contact == "alice"), "{order:?}");
        if !accepts {
            assert!(held == [None, None] && given.is_empty(), "{order:?}: something without an acceptance");
        }
        given.sort();
        let who: Vec<&str> =
            ["bob", "mallory"].into_iter().zip(&held).filter(|(_, held)| held.is_some()).map(|w| w.0).collect();
        assert!(given.iter().all(|name| who.contains(&name.as_str())), "{order:?}: whose contact came holds hers");
        let mut distinct = given.clone();
        distinct.dedup();
        assert_eq!(distinct, given, "{order:?}: no contact twice");
        if accepts && holds(&order, &[JOINER, MAKER, JOINER, MAKER]) {
            assert_eq!(devices[JOINER].state(waves[0]), AssociationState::Connected, "{order:?}");
            assert!(given.contains(&"bob".to_owned()), "{order:?}");
            connected += 1;
        }
    }
    assert_eq!(connected, 16, "orders in which four turns of two stand among five");
}

/// A record that a token's maker wrote is no first message, and one of a joiner no answer, at whatever row.
#[test]
fn a_direction_is_never_taken_for_the_other() {
    let mut table = Table::default();
    let (mut alice, mut bob, id, _) = joined(&mut table);
    let hello = table.records[0].1;
    alice.reads(minutes(3), &table);
    let reply = alice.frames(minutes(4)).remove(0);
    let sealed = alice.seals(&reply);
    let everywhere = |device: &mut Device, sealed| {
        let rows = device.associations.wanted(minutes(5), ROWS).rows();
        Table { records: rows.into_iter().filter(|row| !reply.rows.contains(row)).map(|row| (row, sealed)).collect() }
    };
    for sealed in [hello, sealed] {
        let (for_bob, for_alice) = (everywhere(&mut bob, sealed), everywhere(&mut alice, sealed));
        assert!(bob.reads(minutes(5), &for_bob).is_empty() && alice.reads(minutes(5), &for_alice).is_empty());
    }
    assert_eq!(bob.state(id), AssociationState::Waiting);
}
