use std::time::Duration;

use mosaic_provider::store::{Bucket, LogStore, MemoryStore, Store};
use mosaic_types::{Lane, SegmentId, Stream, TableId};
use mosaic_wire::{Call, GenerationId, GenerationsQuery, HeadsQuery, KnownGenerations, ProblemCode, TokenPurpose};

use crate::{
    cluster::{Cluster, id, query_bytes},
    faults::{Failing, fault_after, stores},
    keys::restart,
};

#[test]
fn after_48_hours_a_table_is_gone_everywhere() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    let period = cluster.now.period();
    let table = cluster.table(1, period);
    for _ in 0..5 {
        let event = cluster.event(Stream::Steady);
        cluster.deposit(1, event).unwrap();
    }
    cluster.pass(Duration::from_hours(47), Duration::from_mins(30));
    let segment = SegmentId { table: TableId::new(period, Lane::Rendezvous), origin: id(1), stream: Stream::Steady };
    let query = || GenerationsQuery::new(vec![GenerationId { segment, index: 0 }]).unwrap();
    for number in [1, 2, 3] {
        assert!(cluster.call(number, Call::Generations(query())).is_ok(), "it lives for 48 hours");
    }
    cluster.pass(Duration::from_hours(1), Duration::from_mins(30));
    for number in [1, 2, 3] {
        let heads = HeadsQuery::new(vec![KnownGenerations { segment, count: 0 }]).unwrap();
        let token = cluster.token(number, TokenPurpose::Evaluate);
        let evaluate = mosaic_wire::CellRequest::Evaluate { token, query: query_bytes(&table, &[[0; 32]; 16]) };
        for call in [Call::Table(period), Call::Heads(heads), Call::Generations(query())] {
            let gone = cluster.call(number, call);
            assert!(matches!(gone, Err(problem) if problem.code == ProblemCode::Gone));
        }
        let gone = format!("{:?}", cluster.call(number, Call::Cell(evaluate)));
        assert!(gone.contains("Gone"), "{gone}");
        assert_nothing_left(cluster.core(number).store(), period);
    }
    // a restart does not bring it back
    restart(&mut cluster, id(2));
    cluster.settle();
    assert!(matches!(cluster.call(2, Call::Table(period)), Err(problem) if problem.code == ProblemCode::Gone));
}

/// The bytes of the records themselves, on real files: after 48 hours and the ticks that tidying asks for, none is on a
/// disk, neither where it was deposited nor at a replica; those of the day after are.
#[test]
fn after_48_hours_the_bytes_are_off_the_disks() {
    let folders: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let mut cluster = Cluster::ready(folders.iter().map(|folder| LogStore::open(folder.path()).unwrap()).collect());
    let old = cluster.event(Stream::Steady);
    cluster.deposit(1, old).unwrap();
    cluster.pass(Duration::from_hours(24), Duration::from_mins(30));
    let young = cluster.event(Stream::Steady);
    cluster.deposit(1, young).unwrap();
    cluster.pass(Duration::from_hours(23), Duration::from_mins(30));
    let lies = |event: &[u8]| {
        // a record of the event: the last 192 bytes
        let needle = &event[event.len() - 192..];
        let on = |folder: &tempfile::TempDir| {
            let files = std::fs::read_dir(folder.path().join("store")).unwrap();
            files
                .map(|file| std::fs::read(file.unwrap().path()).unwrap())
                .any(|bytes| bytes.windows(192).any(|window| window == needle))
        };
        folders.iter().filter(|folder| on(folder)).count()
    };
    assert_eq!((lies(&old), lies(&young)), (3, 3), "it lives for 48 hours, at every provider");
    cluster.pass(Duration::from_hours(1), Duration::from_mins(30));
    // as the driver does: a tick whenever the core asks for one
    while cluster.cores.values().any(|core| core.next_wake(cluster.now) <= cluster.now.after(Duration::from_millis(1)))
    {
        cluster.now = cluster.now.after(Duration::from_millis(1));
        cluster.settle();
    }
    assert_eq!((lies(&old), lies(&young)), (0, 3));
}

fn assert_nothing_left(store: &impl Store, period: mosaic_types::Period) {
    assert!(store.key(period).unwrap().is_none());
    assert!(store.get(Bucket::Ceremonies, &period.0.to_be_bytes()).unwrap().is_none());
    for lane in [Lane::Discovery, Lane::Rendezvous] {
        let table = TableId::new(period, lane).0.to_be_bytes();
        for bucket in [Bucket::Open, Bucket::Verdicts, Bucket::Replicas, Bucket::Heads, Bucket::Blocks] {
            assert!(store.scan(bucket, &table).unwrap().is_empty(), "{bucket:?}");
        }
    }
}

#[test]
fn a_crash_at_every_step_of_retirement_resumes() {
    for step in 0..12 {
        let mut cluster = Cluster::ready(stores());
        let period = cluster.now.period();
        let event = cluster.event(Stream::Fast);
        cluster.deposit(1, event).unwrap();
        cluster.pass(Duration::from_secs(5), Duration::from_secs(5));
        cluster.now = period.start().after(Duration::from_hours(48));
        // the store of provider 1 fails at its next `step`-th change, and the process dies there
        fault_after(cluster.core(1).store(), step);
        cluster.tick(id(1));
        restart_failing(&mut cluster);
        cluster.settle();
        assert!(matches!(cluster.call(1, Call::Table(period)), Err(p) if p.code == ProblemCode::Gone), "step {step}");
        assert_nothing_left(cluster.core(1).store(), period);
    }
}

fn restart_failing(cluster: &mut Cluster<Failing>) {
    crate::faults::restart(cluster, id(1));
}
