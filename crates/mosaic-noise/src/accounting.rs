//! What a sequence of noisy answers costs, for statistics over many people (L3-58, L3-62, L3-63). Location releases are
//! charged elsewhere: there distances add and the exact sum is tight (the ledger of `mosaic-obfuscate`).
//!
//! An [`Accountant`] holds every mechanism that ran and states the least of four valid bounds: the plain sum, advanced
//! composition (Dwork, Rothblum and Vadhan 2010), Rényi differential privacy (Mironov 2017) and the composed privacy loss
//! distribution (Koskela et al. 2020, Gopi et al. 2021). Each is rounded upwards, so the least of them is never below
//! the true value (PRIVACY 2.2, scoreboard row 24).
//!
//! **What composition assumes.** Answers may depend on earlier ones; which mechanisms run, and how many, may not depend
//! on what the earlier noise came out as. Floating point serves the accounting only, never a sampler.

mod basic;
mod epsilon;
mod fourier;
mod loss;
mod mechanism;
mod renyi;

use std::collections::BTreeMap;

use thiserror::Error;

pub use basic::{advanced, plain_sum};
pub use epsilon::{Epsilon, InvalidEpsilon};
pub use loss::loss_distribution;
pub use mechanism::Mechanism;
pub use renyi::{orders, renyi, renyi_at};

/// How often each mechanism ran.
pub type Runs = BTreeMap<Mechanism, u32>;

/// What was spent, by each bound, at the accountant's δ. All in ε; infinite where a bound says nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spending {
    /// The plain sum, for δ = 0; infinite once a mechanism ran that has no pure ε.
    pub plain: f64,
    /// Advanced composition with both terms (Dwork, Rothblum and Vadhan 2010).
    pub advanced: f64,
    /// Rényi differential privacy.
    pub renyi: f64,
    /// The composed privacy loss distribution.
    pub loss: f64,
    /// The total budget.
    pub total: f64,
}

impl Spending {
    /// What is reported as used: the least of the valid bounds.
    pub fn used(&self) -> f64 {
        [self.advanced, self.renyi, self.loss].into_iter().fold(self.plain, f64::min)
    }

    /// What is left of the total, never more than what is truly left.
    pub fn left(&self) -> f64 {
        (self.total - self.used()).max(0.0)
    }
}

/// A budget that does not cover what was asked. Nothing was charged and nothing was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("the privacy budget does not cover this: {left:.2} of {total:.2} is left, it would take {would_use:.2} in all")]
pub struct Overspent {
    /// What is left, in ε.
    pub left: f64,
    /// What would have been used in all.
    pub would_use: f64,
    /// The total, in ε.
    pub total: f64,
}

/// Adds up what noisy answers cost and refuses when the budget is spent.
#[derive(Clone, Debug, PartialEq)]
pub struct Accountant {
    total: f64,
    delta: f64,
    runs: Runs,
}

impl Default for Accountant {
    fn default() -> Self {
        Self { total: Self::TOTAL, delta: Self::DELTA, runs: Runs::new() }
    }
}

impl Accountant {
    /// The total budget in ε (L3-62).
    pub const TOTAL: f64 = 10.0;
    /// The chance δ with which a bound may fail (L3-58).
    pub const DELTA: f64 = 1e-6;

    /// With a total of 0 to 1,000 in ε and δ from 1e-9 to 1e-2; what lies outside is brought to the stricter end.
    pub fn new(total: f64, delta: f64) -> Self {
        let total = if total.is_finite() { total.clamp(0.0, 1_000.0) } else { 0.0 };
        let delta = if delta.is_finite() { delta.clamp(1e-9, 1e-2) } else { 1e-9 };
        Self { total, delta, runs: Runs::new() }
    }

    /// Pays for some runs of some mechanisms, all or none of them, before anything is drawn.
    ///
    /// # Errors
    /// [`Overspent`] when they do not fit the budget; nothing was charged.
    pub fn charge(&mut self, asked: &[(Mechanism, u32)]) -> Result<Spending, Overspent> {
        let mut runs = self.runs.clone();
        for (mechanism, times) in asked {
            let known = runs.entry(*mechanism).or_default();
            *known = known.saturating_add(*times);
        }
        let spending = self.bounds(&runs);
        if spending.used() > self.total {
            let left = self.spending().left();
            return Err(Overspent { left, would_use: spending.used(), total: self.total });
        }
        self.runs = runs;
        Ok(spending)
    }

    /// What was spent so far.
    pub fn spending(&self) -> Spending {
        self.bounds(&self.runs)
    }

    fn bounds(&self, runs: &Runs) -> Spending {
        Spending {
            plain: plain_sum(runs),
            advanced: advanced(runs, self.delta),
            renyi: renyi(runs, self.delta),
            loss: loss_distribution(runs, self.delta),
            total: self.total,
        }
    }
}

/// A little up: covers the rounding of some hundred operations.
fn outwards(value: f64) -> f64 {
    value * (1.0 + 1e-12)
}
