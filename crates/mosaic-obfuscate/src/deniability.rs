//! Plausible deniability: the gate that whatever is generated from people's data has to pass (Bindschaedler, Shokri and
//! Gunter, "Plausible Deniability for Privacy-Preserving Data Synthesis", VLDB 2017).
//!
//! Nothing in the product generates from anybody's data: personas and their paths follow from a seed and public places.
//! Should a generator ever see data, what it makes is kept in a [`Deniable`], and only a [`Gate`] makes one: it draws a
//! record as the seed, lets the [`Generator`] make an output of it, and lets the output out only if enough other records
//! could have been the seed about as well.
//!
//! **What it gives.** With [`Gate::fixed`], whoever knows all records and has an output names its seed with probability
//! [`Gate::most_believed`] at most. With [`Gate::randomised`], one draw is (ε, δ)-differentially private in the records,
//! [`Gate::guarantee`]. Both were checked by enumeration on small domains (`tests/it/deniability.rs`).
//!
//! **What it leaves out.**
//! - A generator that was fitted to the same records tells of them beside what the seed tells. Fit it to others, or fit it
//!   privately and add that up.
//! - A record is what one person gave: of somebody with two records, the one denies the other and nothing is hidden.
//! - The theorem speaks of outputs, not of refusals: who sees that nothing came learns more (there is a test for it). How
//!   many outputs were refused must stay with whoever holds the records.
//! - Every output is charged: n outputs cost n times [`Guarantee`], or what [`crate::accounting`] makes of it.
//! - Probabilities are floating-point numbers; at the edge of a class they are right to about 1e-12.

mod promise;

use std::fmt;

use rand::{Rng, RngExt};
use thiserror::Error;

pub use promise::Guarantee;

/// Makes outputs from records, and can say how probable each is. Outputs are discrete.
pub trait Generator {
    /// What one person gave.
    type Record;
    /// What is made of it.
    type Output;

    /// An output from this seed.
    fn generate(&self, seed: &Self::Record, rng: &mut impl Rng) -> Self::Output;

    /// The natural logarithm of the probability that [`Self::generate`] makes this output of this seed, over everything
    /// it draws; `-∞` for what it never makes. A generator that states this wrongly is not protected by the gate.
    fn ln_probability(&self, output: &Self::Output, seed: &Self::Record) -> f64;
}

/// An output that passed a [`Gate`]: enough records could have been its seed.
///
/// Nothing else can make one, so a function that takes a `Deniable` cannot be given what skipped the gate:
///
/// ```compile_fail
/// let forged = mosaic_obfuscate::deniability::Deniable("somebody's day");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Deniable<T>(T);

impl<T> Deniable<T> {
    /// The output.
    pub const fn get(&self) -> &T {
        &self.0
    }

    /// The output, no longer marked.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Numbers that make no gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a gate takes k of at least 2 (at least 3 where the threshold is drawn), γ above 1 and ε₀ above 0, all finite")]
pub struct InvalidGate;

/// The test of Bindschaedler et al.: which outputs may be let out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gate {
    k: u32,
    gamma: f64,
    /// How the threshold is drawn; absent where it is `k` itself.
    epsilon0: Option<f64>,
}

impl Gate {
    /// However the threshold falls, an output that fewer records could have made is refused. What may be had of `δ` by
    /// that is within the theorem's for `t` of 2 and more.
    const FEWEST: u32 = 2;

    /// Privacy test 1: lets out what at least `k` records, the seed among them, make with probabilities of one class;
    /// class `i` is `γ^-(i+1)` exclusive to `γ^-i` inclusive.
    ///
    /// # Errors
    /// [`InvalidGate`] for `k` below 2 or `gamma` not above 1.
    pub fn fixed(k: u32, gamma: f64) -> Result<Self, InvalidGate> {
        let fits = k >= Self::FEWEST && gamma > 1.0 && gamma.is_finite();
        fits.then_some(Self { k, gamma, epsilon0: None }).ok_or(InvalidGate)
    }

    /// Privacy test 2: as [`Self::fixed`] with a threshold of `k` plus Laplace noise of scale `1 / epsilon0`, drawn anew
    /// for each output; never below two records.
    ///
    /// # Errors
    /// [`InvalidGate`] for `k` below 3, `gamma` not above 1 or `epsilon0` not above 0.
    pub fn randomised(k: u32, gamma: f64, epsilon0: f64) -> Result<Self, InvalidGate> {
        let fits = k > Self::FEWEST && epsilon0 > 0.0 && epsilon0.is_finite();
        let gate = Self::fixed(k, gamma)?;
        fits.then_some(Self { epsilon0: Some(epsilon0), ..gate }).ok_or(InvalidGate)
    }

    /// Mechanism 1: draws one of `records` evenly, makes an output of it and lets it out if it passes. `None` for what
    /// does not, and where there are fewer than `k` records.
    pub fn release<G: Generator>(
        &self,
        generator: &G,
        records: &[G::Record],
        rng: &mut impl Rng,
    ) -> Option<Deniable<G::Output>> {
        let seed = records.get(rng.random_range(0..records.len().max(1)))?;
        let output = generator.generate(seed, rng);
        let passes = self.passing(generator, records, seed, &output);
        rng.random_bool(passes).then_some(Deniable(output))
    }

    /// The probability that this output of this seed, which is one of `records`, is let out. It depends on the records:
    /// for tests and measurements, not for strangers.
    pub fn passing<G: Generator>(
        &self,
        generator: &G,
        records: &[G::Record],
        seed: &G::Record,
        output: &G::Output,
    ) -> f64 {
        if u32::try_from(records.len()).is_ok_and(|count| count < self.k) {
            return 0.0;
        }
        self.allows(self.plausible(generator, records, seed, output))
    }

    /// How many of `records` make the output with a probability of the seed's class, the seed included; 0 for an output
    /// that the seed never makes.
    pub fn plausible<G: Generator>(
        &self,
        generator: &G,
        records: &[G::Record],
        seed: &G::Record,
        output: &G::Output,
    ) -> u32 {
        let class = |record| self.class(generator.ln_probability(output, record));
        let Some(own) = class(seed) else { return 0 };
        u32::try_from(records.iter().filter(|record| class(record) == Some(own)).count()).unwrap_or(u32::MAX)
    }

    /// The class of a probability, from 0 for the greatest; none for what never happens.
    fn class(&self, ln_probability: f64) -> Option<u64> {
        // above 1 there is only what rounding made of 1
        let depth = (-ln_probability).max(0.0) / self.gamma.ln();
        depth.is_finite().then_some(depth.floor() as u64)
    }

    /// The probability that so many plausible seeds are enough. Drawn from, it is the comparison with `k` plus noise,
    /// without a noise that could be read off.
    fn allows(&self, plausible: u32) -> f64 {
        let above = f64::from(plausible) - f64::from(self.k);
        match self.epsilon0 {
            _ if plausible < Self::FEWEST => 0.0,
            None => f64::from(u8::from(above >= 0.0)),
            Some(epsilon0) if above < 0.0 => 0.5 * (epsilon0 * above).exp(),
            Some(epsilon0) => 1.0 - 0.5 * (-epsilon0 * above).exp(),
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "k {}, γ {}", self.k, self.gamma)?;
        self.epsilon0.map_or(Ok(()), |epsilon0| write!(f, ", ε₀ {epsilon0}"))
    }
}
