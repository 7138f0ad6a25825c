//! What this provider may have signed before its store was lost.
//!
//! A store can be lost while others hold what was signed from it. To begin a table anew would then sign a
//! second history and convict an honest operator. So whoever gets a finished table without a stored part
//! in making it asks every peer for traces of its own, and takes no deposits for it before all said that
//! there are none. Where there are some, it serves the table as a reader for the rest of its life.

use std::collections::BTreeSet;

use mosaic_federation::{Deposits, TableState, peer::PeerRequest, takes_deposits};
use mosaic_types::{Period, ProviderId, Timestamp};

use super::{
    ProviderCore,
    exchange::Purpose,
    retiring::{settled_byte, state_byte},
};
use crate::{
    layout,
    store::{Bucket, Change, Store, StoreError},
};

/// Whether deposits for a table may be taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// Nothing was signed that is not in the store.
    Settled,
    /// These peers have not said yet that they hold nothing of ours.
    Asking {
        /// Who is still to answer.
        left: BTreeSet<ProviderId>,
        /// When we last asked.
        asked: Option<Timestamp>,
    },
    /// A peer holds something that our store does not.
    Lost,
}

impl Past {
    pub(super) const fn is_settled(&self) -> bool {
        matches!(self, Self::Settled)
    }

    pub(super) fn unknown(peers: Vec<ProviderId>) -> Self {
        Self::Asking { left: peers.into_iter().collect(), asked: None }
    }
}

impl<S: Store> ProviderCore<S> {
    /// Notes, before the table is stored, that we may have a past in it that we do not know. In memory
    /// first: if the store refuses now, the doubt must be noted when the table comes again.
    pub(super) fn doubt_past(&mut self, period: Period) -> Result<(), StoreError> {
        let peers = self.outbox.peers();
        if let Some(state) = self.periods.get_mut(&period) {
            state.past = Past::unknown(peers);
        }
        self.store.commit(&[Change::Put(Bucket::Tables, layout::period(period), settled_byte(false))])
    }

    /// When peers are to be asked.
    pub(super) fn past_times(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.periods.values().filter(|state| state.table().is_some()).filter_map(|state| match &state.past {
            Past::Asking { asked, .. } => {
                Some(asked.map_or(Timestamp::from_millis(0), |at| at.after(self.policy.attempt)))
            }
            _ => None,
        })
    }

    /// Asks peers about every past that is in doubt; a table that took no deposits yet has none.
    pub(super) fn settle_past(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let mut fresh = Vec::new();
        for (period, state) in &mut self.periods {
            let served = state.table().is_some();
            let Past::Asking { left, asked } = &mut state.past else { continue };
            if takes_deposits(*period, now) == Deposits::TooEarly || left.is_empty() {
                fresh.push(*period);
            } else if served && asked.is_none_or(|at| now.since(at) >= self.policy.attempt) {
                *asked = Some(now);
                for peer in left.iter() {
                    self.outbox.ask(*peer, PeerRequest::Traces(*period), Purpose::Trace(*period));
                }
            }
        }
        fresh.into_iter().try_for_each(|period| self.settle(period))
    }

    fn settle(&mut self, period: Period) -> Result<(), StoreError> {
        self.store.commit(&[Change::Put(Bucket::Tables, layout::period(period), state_byte(TableState::Live))])?;
        if let Some(state) = self.periods.get_mut(&period) {
            state.past = Past::Settled;
        }
        Ok(())
    }

    /// A peer said whether it holds anything of ours.
    pub(super) fn traced(&mut self, peer: ProviderId, period: Period, found: bool) -> Result<(), StoreError> {
        let Some(state) = self.periods.get_mut(&period) else { return Ok(()) };
        let Past::Asking { left, .. } = &mut state.past else { return Ok(()) };
        if found {
            tracing::error!(
                period = period.0,
                "the store lacks what this provider signed; no deposits for this table, the next ones are not affected"
            );
            state.past = Past::Lost;
            return Ok(());
        }
        left.remove(&peer);
        if left.is_empty() { self.settle(period) } else { Ok(()) }
    }

    /// Whether anything of `origin` in a period's tables is here: heads, waiting heads, or copies.
    pub(super) fn traces_of(&self, origin: ProviderId, period: Period) -> Result<bool, StoreError> {
        for table in layout::tables(period) {
            for segment in layout::segments(table, std::iter::once(origin)) {
                let prefix = layout::segment(segment);
                let headed = self.pending.knows(segment) || self.store.has(Bucket::Heads, &prefix)?;
                if headed || self.store.has(Bucket::Replicas, &prefix)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whether the chain of our own segments is to be fetched back from peers, to be shown to readers.
    pub(super) fn is_lost(&self, period: Period) -> bool {
        self.periods.get(&period).is_some_and(|state| state.past == Past::Lost)
    }
}
