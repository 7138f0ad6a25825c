use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use mosaic_discovery::CardBook;
use mosaic_net::{Attention, Poller};
use mosaic_types::{Lane, Period, ProviderId, SegmentId, ServiceClass, Stream, TableId, Timestamp};
use mosaic_wire::{HeadsQuery, HeadsReply, KnownGenerations, OprfInput};

use crate::{
    alerts::Evidence,
    crowd::{Crowd, Estimate},
    providers::Providers,
};

mod audit;
mod private;
mod stacks;
mod whole;

pub use private::BlindReads;
#[cfg(test)]
pub(crate) use private::Question;
pub(crate) use private::{Around, Asked, Delivery, PrivateReader, Wanted};
pub(crate) use stacks::ReadStack;

/// What is known of one segment.
#[derive(Default)]
struct Segment {
    count: u32,
    last: Option<[u8; 32]>,
    /// Its origin signed two heads for one generation: it is no witness of its own segment any more.
    forked: bool,
    /// Its chain broke: nothing more is believed.
    broken: bool,
}

/// A comparison of heads between two providers, in chunks of 64 segments.
pub(crate) struct Round {
    pub(crate) queries: Vec<HeadsQuery>,
    replies: BTreeMap<(usize, ProviderId), HeadsReply>,
    waiting: BTreeSet<(usize, ProviderId)>,
}

/// What two providers agree on, how it is read, and which rows matter.
pub(crate) struct Reader {
    poller: Poller,
    next_poll: Option<Timestamp>,
    segments: BTreeMap<SegmentId, Segment>,
    round: Option<Round>,
    /// How agreed generations are read.
    pub(crate) private: PrivateReader,
    /// Rows that opened interests point to, by period.
    pub(crate) watched: HashMap<Period, HashMap<u32, Vec<OprfInput>>>,
    crowd: Crowd,
    as_of: Option<Timestamp>,
    round_began: Timestamp,
    /// When the last round began that was compared to its end.
    compared: Option<Timestamp>,
    /// Until when everything was read.
    read_until: Timestamp,
}

/// How long after its event a record may be sealed, and how much longer than a table lives nobody reads.
const SEALING: Duration = Duration::from_mins(30);
const TABLE_LIFE: Duration = Duration::from_hours(48);

impl Reader {
    pub(crate) fn new(class: ServiceClass, phase: Duration, now: Timestamp, blind: BlindReads) -> Self {
        Self {
            poller: Poller::new(class, phase),
            next_poll: None,
            segments: BTreeMap::new(),
            round: None,
            private: PrivateReader::new(blind),
            watched: HashMap::new(),
            crowd: Crowd::default(),
            as_of: None,
            round_began: Timestamp::from_millis(0),
            compared: None,
            read_until: now,
        }
    }

    pub(crate) fn change(&mut self, class: ServiceClass, phase: Duration, now: Timestamp, attention: Attention) {
        self.poller = Poller::new(class, phase);
        self.plan_poll(now, attention);
    }

    /// Whether it is time for a round of heads. The first is due at once.
    pub(crate) fn poll_is_due(&self, now: Timestamp) -> bool {
        self.round.is_none() && self.next_poll.is_none_or(|at| at <= now)
    }

    pub(crate) fn plan_poll(&mut self, now: Timestamp, attention: Attention) {
        self.next_poll = Some(self.poller.next(now, attention));
    }

    /// The app was opened: the next poll comes no later than its faster pace asks for.
    pub(crate) fn attend(&mut self, now: Timestamp) {
        let sooner = self.poller.next(now, Attention::Foreground);
        self.next_poll = self.next_poll.map(|at| at.min(sooner));
    }

    pub(crate) fn poll_again_at(&mut self, at: Timestamp) {
        self.next_poll = Some(self.next_poll.map_or(at, |planned| planned.min(at)));
    }

    /// Periods with something to read: this window's and the one before's, and, after an absence, all
    /// since the last complete reading, as far back as tables live.
    pub(crate) fn periods(&self, now: Timestamp) -> BTreeSet<Period> {
        let since = self.read_until.before(SEALING).max(now.before(TABLE_LIFE));
        let first = since.min(now.window().previous().start()).period();
        (first.0..=now.period().0).map(Period).collect()
    }

    /// Notes how far reading came.
    pub(crate) fn note_progress(&mut self) {
        self.read_until = self.read_until.max(self.caught_up().unwrap_or(self.read_until));
    }

    /// Starts a round over the tables of `periods`: what to ask both providers.
    pub(crate) fn start_round(&mut self, now: Timestamp, periods: &BTreeSet<Period>, providers: &Providers) -> usize {
        let lanes = [Lane::Discovery, Lane::Rendezvous];
        let tables = periods.iter().flat_map(|period| lanes.map(|lane| TableId::new(*period, lane)));
        // discovery cards of windows long past mean nothing
        let fresh = now.window().previous().start().period();
        let tables = tables.filter(|table| table.lane() == Lane::Rendezvous || table.period() >= fresh);
        let mut known: Vec<KnownGenerations> = Vec::new();
        for table in tables {
            for origin in providers.ids() {
                for stream in Stream::ALL {
                    let segment = SegmentId { table, origin, stream };
                    let count = self.segments.get(&segment).map_or(0, |known| known.count);
                    known.push(KnownGenerations { segment, count });
                }
            }
        }
        let queries: Vec<_> =
            known.chunks(HeadsQuery::MOST).filter_map(|chunk| HeadsQuery::new(chunk.to_vec()).ok()).collect();
        let chunks = queries.len();
        self.round_began = now;
        self.round = Some(Round { queries, replies: BTreeMap::new(), waiting: BTreeSet::new() });
        chunks
    }

    pub(crate) fn round_query(&mut self, chunk: usize, provider: ProviderId) -> Option<HeadsQuery> {
        let round = self.round.as_mut()?;
        round.waiting.insert((chunk, provider));
        round.queries.get(chunk).cloned()
    }

    /// Who already has a part in this chunk of the round.
    pub(crate) fn round_members(&self, chunk: usize) -> BTreeSet<ProviderId> {
        let Some(round) = &self.round else { return BTreeSet::new() };
        let members = round.replies.keys().chain(&round.waiting).filter(|(at, _)| *at == chunk);
        members.map(|(_, provider)| *provider).collect()
    }

    pub(crate) fn round_failed(&mut self, chunk: usize, provider: ProviderId) {
        if let Some(round) = &mut self.round {
            round.waiting.remove(&(chunk, provider));
        }
    }

    pub(crate) fn abandon_round(&mut self) {
        self.round = None;
    }

    /// Takes one reply; with the last one, compares. `Some(evidence)` ends the round.
    pub(crate) fn take_heads(
        &mut self,
        chunk: usize,
        provider: ProviderId,
        reply: HeadsReply,
        providers: &Providers,
    ) -> Option<Vec<Evidence>> {
        let round = self.round.as_mut()?;
        round.waiting.remove(&(chunk, provider));
        round.replies.insert((chunk, provider), reply);
        if !round.waiting.is_empty() {
            return None;
        }
        let round = self.round.take()?;
        self.compared = Some(self.round_began);
        let mut evidence = Vec::new();
        for chunk in 0..round.queries.len() {
            let of_chunk = round.replies.iter().filter(|((at, _), _)| *at == chunk);
            let pair: Vec<_> = of_chunk.map(|((_, provider), reply)| (*provider, reply)).collect();
            if let [a, b] = pair.as_slice() {
                let came_further = self.compare(*a, *b, providers, &mut evidence);
                // the rest at once; of what two providers do not show alike there is no rest
                if came_further && [a, b].iter().any(|(_, reply)| reply.heads().len() == HeadsReply::MOST) {
                    self.next_poll = Some(Timestamp::from_millis(0));
                }
            }
        }
        Some(evidence)
    }

    /// Two heads of one generation convict their origin. Its records are other people's, so they are read all the same
    /// once two *other* providers show one head alike. `true` when anything is agreed on that was not before.
    fn compare(
        &mut self,
        (a_from, a): (ProviderId, &HeadsReply),
        (b_from, b): (ProviderId, &HeadsReply),
        providers: &Providers,
        evidence: &mut Vec<Evidence>,
    ) -> bool {
        let mut came_further = false;
        let theirs: HashMap<_, _> = b.heads().iter().map(|head| ((head.segment, head.index), head)).collect();
        for head in a.heads() {
            let Some(other) = theirs.get(&(head.segment, head.index)) else { continue };
            let Some(key) = providers.key(head.segment.origin) else { continue };
            let segment = self.segments.entry(head.segment).or_default();
            let on_its_own_word = segment.forked && [a_from, b_from].contains(&head.segment.origin);
            if segment.broken || on_its_own_word || head.index != segment.count || head.verify(&key).is_err() {
                continue;
            }
            if !head.agrees_with(other) {
                if other.verify(&key).is_ok() {
                    segment.forked = true;
                    evidence.push(Evidence::two_heads(head, other));
                }
                continue;
            }
            if segment.last.is_some_and(|last| last != head.previous) {
                segment.broken = true;
                continue;
            }
            came_further = true;
            segment.count += 1;
            segment.last = Some(head.hash());
            self.as_of = self.as_of.max(Some(head.sealed_at));
            self.crowd.note(head);
            self.private.agreed(head);
        }
        came_further
    }

    /// Forgets tables that are not read any more.
    pub(crate) fn expire(&mut self, now: Timestamp, periods: &BTreeSet<Period>, book: &mut CardBook) {
        let oldest = periods.first().map_or(TableId(0), |period| TableId::new(*period, Lane::Discovery));
        self.segments.retain(|segment, _| segment.table >= oldest);
        self.private.expire(now, oldest);
        self.crowd.expire(now);
        self.watched.retain(|period, _| periods.contains(period));
        book.expire(now);
    }

    /// Until when everything that two providers agreed on was read; `None` while something is left.
    pub(crate) fn caught_up(&self) -> Option<Timestamp> {
        self.compared.filter(|_| self.private.is_done())
    }

    /// How many devices write to the tables that are read; `None` while it is not known.
    pub(crate) fn crowd(&self, now: Timestamp) -> Option<Estimate> {
        self.crowd.estimate(now, self.caught_up())
    }

    pub(crate) const fn as_of(&self) -> Option<Timestamp> {
        self.as_of
    }

    pub(crate) fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        let poll = self.next_poll.filter(|_| self.round.is_none());
        poll.into_iter().chain(self.private.next_wake(now)).min()
    }
}

#[cfg(test)]
mod tests;
