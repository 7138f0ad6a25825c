//! What became of a call.

use mosaic_net::{Outcome, Paths};
use mosaic_types::{ProviderId, Timestamp};
use mosaic_wire::{Address, CallFailure, CellReply, Problem, ProblemCode, Receipt, Reply, Retry, TokenPurpose};
use rand::CryptoRng;

use super::{AgentCore, AgentEvent};
use crate::{
    CallId, alerts::Evidence, deposits::is_genuine, oprf::Progress, post::Errand, tables::Acceptance, trail::Receipted,
    wallet::REST,
};

impl AgentCore {
    /// Reports what became of a call. A second report of the same call is ignored.
    pub fn on_reply(
        &mut self,
        now: Timestamp,
        rng: &mut impl CryptoRng,
        id: CallId,
        result: Result<Reply, CallFailure>,
    ) {
        let Some((from, errand)) = self.post.settle(id, &result) else { return };
        self.stirred = true;
        // only what was sealed is surely the provider's own word: a relay may have written the rest
        let outcome = match &result {
            Ok(Reply::Cell(CellReply::Problem(problem))) => Outcome::Refused(*problem),
            Ok(_) => Outcome::Answered,
            Err(failure) => Outcome::Failed(*failure),
        };
        let result = match result {
            Ok(Reply::Cell(CellReply::Problem(problem))) => Err(CallFailure::Refused(problem)),
            other => other,
        };
        if let Err(failure) = &result {
            tracing::debug!(provider = %from.provider, %failure, "a call failed");
        }
        self.paths.record(now, from, outcome, rng);
        match result {
            Ok(reply) => self.on_answer(now, rng, from, errand, reply),
            Err(failure) => self.on_failure(now, rng, from, errand, failure),
        }
    }

    fn on_answer(&mut self, now: Timestamp, rng: &mut impl CryptoRng, from: Address, errand: Errand, reply: Reply) {
        match (errand, reply) {
            (Errand::Table(period), Reply::Table(signed)) => self.on_table(now, rng, from, period, &signed),
            (Errand::Time, Reply::Time(time)) => {
                let key = self.providers.key(from.provider).filter(|_| time.provider == from.provider);
                if key.is_some_and(|key| time.verify(&key).is_ok()) {
                    self.alerts.measure(from.provider, time.time, now);
                }
            }
            (Errand::Terms(order), Reply::Terms(terms)) => {
                let key = self.providers.key(from.provider).filter(|_| terms.provider == from.provider);
                if key.is_some_and(|key| terms.verify(&key).is_ok()) {
                    self.on_terms(now, rng, order, terms);
                } else {
                    self.garbled(now, rng, from, Errand::Terms(order));
                }
            }
            (Errand::Tokens(order), Reply::Tokens(tokens)) => {
                if self.wallet.take_reply(order, from.provider, &tokens) {
                    self.oprf.end_rest();
                } else {
                    self.garbled(now, rng, from, Errand::Tokens(order));
                }
            }
            (Errand::Deposit(id), Reply::Cell(CellReply::Receipt(receipt))) => {
                self.on_receipt(now, rng, from, id, receipt);
            }
            (Errand::Evaluate(batch), Reply::Cell(CellReply::Evaluation { points, proof })) => {
                match self.oprf.take(batch, from.provider, points, proof) {
                    Progress::Finished(inputs) => self.outputs_arrived(now, &inputs),
                    Progress::Cheated => {
                        self.accuse(Evidence::wrong_share(from.provider));
                        self.on_failure(now, rng, from, Errand::Evaluate(batch), CallFailure::Garbled);
                    }
                    Progress::Waiting | Progress::Stale => {}
                }
            }
            (Errand::Heads(chunk), Reply::Heads(heads)) => {
                let evidence = self.reader.take_heads(chunk, from.provider, heads, &self.providers);
                evidence.into_iter().flatten().for_each(|evidence| self.accuse(evidence));
            }
            (Errand::Report(number), Reply::Cell(CellReply::Taken)) => self.answers.done(number),
            (Errand::Statements, Reply::Statements(bytes)) => {
                if !self.on_statements(&bytes) {
                    self.garbled(now, rng, from, Errand::Statements);
                }
            }
            (Errand::Read(asked), answer) => {
                if !self.take_read(now, from.provider, &asked, answer, rng) {
                    self.garbled(now, rng, from, Errand::Read(asked));
                }
            }
            (errand, _) => self.garbled(now, rng, from, errand),
        }
    }

    /// An answer that is none.
    fn garbled(&mut self, now: Timestamp, rng: &mut impl CryptoRng, from: Address, errand: Errand) {
        self.paths.record(now, from, Outcome::Failed(CallFailure::Garbled), rng);
        self.on_failure(now, rng, from, errand, CallFailure::Garbled);
    }

    fn on_failure(
        &mut self,
        now: Timestamp,
        rng: &mut impl CryptoRng,
        from: Address,
        errand: Errand,
        failure: CallFailure,
    ) {
        match errand {
            Errand::Table(period) => self.tables.failed(period, now.after(REST)),
            Errand::Time => {}
            Errand::Terms(order) | Errand::Tokens(order) => {
                let wait = retry_after(failure)
                    .map_or(REST, |seconds| std::time::Duration::from_secs(seconds.into()).min(Paths::LONGEST_REST));
                self.wallet.failed(order, from.provider, now, wait);
            }
            Errand::Deposit(id) => self.deposit_failed(now, from.provider, id, failure),
            Errand::Evaluate(batch) => self.evaluation_failed(now, rng, from.provider, batch, failure),
            Errand::Report(number) => self.report_failed(now, number, failure),
            Errand::Statements => self.answers.fetch_failed(now),
            Errand::Heads(chunk) => self.heads_failed(now, chunk, from.provider, rng),
            Errand::Read(asked) => {
                self.reader.private.failed(&asked, now.after(std::time::Duration::from_secs(1)));
            }
        }
    }

    fn on_table(
        &mut self,
        now: Timestamp,
        rng: &mut impl CryptoRng,
        from: Address,
        period: mosaic_types::Period,
        signed: &mosaic_wire::SignedTable,
    ) {
        match self.tables.accept(period, signed, &self.providers) {
            Acceptance::New => {
                self.schedule.prepared = false;
                self.replan(now);
            }
            Acceptance::Known => {}
            Acceptance::Refused => self.garbled(now, rng, from, Errand::Table(period)),
            Acceptance::Conflict(evidence) => evidence.into_iter().for_each(|one| self.accuse(one)),
        }
    }

    fn on_receipt(&mut self, now: Timestamp, rng: &mut impl CryptoRng, from: Address, id: u64, receipt: Receipt) {
        if !is_genuine(&receipt, &self.providers) || !self.deposits.fits(id, from.provider, &receipt) {
            return self.garbled(now, rng, from, Errand::Deposit(id));
        }
        let full = receipt.full;
        let Some(event) = self.deposits.acknowledged(id, receipt) else { return };
        self.trail.receipted(id, Receipted::Acknowledged);
        let given_up = self.releaser.retry(&event, full);
        let stored = event.stored(full);
        self.associations.left(&stored);
        self.dirty |= self.groups.left(&stored);
        self.requeue(&given_up);
        tracing::debug!(provider = %from.provider, full = full.count_ones(), "an event was acknowledged");
        self.counters.acknowledged += 1;
        self.note(AgentEvent::Acknowledged(event.lane()));
    }

    fn deposit_failed(&mut self, now: Timestamp, provider: ProviderId, id: u64, failure: CallFailure) {
        let CallFailure::Refused(problem) = failure else { return self.deposits.postpone(id, now) };
        match problem.code {
            ProblemCode::TokenInvalid | ProblemCode::TokenSpent => self.deposits.forget_token(id, provider),
            ProblemCode::WrongDescriptor => {
                if let Some(deposit) = self.deposits.get(id) {
                    self.tables.distrust(deposit.event.fields().table.period());
                }
                return self.give_up_deposit(id);
            }
            _ if is_final(problem) => return self.give_up_deposit(id),
            _ => {}
        }
        self.deposits.postpone(id, now);
    }

    fn give_up_deposit(&mut self, id: u64) {
        tracing::warn!("a provider will never take an event; its frames leave with another");
        self.trail.receipted(id, Receipted::Lost);
        let frames = self.deposits.drop_deposit(id).unwrap_or_default();
        self.requeue(&frames);
    }

    fn evaluation_failed(
        &mut self,
        now: Timestamp,
        rng: &mut impl CryptoRng,
        provider: ProviderId,
        batch: u64,
        failure: CallFailure,
    ) {
        if let CallFailure::Refused(Problem { code: ProblemCode::TokenInvalid, .. }) = failure {
            self.wallet.discard(now, provider, TokenPurpose::Evaluate);
        }
        let missing = self.oprf.missing_parts(batch, provider);
        (0..missing).for_each(|_| self.ask_evaluator(now, batch, rng));
    }
}

/// Whether no provider will ever take this event.
fn is_final(problem: Problem) -> bool {
    let table_is_over = matches!(problem.code, ProblemCode::StaleTable | ProblemCode::Gone);
    let ours = matches!(problem.code, ProblemCode::Malformed | ProblemCode::WrongSize);
    table_is_over || (ours && problem.code.retry() == Retry::Never)
}

const fn retry_after(failure: CallFailure) -> Option<u32> {
    match failure {
        CallFailure::Refused(problem) => problem.retry_after_s,
        _ => None,
    }
}
