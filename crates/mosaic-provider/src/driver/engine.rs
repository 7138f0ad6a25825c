use std::{collections::HashMap, sync::Arc, thread};

use mosaic_crypto::agreement::AgreementSecret;
use mosaic_federation::{Federation, peer};
use mosaic_transport::{ProviderClient, os_rng};
use mosaic_types::{Clock, ProviderId, Timestamp};
use mosaic_wire::{Call, CellRequest, Problem, ProblemCode, Reply};
use rand::{SeedableRng as _, rngs::StdRng};
use tokio::{
    runtime,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
};

use super::{ahead::Ahead, front::FrontDesk, limits::Limits, published::Published, recording};
use crate::{
    Counters, Gauges, IssueJob, Issued, PeerCallId, PeerFailure, ProviderCore, Scan, Step, Ticket,
    store::{Store, StoreError},
};

/// Commands that may wait; beyond that a caller is told to come back. Calls of strangers hold at most a
/// cell of 4 KiB, and few messages of peers wait at one time, so this bounds the bytes too.
const QUEUE: usize = 1_024;

/// Commands handled between two flushes at most, so that nobody waits long for the others.
const AT_ONCE: usize = 512;

/// Purchases of tokens that may wait; each holds at most half a MiB, and one that runs its 64 MiB.
const PURCHASES: usize = 64;

/// Purchases looked at together, so that work for strangers never fills the machine.
const PURCHASES_AT_ONCE: usize = 2;

/// After how many seconds to come again while that many wait.
const PURCHASE_RETRY_S: u32 = 10;

type Answer<T> = oneshot::Sender<Result<T, Problem>>;

enum Command {
    Call(Box<Call>, Answer<Reply>),
    Peer(Vec<u8>, Answer<Vec<u8>>),
    Answered(PeerCallId, Result<Vec<u8>, PeerFailure>),
    Issued(Issued, Answer<Reply>),
    Count(oneshot::Sender<(Counters, Gauges)>),
    Wake,
    Stop,
}

/// What HTTP tasks share.
pub(super) struct Handle {
    behind: Behind,
    /// Opens cells.
    pub(super) cell: AgreementSecret,
    /// Reaches the other providers, for the relay.
    pub(super) client: ProviderClient,
    pub(super) federation: Arc<Federation>,
    pub(super) me: ProviderId,
    pub(super) limits: Limits,
    ahead: Option<Ahead>,
}

/// Who answers.
enum Behind {
    Engine(mpsc::Sender<Command>),
    Front(Arc<FrontDesk>),
}

/// The thread that owns the core, and the timer that wakes it.
pub(super) struct Engine {
    handle: Arc<Handle>,
    commands: mpsc::Sender<Command>,
    /// Closed when the thread has ended, in whatever way.
    running: watch::Receiver<()>,
}

/// The thread ended by itself: it panicked, or its store was lost to it.
#[derive(Debug)]
pub(super) struct EngineDied;

impl Engine {
    /// Starts the thread and the timer; `None` when the system gives no thread or no randomness.
    pub(super) fn start<S: Store + Send + 'static>(
        core: ProviderCore<S>,
        cell: AgreementSecret,
        client: ProviderClient,
        clock: Arc<dyn Clock>,
        published: Published,
    ) -> Option<Self> {
        let rng = os_rng().ok()?;
        let (commands, inbox) = mpsc::channel(QUEUE);
        let (wake, wakes) = watch::channel(clock.now());
        let (federation, me) = (Arc::clone(core.federation()), core.me());
        let ahead = Ahead::new(core.issuer(), Arc::clone(&clock), me);
        let (alive, running) = watch::channel(());
        tokio::spawn(keep_time(commands.clone(), wakes, Arc::clone(&clock)));
        let post =
            Post { runtime: runtime::Handle::try_current().ok()?, client: client.clone(), commands: commands.clone() };
        let scanners = Scanners::new(post.runtime.clone());
        let [queue, counter] = [PURCHASES, PURCHASES_AT_ONCE].map(|places| Arc::new(Semaphore::new(places)));
        let waiting = HashMap::new();
        let desk = Desk { core, rng, clock, post, scanners, wake, published, waiting, queue, counter };
        let run = move || {
            // dropped at the end, also of a panic
            let _alive = alive;
            desk.run(inbox);
        };
        thread::Builder::new().name(format!("provider {me}")).spawn(run).ok()?;
        let limits = Limits::default();
        let behind = Behind::Engine(commands.clone());
        let handle = Arc::new(Handle { behind, cell, client, federation, me, limits, ahead: Some(ahead) });
        Some(Self { handle, commands, running })
    }

    pub(super) fn handle(&self) -> Arc<Handle> {
        Arc::clone(&self.handle)
    }

    /// Completes when the thread has ended.
    pub(super) fn ended(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut running = self.running.clone();
        async move { while running.changed().await.is_ok() {} }
    }

    /// Ends the thread after what it has begun; the store is closed then.
    ///
    /// # Errors
    /// [`EngineDied`] when there was no thread to end.
    pub(super) async fn stop(self) -> Result<(), EngineDied> {
        self.commands.send(Command::Stop).await.map_err(|_| EngineDied)?;
        self.ended().await;
        Ok(())
    }
}

impl Handle {
    /// What a front's HTTP tasks share.
    pub(super) fn of_front(
        front: Arc<FrontDesk>,
        cell: AgreementSecret,
        client: ProviderClient,
        (me, federation): (ProviderId, Arc<Federation>),
    ) -> Self {
        Self { behind: Behind::Front(front), cell, client, federation, me, limits: Limits::default(), ahead: None }
    }

    pub(super) async fn call(&self, call: Call) -> Result<Reply, Problem> {
        recording::asked(&call);
        if let Some(ahead) = &self.ahead {
            ahead.of_call(&call);
        }
        let reply = match &self.behind {
            Behind::Engine(commands) => ask(commands, |answer| Command::Call(Box::new(call), answer)).await,
            Behind::Front(front) => front.call(call).await,
        };
        recording::answered(&reply);
        reply
    }

    /// The sealed answer to a cell that another process has to open; `None` for one that is answered here.
    pub(super) async fn forwarded(&self, request: &CellRequest, cell: &[u8]) -> Option<Result<Vec<u8>, Problem>> {
        match (&self.behind, request) {
            (Behind::Front(front), CellRequest::Deposit { .. }) => Some(front.deposit(cell).await),
            _ => None,
        }
    }

    /// Prepares for a message that a peer signed.
    pub(super) async fn look_ahead(&self, signed: &peer::Signed<'_>) {
        if let Some(ahead) = &self.ahead {
            ahead.of_peer(signed).await;
        }
    }

    pub(super) async fn peer(&self, bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
        match &self.behind {
            Behind::Engine(commands) => ask(commands, |answer| Command::Peer(bytes, answer)).await,
            Behind::Front(front) => front.peer(bytes).await,
        }
    }

    pub(super) async fn count(&self) -> Option<(Counters, Gauges)> {
        match &self.behind {
            Behind::Engine(commands) => {
                let (answer, counted) = oneshot::channel();
                commands.send(Command::Count(answer)).await.ok()?;
                counted.await.ok()
            }
            Behind::Front(front) => Some(front.count()),
        }
    }
}

async fn ask<T>(commands: &mpsc::Sender<Command>, command: impl FnOnce(Answer<T>) -> Command) -> Result<T, Problem> {
    let (answer, answered) = oneshot::channel();
    let full = |_| Problem::after(ProblemCode::Overloaded, 1);
    commands.try_send(command(answer)).map_err(full)?;
    // the thread drops the sender when it stops
    answered.await.unwrap_or(Err(ProblemCode::NotReady.into()))
}

/// Wakes the core when it asked to be woken.
async fn keep_time(commands: mpsc::Sender<Command>, mut wakes: watch::Receiver<Timestamp>, clock: Arc<dyn Clock>) {
    loop {
        let at = *wakes.borrow_and_update();
        tokio::select! {
            changed = wakes.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(clock.until(at)) => {
                if commands.send(Command::Wake).await.is_err() || wakes.changed().await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Takes messages to peers.
struct Post {
    runtime: runtime::Handle,
    client: ProviderClient,
    commands: mpsc::Sender<Command>,
}

/// Threads for blind reads: one fewer than there are processors, so that the engine keeps one.
struct Scanners {
    runtime: runtime::Handle,
    free: Arc<Semaphore>,
}

impl Scanners {
    fn new(runtime: runtime::Handle) -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self { runtime, free: Arc::new(Semaphore::new(processors.saturating_sub(1).max(1))) }
    }

    /// Answers when one is free; scans take their turns in the order in which they came.
    fn answer(&self, scan: Scan, answer: Answer<Reply>) {
        let free = Arc::clone(&self.free);
        self.runtime.spawn(async move {
            let _scanner = free.acquire().await;
            if !answer.is_closed() {
                let done = tokio::task::spawn_blocking(move || scan.run()).await;
                tell(answer, done.unwrap_or(Err(ProblemCode::Internal.into())));
            }
        });
    }
}

/// The core with what it needs to be driven.
struct Desk<S> {
    core: ProviderCore<S>,
    rng: StdRng,
    clock: Arc<dyn Clock>,
    post: Post,
    scanners: Scanners,
    wake: watch::Sender<Timestamp>,
    published: Published,
    waiting: HashMap<Ticket, Answer<Reply>>,
    /// A place for each purchase that waits or is looked at; given back however that ends.
    queue: Arc<Semaphore>,
    counter: Arc<Semaphore>,
}

impl<S: Store> Desk<S> {
    fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        while let Some(first) = inbox.blocking_recv() {
            let now = self.clock.now();
            let mut next = Some(first);
            let mut left = AT_ONCE;
            while let Some(command) = next {
                if matches!(command, Command::Stop) {
                    return self.finish(now);
                }
                if let Err(error) = self.take(now, command) {
                    tracing::error!(%error, "the store is lost to this process, which ends");
                    return;
                }
                left -= 1;
                next = if left == 0 { None } else { inbox.try_recv().ok() };
            }
            self.finish(now);
        }
    }

    /// Carries out one command.
    ///
    /// # Errors
    /// [`StoreError`] after which this process can do nothing more with its store.
    fn take(&mut self, now: Timestamp, command: Command) -> Result<(), StoreError> {
        match command {
            Command::Call(call, answer) => self.call(now, *call, answer),
            Command::Issued(issued, answer) => tell(answer, self.core.issued(now, issued)),
            Command::Peer(bytes, answer) => tell(answer, self.core.on_peer(now, &mut self.rng, &bytes)),
            Command::Answered(id, reply) => {
                if let Err(error) = self.core.on_reply(now, &mut self.rng, id, reply) {
                    tracing::error!(%error, "a peer's answer could not be stored");
                }
            }
            Command::Count(answer) => {
                let _unheard = answer.send((self.core.counters().clone(), self.core.gauges(now)));
            }
            Command::Wake | Command::Stop => {
                if let Err(error) = self.core.tick(now, &mut self.rng) {
                    if error.is_final() {
                        return Err(error);
                    }
                    tracing::error!(%error, "the store refuses; it is tried again");
                }
            }
        }
        Ok(())
    }

    fn call(&mut self, now: Timestamp, call: Call, answer: Answer<Reply>) {
        let place = match &call {
            Call::Tokens(_) => match Arc::clone(&self.queue).try_acquire_owned() {
                Ok(place) => Some(place),
                Err(_) => return tell(answer, Err(Problem::after(ProblemCode::Overloaded, PURCHASE_RETRY_S))),
            },
            _ => None,
        };
        match self.core.handle(now, &mut self.rng, call) {
            Step::Done(reply) => tell(answer, reply),
            Step::Staged(ticket) => drop(self.waiting.insert(ticket, answer)),
            Step::Scan(scan) => self.scanners.answer(scan, answer),
            Step::Issue(job) => self.issue(*job, place, answer),
        }
    }

    /// Lets a purchase be looked at beside the core; its end comes back as a command, and its place in the queue with it.
    fn issue(&mut self, job: IssueJob, place: Option<OwnedSemaphorePermit>, answer: Answer<Reply>) {
        let (counter, commands) = (Arc::clone(&self.counter), self.post.commands.clone());
        let mut rng = StdRng::from_rng(&mut self.rng);
        self.post.runtime.spawn(async move {
            let _places = (place, counter.acquire_owned().await);
            if let Ok(issued) = tokio::task::spawn_blocking(move || job.run(&mut rng)).await {
                let _stopping = commands.send(Command::Issued(issued, answer)).await;
            }
        });
    }

    /// Flushes once for all, sends what is to be sent, and answers who can be answered.
    fn finish(&mut self, now: Timestamp) {
        if self.core.is_worth_a_flush() {
            self.core.commit(now);
        }
        for outgoing in self.core.take_outgoing(now, &mut self.rng) {
            let (client, commands) = (self.post.client.clone(), self.post.commands.clone());
            self.post.runtime.spawn(async move {
                let answer = client.peer(outgoing.to, outgoing.body).await.map_err(|_| PeerFailure);
                let _stopping = commands.send(Command::Answered(outgoing.id, answer)).await;
            });
        }
        for (ticket, reply) in self.core.take_settled() {
            if let Some(answer) = self.waiting.remove(&ticket) {
                tell(answer, Ok(Reply::Cell(reply)));
            }
        }
        self.published.keep_up(&self.core);
        self.wake.send_replace(self.core.next_wake(now));
    }
}

/// A caller that went away needs no answer.
fn tell<T>(answer: Answer<T>, reply: Result<T, Problem>) {
    let _unheard = answer.send(reply);
}
