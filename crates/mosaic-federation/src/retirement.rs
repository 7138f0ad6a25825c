use std::time::Duration;

use mosaic_types::{Period, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a table lives from the start of its period (DESIGN section 6): twelve tables at any time.
pub const TABLE_LIFE: Duration = Duration::from_hours(48);

/// How long after a table's end deposits are still taken for it.
pub const DEPOSIT_GRACE: Duration = Duration::from_mins(10);

/// How far an agent's clock may be from the provider's.
pub const MAX_SKEW: Duration = Duration::from_mins(5);

/// Where a table stands on its way out. Each state is stored durably before the next step begins, so a
/// crash anywhere resumes at the step it interrupted, and every step may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TableState {
    /// In use.
    Live,
    /// Its end is decided and stored: nothing of it is served any more.
    Tombstoned,
    /// This provider's share and the key that sealed it are destroyed.
    ShareDestroyed,
    /// Records, heads and dealings are dropped; the tombstone stays and answers 410.
    Dropped,
}

/// The next thing to do with a table that has to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetirementStep {
    /// Store the tombstone.
    Tombstone,
    /// Destroy the share, its sealing key and the dealings it could be rebuilt from.
    DestroyShare,
    /// Drop records and heads.
    DropRecords,
}

impl TableState {
    /// What must happen next to a table of `period` at `now`.
    pub fn next_step(self, period: Period, now: Timestamp) -> Option<RetirementStep> {
        match self {
            Self::Live => (now >= retires_at(period)).then_some(RetirementStep::Tombstone),
            Self::Tombstoned => Some(RetirementStep::DestroyShare),
            Self::ShareDestroyed => Some(RetirementStep::DropRecords),
            Self::Dropped => None,
        }
    }

    /// Whether reads and evaluations are still answered.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Live)
    }
}

impl RetirementStep {
    /// The state to store once the step is done.
    pub const fn reaches(self) -> TableState {
        match self {
            Self::Tombstone => TableState::Tombstoned,
            Self::DestroyShare => TableState::ShareDestroyed,
            Self::DropRecords => TableState::Dropped,
        }
    }
}

/// When the tables of `period` are retired.
pub fn retires_at(period: Period) -> Timestamp {
    period.start().after(TABLE_LIFE)
}

/// Whether a deposit for the tables of `period` may arrive at `now`: while the period lasts, ten
/// minutes after it, and as early as a clock may be wrong.
pub fn takes_deposits(period: Period, now: Timestamp) -> Deposits {
    if now.after(MAX_SKEW) < period.start() {
        Deposits::TooEarly
    } else if now >= period.end().after(DEPOSIT_GRACE) {
        Deposits::Closed
    } else {
        Deposits::Taken
    }
}

/// Whether a table takes deposits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deposits {
    /// It does.
    Taken,
    /// Its period begins later than any honest clock could think.
    TooEarly,
    /// Its period and the grace after it are over.
    Closed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_walks_through_every_state_once() {
        let period = Period(100);
        let late = retires_at(period);
        assert_eq!(TableState::Live.next_step(period, late.before(Duration::from_millis(1))), None);
        let mut state = TableState::Live;
        let mut walked = Vec::new();
        while let Some(step) = state.next_step(period, late) {
            assert!(step.reaches() > state);
            state = step.reaches();
            walked.push(step);
        }
        assert_eq!(walked, [RetirementStep::Tombstone, RetirementStep::DestroyShare, RetirementStep::DropRecords]);
        assert_eq!(state, TableState::Dropped);
    }

    #[test]
    fn deposits_end_ten_minutes_after_the_period() {
        let period = Period(100);
        let minute = Duration::from_mins(1);
        assert_eq!(takes_deposits(period, period.start().before(6 * minute)), Deposits::TooEarly);
        assert_eq!(takes_deposits(period, period.start().before(5 * minute)), Deposits::Taken);
        assert_eq!(takes_deposits(period, period.end().after(9 * minute)), Deposits::Taken);
        assert_eq!(takes_deposits(period, period.end().after(10 * minute)), Deposits::Closed);
    }
}
