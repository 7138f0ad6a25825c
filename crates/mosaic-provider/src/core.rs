//! The provider as a state machine without sockets, files or clocks: an input, an instant and randomness
//! in, answers and messages for peers out.
//!
//! An acknowledged deposit is durable here and at one peer. The order that guarantees it: decide in
//! memory, [`ProviderCore::commit`] (one flush for everybody who waits), replicate, sign. Whatever is
//! signed (heads, transcripts) is stored before it is shown. So a kill at any instant loses nothing
//! that anybody was told.

mod ceremonies;
mod counting;
mod deposit;
mod exchange;
mod front;
mod issuing;
mod past;
mod periods;
mod reading;
mod recovery;
mod retiring;
mod scanning;
mod sealing;
mod segments;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mosaic_federation::{
    Federation, Issuer, Issuers, NotAdmitted, Quota, TableState, day,
    peer::{PeerRequest, ReplayGuard},
    retires_at,
};
use mosaic_types::{Period, ProviderId, Timestamp};
use mosaic_wire::{Call, CellReply, CellRequest, EvaluateFields, Problem, ProblemCode, Reply, TokenPurpose, WireToken};
use rand::CryptoRng;
use thiserror::Error;

use crate::{
    Counters, Gauges, Policy, ProviderKeys,
    core::{
        counting::Counting, deposit::Staging, exchange::Outbox, issuing::Issuing, periods::PeriodState,
        scanning::CutTables, segments::Pending,
    },
    layout,
    spent::{Spend, Spending, SpentTokens},
    store::{Bucket, Change, Store, StoreError},
};

pub use exchange::{Outgoing, PeerCallId, PeerFailure};
pub(crate) use front::Block;
pub use front::{FrontCore, Paying, ScanToCome};
pub use issuing::{IssueJob, Issued};
pub use scanning::Scan;

/// A deposit whose answer comes later, from [`ProviderCore::take_settled`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// The answer to a call, or the promise of one.
#[expect(clippy::large_enum_variant, reason = "lives on the stack of one call")]
pub enum Step {
    /// Answered. Refusals of sealed requests are inside [`Reply::Cell`].
    Done(Result<Reply, Problem>),
    /// Staged: call [`ProviderCore::commit`], exchange messages, then look at what has settled.
    Staged(Ticket),
    /// Long work that needs the core no more: [`Scan::run`] gives the answer.
    Scan(Scan),
    /// Paid for, it seems: run the job where nothing waits for it, then call [`ProviderCore::issued`].
    Issue(Box<IssueJob>),
}

/// Why a provider did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The federation does not name this provider, or with other keys.
    #[error("the federation does not name this provider with these keys")]
    NotAMember,
    /// The store failed.
    #[error("the store cannot be opened")]
    Store(#[from] StoreError),
}

/// One provider of a federation.
pub struct ProviderCore<S> {
    keys: ProviderKeys,
    federation: Arc<Federation>,
    policy: Policy,
    store: S,
    issuing: Issuing,
    evaluations: Quota,
    spent: SpentTokens,
    /// Changes that may wait for the next flush.
    lazy: Vec<Change>,
    periods: BTreeMap<Period, PeriodState>,
    retired: BTreeMap<Period, TableState>,
    staging: Staging,
    pending: Pending,
    guard: ReplayGuard,
    cut_tables: CutTables,
    counting: Counting,
    outbox: Outbox,
    next_sync: Timestamp,
    /// When the store is to be tidied further; `None` when nothing was left to do.
    untidy: Option<Timestamp>,
    rest: Rest,
    counters: Counters,
}

/// After the store refused: nothing is tried before `until`, and the longer the more often it refused.
struct Rest {
    until: Timestamp,
    refusals: u32,
}

impl Rest {
    const LONGEST: Duration = Duration::from_secs(5);
    const NONE: Self = Self { until: Timestamp::from_millis(0), refusals: 0 };

    fn note<T>(&mut self, now: Timestamp, done: &Result<T, StoreError>) {
        if done.is_ok() {
            *self = Self::NONE;
        } else if now >= self.until {
            self.refusals = self.refusals.saturating_add(1);
            self.until = now.after(Duration::from_secs(self.refusals.into()).min(Self::LONGEST));
        }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now >= self.until
    }
}

impl<S: Store> ProviderCore<S> {
    /// Starts, or goes on where the store left off.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(
        keys: ProviderKeys,
        federation: Arc<Federation>,
        store: S,
        policy: Policy,
        now: Timestamp,
    ) -> Result<Self, OpenError> {
        if !is_member(&keys, &federation) {
            return Err(OpenError::NotAMember);
        }
        let issuers = Issuers::of(federation.descriptor());
        let issuer = Issuer::new(&keys.token_seed(), keys.me, issuers).ok_or(OpenError::NotAMember)?;
        let peers = federation.descriptor().peers_of(keys.me);
        let mut core = Self {
            issuing: Issuing::new(issuer, policy.price.clone()),
            evaluations: Quota::new(policy.evaluations_per_hour),
            spent: SpentTokens::default(),
            lazy: Vec::new(),
            periods: BTreeMap::new(),
            retired: BTreeMap::new(),
            staging: Staging::default(),
            pending: Pending::default(),
            guard: ReplayGuard::default(),
            cut_tables: CutTables::default(),
            counting: Counting::default(),
            outbox: Outbox::new(peers),
            next_sync: now,
            untidy: None,
            rest: Rest::NONE,
            counters: Counters::default(),
            keys,
            federation,
            policy,
            store,
        };
        core.recover()?;
        core.recover_counts()?;
        Ok(core)
    }

    /// Checks tokens beforehand, on whatever thread ([`Issuer::look_ahead`]).
    pub(crate) fn issuer(&self) -> Arc<Issuer> {
        Arc::clone(&self.issuing.issuer)
    }

    /// Answers one call. A deposit is only staged: whoever drives this collects a few, then commits.
    pub fn handle(&mut self, now: Timestamp, rng: &mut dyn CryptoRng, call: Call) -> Step {
        let answer = match call {
            Call::Cell(CellRequest::Deposit { token, event }) => match self.stage(now, &token, &event) {
                Ok(deposit::Stage::Waiting(ticket)) => return Step::Staged(ticket),
                Ok(deposit::Stage::Known(receipt)) => Ok(Reply::Cell(CellReply::Receipt(*receipt))),
                Err(problem) => Ok(Reply::Cell(CellReply::Problem(problem))),
            },
            Call::Cell(CellRequest::Evaluate { token, query }) => {
                Ok(Reply::Cell(self.evaluate(now, rng, &token, &query).unwrap_or_else(CellReply::Problem)))
            }
            Call::Cell(CellRequest::Report { token, share }) => {
                let taken = self.take_report(now, &token, &share);
                Ok(Reply::Cell(taken.map_or_else(CellReply::Problem, |()| CellReply::Taken)))
            }
            Call::Federation => Ok(Reply::Federation(self.federation.document().to_json().into_bytes())),
            Call::Table(period) => self.table(now, period).map(Reply::Table),
            Call::Time => Ok(Reply::Time(self.keys.time(now))),
            Call::Terms => Ok(Reply::Terms(self.terms(now))),
            Call::Tokens(query) => match self.sell(now, query) {
                Ok(job) => return Step::Issue(Box::new(job)),
                Err(problem) => Err(problem),
            },
            Call::Heads(query) => self.heads(now, &query).map(Reply::Heads),
            Call::Generations(query) => self.generations(now, &query).map(Reply::Generations),
            Call::Stack(query) => return self.stack(now, query),
            Call::Statements => Ok(Reply::Statements(self.statements())),
        };
        match &answer {
            Err(problem) | Ok(Reply::Cell(CellReply::Problem(problem))) => self.counters.refuse(problem.code),
            Ok(_) => {}
        }
        Step::Done(answer)
    }

    fn evaluate(
        &mut self,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
        token: &WireToken,
        query: &[u8; EvaluateFields::SIZE],
    ) -> Result<CellReply, Problem> {
        if self.policy.fronts {
            // what fronts know to be spent is not known here
            return Err(ProblemCode::NotReady.into());
        }
        let fields = EvaluateFields::decode(query).map_err(|_| Problem::from(ProblemCode::Malformed))?;
        if fields.tile != self.federation.descriptor().tile.id {
            return Err(ProblemCode::UnknownTable.into());
        }
        let bought = front::evaluation_digest(query);
        self.check_token(now, token, TokenPurpose::Evaluate, &bought)?;
        self.live(now, fields.period)?.share().ok_or(ProblemCode::NotReady)?;
        // paid before it is computed, whatever the points are: computing is what strangers would abuse
        self.evaluations.take(now, 1).map_err(not_admitted)?;
        let spend = self.spend(now, token, bought);
        // a crash before the next flush forgets this spending: one batch more, and no deposit waits for it
        self.lazy.extend(spend);
        let share = self.live(now, fields.period)?.share().ok_or(ProblemCode::NotReady)?;
        let evaluation = share.evaluate(&fields.points, rng).map_err(|_| Problem::from(ProblemCode::Malformed))?;
        let points = evaluation.points.try_into().map_err(|_| Problem::from(ProblemCode::Internal))?;
        self.counters.evaluations += 1;
        Ok(CellReply::Evaluation { points, proof: evaluation.proof })
    }

    /// Whether `token` pays here for `purpose`, and was not spent on anything but `bought`.
    fn check_token(
        &self,
        now: Timestamp,
        token: &WireToken,
        purpose: TokenPurpose,
        bought: &[u8; 32],
    ) -> Result<(), Problem> {
        self.issuing.issuer.check(now, token, purpose, self.keys.me).map_err(not_admitted)?;
        if self.is_spent_otherwise(token, bought) { Err(ProblemCode::TokenSpent.into()) } else { Ok(()) }
    }

    fn is_spent_otherwise(&self, token: &WireToken, bought: &[u8; 32]) -> bool {
        self.spent.bought(&token.spend_id()).is_some_and(|before| before != bought)
    }

    /// Spends `token` on `bought`; the change to store, unless it was spent before.
    fn spend(&mut self, now: Timestamp, token: &WireToken, bought: [u8; 32]) -> Option<Change> {
        let spend = Spend { id: token.spend_id(), bought, at: now };
        if self.spent.spend(&spend) != Spending::First {
            return None;
        }
        self.counters.tokens_spent += 1;
        Some(Change::Put(Bucket::Spent, layout::spent(day(now), &spend.id), bought.to_vec()))
    }

    /// A token is good for its hour and a little more; what was spent before yesterday is forgotten.
    fn forget_spent(&mut self, now: Timestamp) {
        for old in self.spent.forget_before(day(now).saturating_sub(1)) {
            self.lazy.push(Change::RemovePrefix(Bucket::Spent, old.to_be_bytes().to_vec()));
        }
    }

    /// Does what time asks for: seals, makes keys, retires, compares with peers, and takes one step of tidying.
    ///
    /// # Errors
    /// [`StoreError`]; what could not be stored is tried again at a tick after one to five seconds.
    pub fn tick(&mut self, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<(), StoreError> {
        if !self.rest.is_over(now) {
            return Ok(());
        }
        self.commit(now);
        let done = self.take_turn(now, rng);
        self.rest.note(now, &done);
        done?;
        self.tidy(now)
    }

    /// One step, last of all and without a rest after a failure: nobody's deposit depends on it.
    fn tidy(&mut self, now: Timestamp) -> Result<(), StoreError> {
        const RETRY: Duration = Duration::from_mins(1);
        if self.untidy.is_some_and(|at| now < at) {
            return Ok(());
        }
        let stepped = self.store.tidy();
        self.untidy = match stepped {
            Ok(true) => Some(now),
            Ok(false) => None,
            Err(_) => Some(now.after(RETRY)),
        };
        stepped.map(drop)
    }

    fn take_turn(&mut self, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<(), StoreError> {
        self.retire(now)?;
        self.advance_ceremonies(now, rng)?;
        self.settle_past(now)?;
        self.seal_due(now)?;
        self.forget_spent(now);
        let sync = now >= self.next_sync;
        if sync {
            self.next_sync = now.after(self.policy.sync);
            self.sync(now);
        }
        self.count(now, sync, rng)?;
        if !self.lazy.is_empty() {
            self.store.commit(&self.lazy)?;
            self.lazy.clear();
        }
        Ok(())
    }

    /// When [`Self::tick`] has something to do at the latest. While the store refuses, not before it is
    /// to be tried again.
    pub fn next_wake(&self, now: Timestamp) -> Timestamp {
        let times = self.seal_times().chain(self.ceremony_times()).chain(self.past_times());
        let due = times.chain([self.next_sync, now.period().end()]).chain(self.untidy).min();
        due.unwrap_or(self.next_sync).max(now.after(Duration::from_millis(1))).max(self.rest.until)
    }

    /// What was counted since the start.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What stands now.
    pub fn gauges(&self, now: Timestamp) -> Gauges {
        Gauges {
            peers_up: self.outbox.peers_up(),
            tables: 2 * self.periods.values().filter(|period| period.table().is_some()).count(),
            waiting: self.staging.waiting(),
            disk_bytes: self.store.bytes(),
            statements: self.counting.statements(),
            statement_reports: self.counting.newest_reports(),
            ready: self.periods.get(&now.period()).is_some_and(|period| period.share().is_some()),
            token_work: self.issuing.work().into(),
            clock_seconds: now.as_secs(),
        }
    }

    /// This provider's number.
    pub const fn me(&self) -> ProviderId {
        self.keys.me
    }

    /// The federation it belongs to.
    pub const fn federation(&self) -> &Arc<Federation> {
        &self.federation
    }

    /// Gives the store back, as a crash leaves it: nothing is flushed.
    pub fn into_store(self) -> S {
        self.store
    }

    /// The store, to look at.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The state of a period that is served, or why it is not.
    fn live(&self, now: Timestamp, period: Period) -> Result<&PeriodState, Problem> {
        if self.is_gone(now, period) {
            return Err(ProblemCode::Gone.into());
        }
        self.periods.get(&period).ok_or_else(|| ProblemCode::UnknownTable.into())
    }

    fn is_gone(&self, now: Timestamp, period: Period) -> bool {
        self.retired.contains_key(&period) || now >= retires_at(period)
    }

    /// Queues the same request for every peer.
    fn tell_all(&mut self, request: &PeerRequest) {
        for peer in self.outbox.peers() {
            self.outbox.ask(peer, request.clone(), exchange::Purpose::Tell);
        }
    }
}

fn not_admitted(refusal: NotAdmitted) -> Problem {
    match refusal {
        NotAdmitted::Quota { retry_after } => {
            Problem::after(ProblemCode::Quota, u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX))
        }
        _ => ProblemCode::TokenInvalid.into(),
    }
}

fn is_member(keys: &ProviderKeys, federation: &Federation) -> bool {
    federation.descriptor().provider(keys.me).is_some_and(|entry| {
        entry.signing_key == keys.signing.verifying_key().to_bytes()
            && entry.cell_key == keys.cell.public().to_bytes()
            && entry.ceremony_key == keys.ceremony.public().to_bytes()
            && entry.token_key == keys.token_key()
    })
}
