use std::collections::{BTreeMap, BTreeSet, HashMap};

use mosaic_federation::{
    Deposits, Verdict,
    peer::{PeerReply, PeerRequest, ReplicaDeposit},
    records_of, takes_deposits,
};
use mosaic_types::{Period, ProviderId, SegmentId, TableId, Timestamp};
use mosaic_wire::{
    CellReply, EVENT, EventFields, Problem, ProblemCode, Receipt, Record, SLOTS, TokenPurpose, WireToken, event_hash,
};

use super::{ProviderCore, Ticket, exchange::Purpose};
use crate::{
    layout,
    store::{Bucket, Change, Store, StoreError},
};

/// After how many seconds a client tries again that met no replica.
const NO_REPLICA_RETRY_S: u32 = 5;

/// After how many seconds a client tries again whose deposit met a store without capacity.
const BUSY_RETRY_S: u32 = 2;

/// Batches on their way to a replica beside which no further one is begun while few deposits wait: each costs a flush here, a flush
/// there and two signatures, whatever is in it.
const BATCHES: usize = 2;

/// Deposits that wait at most before a batch is begun regardless.
const ENOUGH: usize = 256;

/// What became of an offered event.
pub(super) enum Stage {
    /// It waits for the flush and a replica.
    Waiting(Ticket),
    /// It is durable at two providers already: the same receipt again.
    Known(Box<Receipt>),
}

/// Deposits on their way to an acknowledgement.
#[derive(Default)]
pub(super) struct Staging {
    next: u64,
    staged: Vec<Staged>,
    replicating: usize,
    batches: usize,
    replicas: BTreeMap<Period, HashMap<[u8; 32], ProviderId>>,
    /// Records kept for others, by table and origin.
    held: BTreeMap<(TableId, ProviderId), u64>,
    settled: Vec<(Ticket, CellReply)>,
}

struct Staged {
    waiting: Waiting,
    fields: EventFields,
    verdict: Verdict,
    /// Decided in this batch: the records are not stored yet.
    fresh: bool,
    token: Box<WireToken>,
    spend: Option<Change>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    ticket: Ticket,
    table: TableId,
    event: [u8; 32],
}

/// Deposits that wait for one replica.
#[derive(Debug)]
pub(super) struct Batch {
    request: PeerRequest,
    waiting: Vec<Waiting>,
    /// Whom to ask if this peer fails.
    others: Vec<ProviderId>,
    /// Whether a peer would not take their tokens.
    doubted: bool,
}

impl Staging {
    pub(super) fn waiting(&self) -> usize {
        self.staged.len() + self.replicating
    }

    pub(super) fn forget(&mut self, period: Period) {
        self.replicas.remove(&period);
        self.held.retain(|(table, _), _| table.period() != period);
    }

    fn replica(&self, table: TableId, event: &[u8; 32]) -> Option<ProviderId> {
        self.replicas.get(&table.period())?.get(event).copied()
    }

    fn settle(&mut self, ticket: Ticket, reply: CellReply) {
        self.settled.push((ticket, reply));
    }
}

impl<S: Store> ProviderCore<S> {
    /// Checks an event and decides about every slot. Size, table, descriptor, distinct rows and token:
    /// nothing else is knowable (DESIGN section 6).
    pub(super) fn stage(&mut self, now: Timestamp, token: &WireToken, bytes: &[u8; EVENT]) -> Result<Stage, Problem> {
        if !self.rest.is_over(now) {
            // a flush that is known to fail would only keep the store from recovering
            return Err(ProblemCode::StorageFull.into());
        }
        let fields = EventFields::decode(bytes).map_err(|_| Problem::from(ProblemCode::Malformed))?;
        let event = event_hash(bytes);
        self.check_event(now, &fields)?;
        self.check_token(now, token, TokenPurpose::Deposit, &event)?;
        let (table, me) = (fields.table, self.keys.me);
        let period = self.periods.get_mut(&table.period()).ok_or(ProblemCode::NotReady)?;
        let open = period.open_table_mut(table.lane()).ok_or(ProblemCode::NotReady)?;
        if open.verdict(&event).is_none() && open.segment(fields.stream).is_full() {
            return Err(Problem::after(ProblemCode::Overloaded, 1));
        }
        let admitted = open.admit(now, &fields, event);
        let verdict = admitted.verdict();
        let fresh = matches!(admitted, mosaic_federation::Admitted::Fresh(_));
        if let Some(replica) = self.staging.replica(table, &event).filter(|_| !fresh) {
            let receipt = verdict.receipt(table, me, replica, event, &self.keys.signing);
            return Ok(Stage::Known(Box::new(receipt)));
        }
        let ticket = Ticket(self.staging.next);
        self.staging.next += 1;
        let spend = self.spend(now, token, event);
        let waiting = Waiting { ticket, table, event };
        let token = Box::new(token.clone());
        self.staging.staged.push(Staged { waiting, fields, verdict, fresh, token, spend });
        Ok(Stage::Waiting(ticket))
    }

    fn check_event(&self, now: Timestamp, fields: &EventFields) -> Result<(), Problem> {
        let period = fields.table.period();
        if fields.tile != self.federation.descriptor().tile.id {
            return Err(ProblemCode::UnknownTable.into());
        }
        match takes_deposits(period, now) {
            Deposits::TooEarly => return Err(ProblemCode::Skew.into()),
            Deposits::Closed if self.is_gone(now, period) => return Err(ProblemCode::Gone.into()),
            Deposits::Closed => return Err(ProblemCode::StaleTable.into()),
            Deposits::Taken => {}
        }
        let state = self.periods.get(&period).ok_or(ProblemCode::NotReady)?;
        let table = state.table().ok_or(ProblemCode::NotReady)?.dangerously_unverified();
        if state.hash() != Some(fields.descriptor) {
            return Err(ProblemCode::WrongDescriptor.into());
        }
        let rows = table.lane(fields.table.lane()).rows;
        if fields.rows.iter().any(|tag| tag.row() >= rows) {
            return Err(ProblemCode::Malformed.into());
        }
        if state.past.is_settled() { Ok(()) } else { Err(ProblemCode::NotReady.into()) }
    }

    /// Whether what is staged should be flushed now. Not while others are on their way, unless many wait: what comes until
    /// an answer is here shares the next flush. A driver that has nothing else to do may commit regardless.
    pub fn is_worth_a_flush(&self) -> bool {
        self.staging.batches < BATCHES || self.staging.staged.len() >= ENOUGH
    }

    /// Makes everything that is staged durable with one flush and asks a peer to keep a copy. If the
    /// store fails, everything staged is refused and nothing of it stays.
    pub fn commit(&mut self, now: Timestamp) {
        if self.staging.staged.is_empty() {
            return;
        }
        let mut staged = std::mem::take(&mut self.staging.staged);
        let changes = self.changes_of(&mut staged);
        let done = self.store.commit(&changes);
        self.rest.note(now, &done);
        if let Err(error) = done {
            self.refuse_all(&staged, &error);
            return;
        }
        self.lazy.clear();
        let deposits = staged.iter().map(|staged| ReplicaDeposit {
            table: staged.waiting.table,
            event: staged.waiting.event,
            verdict: staged.verdict,
            records: layout::pack(&records_of(&staged.fields, staged.verdict.accepted)),
            token: staged.token.encode().to_vec(),
        });
        let request = PeerRequest::Replicate(deposits.collect());
        let waiting: Vec<Waiting> = staged.iter().map(|staged| staged.waiting).collect();
        self.staging.replicating += waiting.len();
        let others = self.outbox.by_health(now, self.policy.avoid);
        self.staging.batches += 1;
        self.replicate(Batch { request, waiting, others, doubted: false });
    }

    fn changes_of(&self, staged: &mut [Staged]) -> Vec<Change> {
        let mut changes = self.lazy.clone();
        for staged in staged {
            changes.extend(staged.spend.take());
            if !staged.fresh {
                continue;
            }
            let (Waiting { table, event, .. }, verdict) = (staged.waiting, &staged.verdict);
            // a verdict is plain numbers, which always serialise
            let answer = postcard::to_allocvec(verdict).unwrap_or_default();
            changes.push(Change::Put(Bucket::Verdicts, layout::verdict(table, &event), answer));
            if verdict.accepted != 0 {
                let key = layout::within(layout::open(table, verdict.stream, verdict.generation), &event);
                let records = layout::pack(&records_of(&staged.fields, verdict.accepted));
                changes.push(Change::Put(Bucket::Open, key, records));
            }
        }
        changes
    }

    fn refuse_all(&mut self, staged: &[Staged], error: &StoreError) {
        let problem = refusal(error);
        for staged in staged.iter().rev() {
            let Waiting { ticket, table, event } = staged.waiting;
            if staged.fresh
                && let Some(open) =
                    self.periods.get_mut(&table.period()).and_then(|period| period.open_table_mut(table.lane()))
            {
                open.revoke(event, &staged.fields);
                self.spent.revoke(&staged.token.spend_id());
            }
            self.counters.refuse(problem.code);
            self.staging.settle(ticket, CellReply::Problem(problem));
        }
    }

    fn replicate(&mut self, mut batch: Batch) {
        if batch.others.is_empty() {
            self.staging.batches -= 1;
            self.staging.replicating -= batch.waiting.len();
            // a token that no second provider issued is one that this provider alone could have made
            let problem = if batch.doubted {
                ProblemCode::TokenInvalid.into()
            } else {
                Problem::after(ProblemCode::NoReplica, NO_REPLICA_RETRY_S)
            };
            for waiting in batch.waiting {
                self.counters.refuse(problem.code);
                self.staging.settle(waiting.ticket, CellReply::Problem(problem));
            }
            return;
        }
        let peer = batch.others.remove(0);
        let request = batch.request.clone();
        self.outbox.ask(peer, request, Purpose::Replicate(batch));
    }

    /// A peer answered about a batch: sign the receipts, or ask the next peer.
    pub(super) fn replicated(&mut self, peer: ProviderId, mut batch: Batch, kept: &Kept) {
        match kept {
            Kept::Yes => {}
            Kept::No => return self.replicate(batch),
            Kept::But(refused) => {
                if let Some(rest) = batch.split_off(refused) {
                    self.staging.batches += 1;
                    self.replicate(rest);
                }
            }
        }
        self.staging.batches -= 1;
        self.staging.replicating -= batch.waiting.len();
        for Waiting { ticket, table, event } in batch.waiting {
            let verdict = self
                .periods
                .get(&table.period())
                .and_then(|period| period.open_table(table.lane()))
                .and_then(|open| open.verdict(&event));
            let Some(verdict) = verdict else {
                self.staging.settle(ticket, CellReply::Problem(ProblemCode::Gone.into()));
                continue;
            };
            self.staging.replicas.entry(table.period()).or_default().insert(event, peer);
            self.counters.deposits_acknowledged += 1;
            self.counters.records_accepted += u64::from(verdict.accepted.count_ones());
            self.counters.records_full += u64::from(verdict.full.count_ones());
            let receipt = verdict.receipt(table, self.keys.me, peer, event, &self.keys.signing);
            self.staging.settle(ticket, CellReply::Receipt(receipt));
        }
    }

    /// Answers that are ready, each for one staged deposit.
    pub fn take_settled(&mut self) -> Vec<(Ticket, CellReply)> {
        std::mem::take(&mut self.staging.settled)
    }

    /// Keeps copies for another origin, durably: never more than its tables have room for.
    pub(super) fn keep_replicas(
        &mut self,
        now: Timestamp,
        origin: ProviderId,
        deposits: &[ReplicaDeposit],
    ) -> Result<PeerReply, StoreError> {
        if !self.rest.is_over(now) {
            return Ok(PeerReply::Refused);
        }
        let mut changes = Vec::with_capacity(deposits.len());
        let mut added: BTreeMap<TableId, u64> = BTreeMap::new();
        let (mut keys, mut refused) = (BTreeSet::new(), Vec::new());
        let mut paid: HashMap<[u8; 32], (WireToken, [u8; 32])> = HashMap::new();
        for (place, deposit) in (0..).zip(deposits) {
            let token = WireToken::decode(&deposit.token).ok().filter(|token| {
                let spent = paid.get(&token.spend_id()).is_some_and(|(_, event)| *event != deposit.event);
                !spent && self.is_paid_elsewhere(now, origin, token, &deposit.event)
            });
            let Some(token) = token else {
                refused.push(place);
                continue;
            };
            paid.insert(token.spend_id(), (token, deposit.event));
            let (table, period) = (deposit.table, deposit.table.period());
            let alive = !self.is_gone(now, period) && takes_deposits(period, now) != Deposits::TooEarly;
            let rows = self.federation.descriptor().shape(table.lane()).rows;
            let records = layout::unpack(&deposit.records)
                .filter(|records| records.len() <= SLOTS && records.iter().all(|record| record.row < rows));
            let Some(records) = records.filter(|_| alive) else { return Ok(PeerReply::Refused) };
            let segment = SegmentId { table, origin, stream: deposit.verdict.stream };
            let sealed = self.chain(segment).is_some_and(|chain| chain.count() > deposit.verdict.generation);
            let key = layout::within(layout::generation(segment, deposit.verdict.generation), &deposit.event);
            // an event that comes again, as retries do, takes no more room
            if !sealed && keys.insert(key.clone()) && self.store.get(Bucket::Replicas, &key)?.is_none() {
                *added.entry(table).or_default() += records.len() as u64;
                changes.push(Change::Put(Bucket::Replicas, key, deposit.records.clone()));
            }
        }
        for (table, count) in &added {
            if self.held_for(*table, origin)?.saturating_add(*count) > self.room_of(*table) {
                return Ok(PeerReply::Refused);
            }
        }
        let spends = paid.iter().map(|(id, (_, event))| {
            Change::Put(Bucket::Spent, layout::spent(mosaic_federation::day(now), id), event.to_vec())
        });
        changes.extend(spends);
        let done = self.store.commit(&changes);
        self.rest.note(now, &done);
        done?;
        for (token, event) in paid.into_values() {
            let _stored_above = self.spend(now, &token, event);
        }
        for (table, count) in added {
            *self.staging.held.entry((table, origin)).or_default() += count;
        }
        Ok(if refused.is_empty() { PeerReply::Done } else { PeerReply::Partly(refused) })
    }

    /// Whether the token of a deposit at `origin` is one that this provider issued a part of, and was not spent there on
    /// anything else: an origin that mints for itself, or takes a token twice, finds no replica.
    fn is_paid_elsewhere(&self, now: Timestamp, origin: ProviderId, token: &WireToken, event: &[u8; 32]) -> bool {
        let issued = self.issuing.issuer.check(now, token, TokenPurpose::Deposit, origin);
        issued.is_ok() && !self.is_spent_otherwise(token, event)
    }

    /// Records that one origin can have in a table.
    fn room_of(&self, table: TableId) -> u64 {
        let shape = self.federation.descriptor().shape(table.lane());
        u64::from(shape.rows) * u64::from(shape.capacity)
    }

    /// Records kept for `origin` in a table, sealed ones included; counted once after a start.
    fn held_for(&mut self, table: TableId, origin: ProviderId) -> Result<u64, StoreError> {
        if let Some(held) = self.staging.held.get(&(table, origin)) {
            return Ok(*held);
        }
        let mut held = 0;
        for segment in layout::segments(table, std::iter::once(origin)) {
            let sealed = self.chain(segment).map_or(&[][..], |chain| chain.since(0));
            held += sealed.iter().map(|head| u64::from(head.count)).sum::<u64>();
            for (_, records) in self.store.scan(Bucket::Replicas, &layout::segment(segment))? {
                held += (records.len() / Record::SIZE) as u64;
            }
        }
        self.staging.held.insert((table, origin), held);
        Ok(held)
    }
}

impl Batch {
    /// Takes out the deposits at `places`, to ask the next peer about them; `None` when there is none.
    fn split_off(&mut self, places: &[u16]) -> Option<Self> {
        let PeerRequest::Replicate(deposits) = &mut self.request else { return None };
        let places: BTreeSet<usize> = places.iter().map(|place| usize::from(*place)).collect();
        let all = std::mem::take(deposits).into_iter().zip(std::mem::take(&mut self.waiting));
        let (mut asked, mut waiting) = (Vec::new(), Vec::new());
        for (place, (deposit, waits)) in all.enumerate() {
            if places.contains(&place) {
                asked.push(deposit);
                waiting.push(waits);
            } else {
                self.waiting.push(waits);
            }
        }
        let (request, others) = (PeerRequest::Replicate(asked), self.others.clone());
        (!waiting.is_empty()).then_some(Self { request, waiting, others, doubted: true })
    }
}

/// Whether a peer keeps a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// Durably.
    Yes,
    /// Durably, but for these, whose tokens it does not take.
    But(Vec<u16>),
    /// It refused, failed or did not answer.
    No,
}

/// What a client is told whose message the store did not take.
pub(super) fn refusal(error: &StoreError) -> Problem {
    match error {
        StoreError::Full => ProblemCode::StorageFull.into(),
        StoreError::Busy => Problem::after(ProblemCode::Overloaded, BUSY_RETRY_S),
        _ => ProblemCode::Internal.into(),
    }
}
