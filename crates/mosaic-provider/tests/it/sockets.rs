//! Real processes' worth of driver: TLS, folders, the log, peers over sockets.

use std::{net::TcpListener, path::Path, sync::Arc};

use mosaic_aggregate::{Counted, aggregators};
use mosaic_federation::{
    Federation, FederationDescriptor, Independence, Purchase, SignedDocument, Tile, peer::MAX_REQUEST,
};
use mosaic_provider::{
    FolderError, Policy, Provider, ProviderConfig, ProviderFolder, Recording, RunError,
    store::{Bucket, Change, LogStore, Store as _, StoreAddress},
};
use mosaic_transport::{BindError, Patience, Pin, PinnedHttp, Pins, ProviderClient, ServeError, SystemClock};
use mosaic_types::{Clock as _, Lane, ProviderId, Stream, TileId};
use mosaic_wire::{
    Address, CELL, Call, CallFailure, CellReply, CellRequest, Problem, ProblemCode, Reply, TableDescriptor,
    TokenPurpose,
};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::oneshot,
    task::JoinHandle,
};

use crate::{
    buying::buy,
    cluster::{event_bytes, id},
    counting::signed,
};

/// How to stop a provider, and what it ends with.
type Running = (oneshot::Sender<()>, JoinHandle<Result<(), RunError>>);

struct Town {
    federation: Federation,
    client: ProviderClient,
    running: Vec<Running>,
    rng: ChaCha20Rng,
    /// Bought once, while all three run.
    tokens: Option<Purchase>,
    /// Where the first provider shows its metrics.
    metrics: std::net::SocketAddr,
    _folders: Vec<tempfile::TempDir>,
}

fn config(number: u8) -> ProviderConfig {
    // the system names a free port; it is ours again a moment later
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("https://{listen}");
    ProviderConfig {
        number: id(number),
        listen,
        url,
        operator: "me".into(),
        jurisdiction: "FR".into(),
        metrics_listen: None,
        store: StoreAddress::Log,
        spent: None,
    }
}

fn found(folders: &[ProviderFolder]) -> Federation {
    let federation = found_among(folders);
    folders.iter().for_each(|folder| folder.install(&federation).unwrap());
    federation
}

/// Signed by all, installed nowhere yet.
fn found_among(folders: &[ProviderFolder]) -> Federation {
    let tile = Tile { id: TileId(7), name: "Test".into(), lat: 41.0, lng: -8.0, radius_m: 10_000 };
    let entries = folders.iter().map(ProviderFolder::entry).collect();
    let descriptor = FederationDescriptor::new("test", Independence::Practice, SystemClock.now(), 100, tile, entries);
    let mut document = SignedDocument::draft(&descriptor).unwrap();
    folders.iter().for_each(|folder| folder.sign(&mut document));
    document.verify().unwrap()
}

impl Town {
    fn start() -> Self {
        Self::start_after(|_, _, _| ())
    }

    /// As [`Self::start`], once something was done with the folders.
    fn start_after(prepare: impl FnOnce(&[tempfile::TempDir], &[ProviderFolder], &Federation)) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let places: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
        let make = |(place, number): (&tempfile::TempDir, u8)| {
            let metrics_listen = (number == 1).then(|| std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
            let config = ProviderConfig { metrics_listen, ..config(number) };
            ProviderFolder::create(place.path(), config, &mut rng).unwrap()
        };
        let folders: Vec<ProviderFolder> = places.iter().zip(1..).map(make).collect();
        let federation = found(&folders);
        prepare(&places, &folders, &federation);
        let client = ProviderClient::for_federation(federation.descriptor(), Patience::default()).unwrap();
        let providers: Vec<Provider> =
            folders.into_iter().map(|folder| Provider::start(folder, Arc::new(SystemClock)).unwrap()).collect();
        let metrics = providers[0].metrics_address().unwrap();
        assert!(providers[1].metrics_address().is_none(), "only where the operator wants it");
        let serve = |provider: Provider| {
            let (stop, stopped) = oneshot::channel::<()>();
            (stop, tokio::spawn(provider.serve(async { drop(stopped.await) })))
        };
        let running = providers.into_iter().map(serve).collect();
        Self { federation, client, running, rng, tokens: None, metrics, _folders: places }
    }

    fn http(&self, number: u8) -> PinnedHttp {
        let entry = self.federation.descriptor().provider(id(number)).unwrap();
        PinnedHttp::new(&entry.url, Pins::only(Pin::from_bytes(entry.tls_pin)), Patience::default()).unwrap()
    }

    /// Asks until the present table is there; every answer takes a round trip, so this does not spin.
    async fn table(&self) -> TableDescriptor {
        for _ in 0..20_000 {
            let call = Call::Table(SystemClock.now().period());
            if let Ok(Reply::Table(table)) = self.client.call(&direct(1), &call).await {
                return table.verify(|id| self.federation.signing_key(id)).unwrap().clone();
            }
        }
        panic!("no table after twenty thousand questions");
    }

    async fn deposit(&mut self, table: &TableDescriptor, to: Address) -> Result<CellReply, CallFailure> {
        if self.tokens.is_none() {
            let (wanted, from) = ((SystemClock.now(), 2), [1, 2, 3].map(id));
            self.tokens = Some(buy(&self.client, &self.federation, wanted, &from, &mut self.rng).await?);
        }
        let tokens = self.tokens.as_mut().unwrap();
        let token = tokens.take(to.provider, TokenPurpose::Deposit, tokens.span().first).unwrap();
        let mut records = vec![0; 1_920];
        self.rng.fill_bytes(&mut records);
        let rows: Vec<u32> = (0..10).map(|slot| slot * 1_000 + self.rng.next_u32() % 1_000).collect();
        let event = event_bytes(table, Lane::Rendezvous, Stream::Fast, &rows, &records);
        let call = Call::Cell(CellRequest::Deposit { token, event });
        match self.client.call(&to, &call).await? {
            Reply::Cell(reply) => Ok(reply),
            other => panic!("{other:?}"),
        }
    }

    async fn stop(&mut self, index: usize) {
        let (stop, running) = self.running.remove(index);
        stop.send(()).unwrap();
        running.await.unwrap().unwrap();
    }
}

fn direct(number: u8) -> Address {
    Address { provider: id(number), via: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deposits_over_sockets_directly_and_through_a_relay() {
    let mut town = Town::start();
    let table = town.table().await;
    let via = Address { provider: id(1), via: Some(id(3)) };
    for to in [direct(1), via] {
        let reply = town.deposit(&table, to).await.unwrap();
        let CellReply::Receipt(receipt) = reply else { panic!("{reply:?}") };
        receipt.verify(&town.federation.signing_key(id(1)).unwrap()).unwrap();
    }
    refusals_are_problems(&town).await;
    metrics_hold_no_identifiers(&town).await;
    // one down: the other keeps the copy; two down: a clear refusal
    town.stop(1).await;
    let reply = town.deposit(&table, direct(1)).await.unwrap();
    assert!(matches!(reply, CellReply::Receipt(receipt) if receipt.replica == id(3)), "{reply:?}");
    town.stop(1).await;
    let reply = town.deposit(&table, direct(1)).await.unwrap();
    assert!(matches!(reply, CellReply::Problem(problem) if problem.code == ProblemCode::NoReplica), "{reply:?}");
    let relayed = town.deposit(&table, Address { provider: id(1), via: Some(id(3)) }).await;
    assert_eq!(relayed, Err(CallFailure::Unreachable));
    town.stop(0).await;
}

/// A statement that one provider has is given to whoever asks, and to the provider that starts next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_are_handed_out_over_sockets() {
    let day = u32::try_from(SystemClock.now().as_secs() / 86_400).unwrap() - 2;
    let counted = Counted { tile: TileId(7), day };
    let mut statement = Vec::new();
    let mut town = Town::start_after(|places, folders, federation| {
        let ids: Vec<ProviderId> = federation.descriptor().ids().collect();
        let signers = aggregators(&ids, day).unwrap().map(|id| {
            let folder = folders.iter().find(|folder| folder.config.number == id).unwrap();
            (id, &folder.keys.signing)
        });
        statement = signed(counted, signers, &mut ChaCha20Rng::seed_from_u64(9));
        let mut store = LogStore::open(places[0].path()).unwrap();
        let key = [&day.to_be_bytes()[..], &[3]].concat();
        store.commit(&[Change::Put(Bucket::Counts, key, statement.clone())]).unwrap();
    });
    for number in [1, 2] {
        let mut found = None;
        // every answer takes a round trip, so this does not spin
        for _ in 0..20_000 {
            found = town.client.call(&direct(number), &Call::Statements).await.ok();
            if found == Some(Reply::Statements(statement.clone())) {
                break;
            }
        }
        assert_eq!(found, Some(Reply::Statements(statement.clone())), "at {number}");
    }
    for _ in 0..3 {
        town.stop(0).await;
    }
}

/// S-76: nothing is counted by address, so everybody behind one exit of Tor buys as if alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_may_buy_for_many_people() {
    let mut town = Town::start();
    town.table().await;
    let wanted = (SystemClock.now(), 1);
    for person in 0..20 {
        let bought = buy(&town.client, &town.federation, wanted, &[1, 2, 3].map(id), &mut town.rng).await;
        assert!(bought.is_ok(), "person {person}");
    }
    for index in [2, 1, 0] {
        town.stop(index).await;
    }
}

async fn refusals_are_problems(town: &Town) {
    let http = town.http(1);
    let cases = [
        ("/v1/cell", vec![0; CELL - 1], ProblemCode::WrongSize),
        ("/v1/cell", vec![0; CELL + 1], ProblemCode::WrongSize),
        ("/v1/cell", vec![0; CELL], ProblemCode::Unsealable),
        ("/v1/relay/1", vec![0; CELL], ProblemCode::RelayUnknown),
        ("/v1/relay/9", vec![0; CELL], ProblemCode::RelayUnknown),
        ("/v1/relay/x", vec![0; CELL], ProblemCode::RelayUnknown),
        ("/v1/relay/%ff", vec![0; CELL], ProblemCode::RelayUnknown),
        ("/v1/relay/%zz", vec![0; CELL], ProblemCode::RelayUnknown),
        ("/v1/peer", vec![1; MAX_REQUEST + 1], ProblemCode::WrongSize),
        ("/v1/peer", vec![1; 20], ProblemCode::Malformed),
        ("/metrics", vec![], ProblemCode::NotFound),
        ("/v1/heads", vec![0xff; 642], ProblemCode::Malformed),
        ("/v1/peer", vec![1; 200], ProblemCode::PeerRefused),
        ("/v1/nothing", vec![], ProblemCode::NotFound),
        ("/v1/time", vec![], ProblemCode::MethodNotAllowed),
    ];
    for (path, body, expected) in cases {
        let reply = http.post(path, body, Problem::MAX_BYTES).await.unwrap();
        assert_eq!(Problem::from_json(&reply.body).unwrap().code, expected, "{path}");
        assert_eq!(reply.status, expected.status(), "{path}");
    }
    for path in ["/v1/tables/x", "/v1/tables/%ff", "/v1/tables/%c3%28", "/v1/%ff", "/metrics"] {
        let reply = http.get(path, Problem::MAX_BYTES).await.unwrap();
        assert_eq!(Problem::from_json(&reply.body).unwrap().code, ProblemCode::NotFound, "{path}");
    }
}

/// One request in clear, on the operator's own address.
async fn ask_operator(town: &Town, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(town.metrics).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    said
}

async fn metrics_hold_no_identifiers(town: &Town) {
    assert!(ask_operator(town, "/v1/time").await.starts_with("HTTP/1.1 404"), "nothing else is there");
    let reply = ask_operator(town, "/metrics").await;
    let (head, text) = reply.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(text.contains("mosaic_provider_deposits_acknowledged_total 2\n"), "{text}");
    assert!(text.contains("mosaic_provider_ready 1\n"), "{text}");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, _) = line.rsplit_once(' ').unwrap();
        let plain = name.split('{').next().unwrap();
        assert!(plain.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
        assert!(!name.contains('{') || name.contains("{kind=\""), "{line}");
    }
    let health = town.http(1).get("/health", 1_024).await.unwrap();
    assert_eq!(String::from_utf8(health.body).unwrap(), "ready\nall three operators are you: no privacy\n");
}

#[tokio::test]
async fn what_prevents_a_start_is_said() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let places: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let mut make = |place: &Path, number| ProviderFolder::create(place, config(number), &mut rng);
    let folders: Vec<_> = places.iter().zip(1..).map(|(place, number)| make(place.path(), number).unwrap()).collect();
    let open = || ProviderFolder::open(places[0].path()).unwrap();
    assert!(matches!(make(places[0].path(), 1), Err(FolderError::Exists { .. })), "keys are never replaced");
    assert!(matches!(open().federation(), Err(FolderError::NoFederation { .. })));
    found(&folders);
    let taken = TcpListener::bind(open().config.listen).unwrap();
    let start = || Provider::start(open(), Arc::new(SystemClock));
    assert!(matches!(start(), Err(RunError::Bind(BindError::InUse { .. }))));
    drop(taken);
    let away = places[0].path().join("tls.away");
    std::fs::rename(places[0].path().join("tls.pem"), &away).unwrap();
    assert!(matches!(ProviderFolder::open(places[0].path()), Err(FolderError::Identity(_))), "no new certificate");
    assert!(!places[0].path().join("tls.pem").exists());
    std::fs::rename(places[1].path().join("tls.pem"), places[0].path().join("tls.pem")).unwrap();
    assert!(named_wrongly(start(), "certificate"));
    std::fs::rename(&away, places[0].path().join("tls.pem")).unwrap();
    let toml = places[0].path().join("provider.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    std::fs::write(&toml, text.replace("https://127.0.0.1", "https://localhost")).unwrap();
    assert!(named_wrongly(start(), "address"));
    std::fs::write(&toml, text.replace("number = 1", "number = 2")).unwrap();
    assert!(named_wrongly(start(), "address"));
    std::fs::write(&toml, format!("metrics_listen = \"0.0.0.0:0\"\n{text}")).unwrap();
    let open_to_all = start();
    assert!(matches!(open_to_all, Err(RunError::Serve(ServeError::NotLoopback { .. }))), "metrics for everybody");
    std::fs::write(&toml, text).unwrap();
    start().unwrap().serve(std::future::ready(())).await.unwrap();
    std::fs::write(places[0].path().join("keys"), [1; 7]).unwrap();
    assert!(matches!(ProviderFolder::open(places[0].path()), Err(FolderError::Keys { .. })));
    std::fs::write(places[0].path().join("provider.toml"), "number = 99").unwrap();
    assert!(matches!(ProviderFolder::open(places[0].path()), Err(FolderError::Config { .. })));
}

fn named_wrongly(started: Result<Provider, RunError>, part: &str) -> bool {
    matches!(started, Err(RunError::Folder(FolderError::NotNamed { what })) if what == part)
}

#[test]
fn a_federation_is_installed_once_and_only_where_it_names_the_provider() {
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let places: Vec<_> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
    let make = |(place, number): (&tempfile::TempDir, u8)| {
        ProviderFolder::create(place.path(), config(number), &mut rng).unwrap()
    };
    let folders: Vec<ProviderFolder> = places.iter().zip([1, 2, 3, 1]).map(make).collect();
    let first = found(&folders[..3]);
    folders[0].install(&first).unwrap();
    let mut others: Vec<_> = folders.into_iter().skip(1).collect();
    others.rotate_right(1);
    let second = found_among(&others);
    let stranger = ProviderFolder::open(places[0].path()).unwrap();
    assert!(matches!(stranger.install(&second), Err(FolderError::NotNamed { .. })));
    assert!(matches!(stranger.replace(&second), Err(FolderError::NotNamed { .. })), "not even when it is insisted on");
    assert_eq!(stranger.federation().unwrap().digest(), first.digest(), "the one it had is still there");
    let member = &others[1];
    assert!(matches!(member.install(&second), Err(FolderError::OtherFederation { .. })));
    member.replace(&second).unwrap();
    assert_eq!(member.federation().unwrap().digest(), second.digest());
    std::fs::write(member.path().join("federation.json"), "damaged").unwrap();
    assert!(matches!(member.install(&second), Err(FolderError::OtherFederation { .. })));
}

#[test]
fn secrets_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let place = tempfile::tempdir().unwrap();
    let folder = ProviderFolder::create(place.path(), config(1), &mut rng).unwrap();
    for file in ["keys", "tls.pem"] {
        let mode = std::fs::metadata(place.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file}");
    }
    let text = std::fs::read_to_string(place.path().join("provider.toml")).unwrap();
    assert!(text.contains("listen") && !text.contains("key"), "{text}");
    let again = ProviderFolder::open(place.path()).unwrap();
    assert_eq!(again.entry(), folder.entry());
    let _number: ProviderId = again.config.number;
}

/// A provider of a real federation cannot be made to write down what it is asked by an argument.
#[tokio::test]
async fn a_recording_is_for_practice_only() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let places: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let make = |(place, number): (&tempfile::TempDir, u8)| {
        let jurisdiction = ["FR", "DE", "CH"][usize::from(number) - 1].into();
        let config = ProviderConfig { operator: format!("operator {number}"), jurisdiction, ..config(number) };
        ProviderFolder::create(place.path(), config, &mut rng).unwrap()
    };
    let folders: Vec<ProviderFolder> = places.iter().zip(1..).map(make).collect();
    let tile = Tile { id: TileId(7), name: "Test".into(), lat: 41.0, lng: -8.0, radius_m: 10_000 };
    let entries = folders.iter().map(ProviderFolder::entry).collect();
    let descriptor = FederationDescriptor::new("test", Independence::Checked, SystemClock.now(), 100, tile, entries);
    let mut document = SignedDocument::draft(&descriptor).unwrap();
    folders.iter().for_each(|folder| folder.sign(&mut document));
    let federation = document.verify().unwrap();
    folders.iter().for_each(|folder| folder.install(&federation).unwrap());
    let requests = places[0].path().join("requests");
    let recording = Recording { requests: Some(requests.clone()), from: None };
    let first = folders.into_iter().next().unwrap();
    let started = Provider::start_recorded(first, Arc::new(SystemClock), Policy::for_agents(100), &recording);
    assert!(matches!(started, Err(RunError::Recording)) && !requests.exists());
}
