use std::sync::atomic::AtomicI64;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use tempfile::TempDir;

use super::{
    super::{MemoryStore, StoreAddress, check_conformance},
    server::Server,
    wire::{Answer, NoAnswer, Sending},
    *,
};

const OWNER: [u8; 32] = [7; 32];
/// Nobody is watched and nobody shows itself: tests say who is alive.
const AT_ONCE: TableOptions = TableOptions { watch: Duration::ZERO, beat: None, expire: true, attempts: 1 };

/// A table on a real server.
struct World {
    address: TableAddress,
    folder: TempDir,
    _server: Server,
}

impl World {
    fn new() -> Option<Self> {
        let server = Server::start()?;
        let StoreAddress::Dynamo(address) = server.address("mosaic").parse().unwrap() else { panic!("another kind") };
        Some(Self { address, folder: tempfile::tempdir().unwrap(), _server: server })
    }

    /// Another table on the same server, with nothing in it.
    fn renew(&mut self, number: i64) {
        self.address.table = format!("mosaic-{number}");
    }

    fn open(&self) -> Result<TableStore, StoreError> {
        self.open_over(Box::new(self.wire()), &OWNER, AT_ONCE)
    }

    fn open_over(
        &self,
        wire: Box<dyn Wire>,
        owner: &[u8; 32],
        options: TableOptions,
    ) -> Result<TableStore, StoreError> {
        TableStore::open_over(wire, KeyFiles::open(self.folder.path())?, &self.address, owner, options)
    }

    /// Signed with credentials that the server does not check.
    fn wire(&self) -> SignedHttp {
        SignedHttp::new(&self.address, TableCredentials::new("id", "secret", None)).unwrap()
    }
}

/// What happens to the request that comes when no more are left; after it, nothing arrives any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It never leaves.
    Unsent,
    /// It gets lost on its way, which nobody can tell from the next.
    LostBefore,
    /// It is carried out, and the answer gets lost.
    LostAfter,
}

/// A connection that ends.
struct Ending {
    wire: SignedHttp,
    left: Arc<AtomicI64>,
    end: End,
}

impl Wire for Ending {
    fn send(&self, operation: &'static str, body: Vec<u8>) -> Sending<'_> {
        Box::pin(async move {
            match (self.left.fetch_sub(1, Ordering::Relaxed), self.end) {
                (1.., _) => self.wire.send(operation, body).await,
                (0, End::LostBefore) => Err(NoAnswer::Lost),
                (0, End::LostAfter) => {
                    let _unheard = self.wire.send(operation, body).await;
                    Err(NoAnswer::Lost)
                }
                _ => Err(NoAnswer::Unsent),
            }
        })
    }
}

fn put(bucket: Bucket, key: impl AsRef<[u8]>, value: Vec<u8>) -> Change {
    Change::Put(bucket, key.as_ref().to_vec(), value)
}

#[test]
fn the_table_conforms() {
    let Some(world) = World::new() else { return };
    assert_eq!(check_conformance(|| world.open()), Ok(()));
}

/// Keys that share beginnings, in every kind of bucket: one table, three groups, and hashes that fall on a few shards.
fn draw_key(rng: &mut ChaCha20Rng) -> (Bucket, Vec<u8>) {
    let bucket = [Bucket::Open, Bucket::Heads, Bucket::Blocks, Bucket::Tables][rng.random_range(0..4)];
    let mut key = vec![0, 0, 0, 1];
    if rng.random_bool(0.1) {
        key.truncate(rng.random_range(0..4));
    }
    if key.len() == 4 {
        key.push(rng.random_range(0..3));
        key.extend([rng.random_range(0..4_u8); 32]);
        key.truncate(if rng.random_bool(0.3) { 5 } else { 37 });
    }
    (bucket, key)
}

fn draw_change(rng: &mut ChaCha20Rng) -> Change {
    let (bucket, key) = draw_key(rng);
    let large = place::may_be_large(bucket) && rng.random_bool(0.1);
    let size = if large { rng.random_range(0..3 * table::PART) } else { rng.random_range(0..300) };
    match rng.random_range(0..10) {
        0..=5 => Change::Put(bucket, key, vec![rng.random(); size]),
        6 | 7 => Change::Remove(bucket, key),
        8 => Change::RemovePrefix(bucket, key),
        _ => Change::Erase(bucket, key),
    }
}

/// Seed 1, 60 steps: after any commits, steps of tidying and restarts, a table shows what a store in memory shows.
#[test]
fn a_table_shows_what_a_store_in_memory_shows() {
    let Some(world) = World::new() else { return };
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (mut store, mut model) = (world.open().unwrap(), MemoryStore::default());
    for step in 0..60 {
        match rng.random_range(0..10) {
            0 => store = world.open().unwrap(),
            1..=3 => drop(store.tidy().unwrap()),
            _ => {
                let count = if rng.random_bool(0.1) { 250 } else { rng.random_range(0..8) };
                let changes: Vec<Change> = (0..count).map(|_| draw_change(&mut rng)).collect();
                store.commit(&changes).unwrap();
                model.commit(&changes).unwrap();
            }
        }
        let (bucket, prefix) = draw_key(&mut rng);
        assert_eq!(store.scan(bucket, &prefix).unwrap(), model.scan(bucket, &prefix).unwrap(), "step {step}");
        assert_eq!(store.has(bucket, &prefix).unwrap(), model.has(bucket, &prefix).unwrap(), "step {step}");
        assert_eq!(store.get(bucket, &prefix).unwrap(), model.get(bucket, &prefix).unwrap(), "step {step}");
    }
    while store.tidy().unwrap() {}
    let everything = |store: &dyn Store| {
        let mut all = Vec::new();
        let mut note = |bucket, key: &[u8], value: &[u8]| {
            all.push((bucket, key.to_vec(), value.to_vec()));
            Ok(())
        };
        store.every(&mut note).unwrap();
        all.sort();
        all
    };
    assert_eq!(everything(&store), everything(&model));
    assert_eq!(leftovers(&store), 0, "nothing is left of what was removed");
}

/// Items that belong to no entry: records, parts of values that nothing refers to, and what is on the list.
fn leftovers(store: &TableStore) -> usize {
    let table = &store.table;
    let left = store.run(async {
        let mut left = table.doomed().await?.len() + table.calls.query_all(b"R", None, true).await?.len();
        let mut referred = Vec::new();
        for bucket in [Bucket::Heads, Bucket::Blocks, Bucket::Tables] {
            referred.extend(table.under(bucket, b"", true).await?.iter().filter_map(|found| parts_of(&found.item)));
        }
        for epoch in 0..=table.epoch {
            for name in 0..64_u64 {
                let id = [epoch.to_be_bytes(), name.to_be_bytes()].concat();
                let parts = table.calls.query_all(&[b"V", &id[..]].concat(), None, true).await?;
                left += if referred.contains(&id) { 0 } else { parts.len() };
            }
        }
        Ok(left)
    });
    left.unwrap()
}

/// A period's table.
const TABLE: [u8; 4] = [0, 0, 0, 1];

fn event(number: u16) -> Vec<u8> {
    let [high, low] = number.to_be_bytes();
    [&TABLE[..], &[low; 31], &[high]].concat()
}

/// Of every kind: a value in parts that another one replaces, single keys, a prefix with something put beneath it, a
/// prefix without, and with `count` events more or less than one transaction holds.
fn all_kinds(count: u16) -> Vec<Change> {
    let mut changes = vec![
        put(Bucket::Blocks, TABLE, vec![2; table::PART + 1]),
        Change::Remove(Bucket::Heads, TABLE.to_vec()),
        Change::RemovePrefix(Bucket::Tables, b"t".to_vec()),
        put(Bucket::Tables, b"t2", vec![2]),
        Change::Erase(Bucket::Evidence, Vec::new()),
    ];
    changes.extend((0..count).map(|number| put(Bucket::Verdicts, event(number), vec![2])));
    changes
}

/// What [`all_kinds`] touches, without the empty corners of the table.
fn touched(store: &impl Store) -> Result<Vec<Vec<Entry>>, StoreError> {
    let whole = [(Bucket::Blocks, &TABLE[..]), (Bucket::Heads, &TABLE), (Bucket::Tables, b""), (Bucket::Evidence, b"")];
    let mut found: Vec<_> =
        whole.into_iter().map(|(bucket, prefix)| store.scan(bucket, prefix)).collect::<Result<_, _>>()?;
    found.push(store.scan(Bucket::Verdicts, &TABLE)?);
    Ok(found)
}

fn before() -> Vec<Change> {
    vec![
        put(Bucket::Blocks, TABLE, vec![1; 2 * table::PART]),
        put(Bucket::Heads, TABLE, vec![1]),
        put(Bucket::Tables, b"t1", vec![1]),
        put(Bucket::Evidence, b"e", vec![1; 2 * table::PART]),
    ]
}

/// The connection ends at every request of a commit in turn, in each of three ways. The next process finds all of it or
/// nothing: all if the caller was told so, nothing if the caller was told that it failed.
fn ends_at_every_request(count: u16) {
    let Some(mut world) = World::new() else { return };
    let mut model = MemoryStore::default();
    model.commit(&before()).unwrap();
    let old = touched(&model).unwrap();
    model.commit(&all_kinds(count)).unwrap();
    let new = touched(&model).unwrap();
    let mut outcomes = [0; 3];
    'ends: for end in [End::Unsent, End::LostBefore, End::LostAfter] {
        for requests in 0.. {
            world.renew(outcomes.iter().sum());
            world.open().unwrap().commit(&before()).unwrap();

            let left = Arc::new(AtomicI64::new(i64::MAX));
            let ending = Ending { wire: world.wire(), left: Arc::clone(&left), end };
            let mut store = world.open_over(Box::new(ending), &OWNER, AT_ONCE).unwrap();
            left.store(requests, Ordering::Relaxed);
            let done = store.commit(&all_kinds(count));
            let spare = left.load(Ordering::Relaxed) > 0;
            drop(store);

            let store = world.open().unwrap();
            let found = touched(&store).unwrap();
            let what = format!("{end:?} after {requests} requests: {done:?}");
            match done {
                Ok(()) => assert!(found == new, "{what}"),
                Err(StoreError::Unsure) => assert!(found == old || found == new, "{what}"),
                Err(_) => assert!(found == old, "{what}"),
            }
            outcomes[match done {
                Ok(()) => 0,
                Err(StoreError::Unsure) => 1,
                Err(_) => 2,
            }] += 1;
            if spare {
                continue 'ends;
            }
        }
    }
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}

#[test]
fn a_commit_in_one_transaction_is_whole_wherever_it_ends() {
    ends_at_every_request(3);
}

#[test]
fn a_commit_by_way_of_a_record_is_whole_wherever_it_ends() {
    ends_at_every_request(230);
}

/// Whatever an end leaves behind, starts and steps of tidying remove it.
#[test]
fn what_an_end_leaves_is_swept() {
    let Some(world) = World::new() else { return };
    for requests in 0..12 {
        let left = Arc::new(AtomicI64::new(i64::MAX));
        let ending = Ending { wire: world.wire(), left: Arc::clone(&left), end: End::LostAfter };
        let mut store = world.open_over(Box::new(ending), &OWNER, AT_ONCE).unwrap();
        left.store(requests, Ordering::Relaxed);
        let _ended = store.commit(&[&before()[..], &all_kinds(120)].concat());
    }
    let mut store = world.open().unwrap();
    while store.tidy().unwrap() {}
    assert_eq!(leftovers(&store), 0);
}

#[test]
fn who_is_overtaken_writes_nothing_more() {
    let Some(world) = World::new() else { return };
    let mut first = world.open().unwrap();
    first.commit(&[put(Bucket::Tables, b"a", vec![1])]).unwrap();
    let mut second = world.open().unwrap();
    second.commit(&[put(Bucket::Tables, b"a", vec![2])]).unwrap();
    for changes in [vec![put(Bucket::Tables, b"a", vec![3])], all_kinds(230)] {
        let Err(error) = first.commit(&changes) else { panic!("two write") };
        assert!(matches!(error, StoreError::Fenced { .. }) && error.is_final(), "{error}");
        assert!(matches!(first.get(Bucket::Tables, b"a"), Err(StoreError::Fenced { .. })));
    }
    drop(first);
    assert_eq!(second.get(Bucket::Tables, b"a").unwrap(), Some(vec![2]));
    second.commit(&[put(Bucket::Tables, b"a", vec![4])]).unwrap();
    assert_eq!(second.scan(Bucket::Verdicts, b"").unwrap(), []);
}

#[test]
fn a_table_in_use_is_left_alone() {
    let Some(world) = World::new() else { return };
    let beating = TableOptions { beat: Some(Duration::from_millis(1)), ..AT_ONCE };
    let careful = TableOptions { watch: Duration::from_secs(2), ..AT_ONCE };
    let mut store = world.open_over(Box::new(world.wire()), &OWNER, beating).unwrap();
    let again = world.open_over(Box::new(world.wire()), &OWNER, careful);
    assert!(matches!(again, Err(StoreError::Held { .. })));
    store.commit(&[put(Bucket::Tables, b"a", vec![1])]).unwrap();
    // who has left need not be watched: an hour would not pass here
    drop(store);
    let patient = TableOptions { watch: Duration::from_hours(1), ..AT_ONCE };
    assert!(world.open_over(Box::new(world.wire()), &OWNER, patient).is_ok());
    let foreign = world.open_over(Box::new(world.wire()), &[8; 32], AT_ONCE);
    assert!(matches!(foreign, Err(StoreError::Foreign { .. })));
}

/// A service that refuses with one error.
struct Refusing(&'static str);

impl Wire for Refusing {
    fn send(&self, _: &'static str, _: Vec<u8>) -> Sending<'_> {
        let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{}"}}"#, self.0);
        Box::pin(async { Ok(Answer { status: 400, body: body.into_bytes() }) })
    }
}

#[test]
fn refusals_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let address = TableAddress { region: "x".into(), table: "mosaic".into(), endpoint: None };
    let refused = |kind| {
        let keys = KeyFiles::open(folder.path()).unwrap();
        TableStore::open_over(Box::new(Refusing(kind)), keys, &address, &OWNER, AT_ONCE).err().unwrap()
    };
    assert!(matches!(refused("ThrottlingException"), StoreError::Busy));
    let denied = refused("AccessDeniedException");
    assert!(matches!(&denied, StoreError::Table { .. }), "{denied}");
    assert_eq!(std::error::Error::source(&denied).unwrap().to_string(), "the service refused: AccessDeniedException");
}

#[test]
fn what_is_too_large_is_refused_whole() {
    let Some(world) = World::new() else { return };
    let mut store = world.open().unwrap();
    for large in [put(Bucket::Tables, [1; 1_024], vec![1]), put(Bucket::Open, event(1), vec![1; table::PART + 1])] {
        assert!(matches!(store.commit(&[put(Bucket::Tables, b"a", vec![1]), large]), Err(StoreError::Io(_))));
    }
    assert_eq!(store.scan(Bucket::Tables, b"").unwrap(), []);
    store.commit(&[put(Bucket::Tables, [1; 1_023], vec![1])]).unwrap();
    assert_eq!(store.get(Bucket::Tables, &[1; 1_024]).unwrap(), None);
}

/// A store that is opened, used and closed inside of somebody's runtime, as the provider does.
#[tokio::test]
async fn a_runtime_around_it_does_not_matter() {
    let Some(world) = World::new() else { return };
    let mut store = world.open().unwrap();
    store.commit(&[put(Bucket::Tables, b"a", vec![1])]).unwrap();
    assert_eq!(store.get(Bucket::Tables, b"a").unwrap(), Some(vec![1]));
}
