//! Deposits, reads and evaluations of one provider, on real files, with its replica in the same process.
//!
//! Side by side in the same run: the store before the log, a flush for every deposit instead of one for many, and the same events
//! in an SQLite table without rows, receipts or replicas, which is what one would write first.

#![expect(clippy::unwrap_used, reason = "a benchmark ends at the first surprise")]

#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/it/cluster.rs"]
mod cluster;

use std::{hint::black_box, time::Duration};

use cluster::{Cluster, id, query_bytes};
use criterion::{BatchSize, Bencher, Criterion, Throughput, criterion_group, criterion_main};
use mosaic_crypto::oprf;
use mosaic_provider::{
    Step,
    store::{LogStore, RedbStore, Store},
};
use mosaic_types::{Lane, SegmentId, Stream, TableId};
use mosaic_wire::{Call, CellRequest, EVENT, GenerationId, GenerationsQuery, Reply, TokenPurpose, WireToken};
use rand::Rng as _;

const BATCH: u16 = 64;

type Deposits = Vec<(WireToken, [u8; EVENT])>;

fn on_disk(folders: &[tempfile::TempDir]) -> Cluster<LogStore> {
    Cluster::ready(folders.iter().map(|folder| LogStore::open(folder.path()).unwrap()).collect())
}

fn folders() -> Vec<tempfile::TempDir> {
    (0..3).map(|_| tempfile::tempdir().unwrap()).collect()
}

/// A second passes first, so that generations are sealed as they would be.
fn deposits<S: Store>(cluster: &mut Cluster<S>, count: u16) -> Deposits {
    cluster.pass(Duration::from_secs(1), Duration::from_secs(1));
    let tokens: Vec<WireToken> = (0..count).map(|_| cluster.token(1, TokenPurpose::Deposit)).collect();
    let table = cluster.table(1, cluster.now.period());
    let mut event = || {
        let rows: Vec<u32> = (0..10).map(|slot| slot * 13_000 + cluster.rng.next_u32() % 13_000).collect();
        cluster.event_for(&table, Lane::Rendezvous, Stream::Steady, &rows)
    };
    tokens.into_iter().map(|token| (token, event())).collect()
}

/// Stages all, then one flush here, one at the replica, and a signed receipt for each.
fn acknowledge<S: Store>(cluster: &mut Cluster<S>, deposits: Deposits) {
    let (now, count) = (cluster.now, deposits.len());
    for (token, event) in deposits {
        let core = cluster.cores.get_mut(&id(1)).unwrap();
        let step = core.handle(now, &mut cluster.rng, Call::Cell(CellRequest::Deposit { token, event }));
        assert!(matches!(step, Step::Staged(_)));
    }
    cluster.core(1).commit(now);
    cluster.exchange();
    assert_eq!(cluster.core(1).take_settled().len(), count);
}

fn time<S: Store>(b: &mut Bencher<'_>, cluster: &mut Cluster<S>, together: u16) {
    let shared = std::cell::RefCell::new(cluster);
    let setup = || deposits(*shared.borrow_mut(), together);
    b.iter_batched(setup, |batch| acknowledge(*shared.borrow_mut(), batch), BatchSize::PerIteration);
}

fn deposit(c: &mut Criterion) {
    let places = [folders(), folders()];
    let open = |folder: &tempfile::TempDir| RedbStore::open(folder.path()).unwrap();
    let (mut log, mut database) = (on_disk(&places[0]), Cluster::ready(places[1].iter().map(open).collect()));
    let mut group = c.benchmark_group("deposit");
    group.sample_size(20).measurement_time(Duration::from_secs(6));
    for (name, together) in [("replicated, 64 to a flush", BATCH), ("replicated, a flush each", 1)] {
        group.throughput(Throughput::Elements(together.into()));
        group.bench_function(format!("{name}, log"), |b| time(b, &mut log, together));
        group.bench_function(format!("{name}, redb"), |b| time(b, &mut database, together));
    }
    let place = tempfile::tempdir().unwrap();
    let mut plain = rusqlite::Connection::open(place.path().join("events.sqlite")).unwrap();
    plain.pragma_update(None, "journal_mode", "wal").unwrap();
    plain.pragma_update(None, "synchronous", "full").unwrap();
    plain.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)", []).unwrap();
    group.throughput(Throughput::Elements(BATCH.into()));
    group.bench_function("SQLite, 64 to a flush", |b| {
        b.iter(|| {
            let transaction = plain.transaction().unwrap();
            for _ in 0..BATCH {
                transaction.execute("INSERT INTO events (bytes) VALUES (?1)", [vec![7_u8; EVENT]]).unwrap();
            }
            transaction.commit().unwrap();
        });
    });
    group.finish();
}

fn read(c: &mut Criterion) {
    let folders = folders();
    let mut cluster = on_disk(&folders);
    for _ in 0..10 {
        let batch = deposits(&mut cluster, BATCH);
        acknowledge(&mut cluster, batch);
    }
    let table = TableId::new(cluster.now.period(), Lane::Rendezvous);
    cluster.pass(Duration::from_mins(1), Duration::from_mins(1));
    let segment = SegmentId { table, origin: id(1), stream: Stream::Steady };
    let query = GenerationsQuery::new(vec![GenerationId { segment, index: 0 }]).unwrap();
    let Ok(Reply::Generations(reply)) = cluster.call(2, Call::Generations(query.clone())) else { panic!("no block") };
    let records = reply.blocks()[0].records().len();
    let mut group = c.benchmark_group("read");
    group.throughput(Throughput::Elements(records as u64));
    group.bench_function("a generation of 6400 records, from the replica's disk", |b| {
        b.iter(|| black_box(cluster.call(2, Call::Generations(query.clone()))));
    });
    let block = &reply.blocks()[0];
    group.throughput(Throughput::Elements(1));
    let mut row = 0;
    group.bench_function("a row of a downloaded generation", |b| {
        b.iter(|| {
            row = (row + 7_919) % 130_000;
            black_box(block.row(row).len())
        });
    });
    group.finish();
}

fn evaluate(c: &mut Criterion) {
    let folders = folders();
    let mut cluster = on_disk(&folders);
    let table = cluster.table(1, cluster.now.period());
    let points: Vec<[u8; 32]> = (0..16).map(|_| oprf::blind(b"x", &mut cluster.rng).unwrap().1).collect();
    let query = query_bytes(&table, &points);
    let mut group = c.benchmark_group("evaluate");
    group.throughput(Throughput::Elements(16));
    group.bench_function("a batch of 16 points with its proof", |b| {
        let shared = std::cell::RefCell::new(&mut cluster);
        let setup = || shared.borrow_mut().token(1, TokenPurpose::Evaluate);
        let evaluate = |token| {
            let call = Call::Cell(CellRequest::Evaluate { token, query });
            black_box(shared.borrow_mut().call(1, call))
        };
        b.iter_batched(setup, evaluate, BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, deposit, read, evaluate);
criterion_main!(benches);
