//! Telling two kinds of observation apart, whatever they are: the one implementation behind the
//! timing, snapshot and token attacks. The figure is the advantage |TPR - FPR| of PRIVACY 0.2.

use rand::Rng;

use crate::ranking::{advantage_at, best_threshold, by_user};
use crate::{Estimate, LabelledSequence, Learner, auc, bootstrap_by_user};

/// One observation, described by features.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Whose it is: users or devices.
    pub user: u32,
    /// Equally many features for all.
    pub features: Vec<f64>,
    /// Which of the two kinds it is: the label, never a feature.
    pub positive: bool,
}

/// How far the best threshold separates the kinds, on users neither learnt from nor tuned on.
#[derive(Clone, Copy, Debug)]
pub struct Distinction {
    /// TPR minus FPR at the threshold that was best for the tuning users; around 0, and as often
    /// below, where nothing can be told.
    pub advantage: Estimate,
    /// AUC.
    pub auc: Estimate,
    /// Observations judged.
    pub observations: usize,
}

/// Trains on users whose number is 0 modulo 3, tunes the threshold on 1, judges 2. Observations in
/// order of time, for learners with a memory.
pub fn distinguish(
    observations: &[Observation],
    learner: Learner,
    resamples: usize,
    rng: &mut impl Rng,
) -> Distinction {
    let third = |part: u32| -> Vec<LabelledSequence> {
        let own = observations.iter().filter(|one| one.user % 3 == part).map(|one| (one.user, one));
        let sequence = |own: Vec<&Observation>| LabelledSequence {
            rows: own.iter().map(|one| one.features.clone()).collect(),
            labels: own.iter().map(|one| one.positive).collect(),
        };
        by_user(own).into_iter().map(sequence).collect()
    };
    let detector = learner.fit(&third(0), rng);
    let scored = |user: LabelledSequence| -> Vec<(f64, bool)> {
        detector.scores(&user.rows).into_iter().zip(user.labels).collect()
    };
    let tuning: Vec<(f64, bool)> = third(1).into_iter().flat_map(scored).collect();
    let (threshold, _) = best_threshold(&tuning);
    let judged: Vec<Vec<(f64, bool)>> = third(2).into_iter().map(scored).collect();
    let flat = |drawn: &[&Vec<(f64, bool)>]| drawn.iter().flat_map(|own| own.iter().copied()).collect::<Vec<_>>();
    Distinction {
        advantage: bootstrap_by_user(&judged, resamples, rng, |drawn| advantage_at(&flat(drawn), threshold)),
        auc: bootstrap_by_user(&judged, resamples, rng, |drawn| auc(&flat(drawn))),
        observations: judged.iter().map(Vec::len).sum(),
    }
}

/// Two-sample Kolmogorov-Smirnov test: the largest distance of the two distribution functions, which
/// is the advantage of the best threshold on this one number, and its asymptotic p-value. (0, 1)
/// where a sample is empty.
pub fn kolmogorov_smirnov(a: &[f64], b: &[f64]) -> (f64, f64) {
    if a.is_empty() || b.is_empty() {
        return (0.0, 1.0);
    }
    let labelled = |sign: f64| {
        let first = a.iter().map(move |value| (sign * value, true));
        first.chain(b.iter().map(move |value| (sign * value, false))).collect::<Vec<_>>()
    };
    let distance = best_threshold(&labelled(1.0)).1.max(best_threshold(&labelled(-1.0)).1);
    let (a, b) = (a.len() as f64, b.len() as f64);
    let root = (a * b / (a + b)).sqrt();
    (distance, kolmogorov_tail((root + 0.12 + 0.11 / root) * distance))
}

/// `2 Σ (-1)^(j-1) exp(-2 j² x²)`, with Stephens' small-sample argument (1970).
fn kolmogorov_tail(x: f64) -> f64 {
    if x < 0.2 {
        return 1.0; // the alternating series does not settle here, the tail is above 1 - 1e-9
    }
    let term = |j: i32| if j % 2 == 1 { 2.0 } else { -2.0 } * (-2.0 * f64::from(j * j) * x * x).exp();
    (1..=100).map(term).sum::<f64>().clamp(0.0, 1.0)
}

/// Welch's t: difference of means over its standard error; |t| >= 4.5 is the usual alarm for a timing
/// leak (dudect; PRIVACY 6). 0 where a sample has fewer than two values; infinite for different
/// constants.
pub fn welch_t(a: &[f64], b: &[f64]) -> f64 {
    if a.len() < 2 || b.len() < 2 {
        return 0.0;
    }
    let moments = |values: &[f64]| {
        let mean = crate::ranking::mean(values);
        let spread: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (mean, spread / (values.len() - 1) as f64 / values.len() as f64)
    };
    let ((mean_a, error_a), (mean_b, error_b)) = (moments(a), moments(b));
    if mean_a == mean_b { 0.0 } else { (mean_a - mean_b) / (error_a + error_b).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BoostingPlan;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    fn observations(rng: &mut ChaCha20Rng, shift: f64) -> Vec<Observation> {
        let one = |at: u32, rng: &mut ChaCha20Rng| {
            let positive = rng.random_bool(0.5);
            let moved = if positive { shift } else { 0.0 };
            let features = vec![rng.random_range(0.0..1.0) + moved, rng.random_range(0.0..1.0)];
            Observation { user: at % 90, features, positive }
        };
        (0..9_000).map(|at| one(at, rng)).collect()
    }

    /// Seed 131, 3,000 observations of 30 users judged. Uniform values shifted by 0.3 can be told with
    /// advantage 0.3 (closed form) by trees and by regression alike; unshifted ones with none (±0.07,
    /// four standard errors).
    #[test]
    fn the_advantage_is_the_known_one() {
        let mut rng = ChaCha20Rng::seed_from_u64(131);
        for learner in [Learner::Trees(BoostingPlan::default()), Learner::Logistic { penalty: 1.0 }] {
            let shifted = distinguish(&observations(&mut rng, 0.3), learner, 60, &mut rng);
            assert!((shifted.advantage.value - 0.3).abs() < 0.07 && shifted.observations == 3_000, "{shifted:?}");
            let equal = distinguish(&observations(&mut rng, 0.0), learner, 60, &mut rng);
            assert!(equal.advantage.value.abs() < 0.07 && (equal.auc.value - 0.5).abs() < 0.05, "{equal:?}");
        }
    }

    /// Seed 132: 400 pairs of equal samples of 100. A p-value below 0.05 must come in about 5 % of them
    /// (20 ± 17, four standard errors); shifted samples are always told.
    #[test]
    fn kolmogorov_smirnov_keeps_its_level() {
        let mut rng = ChaCha20Rng::seed_from_u64(132);
        let mut sample = |shift: f64| (0..100).map(|_| rng.random_range(0.0..1.0) + shift).collect::<Vec<_>>();
        let alarms = (0..400).filter(|_| kolmogorov_smirnov(&sample(0.0), &sample(0.0)).1 < 0.05).count();
        assert!((3..=37).contains(&alarms), "{alarms}");
        assert!(kolmogorov_smirnov(&sample(0.0), &sample(0.5)).1 < 1e-6);
        assert_eq!(kolmogorov_smirnov(&[1.0, 2.0, 3.0], &[2.5, 4.0]).0, 2.0 / 3.0);
        assert!((kolmogorov_tail(1.3581) - 0.05).abs() < 1e-4, "tabulated 95 % point");
    }

    #[test]
    fn welch_of_known_samples() {
        // means 2 and 4, variances of the means 1/3 and 4/3
        assert!((welch_t(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]) + 2.0 / (5.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(welch_t(&[1.0, 1.0], &[1.0, 1.0]), 0.0);
        assert_eq!(welch_t(&[1.0, 1.0], &[0.0, 0.0]), f64::INFINITY);
    }
}
