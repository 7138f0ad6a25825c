use std::sync::Arc;

use mosaic_crypto::aead;
use mosaic_federation::{
    CountersignError, DealingVerdict, Evidence, Proposal, SignedDealing, TableCeremony, TableState,
    peer::{FinishedTable, PeerReply, PeerRequest},
    retires_at,
};
use mosaic_types::{Period, ProviderId, Timestamp};
use mosaic_wire::SignedTable;
use rand::CryptoRng;
use zeroize::Zeroizing;

use super::{ProviderCore, exchange::Purpose, periods::PeriodState, retiring::state_byte};
use crate::{
    layout,
    store::{Bucket, Change, Store, StoreError},
};

impl<S: Store> ProviderCore<S> {
    /// When the next attempt at an unfinished ceremony begins.
    pub(super) fn ceremony_times(&self) -> impl Iterator<Item = Timestamp> + '_ {
        let open = self.periods.values().filter(|period| period.table().is_none());
        open.map(|period| self.start_of(period.progress.asked.map_or(0, |asked| asked.saturating_add(1))))
    }

    fn start_of(&self, attempt: u32) -> Timestamp {
        Timestamp::from_millis(0).after(self.policy.attempt.saturating_mul(attempt))
    }

    /// Attempts are counted by the clock, so that all providers agree on who coordinates.
    fn attempt_at(&self, now: Timestamp) -> u32 {
        let length = u64::try_from(self.policy.attempt.as_millis()).unwrap_or(u64::MAX).max(1);
        u32::try_from(now.as_millis() / length).unwrap_or(u32::MAX)
    }

    /// Begins the ceremonies whose time has come and takes every unfinished one a step further.
    pub(super) fn advance_ceremonies(&mut self, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<(), StoreError> {
        let last = now.period().0.saturating_add(self.policy.lead_periods);
        for period in (now.period().0..=last).map(Period) {
            self.begin(now, rng, period)?;
        }
        let open: Vec<Period> =
            self.periods.iter().filter(|(_, state)| state.table().is_none()).map(|(period, _)| *period).collect();
        for period in open {
            self.attempt(now, rng, period)?;
        }
        Ok(())
    }

    /// A period's ceremony with a key of its own under which it is stored.
    fn begin(&mut self, now: Timestamp, rng: &mut dyn CryptoRng, period: Period) -> Result<(), StoreError> {
        if self.periods.contains_key(&period) || self.is_gone(now, period) {
            return Ok(());
        }
        if self.store.key(period)?.is_none() {
            let mut own = Zeroizing::new([0; 32]);
            rng.fill_bytes(&mut *own);
            self.store.keep_key(period, &own)?;
        }
        let live = Change::Put(Bucket::Tables, layout::period(period), state_byte(TableState::Live));
        self.store.commit(&[live])?;
        let federation = Arc::clone(&self.federation);
        let ceremony =
            TableCeremony::resume(federation, self.keys.me, period, mosaic_federation::CeremonyRecord::default());
        self.periods.insert(period, PeriodState::new(ceremony));
        Ok(())
    }

    /// Once per attempt: deal, ask everybody for a dealing or the finished table, and propose if it is our
    /// turn.
    fn attempt(&mut self, now: Timestamp, rng: &mut dyn CryptoRng, period: Period) -> Result<(), StoreError> {
        let attempt = self.attempt_at(now);
        let Some(state) = self.periods.get_mut(&period) else { return Ok(()) };
        state.progress.begun.get_or_insert(attempt);
        if state.progress.asked == Some(attempt) {
            return self.propose(now, period);
        }
        state.progress.asked = Some(attempt);
        if now < period.end()
            && let Some(dealing) = self.own_dealing(rng, period)?
        {
            for peer in self.outbox.peers() {
                self.outbox.ask(peer, PeerRequest::Dealing(period, dealing.clone()), Purpose::Deal(period));
            }
        }
        for peer in self.outbox.peers() {
            self.outbox.ask(peer, PeerRequest::FetchTable(period), Purpose::Fetch(period));
        }
        self.propose(now, period)
    }

    /// Our dealing, stored before anybody sees it.
    fn own_dealing(&mut self, rng: &mut dyn CryptoRng, period: Period) -> Result<Option<SignedDealing>, StoreError> {
        let Some(state) = self.periods.get_mut(&period) else { return Ok(None) };
        if let Some(own) = state.ceremony.own_dealing() {
            return Ok(Some(own.clone()));
        }
        match state.ceremony.deal(&self.keys.signing, rng) {
            Ok(dealing) => self.keep_ceremony(rng, period).map(|()| Some(dealing)),
            Err(error) => {
                tracing::error!(%error, "no dealing can be made for these recipients");
                Ok(None)
            }
        }
    }

    /// Stores a ceremony under its period's own key.
    fn keep_ceremony(&mut self, rng: &mut dyn CryptoRng, period: Period) -> Result<(), StoreError> {
        let (Some(state), Some(own)) = (self.periods.get(&period), self.store.key(period)?) else { return Ok(()) };
        let key = layout::period(period);
        // the record holds byte strings and maps, which always serialise
        let record = postcard::to_allocvec(state.ceremony.record()).unwrap_or_default();
        let sealed = aead::seal(&self.keys.share_key(period, &own), &key, &record, rng);
        self.store.commit(&[Change::Put(Bucket::Ceremonies, key, sealed)])
    }

    /// Proposes, if we coordinate this attempt: at once when everybody has dealt, otherwise with
    /// those who have, once an attempt has passed.
    fn propose(&mut self, now: Timestamp, period: Period) -> Result<(), StoreError> {
        let (attempt, me) = (self.attempt_at(now), self.keys.me);
        let Some(state) = self.periods.get_mut(&period) else { return Ok(()) };
        let (ceremony, progress) = (&state.ceremony, &state.progress);
        let waited = progress.begun.is_some_and(|begun| attempt > begun);
        let ready = !ceremony.is_complete() && (ceremony.all_dealt() || waited);
        if !ready || ceremony.coordinator(attempt) != me {
            return Ok(());
        }
        let Some(proposal) = ceremony.proposal() else { return Ok(()) };
        if state.progress.proposed.as_ref().is_some_and(|(when, what)| *when == attempt && *what == proposal) {
            return Ok(());
        }
        state.progress.proposed = Some((attempt, proposal.clone()));
        for peer in self.outbox.peers() {
            self.outbox.ask(peer, PeerRequest::Propose(period, proposal.clone()), Purpose::Propose(period));
        }
        Ok(())
    }

    /// A peer's dealing arrived; ours goes back.
    pub(super) fn dealing_offered(
        &mut self,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
        period: Period,
        dealing: &SignedDealing,
    ) -> Result<PeerReply, StoreError> {
        let near = period >= now.period() && period.0 <= now.period().0.saturating_add(self.policy.lead_periods + 1);
        if !near {
            return Ok(PeerReply::Refused);
        }
        self.begin(now, rng, period)?;
        let own = self.own_dealing(rng, period)?;
        self.take_dealing(now, rng, period, dealing)?;
        Ok(PeerReply::Dealing(own))
    }

    pub(super) fn dealing_answered(
        &mut self,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
        period: Period,
        reply: PeerReply,
    ) -> Result<(), StoreError> {
        match reply {
            PeerReply::Dealing(Some(dealing)) => self.take_dealing(now, rng, period, &dealing),
            _ => Ok(()),
        }
    }

    fn take_dealing(
        &mut self,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
        period: Period,
        dealing: &SignedDealing,
    ) -> Result<(), StoreError> {
        let Some(state) = self.periods.get_mut(&period) else { return Ok(()) };
        match state.ceremony.receive(dealing, &self.keys.ceremony) {
            DealingVerdict::Kept => {
                self.keep_ceremony(rng, period)?;
                self.propose(now, period)
            }
            DealingVerdict::Convicted(evidence) => {
                self.keep_ceremony(rng, period)?;
                self.convict(&evidence)?;
                self.tell_all(&PeerRequest::Complaint(period, evidence.encode()));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A peer complains about a dealing; if it is right, the dealer is out.
    pub(super) fn complained(
        &mut self,
        rng: &mut dyn CryptoRng,
        period: Period,
        evidence: &Evidence,
    ) -> Result<(), StoreError> {
        let Some(state) = self.periods.get_mut(&period) else { return Ok(()) };
        if state.ceremony.receive_complaint(evidence).is_none() {
            return Ok(());
        }
        self.keep_ceremony(rng, period)?;
        self.convict(evidence)
    }

    /// A coordinator asks for our signature, which is stored before it is shown.
    pub(super) fn proposed(
        &mut self,
        rng: &mut dyn CryptoRng,
        period: Period,
        proposal: &Proposal,
    ) -> Result<PeerReply, StoreError> {
        let Some(state) = self.periods.get_mut(&period) else { return Ok(PeerReply::Refused) };
        let answer = state.ceremony.countersign(proposal, &self.keys.signing, &self.keys.ceremony);
        let reply = match answer {
            Ok(signature) => PeerReply::Countersigned(signature.to_vec()),
            Err(CountersignError::AlreadySigned) => match state.ceremony.signed() {
                Some((proposal, signature)) => PeerReply::SignedBefore(proposal.clone(), signature.to_vec()),
                None => PeerReply::Refused,
            },
            Err(CountersignError::Excluded(evidence)) => {
                self.convict(&evidence)?;
                PeerReply::Excluded(evidence.encode())
            }
            Err(_) => PeerReply::Refused,
        };
        self.keep_ceremony(rng, period)?;
        Ok(reply)
    }

    pub(super) fn proposal_answered(
        &mut self,
        rng: &mut dyn CryptoRng,
        from: ProviderId,
        period: Period,
        reply: PeerReply,
    ) -> Result<(), StoreError> {
        let proposed = self.periods.get(&period).and_then(|state| state.progress.proposed.clone());
        let (proposal, signature) = match (reply, proposed) {
            (PeerReply::Countersigned(signature), Some((_, proposal))) => (proposal, signature),
            // whoever signed another transcript cannot sign ours; we can sign theirs
            (PeerReply::SignedBefore(proposal, signature), _) => (proposal, signature),
            (PeerReply::Excluded(evidence), _) => {
                return match Evidence::decode(&evidence) {
                    Ok(evidence) => self.complained(rng, period, &evidence),
                    Err(_) => Ok(()),
                };
            }
            _ => return Ok(()),
        };
        let Ok(signature) = signature.try_into() else { return Ok(()) };
        self.join(rng, (from, signature), period, &proposal)
    }

    /// Adds our signature to a peer's and shows the finished table to everybody.
    fn join(
        &mut self,
        rng: &mut dyn CryptoRng,
        (from, signature): (ProviderId, [u8; 64]),
        period: Period,
        proposal: &Proposal,
    ) -> Result<(), StoreError> {
        let Some(state) = self.periods.get_mut(&period).filter(|state| !state.ceremony.is_complete()) else {
            return Ok(());
        };
        if !state.ceremony.is_signed_by(proposal, from, &signature) {
            return Ok(());
        }
        let signed = state.ceremony.countersign(proposal, &self.keys.signing, &self.keys.ceremony);
        let joined = signed.ok().and_then(|_| state.ceremony.join(from, &signature));
        let Some(table) = joined else { return self.keep_ceremony(rng, period) };
        let finished = FinishedTable { table: table.encode().to_vec(), dealings: proposal.dealings().to_vec() };
        self.finish(rng, period, &finished)?;
        self.tell_all(&PeerRequest::Table(period, finished));
        Ok(())
    }

    /// Takes a finished table, stores it and begins to serve it.
    pub(super) fn finish(
        &mut self,
        rng: &mut dyn CryptoRng,
        period: Period,
        finished: &FinishedTable,
    ) -> Result<(), StoreError> {
        let Some(state) = self.periods.get_mut(&period).filter(|state| state.table().is_none()) else { return Ok(()) };
        let Ok(table) = SignedTable::decode(&finished.table) else { return Ok(()) };
        // our stored dealing in it shows that the store is as old as the table
        let took_part = state.ceremony.own_dealing().is_some_and(|own| finished.dealings.contains(own));
        if let Err(error) = state.ceremony.complete(&table, &finished.dealings) {
            tracing::warn!(%error, "a peer sent a table that is not finished");
            return Ok(());
        }
        if !took_part || !state.past.is_settled() {
            self.doubt_past(period)?;
        }
        self.keep_ceremony(rng, period)?;
        self.serve_if_finished(period);
        Ok(())
    }

    /// A finished table of a period near now, whether or not we took part.
    pub(super) fn finish_near(
        &mut self,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
        period: Period,
        finished: &FinishedTable,
    ) -> Result<(), StoreError> {
        let last = now.period().0.saturating_add(self.policy.lead_periods + 1);
        if period.0 > last || now >= retires_at(period) {
            return Ok(());
        }
        self.begin(now, rng, period)?;
        self.finish(rng, period, finished)
    }

    /// Serves a period whose ceremony is complete; without a good share it is served without evaluating.
    pub(super) fn serve_if_finished(&mut self, period: Period) {
        let Some(state) = self.periods.get_mut(&period) else { return };
        let Some((table, _)) = state.ceremony.finished() else { return };
        let share = state.ceremony.share(&self.keys.ceremony);
        if let Err(error) = &share {
            tracing::error!(%error, "no share of a finished table key");
        }
        state.serve((self.keys.me, self.federation.descriptor().ids()), table, share.ok());
    }

    pub(super) fn hand_out_table(&self, period: Period) -> PeerReply {
        let finished = self.periods.get(&period).and_then(|state| state.ceremony.finished());
        PeerReply::Table(finished.map(|(table, dealings)| FinishedTable { table: table.encode().to_vec(), dealings }))
    }
}
