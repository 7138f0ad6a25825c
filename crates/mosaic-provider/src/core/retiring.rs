use mosaic_federation::{RetirementStep, TableState};
use mosaic_types::{Period, Timestamp};

use super::ProviderCore;
use crate::{
    layout,
    store::{Bucket, Change, Store, StoreError},
};

/// How a state is stored.
pub(super) fn state_byte(state: TableState) -> Vec<u8> {
    vec![state as u8]
}

/// A live table, and whether everything that was signed in it is surely in the store.
pub(super) fn settled_byte(settled: bool) -> Vec<u8> {
    if settled { state_byte(TableState::Live) } else { vec![TableState::Live as u8, 1] }
}

/// Whether [`settled_byte`] says so.
pub(super) fn is_settled(bytes: &[u8]) -> bool {
    bytes != [TableState::Live as u8, 1]
}

/// Reads [`state_byte`]; what is unreadable counts as tombstoned, because nothing may come back to life.
pub(super) fn state_of(bytes: &[u8]) -> TableState {
    match bytes {
        [0, ..] => TableState::Live,
        [2] => TableState::ShareDestroyed,
        [3] => TableState::Dropped,
        _ => TableState::Tombstoned,
    }
}

impl<S: Store> ProviderCore<S> {
    /// Takes every table that has to go as far as the store lets it. Each step is stored before the next
    /// begins, and repeating a step changes nothing.
    pub(super) fn retire(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let live = self.periods.keys().map(|period| (*period, TableState::Live));
        let leaving = self.retired.iter().map(|(period, state)| (*period, *state));
        let states: Vec<(Period, TableState)> = live.chain(leaving).collect();
        for (period, mut state) in states {
            while let Some(step) = state.next_step(period, now) {
                self.take_step(period, step)?;
                state = step.reaches();
            }
        }
        Ok(())
    }

    fn take_step(&mut self, period: Period, step: RetirementStep) -> Result<(), StoreError> {
        let reached = Change::Put(Bucket::Tables, layout::period(period), state_byte(step.reaches()));
        match step {
            RetirementStep::Tombstone => {
                self.store.commit(&[reached])?;
                // from here on nothing of it is served, whatever happens to the rest
                self.periods.remove(&period);
                self.staging.forget(period);
                self.pending.forget(|segment| segment.table.period() != period);
                self.cut_tables.forget(|stack| stack.table().period() == period);
            }
            RetirementStep::DestroyShare => {
                self.store.destroy_key(period)?;
                self.store.commit(&[Change::Remove(Bucket::Ceremonies, layout::period(period)), reached])?;
            }
            RetirementStep::DropRecords => {
                let mut changes = Vec::new();
                for table in layout::tables(period) {
                    for bucket in [Bucket::Open, Bucket::Verdicts, Bucket::Replicas, Bucket::Heads, Bucket::Blocks] {
                        changes.push(Change::Erase(bucket, layout::table(table)));
                    }
                }
                changes.push(reached);
                self.store.commit(&changes)?;
                self.counters.tables_retired += 2;
            }
        }
        self.retired.insert(period, step.reaches());
        Ok(())
    }
}
