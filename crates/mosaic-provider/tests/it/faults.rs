//! Stores that fail at every single operation, and processes that die there: whatever was acknowledged
//! is found afterwards.

use std::{
    cell::{Cell, RefCell},
    fs,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use mosaic_federation::records_of;
use mosaic_provider::{
    ProviderCore,
    store::{
        Bucket, Change, Entry, LogStore, MemoryStore, Store, StoreAddress, StoreError, TableCredentials, TableOptions,
        TableStore,
    },
};
use mosaic_types::{Lane, Period, ProviderId, SegmentId, Stream, TableId};
use mosaic_wire::{
    Call, CellReply, CellRequest, EVENT, EventFields, GenerationId, GenerationsQuery, HeadsQuery, KnownGenerations,
    ProblemCode, Receipt, Record, Reply, TokenPurpose,
};
use zeroize::Zeroizing;

use crate::{
    cluster::{Cluster, federation, id, policy},
    server::Server,
};

/// A store whose changes start to fail after a set number; what it held survives its owner.
#[derive(Clone, Default)]
pub(crate) struct Failing {
    inner: Rc<RefCell<MemoryStore>>,
    left: Rc<Cell<Option<u32>>>,
    /// Changes that were tried, let through or not.
    tried: Rc<Cell<u32>>,
    refused: Rc<Cell<bool>>,
}

pub(crate) fn stores() -> Vec<Failing> {
    (0..3).map(|_| Failing::default()).collect()
}

/// Lets `changes` more changes through.
pub(crate) fn fault_after(store: &Failing, changes: u32) {
    store.left.set(Some(changes));
}

impl Failing {
    /// Whether a change was refused since it was last repaired.
    pub(crate) fn has_failed(&self) -> bool {
        self.left.get() == Some(0) && self.refused.get()
    }

    fn allow(&self) -> Result<(), StoreError> {
        self.tried.set(self.tried.get() + 1);
        match self.left.get() {
            None => Ok(()),
            Some(0) => {
                self.refused.set(true);
                Err(StoreError::Full)
            }
            Some(left) => {
                self.left.set(Some(left - 1));
                Ok(())
            }
        }
    }
}

impl Store for Failing {
    fn get(&self, bucket: Bucket, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.borrow().get(bucket, key)
    }

    fn scan(&self, bucket: Bucket, prefix: &[u8]) -> Result<Vec<Entry>, StoreError> {
        self.inner.borrow().scan(bucket, prefix)
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.allow()?;
        self.inner.borrow_mut().commit(changes)
    }

    fn keep_key(&mut self, period: Period, key: &[u8; 32]) -> Result<(), StoreError> {
        self.allow()?;
        self.inner.borrow_mut().keep_key(period, key)
    }

    fn key(&self, period: Period) -> Result<Option<Zeroizing<[u8; 32]>>, StoreError> {
        self.inner.borrow().key(period)
    }

    fn destroy_key(&mut self, period: Period) -> Result<(), StoreError> {
        self.allow()?;
        self.inner.borrow_mut().destroy_key(period)
    }

    fn bytes(&self) -> u64 {
        self.inner.borrow().bytes()
    }
}

/// Kills a provider and starts it again on a store that works.
pub(crate) fn restart(cluster: &mut Cluster<Failing>, victim: ProviderId) {
    let store = cluster.cores.remove(&victim).unwrap().into_store();
    store.left.set(None);
    store.refused.set(false);
    let keys = federation(3, 1).1.into_iter().find(|keys| keys.me == victim).unwrap();
    let core = ProviderCore::open(keys, Arc::clone(&cluster.federation), store, policy(), cluster.now).unwrap();
    cluster.cores.insert(victim, core);
}

/// Every acknowledged record is in the generation that its receipt names, at every provider.
fn assert_all_there<S: Store>(cluster: &mut Cluster<S>, acknowledged: &[([u8; EVENT], Receipt)]) {
    // an event that met full rows only is in no generation, and its receipt says so
    for (event, receipt) in acknowledged.iter().filter(|(_, receipt)| receipt.accepted != 0) {
        let expected = records_of(&EventFields::decode(event).unwrap(), receipt.accepted);
        for reader in [1, 2, 3] {
            let wanted = GenerationId { segment: receipt.segment, index: receipt.generation };
            let query = GenerationsQuery::new(vec![wanted]).unwrap();
            let Ok(Reply::Generations(reply)) = cluster.call(reader, Call::Generations(query)) else { panic!() };
            let block = &reply.blocks().first().unwrap_or_else(|| panic!("{wanted:?} is not at {reader}"));
            let there = |record: &Record| block.records().binary_search(record).is_ok();
            assert!(expected.iter().all(there), "an acknowledged record is missing at {reader}");
        }
    }
}

/// Provider 1 dies at its n-th change, for every n, while it takes deposits and seals; nothing
/// acknowledged is lost, no second history is signed, and rows are never overfilled.
#[test]
fn a_crash_at_every_change_loses_nothing_acknowledged() {
    for fault in 0..26 {
        let mut cluster = Cluster::ready(stores());
        let table = cluster.table(1, cluster.now.period());
        let mut acknowledged = Vec::new();
        fault_after(cluster.core(1).store(), fault);
        for number in 0..24_u32 {
            let rows: Vec<u32> = (0..10).map(|slot| slot * 100 + number % 2).collect();
            let event = cluster.event_for(&table, Lane::Rendezvous, Stream::Fast, &rows);
            match cluster.deposit(1, event) {
                Ok(receipt) => acknowledged.push((event, receipt)),
                Err(problem) => {
                    assert_eq!(problem, ProblemCode::StorageFull);
                    restart(&mut cluster, id(1));
                }
            }
            if number % 3 == 0 {
                cluster.pass(Duration::from_secs(5), Duration::from_secs(5));
            }
        }
        restart(&mut cluster, id(1));
        cluster.pass(Duration::from_mins(4), Duration::from_secs(20));
        assert_all_there(&mut cluster, &acknowledged);
        for number in [2, 3] {
            assert_eq!(cluster.core(number).evidence().unwrap(), [], "no second history after fault {fault}");
        }
        assert_no_row_is_overfilled(&mut cluster, table.rendezvous.capacity);
    }
}

fn assert_no_row_is_overfilled(cluster: &mut Cluster<Failing>, capacity: u16) {
    let segment =
        SegmentId { table: TableId::new(cluster.now.period(), Lane::Rendezvous), origin: id(1), stream: Stream::Fast };
    let query = HeadsQuery::new(vec![KnownGenerations { segment, count: 0 }]).unwrap();
    let Ok(Reply::Heads(heads)) = cluster.call(2, Call::Heads(query)) else { panic!() };
    let wanted = heads.heads().iter().map(|head| GenerationId { segment, index: head.index }).collect();
    let Ok(Reply::Generations(reply)) = cluster.call(2, Call::Generations(GenerationsQuery::new(wanted).unwrap()))
    else {
        panic!()
    };
    let mut loads = std::collections::HashMap::new();
    for record in reply.blocks().iter().flat_map(|block| block.records()) {
        *loads.entry(record.row).or_insert(0_u16) += 1;
    }
    assert!(loads.values().all(|load| *load <= capacity), "{loads:?}");
}

#[test]
fn a_full_disk_refuses_and_recovers_without_a_restart() {
    let mut cluster = Cluster::ready(stores());
    let event = cluster.event(Stream::Steady);
    let token = cluster.token(1, mosaic_wire::TokenPurpose::Deposit);
    fault_after(cluster.core(1).store(), 0);
    assert_eq!(cluster.deposit_with(1, token.clone(), event), Err(ProblemCode::StorageFull));
    cluster.core(1).store().left.set(None);
    cluster.now = cluster.now.after(Duration::from_secs(1));
    let receipt = cluster.deposit_with(1, token, event).expect("the token was not spent, the event not stored");
    assert_eq!(receipt.accepted, 0x3ff);
    // a peer with a full disk keeps no copy: the other one does
    let full = receipt.replica;
    fault_after(cluster.core(full.get()).store(), 0);
    let event = cluster.event(Stream::Steady);
    assert_ne!(cluster.deposit(1, event).unwrap().replica, full);
}

/// While the store refuses, it is tried again every few seconds and not with every message, and reads go on.
#[test]
fn a_store_that_refuses_is_left_alone_for_seconds() {
    let mut cluster = Cluster::ready(stores());
    for _ in 0..2 {
        let event = cluster.event(Stream::Fast);
        cluster.deposit(1, event).unwrap();
        cluster.pass(Duration::from_secs(5), Duration::from_secs(5));
    }
    let event = cluster.event(Stream::Fast);
    cluster.deposit(1, event).unwrap();
    let (waiting, token) = (cluster.event(Stream::Fast), cluster.token(1, mosaic_wire::TokenPurpose::Deposit));
    fault_after(cluster.core(1).store(), 0);
    cluster.now = cluster.now.after(Duration::from_secs(5));
    for round in 0..8_u64 {
        let (now, core) = (cluster.now, cluster.cores.get_mut(&id(1)).unwrap());
        core.store().tried.set(0);
        assert!(matches!(core.tick(now, &mut cluster.rng), Err(StoreError::Full)), "the generation cannot be sealed");
        let rest = core.next_wake(now).since(now);
        assert_eq!(rest, Duration::from_secs((round + 1).min(5)));
        for _ in 0..50 {
            core.tick(now.after(rest / 2), &mut cluster.rng).unwrap();
        }
        assert_eq!(cluster.deposit_with(1, token.clone(), waiting), Err(ProblemCode::StorageFull));
        assert_eq!(cluster.core(1).store().tried.get(), 1, "one try, whoever asks meanwhile");
        let table = TableId::new(now.period(), Lane::Rendezvous);
        let segment = SegmentId { table, origin: id(1), stream: Stream::Fast };
        let query = HeadsQuery::new(vec![KnownGenerations { segment, count: 0 }]).unwrap();
        let Ok(Reply::Heads(heads)) = cluster.call(1, Call::Heads(query)) else { panic!("reads go on") };
        assert_eq!(heads.heads().len(), 2);
        cluster.now = now.after(rest);
    }
    cluster.core(1).store().left.set(None);
    cluster.settle();
    assert_eq!(cluster.core(1).counters().generations_sealed, 3);
    assert!(cluster.deposit_with(1, token, waiting).is_ok());
}

/// However many wait together: one flush here and one at the replica, and a receipt for each.
#[test]
fn deposits_that_wait_together_share_a_flush() {
    let mut cluster = Cluster::ready(stores());
    let (now, count) = (cluster.now, 100);
    for _ in 0..count {
        let (event, token) = (cluster.event(Stream::Steady), cluster.token(1, TokenPurpose::Deposit));
        let core = cluster.cores.get_mut(&id(1)).unwrap();
        core.handle(now, &mut cluster.rng, Call::Cell(CellRequest::Deposit { token, event }));
    }
    let flushes = |cluster: &mut Cluster<Failing>| [1, 2, 3].map(|number| cluster.core(number).store().tried.get());
    let before = flushes(&mut cluster);
    cluster.core(1).commit(now);
    cluster.exchange();
    let settled = cluster.core(1).take_settled();
    assert!(settled.len() == count && settled.iter().all(|(_, reply)| matches!(reply, CellReply::Receipt(_))));
    let after = flushes(&mut cluster);
    assert_eq!(after[0] - before[0], 1);
    assert_eq!(after[1] + after[2] - before[1] - before[2], 1);
}

/// The same on real files: the core is dropped without notice, as a kill would, between deposits.
#[test]
fn kill_and_reopen_on_disk() {
    let folders: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    kill_and_reopen(&|number| LogStore::open(folders[number].path()).unwrap());
}

/// The same in tables of a real server.
#[test]
fn kill_and_reopen_in_a_table() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    kill_and_reopen(&|number| {
        let StoreAddress::Dynamo(table) = server.address(&format!("mosaic-{number}")).parse().unwrap() else {
            panic!("another kind of store")
        };
        let options = TableOptions { watch: Duration::ZERO, beat: None, expire: false, attempts: 1 };
        let (credentials, owner) = (TableCredentials::new("id", "secret", None), [number as u8; 32]);
        let keys = folder.path().join(number.to_string());
        fs::create_dir_all(&keys).unwrap();
        TableStore::open(&keys, &table, &owner, credentials, options).unwrap()
    });
}

fn kill_and_reopen<S: Store>(open: &dyn Fn(usize) -> S) {
    let mut cluster = Cluster::ready((0..3).map(open).collect());
    let mut acknowledged = Vec::new();
    for number in 0..40 {
        let event = cluster.event(Stream::Fast);
        acknowledged.push((event, cluster.deposit(1, event).unwrap()));
        if number % 10 == 9 {
            drop(cluster.cores.remove(&id(1)));
            let keys = federation(3, 1).1.remove(0);
            let core =
                ProviderCore::open(keys, Arc::clone(&cluster.federation), open(0), policy(), cluster.now).unwrap();
            cluster.cores.insert(id(1), core);
            let (event, receipt) = *acknowledged.last().unwrap();
            let again = cluster.deposit(1, event).unwrap();
            assert_eq!(
                (again.generation, again.accepted, again.time),
                (receipt.generation, receipt.accepted, receipt.time)
            );
            cluster.pass(Duration::from_secs(5), Duration::from_secs(5));
        }
    }
    cluster.pass(Duration::from_mins(4), Duration::from_secs(30));
    assert_all_there(&mut cluster, &acknowledged);
}
