//! A front: sockets and a clock around [`FrontCore`], with a table to look at, a spent set that all fronts share, and a
//! writer for everything that has to happen in one place.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use mosaic_crypto::agreement::{AgreementPublic, AgreementSecret};
use mosaic_transport::{Endpoint, Identity, Patience, Pins, ProviderClient, bind, os_rng};
use mosaic_types::{Clock, ProviderId, SegmentId};
use mosaic_wire::{
    Address, CELL, Call, CallFailure, CellReply, CellRequest, EvaluateFields, GenerationId, GenerationsQuery, Problem,
    ProblemCode, Reply, StackQuery, WireToken,
};
use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};

use super::{PEER_PATIENCE, RunError, bind_for_operator, engine::Handle, routes, serve_both};
use crate::{
    Counters, FrontCore, Gauges, Policy, ProviderFolder,
    core::Block,
    layout,
    spent::{RedisSpent, SpentSet},
    store::{Bucket, Entry, StoreError, TableView},
};

/// Time between two looks at what the writer stored.
const LOOK: Duration = Duration::from_secs(1);

/// Time between two looks, at least, that readers cause by asking for more than is known here.
const AT_REQUEST: Duration = Duration::from_millis(100);

/// Segments looked at together.
const ABREAST: usize = 16;

/// After how many seconds to come again to a writer that does not answer.
const WRITER_RETRY_S: u32 = 5;

/// How long the writer may take: it waits for its replica.
const WRITER_PATIENCE: Patience = Patience { connect: Duration::from_secs(2), request: Duration::from_secs(20) };

/// Where a front listens, and where its writer does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontPlace {
    /// Address for agents and peers.
    pub listen: SocketAddr,
    /// Loopback address for this front's metrics, if it shows any.
    pub metrics: Option<SocketAddr>,
    /// `https://HOST:PORT` of the writer; without it, the address in `provider.toml`.
    pub writer: Option<String>,
}

/// A front that listens but does not serve yet.
pub struct Front {
    listener: std::net::TcpListener,
    metrics: Option<std::net::TcpListener>,
    identity: Identity,
    desk: Arc<FrontDesk>,
    handle: Arc<Handle>,
    banner: Option<&'static str>,
}

impl Front {
    /// Opens the port, looks at the table of the provider in `folder` and reads what it serves. Must run inside a tokio
    /// runtime.
    ///
    /// # Errors
    /// [`RunError`] with what is in the way; [`RunError::NoFronts`] unless `provider.toml` names a table and a spent set.
    pub async fn start(
        folder: ProviderFolder,
        clock: Arc<dyn Clock>,
        policy: Policy,
        place: &FrontPlace,
    ) -> Result<Self, RunError> {
        let federation = Arc::new(folder.federation()?);
        folder.is_named_by(&federation)?;
        let listener = bind(place.listen)?;
        let metrics = place.metrics.map(bind_for_operator).transpose()?;
        let path = folder.path().to_owned();
        let failed = |source: crate::OpenError| RunError::Open { path: path.clone(), source };
        let owner = folder.keys.signing.verifying_key().to_bytes();
        let view = folder.config.store.view(&path, &owner).await.map_err(|error| failed(error.into()))?;
        let (Some(view), Some(spent)) = (view, &folder.config.spent) else { return Err(RunError::NoFronts) };
        let spent = Box::new(RedisSpent::new(spent)?);
        let (me, banner) = (folder.keys.me, federation.descriptor().banner());
        let writer = Endpoint {
            provider: me,
            url: place.writer.clone().unwrap_or_else(|| format!("https://{}", folder.config.listen)),
            pins: Pins::only(folder.identity.pin()),
            cell_key: AgreementPublic(folder.entry().cell_key),
        };
        let writer = ProviderClient::new([writer], WRITER_PATIENCE)?;
        let endpoints = federation.descriptor().providers.iter().map(Endpoint::from);
        let client = ProviderClient::new(endpoints, PEER_PATIENCE)?;
        let cell = AgreementSecret::from_bytes(*folder.keys.cell.to_bytes());
        let core = FrontCore::new(folder.keys, Arc::clone(&federation), &policy).map_err(failed)?;
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let desk = Arc::new(FrontDesk {
            core: Mutex::new(core),
            view,
            spent,
            writer,
            me,
            clock,
            looked: tokio::sync::Mutex::new(Instant::now()),
            working: Semaphore::new(processors),
        });
        desk.look().await.map_err(|error| failed(error.into()))?;
        let handle = Arc::new(Handle::of_front(Arc::clone(&desk), cell, client, (me, federation)));
        Ok(Self { listener, metrics, identity: folder.identity, desk, handle, banner })
    }

    /// Where it listens: the port that the system chose if 0 was asked for.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Where it shows its metrics, if it does.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref()?.local_addr().ok()
    }

    /// Serves until `shutdown` completes, then finishes open requests. There is nothing to close.
    ///
    /// # Errors
    /// [`RunError::Serve`].
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), RunError> {
        let (stop, stopping) = watch::channel(());
        tokio::spawn(async move {
            shutdown.await;
            drop(stop);
        });
        let keeping_up = self.desk.keep_up();
        let router = routes::router(Arc::clone(&self.handle), self.banner);
        let operator = routes::operator_router(self.handle);
        let serving = serve_both((self.listener, &self.identity, router), (self.metrics, operator), stopping);
        tokio::select! {
            served = serving => Ok(served?),
            () = keeping_up => Ok(()),
        }
    }
}

/// What the HTTP tasks of a front share.
pub(super) struct FrontDesk {
    core: Mutex<FrontCore>,
    view: TableView,
    spent: Box<dyn SpentSet>,
    /// Reaches the writer, and nobody else.
    writer: ProviderClient,
    me: ProviderId,
    clock: Arc<dyn Clock>,
    /// When the table was looked at last, by the machine's own time; held while it is.
    looked: tokio::sync::Mutex<Instant>,
    /// A place for each processor.
    working: Semaphore,
}

impl FrontDesk {
    pub(super) async fn call(&self, call: Call) -> Result<Reply, Problem> {
        if let Some(answer) = self.core().handle(self.clock.now(), &call) {
            return answer;
        }
        match call {
            Call::Generations(query) => self.generations(&query).await,
            Call::Stack(query) => self.stack(query).await,
            Call::Cell(CellRequest::Evaluate { token, query }) => self.evaluate(&token, &query).await,
            other => self.writer.call(&Address { provider: self.me, via: None }, &other).await.map_err(not_written),
        }
    }

    /// Hands a sealed deposit to the writer as it came, and its sealed answer back.
    pub(super) async fn deposit(&self, cell: &[u8]) -> Result<Vec<u8>, Problem> {
        let sealed = self.writer.forward(self.me, cell.to_vec()).await.map_err(not_written)?;
        if sealed.len() == CELL { Ok(sealed) } else { Err(ProblemCode::Internal.into()) }
    }

    /// Hands a peer's message to the writer.
    pub(super) async fn peer(&self, bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
        self.writer.peer(self.me, bytes).await.map_err(not_written)
    }

    pub(super) fn count(&self) -> (Counters, Gauges) {
        let core = self.core();
        (core.counters().clone(), core.gauges(self.clock.now()))
    }

    async fn evaluate(&self, token: &WireToken, query: &[u8; EvaluateFields::SIZE]) -> Result<Reply, Problem> {
        let paying = self.core().prepare_evaluation(self.clock.now(), token, query)?;
        let spending = self.spent.spend(paying.spend()).await;
        self.core().paid(spending)?;
        let mut rng = os_rng().map_err(|_| Problem::from(ProblemCode::Internal))?;
        let done = self.work(move || paying.evaluate(&mut rng)).await?;
        Ok(Reply::Cell(done.unwrap_or_else(CellReply::Problem)))
    }

    async fn generations(&self, query: &GenerationsQuery) -> Result<Reply, Problem> {
        self.look_beyond(query.wanted()).await;
        let wanted = self.core().wanted(self.clock.now(), query)?;
        let blocks = self.blocks(wanted).await?;
        let reply = self.core().generations(blocks.into_iter().flatten());
        Ok(Reply::Generations(reply))
    }

    async fn stack(&self, query: Box<StackQuery>) -> Result<Reply, Problem> {
        self.look_beyond(query.id().wanted()).await;
        let coming = self.core().prepare_scan(self.clock.now(), &query)?;
        let wanted = coming.wanted().iter().map(|id| (*id, None)).collect();
        let blocks: Option<Vec<Block>> = self.blocks(wanted).await?.into_iter().collect();
        let scan = coming.with(query, &blocks.ok_or(ProblemCode::NotReady)?);
        self.work(move || scan.run()).await?
    }

    /// The bytes of generations: those that are not given are read, and kept for the next who ask.
    async fn blocks(&self, wanted: Vec<(GenerationId, Option<Block>)>) -> Result<Vec<Option<Block>>, Problem> {
        let missing: Vec<GenerationId> =
            wanted.iter().filter(|(_, block)| block.is_none()).map(|(id, _)| *id).collect();
        let keys = missing.iter().map(|id| layout::generation(id.segment, id.index)).collect();
        let read = self.view.get_all(Bucket::Blocks, keys).await.map_err(|error| {
            tracing::error!(%error, "a sealed generation cannot be read");
            Problem::from(ProblemCode::Internal)
        })?;
        let mut read = missing.into_iter().zip(read).map(|(id, bytes)| {
            let block = Arc::new(bytes?);
            self.core().keep(id, Arc::clone(&block));
            Some(block)
        });
        Ok(wanted.into_iter().map(|(_, block)| block.or_else(|| read.next().flatten())).collect())
    }

    /// Long work, on as many threads as there are processors.
    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let _place = self.working.acquire().await;
        tokio::task::spawn_blocking(work).await.map_err(|_| ProblemCode::Internal.into())
    }

    /// Looks at the table from time to time, without end.
    async fn keep_up(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Err(error) = self.look().await {
                tracing::error!(%error, "the table cannot be looked at; what is known is served");
            }
        }
    }

    /// Reads what the writer stored since the last look.
    async fn look(&self) -> Result<(), StoreError> {
        let mut looked = self.looked.lock().await;
        let now = self.clock.now();
        let tables = self.view.scan(Bucket::Tables, b"", None).await?;
        let wanted = self.core().take_tables(now, &tables);
        for period in wanted {
            let own = self.view.key(period)?;
            let sealed = self.view.get(Bucket::Ceremonies, &layout::period(period)).await?;
            self.core().take_ceremony(period, own.as_deref(), sealed.as_deref());
        }
        let growing = self.core().growing(now);
        self.look_for_heads(growing).await?;
        *looked = Instant::now();
        Ok(())
    }

    /// Readers see another front's heads before this one does: what they ask for may be there by now.
    async fn look_beyond(&self, wanted: &[GenerationId]) {
        if self.core().lacking(wanted).is_empty() {
            return;
        }
        let mut looked = self.looked.lock().await;
        let lacking = self.core().lacking(wanted);
        if lacking.is_empty() || looked.elapsed() < AT_REQUEST {
            return;
        }
        if let Err(error) = self.look_for_heads(lacking).await {
            tracing::error!(%error, "the table cannot be looked at; what is known is served");
        }
        *looked = Instant::now();
    }

    async fn look_for_heads(&self, segments: Vec<(SegmentId, u32)>) -> Result<(), StoreError> {
        let read = segments.into_iter().map(|(segment, known)| async move {
            let last = known.checked_sub(1).map(|index| layout::generation(segment, index));
            let heads = self.view.scan(Bucket::Heads, &layout::segment(segment), last.as_deref()).await?;
            Ok::<_, StoreError>((segment, heads))
        });
        let found: Vec<(SegmentId, Vec<Entry>)> = stream::iter(read).buffer_unordered(ABREAST).try_collect().await?;
        let mut core = self.core();
        for (segment, heads) in &found {
            core.take_heads(*segment, heads.iter().map(|(_, head)| head.as_slice()));
        }
        drop(core);
        Ok(())
    }

    /// Held for moments only, never while anything is waited for.
    fn core(&self) -> MutexGuard<'_, FrontCore> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a client hears when the writer did not do it.
fn not_written(failure: CallFailure) -> Problem {
    match failure {
        CallFailure::Refused(problem) => problem,
        _ => Problem::after(ProblemCode::NotReady, WRITER_RETRY_S),
    }
}
