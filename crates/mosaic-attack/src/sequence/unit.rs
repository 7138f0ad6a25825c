//! The recurrent unit itself: one step forward, and the gradient of a stretch of steps.

use rand::{Rng, RngExt};

/// Weights in one vector: three gates of `memory × width`, then the read-out of `width`, where
/// `width` = inputs + memory + 1 (the constant).
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) inputs: usize,
    pub(super) memory: usize,
    pub(super) weights: Vec<f64>,
}

/// Everything one step computed, kept for the way back.
pub(super) struct Step {
    /// Input, memory before, constant.
    seen: Vec<f64>,
    /// The same with the memory thinned by the reset gate.
    thinned: Vec<f64>,
    update: Vec<f64>,
    reset: Vec<f64>,
    candidate: Vec<f64>,
    /// Memory after the step.
    pub(super) after: Vec<f64>,
    /// Log-odds.
    pub(super) score: f64,
}

/// Gates in the order of their weights.
const UPDATE: usize = 0;
const RESET: usize = 1;
const CANDIDATE: usize = 2;

impl Unit {
    /// Small random weights.
    pub(super) fn new(inputs: usize, memory: usize, rng: &mut impl Rng) -> Self {
        let width = inputs + memory + 1;
        let spread = 1.0 / (width as f64).sqrt();
        let weights = (0..(3 * memory + 1) * width).map(|_| rng.random_range(-spread..spread)).collect();
        Self { inputs, memory, weights }
    }

    fn width(&self) -> usize {
        self.inputs + self.memory + 1
    }

    fn row(&self, gate: usize, unit: usize) -> usize {
        (gate * self.memory + unit) * self.width()
    }

    fn gate(&self, gate: usize, seen: &[f64]) -> Vec<f64> {
        let sum = |unit: usize| {
            let from = self.row(gate, unit);
            dot(&self.weights[from..from + self.width()], seen)
        };
        (0..self.memory).map(sum).collect()
    }

    /// One step from the memory `before`.
    pub(super) fn step(&self, input: &[f64], before: &[f64]) -> Step {
        let joined = |memory: &[f64]| input.iter().chain(memory).copied().chain([1.0]).collect::<Vec<f64>>();
        let seen = joined(before);
        let update: Vec<f64> = self.gate(UPDATE, &seen).into_iter().map(sigmoid).collect();
        let reset: Vec<f64> = self.gate(RESET, &seen).into_iter().map(sigmoid).collect();
        let thinned = joined(&reset.iter().zip(before).map(|(reset, before)| reset * before).collect::<Vec<_>>());
        let candidate: Vec<f64> = self.gate(CANDIDATE, &thinned).into_iter().map(f64::tanh).collect();
        let blend = |at: usize| (1.0 - update[at]) * before[at] + update[at] * candidate[at];
        let after: Vec<f64> = (0..self.memory).map(blend).collect();
        let score = dot(&self.weights[3 * self.memory * self.width()..], &joined(&after));
        Step { seen, thinned, update, reset, candidate, after, score }
    }

    /// Adds the gradient of the summed log-loss to `gradient`; returns the memory at the end.
    pub(super) fn gradient(
        &self,
        rows: &[Vec<f64>],
        labels: &[bool],
        before: &[f64],
        gradient: &mut [f64],
    ) -> Vec<f64> {
        let mut steps: Vec<Step> = Vec::with_capacity(rows.len());
        for row in rows {
            let memory = steps.last().map_or(before, |step| &step.after);
            steps.push(self.step(row, memory));
        }
        let mut pull = vec![0.0; self.memory];
        for (step, label) in steps.iter().zip(labels).rev() {
            pull = self.back(step, *label, pull, gradient);
        }
        steps.pop().map_or_else(|| before.to_vec(), |step| step.after)
    }

    /// One step back: `pull` is the slope of the later loss by this step's memory; returns that by
    /// the memory before.
    fn back(&self, step: &Step, label: bool, mut pull: Vec<f64>, gradient: &mut [f64]) -> Vec<f64> {
        let error = sigmoid(step.score) - f64::from(u8::from(label));
        let out = 3 * self.memory * self.width();
        let (input, before) = (&step.seen[..self.inputs], &step.seen[self.inputs..self.inputs + self.memory]);
        let read = input.iter().chain(&step.after).chain([&1.0]);
        gradient[out..].iter_mut().zip(read).for_each(|(slope, value)| *slope += error * value);
        for (at, pull) in pull.iter_mut().enumerate() {
            *pull += error * self.weights[out + self.inputs + at];
        }
        let mut earlier: Vec<f64> = pull.iter().zip(&step.update).map(|(pull, update)| pull * (1.0 - update)).collect();
        let slope_candidate: Vec<f64> =
            (0..self.memory).map(|at| pull[at] * step.update[at] * (1.0 - step.candidate[at].powi(2))).collect();
        let thinned = self.through(CANDIDATE, &slope_candidate, &step.thinned, gradient);
        let mut slope_reset = vec![0.0; self.memory];
        let mut slope_update = vec![0.0; self.memory];
        for at in 0..self.memory {
            earlier[at] += thinned[at] * step.reset[at];
            slope_reset[at] = thinned[at] * before[at] * step.reset[at] * (1.0 - step.reset[at]);
            let change = step.candidate[at] - before[at];
            slope_update[at] = pull[at] * change * step.update[at] * (1.0 - step.update[at]);
        }
        for (gate, slopes) in [(RESET, slope_reset), (UPDATE, slope_update)] {
            let by_memory = self.through(gate, &slopes, &step.seen, gradient);
            earlier.iter_mut().zip(by_memory).for_each(|(sum, slope)| *sum += slope);
        }
        earlier
    }

    /// Through one gate: adds to its weights' gradient, returns the slope by the memory it saw.
    fn through(&self, gate: usize, slopes: &[f64], seen: &[f64], gradient: &mut [f64]) -> Vec<f64> {
        let mut by_memory = vec![0.0; self.memory];
        for (unit, slope) in slopes.iter().enumerate() {
            let from = self.row(gate, unit);
            gradient[from..from + self.width()].iter_mut().zip(seen).for_each(|(sum, value)| *sum += slope * value);
            let weights = &self.weights[from + self.inputs..from + self.inputs + self.memory];
            by_memory.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += slope * weight);
        }
        by_memory
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn sigmoid(value: f64) -> f64 {
    1.0 / (1.0 + (-value).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    /// Seed 82: every weight's gradient over six steps equals the central difference of the loss.
    #[test]
    fn the_gradient_equals_differences() {
        let mut rng = ChaCha20Rng::seed_from_u64(82);
        let mut unit = Unit::new(2, 3, &mut rng);
        let rows: Vec<Vec<f64>> = (0..6).map(|_| (0..2).map(|_| rng.random_range(-1.0..1.0)).collect()).collect();
        let labels = [true, false, false, true, true, false];
        let mut gradient = vec![0.0; unit.weights.len()];
        unit.gradient(&rows, &labels, &[0.1, -0.2, 0.3], &mut gradient);
        let loss = |unit: &Unit| {
            let mut memory = vec![0.1, -0.2, 0.3];
            let mut sum = 0.0;
            for (row, label) in rows.iter().zip(labels) {
                let step = unit.step(row, &memory);
                sum -= sigmoid(if label { step.score } else { -step.score }).ln();
                memory = step.after;
            }
            sum
        };
        for (at, slope) in gradient.iter().enumerate() {
            let weight = unit.weights[at];
            unit.weights[at] = weight + 1e-5;
            let above = loss(&unit);
            unit.weights[at] = weight - 1e-5;
            let difference = (above - loss(&unit)) / 2e-5;
            unit.weights[at] = weight;
            assert!((slope - difference).abs() < 1e-7, "weight {at}: {slope} {difference}");
        }
    }
}
