use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use mosaic_federation::{Issuer, day, hour};
use mosaic_types::Timestamp;
use mosaic_wire::{Problem, ProblemCode, Reply, SignedTerms, TokensQuery, TokensReply};
use rand::CryptoRng;

use super::ProviderCore;
use crate::{Price, store::Store};

/// Checks a solution and evaluates: much work, which needs nothing of the core. Whoever drives the core runs it where
/// nothing waits for it, and reports to [`ProviderCore::issued`].
pub struct IssueJob {
    query: TokensQuery,
    terms: SignedTerms,
    issuer: Arc<Issuer>,
}

/// What became of an [`IssueJob`].
#[derive(Debug)]
pub struct Issued {
    sold: u64,
    result: Result<TokensReply, Problem>,
}

impl IssueJob {
    /// Spends one Argon2id, then, if the puzzle is solved, an evaluation for each point.
    pub fn run(self, rng: &mut dyn CryptoRng) -> Issued {
        let sold = u64::from(self.query.units) * u64::from(self.query.hours);
        Issued { sold, result: self.check_and_evaluate(rng) }
    }

    fn check_and_evaluate(&self, rng: &mut dyn CryptoRng) -> Result<TokensReply, Problem> {
        let Self { query, terms, issuer } = self;
        let solved = terms.puzzle(query).is_solved(&query.statement(&terms.seed), &query.solution);
        match solved {
            Ok(true) => issuer.issue(query, rng).map_err(|_| ProblemCode::Malformed.into()),
            Ok(false) => Err(ProblemCode::PuzzleInvalid.into()),
            // no memory, or an operator's price that nobody may be asked for
            Err(_) => Err(Problem::after(ProblemCode::Overloaded, RETRY_S)),
        }
    }
}

/// After how many seconds to come again to an issuer that is busy.
const RETRY_S: u32 = 10;

/// Tokens on their way out.
pub(super) struct Issuing {
    pub(super) issuer: Arc<Issuer>,
    demand: Demand,
    /// Statements of the present and the last day that were looked at. Only in memory: the same points evaluated once
    /// more are worth nothing, so that a restart forgets no more than work.
    seen: BTreeMap<u64, HashSet<[u8; 32]>>,
}

impl Issuing {
    pub(super) fn new(issuer: Issuer, price: Price) -> Self {
        Self { issuer: Arc::new(issuer), demand: Demand::new(price), seen: BTreeMap::new() }
    }

    pub(super) const fn work(&self) -> u32 {
        self.demand.work
    }
}

impl<S: Store> ProviderCore<S> {
    pub(super) fn terms(&mut self, now: Timestamp) -> SignedTerms {
        self.issuing.demand.advance(now);
        self.terms_of(day(now), self.issuing.demand.work).sign(&self.keys.signing)
    }

    fn terms_of(&self, day: u64, work: u32) -> SignedTerms {
        let Price { memory_kib, passes, stamp_bits, .. } = self.policy.price;
        let (provider, seed) = (self.keys.me, self.keys.puzzle_seed(day));
        SignedTerms { provider, memory_kib, passes, stamp_bits, work, seed, signature: [0; 64] }
    }

    /// Everything about a query that is cheap to check: hours, stamp, and whether it came before.
    pub(super) fn sell(&mut self, now: Timestamp, query: TokensQuery) -> Result<IssueJob, Problem> {
        self.issuing.demand.advance(now);
        let (this_hour, end) = (u64::from(hour(now)), (day(now) + 2) * 24);
        let last = u64::from(query.first) + u64::from(query.hours);
        if u64::from(query.first) + 1 < this_hour || last > end {
            return Err(ProblemCode::Skew.into());
        }
        if usize::from(query.redeemers) != self.federation.descriptor().providers.len() {
            return Err(ProblemCode::Malformed.into());
        }
        // yesterday's seed and the price before the last change: nobody's work of minutes is lost at an instant
        let days = [day(now), day(now).saturating_sub(1)];
        let terms = days.map(|day| (day, self.terms_of(day, self.issuing.demand.accepted())));
        let stamped = |(_, terms): &&(u64, SignedTerms)| {
            terms.puzzle(&query).is_stamped(&query.statement(&terms.seed), &query.solution)
        };
        let (day, terms) = *terms.iter().find(stamped).ok_or(ProblemCode::PuzzleInvalid)?;
        self.issuing.seen.retain(|seen, _| days.contains(seen));
        if !self.issuing.seen.entry(day).or_default().insert(query.statement(&terms.seed)) {
            return Err(ProblemCode::TokenSpent.into());
        }
        Ok(IssueJob { query, terms, issuer: Arc::clone(&self.issuing.issuer) })
    }

    /// Takes a finished job; the reply for who asked.
    ///
    /// # Errors
    /// [`Problem`] when the puzzle was not solved.
    pub fn issued(&mut self, now: Timestamp, issued: Issued) -> Result<Reply, Problem> {
        match issued.result {
            Ok(reply) => {
                self.issuing.demand.sold(now, issued.sold);
                self.counters.tokens_issued += reply.points.len() as u64;
                Ok(Reply::Tokens(reply))
            }
            Err(problem) => {
                self.counters.refuse(problem.code);
                Err(problem)
            }
        }
    }
}

/// What is sold in a window decides the work of the next: more than the capacity doubles it, less than half of that
/// halves it, between the price's bounds. Only what was paid for counts, so that forged solutions raise nobody's price.
struct Demand {
    price: Price,
    work: u32,
    before: u32,
    window: u64,
    sold: u64,
}

/// Length of a window.
const WINDOW: Duration = Duration::from_mins(10);

impl Demand {
    fn new(price: Price) -> Self {
        Self { work: price.work, before: price.work, window: 0, sold: 0, price }
    }

    /// Units over an hour.
    fn sold(&mut self, now: Timestamp, units: u64) {
        self.advance(now);
        self.sold = self.sold.saturating_add(units);
    }

    fn advance(&mut self, now: Timestamp) {
        let window = now.as_secs() / WINDOW.as_secs();
        // after so many empty windows nothing changes any more; a clock that goes back changes nothing either
        for _ in 0..window.saturating_sub(self.window).min(u64::from(u32::BITS) + 1) {
            self.before = self.work;
            let capacity = u64::from(self.price.capacity);
            if self.sold > capacity {
                self.work = self.work.saturating_mul(2).min(self.price.most_work).max(self.price.work);
            } else if self.sold < capacity / 2 {
                self.work = (self.work / 2).max(self.price.work);
            }
            self.sold = 0;
        }
        self.window = self.window.max(window);
    }

    /// What a solution must have cost at least.
    fn accepted(&self) -> u32 {
        self.work.min(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(count: u64) -> Timestamp {
        Timestamp::from_secs(20_411 * 86_400 + 60 * count)
    }

    #[test]
    fn the_work_follows_demand_within_its_bounds_and_falls_again() {
        let price = Price { work: 4, most_work: 30, capacity: 100, ..Price::practice(1) };
        let mut demand = Demand::new(price);
        demand.advance(minutes(0));
        let mut told = Vec::new();
        for (window, sold) in [101, 101, 101, 101, 100, 50, 49, 0, 0, 0].into_iter().enumerate() {
            demand.sold(minutes(10 * window as u64 + 9), sold);
            demand.advance(minutes(10 * (window as u64 + 1)));
            told.push((demand.work, demand.accepted()));
        }
        let expected = [(8, 4), (16, 8), (30, 16), (30, 30), (30, 30), (30, 30), (15, 15), (7, 7), (4, 4), (4, 4)];
        assert_eq!(told, expected);
    }

    #[test]
    fn an_idle_night_and_a_clock_that_goes_back_are_survived() {
        let price = Price { work: 4, most_work: 1 << 20, capacity: 10, ..Price::practice(1) };
        let mut demand = Demand::new(price);
        demand.sold(minutes(0), 11);
        demand.advance(minutes(10));
        assert_eq!(demand.work, 8);
        demand.advance(minutes(0));
        assert_eq!(demand.work, 8);
        demand.advance(Timestamp::from_millis(u64::MAX));
        assert_eq!((demand.work, demand.accepted()), (4, 4));
    }
}
