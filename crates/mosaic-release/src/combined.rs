use std::collections::{BTreeMap, BTreeSet};

use mosaic_geo::Cell;
use mosaic_obfuscate::{Ledger, Trail, trail::Candidate};
use mosaic_types::{Mode, Timestamp, Week};
use serde::{Deserialize, Serialize};

use crate::state::MemoKey;

/// Why a place is released as a zone only. The reply to the person says it; strangers see a zone, not why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WhyZone {
    /// The week's ledger does not cover a new place.
    LedgerSpent,
    /// Together with the week's earlier cells, the new one would tell too much (PRIVACY 2.3). It was paid for, because
    /// the decision looked at it.
    TellsTooMuch,
    /// The place changed once already in this half-hour epoch. Nothing was drawn or paid.
    ChangedJustNow,
}

/// What this week's budget was spent on: numbers, no places.
#[derive(Clone, Debug, PartialEq)]
pub struct Spendings {
    /// Left, in units of `ε · 200 m`.
    pub left: f64,
    /// New places paid for, and what one costs, by mode.
    pub paid: Vec<(Mode, u32, f64)>,
    /// Releases that left as a zone, by reason.
    pub zones: BTreeMap<WhyZone, u32>,
    /// First instant of the next week, when the budget is whole again.
    pub renews: Timestamp,
}

/// What a week's releases tell together, beside what each costs.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Combined {
    week: Week,
    trail: Trail,
    /// Places whose cell told too much: zones for the rest of the week, so that trying again draws nothing.
    withheld: BTreeSet<MemoKey>,
    zones: BTreeMap<WhyZone, u32>,
}

impl Combined {
    const fn new(week: Week) -> Self {
        Self { week, trail: Trail::new(week), withheld: BTreeSet::new(), zones: BTreeMap::new() }
    }

    /// That of `week`: the one known, or a new one.
    pub(crate) fn of(known: Option<&Self>, week: Week) -> Self {
        known.filter(|known| known.week == week).cloned().unwrap_or_else(|| Self::new(week))
    }

    /// What is decided before anything is drawn or paid: by what was withheld before, and by the pace.
    pub(crate) fn refuses(&self, key: &MemoKey, at: Timestamp) -> Option<WhyZone> {
        if self.withheld.contains(key) {
            return Some(WhyZone::TellsTooMuch);
        }
        (!self.trail.keeps_pace(key.anchor, at)).then_some(WhyZone::ChangedJustNow)
    }

    /// Takes a fine cell that was paid for, or says why only a zone may be shown. One that was seen before was weighed
    /// then.
    pub(crate) fn weigh(
        &mut self,
        candidate: &Candidate,
        key: MemoKey,
        broadcast: u64,
        weight: &impl Fn(Cell) -> u32,
    ) -> Result<(), WhyZone> {
        if self.trail.knows(candidate.anchor, candidate.mode) {
            self.trail.repeated(candidate.anchor, candidate.mode, candidate.at, broadcast);
            return Ok(());
        }
        if self.trail.withholds(candidate, weight) {
            self.withheld.insert(key);
            return Err(WhyZone::TellsTooMuch);
        }
        self.trail.released(candidate, broadcast);
        Ok(())
    }

    /// Counts a release that became a zone.
    pub(crate) fn count(&mut self, why: WhyZone) {
        let count = self.zones.entry(why).or_default();
        *count = count.saturating_add(1);
    }

    /// An event carries the broadcast.
    pub(crate) fn shown(&mut self, broadcast: u64) {
        self.trail.shown(broadcast);
    }

    /// The broadcast was taken back.
    pub(crate) fn withdrawn(&mut self, broadcast: u64) {
        self.trail.withdrawn(broadcast);
    }
}

/// What `week` was spent on, by what is remembered of it.
pub(crate) fn spendings(ledger: Option<&Ledger>, combined: Option<&Combined>, week: Week) -> Spendings {
    let modes = [Mode::Emergency, Mode::Balanced, Mode::Maximum];
    let paid = modes.map(|mode| {
        let places = ledger.map_or(0, |ledger| ledger.places(week, mode));
        (mode, places, Ledger::price_of(mode))
    });
    Spendings {
        left: ledger.map_or(Ledger::WEEKLY_BUDGET, |ledger| ledger.left(week)),
        paid: paid.into_iter().filter(|(_, places, _)| *places > 0).collect(),
        zones: Combined::of(combined, week).zones,
        renews: week.end(),
    }
}
