//! Are the probabilities that an attack states true? A posterior that is shown to a person (PRIVACY
//! 12) must be: of the claims made with 30 %, 30 % should hold.

mod stored;

use rand::Rng;

use crate::ranking::by_user;
use crate::{Estimate, bootstrap_by_user};

/// One stated probability and what was true.
#[derive(Clone, Copy, Debug)]
pub struct Claimed {
    /// Whom it is about.
    pub user: u32,
    /// Stated probability, in 0..=1.
    pub probability: f64,
    /// Whether it held.
    pub held: bool,
}

/// One point of the reliability curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReliabilityBin {
    /// Mean stated probability.
    pub stated: f64,
    /// Share that held.
    pub observed: f64,
    /// Claims in the bin.
    pub claims: usize,
}

/// Calibration with intervals by user.
#[derive(Clone, Debug)]
pub struct CalibrationReport {
    /// Mean squared difference between probability and truth: 0 is perfect, 0.25 a coin that says so.
    pub brier: Estimate,
    /// Expected calibration error: mean |stated - observed| over bins, weighted by claims. Biased
    /// upwards by about the noise of a bin, so it never reaches 0.
    pub error: Estimate,
    /// The curve over all users.
    pub curve: Vec<ReliabilityBin>,
}

/// Judges claims with at most `bins` bins of equal count.
pub fn calibration(claims: &[Claimed], bins: usize, resamples: usize, rng: &mut impl Rng) -> CalibrationReport {
    let users = by_user(claims.iter().map(|claim| (claim.user, (claim.probability, claim.held))));
    let flat = |drawn: &[&Vec<(f64, bool)>]| drawn.iter().flat_map(|own| own.iter().copied()).collect::<Vec<_>>();
    let everything: Vec<(f64, bool)> = users.iter().flatten().copied().collect();
    CalibrationReport {
        brier: bootstrap_by_user(&users, resamples, rng, |drawn| brier(&flat(drawn))),
        error: bootstrap_by_user(&users, resamples, rng, |drawn| calibration_error(&reliability(&flat(drawn), bins))),
        curve: reliability(&everything, bins),
    }
}

/// Reliability curve: bins of equal count in order of the stated probability. Equal probabilities
/// always share a bin, so there may be fewer bins than asked for.
pub fn reliability(pairs: &[(f64, bool)], bins: usize) -> Vec<ReliabilityBin> {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut curve, mut start) = (Vec::new(), 0);
    for bin in 1..=bins {
        let mut end = (bin * sorted.len() / bins).max(start);
        while end > start && end < sorted.len() && sorted[end].0 == sorted[end - 1].0 {
            end += 1;
        }
        if end > start {
            curve.push(summary(&sorted[start..end]));
            start = end;
        }
    }
    curve
}

fn summary(pairs: &[(f64, bool)]) -> ReliabilityBin {
    let claims = pairs.len() as f64;
    ReliabilityBin {
        stated: pairs.iter().map(|pair| pair.0).sum::<f64>() / claims,
        observed: pairs.iter().filter(|pair| pair.1).count() as f64 / claims,
        claims: pairs.len(),
    }
}

fn calibration_error(curve: &[ReliabilityBin]) -> f64 {
    let claims = curve.iter().map(|bin| bin.claims).sum::<usize>().max(1) as f64;
    curve.iter().map(|bin| (bin.stated - bin.observed).abs() * bin.claims as f64).sum::<f64>() / claims
}

fn brier(pairs: &[(f64, bool)]) -> f64 {
    let square = |pair: &(f64, bool)| (pair.0 - f64::from(u8::from(pair.1))).powi(2);
    pairs.iter().map(square).sum::<f64>() / pairs.len().max(1) as f64
}

/// Monotone recalibration of scores (pool adjacent violators; Zadrozny and Elkan 2002). Learn it on
/// users that are neither trained on nor judged.
#[derive(Clone, Debug)]
pub struct Isotonic(Vec<Block>);

#[derive(Clone, Copy, Debug)]
struct Block {
    lowest: f64,
    hits: f64,
    claims: f64,
}

impl Block {
    fn value(self) -> f64 {
        self.hits / self.claims
    }
}

impl Isotonic {
    /// The non-decreasing step function of the score with the smallest squared error.
    pub fn fit(pairs: &[(f64, bool)]) -> Self {
        let mut sorted = pairs.to_vec();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut blocks: Vec<Block> = Vec::new();
        for (score, held) in sorted {
            blocks.push(Block { lowest: score, hits: f64::from(u8::from(held)), claims: 1.0 });
            while let [.., left, right] = blocks[..]
                && (left.value() >= right.value() || left.lowest == right.lowest)
            {
                blocks.pop();
                blocks.pop();
                let (hits, claims) = (left.hits + right.hits, left.claims + right.claims);
                blocks.push(Block { lowest: left.lowest, hits, claims });
            }
        }
        Self(blocks)
    }

    /// Probability that a claim with this score holds; one half if nothing was learnt.
    pub fn probability(&self, score: f64) -> f64 {
        let above = self.0.partition_point(|block| block.lowest <= score);
        self.0.get(above.saturating_sub(1)).map_or(0.5, |block| block.value())
    }

    /// Posterior over the elements of one event of which exactly one is real. For probabilities `p`
    /// of independent elements that is `p / (1 - p)`, normalised; certainties are capped at 1e-6.
    pub fn posterior(&self, scores: &[f64]) -> Vec<f64> {
        let odds = |score: &f64| {
            let probability = self.probability(*score).clamp(1e-6, 1.0 - 1e-6);
            probability / (1.0 - probability)
        };
        let odds: Vec<f64> = scores.iter().map(odds).collect();
        let total: f64 = odds.iter().sum();
        odds.iter().map(|odds| odds / total).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    #[test]
    fn closed_forms() {
        let pairs = [(0.2, false), (0.2, true), (0.9, true), (0.9, true)];
        let curve = reliability(&pairs, 2);
        assert_eq!(curve.iter().map(|bin| (bin.observed, bin.claims)).collect::<Vec<_>>(), [(0.5, 2), (1.0, 2)]);
        assert!((calibration_error(&curve) - 0.2).abs() < 1e-12);
        assert!((brier(&pairs) - (0.04 + 0.64 + 0.01 + 0.01) / 4.0).abs() < 1e-12);
        assert_eq!(reliability(&[(0.5, true); 10], 5).len(), 1, "equal probabilities share a bin");
        assert!(reliability(&[], 5).is_empty());
    }

    /// Against brute force: the isotonic fit minimises squared error, so no monotone function on a
    /// grid of 0, 0.05 … 1 does better (seed 61, 200 samples of 6 points).
    #[test]
    fn pooling_is_optimal_among_monotone_functions() {
        let mut rng = ChaCha20Rng::seed_from_u64(61);
        for _ in 0..200 {
            let pairs: Vec<(f64, bool)> = (0..6).map(|at| (f64::from(at), rng.random_bool(0.5))).collect();
            let model = Isotonic::fit(&pairs);
            let fitted: Vec<f64> = pairs.iter().map(|pair| model.probability(pair.0)).collect();
            assert!(fitted.windows(2).all(|pair| pair[0] <= pair[1]));
            let loss: f64 = pairs.iter().zip(&fitted).map(|(pair, p)| (p - f64::from(u8::from(pair.1))).powi(2)).sum();
            // dynamic programme over the grid: cheapest monotone prefix that ends at most at each level
            let mut best = [0.0_f64; 21];
            for pair in &pairs {
                let mut least = f64::INFINITY;
                for (level, value) in best.iter_mut().enumerate() {
                    least = least.min(*value + (level as f64 / 20.0 - f64::from(u8::from(pair.1))).powi(2));
                    *value = least;
                }
            }
            assert!(loss <= best[20] + 1e-9 && loss >= best[20] - 0.05);
        }
    }

    /// Seed 62, 400 users × 50 claims whose truth has probability p², stated as p: miscalibrated by
    /// 1/6 on average; recalibrated on the even users, the error on the odd ones falls below 0.03 (noise
    /// of ten bins of 1,000 claims: about 0.012). Honest claims are below it from the start.
    #[test]
    fn recalibration_repairs_overconfidence() {
        let mut rng = ChaCha20Rng::seed_from_u64(62);
        let mut claim = |user| {
            let probability: f64 = rng.random_range(0.0..1.0);
            Claimed { user, probability, held: rng.random_bool(probability.powi(2)) }
        };
        let (learnt, judged): (Vec<Claimed>, Vec<Claimed>) =
            (0..20_000).map(|index| claim(index % 400)).partition(|claim| claim.user.is_multiple_of(2));
        let model = Isotonic::fit(&learnt.iter().map(|claim| (claim.probability, claim.held)).collect::<Vec<_>>());
        let repaired: Vec<Claimed> = judged
            .iter()
            .map(|claim| Claimed { probability: model.probability(claim.probability), ..*claim })
            .collect();
        let honest: Vec<Claimed> =
            judged.iter().map(|claim| Claimed { probability: claim.probability.powi(2), ..*claim }).collect();
        let mut rng = ChaCha20Rng::seed_from_u64(63);
        let (before, after) = (calibration(&judged, 10, 40, &mut rng), calibration(&repaired, 10, 40, &mut rng));
        assert!(before.error.low > 0.12 && after.error.value < 0.03, "{before:?} {after:?}");
        assert!(after.brier.value < before.brier.value);
        assert!(calibration(&honest, 10, 40, &mut rng).error.value < 0.03);
        let posterior = model.posterior(&[0.9, 0.1, 0.1]);
        assert!((posterior.iter().sum::<f64>() - 1.0).abs() < 1e-9 && posterior[0] > 0.9);
    }
}
