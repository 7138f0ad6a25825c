use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mosaic_agent::{Agent, Recording, RunConfig, RunError, StartError, VaultCost};
use mosaic_crypto::{agreement::AgreementSecret, signing::SigningKey};
use mosaic_federation::{Federation, FederationDescriptor, Independence, Issuer, ProviderEntry, SignedDocument, Tile};
use mosaic_geo::synthetic_city;
use mosaic_transport::{Patience, Pin, install_crypto};
use mosaic_types::{Clock, FixedClock, Mode, ProviderId, TileId, Timestamp};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::schema;

/// A fixed instant inside a window.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_763_683_261);

/// Stands still until a test moves it.
pub(crate) struct HandClock(AtomicU64);

impl HandClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(NOW.as_millis())))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Three operators whose ports nobody listens on.
pub(crate) fn federation(independence: Independence) -> Arc<Federation> {
    operators(independence, None).0
}

/// The same three and what they sign with; the first of them may be somewhere.
pub(crate) fn operators(
    independence: Independence,
    first: Option<(SocketAddr, Pin)>,
) -> (Arc<Federation>, Vec<(ProviderId, SigningKey)>) {
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    let keys: Vec<_> = (1..=3).map(|id| (ProviderId::new(id).unwrap(), SigningKey::generate(&mut rng))).collect();
    let nowhere =
        |id: ProviderId| (SocketAddr::from(([127, 0, 0, 1], id.get().into())), Pin::from_bytes([id.get(); 32]));
    let place = |id: ProviderId| first.filter(|_| id.get() == 1).unwrap_or(nowhere(id));
    let entries = keys.iter().map(|(id, key)| ProviderEntry {
        id: *id,
        url: format!("https://{}", place(*id).0),
        tls_pin: place(*id).1.to_bytes(),
        signing_key: key.verifying_key().to_bytes(),
        cell_key: AgreementSecret::random(&mut rng).public().to_bytes(),
        ceremony_key: AgreementSecret::random(&mut rng).public().to_bytes(),
        token_key: *Issuer::key(&[id.get(); 32]).unwrap().public(),
        operator: format!("operator {id}"),
        jurisdiction: ["DE", "CH", "IS"][usize::from(id.get()) - 1].to_owned(),
    });
    let tile = Tile { id: TileId(1), name: "Tessera".to_owned(), lat: -45.0, lng: 0.0, radius_m: 20_000 };
    let descriptor = FederationDescriptor::new("test", independence, NOW, 100, tile, entries.collect());
    let mut document = SignedDocument::draft(&descriptor).unwrap();
    keys.iter().for_each(|(id, key)| document.sign(*id, key));
    (Arc::new(document.verify().unwrap()), keys)
}

pub(crate) fn config(dir: &Path) -> RunConfig {
    install_crypto();
    RunConfig {
        dir: dir.to_owned(),
        password: "correct horse".to_owned().into(),
        listen: "127.0.0.1:0".parse().unwrap(),
        federation: federation(Independence::Practice),
        places: Arc::new(synthetic_city(1)),
        clock: Arc::new(FixedClock(NOW)),
        mode: Mode::Balanced,
        vault: VaultCost::DangerouslyCheap,
        patience: Patience::default(),
        pool: Arc::default(),
        wall: Arc::new(FixedClock(NOW)),
        app: &[],
        recording: Recording::default(),
    }
}

/// A running agent. Dropping it without [`Running::stop`] ends it with its runtime.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) dir: PathBuf,
    pub(crate) token: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), RunError>>,
}

impl Running {
    pub(crate) fn start(dir: &Path) -> Result<Self, StartError> {
        Self::start_with(config(dir))
    }

    pub(crate) fn start_with(config: RunConfig) -> Result<Self, StartError> {
        let dir = config.dir.clone();
        let agent = Agent::start(config)?;
        let address = agent.address();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(agent.run(async {
            let _sender_gone = stopped.await;
        }));
        let token = std::fs::read_to_string(dir.join("api.token")).unwrap();
        Ok(Self { address, dir, token, stop, task })
    }

    pub(crate) async fn stop(self) {
        self.end().await.unwrap();
    }

    /// Stops it and says how that went.
    pub(crate) async fn end(self) -> Result<(), RunError> {
        self.stop.send(()).unwrap();
        self.task.await.unwrap()
    }

    /// One request with the right host and token.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let headers = [format!("Host: {}", self.address), format!("Authorization: Bearer {}", self.token)];
        self.raw(method, path, &headers, body.map(|body| body.to_string())).await
    }

    /// One request with these headers; its answer is what the API's description says, or this panics.
    pub(crate) async fn raw(&self, method: &str, path: &str, headers: &[String], body: Option<String>) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n{}\r\n", headers.join("\r\n"));
        if let Some(body) = &body {
            head += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        }
        let request = format!("{head}\r\n{}", body.unwrap_or_default());
        let address = self.address;
        let answer = tokio::task::spawn_blocking(move || exchange(address, &request)).await.unwrap();
        schema::check(method, path, &answer);
        answer
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    /// `null` where there is none.
    pub(crate) body: Value,
}

impl Answer {
    /// The word of a problem.
    pub(crate) fn slug(&self) -> &str {
        assert!(self.head.contains("application/problem+json"), "{}", self.head);
        assert_eq!(self.body["status"], self.status);
        self.body["type"].as_str().unwrap().strip_prefix("urn:mosaic:problem:").unwrap()
    }
}

fn exchange(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_ascii_lowercase(), body: serde_json::from_str(body).unwrap_or(Value::Null) }
}

pub(crate) fn dir() -> TempDir {
    TempDir::new().unwrap()
}
