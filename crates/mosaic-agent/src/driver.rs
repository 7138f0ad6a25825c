//! Sockets, disk and time around an [`AgentCore`].

mod engine;
mod files;
mod recording;
#[cfg(test)]
mod tests;

use std::{future::Future, net::SocketAddr, path::PathBuf, sync::Arc};

use mosaic_api::AppFile;
use mosaic_federation::Federation;
use mosaic_geo::places::PlaceIndex;
use mosaic_transport::{BindError, ClientError, Endpoint, Patience, ProviderClient, ServeError, bind, serve_loopback};
use mosaic_types::{Clock, Mode};
use mosaic_vault::{CreateError, ItemError, OpenError, Vault};
use rand::rngs::StdRng;
use thiserror::Error;
use tokio::sync::watch;
use zeroize::Zeroizing;

pub(crate) use engine::{Durability, Engine};
pub use recording::Recording;

use self::{
    engine::EngineLoop,
    files::{Files, STATE},
    recording::TruthFile,
};
use crate::{AgentConfig, AgentCore, AgentState, BlindReads, BlockPool, DecodeStateError, TruthLog, server};

/// What the vault of a new device costs to guess.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VaultCost {
    /// 64 MiB, three passes.
    #[default]
    Standard,
    /// Next to nothing: only taken in a practice federation.
    DangerouslyCheap,
}

/// How to run one agent.
pub struct RunConfig {
    /// Its directory: `vault`, `api.token`, `api.address`. Created if it is not there.
    pub dir: PathBuf,
    /// Opens the vault, or seals a new one.
    pub password: Zeroizing<String>,
    /// Where the local API listens: a loopback address; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The pinned federation.
    pub federation: Arc<Federation>,
    /// Public places.
    pub places: Arc<PlaceIndex>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Mode of a new device.
    pub mode: Mode,
    /// Vault of a new device.
    pub vault: VaultCost,
    /// How long to wait for providers.
    pub patience: Patience,
    /// Blocks shared with other agents of this process.
    pub pool: Arc<BlockPool>,
    /// The time of people and their browsers: another than `clock` only where a practice run is sped up.
    pub wall: Arc<dyn Clock>,
    /// Files of the web app, served beside the API.
    pub app: &'static [AppFile],
    /// What the lab writes down and plays again; nothing, but in a practice federation.
    pub recording: Recording,
}

/// Why an agent did not start. Nothing was overwritten.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The local API would be open to other machines.
    #[error("the local API must listen on a loopback address, not on {address}")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// A cheap vault outside a practice federation.
    #[error("a cheap vault is for practice federations only")]
    CheapVault,
    /// A recording, or a seed, outside a practice federation.
    #[error("a recording or a seed is for practice federations only")]
    Recording,
    /// The directory cannot be used.
    #[error("the agent's directory cannot be used")]
    Directory(#[source] std::io::Error),
    /// The vault did not open.
    #[error("the vault did not open")]
    Open(#[source] OpenError),
    /// The vault opened, and reading it failed.
    #[error("the vault cannot be read")]
    Read(#[source] ItemError),
    /// No vault could be created.
    #[error("no vault could be created")]
    Create(#[source] CreateError),
    /// The vault opened and holds no readable state.
    #[error("the vault holds a state that this version cannot read")]
    State(#[source] DecodeStateError),
    /// The port is taken.
    #[error("the local API cannot listen")]
    Bind(#[source] BindError),
    /// TLS is not available.
    #[error("no secure connections can be made")]
    Client(#[source] ClientError),
    /// The operating system gives no randomness.
    #[error("the operating system gives no randomness")]
    Entropy,
}

/// Why an agent stopped other than on request.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// It did not start.
    #[error("the agent did not start")]
    Start(#[from] StartError),
    /// The local API failed.
    #[error("the local API failed")]
    Serve(#[source] ServeError),
    /// The last changes did not reach the disk.
    #[error("the last changes could not be saved")]
    Save(#[source] mosaic_vault::CommitError),
    /// A fault of ours: the engine ended early.
    #[error("the agent's engine ended early")]
    Engine,
}

/// A started agent: its vault is open and its port is bound.
pub struct Agent {
    core: AgentCore,
    vault: Vault,
    rng: StdRng,
    clock: Arc<dyn Clock>,
    client: ProviderClient,
    listener: std::net::TcpListener,
    address: SocketAddr,
    files: Files,
    served: server::Served,
    truth: Option<TruthFile>,
}

impl Agent {
    /// Opens or creates everything; makes no call yet.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(config: RunConfig) -> Result<Self, StartError> {
        if !config.listen.ip().is_loopback() {
            return Err(StartError::NotLoopback { address: config.listen });
        }
        if !config.recording.is_off() && config.federation.descriptor().banner().is_none() {
            return Err(StartError::Recording);
        }
        let files = Files::at(&config.dir).map_err(StartError::Directory)?;
        let mut rng = config.recording.rng(&files.vault())?;
        let (vault, state) = open_or_create(&files, &config, &mut rng)?;
        let listener = bind(config.listen).map_err(StartError::Bind)?;
        let address = listener.local_addr().map_err(StartError::Directory)?;
        let token = files.token(&mut rng).map_err(StartError::Directory)?;
        let endpoints = config.federation.descriptor().providers.iter().map(Endpoint::from);
        let client = ProviderClient::new_from(endpoints, config.patience, config.recording.from);
        let client = client.map_err(StartError::Client)?;
        let truth = config.recording.truth.as_deref().map(TruthFile::create).transpose();
        let truth = truth.map_err(StartError::Directory)?;
        let places = Arc::clone(&config.places);
        let core_config = AgentConfig {
            federation: config.federation,
            places: config.places,
            truth: if truth.is_some() { TruthLog::Record } else { TruthLog::Forget },
            pool: config.pool,
            blind_reads: BlindReads::BySize,
        };
        let served =
            server::Served { clock: Arc::clone(&config.clock), wall: config.wall, places, app: config.app, token };
        let core = AgentCore::new(core_config, state, config.clock.now());
        files.write_address(address).map_err(StartError::Directory)?;
        Ok(Self { core, vault, rng, clock: config.clock, client, listener, address, files, served, truth })
    }

    /// Where the local API listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves and works until `shutdown` completes, then saves and locks the vault.
    ///
    /// # Errors
    /// [`RunError`].
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), RunError> {
        let (stop, stopped) = watch::channel(());
        let (engine, link) = Engine::pair(self.client);
        let router = server::router(engine, self.served, self.address.port());
        let mut server = tokio::spawn(serve_loopback(self.listener, router, until(stopped.clone())));
        let engine_loop = EngineLoop::new(self.core, self.vault, self.rng, self.clock, link).recording(self.truth);
        let mut worker = tokio::spawn(engine_loop.run(until(stopped)));
        let early = tokio::select! {
            () = shutdown => None,
            served = &mut server => Some(served),
            _ = &mut worker => return Err(RunError::Engine),
        };
        drop(stop);
        let served = match early {
            Some(served) => served,
            None => server.await,
        };
        let saved = worker.await.map_err(|_| RunError::Engine)?;
        self.files.forget_address();
        saved.map_err(RunError::Save)?;
        served.map_err(|_| RunError::Engine)?.map_err(RunError::Serve)
    }
}

/// Starts an agent and runs it until `shutdown` completes.
///
/// # Errors
/// [`RunError`].
pub async fn run(config: RunConfig, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), RunError> {
    Agent::start(config)?.run(shutdown).await
}

/// Completes when the sender is gone.
async fn until(mut stopped: watch::Receiver<()>) {
    while stopped.changed().await.is_ok() {}
}

fn open_or_create(files: &Files, config: &RunConfig, rng: &mut StdRng) -> Result<(Vault, AgentState), StartError> {
    let path = files.vault();
    match Vault::open(&path, &config.password) {
        // the lock is ours now, so an address lying here is that of an agent that died
        Ok(vault) => {
            files.forget_address();
            read_or_begin(vault, config, rng)
        }
        Err(OpenError::Missing) => begin(create(&path, config, rng)?, config, rng),
        Err(error) => Err(StartError::Open(error)),
    }
}

/// The state of an open vault. There is none if the very first start was interrupted before it was saved.
fn read_or_begin(vault: Vault, config: &RunConfig, rng: &mut StdRng) -> Result<(Vault, AgentState), StartError> {
    match vault.get(STATE, STATE).map_err(StartError::Read)? {
        Some(bytes) => AgentState::from_bytes(&bytes).map(|state| (vault, state)).map_err(StartError::State),
        None => begin(vault, config, rng),
    }
}

fn create(path: &std::path::Path, config: &RunConfig, rng: &mut StdRng) -> Result<Vault, StartError> {
    let practice = config.federation.descriptor().banner().is_some();
    let created = match config.vault {
        VaultCost::Standard => Vault::create(path, &config.password, rng),
        VaultCost::DangerouslyCheap if practice => Vault::create_dangerously_cheap(path, &config.password, rng),
        VaultCost::DangerouslyCheap => return Err(StartError::CheapVault),
    };
    created.map_err(StartError::Create)
}

/// A new device's state, saved before anybody relies on it.
fn begin(mut vault: Vault, config: &RunConfig, rng: &mut StdRng) -> Result<(Vault, AgentState), StartError> {
    let state = AgentState::fresh(rng).in_mode(config.mode);
    let bytes = state.to_bytes().map_err(StartError::State)?;
    let failed = |cause| StartError::Directory(std::io::Error::other(cause));
    vault.put(STATE, STATE, &bytes, None).map_err(failed)?;
    vault.commit(rng).map_err(|cause| StartError::Directory(std::io::Error::other(cause)))?;
    Ok((vault, state))
}
