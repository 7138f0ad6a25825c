//! What a front knows (`docs/adr/0021-fronts-answer-and-one-writer-signs.md`): the tables that are served, their shares and
//! their sealed generations, read from the store of a provider whose writer is another process. Without sockets, files or
//! clocks; what it wants to be read it names, and what was read is handed to it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use mosaic_crypto::{aead, oprf::KeyShare};
use mosaic_federation::{
    CeremonyRecord, Federation, HeadChain, Issuer, Issuers, Quota, TableCeremony, TableState, retires_at,
};
use mosaic_types::{Period, SegmentId, Timestamp};
use mosaic_wire::{
    Call, CellReply, EvaluateFields, GenerationBlock, GenerationId, GenerationsQuery, GenerationsReply, Head,
    HeadsQuery, HeadsReply, Problem, ProblemCode, Record, Reply, SignedTable, StackQuery, TokenPurpose, WireToken,
};
use rand::CryptoRng;

use super::{
    OpenError, Scan, is_member, not_admitted,
    reading::{all_gone, heads_after},
    retiring::state_of,
    scanning::{CutTables, Slot},
};
use crate::{
    Counters, Gauges, Policy, ProviderKeys, layout,
    spent::{Spend, Spending, SpentError},
    store::Entry,
};

/// Bytes of sealed generations that are kept for the next who ask.
const KEPT_BYTES: usize = 256 << 20;

/// How long after a period its segments may still grow: deposits are taken for ten minutes, sealed within ten more and
/// copied soon after.
const GROWS: Duration = Duration::from_mins(30);

/// Time between two looks at segments that hardly ever grow: those of an origin that was away.
const SELDOM: Duration = Duration::from_mins(1);

/// After how many seconds to come again while nobody can say whether a token is spent.
const SPENT_RETRY_S: u32 = 2;

/// The encoded bytes of a sealed generation.
pub(crate) type Block = Arc<Vec<u8>>;

/// One front of a provider.
pub struct FrontCore {
    keys: ProviderKeys,
    federation: Arc<Federation>,
    issuer: Issuer,
    evaluations: Quota,
    periods: BTreeMap<Period, Shown>,
    retired: BTreeSet<Period>,
    cut_tables: CutTables,
    blocks: Blocks,
    counters: Counters,
}

/// A finished table, as far as it was read.
struct Shown {
    table: SignedTable,
    share: Option<Arc<KeyShare>>,
    chains: BTreeMap<SegmentId, HeadChain>,
    next_look: Timestamp,
}

impl Shown {
    /// Whether its share is missing, and may be here by now.
    fn is_looked_for(&self, now: Timestamp) -> bool {
        self.share.is_none() && now >= self.next_look
    }
}

/// An evaluation that waits for its token to be spent.
pub struct Paying {
    spend: Spend,
    share: Arc<KeyShare>,
    fields: EvaluateFields,
}

/// A look whose generations are still to be read where nobody cut their table before.
pub struct ScanToCome {
    rows: u32,
    slot: Slot,
    wanted: Vec<GenerationId>,
}

impl FrontCore {
    /// A front that knows nothing yet.
    ///
    /// # Errors
    /// [`OpenError::NotAMember`].
    pub fn new(keys: ProviderKeys, federation: Arc<Federation>, policy: &Policy) -> Result<Self, OpenError> {
        if !is_member(&keys, &federation) {
            return Err(OpenError::NotAMember);
        }
        let issuers = Issuers::of(federation.descriptor());
        let issuer = Issuer::new(&keys.token_seed(), keys.me, issuers).ok_or(OpenError::NotAMember)?;
        Ok(Self {
            keys,
            federation,
            issuer,
            evaluations: Quota::new(policy.evaluations_per_hour),
            periods: BTreeMap::new(),
            retired: BTreeSet::new(),
            cut_tables: CutTables::default(),
            blocks: Blocks::default(),
            counters: Counters::default(),
        })
    }

    /// Takes all of [`Bucket::Tables`](crate::store::Bucket::Tables): forgets what is retired, and names the periods whose
    /// ceremonies are to be read.
    pub fn take_tables(&mut self, now: Timestamp, tables: &[Entry]) -> Vec<Period> {
        let period_of = |key: &[u8]| Some(Period(u32::from_be_bytes(key.try_into().ok()?)));
        let mut wanted = Vec::new();
        for (period, value) in tables.iter().filter_map(|(key, value)| Some((period_of(key)?, value))) {
            if state_of(value) != TableState::Live || now >= retires_at(period) {
                self.retired.insert(period);
            } else if self.periods.get(&period).is_none_or(|shown| shown.is_looked_for(now)) {
                wanted.push(period);
            }
        }
        self.forget_retired(now);
        wanted
    }

    fn forget_retired(&mut self, now: Timestamp) {
        let gone = |period: &Period| self.retired.contains(period) || now >= retires_at(*period);
        self.cut_tables.forget(|stack| gone(&stack.table().period()));
        self.blocks.forget(|id| gone(&id.segment.table.period()));
        self.periods.retain(|period, _| !gone(period));
    }

    /// Takes a period's own key, as long as it is not destroyed, and its stored ceremony. One that is not finished is
    /// asked for again.
    pub fn take_ceremony(&mut self, period: Period, own: Option<&[u8; 32]>, sealed: Option<&[u8]>) {
        let (Some(own), Some(sealed)) = (own, sealed) else { return };
        let opened = aead::open(&self.keys.share_key(period, own), &layout::period(period), sealed).ok();
        let Some(record) = opened.and_then(|bytes| postcard::from_bytes::<CeremonyRecord>(&bytes).ok()) else {
            tracing::error!(period = period.0, "a stored ceremony does not open");
            return;
        };
        let ceremony = TableCeremony::resume(Arc::clone(&self.federation), self.keys.me, period, record);
        let Some((table, _)) = ceremony.finished() else { return };
        let share = ceremony.share(&self.keys.ceremony).ok().map(Arc::new);
        let origins: Vec<_> = self.federation.descriptor().ids().collect();
        let shown = self.periods.entry(period).or_insert_with(|| {
            let segments =
                layout::tables(period).into_iter().flat_map(|id| layout::segments(id, origins.iter().copied()));
            let chains = segments.map(|id| (id, HeadChain::new(id))).collect();
            Shown { table, share: None, chains, next_look: Timestamp::from_millis(0) }
        });
        shown.share = share;
    }

    /// Segments that may have grown, and how many heads of each are here: the later ones are to be read.
    pub fn growing(&mut self, now: Timestamp) -> Vec<(SegmentId, u32)> {
        let mut growing = Vec::new();
        for (period, shown) in &mut self.periods {
            let seldom = now >= shown.next_look;
            if seldom {
                shown.next_look = now.after(SELDOM);
            }
            let begun = period.start() <= now.after(GROWS);
            if !begun || (now > period.end().after(GROWS) && !seldom) {
                continue;
            }
            growing.extend(shown.chains.iter().map(|(id, chain)| (*id, chain.count())));
        }
        growing
    }

    /// Takes stored heads of one segment, in order; those that do not continue its chain are left out.
    pub fn take_heads<'a>(&mut self, segment: SegmentId, heads: impl IntoIterator<Item = &'a [u8]>) {
        let Some(origin) = self.federation.signing_key(segment.origin) else { return };
        let Some(shown) = self.periods.get_mut(&segment.table.period()) else { return };
        let Some(chain) = shown.chains.get_mut(&segment) else { return };
        for head in heads.into_iter().filter_map(|bytes| Head::decode(bytes).ok()) {
            if chain.offer(&head, &origin).is_err() {
                tracing::error!("a stored head does not continue its chain");
            }
        }
    }

    /// Answers what needs nothing but what is here; `None` for the calls that have a function of their own or are the
    /// writer's.
    pub fn handle(&mut self, now: Timestamp, call: &Call) -> Option<Result<Reply, Problem>> {
        let answer = match call {
            Call::Federation => Ok(Reply::Federation(self.federation.document().to_json().into_bytes())),
            Call::Time => Ok(Reply::Time(self.keys.time(now))),
            Call::Table(period) => self.live(now, *period).map(|shown| Reply::Table(shown.table.clone())),
            Call::Heads(query) => self.heads(now, query).map(Reply::Heads),
            Call::Cell(_)
            | Call::Terms
            | Call::Tokens(_)
            | Call::Generations(_)
            | Call::Stack(_)
            | Call::Statements => return None,
        };
        Some(answer.inspect_err(|problem| self.counters.refuse(problem.code)))
    }

    fn heads(&mut self, now: Timestamp, query: &HeadsQuery) -> Result<HeadsReply, Problem> {
        let known = query.known();
        self.all_gone(now, known.iter().map(|known| known.segment))?;
        self.counters.head_reads += 1;
        Ok(heads_after(query, |segment| self.chain(segment)))
    }

    /// Segments of which a later generation is asked for than is known here, with the number that is.
    pub fn lacking(&self, wanted: &[GenerationId]) -> Vec<(SegmentId, u32)> {
        let lacks = |id: &GenerationId| {
            let count = self.chain(id.segment)?.count();
            (id.index >= count).then_some((id.segment, count))
        };
        let segments: BTreeMap<SegmentId, u32> = wanted.iter().filter_map(lacks).collect();
        segments.into_iter().collect()
    }

    /// The generations that answer a query, with their bytes where these are here; the others are to be read.
    ///
    /// # Errors
    /// [`ProblemCode::Gone`] when all that is asked for was retired.
    pub(crate) fn wanted(
        &mut self,
        now: Timestamp,
        query: &GenerationsQuery,
    ) -> Result<Vec<(GenerationId, Option<Block>)>, Problem> {
        let wanted = query.wanted();
        let all_gone = self.all_gone(now, wanted.iter().map(|wanted| wanted.segment));
        all_gone.inspect_err(|problem| self.counters.refuse(problem.code))?;
        let mut left = GenerationsReply::ROOM;
        let mut answering = Vec::new();
        for id in wanted {
            let Some(head) = self.chain(id.segment).and_then(|chain| chain.get(id.index)) else { continue };
            let length = 4 + GenerationBlock::HEADER + head.count as usize * Record::SIZE;
            // what does not fit is not even read; the reader asks again
            let Some(rest) = left.checked_sub(length) else { break };
            left = rest;
            answering.push(*id);
        }
        Ok(answering.into_iter().map(|id| (id, self.blocks.get(&id))).collect())
    }

    /// Keeps a generation that was read.
    pub(crate) fn keep(&mut self, id: GenerationId, block: Block) {
        self.blocks.keep(id, block);
    }

    /// Whole generations, out of their bytes.
    pub(crate) fn generations(&mut self, blocks: impl IntoIterator<Item = Block>) -> GenerationsReply {
        let blocks = blocks.into_iter().filter_map(|bytes| GenerationBlock::decode(&bytes).ok());
        let reply = GenerationsReply::new(blocks);
        self.counters.blocks_read += reply.blocks().len() as u64;
        reply
    }

    /// Begins a look.
    ///
    /// # Errors
    /// [`ProblemCode::NotReady`] for heads that are not here or other ones, [`ProblemCode::UnknownTable`] and
    /// [`ProblemCode::Gone`].
    pub fn prepare_scan(&mut self, now: Timestamp, query: &StackQuery) -> Result<ScanToCome, Problem> {
        self.find_scan(now, query).inspect_err(|problem| self.counters.refuse(problem.code))
    }

    fn find_scan(&mut self, now: Timestamp, query: &StackQuery) -> Result<ScanToCome, Problem> {
        let table = query.id().table();
        let rows = self.live(now, table.period())?.table.dangerously_unverified().lane(table.lane()).rows;
        let wanted = query.id().wanted();
        let heads: Option<Vec<_>> = wanted.iter().map(|id| self.chain(id.segment)?.get(id.index)).collect();
        heads.filter(|heads| query.id().is_of(heads.iter().copied())).ok_or(ProblemCode::NotReady)?;
        let slot = self.cut_tables.slot(query.id());
        let wanted = if slot.get().is_none() { wanted.to_vec() } else { Vec::new() };
        self.counters.blind_reads += 1;
        Ok(ScanToCome { rows, slot, wanted })
    }

    /// Everything about an evaluation but whether its token was spent before.
    ///
    /// # Errors
    /// [`Problem`].
    pub fn prepare_evaluation(
        &mut self,
        now: Timestamp,
        token: &WireToken,
        query: &[u8; EvaluateFields::SIZE],
    ) -> Result<Paying, Problem> {
        self.find_evaluation(now, token, query).inspect_err(|problem| self.counters.refuse(problem.code))
    }

    fn find_evaluation(
        &mut self,
        now: Timestamp,
        token: &WireToken,
        query: &[u8; EvaluateFields::SIZE],
    ) -> Result<Paying, Problem> {
        let fields = EvaluateFields::decode(query).map_err(|_| Problem::from(ProblemCode::Malformed))?;
        if fields.tile != self.federation.descriptor().tile.id {
            return Err(ProblemCode::UnknownTable.into());
        }
        self.issuer.check(now, token, TokenPurpose::Evaluate, self.keys.me).map_err(not_admitted)?;
        let share = self.live(now, fields.period)?.share.clone().ok_or(ProblemCode::NotReady)?;
        // paid before it is computed, whatever the points are: computing is what strangers would abuse
        self.evaluations.take(now, 1).map_err(not_admitted)?;
        let spend = Spend { id: token.spend_id(), bought: evaluation_digest(query), at: now };
        Ok(Paying { spend, share, fields })
    }

    /// Notes what the spent set said, and whether the evaluation may go on.
    ///
    /// # Errors
    /// [`ProblemCode::TokenSpent`]; [`ProblemCode::NotReady`], with a time, when nobody can say.
    pub fn paid(&mut self, spending: Result<Spending, SpentError>) -> Result<(), Problem> {
        let problem = match spending {
            Ok(spending @ (Spending::First | Spending::Again)) => {
                self.counters.tokens_spent += u64::from(spending == Spending::First);
                self.counters.evaluations += 1;
                return Ok(());
            }
            Ok(Spending::Otherwise) => Problem::from(ProblemCode::TokenSpent),
            Err(_) => Problem::after(ProblemCode::NotReady, SPENT_RETRY_S),
        };
        self.counters.refuse(problem.code);
        Err(problem)
    }

    /// What was counted since the start.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What stands now. Peers are the writer's to know: all count as up.
    pub fn gauges(&self, now: Timestamp) -> Gauges {
        Gauges {
            peers_up: self.federation.descriptor().peers_of(self.keys.me).len(),
            tables: 2 * self.periods.len(),
            ready: self.periods.get(&now.period()).is_some_and(|shown| shown.share.is_some()),
            clock_seconds: now.as_secs(),
            ..Gauges::default()
        }
    }

    fn live(&self, now: Timestamp, period: Period) -> Result<&Shown, Problem> {
        if self.is_gone(now, period) {
            return Err(ProblemCode::Gone.into());
        }
        self.periods.get(&period).ok_or_else(|| ProblemCode::UnknownTable.into())
    }

    fn is_gone(&self, now: Timestamp, period: Period) -> bool {
        self.retired.contains(&period) || now >= retires_at(period)
    }

    fn all_gone(&self, now: Timestamp, segments: impl ExactSizeIterator<Item = SegmentId>) -> Result<(), Problem> {
        all_gone(segments, |period| self.is_gone(now, period))
    }

    fn chain(&self, segment: SegmentId) -> Option<&HeadChain> {
        self.periods.get(&segment.table.period())?.chains.get(&segment)
    }
}

/// What an evaluation token is spent on.
pub(super) fn evaluation_digest(query: &[u8; EvaluateFields::SIZE]) -> [u8; 32] {
    mosaic_crypto::digest(&[b"mosaic/evaluate/1", query])
}

impl Paying {
    /// The token, and what it is to be spent on.
    pub const fn spend(&self) -> Spend {
        self.spend
    }

    /// Computes what was paid for.
    ///
    /// # Errors
    /// [`ProblemCode::Malformed`] for points that are none.
    pub fn evaluate(self, rng: &mut dyn CryptoRng) -> Result<CellReply, Problem> {
        let done = self.share.evaluate(&self.fields.points, rng);
        let evaluation = done.map_err(|_| Problem::from(ProblemCode::Malformed))?;
        let points = evaluation.points.try_into().map_err(|_| Problem::from(ProblemCode::Internal))?;
        Ok(CellReply::Evaluation { points, proof: evaluation.proof })
    }
}

impl ScanToCome {
    /// The generations that have to be read first.
    pub fn wanted(&self) -> &[GenerationId] {
        &self.wanted
    }

    /// The look, with the bytes of what was wanted.
    pub(crate) fn with(self, query: Box<StackQuery>, blocks: &[Block]) -> Scan {
        Scan::new(query, self.rows, self.slot, blocks.iter().map(|block| block.to_vec()).collect())
    }
}

/// Generations that were asked for lately, the last one behind.
#[derive(Default)]
struct Blocks {
    kept: VecDeque<(GenerationId, Block)>,
    bytes: usize,
}

impl Blocks {
    fn get(&mut self, id: &GenerationId) -> Option<Block> {
        let at = self.kept.iter().position(|(known, _)| known == id)?;
        let (id, block) = self.kept.remove(at)?;
        self.kept.push_back((id, Arc::clone(&block)));
        Some(block)
    }

    fn keep(&mut self, id: GenerationId, block: Block) {
        if self.get(&id).is_some() {
            return;
        }
        self.bytes += block.len();
        self.kept.push_back((id, block));
        while self.kept.len() > 1 && self.bytes > KEPT_BYTES {
            self.bytes -= self.kept.pop_front().map_or(0, |(_, block)| block.len());
        }
    }

    fn forget(&mut self, is_gone: impl Fn(&GenerationId) -> bool) {
        self.kept.retain(|(id, _)| !is_gone(id));
        self.bytes = self.kept.iter().map(|(_, block)| block.len()).sum();
    }
}
