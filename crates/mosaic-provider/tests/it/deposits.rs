use std::time::Duration;

use mosaic_provider::{Step, store::MemoryStore};
use mosaic_types::{Lane, Stream, Timestamp};
use mosaic_wire::{Call, CellReply, CellRequest, ProblemCode, Reply, TokenPurpose};

use crate::cluster::{Cluster, id};

fn cluster() -> Cluster<MemoryStore> {
    Cluster::ready(vec![MemoryStore::default(); 3])
}

#[test]
fn an_event_is_acknowledged_by_origin_and_replica() {
    let mut cluster = cluster();
    let event = cluster.event(Stream::Steady);
    let receipt = cluster.deposit(1, event).unwrap();
    assert_eq!((receipt.accepted, receipt.full), (0x3ff, 0));
    assert_eq!(receipt.event, mosaic_wire::event_hash(&event));
    assert_ne!(receipt.replica, id(1));
}

#[test]
fn a_replay_gets_the_same_receipt_and_stores_nothing() {
    let mut cluster = cluster();
    let event = cluster.event(Stream::Steady);
    let token = cluster.token(1, TokenPurpose::Deposit);
    let first = cluster.deposit_with(1, token.clone(), event).unwrap();
    let bytes = cluster.core(1).gauges(first.time).disk_bytes;
    cluster.now = cluster.now.after(Duration::from_secs(3));
    assert_eq!(cluster.deposit_with(1, token, event), Ok(first), "same token, same event");
    assert_eq!(cluster.deposit(1, event), Ok(first), "another token, same event");
    assert!(cluster.core(1).gauges(first.time).disk_bytes <= bytes + 100, "only the second token was stored");
}

#[test]
fn two_copies_of_an_event_in_one_flush_are_one() {
    let mut cluster = cluster();
    let event = cluster.event(Stream::Fast);
    let token = cluster.token(2, TokenPurpose::Deposit);
    let now = cluster.now;
    for _ in 0..2 {
        let call = Call::Cell(CellRequest::Deposit { token: token.clone(), event });
        let (core, rng) = (cluster.cores.get_mut(&id(2)).unwrap(), &mut cluster.rng);
        core.handle(now, rng, call);
    }
    cluster.core(2).commit(now);
    cluster.exchange();
    let settled = cluster.core(2).take_settled();
    let [(_, CellReply::Receipt(first)), (_, CellReply::Receipt(second))] = settled.as_slice() else {
        panic!("{settled:?}")
    };
    assert_eq!(first, second);
}

/// While two batches are on their way, a few deposits wait for one of them, and many do not. A peer that is down holds nobody up:
/// what comes back unkept makes room like what was kept.
#[test]
fn few_deposits_wait_for_a_batch_that_is_on_its_way() {
    for down in [false, true] {
        let mut cluster = cluster();
        let now = cluster.now;
        let stage = |cluster: &mut Cluster<MemoryStore>| {
            let (event, token) = (cluster.event(Stream::Fast), cluster.token(1, TokenPurpose::Deposit));
            let call = Call::Cell(CellRequest::Deposit { token, event });
            let (core, rng) = (cluster.cores.get_mut(&id(1)).unwrap(), &mut cluster.rng);
            assert!(matches!(core.handle(now, rng, call), Step::Staged(_)));
        };
        for _ in 0..2 {
            stage(&mut cluster);
            assert!(cluster.core(1).is_worth_a_flush());
            cluster.core(1).commit(now);
        }
        stage(&mut cluster);
        assert!(!cluster.core(1).is_worth_a_flush());
        if down {
            cluster.down = vec![id(2), id(3)];
        }
        cluster.exchange();
        assert!(cluster.core(1).is_worth_a_flush());
        cluster.core(1).commit(now);
        cluster.exchange();
        let settled = cluster.core(1).take_settled();
        let kept = settled.iter().filter(|(_, reply)| matches!(reply, CellReply::Receipt(_))).count();
        assert_eq!((settled.len(), kept), (3, if down { 0 } else { 3 }));

        cluster.down.clear();
        for _ in 0..2 {
            stage(&mut cluster);
            cluster.core(1).commit(now);
        }
        let mut waiting = 0;
        while !cluster.core(1).is_worth_a_flush() {
            stage(&mut cluster);
            waiting += 1;
        }
        assert_eq!(waiting, 256);
    }
}

#[test]
fn a_spent_token_buys_nothing_else() {
    let mut cluster = cluster();
    let token = cluster.token(1, TokenPurpose::Deposit);
    let (first, second) = (cluster.event(Stream::Steady), cluster.event(Stream::Steady));
    cluster.deposit_with(1, token.clone(), first).unwrap();
    assert_eq!(cluster.deposit_with(1, token.clone(), second), Err(ProblemCode::TokenSpent));
    assert_eq!(cluster.deposit_with(2, token, second), Err(ProblemCode::TokenInvalid), "bound to its provider");
    let other = cluster.token(1, TokenPurpose::Evaluate);
    assert_eq!(cluster.deposit_with(1, other, second), Err(ProblemCode::TokenInvalid), "bound to its purpose");
}

#[test]
fn what_is_wrong_with_an_event_is_said() {
    let mut cluster = cluster();
    let table = cluster.table(1, cluster.now.period());
    let rows: Vec<u32> = (0..10).collect();
    let good = cluster.event_for(&table, Lane::Rendezvous, Stream::Steady, &rows);
    let bent = |at: usize, to: u8| {
        let mut event = good;
        event[at] = to;
        event
    };
    let repeated = cluster.event_for(&table, Lane::Rendezvous, Stream::Steady, &[5; 10]);
    let beyond: Vec<u32> = (0..10).map(|slot| table.discovery.rows - 5 + slot).collect();
    let beyond = cluster.event_for(&table, Lane::Discovery, Stream::Steady, &beyond);
    let mut next = table.clone();
    next.period = table.period.next();
    let early = cluster.event_for(&next, Lane::Rendezvous, Stream::Steady, &rows);
    let mut old = table.clone();
    old.period = mosaic_types::Period(table.period.0 - 2);
    let old = cluster.event_for(&old, Lane::Rendezvous, Stream::Steady, &rows);
    let mut ancient = table.clone();
    ancient.period = mosaic_types::Period(table.period.0 - 20);
    let ancient = cluster.event_for(&ancient, Lane::Rendezvous, Stream::Steady, &rows);
    let cases = [
        (bent(0, 9), ProblemCode::Malformed),
        (bent(1, 7), ProblemCode::Malformed),
        (repeated, ProblemCode::Malformed),
        (beyond, ProblemCode::Malformed),
        (bent(5, 99), ProblemCode::UnknownTable),
        (bent(80, 0xff), ProblemCode::WrongDescriptor),
        (early, ProblemCode::Skew),
        (old, ProblemCode::StaleTable),
        (ancient, ProblemCode::Gone),
    ];
    for (event, expected) in cases {
        assert_eq!(cluster.deposit(1, event), Err(expected));
    }
    assert_eq!(cluster.deposit(1, good).map(|receipt| receipt.accepted), Ok(0x3ff));
}

#[test]
fn the_previous_table_takes_deposits_for_ten_minutes() {
    let mut cluster = cluster();
    let table = cluster.table(1, cluster.now.period());
    let rows: Vec<u32> = (0..10).collect();
    let end = table.period.end();
    cluster.now = end.before(Duration::from_mins(2));
    cluster.settle();
    cluster.now = end.after(Duration::from_mins(9));
    cluster.settle();
    let late = cluster.event_for(&table, Lane::Rendezvous, Stream::Slow, &rows);
    assert!(cluster.deposit(1, late).is_ok());
    cluster.now = end.after(Duration::from_mins(10));
    let later = cluster.event_for(&table, Lane::Rendezvous, Stream::Slow, &rows);
    assert_eq!(cluster.deposit(1, later), Err(ProblemCode::StaleTable));
    // what was taken in the grace is sealed all the same
    cluster.pass(Duration::from_mins(20), Duration::from_mins(5));
    assert_eq!(cluster.core(1).counters().generations_sealed, 1);
    assert!([2, 3].iter().all(|peer| cluster.core(*peer).counters().generations_replicated == 1));
}

#[test]
fn a_full_row_is_said_and_the_chain_goes_on() {
    let mut cluster = cluster();
    let table = cluster.table(1, cluster.now.period());
    let capacity = table.rendezvous.capacity;
    for number in 0..=u32::from(capacity) {
        let mut rows: Vec<u32> = (0..10).map(|slot| 1_000 + number * 100 + slot).collect();
        rows[3] = 77;
        let event = cluster.event_for(&table, Lane::Rendezvous, Stream::Fast, &rows);
        let receipt = cluster.deposit(1, event).unwrap();
        let full = if number == u32::from(capacity) { 1 << 3 } else { 0 };
        assert_eq!((receipt.full, receipt.accepted), (full, 0x3ff & !full));
    }
    // capacity counts per origin: the same row is free at the next provider
    let mut rows: Vec<u32> = (0..10).map(|slot| 9_000 + slot).collect();
    rows[3] = 77;
    let event = cluster.event_for(&table, Lane::Rendezvous, Stream::Fast, &rows);
    assert_eq!(cluster.deposit(2, event).unwrap().full, 0);
}

#[test]
fn garbage_never_panics() {
    let mut cluster = cluster();
    for length in [0, 1, 44, 107, 108, 4_096] {
        let body = vec![0xa5; length];
        let now = cluster.now;
        let (core, rng) = (cluster.cores.get_mut(&id(1)).unwrap(), &mut cluster.rng);
        assert!(core.on_peer(now, rng, &body).is_err());
    }
    let token = cluster.token(1, TokenPurpose::Evaluate);
    let table = cluster.table(1, cluster.now.period());
    let query = crate::cluster::query_bytes(&table, &[[0xff; 32]; 16]);
    let reply = cluster.call(1, Call::Cell(CellRequest::Evaluate { token, query })).unwrap();
    assert!(matches!(reply, Reply::Cell(CellReply::Problem(problem)) if problem.code == ProblemCode::Malformed));
    assert!(
        matches!(cluster.call(1, Call::Table(mosaic_types::Period(u32::MAX))), Err(p) if p.code == ProblemCode::UnknownTable)
    );
    let _far = Timestamp::from_millis(u64::MAX);
}
