//! Tables, tokens, provider time, and the threshold OPRF.

use std::time::Duration;

use mosaic_net::PathKind;
use mosaic_release::Releaser;
use mosaic_types::{ProviderId, Timestamp};
use mosaic_wire::{Call, CellRequest, SignedTerms, TokenPurpose};
use rand::CryptoRng;

use super::{AgentCore, events::pick};
use crate::{
    post::Errand,
    wallet::{REST, next_hour},
};

/// Rest after terms that ask for more than anybody should pay.
const UNREASONABLE: Duration = Duration::from_mins(10);
/// Time between two comparisons with provider time.
const CLOCK_CHECK: Duration = Duration::from_mins(10);

impl AgentCore {
    pub(crate) fn ask_tables(&mut self, now: Timestamp, rng: &mut impl CryptoRng) {
        for period in self.tables.claim_queries(now, self.reader.periods(now)) {
            match pick(&self.paths.live(now), rng) {
                Some(provider) => self.post.send_direct(provider, Call::Table(period), Errand::Table(period)),
                None => self.tables.failed(period, now.after(REST)),
            }
        }
    }

    pub(crate) fn check_clock(&mut self, now: Timestamp, rng: &mut impl CryptoRng) {
        if now < self.next_clock_check {
            return;
        }
        self.next_clock_check = now.after(CLOCK_CHECK);
        if let Some(provider) = pick(&self.paths.live(now), rng) {
            self.post.send_direct(provider, Call::Time, Errand::Time);
        }
    }

    /// Buys tokens when it is time to.
    pub(crate) fn restock(&mut self, now: Timestamp, rng: &mut impl CryptoRng) {
        self.wallet.order(now, self.class(now), rng);
        for (order, issuer) in self.wallet.claim_queries(now, &self.paths.live(now)) {
            self.post.send_direct(issuer, Call::Terms, Errand::Terms(order));
        }
    }

    /// Asks for tokens on a provider's terms.
    pub(crate) fn on_terms(&mut self, now: Timestamp, rng: &mut impl CryptoRng, order: u64, terms: SignedTerms) {
        match self.wallet.ask(order, terms.provider, &terms, rng) {
            Some(query) => self.post.send_unpaid(terms.provider, query, terms, Errand::Tokens(order)),
            None => self.wallet.failed(order, terms.provider, now, UNREASONABLE),
        }
    }

    /// Sends batches of sixteen while there is something to evaluate.
    pub(crate) fn send_batches(&mut self, now: Timestamp, rng: &mut impl CryptoRng) {
        while self.oprf.is_ready(now) {
            let tables = &self.tables;
            let Some((table, inputs)) = self.oprf.next_inputs(|period| tables.get(period)) else { return };
            let needed = usize::from(table.threshold);
            if self.evaluators(now, &[]).len() < needed {
                return self.oprf.put_back(inputs, self.evaluations_return(now, needed));
            }
            let Ok(evaluating) = Releaser::evaluate(&table, &inputs, rng) else { return };
            let Ok(query) = mosaic_wire::encode(&evaluating.query).try_into() else { return };
            let batch = self.oprf.open(table, evaluating, query);
            (0..needed).for_each(|_| self.ask_evaluator(now, batch, rng));
        }
    }

    /// When it is worth trying again: an hour whose tokens are spent is over for evaluations.
    fn evaluations_return(&self, now: Timestamp, needed: usize) -> Timestamp {
        let spent = self.wallet.is_settled(now) && self.paths.live(now).len() >= needed;
        if spent { next_hour(now) } else { now.after(REST) }
    }

    /// Live providers with an evaluation token in stock that are not in `asked`.
    fn evaluators(&self, now: Timestamp, asked: &[ProviderId]) -> Vec<ProviderId> {
        let mut live = self.paths.live(now);
        live.retain(|id| self.wallet.has(now, *id, TokenPurpose::Evaluate) && !asked.contains(id));
        live
    }

    /// Asks one more provider for its part; gives the batch up when there is none.
    pub(crate) fn ask_evaluator(&mut self, now: Timestamp, batch: u64, rng: &mut impl CryptoRng) {
        let Some(open) = self.oprf.batch(batch) else { return };
        let (query, asked): (_, Vec<_>) = (open.query, open.asked.iter().copied().collect());
        let chosen = pick(&self.evaluators(now, &asked), rng);
        let kind = PathKind::of(self.class(now));
        let to = chosen.and_then(|target| self.paths.address(now, target, kind, &asked, rng));
        let token = to.and_then(|to| self.wallet.take(now, to.provider, TokenPurpose::Evaluate));
        let (Some(to), Some(token)) = (to, token) else { return self.oprf.abandon(batch, now.after(REST)) };
        self.oprf.note_asked(batch, to.provider);
        self.post.send(to, Call::Cell(CellRequest::Evaluate { token, query }), Errand::Evaluate(batch));
    }
}
