//! Counts over many people: an answer about each day, if the person said so, and what was published, for everybody.

use mosaic_net::PathKind;
use mosaic_types::Timestamp;
use mosaic_wire::{Call, CallFailure, CellRequest, ProblemCode, Retry, TokenPurpose};
use rand::CryptoRng;

use super::{AgentCore, VaultTrouble};
use crate::{
    answers::{Departing, Told},
    post::Errand,
};

impl AgentCore {
    pub(crate) fn keep_counts(&mut self, now: Timestamp, rng: &mut impl CryptoRng) {
        if let Some(provider) = self.answers.claim_fetch(now, &self.seed, &self.paths.live(now)) {
            self.post.send_direct(provider, Call::Statements, Errand::Statements);
        }
        self.dirty |= self.answers.plan(now, rng);
        // what a crash would let happen twice does not leave while the disk does not take that it did
        if self.vault_trouble == VaultTrouble::None {
            self.dirty |= self.answers.answer(now, &self.providers, rng);
        }
        for departing in self.answers.departing(now) {
            self.send_share(now, departing, rng);
        }
    }

    /// Sends a share to its aggregator, over neither of the two if there is another way.
    fn send_share(&mut self, now: Timestamp, departing: Departing, rng: &mut impl CryptoRng) {
        let Departing { number, to, share, token } = departing;
        let kind = PathKind::of(self.class(now));
        let Some(address) = self.paths.address(now, to, kind, &self.answers.receivers(), rng) else {
            return self.answers.failed(now, number, true);
        };
        let token = token.or_else(|| self.wallet.take(now, to, TokenPurpose::Deposit));
        self.answers.sent(now, number, token.clone());
        if let Some(token) = token {
            self.post.send(address, Call::Cell(CellRequest::Report { token, share }), Errand::Report(number));
        }
    }

    /// A share was not taken.
    pub(crate) fn report_failed(&mut self, now: Timestamp, number: u64, failure: CallFailure) {
        let CallFailure::Refused(problem) = failure else { return self.answers.failed(now, number, true) };
        match problem.code {
            ProblemCode::TokenInvalid | ProblemCode::TokenSpent => self.answers.failed(now, number, false),
            ProblemCode::Quota | ProblemCode::UnknownTable => self.answers.done(number),
            _ if problem.code.retry() == Retry::Never => self.answers.done(number),
            _ => self.answers.failed(now, number, true),
        }
    }

    /// Takes what was published; false if it is not to be believed. A device that has shown nothing yet lets its
    /// personas like what the region likes.
    pub(crate) fn on_statements(&mut self, bytes: &[u8]) -> bool {
        match self.answers.take_statements(bytes, &self.providers) {
            Told::Untrusted => return false,
            Told::NoNews => return true,
            Told::News => self.dirty = true,
        }
        if let Some(Ok(liked)) = self.answers.tastes_to_take().map(mosaic_aggregate::Published::class_shares) {
            self.releaser.begin_where_popular(liked);
        }
        true
    }
}
