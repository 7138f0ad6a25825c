use std::f64::consts::SQRT_2;

use super::Epsilon;

/// A mechanism as the accountant knows it: the worst pair of neighbouring inputs, exactly.
///
/// Under every one the loss of the pair (P, Q) has the law of the pair (Q, P), so one side is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mechanism {
    /// Anything with a pure ε. Randomised response loses most among them (Kairouz, Oh and Viswanath 2015) and stands
    /// for all.
    Pure(Epsilon),
    /// Laplace noise of scale sensitivity / ε on the real line.
    Laplace(Epsilon),
    /// Discrete Laplace noise on whole steps; neighbours differ by at most `steps` (at most 100,000).
    DiscreteLaplace {
        /// The ε between neighbours.
        epsilon: Epsilon,
        /// How many steps apart neighbours are at most.
        steps: u32,
    },
    /// The exponential mechanism over `options` with utility 1 for the truth and 0 for the rest, weight `exp(ε u / 2)`
    /// (L3-61). Its sum of weights is the same for every truth, so the odds of an output change by `exp(ε/2)` at most:
    /// half of what the general theorem grants.
    Choice {
        /// The ε of the general theorem.
        epsilon: Epsilon,
        /// How many there are to choose from, at least two.
        options: u32,
    },
    /// Gaussian noise; the deviation over the sensitivity, in thousandths. It has no pure ε.
    Gaussian {
        /// Deviation over sensitivity, in thousandths, at least 1.
        ratio_thousandths: u32,
    },
}

/// A privacy loss and the probability with which it occurs.
pub(super) type Atom = (f64, f64);

impl Mechanism {
    /// The pure ε that plain and advanced composition count, if there is one.
    pub const fn pure(&self) -> Option<Epsilon> {
        match *self {
            Self::Pure(epsilon)
            | Self::Laplace(epsilon)
            | Self::DiscreteLaplace { epsilon, .. }
            | Self::Choice { epsilon, .. } => Some(epsilon),
            Self::Gaussian { .. } => None,
        }
    }

    /// The losses that occur with a probability of their own.
    pub(super) fn atoms(&self) -> Vec<Atom> {
        match *self {
            Self::Pure(epsilon) => {
                let (epsilon, odds) = (epsilon.get(), (-epsilon.get()).exp());
                vec![(-epsilon, odds / (1.0 + odds)), (epsilon, 1.0 / (1.0 + odds))]
            }
            Self::Laplace(epsilon) => {
                let epsilon = epsilon.get();
                vec![(-epsilon, 0.5 * (-epsilon).exp()), (epsilon, 0.5)]
            }
            Self::DiscreteLaplace { epsilon, steps } => discrete_laplace(epsilon.get(), steps.clamp(1, 100_000)),
            Self::Choice { epsilon, options } => {
                let (half, others) = (epsilon.get() / 2.0, f64::from(options.max(2)) - 1.0);
                let odds = (-half).exp();
                let all = 1.0 + others * odds;
                vec![(-half, odds / all), (0.0, (others - 1.0) * odds / all), (half, 1.0 / all)]
            }
            Self::Gaussian { .. } => Vec::new(),
        }
    }

    /// Beside its atoms: the probability under P and under Q that the loss lies in `(from, to]`.
    pub(super) fn between(&self, from: f64, to: f64) -> (f64, f64) {
        match *self {
            Self::Laplace(epsilon) => {
                let epsilon = epsilon.get();
                // the loss ε (1 − 2x) of a point x of the unit interval
                let point = |loss: f64| (0.5 - loss / (2.0 * epsilon)).clamp(0.0, 1.0);
                let (x, y) = (point(to), point(from));
                let part = |start: f64| -0.5 * (-epsilon * start).exp() * (-epsilon * (y - x)).exp_m1();
                (part(x), part(1.0 - y))
            }
            Self::Gaussian { .. } => {
                let mu = self.shift();
                let mass = |mean: f64| {
                    let (low, high) = ((from - mean) / mu, (to - mean) / mu);
                    // the smaller tails subtract without loss of digits
                    let tail = |z: f64| 0.5 * libm::erfc(z / SQRT_2);
                    if low > 0.0 { tail(low) - tail(high) } else { tail(-high) - tail(-low) }
                };
                (mass(mu * mu / 2.0), mass(-mu * mu / 2.0))
            }
            _ => (0.0, 0.0),
        }
    }

    /// The losses that [`Self::between`] is about, as a span; beyond it lies less than 1e-20.
    pub(super) fn span(&self) -> Option<(f64, f64)> {
        match *self {
            Self::Laplace(epsilon) => Some((-epsilon.get(), epsilon.get())),
            Self::Gaussian { .. } => {
                let (mu, reach) = (self.shift(), 9.5);
                Some((mu * mu / 2.0 - reach * mu, mu * mu / 2.0 + reach * mu))
            }
            _ => None,
        }
    }

    /// The largest loss, or nearly.
    pub(super) fn reach(&self) -> f64 {
        let atoms = self.atoms().into_iter().map(|(loss, _)| loss).fold(0.0, f64::max);
        self.span().map_or(atoms, |(_, high)| high.max(atoms))
    }

    /// `ln E e^{(α − 1) L}` for an order α > 1, which is `(α − 1)` times the Rényi divergence of that order.
    pub(super) fn log_moment(&self, order: f64) -> f64 {
        match *self {
            Self::Laplace(epsilon) => {
                // Mironov 2017, table II
                let (epsilon, less) = (epsilon.get(), order - 1.0);
                let small = less / order * (-(2.0 * order - 1.0) * epsilon).exp();
                less * epsilon + (order / (2.0 * order - 1.0)).ln() + small.ln_1p()
            }
            Self::Gaussian { .. } => (order - 1.0) * order * self.shift().powi(2) / 2.0,
            _ => log_moment(self.atoms().into_iter(), order - 1.0),
        }
    }

    fn shift(&self) -> f64 {
        match *self {
            Self::Gaussian { ratio_thousandths } => 1_000.0 / f64::from(ratio_thousandths.max(1)),
            _ => 0.0,
        }
    }
}

/// `ln Σ p e^{t l}` without overflow.
pub(super) fn log_moment(atoms: impl Iterator<Item = Atom> + Clone, t: f64) -> f64 {
    let most = atoms.clone().filter(|(_, p)| *p > 0.0).map(|(loss, _)| t * loss).fold(f64::NEG_INFINITY, f64::max);
    most + atoms.map(|(loss, p)| p * (t * loss - most).exp()).sum::<f64>().ln()
}

/// P centred at 0 and Q at `steps`: ε up to 0, −ε from `steps` on, and `ε (1 − 2x / steps)` between.
fn discrete_laplace(epsilon: f64, steps: u32) -> Vec<Atom> {
    let rate = epsilon / f64::from(steps);
    let ratio = (-rate).exp();
    let outside = 1.0 / (1.0 + ratio);
    let mut atoms = vec![(-epsilon, (-epsilon).exp() * outside)];
    let inside = |x: u32| {
        let x = f64::from(x);
        (epsilon * (1.0 - 2.0 * x / f64::from(steps)), -(-rate).exp_m1() * outside * (-rate * x).exp())
    };
    atoms.extend((1..steps).rev().map(inside));
    atoms.push((epsilon, outside));
    atoms
}
