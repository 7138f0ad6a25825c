//! Associations by a code that is read out, and what whoever guesses gets.

use mosaic_types::Code;

use super::*;

/// Alice's code; Bob joins with `typed` of it and has sent.
fn joins(table: &mut Table, typed: impl FnOnce(&Code) -> Code) -> (Device, Device, [AssociationId; 2], Code) {
    let (mut alice, mut bob) = (Device::new(1), Device::new(2));
    let (made, code) = alice.associations.create_code(minutes(0), &mut alice.rng).unwrap();
    let joined = bob.associations.join_code(minutes(1), &typed(&code), &mut bob.rng).unwrap();
    assert_eq!(bob.sends(minutes(2), table), 1);
    (alice, bob, [made, joined], code)
}

/// The same nameplate with another password.
fn guess(code: &Code, seed: u64) -> Code {
    let password = code.expose_password(|digits| digits.iter().fold(0, |sum, d| sum * 10 + u64::from(d - b'0')));
    Code::from_number(u64::from(code.nameplate().number()) * 10_000_000 + (password + 1 + seed) % 10_000_000)
}

#[test]
fn a_code_connects_two_people_in_four_steps() {
    let mut table = Table::default();
    let (mut alice, mut bob, [made, joined], _) = joins(&mut table, Code::clone);
    alice.accepts(minutes(0), made, "alice");
    bob.accepts(minutes(1), joined, "bob");
    assert!(alice.reads(minutes(3), &table).is_empty(), "an unproved try tells nobody anything");
    assert_eq!((alice.state(made), alice.only()), (AssociationState::Waiting, made));
    assert_eq!(alice.sends(minutes(4), &mut table), 1);
    assert_eq!(bob.reads(minutes(5), &table), [AssociationEvent::Answered(joined)]);
    assert_eq!(bob.sends(minutes(6), &mut table), 4, "the proof, and the contact with it");
    let events = alice.reads(minutes(7), &table);
    assert_eq!(events, [AssociationEvent::Approached(made), AssociationEvent::ContactReceived(made)]);
    assert_eq!((alice.sends(minutes(8), &mut table), alice.only()), (3, made));
    assert_eq!(bob.reads(minutes(9), &table), [AssociationEvent::ContactReceived(joined)]);
    assert_eq!((alice.state(made), bob.state(joined)), (AssociationState::Connected, AssociationState::Connected));
    assert_eq!((alice.contact(made).as_deref(), bob.contact(joined).as_deref()), (Some("bob"), Some("alice")));
    assert_eq!((alice.associations.pairs.len(), bob.associations.pairs.len()), (1, 1));
    for device in [&mut alice, &mut bob] {
        device.associations.expire(minutes(49 * 60));
        assert!(
            device.associations.pairs.is_empty()
                && device.associations.wanted(minutes(49 * 60), ROWS).rows().is_empty()
        );
    }
}

/// Seeds 1 and 2: the parts of a contact and the proof that came along, found in every order.
#[test]
fn what_comes_with_the_proof_is_not_lost_in_any_order() {
    for first in 0..4 {
        let mut table = Table::default();
        let (mut alice, mut bob, [made, joined], _) = joins(&mut table, Code::clone);
        bob.accepts(minutes(1), joined, "bob");
        alice.reads(minutes(3), &table);
        alice.sends(minutes(4), &mut table);
        bob.reads(minutes(5), &table);
        let mut last = Table::default();
        bob.sends(minutes(6), &mut last);
        last.records.rotate_left(first);
        alice.reads(minutes(7), &last);
        assert_eq!(alice.contact(made).as_deref(), Some("bob"), "turned by {first}");
    }
}

/// Whatever the wrong digits are: one answer goes out, the joiner sees that the code failed and sends nothing, and the
/// maker sees a try less. Records are as many and as long as of a right one.
#[test]
fn a_wrong_password_fails_and_tells_nothing_more() {
    let mut seen = Vec::new();
    for seed in [0, 1, 999, 5_000_000] {
        let mut table = Table::default();
        let (mut alice, mut bob, [made, joined], _) = joins(&mut table, |code| guess(code, seed));
        alice.accepts(minutes(0), made, "alice");
        bob.accepts(minutes(1), joined, "bob");
        let before = alice.reads(minutes(3), &table);
        let sent = alice.sends(minutes(4), &mut table);
        let events = bob.reads(minutes(5), &table);
        assert_eq!(events, [AssociationEvent::Failed(joined)]);
        assert_eq!((bob.sends(minutes(6), &mut table), bob.associations.queued()), (0, 0));
        assert!(alice.reads(minutes(7), &table).is_empty() && alice.sends(minutes(8), &mut table) == 0);
        let views = (alice.associations.get(made).unwrap(), bob.associations.get(joined).unwrap());
        assert_eq!((views.0.contact, views.1.contact), (None, None));
        seen.push((before, sent, views.0.state, views.0.tries_left, views.1.state, table.records.len()));
    }
    assert!(seen.iter().all(|run| *run == seen[0]));
    assert_eq!((seen[0].2, seen[0].3, seen[0].4), (AssociationState::Waiting, Some(2), AssociationState::Failed));
}

/// Who knows the nameplate and not the password gets three answers, each good for one guess: 3 in 10^7, and 10^7 is
/// more than nine times 2^20. The rightful joiner who comes fourth is not answered; who came third still is.
#[test]
fn three_tries_are_answered_and_then_the_code_is_burned() {
    for (guesses, met) in [(2, true), (3, false), (10, false)] {
        let (mut alice, mut bob, mut table) = (Device::new(1), Device::new(2), Table::default());
        let (made, code) = alice.associations.create_code(minutes(0), &mut alice.rng).unwrap();
        let mut answers = 0;
        for seed in 0..guesses {
            let mut eve = Device::new(100 + seed);
            let tried = eve.associations.join_code(minutes(1), &guess(&code, seed), &mut eve.rng).unwrap();
            eve.sends(minutes(2), &mut table);
            alice.reads(minutes(3), &table);
            answers += alice.sends(minutes(4), &mut table);
            eve.reads(minutes(5), &table);
            assert_ne!(eve.state(tried), AssociationState::Answered);
        }
        assert_eq!(answers as u64, guesses.min(3));
        let joined = bob.associations.join_code(minutes(6), &code, &mut bob.rng).unwrap();
        bob.sends(minutes(7), &mut table);
        alice.reads(minutes(8), &table);
        alice.sends(minutes(9), &mut table);
        bob.reads(minutes(10), &table);
        assert_eq!(bob.state(joined) == AssociationState::Answered, met);
        assert_eq!(alice.associations.get(made).unwrap().tries_left, Some(0));
    }
}

/// A copied first message, at whatever row and epoch, spends no second try; neither does junk.
#[test]
fn a_replayed_or_broken_first_message_costs_no_try() {
    let mut table = Table::default();
    let (mut alice, mut bob, [made, joined], code) = joins(&mut table, Code::clone);
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let hello = bob.associations.pairs.values().next().unwrap().meeting().is_some();
    assert!(hello, "bob waits for the answer to his own first message");
    table.records.push(table.records[0]);
    let meeting = crate::ratchet::Meeting::at_nameplate(code.nameplate());
    for (counter, length) in [(5, 52), (6, 51), (7, 0)] {
        let state = meeting.at(minutes(2).epoch());
        let mut body = vec![0; length];
        rng.fill_bytes(&mut body);
        let frame = mosaic_wire::Frame::new(mosaic_wire::FrameKind::Hello, mosaic_wire::Part::WHOLE, &body).unwrap();
        let from = mosaic_wire::Direction::FromInitiator;
        let sealed = record::seal_record(&state.key(from, counter), RecordNonce::draw(&mut rng), &frame.encode());
        table.records.push((state.row(from, counter, 0, ROWS), sealed));
    }
    for minute in [3, 40, 90] {
        alice.reads(minutes(minute), &table);
    }
    assert_eq!(alice.associations.get(made).unwrap().tries_left, Some(2));
    assert_eq!(alice.sends(minutes(91), &mut table), 1);
    assert_eq!(bob.reads(minutes(92), &table), [AssociationEvent::Answered(joined)]);
}

/// The answer to one first message is nowhere that another joiner looks, and a reflected record opens nowhere.
#[test]
fn an_answer_is_for_one_joiner_and_nothing_is_reflected() {
    let mut table = Table::default();
    let (mut alice, mut bob, [_, joined], code) = joins(&mut table, Code::clone);
    let mut carol = Device::new(3);
    let other = carol.associations.join_code(minutes(1), &code, &mut carol.rng).unwrap();
    alice.reads(minutes(3), &table);
    alice.sends(minutes(4), &mut table);
    for device in [&mut bob, &mut carol] {
        let everywhere = device.associations.wanted(minutes(5), ROWS).rows();
        let hello = table.records[0].1;
        let echo = Table { records: everywhere.into_iter().map(|row| (row, hello)).collect() };
        assert!(device.reads(minutes(5), &echo).is_empty());
    }
    assert!(carol.reads(minutes(6), &table).is_empty());
    assert_eq!(bob.reads(minutes(6), &table), [AssociationEvent::Answered(joined)]);
    assert_eq!(carol.state(other), AssociationState::Waiting);
}

/// Two who hold the code: the first to prove it takes it, and the other is never heard.
#[test]
fn a_code_serves_once() {
    let mut table = Table::default();
    let (mut alice, mut bob, [made, joined], code) = joins(&mut table, Code::clone);
    let mut carol = Device::new(3);
    let other = carol.associations.join_code(minutes(1), &code, &mut carol.rng).unwrap();
    carol.sends(minutes(2), &mut table);
    alice.accepts(minutes(0), made, "alice");
    alice.reads(minutes(3), &table);
    assert_eq!(alice.sends(minutes(4), &mut table), 2);
    for device in [&mut bob, &mut carol] {
        device.reads(minutes(5), &table);
        device.sends(minutes(6), &mut table);
    }
    let events = alice.reads(minutes(7), &table);
    assert_eq!(events, [AssociationEvent::Approached(made)]);
    alice.sends(minutes(8), &mut table);
    bob.reads(minutes(9), &table);
    carol.reads(minutes(9), &table);
    assert_eq!([bob.contact(joined), carol.contact(other)].iter().flatten().count(), 1);
    assert_eq!(alice.associations.pairs.len(), 1);
}

#[test]
fn a_code_lives_a_day_and_goes_with_its_tries() {
    let mut table = Table::default();
    let (mut alice, _, [made, _], code) = joins(&mut table, Code::clone);
    assert_eq!(alice.associations.may_join_code(&code), Err(JoinError::Again(made)), "one's own code");
    alice.reads(minutes(3), &table);
    assert_eq!(alice.associations.pairs.len(), 2);
    assert_eq!(alice.associations.expire(minutes(24 * 60)), [AssociationEvent::Expired(made)]);
    assert_eq!((alice.state(made), alice.associations.pairs.len()), (AssociationState::Expired, 1));

    let mut table = Table::default();
    let (mut alice, mut bob, [made, joined], code) = joins(&mut table, Code::clone);
    assert!(alice.reads(minutes(24 * 60), &table).is_empty() && alice.associations.queued() == 0, "too old");
    alice.reads(minutes(3), &table);
    alice.associations.delete(made).unwrap();
    assert!(alice.associations.pairs.is_empty(), "with who tried it");
    assert_eq!(bob.associations.may_join_code(&code), Err(JoinError::Again(joined)));
    bob.associations.delete(joined).unwrap();
    assert_eq!(bob.associations.may_join_code(&code), Ok(()));
}

/// Seed 7, 2,000 altered records: nothing but a try less may come of a changed answer or proof.
#[test]
fn no_altered_record_completes() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let mut table = Table::default();
    let (mut alice, mut bob, _, code) = joins(&mut table, Code::clone);
    alice.reads(minutes(3), &table);
    let answer = alice.frames(minutes(4)).remove(0);
    for _ in 0..2_000 {
        let mut frame = answer.clone();
        let at = rng.random_range(4..4 + 112);
        frame.plain[at] ^= 1 << rng.random_range(0..8);
        let sealed = bob.seals(&frame);
        let mut again = Device::new(2);
        let joined = again.associations.join_code(minutes(1), &code, &mut again.rng).unwrap();
        let events = again.reads(minutes(5), &Table { records: vec![(frame.rows[0], sealed)] });
        assert_eq!(events, [AssociationEvent::Failed(joined)], "byte {at}");
        assert_eq!(again.associations.queued(), 0);
    }
}

/// Who acts next.
#[derive(Clone, Copy, PartialEq)]
enum Turn {
    Maker,
    Joiner,
    Guesser,
    /// Everything so far comes once more, the last first.
    Network,
}

/// All orders of six turns. The guesser never gets anywhere, the maker meets nobody but the joiner, and where the two
/// had the five turns that the exchange takes they are connected, whatever stood between.
#[test]
fn every_short_schedule_ends_well() {
    let turns = [Turn::Maker, Turn::Joiner, Turn::Guesser, Turn::Network];
    let mut connected = 0;
    for schedule in 0..4_usize.pow(6) {
        let schedule: Vec<Turn> = (0..6).map(|at| turns[schedule / 4_usize.pow(at) % 4]).collect();
        let (mut alice, mut bob, mut eve) = (Device::new(1), Device::new(2), Device::new(3));
        let (made, code) = alice.associations.create_code(minutes(0), &mut alice.rng).unwrap();
        let joined = bob.associations.join_code(minutes(0), &code, &mut bob.rng).unwrap();
        let guessed = eve.associations.join_code(minutes(0), &guess(&code, 1), &mut eve.rng).unwrap();
        alice.accepts(minutes(0), made, "alice");
        bob.accepts(minutes(0), joined, "bob");
        eve.accepts(minutes(0), guessed, "eve");
        let mut table = Table::default();
        for (minute, turn) in (1..).zip(&schedule) {
            let device = match turn {
                Turn::Maker => &mut alice,
                Turn::Joiner => &mut bob,
                Turn::Guesser => &mut eve,
                Turn::Network => {
                    let again: Vec<_> = table.records.iter().rev().copied().collect();
                    table.records.extend(again);
                    continue;
                }
            };
            device.reads(minutes(minute), &table);
            device.sends(minutes(minute), &mut table);
        }
        assert!(
            matches!(eve.state(guessed), AssociationState::Waiting | AssociationState::Failed),
            "{:?}",
            eve.state(guessed)
        );
        assert_eq!((eve.contact(guessed), alice.only()), (None, made));
        assert!(alice.contact(made).is_none_or(|contact| contact == "bob"));
        assert!(bob.contact(joined).is_none_or(|contact| contact == "alice"));
        assert!(alice.associations.pairs.len() <= 3, "the code, and who tries it");
        let mut left = [Turn::Joiner, Turn::Maker, Turn::Joiner, Turn::Maker, Turn::Joiner].iter().peekable();
        for turn in &schedule {
            let _done = left.next_if_eq(&turn);
        }
        if left.peek().is_none() {
            assert_eq!(
                (alice.state(made), bob.state(joined)),
                (AssociationState::Connected, AssociationState::Connected)
            );
            connected += 1;
        }
    }
    assert_eq!(connected, 19, "orders in which five turns of two stand among six");
}
