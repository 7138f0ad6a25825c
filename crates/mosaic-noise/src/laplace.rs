use rand::CryptoRng;

use crate::{
    accounting::Epsilon,
    bernoulli::{below, decays},
};

/// Discrete Laplace noise: mass proportional to `exp(-ε |x| / sensitivity)` on the whole numbers, exactly (Canonne, Kamath
/// and Steinke 2020, algorithm 2, with s/t = ε in thousandths over 1,000 sensitivities).
///
/// The planar law of the blur is drawn in a fixed number of steps from thresholds that are rounded
/// once; this one is exact and draws until it is done. Nobody waits for a statistic, so exactness wins here.
pub fn discrete_laplace(epsilon: Epsilon, sensitivity: u32, rng: &mut impl CryptoRng) -> i64 {
    let (s, t) = (u64::from(epsilon.thousandths()), 1_000 * u64::from(sensitivity.max(1)));
    loop {
        let fraction = below(t, rng);
        if !decays(fraction, t, rng) {
            continue;
        }
        let mut whole = 0_u64;
        while decays(1, 1, rng) {
            whole += 1;
        }
        let magnitude = (fraction + whole * t) / s;
        let negative = below(2, rng) == 1;
        if negative && magnitude == 0 {
            continue;
        }
        let magnitude = i64::try_from(magnitude).unwrap_or(i64::MAX);
        return if negative { -magnitude } else { magnitude };
    }
}
