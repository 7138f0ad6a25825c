use std::{fs, future::pending};

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use mosaic_federation::{Evidence, FederationDescriptor, Independence, ProviderEntry, SignedDocument, Tile};
use mosaic_transport::{SystemClock, bind_loopback};
use mosaic_types::{Lane, Period, ProviderId, SegmentId, Stream, TableId, TileId};
use mosaic_wire::{CELL, Call, GenerationBlock, GenerationsQuery, Head, Problem, ProblemCode, Record, Reply};
use rand::{SeedableRng as _, rngs::StdRng};
use tower::ServiceExt as _;
use zeroize::Zeroizing;

use super::*;
use crate::{
    ProviderKeys,
    store::{Bucket, Change, Entry, MemoryStore, Store, StoreError},
};

/// A store with a bug: the first change panics.
#[derive(Default)]
struct Broken(MemoryStore);

impl Store for Broken {
    fn get(&self, bucket: Bucket, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(bucket, key)
    }

    fn scan(&self, bucket: Bucket, prefix: &[u8]) -> Result<Vec<Entry>, StoreError> {
        self.0.scan(bucket, prefix)
    }

    fn commit(&mut self, _: &[Change]) -> Result<(), StoreError> {
        panic!("a bug in the store");
    }

    fn keep_key(&mut self, period: Period, key: &[u8; 32]) -> Result<(), StoreError> {
        self.0.keep_key(period, key)
    }

    fn key(&self, period: Period) -> Result<Option<Zeroizing<[u8; 32]>>, StoreError> {
        self.0.key(period)
    }

    fn destroy_key(&mut self, period: Period) -> Result<(), StoreError> {
        self.0.destroy_key(period)
    }

    fn bytes(&self) -> u64 {
        0
    }
}

/// A store whose commits wait until the test lets them.
struct Gate {
    store: MemoryStore,
    /// Told at each commit.
    entered: std::sync::mpsc::Sender<()>,
    /// Closed when commits may go on.
    open: std::sync::mpsc::Receiver<()>,
}

impl Store for Gate {
    fn get(&self, bucket: Bucket, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(bucket, key)
    }

    fn scan(&self, bucket: Bucket, prefix: &[u8]) -> Result<Vec<Entry>, StoreError> {
        self.store.scan(bucket, prefix)
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let _unheard = self.entered.send(());
        let _closed = self.open.recv();
        self.store.commit(changes)
    }

    fn keep_key(&mut self, period: Period, key: &[u8; 32]) -> Result<(), StoreError> {
        self.store.keep_key(period, key)
    }

    fn key(&self, period: Period) -> Result<Option<Zeroizing<[u8; 32]>>, StoreError> {
        self.store.key(period)
    }

    fn destroy_key(&mut self, period: Period) -> Result<(), StoreError> {
        self.store.destroy_key(period)
    }

    fn bytes(&self) -> u64 {
        0
    }
}

/// Polls once: what is answered at once, or `None`.
async fn at_once<T>(work: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = std::future::ready(()) => None,
    }
}

/// While the disk is slow, so many wait; whoever comes then is told at once to come again, and when, and nobody who
/// waits is forgotten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_says_when_to_come_again() {
    let ((entered, committing), (open, gate)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
    let engine = engine(Gate { store: MemoryStore::default(), entered, open: gate });
    // the first turn makes keys, which is stored
    tokio::task::spawn_blocking(move || committing.recv()).await.unwrap().unwrap();
    let handle = engine.handle();
    let mut waiting = Vec::new();
    let refused = loop {
        let mut call = Box::pin(handle.call(Call::Time));
        match at_once(&mut call).await {
            Some(answer) => break answer.unwrap_err(),
            None => waiting.push(call),
        }
        assert!(waiting.len() <= 1_024, "the queue has no end");
    };
    assert_eq!((refused.code, refused.code.status(), refused.retry_after_s), (ProblemCode::Overloaded, 503, Some(1)));
    let reply = routes::router(engine.handle(), None).oneshot(Request::get("/v1/time").body(Body::empty()).unwrap());
    let reply = reply.await.unwrap();
    assert_eq!(
        (reply.status(), reply.headers()["retry-after"].to_str().unwrap()),
        (StatusCode::SERVICE_UNAVAILABLE, "1")
    );
    assert!(waiting.len() > 1_000, "{} waited", waiting.len());
    drop(open);
    for call in waiting {
        assert!(matches!(call.await, Ok(Reply::Time(_))));
    }
    engine.stop().await.unwrap();
}

fn federation(keys: &[ProviderKeys]) -> mosaic_federation::Federation {
    let entries = keys.iter().map(|keys| ProviderEntry {
        id: keys.me,
        url: format!("https://127.0.0.1:{}", keys.me.get()),
        tls_pin: [keys.me.get(); 32],
        signing_key: keys.signing.verifying_key().to_bytes(),
        cell_key: keys.cell.public().to_bytes(),
        ceremony_key: keys.ceremony.public().to_bytes(),
        token_key: keys.token_key(),
        operator: "me".into(),
        jurisdiction: "XX".into(),
    });
    let tile = Tile { id: TileId(1), name: "Test".into(), lat: 1.0, lng: 1.0, radius_m: 1_000 };
    let (practice, now) = (Independence::Practice, SystemClock.now());
    let mut document =
        SignedDocument::draft(&FederationDescriptor::new("test", practice, now, 1, tile, entries.collect())).unwrap();
    keys.iter().for_each(|keys| document.sign(keys.me, &keys.signing));
    document.verify().unwrap()
}

/// The keys of three providers, always the same.
fn keys() -> Vec<ProviderKeys> {
    let mut rng = StdRng::seed_from_u64(1);
    (1..=3).map(|n| ProviderKeys::generate(ProviderId::new(n).unwrap(), &mut rng)).collect()
}

/// The first provider's engine over `store`. Nobody listens at the addresses of the others.
fn engine<S: Store + Send + 'static>(store: S) -> Engine {
    let keys = keys();
    let federation = Arc::new(federation(&keys));
    let client = ProviderClient::for_federation(federation.descriptor(), PEER_PATIENCE).unwrap();
    let own = keys.into_iter().next().unwrap();
    let cell = AgreementSecret::from_bytes(*own.cell.to_bytes());
    let core = ProviderCore::open(own, federation, store, Policy::for_agents(1), SystemClock.now()).unwrap();
    Engine::start(core, cell, client, Arc::new(SystemClock), Published::into_folder(PathBuf::new())).unwrap()
}

/// L4 and DESIGN section 6: what convicts another provider lies in a file that its operator can give away; one that was
/// deleted is written again at the next start, and nothing is written twice.
#[test]
fn evidence_is_put_into_files_that_convict() {
    let (keys, home) = (keys(), tempfile::tempdir().unwrap());
    let federation = Arc::new(federation(&keys));
    let table = TableId::new(Period(122_478), Lane::Discovery);
    let segment = SegmentId { table, origin: keys[2].me, stream: Stream::Steady };
    let head = |row| {
        let block = GenerationBlock::new(segment, 0, vec![Record { row, bytes: [1; 192] }]).unwrap();
        Head::seal(&block, [0; 32], SystemClock.now(), &keys[2].signing)
    };
    let evidence = Evidence::TwoHistories { first: head(1), second: head(2) };
    let mut store = MemoryStore::default();
    store.commit(&[Change::Put(Bucket::Evidence, vec![1; 32], evidence.encode())]).unwrap();
    let own = keys.into_iter().next().unwrap();
    let core =
        ProviderCore::open(own, Arc::clone(&federation), store, Policy::for_agents(1), SystemClock.now()).unwrap();
    let folder = home.path().join("evidence");
    let files = || -> Vec<PathBuf> { fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect() };
    for start in 0..2 {
        let mut published = Published::into_folder(folder.clone());
        (0..2).for_each(|_| published.keep_up(&core));
        assert_eq!(files().len(), 1, "start {start}");
        let read = Evidence::decode(&fs::read(&files()[0]).unwrap()).unwrap();
        assert_eq!(read.verify(&federation), Ok(segment.origin));
        let name = files()[0].file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.starts_with("two-histories-provider-3-") && name.ends_with(".proof"), "{name}");
        fs::remove_file(&files()[0]).unwrap();
        published.keep_up(&core);
        assert!(files().is_empty(), "nothing new was found");
    }
}

#[tokio::test]
async fn a_dead_engine_ends_the_server_with_an_error() {
    let (engine, identity) = (engine(Broken::default()), Identity::generate().unwrap());
    let metrics = Some(bind_loopback(0).unwrap());
    let provider =
        Provider { listener: bind_loopback(0).unwrap(), metrics, identity, engine, banner: None, recorder: None };
    let ended = provider.serve(pending()).await;
    assert!(matches!(ended, Err(RunError::Engine)), "{ended:?}");
}

/// What the router answers to a body at a path, whose sender is nobody in particular.
async fn post(engine: &Engine, path: &str, body: Vec<u8>) -> Result<Vec<u8>, ProblemCode> {
    let request = Request::post(path).body(Body::from(body)).unwrap();
    let reply = routes::router(engine.handle(), None).oneshot(request).await.unwrap();
    let status = reply.status();
    let bytes = to_bytes(reply.into_body(), usize::MAX).await.unwrap();
    if status == StatusCode::OK { Ok(bytes.to_vec()) } else { Err(Problem::from_json(&bytes).unwrap().code) }
}

#[tokio::test]
async fn who_asks_for_more_than_there_is_room_for_comes_again_later() {
    let engine = engine(MemoryStore::default());
    let handle = engine.handle();
    let relay = || post(&engine, "/v1/relay/2", vec![0; CELL]);
    let read = || post(&engine, "/v1/generations", GenerationsQuery::default().encode().to_vec());
    let places: Vec<_> = std::iter::from_fn(|| handle.limits.relay()).collect();
    let room: Vec<_> = std::iter::from_fn(|| handle.limits.generations(1_024)).collect();
    let scans: Vec<_> = std::iter::from_fn(|| handle.limits.scan()).collect();
    let look = || post(&engine, "/v1/stack", vec![0; 64]);
    assert_eq!(look().await, Err(ProblemCode::Overloaded));
    drop(scans);
    assert_eq!(look().await, Err(ProblemCode::Malformed));
    let longer = vec![0; mosaic_wire::StackQuery::MOST_BYTES + 1];
    assert_eq!(post(&engine, "/v1/stack", longer).await, Err(ProblemCode::WrongSize));
    assert_eq!(relay().await, Err(ProblemCode::Overloaded));
    assert_eq!(read().await, Err(ProblemCode::Overloaded));
    drop((places, room));
    assert_eq!(relay().await, Err(ProblemCode::RelayUnreachable));
    assert_eq!(read().await.map(|bytes| bytes.len()), Ok(2), "an empty reply");
    engine.stop().await.unwrap();
}
