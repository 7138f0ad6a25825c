//! Blind reads from end to end: everything the agents and providers of a world do, with looks at stacks instead of downloads.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use mosaic_agent::BlindReads;
use mosaic_api::{Warning, WarningKind};
use mosaic_types::Lane;
use mosaic_wire::{Call, CallFailure, ProblemCode, Reply, StackQuery};
use rand::SeedableRng as _;

fn blind(seed: u64) -> Setup {
    Setup { blind_reads: BlindReads::Always, ..Setup::new(seed) }
}

/// Two people find each other through what they looked at blind, wave, and hold each other's contact. No discovery generation is
/// downloaded, all promises of the providers are found kept, and nobody is accused. Seed 171.
#[test]
fn people_meet_without_a_provider_seeing_which_rows_they_read() {
    let (mut world, alice, bob) = two_who_want_coffee(blind(171));
    assert!(find_within(&mut world, HOUR, bob, alice));
    assert!(meet_within(&mut world, 3 * HOUR, bob, alice));
    for provider in world.providers() {
        let reads = world.learned_by(provider).reads();
        let stacks = reads.iter().filter(|(_, read)| matches!(read, Call::Stack(_))).count();
        assert!(stacks > 0);
        for (_, read) in reads {
            match read {
                Call::Stack(query) => {
                    assert_eq!(query.id().table().lane(), Lane::Discovery);
                    assert_eq!(query.keys().len(), StackQuery::KEYS);
                }
                Call::Generations(query) => {
                    let lanes = query.wanted().iter().map(|id| id.segment.table.lane());
                    assert!(lanes.into_iter().all(|lane| lane == Lane::Rendezvous));
                }
                _ => {}
            }
        }
    }
    for who in [alice, bob] {
        let status = world.person(who).agent().status(world.now());
        assert!(status.warnings.iter().all(|warning| !warning.text.contains("provider")), "{:?}", status.warnings);
    }
}

/// With one provider down the other two are enough, and after it came back all three are asked. Seed 172.
#[test]
fn two_of_three_are_enough() {
    let mut world = World::new(blind(172)).unwrap();
    let (alice, bob) = (world.join(Mode::Balanced), world.join(Mode::Balanced));
    world.advance(minutes(5));
    let down = world.providers()[1];
    world.down(down);
    world.broadcast(alice, place(), WORDS).unwrap();
    world.broadcast(bob, near(), WORDS).unwrap();
    assert!(find_within(&mut world, HOUR, bob, alice));
    let before = world.learned_by(down).reads().len();
    world.up(down);
    world.advance(HOUR);
    let after = &world.learned_by(down).reads()[before..];
    assert!(after.iter().any(|(_, read)| matches!(read, Call::Stack(_))));
}

/// Every stack is asked about in eight queries of one size, at two providers or more but never twice with one key, whether nothing is
/// looked for, something in one place, or in more places than there are keys. Seed 173.
#[test]
fn as_many_keys_are_sent_whatever_is_wanted() {
    for wants in [0_u32, 1, 16] {
        let mut world = World::new(blind(173)).unwrap();
        let who = world.join(Mode::Balanced);
        world.advance(minutes(5));
        for at in 0..wants {
            let (east, north) = (f64::from(at % 4), f64::from(at / 4));
            world.look(who, offset_m(place(), east * 4_000.0 - 6_000.0, north * 4_000.0 - 6_000.0), WORDS).unwrap();
        }
        world.advance(minutes(20));
        let passed_over = |warning: &Warning| warning.kind == WarningKind::PassedOver;
        let told = world.person(who).agent().status(world.now()).warnings.iter().any(passed_over);
        assert_eq!(told, wants == 16, "what does not fit is told");
        world.advance(minutes(20));
        let mut stacks: BTreeMap<_, Vec<StackQuery>> = BTreeMap::new();
        for provider in world.providers() {
            for (_, read) in world.learned_by(provider).reads() {
                if let Call::Stack(query) = read {
                    stacks.entry(query.id().clone()).or_default().push((**query).clone());
                }
            }
        }
        assert!(stacks.len() >= 2, "an event every twelve minutes: {}", stacks.len());
        for queries in stacks.values() {
            assert_eq!(queries.len(), 8);
            let keys = queries.iter().flat_map(|query| query.keys().iter().map(|key| key.encode().to_vec()));
            assert_eq!(keys.collect::<BTreeSet<_>>().len(), 8 * StackQuery::KEYS);
            let sizes: BTreeSet<_> = queries.iter().map(StackQuery::encoded_len).collect();
            assert_eq!(sizes.len(), 1);
        }
    }
}

/// A provider answers blind reads about generations it was shown under these heads, and refuses others with what to do.
/// Seed 174.
#[test]
fn a_provider_refuses_what_it_does_not_hold() {
    let mut world = World::new(blind(174)).unwrap();
    world.join(Mode::Balanced);
    world.advance(minutes(40));
    let provider = world.providers()[0];
    let (_, call) =
        world.learned_by(provider).reads().iter().find(|(_, read)| matches!(read, Call::Stack(_))).cloned().unwrap();
    let Call::Stack(query) = call.clone() else { panic!("a blind read") };
    assert!(matches!(world.ask(provider, call), Ok(Reply::Stack(reply)) if reply.sums().count() == StackQuery::KEYS));
    // the same generations under other heads
    let mut bytes = query.encode();
    bytes[2] ^= 1;
    let other = StackQuery::decode(&bytes).unwrap();
    let refused = |answer: Result<Reply, CallFailure>| match answer {
        Err(CallFailure::Refused(problem)) => problem.code,
        _ => panic!("a refusal"),
    };
    assert_eq!(refused(world.ask(provider, Call::Stack(Box::new(other)))), ProblemCode::NotReady);
    // keys of a smaller domain than the lane has rows
    let domain = mosaic_crypto::dpf::Domain::of(64).unwrap();
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([4; 32]);
    let keys =
        (0..StackQuery::KEYS).map(|_| mosaic_crypto::dpf::share(5, domain, &mut rng).unwrap()[0].clone()).collect();
    let small = StackQuery::new(query.id().clone(), keys).unwrap();
    let answer = world.ask(provider, Call::Stack(Box::new(small)));
    assert!(matches!(&answer, Ok(Reply::Stack(_))) || refused(answer) == ProblemCode::Malformed);
    // of a table that is gone, and of one that is still to come
    let table = |hours: i64| {
        let id = query.id().wanted()[0];
        let period = mosaic_types::Period(id.segment.table.period().0.saturating_add_signed(hours as i32 / 4));
        let segment =
            mosaic_types::SegmentId { table: mosaic_types::TableId::new(period, Lane::Discovery), ..id.segment };
        let block = mosaic_wire::GenerationBlock::new(segment, 0, Vec::new()).unwrap();
        let signing = mosaic_crypto::signing::SigningKey::from_bytes(&[1; 32]);
        let head = mosaic_wire::Head::seal(&block, [0; 32], world.now(), &signing);
        let id = mosaic_wire::StackId::of(&[head]).unwrap();
        Call::Stack(Box::new(StackQuery::new(id, query.keys().to_vec()).unwrap()))
    };
    let (past, future) = (table(-80), table(800));
    assert_eq!(refused(world.ask(provider, past)), ProblemCode::Gone);
    assert_eq!(refused(world.ask(provider, future)), ProblemCode::UnknownTable);
}
