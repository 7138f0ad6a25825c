use super::{Mechanism, Runs, outwards};

/// The plain sum of pure ε, exact: k runs of ε cost kε (L3-63). Infinite when a mechanism has no pure ε.
pub fn plain_sum(runs: &Runs) -> f64 {
    let pure =
        |(mechanism, times): (&Mechanism, &u32)| Some(u64::from(mechanism.pure()?.thousandths()) * u64::from(*times));
    let thousandths: Option<u64> = runs.iter().map(pure).sum();
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53; above, no budget covers it")]
    thousandths.map_or(f64::INFINITY, |sum| sum as f64 / 1_000.0)
}

/// Advanced composition (Dwork, Rothblum and Vadhan 2010) with both terms:
/// `√(2 ln(1/δ) Σ ε²) + Σ ε (e^ε − 1)`. Infinite when a mechanism has no pure ε.
pub fn advanced(runs: &Runs, delta: f64) -> f64 {
    let mut squares = 0.0;
    let mut means = 0.0;
    for (mechanism, times) in runs {
        let Some(epsilon) = mechanism.pure() else { return f64::INFINITY };
        let (epsilon, times) = (epsilon.get(), f64::from(*times));
        squares += times * epsilon * epsilon;
        means += times * epsilon * epsilon.exp_m1();
    }
    outwards((-2.0 * delta.ln() * squares).sqrt() + means)
}
