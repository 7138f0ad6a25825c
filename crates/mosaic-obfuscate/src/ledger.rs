use std::collections::BTreeSet;

use mosaic_types::{Mode, Week};
use serde::{Deserialize, Serialize};

use crate::blur::Anchor;

/// Budget of a week in billionths, in units of `ε · 200 m` (DESIGN section 4: 10.0).
const WEEKLY: u64 = 10_000_000_000;

/// What a week's releases have cost, in units of `ε · 200 m` of the mode that made them.
///
/// A new anchor costs ln 4 in balanced mode (so 7 fit a week), 4·ln 4 in emergency and 0.4·ln 4 in
/// maximum; a repeated one is free, because it repeats its output. Amounts are whole billionths rounded
/// up, so the sum shown is never below the true sum (PRIVACY 2.3, scoreboard row 24).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    week: Week,
    spent: u64,
    anchors: BTreeSet<(Anchor, u8)>,
}

/// What the ledger says to one release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// The anchor was released before this week in this mode: free.
    Repeat,
    /// The anchor is new and has been paid for.
    Charged,
    /// The budget does not cover a new anchor: only a zone may be released. Nothing was charged.
    Spent,
}

impl Ledger {
    /// Budget of one week, in units of `ε · 200 m`.
    pub const WEEKLY_BUDGET: f64 = 10.0;

    /// An untouched ledger for `week`.
    pub const fn new(week: Week) -> Self {
        Self { week, spent: 0, anchors: BTreeSet::new() }
    }

    /// Price of one new anchor in `mode`, in billionths, rounded up.
    fn price(mode: Mode) -> u64 {
        let units = 4.0_f64.ln() * 200.0 / mode.profile().location_scale_m;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 10^10")]
        let billionths = (units * 1e9).ceil() as u64;
        billionths
    }

    /// Pays for releasing `anchor` in `mode` during `week`, or says that only a zone is left.
    ///
    /// A later week starts afresh; an earlier one (a clock set back) is charged to the current ledger.
    pub fn charge(&mut self, week: Week, anchor: Anchor, mode: Mode) -> Charge {
        if week > self.week {
            *self = Self::new(week);
        }
        let entry = (anchor, mode as u8);
        if self.anchors.contains(&entry) {
            return Charge::Repeat;
        }
        let total = self.spent.saturating_add(Self::price(mode));
        if total > WEEKLY {
            return Charge::Spent;
        }
        self.spent = total;
        self.anchors.insert(entry);
        Charge::Charged
    }

    /// The week whose spending this is.
    pub const fn week(&self) -> Week {
        self.week
    }

    /// Spent in `week` so far, in units of `ε · 200 m`, rounded up.
    pub fn spent(&self, week: Week) -> f64 {
        if week > self.week { 0.0 } else { units(self.spent) }
    }

    /// Left in `week`, in units of `ε · 200 m`, never more than what is truly left.
    pub fn left(&self, week: Week) -> f64 {
        if week > self.week { Self::WEEKLY_BUDGET } else { units(WEEKLY.saturating_sub(self.spent)) }
    }
}

fn units(billionths: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "at most 10^10, exact in 53 bits")]
    let whole = billionths as f64;
    whole / 1e9
}

#[cfg(test)]
mod tests {
    use mosaic_types::LatLng;
    use proptest::prelude::*;

    use super::*;

    fn anchor(number: u32) -> Anchor {
        Anchor::of(LatLng::new(f64::from(number) / 100.0, 5.0).unwrap(), &[7; 32])
    }

    #[test]
    fn seven_balanced_anchors_fit_and_repeats_are_free() {
        let mut ledger = Ledger::new(Week(2_900));
        for number in 0..7 {
            assert_eq!(ledger.charge(Week(2_900), anchor(number), Mode::Balanced), Charge::Charged);
            assert_eq!(ledger.charge(Week(2_900), anchor(number), Mode::Balanced), Charge::Repeat);
        }
        assert_eq!(ledger.charge(Week(2_900), anchor(7), Mode::Balanced), Charge::Spent);
        assert_eq!(ledger.charge(Week(2_900), anchor(3), Mode::Balanced), Charge::Repeat);
        assert_eq!(ledger.charge(Week(2_901), anchor(7), Mode::Balanced), Charge::Charged);
    }

    #[test]
    fn a_clock_set_back_gives_nothing_back() {
        let mut ledger = Ledger::new(Week(2_900));
        ledger.charge(Week(2_901), anchor(1), Mode::Emergency);
        assert_eq!(ledger.charge(Week(2_900), anchor(2), Mode::Emergency), Charge::Spent);
        assert!(ledger.left(Week(2_900)) < 4.5);
    }

    proptest! {
        /// Whatever is released, the sum shown is never below the true sum and never above the budget.
        #[test]
        fn never_below_the_true_sum(releases in prop::collection::vec((0_u32..40, 0_usize..3), 1..60)) {
            let mut ledger = Ledger::new(Week(1));
            let mut true_sum = 0.0;
            for (number, mode) in releases {
                let mode = [Mode::Emergency, Mode::Balanced, Mode::Maximum][mode];
                if ledger.charge(Week(1), anchor(number), mode) == Charge::Charged {
                    true_sum += 4.0_f64.ln() * 200.0 / mode.profile().location_scale_m;
                }
            }
            prop_assert!(ledger.spent(Week(1)) >= true_sum - 1e-12);
            prop_assert!(ledger.spent(Week(1)) <= Ledger::WEEKLY_BUDGET);
            prop_assert!(ledger.left(Week(1)) <= Ledger::WEEKLY_BUDGET - true_sum + 1e-12);
        }
    }
}
