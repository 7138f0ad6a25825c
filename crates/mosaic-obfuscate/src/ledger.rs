use std::collections::{BTreeMap, BTreeSet};

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
    /// What was spent in weeks that the clock has left, forwards or backwards.
    left_behind: BTreeMap<Week, u64>,
}

/// Most weeks left behind that are remembered; the oldest two are merged to the stricter.
const MOST_WEEKS: usize = 64;

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
        Self { week, spent: 0, anchors: BTreeSet::new(), left_behind: BTreeMap::new() }
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
    /// A later week starts with what was spent in it before, mostly nothing. A clock set back takes the most
    /// spent in any week from there on: a jump ahead and back gives nothing and pins nothing.
    pub fn charge(&mut self, week: Week, anchor: Anchor, mode: Mode) -> Charge {
        self.turn_to(week);
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

    fn turn_to(&mut self, week: Week) {
        if week == self.week {
            return;
        }
        let spent = self.spent_in(week);
        self.left_behind.insert(self.week, self.spent);
        if self.left_behind.len() > MOST_WEEKS
            && let Some((_, oldest)) = self.left_behind.pop_first()
            && let Some(mut next) = self.left_behind.first_entry()
        {
            *next.get_mut() = oldest.max(*next.get());
        }
        (self.week, self.spent) = (week, spent);
        self.anchors.clear();
    }

    /// What `week` would start from, were it turned to now.
    fn spent_in(&self, week: Week) -> u64 {
        if week == self.week {
            return self.spent;
        }
        let before = self.left_behind.get(&week).copied().unwrap_or_default();
        if week > self.week {
            return before;
        }
        self.left_behind.range(week..).map(|(_, spent)| *spent).fold(self.spent, u64::max)
    }

    /// Price of one new anchor in `mode`, in units of `ε · 200 m`, rounded up.
    pub fn price_of(mode: Mode) -> f64 {
        units(Self::price(mode))
    }

    /// How many new anchors were paid for in `week` and `mode`, as far as it is remembered: none for a week that the
    /// clock has left.
    pub fn places(&self, week: Week, mode: Mode) -> u32 {
        let paid = self.anchors.iter().filter(|(_, paid)| week == self.week && *paid == mode as u8);
        u32::try_from(paid.count()).unwrap_or(u32::MAX)
    }

    /// The week whose spending this is.
    pub const fn week(&self) -> Week {
        self.week
    }

    /// Spent in `week` so far, in units of `ε · 200 m`, rounded up.
    pub fn spent(&self, week: Week) -> f64 {
        units(self.spent_in(week))
    }

    /// Left in `week`, in units of `ε · 200 m`, never more than what is truly left.
    pub fn left(&self, week: Week) -> f64 {
        units(WEEKLY.saturating_sub(self.spent_in(week)))
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

    /// Ahead and back, as often as one likes: no fresh budget, and the true next week is not pinned.
    #[test]
    fn a_clock_that_jumps_gives_nothing_and_pins_nothing() {
        let (now, far) = (Week(2_900), Week(9_000));
        let mut ledger = Ledger::new(now);
        for number in 0..7 {
            ledger.charge(now, anchor(number), Mode::Balanced);
        }
        let spent = ledger.spent(now);
        for round in 0..20 {
            let ahead = Week(far.0 + round);
            assert_eq!(ledger.charge(ahead, anchor(20), Mode::Maximum), Charge::Charged);
            assert!(ledger.spent(now) >= spent);
            assert_eq!(ledger.charge(now, anchor(20 + round), Mode::Balanced), Charge::Spent);
            assert_eq!(ledger.week(), now);
        }
        assert_eq!(ledger.charge(Week(2_901), anchor(1), Mode::Balanced), Charge::Charged);
        let left = ledger.left(Week(2_901));
        ledger.charge(Week(2_902), anchor(1), Mode::Balanced);
        ledger.charge(now, anchor(50), Mode::Balanced);
        assert!(ledger.left(Week(2_901)) <= left, "a week come to twice is one week");
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
