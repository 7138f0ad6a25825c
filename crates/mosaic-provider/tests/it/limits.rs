//! What strangers and peers may ask for: rations, memory, lengths of lists.

use std::{cell::Cell, rc::Rc, sync::Arc};

use mosaic_crypto::oprf;
use mosaic_federation::{
    Verdict,
    peer::{self, Direction, MAX_DEPOSITS, PeerReply, PeerRequest, ReplicaDeposit},
};
use mosaic_provider::{
    Policy, ProviderCore,
    store::{Bucket, Change, Entry, MemoryStore, Store, StoreError},
};
use mosaic_types::{Lane, Period, ProviderId, SegmentId, Stream, TableId, Timestamp};
use mosaic_wire::{
    Call, CellReply, CellRequest, GenerationBlock, GenerationId, GenerationsQuery, Head, ProblemCode, Record, Reply,
    TokenPurpose, WireToken,
};
use zeroize::Zeroizing;

use crate::cluster::{Cluster, federation, id, policy, query_bytes};

/// A store that counts the blocks it is asked for.
#[derive(Clone, Default)]
struct Counting {
    inner: MemoryStore,
    blocks: Rc<Cell<usize>>,
}

impl Store for Counting {
    fn get(&self, bucket: Bucket, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.blocks.set(self.blocks.get() + usize::from(bucket == Bucket::Blocks));
        self.inner.get(bucket, key)
    }

    fn scan(&self, bucket: Bucket, prefix: &[u8]) -> Result<Vec<Entry>, StoreError> {
        self.inner.scan(bucket, prefix)
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.inner.commit(changes)
    }

    fn keep_key(&mut self, period: Period, key: &[u8; 32]) -> Result<(), StoreError> {
        self.inner.keep_key(period, key)
    }

    fn key(&self, period: Period) -> Result<Option<Zeroizing<[u8; 32]>>, StoreError> {
        self.inner.key(period)
    }

    fn destroy_key(&mut self, period: Period) -> Result<(), StoreError> {
        self.inner.destroy_key(period)
    }

    fn bytes(&self) -> u64 {
        self.inner.bytes()
    }
}

/// Starts a provider again on what `change` makes of its store.
pub(crate) fn reopen<S: Store>(cluster: &mut Cluster<S>, number: u8, policy: Policy, change: impl FnOnce(&mut S)) {
    let mut store = cluster.cores.remove(&id(number)).unwrap().into_store();
    change(&mut store);
    let keys = federation(3, 1).1.into_iter().find(|keys| keys.me == id(number)).unwrap();
    let core = ProviderCore::open(keys, Arc::clone(&cluster.federation), store, policy, cluster.now).unwrap();
    cluster.cores.insert(id(number), core);
}

fn segment(cluster: &Cluster<impl Store>, origin: u8, lane: Lane) -> SegmentId {
    SegmentId { table: TableId::new(cluster.now.period(), lane), origin: id(origin), stream: Stream::Fast }
}

/// The store's key of a generation, written out: table ‖ origin ‖ stream ‖ index.
fn key_of(head: &Head) -> Vec<u8> {
    let place = [head.segment.origin.get(), head.segment.stream.number()];
    [&head.segment.table.0.to_be_bytes()[..], &place, &head.index.to_be_bytes()].concat()
}

#[test]
fn sixty_four_large_generations_are_handed_out_in_parts_that_fit() {
    let mut cluster = Cluster::ready(vec![Counting::default(), Counting::default(), Counting::default()]);
    let segment = segment(&cluster, 2, Lane::Rendezvous);
    let (key, mut previous) = (federation(3, 1).1.remove(1).signing, [0; 32]);
    let mut changes = Vec::new();
    for index in 0..64 {
        let record = |row: u32| Record { row, bytes: [index as u8; 192] };
        let block = GenerationBlock::new(segment, index, (0..5_000).map(record).collect()).unwrap();
        let head = Head::seal(&block, previous, cluster.now, &key);
        previous = head.hash();
        changes.push(Change::Put(Bucket::Heads, key_of(&head), head.encode().to_vec()));
        changes.push(Change::Put(Bucket::Blocks, key_of(&head), block.encode()));
    }
    reopen(&mut cluster, 1, policy(), |store| store.commit(&changes).unwrap());
    let mut left: Vec<GenerationId> = (0..64).map(|index| GenerationId { segment, index }).collect();
    let mut asked = 0;
    while !left.is_empty() {
        cluster.core(1).store().blocks.set(0);
        let query = GenerationsQuery::new(left.clone()).unwrap();
        let Ok(Reply::Generations(reply)) = cluster.call(1, Call::Generations(query)) else { panic!() };
        let given = reply.blocks().len();
        assert!(given > 0 && reply.encode().len() <= 1 << 24);
        assert!(cluster.core(1).store().blocks.get() <= given + 1, "nothing is read that does not fit");
        left.drain(..given);
        asked += 1;
    }
    assert_eq!(asked, 4, "seventeen of 975 kB fit into 16 MiB");
}

fn evaluate(
    cluster: &mut Cluster<MemoryStore>,
    token: WireToken,
    points: &[[u8; 32]],
) -> Result<CellReply, ProblemCode> {
    let table = cluster.table(1, cluster.now.period());
    let query = query_bytes(&table, points);
    match cluster.call(1, Call::Cell(CellRequest::Evaluate { token, query })) {
        Ok(Reply::Cell(CellReply::Problem(problem))) => Err(problem.code),
        Ok(Reply::Cell(reply)) => Ok(reply),
        other => panic!("{other:?}"),
    }
}

fn points(cluster: &mut Cluster<MemoryStore>) -> Vec<[u8; 32]> {
    (0..16).map(|_| oprf::blind(b"an input", &mut cluster.rng).unwrap().1).collect()
}

#[test]
fn evaluations_are_rationed_by_the_hour() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    reopen(&mut cluster, 1, Policy { evaluations_per_hour: 2, ..policy() }, |_| {});
    let points = points(&mut cluster);
    let ask = |cluster: &mut Cluster<MemoryStore>| {
        let token = cluster.token(1, TokenPurpose::Evaluate);
        evaluate(cluster, token, &points).map(|_| ())
    };
    assert_eq!([ask(&mut cluster), ask(&mut cluster)], [Ok(()), Ok(())]);
    assert_eq!(ask(&mut cluster), Err(ProblemCode::Quota));
    assert_eq!(cluster.core(1).counters().evaluations, 2);
    cluster.now = Timestamp::from_secs((cluster.now.as_secs() / 3_600 + 1) * 3_600);
    assert_eq!(ask(&mut cluster), Ok(()), "the next hour has its own ration");
}

/// The ration and the token are taken before anything is computed, or computing would be free.
#[test]
fn points_that_are_none_cost_a_token_and_a_part_of_the_ration() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    reopen(&mut cluster, 1, Policy { evaluations_per_hour: 1, ..policy() }, |_| {});
    let token = cluster.token(1, TokenPurpose::Evaluate);
    assert_eq!(evaluate(&mut cluster, token.clone(), &[[0xff; 32]; 16]), Err(ProblemCode::Malformed));
    let good = points(&mut cluster);
    assert_eq!(evaluate(&mut cluster, token, &good), Err(ProblemCode::TokenSpent));
    let token = cluster.token(1, TokenPurpose::Evaluate);
    assert_eq!(evaluate(&mut cluster, token, &good), Err(ProblemCode::Quota));
}

/// What provider 2 answers to a request of provider 1.
pub(crate) fn ask_peer(cluster: &mut Cluster<MemoryStore>, request: &PeerRequest) -> PeerReply {
    let key = federation(3, 1).1.remove(0).signing;
    let (from, to): (ProviderId, ProviderId) = (id(1), id(2));
    let mut reference = [0; 32];
    rand::Rng::fill_bytes(&mut cluster.rng, &mut reference);
    let (body, digest) = peer::seal((from, to), Direction::Request, cluster.now, &reference, request, &key);
    let (now, core) = (cluster.now, cluster.cores.get_mut(&to).unwrap());
    let answer = core.on_peer(now, &mut cluster.rng, &body).unwrap();
    peer::open_reply(&cluster.federation, (to, from), now, &digest, &answer).unwrap().body
}

fn copy(cluster: &mut Cluster<MemoryStore>, number: u32, row: u32) -> ReplicaDeposit {
    let token = cluster.token(1, TokenPurpose::Deposit).encode().to_vec();
    let verdict = Verdict {
        stream: Stream::Fast,
        generation: 20,
        accepted: 1,
        full: 0x3fe,
        time: cluster.now,
        receipt_key: [0; 32],
    };
    let mut event = [0; 32];
    event[..4].copy_from_slice(&number.to_be_bytes());
    let records = [&row.to_be_bytes()[1..], &[number as u8; 192]].concat();
    ReplicaDeposit { table: TableId::new(cluster.now.period(), Lane::Discovery), event, verdict, records, token }
}

#[test]
fn a_peer_keeps_no_more_copies_than_a_table_has_room_for() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    let table = cluster.table(1, cluster.now.period());
    let room = u64::from(table.discovery.rows) * u64::from(table.discovery.capacity);
    let (segment, key) = (segment(&cluster, 1, Lane::Discovery), federation(3, 1).1.remove(0).signing);
    // sealed generations that leave room for three records
    let (mut previous, mut left, mut changes) = ([0; 32], room - 3, Vec::new());
    for index in 0.. {
        let count = u32::try_from(left.min(65_536)).unwrap();
        let unsigned =
            Head { segment, index, count, root: [1; 32], previous, sealed_at: cluster.now, signature: [0; 64] };
        let head = unsigned.sign(&key);
        (previous, left) = (head.hash(), left - u64::from(count));
        changes.push(Change::Put(Bucket::Heads, key_of(&head), head.encode().to_vec()));
        if left == 0 {
            break;
        }
    }
    assert!(changes.len() <= 20, "the copies below are of a generation after these");
    reopen(&mut cluster, 2, policy(), |store| store.commit(&changes).unwrap());
    let keep = |cluster: &mut Cluster<MemoryStore>, numbers: std::ops::Range<u32>| {
        let copies = numbers.map(|number| copy(cluster, number, number)).collect();
        ask_peer(cluster, &PeerRequest::Replicate(copies))
    };
    assert_eq!(keep(&mut cluster, 0..2), PeerReply::Done);
    for _ in 0..5 {
        assert_eq!(keep(&mut cluster, 0..2), PeerReply::Done, "what comes again takes no more room");
    }
    assert_eq!(keep(&mut cluster, 2..4), PeerReply::Refused, "two are one too many");
    assert_eq!(keep(&mut cluster, 2..3), PeerReply::Done);
    assert_eq!(keep(&mut cluster, 3..4), PeerReply::Refused);
    reopen(&mut cluster, 2, policy(), |_| {});
    assert_eq!(keep(&mut cluster, 3..4), PeerReply::Refused, "counted again after a restart");
    assert_eq!(keep(&mut cluster, 0..3), PeerReply::Done);
}

#[test]
fn a_peer_takes_no_longer_lists_and_no_rows_that_do_not_exist() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    let mut many = |count: usize| PeerRequest::Replicate((0..count as u32).map(|n| copy(&mut cluster, n, n)).collect());
    let (full, too_many) = (many(MAX_DEPOSITS), many(MAX_DEPOSITS + 1));
    let rows = cluster.table(1, cluster.now.period()).discovery.rows;
    let beyond = PeerRequest::Replicate(vec![copy(&mut cluster, 1, rows)]);
    assert_eq!(ask_peer(&mut cluster, &too_many), PeerReply::Refused);
    assert_eq!(ask_peer(&mut cluster, &beyond), PeerReply::Refused);
    assert_eq!(ask_peer(&mut cluster, &full), PeerReply::Done);
}

#[test]
fn heads_far_ahead_of_their_chain_do_not_wait() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    let (segment, key) = (segment(&cluster, 1, Lane::Discovery), federation(3, 1).1.remove(0).signing);
    let announce = |index| {
        let unsigned = Head {
            segment,
            index,
            count: 1,
            root: [1; 32],
            previous: [2; 32],
            sealed_at: cluster.now,
            signature: [0; 64],
        };
        PeerRequest::Announce(vec![unsigned.sign(&key).encode().to_vec()])
    };
    let (far, near) = (announce(1_024), announce(1_023));
    let traces = PeerRequest::Traces(cluster.now.period());
    assert_eq!(ask_peer(&mut cluster, &far), PeerReply::Done);
    assert_eq!(ask_peer(&mut cluster, &traces), PeerReply::Traces(false));
    assert_eq!(ask_peer(&mut cluster, &near), PeerReply::Done);
    assert_eq!(ask_peer(&mut cluster, &traces), PeerReply::Traces(true));
}
