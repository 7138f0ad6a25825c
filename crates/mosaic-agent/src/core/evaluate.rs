//! Tables, tokens, provider time, and the threshold OPRF.

use std::time::Duration;

use mosaic_net::PathKind;
use mosaic_release::Releaser;
use mosaic_types::{ProviderId, Timestamp};
use mosaic_wire::{Call, CellRequest, TokenPurpose, TokensQuery};
use rand::CryptoRng;

use super::{AgentCore, events::pick};
use crate::post::Errand;

/// Rest after a query that nobody answered.
pub(crate) const REST: Duration = Duration::from_secs(5);
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

    /// Fetches tokens where the stock is low.
    pub(crate) fn restock(&mut self, now: Timestamp) {
        for provider in self.paths.live(now) {
            for purpose in [TokenPurpose::Deposit, TokenPurpose::Evaluate] {
                if self.wallet.claim_query(now, provider, purpose) {
                    let query = TokensQuery { purpose, count: crate::wallet::Wallet::lot(purpose) };
                    self.post.send_direct(provider, Call::Tokens(query), Errand::Tokens(purpose));
                }
            }
        }
    }

    /// Sends batches of sixteen while there is something to evaluate.
    pub(crate) fn send_batches(&mut self, now: Timestamp, rng: &mut impl CryptoRng) {
        while self.oprf.is_ready(now) {
            let tables = &self.tables;
            let Some((table, inputs)) = self.oprf.next_inputs(|period| tables.get(period)) else { return };
            let needed = usize::from(table.threshold);
            if self.evaluators(now, &[]).len() < needed {
                return self.oprf.put_back(inputs, now.after(REST));
            }
            let Ok(evaluating) = Releaser::evaluate(&table, &inputs, rng) else { return };
            let Ok(query) = mosaic_wire::encode(&evaluating.query).try_into() else { return };
            let batch = self.oprf.open(table, evaluating, query);
            (0..needed).for_each(|_| self.ask_evaluator(now, batch, rng));
        }
    }

    /// Live providers with an evaluation token in stock that are not in `asked`.
    fn evaluators(&self, now: Timestamp, asked: &[ProviderId]) -> Vec<ProviderId> {
        let mut live = self.paths.live(now);
        live.retain(|id| self.wallet.has(*id, TokenPurpose::Evaluate) && !asked.contains(id));
        live
    }

    /// Asks one more provider for its part; gives the batch up when there is none.
    pub(crate) fn ask_evaluator(&mut self, now: Timestamp, batch: u64, rng: &mut impl CryptoRng) {
        let Some(open) = self.oprf.batch(batch) else { return };
        let (query, asked): (_, Vec<_>) = (open.query, open.asked.iter().copied().collect());
        let chosen = pick(&self.evaluators(now, &asked), rng);
        let kind = PathKind::of(self.class(now));
        let to = chosen.and_then(|target| self.paths.address(now, target, kind, &asked, rng));
        let token = to.and_then(|to| self.wallet.take(to.provider, TokenPurpose::Evaluate));
        let (Some(to), Some(token)) = (to, token) else { return self.oprf.abandon(batch, now.after(REST)) };
        self.oprf.note_asked(batch, to.provider);
        self.post.send(to, Call::Cell(CellRequest::Evaluate { token, query }), Errand::Evaluate(batch));
    }
}
