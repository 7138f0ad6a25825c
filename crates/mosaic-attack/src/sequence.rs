//! A small gated recurrent unit (Cho et al. 2014) over one user's elements in order: the detector
//! that can use what came before. Trained by back-propagation through time with Adam (Kingma and Ba
//! 2015); thousands of steps take seconds on one core.

mod unit;

use rand::Rng;
use rand::seq::SliceRandom;

use crate::logistic::Standard;
use unit::Unit;

/// One user's elements in the order they were seen.
#[derive(Clone, Debug, Default)]
pub struct LabelledSequence {
    /// Equally many features each.
    pub rows: Vec<Vec<f64>>,
    /// One label a row.
    pub labels: Vec<bool>,
}

/// Size and schooling of the recurrent detector.
#[derive(Clone, Copy, Debug)]
pub struct SequencePlan {
    /// Numbers it remembers.
    pub memory: usize,
    /// Passes over the training users.
    pub epochs: usize,
    /// Steps after which the gradient is cut; the memory itself is carried on.
    pub horizon: usize,
    /// Learning rate of Adam at the start; falls linearly to a tenth.
    pub rate: f64,
}

impl Default for SequencePlan {
    fn default() -> Self {
        Self { memory: 8, epochs: 30, horizon: 40, rate: 0.02 }
    }
}

/// A fitted model.
#[derive(Clone, Debug)]
pub struct SequenceModel {
    standard: Standard,
    unit: Unit,
}

impl SequenceModel {
    /// Fits one sequence a training user. The randomness starts the weights and orders the users.
    pub fn fit(users: &[LabelledSequence], plan: SequencePlan, rng: &mut impl Rng) -> Self {
        let standard = Standard::fit(users.iter().flat_map(|user| &user.rows).map(Vec::as_slice));
        let inputs = users.iter().find_map(|user| user.rows.first()).map_or(0, Vec::len);
        let mut unit = Unit::new(inputs, plan.memory, rng);
        let scaled = |user: &LabelledSequence| user.rows.iter().map(|row| standard.apply(row)).collect();
        let inputs: Vec<Vec<Vec<f64>>> = users.iter().map(scaled).collect();
        let mut order: Vec<usize> = (0..users.len()).collect();
        let mut adam = Adam::new(unit.weights.len());
        for epoch in 0..plan.epochs {
            order.shuffle(rng);
            let rate = plan.rate * (1.0 - 0.9 * epoch as f64 / plan.epochs as f64);
            for &user in &order {
                learn(&mut unit, &mut adam, &inputs[user], &users[user].labels, plan.horizon, rate);
            }
        }
        Self { standard, unit }
    }

    /// Log-odds that each of one user's elements, in order, is positive; each uses only itself and
    /// those before.
    pub fn scores(&self, rows: &[Vec<f64>]) -> Vec<f64> {
        let mut memory = vec![0.0; self.unit.memory];
        let score = |row: &Vec<f64>| {
            let step = self.unit.step(&self.standard.apply(row), &memory);
            memory.clone_from(&step.after);
            step.score
        };
        rows.iter().map(score).collect()
    }
}

fn learn(unit: &mut Unit, adam: &mut Adam, rows: &[Vec<f64>], labels: &[bool], horizon: usize, rate: f64) {
    let mut memory = vec![0.0; unit.memory];
    for (rows, labels) in rows.chunks(horizon.max(1)).zip(labels.chunks(horizon.max(1))) {
        let mut gradient = vec![0.0; unit.weights.len()];
        memory = unit.gradient(rows, labels, &memory, &mut gradient);
        adam.step(&mut unit.weights, &gradient, rate);
    }
}

struct Adam {
    mean: Vec<f64>,
    square: Vec<f64>,
    steps: i32,
}

impl Adam {
    fn new(weights: usize) -> Self {
        Self { mean: vec![0.0; weights], square: vec![0.0; weights], steps: 0 }
    }

    fn step(&mut self, weights: &mut [f64], gradient: &[f64], rate: f64) {
        const FADE: f64 = 0.9;
        const FADE_SQUARE: f64 = 0.999;
        self.steps += 1;
        let bias = 1.0 - FADE.powi(self.steps);
        let bias_square = 1.0 - FADE_SQUARE.powi(self.steps);
        // a clipped norm keeps one odd chunk from throwing the weights away
        let norm = gradient.iter().map(|slope| slope * slope).sum::<f64>().sqrt().max(1.0);
        for (at, weight) in weights.iter_mut().enumerate() {
            let slope = gradient[at] / norm;
            self.mean[at] += (1.0 - FADE) * (slope - self.mean[at]);
            self.square[at] += (1.0 - FADE_SQUARE) * (slope * slope - self.square[at]);
            *weight -= rate * (self.mean[at] / bias) / ((self.square[at] / bias_square).sqrt() + 1e-8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BoostingPlan, Learner, auc};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// `users` sequences of 100 steps; labels persist with probability `stay`, the one feature is the
    /// label (0 or 1) plus uniform noise of ±1.
    fn bursts(rng: &mut ChaCha20Rng, users: usize, stay: f64) -> Vec<LabelledSequence> {
        let user = |rng: &mut ChaCha20Rng| {
            let (mut sequence, mut label) = (LabelledSequence::default(), rng.random_bool(0.5));
            for _ in 0..100 {
                label = if rng.random_bool(stay) { label } else { !label };
                sequence.rows.push(vec![f64::from(u8::from(label)) + rng.random_range(-1.0..1.0)]);
                sequence.labels.push(label);
            }
            sequence
        };
        (0..users).map(|_| user(rng)).collect()
    }

    fn judged(users: &[LabelledSequence], score: impl Fn(&[Vec<f64>]) -> Vec<f64>) -> f64 {
        let pairs = users.iter().flat_map(|user| score(&user.rows).into_iter().zip(user.labels.iter().copied()));
        auc(&pairs.collect::<Vec<_>>())
    }

    /// The best any causal attacker can do on [`bursts`]: the exact forward filter.
    fn optimum(stay: f64) -> impl Fn(&[Vec<f64>]) -> Vec<f64> {
        move |rows| {
            let mut on = 0.5;
            let step = |row: &Vec<f64>| {
                let before = on * stay + (1.0 - on) * (1.0 - stay);
                let density = |mean: f64| if (row[0] - mean).abs() <= 1.0 { 0.5 } else { 0.0 };
                on = before * density(1.0) / (before * density(1.0) + (1.0 - before) * density(0.0));
                on
            };
            rows.iter().map(step).collect()
        }
    }

    /// Seed 81, 60 users learnt from and 60 judged. Labels that persist (0.95): the sequence model
    /// must beat trees and regression by 0.05 AUC and come within 0.02 of the exact filter, which
    /// bounds it. Labels without memory: none may beat the optimum of a single look by more than 0.02.
    #[test]
    fn memory_beats_single_looks_where_there_is_something_to_remember() {
        let mut rng = ChaCha20Rng::seed_from_u64(81);
        let learners = [
            Learner::Trees(BoostingPlan::default()),
            Learner::Logistic { penalty: 1.0 },
            Learner::Sequence(SequencePlan { epochs: 10, ..SequencePlan::default() }),
        ];
        for stay in [0.95, 0.5] {
            let (learnt, held) = (bursts(&mut rng, 60, stay), bursts(&mut rng, 60, stay));
            let area = |learner: &Learner, rng: &mut ChaCha20Rng| {
                let detector = learner.fit(&learnt, rng);
                judged(&held, |rows| detector.scores(rows))
            };
            let [trees, logistic, sequence] = learners.map(|learner| area(&learner, &mut rng));
            let best = judged(&held, optimum(stay));
            let figures = (trees, logistic, sequence, best);
            if stay > 0.5 {
                assert!(sequence > trees.max(logistic) + 0.05 && sequence > best - 0.02, "{figures:?}");
            }
            assert!(sequence < best + 0.02 && trees < best + 0.02 && logistic < best + 0.02, "{figures:?}");
        }
    }
}
