use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use mosaic_types::{Period, Timestamp};
use mosaic_wire::{SignedTable, TableDescriptor};

use crate::{alerts::Evidence, providers::Providers};

/// How long before a period its table is asked for.
const AHEAD: Duration = Duration::from_mins(15);

/// How long the providers take deposits for a table that ended (DESIGN section 6).
pub(crate) const LATE_DEPOSITS: Duration = Duration::from_mins(10);

/// Table descriptors by period, the first trusted one of each.
#[derive(Default)]
pub(crate) struct Tables {
    known: BTreeMap<Period, (SignedTable, Arc<TableDescriptor>)>,
    asked: BTreeSet<Period>,
    rest_until: BTreeMap<Period, Timestamp>,
}

/// What became of a descriptor that came in.
pub(crate) enum Acceptance {
    New,
    Known,
    /// Not signed by two providers of this federation, or not what was asked for.
    Refused,
    /// Trusted like the one known, and different: somebody signed two.
    Conflict(Vec<Evidence>),
}

impl Tables {
    pub(crate) fn get(&self, period: Period) -> Option<Arc<TableDescriptor>> {
        self.known.get(&period).map(|(_, table)| table.clone())
    }

    /// Periods to ask for now, each marked as asked: those to read, and the one about to begin.
    pub(crate) fn claim_queries(&mut self, now: Timestamp, mut needed: BTreeSet<Period>) -> Vec<Period> {
        needed.insert(now.after(AHEAD).period());
        let missing = needed.into_iter().filter(|period| !self.known.contains_key(period));
        let rested = missing.filter(|period| self.rest_until.get(period).is_none_or(|until| *until <= now));
        rested.filter(|period| self.asked.insert(*period)).collect()
    }

    pub(crate) fn failed(&mut self, period: Period, retry_at: Timestamp) {
        self.asked.remove(&period);
        self.rest_until.insert(period, retry_at);
    }

    /// Forgets a table, to ask for it again.
    pub(crate) fn distrust(&mut self, period: Period) {
        self.known.remove(&period);
    }

    /// Takes a descriptor under two signatures of one transcript.
    pub(crate) fn accept(&mut self, period: Period, signed: &SignedTable, providers: &Providers) -> Acceptance {
        self.asked.remove(&period);
        let Ok(table) = signed.verify(|id| providers.key(id)) else { return Acceptance::Refused };
        let ours = table.period == period
            && table.tile == providers.tile()
            && table.threshold >= providers.descriptor().threshold
            && table.shares.iter().all(|share| providers.key(share.provider).is_some());
        if !ours {
            return Acceptance::Refused;
        }
        match self.known.get(&period) {
            Some((_, known)) if **known == *table => Acceptance::Known,
            Some((known, _)) => Acceptance::Conflict(Evidence::two_tables(known, signed)),
            None => {
                self.known.insert(period, (signed.clone(), Arc::new(table.clone())));
                self.rest_until.remove(&period);
                Acceptance::New
            }
        }
    }

    /// Forgets what is neither read nor written any more.
    pub(crate) fn expire(&mut self, now: Timestamp, oldest_read: Period) {
        let oldest = now.before(LATE_DEPOSITS).period().min(oldest_read);
        self.known.retain(|period, _| *period >= oldest);
        self.rest_until.retain(|period, _| *period >= oldest);
    }

    pub(crate) fn next_retry(&self, now: Timestamp) -> Option<Timestamp> {
        self.rest_until.values().copied().filter(|until| *until > now).min()
    }
}
