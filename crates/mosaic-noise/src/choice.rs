use rand::CryptoRng;

use crate::{
    accounting::Epsilon,
    bernoulli::{below, decays},
};

/// One of `options` (at least 1) by the exponential mechanism with utility 1 for `truth` and 0 for the rest and weight
/// `exp(ε u / 2)` (L3-61): any option, kept with probability `exp(-ε/2)` unless it is the truth, exact by rejection. The
/// decision is drawn whether or not it is needed. It is randomised response whose odds change by `exp(ε/2)` at most.
pub fn choice(truth: u32, options: u32, epsilon: Epsilon, rng: &mut impl CryptoRng) -> u32 {
    loop {
        let option = u32::try_from(below(u64::from(options), rng)).unwrap_or_default();
        let kept = decays(u64::from(epsilon.thousandths()), 2_000, rng);
        if kept | (option == truth) {
            return option;
        }
    }
}
