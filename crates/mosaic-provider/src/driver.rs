//! Sockets, a thread and a clock around [`ProviderCore`].
//!
//! One thread owns the core and takes its commands in turn: whatever has gathered meanwhile is handled
//! together and made durable with one flush. HTTP tasks open cells and wait for answers.

mod ahead;
mod engine;
mod front;
mod limits;
mod metrics;
mod published;
mod recording;
mod routes;

use std::{future::Future, net::SocketAddr, path::PathBuf, sync::Arc};

use axum::Router;
use mosaic_crypto::agreement::AgreementSecret;
use mosaic_transport::{
    BindError, ClientError, Endpoint, Identity, Limits, Patience, ProviderClient, ServeError, bind, serve_loopback,
    serve_tls,
};
use mosaic_types::Clock;
use thiserror::Error;
use tokio::sync::watch;

use crate::{FolderError, OpenError, Policy, ProviderCore, ProviderFolder, spent::SpentError, store::StoreAddress};

use engine::Engine;
use published::Published;
use recording::Recorder;

pub use front::{Front, FrontPlace};
pub use recording::Recording;

/// A provider that listens but does not serve yet.
pub struct Provider {
    listener: std::net::TcpListener,
    metrics: Option<std::net::TcpListener>,
    identity: Identity,
    engine: Engine,
    banner: Option<&'static str>,
    recorder: Option<Arc<Recorder>>,
}

/// Why a provider did not start, or stopped by itself.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// Its address is taken or not this machine's.
    #[error("the provider cannot listen")]
    Bind(#[from] BindError),
    /// Its folder is incomplete or damaged.
    #[error("the provider's folder cannot be used")]
    Folder(#[from] FolderError),
    /// The federation does not name it, or the store is unusable.
    #[error("the provider cannot start from {}", path.display())]
    Open {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: OpenError,
    },
    /// `provider.toml` names no table, or no spent set.
    #[error("fronts need both `store`, a table, and `spent` in provider.toml")]
    NoFronts,
    /// The spent set's address is not one that its client takes.
    #[error("the spent set cannot be used")]
    Spent(#[from] SpentError),
    /// A recording outside a practice federation.
    #[error("a recording is for practice federations only")]
    Recording,
    /// No client for the other providers.
    #[error("the other providers cannot be called")]
    Client(#[from] ClientError),
    /// No randomness or no thread.
    #[error("the system has no randomness or no thread to give")]
    System,
    /// The server ended other than by being told to.
    #[error("the server failed")]
    Serve(#[from] ServeError),
    /// The thread that does the work panicked, or its store is another process's now; nothing that was acknowledged is
    /// lost.
    #[error("the provider's engine ended by itself")]
    Engine,
}

/// How long a peer may take before another one is asked.
const PEER_PATIENCE: Patience =
    Patience { connect: std::time::Duration::from_secs(2), request: std::time::Duration::from_secs(10) };

impl Provider {
    /// Opens the port, the store and everything in `folder`. Must run inside a tokio runtime.
    ///
    /// # Errors
    /// [`RunError`] with what is in the way; nothing was changed then.
    pub fn start(folder: ProviderFolder, clock: Arc<dyn Clock>) -> Result<Self, RunError> {
        let federation = Arc::new(folder.federation()?);
        let policy = Policy::of(federation.descriptor());
        Self::start_with(folder, clock, policy)
    }

    /// As [`Self::start`], with another policy.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn start_with(folder: ProviderFolder, clock: Arc<dyn Clock>, policy: Policy) -> Result<Self, RunError> {
        Self::start_recorded(folder, clock, policy, &Recording::default())
    }

    /// As [`Self::start_with`], in a practice federation, with what the lab is let write down.
    ///
    /// # Errors
    /// [`RunError`]; [`RunError::Recording`] in any other federation.
    pub fn start_recorded(
        folder: ProviderFolder,
        clock: Arc<dyn Clock>,
        policy: Policy,
        recording: &Recording,
    ) -> Result<Self, RunError> {
        let federation = Arc::new(folder.federation()?);
        if !recording.is_off() && federation.descriptor().banner().is_none() {
            return Err(RunError::Recording);
        }
        folder.is_named_by(&federation)?;
        if folder.config.spent.is_some() && folder.config.store == StoreAddress::Log {
            return Err(RunError::NoFronts);
        }
        let listener = bind(folder.config.listen)?;
        let metrics = folder.config.metrics_listen.map(bind_for_operator).transpose()?;
        let path = folder.path().to_owned();
        let failed = |source: OpenError| RunError::Open { path: path.clone(), source };
        let (banner, owner) = (federation.descriptor().banner(), folder.keys.signing.verifying_key().to_bytes());
        // the clock of a practice may show any time
        let store = folder.config.store.open(&path, &owner, banner.is_none());
        let store = store.map_err(|error| failed(error.into()))?;
        let endpoints = federation.descriptor().providers.iter().map(Endpoint::from);
        let client = ProviderClient::of_provider(endpoints, PEER_PATIENCE, recording.from)?;
        let recorder = recording.requests.as_deref().map(|path| Recorder::create(path, Arc::clone(&clock)));
        let recorder = recorder.transpose().map_err(ServeError::from)?.map(Arc::new);
        let cell = AgreementSecret::from_bytes(*folder.keys.cell.to_bytes());
        let policy = Policy { fronts: folder.config.spent.is_some(), ..policy };
        let core =
            ProviderCore::open(folder.keys, Arc::clone(&federation), store, policy, clock.now()).map_err(failed)?;
        let published = Published::into_folder(path.join("evidence"));
        let engine = Engine::start(core, cell, client, clock, published).ok_or(RunError::System)?;
        Ok(Self { listener, metrics, identity: folder.identity, engine, banner, recorder })
    }

    /// Where it listens: the port that the system chose if the configuration says 0.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Where it shows its metrics, if it does.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref()?.local_addr().ok()
    }

    /// Serves until `shutdown` completes, then finishes open requests and closes the store.
    ///
    /// # Errors
    /// [`RunError::Serve`]; [`RunError::Engine`] when the engine ended by itself, which ends the server too.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), RunError> {
        let (stop, stopping) = watch::channel(());
        let died = self.engine.ended();
        tokio::spawn(async move {
            tokio::select! {
                () = shutdown => {}
                () = died => {}
            }
            drop(stop);
        });
        let mut router = routes::router(self.engine.handle(), self.banner);
        if let Some(recorder) = self.recorder {
            let watch = move |request, next| Arc::clone(&recorder).watch(request, next);
            router = router.layer(axum::middleware::from_fn(watch));
        }
        let operator = routes::operator_router(self.engine.handle());
        let served = serve_both((self.listener, &self.identity, router), (self.metrics, operator), stopping).await;
        let stopped = self.engine.stop().await;
        served?;
        stopped.map_err(|_| RunError::Engine)
    }

    /// Opens `folder` and serves it: what `mosaic provider` runs.
    ///
    /// # Errors
    /// [`RunError`].
    pub async fn run(
        folder: ProviderFolder,
        clock: Arc<dyn Clock>,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), RunError> {
        Self::start(folder, clock)?.serve(shutdown).await
    }
}

/// Serves what others may reach, and what the operator sees where that is wanted, until the sender is gone.
async fn serve_both(
    (listener, identity, router): (std::net::TcpListener, &Identity, Router),
    (metrics, operator): (Option<std::net::TcpListener>, Router),
    stopping: watch::Receiver<()>,
) -> Result<(), ServeError> {
    let public = serve_tls(listener, identity, router, Limits::default(), closed(stopping.clone()));
    let metrics = async {
        match metrics {
            Some(listener) => serve_loopback(listener, operator, closed(stopping)).await,
            None => Ok(()),
        }
    };
    tokio::try_join!(public, metrics).map(drop)
}

/// Metrics are in clear and for the operator alone.
fn bind_for_operator(address: SocketAddr) -> Result<std::net::TcpListener, RunError> {
    if address.ip().is_loopback() { Ok(bind(address)?) } else { Err(ServeError::NotLoopback { address }.into()) }
}

/// Completes when the sender is gone.
async fn closed(mut stopping: watch::Receiver<()>) {
    while stopping.changed().await.is_ok() {}
}

#[cfg(test)]
mod tests;
