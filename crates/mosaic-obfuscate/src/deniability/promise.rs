use std::fmt;

use super::Gate;

/// What one draw through a gate costs, in differential privacy over records that are added or taken away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guarantee {
    /// By how much the logarithm of a probability may change.
    pub epsilon: f64,
    /// With which probability it may change by more.
    pub delta: f64,
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ε {:.3} at δ {:.1e}", self.epsilon, self.delta)
    }
}

impl Gate {
    /// The most that whoever knows all records and the generator can believe of any record that it was the seed of what
    /// was let out, where the threshold is fixed and seeds are drawn evenly: `γ / (γ + k − 1)`. Where the threshold is
    /// drawn, 1: then it is differential privacy that holds.
    pub fn most_believed(&self) -> f64 {
        match self.epsilon0 {
            None => self.gamma / (self.gamma + f64::from(self.k) - 1.0),
            Some(_) => 1.0,
        }
    }

    /// Theorem 1 of the paper at `t`: `ε = ε₀ + ln(1 + γ / t)` and `δ = exp(−ε₀ (k − t))`. `None` for a fixed threshold,
    /// which is no differential privacy, and for `t` outside `2..k`.
    pub fn guarantee(&self, t: u32) -> Option<Guarantee> {
        let epsilon0 = self.epsilon0.filter(|_| (Self::FEWEST..self.k).contains(&t))?;
        let delta = (-epsilon0 * f64::from(self.k - t)).exp();
        Some(Guarantee { epsilon: epsilon0 + (self.gamma / f64::from(t)).ln_1p(), delta })
    }

    /// The least ε at a δ of at most `delta`; `None` where no `t` gives one.
    pub fn least(&self, delta: f64) -> Option<Guarantee> {
        // δ grows with t and ε falls
        let mut fitting = (Self::FEWEST..self.k).rev().filter_map(|t| self.guarantee(t));
        fitting.find(|guarantee| guarantee.delta <= delta)
    }
}
