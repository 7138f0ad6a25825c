use std::time::Duration;

use mosaic_crypto::{dpf, pir};
use mosaic_federation::{Comparison, Evidence, HeadChain, Linked, VerifiedBlock, compare, peer, records_of};
use mosaic_provider::store::MemoryStore;
use mosaic_types::{Lane, SegmentId, Stream, TableId};
use mosaic_wire::{
    Bin, Call, Cut, EventFields, GenerationBlock, GenerationId, GenerationsQuery, Head, HeadsQuery, KnownGenerations,
    Record, Reply, StackId, StackQuery,
};
use rand::Rng as _;

use crate::cluster::{Cluster, federation, id};

fn segment(cluster: &Cluster<MemoryStore>, origin: u8, stream: Stream) -> SegmentId {
    SegmentId { table: TableId::new(cluster.now.period(), Lane::Rendezvous), origin: id(origin), stream }
}

fn heads(cluster: &mut Cluster<MemoryStore>, from: u8, segment: SegmentId) -> Vec<Head> {
    let query = HeadsQuery::new(vec![KnownGenerations { segment, count: 0 }]).unwrap();
    let Ok(Reply::Heads(reply)) = cluster.call(from, Call::Heads(query)) else { panic!("no heads") };
    reply.heads().to_vec()
}

fn block(cluster: &mut Cluster<MemoryStore>, from: u8, segment: SegmentId, index: u32) -> GenerationBlock {
    let query = GenerationsQuery::new(vec![GenerationId { segment, index }]).unwrap();
    let Ok(Reply::Generations(reply)) = cluster.call(from, Call::Generations(query)) else { panic!("no block") };
    reply.into_blocks().remove(0)
}

#[test]
fn every_provider_shows_the_same_sealed_generations() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    let events: Vec<_> = (0..20).map(|_| cluster.event(Stream::Steady)).collect();
    for event in &events {
        cluster.deposit(1, *event).unwrap();
    }
    let segment = segment(&cluster, 1, Stream::Steady);
    assert!(heads(&mut cluster, 1, segment).is_empty(), "nothing is shown before it is sealed");
    cluster.pass(Duration::from_mins(1), Duration::from_secs(20));
    let key = cluster.federation.signing_key(id(1)).unwrap();
    let mut chains = Vec::new();
    for reader in [1, 2, 3] {
        let shown = heads(&mut cluster, reader, segment);
        let mut chain = HeadChain::new(segment);
        shown.iter().for_each(|head| assert_eq!(chain.offer(head, &key), Ok(Linked::Appended)));
        let block = block(&mut cluster, reader, segment, 0);
        let block = VerifiedBlock::check(&shown[0], block).expect("exactly what the head states");
        for event in &events {
            let fields = EventFields::decode(event).unwrap();
            for record in records_of(&fields, 0x3ff) {
                assert!(block.block().row(record.row).contains(&record));
            }
        }
        chains.push(chain);
    }
    assert_eq!(compare(&chains[0], &chains[1]), Comparison::Equal(1));
    assert_eq!(compare(&chains[1], &chains[2]), Comparison::Equal(1));
}

/// One half of a key each, and what the two sums add up to proves itself under a root that both name; also the second time, when
/// the table is cut already, and at any two of the three.
#[test]
fn a_look_at_any_two_providers_shows_a_row() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    let now = cluster.now;
    let table = cluster.table(1, now.period());
    let rows = table.lane(Lane::Rendezvous).rows;
    let mut event = || {
        // rows are pseudorandom: all over the table
        let rows: Vec<u32> = (0..10).map(|slot| slot * 13_000 + cluster.rng.next_u32() % 13_000).collect();
        cluster.event_for(&table, Lane::Rendezvous, Stream::Steady, &rows)
    };
    let events: Vec<_> = (0..20).map(|_| event()).collect();
    for (event, origin) in events.iter().zip([1, 2, 3].into_iter().cycle()) {
        cluster.deposit(origin, *event).unwrap();
    }
    cluster.pass(Duration::from_mins(2), Duration::from_secs(20));
    let heads: Vec<Head> =
        [1, 2, 3].map(|origin| segment(&cluster, origin, Stream::Steady)).map(|it| heads(&mut cluster, 1, it)).concat();
    let stack = StackId::of(&heads).unwrap();
    let wanted: Vec<Record> =
        events.iter().map(|event| records_of(&EventFields::decode(event).unwrap(), 0x3ff)[4]).collect();
    for pair in [[1, 2], [3, 1], [2, 3], [1, 2]] {
        let keys = (0..StackQuery::KEYS).map(|at| wanted.get(at).map_or(0, |record| record.row));
        let keys: Vec<_> =
            keys.map(|row| dpf::share(row, Cut::domain(rows).unwrap(), &mut cluster.rng).unwrap()).collect();
        let [one, other] = [0, 1].map(|party| {
            let keys = keys.iter().map(|pair| pair[party].clone()).collect();
            let query = StackQuery::new(stack.clone(), keys).unwrap();
            let answer = cluster.call(pair[party], Call::Stack(Box::new(query)));
            let Ok(Reply::Stack(reply)) = answer else { panic!("no sums") };
            reply
        });
        let head = one.head().filter(|head| other.head() == Some(*head)).unwrap();
        let cut = Cut::of(rows, one.halvings()).unwrap();
        assert_eq!(head.count, 200);
        for (record, (one, other)) in wanted.iter().zip(one.sums().zip(other.sums())) {
            let bin = Bin::decode(&pir::combine(one, other).unwrap()).unwrap();
            assert!(bin.confirmed(&cut.rows_of(cut.bin(record.row)), &head).unwrap().contains(record));
        }
    }
    assert_eq!(cluster.core(1).counters().blind_reads, 3);
}

#[test]
fn streams_seal_at_their_own_pace() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    for stream in Stream::ALL {
        let event = cluster.event(stream);
        cluster.deposit(1, event).unwrap();
    }
    let mut sealed_after = Vec::new();
    for step in 0..=120 {
        let found = Stream::ALL.iter().filter(|stream| {
            let segment = segment(&cluster, 1, **stream);
            !heads(&mut cluster, 2, segment).is_empty()
        });
        let count = found.count();
        if sealed_after.len() < count {
            sealed_after.push(step * 5);
        }
        cluster.pass(Duration::from_secs(5), Duration::from_secs(5));
    }
    // from one minute into a period on: boundaries of 5 s, 60 s and 600 s
    assert_eq!(sealed_after, [5, 60, 540]);
}

#[test]
fn a_provider_that_was_away_catches_up_from_any_peer() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    cluster.down = vec![id(3)];
    for _ in 0..30 {
        let event = cluster.event(Stream::Fast);
        cluster.deposit(1, event).unwrap();
        cluster.pass(Duration::from_secs(5), Duration::from_secs(5));
    }
    let segment = segment(&cluster, 1, Stream::Fast);
    assert_eq!(heads(&mut cluster, 2, segment).len(), 30);
    // the origin goes away, the third returns: the second provider has everything
    cluster.down = vec![id(1)];
    cluster.pass(Duration::from_mins(4), Duration::from_secs(30));
    assert_eq!(heads(&mut cluster, 3, segment).len(), 30);
    assert_eq!(block(&mut cluster, 3, segment, 29), block(&mut cluster, 2, segment, 29));
}

#[test]
fn two_heads_of_one_generation_convict_their_origin() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    let event = cluster.event(Stream::Fast);
    cluster.deposit(1, event).unwrap();
    cluster.pass(Duration::from_secs(5), Duration::from_secs(5));
    let segment = segment(&cluster, 1, Stream::Fast);
    assert_eq!(heads(&mut cluster, 2, segment).len(), 1);
    // provider 1 signs another history and shows it to provider 2
    let (_, keys) = federation(3, 1);
    let empty = GenerationBlock::new(segment, 0, Vec::new()).unwrap();
    let other = Head::seal(&empty, [0; 32], cluster.now, &keys[0].signing);
    let request = peer::PeerRequest::Announce(vec![other.encode().to_vec()]);
    let (body, _) =
        peer::seal((id(1), id(2)), peer::Direction::Request, cluster.now, &[9; 32], &request, &keys[0].signing);
    let (now, core) = (cluster.now, cluster.cores.get_mut(&id(2)).unwrap());
    core.on_peer(now, &mut cluster.rng, &body).unwrap();
    let evidence = cluster.core(2).evidence().unwrap();
    assert_eq!(evidence.len(), 1);
    let published = Evidence::decode(&evidence[0].encode()).unwrap();
    assert_eq!(published.verify(&cluster.federation), Ok(id(1)));
    // the same message again is not taken, and the first history stays
    assert!(cluster.cores.get_mut(&id(2)).unwrap().on_peer(now, &mut cluster.rng, &body).is_err());
    assert_eq!(heads(&mut cluster, 2, segment).len(), 1);
}
