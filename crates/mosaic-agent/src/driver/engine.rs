use std::{
    future::Future,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mosaic_api::{Problem, ProblemKind};
use mosaic_transport::ProviderClient;
use mosaic_types::{Clock, Timestamp};
use mosaic_vault::{CommitError, Vault};
use mosaic_wire::{CallFailure, Reply};
use rand::rngs::StdRng;
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    time::{Instant, sleep, sleep_until},
};

use super::{files::STATE, recording::TruthFile};
use crate::{AgentCore, CallId, Outgoing, core::VaultTrouble};

/// Changes reach the disk this long after the first of them at the latest.
const DEBOUNCE: Duration = Duration::from_secs(2);
/// Calls on their way at a time.
const CALLS: usize = 32;
/// Commands that wait for the engine.
const JOBS: usize = 256;
/// The loop never turns faster than this without an input.
const SHORTEST_SLEEP: Duration = Duration::from_millis(5);

/// Whether a command answers only once its changes are on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It changes nothing that must survive.
    Memory,
    /// It does.
    Disk,
}

/// Whether the changes of a command were saved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Saved {
    Yes,
    No,
}

type Finish = Box<dyn FnOnce(Saved) + Send>;
type Work = Box<dyn FnOnce(&mut AgentCore, Timestamp, &mut StdRng) -> Finish + Send>;

struct Job {
    durability: Durability,
    work: Work,
}

/// The door to the engine: commands go in, answers come out, nothing waits for the network.
#[derive(Clone)]
pub(crate) struct Engine {
    jobs: mpsc::Sender<Job>,
    revision: watch::Receiver<u64>,
}

/// The engine's end of its channels.
pub(super) struct Link {
    jobs: mpsc::Receiver<Job>,
    replies: mpsc::UnboundedReceiver<(CallId, Result<Reply, CallFailure>)>,
    reports: mpsc::UnboundedSender<(CallId, Result<Reply, CallFailure>)>,
    client: ProviderClient,
    lines: Arc<Semaphore>,
    revision: watch::Sender<u64>,
}

impl Engine {
    pub(super) fn pair(client: ProviderClient) -> (Self, Link) {
        let (door, jobs) = mpsc::channel(JOBS);
        let (reports, replies) = mpsc::unbounded_channel();
        let (revised, revision) = watch::channel(0);
        let lines = Arc::new(Semaphore::new(CALLS));
        (Self { jobs: door, revision }, Link { jobs, replies, reports, client, lines, revision: revised })
    }

    /// Changes whenever who watches should look again; closed when the engine ends.
    pub(crate) fn revision(&self) -> watch::Receiver<u64> {
        self.revision.clone()
    }

    /// Runs `command` in the engine.
    ///
    /// # Errors
    /// [`ProblemKind::Stopping`], or [`ProblemKind::VaultUnwritable`] when the changes of a durable
    /// command are in memory only.
    pub(crate) async fn ask<R: Send + 'static>(
        &self,
        durability: Durability,
        command: impl FnOnce(&mut AgentCore, Timestamp, &mut StdRng) -> R + Send + 'static,
    ) -> Result<R, Problem> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |core, now, rng| {
            let result = command(core, now, rng);
            Box::new(move |saved| {
                // who asked may be gone
                let _unheard = answer.send((result, saved));
            })
        });
        self.jobs.send(Job { durability, work }).await.map_err(|_| ProblemKind::Stopping)?;
        match answered.await.map_err(|_| ProblemKind::Stopping)? {
            (result, Saved::Yes) => Ok(result),
            (_, Saved::No) => Err(Problem::new(ProblemKind::VaultUnwritable)
                .with_detail("the change is in memory and is tried again; it is lost if the agent stops before")),
        }
    }
}

/// Owns core and vault.
pub(super) struct EngineLoop {
    core: AgentCore,
    vault: Arc<Mutex<Vault>>,
    rng: StdRng,
    clock: Arc<dyn Clock>,
    link: Link,
    save_at: Option<Instant>,
    truth: Option<TruthFile>,
}

impl EngineLoop {
    pub(super) fn new(core: AgentCore, vault: Vault, rng: StdRng, clock: Arc<dyn Clock>, link: Link) -> Self {
        Self { core, vault: Arc::new(Mutex::new(vault)), rng, clock, link, save_at: None, truth: None }
    }

    /// With a file for the truth of a practice run.
    pub(super) fn recording(self, truth: Option<TruthFile>) -> Self {
        Self { truth, ..self }
    }

    /// Works until `stop` completes, then saves.
    pub(super) async fn run(mut self, stop: impl Future<Output = ()> + Send) -> Result<(), CommitError> {
        tokio::pin!(stop);
        loop {
            self.make_calls();
            if let Some(truth) = &mut self.truth {
                truth.write(self.core.take_truth());
            }
            self.publish_revision();
            let pause = self.clock.until(self.core.next_wake()).max(SHORTEST_SLEEP);
            let save_at = self.save_at.unwrap_or_else(|| Instant::now() + DEBOUNCE);
            tokio::select! {
                () = &mut stop => break,
                Some(job) = self.link.jobs.recv() => self.work(job).await,
                Some((id, result)) = self.link.replies.recv() => {
                    self.core.on_reply(self.clock.now(), &mut self.rng, id, result);
                }
                () = sleep_until(save_at), if self.save_at.is_some() => self.save_or_retry().await,
                () = sleep(pause) => {}
            }
            if self.core.is_dirty() && self.save_at.is_none() {
                self.save_at = Some(Instant::now() + DEBOUNCE);
            }
        }
        if self.core.is_dirty() { self.save().await } else { Ok(()) }
    }

    fn publish_revision(&self) {
        let revision = self.core.revision();
        self.link.revision.send_if_modified(|known| std::mem::replace(known, revision) != revision);
    }

    fn make_calls(&mut self) {
        while let Some(outgoing) = self.core.poll(self.clock.now(), &mut self.rng) {
            let (client, reports, lines) =
                (self.link.client.clone(), self.link.reports.clone(), self.link.lines.clone());
            tokio::spawn(async move {
                let Some(Outgoing { id, to, call, .. }) = pay(outgoing).await else { return };
                let _line = lines.acquire_owned().await;
                // the engine may be gone
                let _unheard = reports.send((id, client.call(&to, &call).await));
            });
        }
    }

    async fn work(&mut self, job: Job) {
        let finish = (job.work)(&mut self.core, self.clock.now(), &mut self.rng);
        let must_save = job.durability == Durability::Disk && self.core.is_dirty();
        let saved = if must_save && self.save().await.is_err() {
            self.save_at = Some(Instant::now() + DEBOUNCE);
            Saved::No
        } else {
            Saved::Yes
        };
        finish(saved);
    }

    async fn save_or_retry(&mut self) {
        self.save_at = None;
        if let Err(error) = self.save().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the vault could not be written; trying again");
            self.save_at = Some(Instant::now() + DEBOUNCE * 5);
        }
    }

    /// Seals the present state. On failure it stays dirty.
    async fn save(&mut self) -> Result<(), CommitError> {
        let saved = self.write_snapshot().await;
        match saved {
            Ok(()) => {
                self.save_at = None;
                self.core.set_vault_trouble(VaultTrouble::None);
            }
            Err(_) => {
                self.core.mark_dirty();
                self.core.set_vault_trouble(VaultTrouble::Unwritable);
            }
        }
        saved
    }

    async fn write_snapshot(&mut self) -> Result<(), CommitError> {
        let failed = |cause: Box<dyn std::error::Error + Send + Sync>| CommitError::Disk(io::Error::other(cause));
        let bytes = self.core.snapshot().to_bytes().map_err(|error| failed(error.into()))?;
        let vault = self.vault.clone();
        let mut rng: StdRng = rand::SeedableRng::from_rng(&mut self.rng);
        let written = tokio::task::spawn_blocking(move || {
            let mut vault = vault.lock().unwrap_or_else(PoisonError::into_inner);
            vault.put(STATE, STATE, &bytes, None).map_err(|error| failed(error.into()))?;
            vault.commit(&mut rng)
        });
        written.await.map_err(|error| failed(error.into()))?
    }
}

/// Solves a puzzle on a thread of its own: nothing that leaves on time waits for it. `None` when the runtime ends.
async fn pay(outgoing: Outgoing) -> Option<Outgoing> {
    if outgoing.terms.is_none() {
        return Some(outgoing);
    }
    tokio::task::spawn_blocking(move || outgoing.pay()).await.ok()
}
