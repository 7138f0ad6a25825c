//! What a front makes of its provider's store, without sockets: the same answers as the writer, and nothing from what is damaged,
//! foreign or retired.

use std::{sync::Arc, time::Duration};

use mosaic_crypto::oprf;
use mosaic_federation::TABLE_LIFE;
use mosaic_provider::{
    FrontCore,
    spent::{Spending, SpentError},
    store::{Bucket, MemoryStore, Store as _},
};
use mosaic_types::{Lane, SegmentId, Stream, TableId, Timestamp};
use mosaic_wire::{
    Call, CellReply, CellRequest, GenerationId, Head, HeadsQuery, KnownGenerations, ProblemCode, Reply, TokenPurpose,
};
use proptest::prelude::*;

use crate::cluster::{Cluster, federation, id, policy, query_bytes};

/// A front of the first provider that has not looked at anything.
fn front(cluster: &Cluster<MemoryStore>) -> FrontCore {
    let (_, mut keys) = federation(3, 1);
    FrontCore::new(keys.remove(0), Arc::clone(&cluster.federation), &policy()).unwrap()
}

/// One look at the first provider's store, as the driver takes it.
fn look(front: &mut FrontCore, cluster: &mut Cluster<MemoryStore>) {
    let now = cluster.now;
    let store = cluster.core(1).store();
    for period in front.take_tables(now, &store.scan(Bucket::Tables, b"").unwrap()) {
        let own = store.key(period).unwrap();
        let sealed = store.get(Bucket::Ceremonies, &period.0.to_be_bytes()).unwrap();
        front.take_ceremony(period, own.as_deref(), sealed.as_deref());
    }
    for (segment, known) in front.growing(now) {
        let heads = store.scan(Bucket::Heads, &key(segment)).unwrap();
        front.take_heads(segment, heads.iter().skip(known as usize).map(|(_, head)| head.as_slice()));
    }
}

/// Where a segment's heads begin in the store.
fn key(segment: SegmentId) -> Vec<u8> {
    [&segment.table.0.to_be_bytes()[..], &[segment.origin.get(), segment.stream.number()]].concat()
}

fn segment(cluster: &Cluster<MemoryStore>, origin: u8) -> SegmentId {
    let table = TableId::new(cluster.now.period(), Lane::Rendezvous);
    SegmentId { table, origin: id(origin), stream: Stream::Steady }
}

fn heads_query(segment: SegmentId) -> Call {
    Call::Heads(HeadsQuery::new(vec![KnownGenerations { segment, count: 0 }]).unwrap())
}

fn heads(front: &mut FrontCore, now: Timestamp, segment: SegmentId) -> Vec<Head> {
    match front.handle(now, &heads_query(segment)) {
        Some(Ok(Reply::Heads(heads))) => heads.heads().to_vec(),
        other => panic!("{:?}", other.map(|answer| answer.err())),
    }
}

/// Generations sealed between two looks come with the next one, of every origin.
#[test]
fn a_front_shows_what_the_writer_shows() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    let mut front = front(&cluster);
    for round in 1..=3 {
        for origin in [1, 2, 3] {
            let event = cluster.event(Stream::Steady);
            cluster.deposit(origin, event).unwrap();
        }
        cluster.pass(Duration::from_mins(2), Duration::from_secs(20));
        look(&mut front, &mut cluster);
        for origin in [1, 2, 3] {
            let segment = segment(&cluster, origin);
            let Ok(Reply::Heads(shown)) = cluster.call(1, heads_query(segment)) else { panic!("no heads") };
            assert_eq!(shown.heads().len(), round);
            assert_eq!(heads(&mut front, cluster.now, segment), shown.heads());
        }
    }
    let (now, period) = (cluster.now, cluster.now.period());
    for call in [Call::Table(period), Call::Time, Call::Federation] {
        let own = front.handle(now, &call).unwrap().unwrap();
        assert_eq!(format!("{own:?}"), format!("{:?}", cluster.call(1, call).unwrap()));
    }
    assert!(front.gauges(now).ready && front.counters().head_reads > 0);
    // what was shown by another front since the last look is known to be lacking here
    let known = segment(&cluster, 1);
    let next = [2, 3].map(|index| GenerationId { segment: known, index });
    assert_eq!(front.lacking(&next), [(known, 3)]);
}

/// The same points under the same share; a token pays as it does at the writer, and what nobody can say is a 503 with a time.
#[test]
fn a_front_evaluates_what_was_surely_paid_for() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    let mut front = front(&cluster);
    let table = cluster.table(1, cluster.now.period());
    let points: Vec<[u8; 32]> = (0..16).map(|_| oprf::blind(b"x", &mut cluster.rng).unwrap().1).collect();
    let query = query_bytes(&table, &points);
    let [token, other] = [(); 2].map(|()| cluster.token(1, TokenPurpose::Evaluate));
    let deposit = cluster.token(1, TokenPurpose::Deposit);
    let now = cluster.now;
    let refused = |front: &mut FrontCore, token, query| front.prepare_evaluation(now, token, query).err().unwrap().code;
    assert_eq!(refused(&mut front, &token, &query), ProblemCode::UnknownTable, "before the first look");
    look(&mut front, &mut cluster);
    assert_eq!(refused(&mut front, &deposit, &query), ProblemCode::TokenInvalid);
    let mut elsewhere = query;
    elsewhere[5] ^= 1;
    assert_eq!(refused(&mut front, &token, &elsewhere), ProblemCode::UnknownTable);

    let paying = front.prepare_evaluation(now, &token, &query).unwrap();
    assert_eq!(paying.spend().id, token.spend_id());
    assert_eq!(front.prepare_evaluation(now, &token, &query).unwrap().spend(), paying.spend());
    for error in [SpentError::Unreachable, SpentError::NotCopied, SpentError::Busy] {
        let problem = front.paid(Err(error)).unwrap_err();
        assert!(problem.code.status() == 503 && problem.retry_after_s.is_some(), "{problem:?}");
    }
    assert_eq!(front.paid(Ok(Spending::Otherwise)).unwrap_err().code, ProblemCode::TokenSpent);
    front.paid(Ok(Spending::First)).unwrap();
    front.paid(Ok(Spending::Again)).unwrap();
    assert_eq!((front.counters().tokens_spent, front.counters().evaluations), (1, 2));

    let Ok(CellReply::Evaluation { points: evaluated, proof }) = paying.evaluate(&mut cluster.rng) else {
        panic!("no evaluation")
    };
    let evaluation = oprf::Evaluation { points: evaluated.to_vec(), proof };
    oprf::verify_evaluation(table.share(id(1)).unwrap(), &points, &evaluation).unwrap();
    let whole = cluster.call(1, Call::Cell(CellRequest::Evaluate { token: other, query }));
    assert!(matches!(whole, Ok(Reply::Cell(CellReply::Evaluation { points, .. })) if points == evaluated));
}

/// A table is over at its time, whether or not anything was looked at since; and at once when the writer tombstoned it.
#[test]
fn a_front_forgets_on_time() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    let mut front = front(&cluster);
    look(&mut front, &mut cluster);
    let period = cluster.now.period();
    let gone = |front: &mut FrontCore, now| {
        let said = front.handle(now, &Call::Table(period)).unwrap();
        matches!(said, Err(problem) if problem.code == ProblemCode::Gone)
    };
    assert!(!gone(&mut front, cluster.now));
    assert!(gone(&mut front, period.start().after(TABLE_LIFE)));
    assert!(front.take_tables(cluster.now, &[(period.0.to_be_bytes().to_vec(), vec![1])]).is_empty());
    assert!(gone(&mut front, cluster.now), "tombstoned");
}

/// A head that its origin did not sign, or that continues nothing, is not shown.
#[test]
fn a_front_shows_no_head_that_is_not_its_origins() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    let event = cluster.event(Stream::Steady);
    cluster.deposit(1, event).unwrap();
    cluster.pass(Duration::from_mins(2), Duration::from_secs(20));
    let known = segment(&cluster, 1);
    let (_, stored) = cluster.core(1).store().scan(Bucket::Heads, &key(known)).unwrap().remove(0);
    let mut front = front(&cluster);
    let (now, tables) = (cluster.now, cluster.core(1).store().scan(Bucket::Tables, b"").unwrap());
    let store = cluster.core(1).store();
    for period in front.take_tables(now, &tables) {
        let sealed = store.get(Bucket::Ceremonies, &period.0.to_be_bytes()).unwrap();
        front.take_ceremony(period, Some(&[9; 32]), sealed.as_deref());
        front.take_ceremony(period, None, sealed.as_deref());
        assert_eq!(front.gauges(now).tables, 0, "another key opens nothing");
    }
    for period in front.take_tables(now, &tables) {
        let sealed = store.get(Bucket::Ceremonies, &period.0.to_be_bytes()).unwrap();
        front.take_ceremony(period, store.key(period).unwrap().as_deref(), sealed.as_deref());
    }
    for place in 0..stored.len() {
        let mut forged = stored.clone();
        forged[place] ^= 1;
        front.take_heads(known, [forged.as_slice()]);
        assert!(heads(&mut front, now, known).is_empty(), "byte {place}");
    }
    front.take_heads(known, [stored.as_slice()]);
    assert_eq!(heads(&mut front, now, known).len(), 1);
}

proptest! {
    /// Whatever is in the store.
    #[test]
    fn a_front_survives_any_store(
        tables in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..6), prop::collection::vec(any::<u8>(), 0..4)), 0..4),
        sealed in prop::collection::vec(any::<u8>(), 0..80),
        head in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let cluster = Cluster::new(vec![MemoryStore::default(); 3]);
        let mut front = front(&cluster);
        for period in front.take_tables(cluster.now, &tables) {
            front.take_ceremony(period, Some(&[1; 32]), Some(&sealed));
        }
        front.take_heads(segment(&cluster, 1), [head.as_slice()]);
        prop_assert!(!front.gauges(cluster.now).ready);
    }
}
