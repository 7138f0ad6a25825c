//! What a device gives to the counts over many people, and what it takes from them (`docs/spec/aggregate.md`).
//!
//! Every device asks for what was published, once a day at a time that follows from its seed. A device whose person said so
//! gives one answer about each day on the day after it, at a time drawn when that day begins. What an answer costs is
//! written down when its time is drawn, long before it leaves, and a process that was not running at that time does not
//! give it: so nothing is given twice, whatever a crash forgets.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mosaic_aggregate::{Answer, Counted, NoisedAnswer, PartOfDay, Published, Side, SignedStatement, aggregators};
use mosaic_crypto::kdf::{Label, derive};
use mosaic_federation::day;
use mosaic_noise::accounting::{Accountant, Epsilon, Mechanism, Overspent, Spending};
use mosaic_release::ReleasedReport;
use mosaic_types::{ClassId, ProviderId, Sensitive, Timestamp};
use mosaic_wire::{MOST_STATEMENTS, ReportFields, WireToken};
use rand::{CryptoRng, RngExt as _};
use serde::{Deserialize, Serialize};

use crate::providers::Providers;

/// Days whose answers count together.
const DAYS: u32 = 30;
/// An answer leaves in these hours of a day.
const FIRST_HOUR: Duration = Duration::from_hours(1);
const LAST_HOUR: Duration = Duration::from_hours(22);
/// How long before an answer leaves its time is drawn at least: long enough for it to be on the disk.
const AHEAD: Duration = Duration::from_mins(10);
/// How long a statement may take after midnight before it is asked for.
const SETTLED: Duration = Duration::from_mins(30);
/// Rest after a call that brought nothing.
const REST: Duration = Duration::from_mins(5);
const DAY: Duration = Duration::from_hours(24);

/// What outlives a restart.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct KeptAnswers {
    /// From which day on there are answers, while there are any.
    since: Option<u32>,
    /// What was wished for on days that no answer was given about yet.
    wished: BTreeMap<u32, Wished>,
    planned: Option<Planned>,
    /// Days whose answers were paid for.
    paid: BTreeSet<u32>,
    /// The newest statement.
    newest: Option<Vec<u8>>,
    /// Whether personas may still take their tastes from a statement.
    pub(crate) tastes: Tastes,
}

/// One wish of a day, each as likely as the others.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Wished {
    wishes: u32,
    class: ClassId,
    part: u8,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Planned {
    day: u32,
    /// When the answer leaves; `None` if it does not.
    at: Option<Timestamp>,
}

/// Tastes are for life: of a device that showed nothing yet they follow the first statement it meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Tastes {
    /// As an earlier version left them, or as they were shown.
    #[default]
    Settled,
    /// Nothing was shown yet.
    Open,
}

/// The counts as one device has to do with them.
pub(crate) struct Answers {
    kept: KeptAnswers,
    statements: BTreeMap<u32, Published>,
    next_fetch: Option<Timestamp>,
    /// Both shares of an answer, until each is taken or too late.
    leaving: Vec<Leaving>,
    last: u64,
    /// That the last answer was not given because too many were.
    refused: Option<Overspent>,
}

/// A share on its way to its aggregator.
struct Leaving {
    number: u64,
    to: ProviderId,
    until: Timestamp,
    share: Box<[u8; ReportFields::SIZE]>,
    token: Option<WireToken>,
    under_way: bool,
    not_before: Timestamp,
}

/// A share to be sent now.
pub(crate) struct Departing {
    pub(crate) number: u64,
    pub(crate) to: ProviderId,
    pub(crate) share: [u8; ReportFields::SIZE],
    pub(crate) token: Option<WireToken>,
}

/// What statements did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// One is newer than all that were known.
    News,
    /// All were known, or there are none.
    NoNews,
    /// Not of this area, or not signed by those who counted the day.
    Untrusted,
}

impl KeptAnswers {
    /// Of a device that showed nothing yet.
    pub(crate) fn fresh() -> Self {
        Self { tastes: Tastes::Open, ..Self::default() }
    }
}

impl Answers {
    /// Goes on at `now`. An answer whose time came while the device was off is not given.
    pub(crate) fn resume(mut kept: KeptAnswers, providers: &Providers, now: Timestamp) -> Self {
        if let Some(planned) = &mut kept.planned {
            planned.at = planned.at.filter(|at| now < *at);
        }
        let newest = kept.newest.clone().unwrap_or_default();
        let mut answers =
            Self { kept, statements: BTreeMap::new(), next_fetch: None, leaving: Vec::new(), last: 0, refused: None };
        answers.take_statements(&newest, providers);
        answers
    }

    pub(crate) fn kept(&self) -> KeptAnswers {
        self.kept.clone()
    }

    /// Begins or ends to give answers; what was noted of days that none will be given about goes.
    pub(crate) fn set(&mut self, on: bool, now: Timestamp) {
        if on {
            self.kept.since.get_or_insert(today(now));
        } else {
            (self.kept.since, self.kept.planned) = (None, None);
            self.kept.wished.clear();
            self.leaving.clear();
        }
    }

    /// Notes that something was wished for now, if the day will be answered.
    pub(crate) fn wished(&mut self, now: Timestamp, class: ClassId, local_hour: u8, rng: &mut impl CryptoRng) {
        if self.kept.since.is_none() {
            return;
        }
        let part = PartOfDay::of_hour(local_hour) as u8;
        let wished = self.kept.wished.entry(today(now)).or_insert(Wished { wishes: 0, class, part });
        wished.wishes = wished.wishes.saturating_add(1);
        if rng.random_range(0..wished.wishes) == 0 {
            (wished.class, wished.part) = (class, part);
        }
    }

    /// Draws when the answer about yesterday leaves, and pays for it; whether something changed.
    pub(crate) fn plan(&mut self, now: Timestamp, rng: &mut impl CryptoRng) -> bool {
        let Some(about) = today(now).checked_sub(1) else { return false };
        let begun = self.kept.since.is_some_and(|since| about >= since);
        if !begun || self.kept.planned.is_some_and(|planned| planned.day >= about) || self.kept.paid.contains(&about) {
            return false;
        }
        self.kept.paid.retain(|day| day.saturating_add(DAYS) >= today(now));
        let midnight = start_of(today(now));
        let (from, until) = (now.after(AHEAD).max(midnight.after(FIRST_HOUR)), midnight.after(LAST_HOUR));
        let spare = u64::try_from(until.since(from).as_millis()).unwrap_or(0);
        let mut at = (spare > 0).then(|| from.after(Duration::from_millis(rng.random_range(0..spare))));
        self.refused = None;
        if at.is_some() {
            match self.price_of_another(now) {
                Ok(_) => drop(self.kept.paid.insert(about)),
                Err(overspent) => (at, self.refused) = (None, Some(overspent)),
            }
        }
        self.kept.planned = Some(Planned { day: about, at });
        true
    }

    /// Cuts the answer whose time has come into its two shares; whether there was one.
    pub(crate) fn answer(&mut self, now: Timestamp, providers: &Providers, rng: &mut impl CryptoRng) -> bool {
        let due = self.kept.planned.filter(|planned| planned.at.is_some_and(|at| at <= now));
        let Some(Planned { day: about, .. }) = due else { return false };
        self.kept.planned = Some(Planned { day: about, at: None });
        let wished = self.kept.wished.remove(&about);
        self.kept.wished.retain(|day, _| *day > about);
        let wish = wished.and_then(|wished| {
            let part = PartOfDay::ALL.get(usize::from(wished.part))?;
            Some(Answer::wish(wished.class, *part))
        });
        let truth = Sensitive::new(wish.unwrap_or(Answer::NOTHING));
        let counted = Counted { tile: providers.tile(), day: about };
        let ids: Vec<ProviderId> = providers.ids().collect();
        let (Some(pair), Some(released)) = (aggregators(&ids, about), ReleasedReport::pair(counted, &truth, rng))
        else {
            return true;
        };
        for (side, report) in [Side::Leader, Side::Helper].into_iter().zip(&released) {
            let Ok(share) = mosaic_wire::encode(report).try_into() else { continue };
            self.last += 1;
            self.leaving.push(Leaving {
                number: self.last,
                to: pair[side as usize],
                until: counted.closes_at(),
                share: Box::new(share),
                token: None,
                under_way: false,
                not_before: now,
            });
        }
        true
    }

    /// Shares that are to be sent now.
    pub(crate) fn departing(&mut self, now: Timestamp) -> Vec<Departing> {
        self.leaving.retain(|leaving| now < leaving.until);
        let due = self.leaving.iter().filter(|leaving| !leaving.under_way && leaving.not_before <= now);
        let departing = due.map(|leaving| {
            let Leaving { number, to, share, token, .. } = leaving;
            Departing { number: *number, to: *to, share: **share, token: token.clone() }
        });
        departing.collect()
    }

    /// To whom shares are on their way.
    pub(crate) fn receivers(&self) -> Vec<ProviderId> {
        self.leaving.iter().map(|leaving| leaving.to).collect()
    }

    /// A share left with its token; without one it waits.
    pub(crate) fn sent(&mut self, now: Timestamp, number: u64, token: Option<WireToken>) {
        if let Some(leaving) = self.leaving.iter_mut().find(|leaving| leaving.number == number) {
            (leaving.under_way, leaving.not_before) = (token.is_some(), now.after(REST));
            leaving.token = token;
        }
    }

    /// A share was not taken: it is sent again, with another token where `paid` says that this one is no good.
    pub(crate) fn failed(&mut self, now: Timestamp, number: u64, paid: bool) {
        if let Some(leaving) = self.leaving.iter_mut().find(|leaving| leaving.number == number) {
            (leaving.under_way, leaving.not_before) = (false, now.after(REST));
            leaving.token = leaving.token.take().filter(|_| paid);
        }
    }

    /// A share was taken, or never will be.
    pub(crate) fn done(&mut self, number: u64) {
        self.leaving.retain(|leaving| leaving.number != number);
    }

    /// Whom to ask for statements now: one of `live`, as the seed says for this day.
    pub(crate) fn claim_fetch(&mut self, now: Timestamp, seed: &[u8; 32], live: &[ProviderId]) -> Option<ProviderId> {
        if self.next_fetch.is_some_and(|at| now < at) {
            return None;
        }
        let first = self.next_fetch.is_none();
        let tomorrow = today(now).saturating_add(1);
        let [at, turn] = draws(seed, tomorrow);
        let spread = u64::try_from((DAY - SETTLED).as_millis()).unwrap_or(u64::MAX);
        self.next_fetch = Some(start_of(tomorrow).after(SETTLED + Duration::from_millis(at % spread)));
        let turn = if first { draws(seed, today(now))[1] } else { turn };
        let place = turn.checked_rem(live.len() as u64).and_then(|place| usize::try_from(place).ok());
        let asked = place.and_then(|place| live.get(place)).copied();
        if asked.is_none() {
            self.fetch_failed(now);
        }
        asked
    }

    pub(crate) fn fetch_failed(&mut self, now: Timestamp) {
        self.next_fetch = Some(now.after(REST));
    }

    /// Believes what those who counted a day signed.
    pub(crate) fn take_statements(&mut self, bytes: &[u8], providers: &Providers) -> Told {
        let ids: Vec<ProviderId> = providers.ids().collect();
        let before = self.statements.last_key_value().map(|(day, _)| *day);
        let statements = SignedStatement::decode_all(bytes);
        if statements.len() * SignedStatement::SIZE != bytes.len() {
            return Told::Untrusted;
        }
        for statement in statements {
            let encoded = statement.encode();
            let Ok(published) = statement.verify_turn(&ids, |id| providers.key(id)) else { return Told::Untrusted };
            let Counted { tile, day } = published.counted();
            if tile != providers.tile() {
                return Told::Untrusted;
            }
            if self.statements.keys().next_back().is_none_or(|newest| *newest < day) {
                self.kept.newest = Some(encoded);
            }
            self.statements.entry(day).or_insert(published);
        }
        while self.statements.len() > MOST_STATEMENTS {
            self.statements.pop_first();
        }
        let news = self.statements.last_key_value().map(|(day, _)| *day) > before;
        if news { Told::News } else { Told::NoNews }
    }

    /// What is known, the newest first.
    pub(crate) fn statements(&self) -> impl Iterator<Item = &Published> {
        self.statements.values().rev()
    }

    /// The newest statement, for a device whose personas have no tastes yet; from here on they have.
    pub(crate) fn tastes_to_take(&mut self) -> Option<&Published> {
        let newest = self.statements.values().next_back().filter(|_| self.kept.tastes == Tastes::Open)?;
        self.kept.tastes = Tastes::Settled;
        Some(newest)
    }

    /// Something was shown: tastes stay what they are.
    pub(crate) fn settle_tastes(&mut self) {
        self.kept.tastes = Tastes::Settled;
    }

    /// When there is something to do next.
    pub(crate) fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        let planned = self.kept.planned.and_then(|planned| planned.at);
        let next_day = self.kept.since.map(|_| start_of(today(now).saturating_add(1)));
        let waiting = self.leaving.iter().filter(|leaving| !leaving.under_way).map(|leaving| leaving.not_before);
        waiting.chain(planned).chain(next_day).chain(self.next_fetch).min()
    }

    /// Answers of the thirty days before today.
    pub(crate) fn days_paid(&self, now: Timestamp) -> u32 {
        let first = today(now).saturating_sub(DAYS);
        u32::try_from(self.kept.paid.range(first..).count()).unwrap_or(u32::MAX)
    }

    /// What these answers have cost together, for everybody but the two aggregators together.
    pub(crate) fn spending(&self, now: Timestamp) -> Spending {
        let mut accountant = Accountant::default();
        // what was paid fitted the budget
        accountant.charge(&[(Self::MECHANISM, self.days_paid(now))]).unwrap_or_else(|_| accountant.spending())
    }

    /// Why the last answer was not given, if it was too dear.
    pub(crate) const fn refused(&self) -> Option<Overspent> {
        self.refused
    }

    fn price_of_another(&self, now: Timestamp) -> Result<Spending, Overspent> {
        Accountant::default().charge(&[(Self::MECHANISM, self.days_paid(now).saturating_add(1))])
    }

    /// The noise of one aggregator, which is honest: one answer for another changes two counts by one.
    const MECHANISM: Mechanism = Mechanism::DiscreteLaplace { epsilon: Epsilon::ONE, steps: 2 };

    /// ε of one answer for everybody but the two aggregators together.
    pub(crate) fn epsilon_a_day() -> f64 {
        Epsilon::ONE.get()
    }

    /// The most by which one answer changes the logarithm of the odds for both aggregators together.
    pub(crate) const fn loss_a_day() -> f64 {
        NoisedAnswer::LOSS
    }
}

/// Two numbers that follow from the seed and the day.
fn draws(seed: &[u8; 32], day: u32) -> [u64; 2] {
    let bytes: [u8; 16] = derive(seed, Label::DeviceSeed, &[b"statements", &day.to_be_bytes()]);
    let (at, turn) = bytes.split_at(8);
    [at, turn].map(|half| half.first_chunk().copied().map_or(0, u64::from_be_bytes))
}

fn today(now: Timestamp) -> u32 {
    u32::try_from(day(now)).unwrap_or(u32::MAX)
}

fn start_of(day: u32) -> Timestamp {
    Timestamp::from_secs(u64::from(day) * DAY.as_secs())
}

#[cfg(test)]
mod tests;
