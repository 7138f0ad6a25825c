//! Reports about a day, from the first share to a statement (`docs/spec/aggregate.md`).
//!
//! The leader of a day shows the helper its parts of the proofs, and both count what is one vote; a report that one of them
//! has and the other lacks is counted by neither. When the day is closed each puts noise on its sum and stores what comes
//! out before anybody sees it, in one change with the end of everything it was drawn from: a restart finds either no noise,
//! which nobody saw, or this one. Whatever is asked between aggregators may be asked again and gets the same answer.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use mosaic_aggregate::{
    Batch, Begun, Counted, NoisedSum, Published, ReportFields, Side, SignedStatement, Statement, Untrusted, aggregators,
};
use mosaic_crypto::{
    agreement::AgreementPublic,
    kdf::{Label, derive},
};
use mosaic_federation::{
    day,
    peer::{HelperCheck, MAX_REPORTS, PeerReply, PeerRequest, ReportCheck},
};
use mosaic_types::{ProviderId, Timestamp};
use mosaic_wire::{MOST_STATEMENTS, Problem, ProblemCode, TokenPurpose, WireToken};
use rand::CryptoRng;

use super::{ProviderCore, deposit::refusal, exchange::Purpose};
use crate::{
    layout::{self, Counts},
    store::{Bucket, Change, Store, StoreError},
};

/// Reports that wait for the helper at one time; each has its two kilobytes in the store.
const MOST_WAITING: usize = 1 << 14;

/// How long a report waits for its other half once the helper has said that it lacks it.
const HALF: Duration = Duration::from_hours(1);

/// How long after its closing a day may come to a statement; then what is left of it goes.
const PATIENCE: Duration = Duration::from_hours(48);

/// Time between two comparisons of statements with a peer.
const COMPARE: Duration = Duration::from_hours(1);

/// After how many seconds to come again while too many reports wait.
const WAITING_RETRY_S: u32 = 600;

/// What this provider counts, and what was counted.
#[derive(Default)]
pub(super) struct Counting {
    days: BTreeMap<u32, DayCount>,
    statements: BTreeMap<u32, (SignedStatement, Published)>,
    next_compare: Option<Timestamp>,
    /// Whom to compare with next.
    turn: usize,
}

/// How far a day is at one of its aggregators.
enum DayCount {
    Open(Box<Open>),
    /// Noise was drawn and is not stored yet: the next try stores the same.
    Drawn(Box<NoisedSum>),
    /// Stored, and at the helper the leader's sum beside it.
    Noised {
        mine: Box<NoisedSum>,
        leaders: Option<Box<NoisedSum>>,
    },
    Over,
}

struct Open {
    batch: Batch,
    /// Shares that are stored and not decided about, and since when the helper is known to lack the other half.
    waiting: BTreeMap<[u8; 16], Option<Timestamp>>,
    decided: BTreeSet<[u8; 16]>,
    round: Round,
}

/// The leader asks about every report that waits, one message after the other.
#[derive(Default)]
struct Round {
    left: VecDeque<[u8; 16]>,
    /// What is being asked about.
    begun: BTreeMap<[u8; 16], Begun>,
    asking: bool,
    /// Whether everything that waits was asked about after the day was closed.
    last: Option<Last>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Running,
    Done,
}

/// What became of a report, as it is stored.
#[derive(Clone, Copy)]
enum Fate {
    Waiting,
    Counted,
    Refused,
}

impl Counting {
    pub(super) fn statements(&self) -> usize {
        self.statements.len()
    }

    pub(super) fn newest_reports(&self) -> u64 {
        self.statements.last_key_value().map_or(0, |(_, (_, published))| published.reports().into())
    }
}

/// Reports, as agents bring them.
impl<S: Store> ProviderCore<S> {
    /// Stores a share of a report, which costs a deposit token. The same share again is taken again and counted once.
    pub(super) fn take_report(&mut self, now: Timestamp, token: &WireToken, bytes: &[u8]) -> Result<(), Problem> {
        if !self.rest.is_over(now) {
            return Err(ProblemCode::StorageFull.into());
        }
        let share = ReportFields::decode(bytes).map_err(|_| Problem::from(ProblemCode::Malformed))?;
        let counted = self.counted(share.day);
        if share.tile != counted.tile {
            return Err(ProblemCode::UnknownTable.into());
        }
        if !counted.takes_reports(now) || self.turn_of(share.day).is_none_or(|turn| turn.side != share.side) {
            return Err(ProblemCode::DayClosed.into());
        }
        let bought = mosaic_crypto::digest(&[b"mosaic/report/1", bytes]);
        self.check_token(now, token, TokenPurpose::Deposit, &bought)?;
        let most = usize::try_from(self.policy.reports_a_day).unwrap_or(usize::MAX).min(Batch::MOST);
        let open = self.open_day(share.day).ok_or(ProblemCode::DayClosed)?;
        if open.waiting.contains_key(&share.id) || open.decided.contains(&share.id) {
            return Ok(());
        }
        if open.waiting.len() + open.decided.len() >= most {
            let wait = counted.closes_at().since(now).as_secs();
            return Err(Problem::after(ProblemCode::Quota, u32::try_from(wait).unwrap_or(u32::MAX)));
        }
        if share.side == Side::Leader && open.waiting.len() >= MOST_WAITING {
            return Err(Problem::after(ProblemCode::Overloaded, WAITING_RETRY_S));
        }
        let kept = bytes.get(..ReportFields::SIZE - ReportFields::LEADER_SHARE + share.input().len()).unwrap_or(bytes);
        let mut changes = vec![put_report(share.day, &share.id, Fate::Waiting, kept)];
        changes.extend(self.spend(now, token, bought));
        let stored = self.store.commit(&changes);
        self.rest.note(now, &stored);
        match stored {
            Ok(()) => {
                if let Some(open) = self.open_day(share.day) {
                    open.waiting.insert(share.id, None);
                }
                Ok(())
            }
            Err(error) => {
                if changes.len() > 1 {
                    self.spent.revoke(&token.spend_id());
                }
                Err(refusal(&error))
            }
        }
    }

    fn counted(&self, day: u32) -> Counted {
        Counted { tile: self.federation.descriptor().tile.id, day }
    }

    /// This provider's part in counting a day, if it has one.
    fn turn_of(&self, day: u32) -> Option<Turn> {
        let ids: Vec<ProviderId> = self.federation.descriptor().ids().collect();
        let pair = aggregators(&ids, day)?;
        let side = [Side::Leader, Side::Helper].into_iter().find(|side| pair[*side as usize] == self.keys.me)?;
        Some(Turn { side, pair })
    }

    /// Whether this provider helps `leader` to count a day.
    fn is_led_by(&self, leader: ProviderId, day: u32) -> bool {
        self.turn_of(day).is_some_and(|turn| turn.side == Side::Helper && turn.pair[0] == leader)
    }

    /// The batch of a day, begun if there is none; `None` once it is closed, or where this provider has no part in it.
    fn open_day(&mut self, day: u32) -> Option<&mut Open> {
        if !self.counting.days.contains_key(&day) {
            let batch = Batch::open(self.counted(day), self.turn_of(day)?.side, self.check_key(day)?)?;
            self.counting.days.insert(day, DayCount::Open(Box::new(Open::new(batch))));
        }
        open_of(&mut self.counting, day)
    }

    /// What both aggregators know of a day and nobody else does.
    fn check_key(&self, day: u32) -> Option<[u8; 32]> {
        let pair = self.turn_of(day)?.pair;
        let other = pair.into_iter().find(|id| *id != self.keys.me)?;
        let theirs = AgreementPublic(self.federation.descriptor().provider(other)?.ceremony_key);
        let shared = self.keys.ceremony.agree(&theirs).ok()?;
        let (document, [leader, helper]) = (self.federation.digest(), pair.map(ProviderId::get));
        let tile = self.federation.descriptor().tile.id.0.to_be_bytes();
        let context: [&[u8]; 4] = [&document, &tile, &day.to_be_bytes(), &[leader, helper]];
        Some(derive(shared.as_bytes(), Label::AggregateCheck, &context))
    }
}

/// Who counts a day, seen from one of them.
#[derive(Clone, Copy)]
struct Turn {
    side: Side,
    pair: [ProviderId; 2],
}

impl Open {
    fn new(batch: Batch) -> Self {
        Self { batch, waiting: BTreeMap::new(), decided: BTreeSet::new(), round: Round::default() }
    }

    fn decide(&mut self, id: [u8; 16]) {
        self.waiting.remove(&id);
        self.round.begun.remove(&id);
        self.decided.insert(id);
    }

    /// Every report was asked about; what has waited long enough for its other half is given up, which are these.
    fn end_round(&mut self, now: Timestamp) -> Vec<[u8; 16]> {
        if self.round.last == Some(Last::Running) {
            self.round.last = Some(Last::Done);
        }
        let late = |since: &Option<Timestamp>| since.is_some_and(|since| now.since(since) >= HALF);
        let given_up: Vec<[u8; 16]> = self.waiting.iter().filter(|(_, since)| late(since)).map(|(id, _)| *id).collect();
        given_up.iter().for_each(|id| self.decide(*id));
        given_up
    }
}

/// The leader's part.
impl<S: Store> ProviderCore<S> {
    /// Takes every day that this provider counts a step further, and keeps statements in step with the peers.
    pub(super) fn count(&mut self, now: Timestamp, sync: bool, rng: &mut dyn CryptoRng) -> Result<(), StoreError> {
        for day in self.counting.days.keys().copied().collect::<Vec<_>>() {
            self.count_day(now, day, sync, rng)?;
        }
        self.forget_days(now)?;
        self.compare_statements(now);
        Ok(())
    }

    fn count_day(&mut self, now: Timestamp, day: u32, sync: bool, rng: &mut dyn CryptoRng) -> Result<(), StoreError> {
        let closing = now >= self.counted(day).closes_at();
        // the helper waits to be asked
        let Some(turn) = self.turn_of(day).filter(|turn| turn.side == Side::Leader) else { return Ok(()) };
        match self.counting.days.get_mut(&day) {
            Some(DayCount::Open(open)) => {
                if sync && !open.round.asking && open.round.last != Some(Last::Done) {
                    open.round.left = open.waiting.keys().copied().collect();
                    open.round.last = closing.then_some(Last::Running);
                    self.ask_about_reports(now, day)?;
                }
                self.close_if_complete(day, closing, rng)?;
            }
            Some(DayCount::Drawn(_)) => self.store_drawn(day, None)?,
            _ => {}
        }
        if sync
            && let Some(DayCount::Noised { mine, .. }) = self.counting.days.get(&day)
            && !self.counting.statements.contains_key(&day)
        {
            let request = PeerRequest::Sum(day, mine.encode());
            self.outbox.ask(turn.pair[1], request, Purpose::Sum(day));
        }
        Ok(())
    }

    /// Asks the helper about the next reports of a round. A round that has nothing left is over.
    fn ask_about_reports(&mut self, now: Timestamp, day: u32) -> Result<(), StoreError> {
        let Some(turn) = self.turn_of(day) else { return Ok(()) };
        let (mut reports, mut changes) = (Vec::new(), Vec::new());
        while reports.len() < MAX_REPORTS
            && let Some(open) = open_of(&mut self.counting, day)
            && let Some(id) = open.round.left.pop_front()
        {
            if !open.waiting.contains_key(&id) {
                continue;
            }
            let begun = match open.round.begun.remove(&id) {
                Some(begun) => Some(begun),
                None => {
                    let stored = self.store.get(Bucket::Counts, &layout::report(day, &id))?;
                    stored.and_then(|value| open.batch.begin(&share_of(&value)?).ok())
                }
            };
            match begun {
                Some(begun) => {
                    reports.push(ReportCheck { id, proof: begun.verifier_share().to_vec() });
                    open.round.begun.insert(id, begun);
                }
                None => {
                    open.decide(id);
                    changes.push(put_report(day, &id, Fate::Refused, &[]));
                }
            }
        }
        if reports.is_empty()
            && let Some(open) = open_of(&mut self.counting, day)
        {
            for id in open.end_round(now) {
                changes.push(put_report(day, &id, Fate::Refused, &[]));
            }
        }
        self.commit_counts(day, &changes)?;
        let Some(open) = open_of(&mut self.counting, day).filter(|_| !reports.is_empty()) else { return Ok(()) };
        open.round.asking = true;
        let ids = reports.iter().map(|report| report.id).collect();
        self.outbox.ask(turn.pair[1], PeerRequest::Check(day, reports), Purpose::Check(day, ids));
        Ok(())
    }

    /// Takes the helper's parts of proofs: counts what is one vote, and asks on. Without an answer the round ends, and the
    /// next one asks the same again.
    pub(super) fn checked(
        &mut self,
        now: Timestamp,
        day: u32,
        ids: &[[u8; 16]],
        reply: Option<PeerReply>,
    ) -> Result<(), StoreError> {
        let Some(open) = open_of(&mut self.counting, day) else { return Ok(()) };
        open.round.asking = false;
        let Some(PeerReply::Checked(checks)) = reply else {
            open.round.left.clear();
            open.round.last = None;
            return Ok(());
        };
        let mut changes = Vec::new();
        for (id, check) in ids.iter().zip(checks) {
            let fate = match check {
                HelperCheck::Missing => {
                    if let Some(since) = open.waiting.get_mut(id) {
                        since.get_or_insert(now);
                    }
                    continue;
                }
                HelperCheck::Bad => Fate::Refused,
                HelperCheck::Proof(proof) => {
                    let Some(begun) = open.round.begun.remove(id) else { continue };
                    let counted = proof.try_into().is_ok_and(|proof| open.batch.finish(begun, &proof).is_ok());
                    if counted { Fate::Counted } else { Fate::Refused }
                }
            };
            open.decide(*id);
            // the leader is never asked for its part again
            changes.push(put_report(day, id, fate, &[]));
        }
        self.commit_counts(day, &changes)?;
        self.ask_about_reports(now, day)
    }

    /// Closes a day whose reports were all asked about after its end: what still waits has no other half.
    fn close_if_complete(&mut self, day: u32, closing: bool, rng: &mut dyn CryptoRng) -> Result<(), StoreError> {
        let fewest = self.policy.counting.fewest;
        let Some(open) = open_of(&mut self.counting, day) else { return Ok(()) };
        if !closing || open.round.asking || open.round.last != Some(Last::Done) {
            return Ok(());
        }
        if open.batch.reports() < fewest {
            return self.end_day(day);
        }
        self.draw(day, rng);
        self.store_drawn(day, None)
    }

    /// Puts noise on the sum of a day, which is gone with it.
    fn draw(&mut self, day: u32, mut rng: &mut dyn CryptoRng) {
        if let Some(DayCount::Open(open)) = self.counting.days.remove(&day) {
            let drawn = open.batch.close(self.policy.counting, &mut rng);
            self.counting.days.insert(day, drawn.map_or(DayCount::Over, |sum| DayCount::Drawn(Box::new(sum))));
        }
    }

    /// Stores noise that was drawn, and with it that nothing is left to draw from. Until that is done nobody sees it.
    fn store_drawn(&mut self, day: u32, leaders: Option<NoisedSum>) -> Result<(), StoreError> {
        let Some(DayCount::Drawn(mine)) = self.counting.days.get(&day) else { return Ok(()) };
        let mine = mine.clone();
        let both = [mine.encode(), leaders.as_ref().map(NoisedSum::encode).unwrap_or_default()].concat();
        self.store.commit(&[
            Change::Put(Bucket::Counts, layout::counts(day, Counts::Noised), both),
            Change::Erase(Bucket::Counts, layout::counts(day, Counts::Report)),
            Change::Erase(Bucket::Counts, layout::counts(day, Counts::Sum)),
        ])?;
        self.counting.days.insert(day, DayCount::Noised { mine, leaders: leaders.map(Box::new) });
        Ok(())
    }

    /// Takes the helper's sum and signature: both together are the statement.
    pub(super) fn summed(&mut self, day: u32, sum: &[u8], signature: &[u8]) -> Result<(), StoreError> {
        let (Some(DayCount::Noised { mine, .. }), Some(turn)) = (self.counting.days.get(&day), self.turn_of(day))
        else {
            return Ok(());
        };
        let [leader, helper] = turn.pair;
        let (Some(theirs), Ok(signature)) = (NoisedSum::decode(sum), signature.try_into()) else { return Ok(()) };
        let statement = match Statement::of([mine, &theirs], leader, helper) {
            Ok(statement) => statement,
            Err(error) => {
                tracing::error!(%error, day, "the helper's sum is not of this day's reports");
                return Ok(());
            }
        };
        let signed = [statement.sign(&self.keys.signing), signature];
        let statement = statement.signed(signed);
        let told = PeerRequest::Statements(vec![statement.encode()]);
        if self.take_statement(statement)? {
            self.tell_all(&told);
        }
        Ok(())
    }
}

/// The helper's part.
impl<S: Store> ProviderCore<S> {
    /// Tells the leader this provider's parts of proofs, and counts what is one vote. What was counted before is told again.
    pub(super) fn help_check(
        &mut self,
        now: Timestamp,
        from: ProviderId,
        day: u32,
        reports: &[ReportCheck],
    ) -> Result<PeerReply, StoreError> {
        let (counted, led) = (self.counted(day), self.is_led_by(from, day));
        if !led || now < counted.reports_from() || now >= counted.closes_at().after(PATIENCE) {
            return Ok(PeerReply::Refused);
        }
        let stored = reports.iter().map(|report| self.store.get(Bucket::Counts, &layout::report(day, &report.id)));
        let stored: Vec<Option<Vec<u8>>> = stored.collect::<Result<_, _>>()?;
        let (mut told, mut changes) = (Vec::with_capacity(reports.len()), Vec::new());
        let Some(open) = self.open_day(day) else { return Ok(PeerReply::Refused) };
        for (ReportCheck { id, proof }, stored) in reports.iter().zip(stored) {
            let Some((value, share)) = stored.and_then(|value| share_of(&value).map(|share| (value, share))) else {
                told.push(HelperCheck::Missing);
                continue;
            };
            if !open.decided.contains(id) {
                let counted = open.batch.begin(&share).is_ok_and(|begun| {
                    proof.as_slice().try_into().is_ok_and(|theirs| open.batch.finish(begun, theirs).is_ok())
                });
                open.decide(*id);
                let fate = if counted { Fate::Counted } else { Fate::Refused };
                changes.push(put_report(day, id, fate, value.get(1..).unwrap_or_default()));
            }
            told.push(open.batch.again(&share).map_or(HelperCheck::Bad, |mine| HelperCheck::Proof(mine.to_vec())));
        }
        self.commit_counts(day, &changes)?;
        Ok(PeerReply::Checked(told))
    }

    /// Closes the day when the leader has, puts noise on its own sum, stores it, and signs what both sums come to: once.
    pub(super) fn help_close(
        &mut self,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
        from: ProviderId,
        day: u32,
        sum: &[u8],
    ) -> Result<PeerReply, StoreError> {
        let turn = self.turn_of(day).filter(|_| self.is_led_by(from, day));
        let (Some(turn), Some(theirs)) = (turn, NoisedSum::decode(sum)) else { return Ok(PeerReply::Refused) };
        // the leader's clock may be ahead of ours
        if now.after(mosaic_federation::MAX_SKEW) < self.counted(day).closes_at() {
            return Ok(PeerReply::Refused);
        }
        let fewest = self.policy.counting.fewest;
        let agreed = |open: &mut Open| open.batch.agrees_with(&theirs) && open.batch.reports() >= fewest;
        if open_of(&mut self.counting, day).is_some_and(agreed) {
            self.draw(day, rng);
        }
        self.store_drawn(day, Some(theirs.clone()))?;
        let Some(DayCount::Noised { mine, leaders }) = self.counting.days.get(&day) else {
            return Ok(PeerReply::Refused);
        };
        if leaders.as_deref() != Some(&theirs) {
            return Ok(PeerReply::Refused);
        }
        let [leader, helper] = turn.pair;
        let Ok(statement) = Statement::of([&theirs, mine], leader, helper) else { return Ok(PeerReply::Refused) };
        Ok(PeerReply::Sum(mine.encode(), statement.sign(&self.keys.signing).to_vec()))
    }
}

/// Statements: what everybody gets.
impl<S: Store> ProviderCore<S> {
    /// Every statement that is kept, the newest first, one behind the other.
    pub(super) fn statements(&self) -> Vec<u8> {
        self.all_statements().concat()
    }

    fn all_statements(&self) -> Vec<Vec<u8>> {
        let newest = self.counting.statements.values().rev().take(MOST_STATEMENTS);
        newest.map(|(statement, _)| statement.encode()).collect()
    }

    /// What a peer that showed these lacks.
    pub(super) fn statements_beyond(&self, theirs: &[Vec<u8>]) -> Vec<Vec<u8>> {
        self.all_statements().into_iter().filter(|statement| !theirs.contains(statement)).collect()
    }

    /// Takes statements that a peer shows. Whoever shows them is not believed; the two who signed them are.
    pub(super) fn take_statements(&mut self, now: Timestamp, theirs: &[Vec<u8>]) -> Result<(), StoreError> {
        let days = kept_days(now);
        let read = theirs.iter().take(MOST_STATEMENTS).filter_map(|bytes| SignedStatement::decode(bytes).ok());
        for statement in read.filter(|statement| days.contains(&statement.counted().day)) {
            self.take_statement(statement)?;
        }
        Ok(())
    }

    /// Checks a statement and stores it, if there is none of its day; whether it did.
    fn take_statement(&mut self, statement: SignedStatement) -> Result<bool, StoreError> {
        let counted = statement.counted();
        if counted.tile != self.federation.descriptor().tile.id || self.counting.statements.contains_key(&counted.day) {
            return Ok(false);
        }
        let published = match self.believed(&statement) {
            Ok(published) => published,
            Err(error) => {
                tracing::warn!(%error, day = counted.day, "a statement is not to be believed");
                return Ok(false);
            }
        };
        let key = layout::counts(counted.day, Counts::Statement);
        self.store.commit(&[Change::Put(Bucket::Counts, key, statement.encode())])?;
        self.counting.statements.insert(counted.day, (statement, published));
        Ok(true)
    }

    /// What a statement says, if the two signed it whose turn its day was.
    fn believed(&self, statement: &SignedStatement) -> Result<Published, Untrusted> {
        let ids: Vec<ProviderId> = self.federation.descriptor().ids().collect();
        statement.clone().verify_turn(&ids, |id| self.federation.signing_key(id))
    }

    /// The peer that was shown statements did not answer: another one is, at the next comparison of heads.
    pub(super) fn compare_statements_soon(&mut self, now: Timestamp) {
        self.counting.next_compare = Some(now.after(self.policy.sync));
    }

    /// Once an hour one peer is shown all statements that are here, and shows what is lacking.
    fn compare_statements(&mut self, now: Timestamp) {
        if self.counting.next_compare.is_some_and(|at| now < at) {
            return;
        }
        self.counting.next_compare = Some(now.after(COMPARE));
        let peers = self.outbox.peers();
        self.counting.turn += 1;
        let Some(peer) = peers.get(self.counting.turn % peers.len().max(1)) else { return };
        let all = self.all_statements();
        self.outbox.ask(*peer, PeerRequest::Statements(all), Purpose::Statements);
    }
}

/// What is stored, and what is forgotten.
impl<S: Store> ProviderCore<S> {
    /// Stores what was decided about reports together with the sum that it led to. If the store refuses, the day is read
    /// from it again, so that memory is never ahead of it.
    fn commit_counts(&mut self, day: u32, changes: &[Change]) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let Some(state) = open_of(&mut self.counting, day).and_then(|open| open.batch.state()) else { return Ok(()) };
        let sum = Change::Put(Bucket::Counts, layout::counts(day, Counts::Sum), state.to_vec());
        let stored = self.store.commit(&[changes, &[sum]].concat());
        if stored.is_err() {
            self.counting.days.remove(&day);
            self.recover_day(day)?;
        }
        stored
    }

    /// Ends a day of which nothing will be said.
    fn end_day(&mut self, day: u32) -> Result<(), StoreError> {
        let over = Change::Put(Bucket::Counts, layout::counts(day, Counts::Over), Vec::new());
        let gone = [Counts::Report, Counts::Sum, Counts::Noised].map(|kind| layout::counts(day, kind));
        let gone = gone.into_iter().map(|key| Change::Erase(Bucket::Counts, key));
        self.store.commit(&gone.chain([over]).collect::<Vec<_>>())?;
        self.counting.days.insert(day, DayCount::Over);
        Ok(())
    }

    /// Gives up days that never came to a statement, and forgets those that are told of no more.
    fn forget_days(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let late = |day: &u32| now >= self.counted(*day).closes_at().after(PATIENCE);
        let stuck: Vec<u32> = self
            .counting
            .days
            .iter()
            .filter(|(_, state)| !matches!(state, DayCount::Over))
            .map(|(day, _)| *day)
            .filter(late)
            .collect();
        for day in stuck {
            self.end_day(day)?;
        }
        let oldest = *kept_days(now).start();
        let known = self.counting.days.keys().chain(self.counting.statements.keys());
        let old: BTreeSet<u32> = known.copied().filter(|day| *day < oldest).collect();
        for day in old {
            self.store.commit(&[Change::Erase(Bucket::Counts, day.to_be_bytes().to_vec())])?;
            self.counting.days.remove(&day);
            self.counting.statements.remove(&day);
        }
        Ok(())
    }

    /// Puts back every day that was stored.
    pub(super) fn recover_counts(&mut self) -> Result<(), StoreError> {
        let keys = self.store.scan(Bucket::Counts, b"")?;
        let days = keys.iter().filter_map(|(key, _)| key.first_chunk().map(|day| u32::from_be_bytes(*day)));
        let days: BTreeSet<u32> = days.collect();
        days.into_iter().try_for_each(|day| self.recover_day(day))
    }

    fn recover_day(&mut self, day: u32) -> Result<(), StoreError> {
        if let Some(bytes) = self.store.get(Bucket::Counts, &layout::counts(day, Counts::Statement))?
            && let Ok(statement) = SignedStatement::decode(&bytes)
            && let Ok(published) = self.believed(&statement)
        {
            self.counting.statements.insert(day, (statement, published));
        }
        let stored = self.stored_day(day)?;
        self.counting.days.extend(stored.map(|stored| (day, stored)));
        Ok(())
    }

    /// How far a day is according to the store.
    fn stored_day(&self, day: u32) -> Result<Option<DayCount>, StoreError> {
        let Some(turn) = self.turn_of(day) else { return Ok(None) };
        if self.store.get(Bucket::Counts, &layout::counts(day, Counts::Over))?.is_some() {
            return Ok(Some(DayCount::Over));
        }
        if let Some(both) = self.store.get(Bucket::Counts, &layout::counts(day, Counts::Noised))? {
            let (mine, leaders) = both.split_at_checked(NoisedSum::SIZE).unwrap_or_default();
            let Some(mine) = NoisedSum::decode(mine) else { return Ok(Some(DayCount::Over)) };
            return Ok(Some(DayCount::Noised {
                mine: Box::new(mine),
                leaders: NoisedSum::decode(leaders).map(Box::new),
            }));
        }
        let (mut waiting, mut decided) = (BTreeMap::new(), BTreeSet::new());
        for (key, value) in self.store.scan(Bucket::Counts, &layout::counts(day, Counts::Report))? {
            let Some(id) = key.last_chunk().copied() else { continue };
            match value.first() {
                Some(0) => drop(waiting.insert(id, None)),
                _ => drop(decided.insert(id)),
            }
        }
        let (Some(key), counted) = (self.check_key(day), self.counted(day)) else { return Ok(None) };
        let batch = match self.store.get(Bucket::Counts, &layout::counts(day, Counts::Sum))?.map(TryInto::try_into) {
            Some(Ok(state)) => Batch::resume((counted, turn.side), key, &state, decided.iter().copied()),
            // what was stored of the sum is always of this size
            Some(Err(_)) => None,
            None if waiting.is_empty() => return Ok(None),
            None => Batch::open(counted, turn.side, key),
        };
        let Some(batch) = batch else { return Ok(Some(DayCount::Over)) };
        Ok(Some(DayCount::Open(Box::new(Open { waiting, decided, ..Open::new(batch) }))))
    }
}

fn open_of(counting: &mut Counting, day: u32) -> Option<&mut Open> {
    match counting.days.get_mut(&day)? {
        DayCount::Open(open) => Some(open),
        _ => None,
    }
}

/// Days that statements are kept of.
fn kept_days(now: Timestamp) -> std::ops::RangeInclusive<u32> {
    let today = u32::try_from(day(now)).unwrap_or(u32::MAX);
    today.saturating_sub(MOST_STATEMENTS as u32)..=today
}

fn put_report(day: u32, id: &[u8; 16], fate: Fate, share: &[u8]) -> Change {
    Change::Put(Bucket::Counts, layout::report(day, id), [&[fate as u8], share].concat())
}

/// The share behind a stored report's fate; `None` where none is kept.
fn share_of(value: &[u8]) -> Option<ReportFields> {
    let mut bytes = [0; ReportFields::SIZE];
    let share = value.get(1..).filter(|share| !share.is_empty())?;
    bytes.get_mut(..share.len())?.copy_from_slice(share);
    ReportFields::decode(&bytes).ok()
}
