//! A store that was lost: its provider must not sign a second history, and must serve again.

use std::{sync::Arc, time::Duration};

use mosaic_provider::{ProviderCore, store::MemoryStore};
use mosaic_types::{Lane, SegmentId, Stream, TableId};
use mosaic_wire::{Call, HeadsQuery, KnownGenerations, ProblemCode, Reply};

use crate::{
    cluster::{Cluster, federation, id, policy},
    keys::restart,
};

fn cluster() -> Cluster<MemoryStore> {
    Cluster::ready(vec![MemoryStore::default(); 3])
}

/// Replaces a provider's store by an empty one; its keys survive.
fn lose(cluster: &mut Cluster<MemoryStore>, number: u8) {
    let keys = federation(3, 1).1.into_iter().find(|keys| keys.me == id(number)).unwrap();
    let empty = MemoryStore::default();
    let core = ProviderCore::open(keys, Arc::clone(&cluster.federation), empty, policy(), cluster.now).unwrap();
    cluster.cores.insert(id(number), core);
}

fn deposit(cluster: &mut Cluster<MemoryStore>, number: u8, stream: Stream) -> Result<u32, ProblemCode> {
    let event = cluster.event(stream);
    cluster.deposit(number, event).map(|receipt| receipt.generation)
}

fn heads_of_first(cluster: &mut Cluster<MemoryStore>, at: u8) -> usize {
    let table = TableId::new(cluster.now.period(), Lane::Rendezvous);
    let segment = SegmentId { table, origin: id(1), stream: Stream::Fast };
    let query = HeadsQuery::new(vec![KnownGenerations { segment, count: 0 }]).unwrap();
    let Ok(Reply::Heads(reply)) = cluster.call(at, Call::Heads(query)) else { panic!("no heads") };
    reply.heads().len()
}

#[test]
fn a_lost_store_signs_no_second_history() {
    let mut cluster = cluster();
    deposit(&mut cluster, 1, Stream::Fast).unwrap();
    cluster.pass(Duration::from_secs(5), Duration::from_secs(5));
    assert_eq!(heads_of_first(&mut cluster, 2), 1);
    lose(&mut cluster, 1);
    cluster.pass(Duration::from_mins(4), Duration::from_secs(10));
    let now = cluster.now;
    assert!(cluster.core(1).gauges(now).ready, "it evaluates and is read");
    assert_eq!(deposit(&mut cluster, 1, Stream::Fast), Err(ProblemCode::NotReady));
    assert_eq!(heads_of_first(&mut cluster, 1), 1, "what it sealed is fetched back");
    assert!(deposit(&mut cluster, 2, Stream::Fast).is_ok(), "the others go on, it keeps copies");
    // still so after a restart; the next table is not affected
    restart(&mut cluster, id(1));
    cluster.pass(Duration::from_mins(2), Duration::from_secs(10));
    assert_eq!(deposit(&mut cluster, 1, Stream::Fast), Err(ProblemCode::NotReady));
    cluster.pass(Duration::from_hours(4), Duration::from_mins(5));
    assert_eq!(deposit(&mut cluster, 1, Stream::Fast), Ok(0));
    cluster.pass(Duration::from_mins(3), Duration::from_secs(10));
    for number in [1, 2, 3] {
        assert_eq!(cluster.core(number).evidence().unwrap(), [], "nobody is convicted at {number}");
    }
}

#[test]
fn a_copy_that_was_never_sealed_is_a_trace_too() {
    let mut cluster = cluster();
    deposit(&mut cluster, 1, Stream::Slow).unwrap();
    lose(&mut cluster, 1);
    cluster.pass(Duration::from_mins(4), Duration::from_secs(10));
    assert_eq!(deposit(&mut cluster, 1, Stream::Slow), Err(ProblemCode::NotReady));
}

#[test]
fn who_signed_nothing_takes_deposits_again_once_every_peer_said_so() {
    let mut cluster = cluster();
    deposit(&mut cluster, 1, Stream::Fast).unwrap();
    lose(&mut cluster, 3);
    cluster.down = vec![id(1)];
    cluster.pass(Duration::from_mins(4), Duration::from_secs(10));
    assert_eq!(deposit(&mut cluster, 3, Stream::Fast), Err(ProblemCode::NotReady), "one peer has not answered");
    restart(&mut cluster, id(3));
    cluster.pass(Duration::from_mins(1), Duration::from_secs(10));
    assert_eq!(deposit(&mut cluster, 3, Stream::Fast), Err(ProblemCode::NotReady), "a restart forgets no doubt");
    cluster.down.clear();
    cluster.pass(Duration::from_mins(1), Duration::from_secs(10));
    assert_eq!(deposit(&mut cluster, 3, Stream::Fast), Ok(0));
    restart(&mut cluster, id(3));
    assert!(deposit(&mut cluster, 3, Stream::Fast).is_ok(), "what is settled stays settled");
}
