//! L2-regularised logistic regression by Newton's method (IRLS): the plainest of the detectors, and
//! the one whose weights can be read.

/// Features brought to mean 0 and deviation 1, learnt on training rows. Values beyond 8 deviations
/// count as 8, so that one absurd value (an age of 1e9 seconds) cannot decide alone.
#[derive(Clone, Debug)]
pub(crate) struct Standard {
    means: Vec<f64>,
    scales: Vec<f64>,
}

impl Standard {
    pub(crate) fn fit<'a>(rows: impl Iterator<Item = &'a [f64]> + Clone) -> Self {
        let count = rows.clone().count().max(1) as f64;
        let features = rows.clone().next().map_or(0, <[f64]>::len);
        let average = |of: &dyn Fn(&[f64]) -> f64| rows.clone().map(of).sum::<f64>() / count;
        let means: Vec<f64> = (0..features).map(|at| average(&|row| row[at])).collect();
        let variance = |at: usize| average(&|row| (row[at] - means[at]).powi(2));
        let scale = |at: usize| Some(variance(at).sqrt()).filter(|deviation| *deviation > 1e-12).unwrap_or(1.0);
        let scales = (0..features).map(scale).collect();
        Self { means, scales }
    }

    pub(crate) fn apply(&self, row: &[f64]) -> Vec<f64> {
        let scaled = row.iter().zip(self.means.iter().zip(&self.scales));
        scaled.map(|(value, (mean, scale))| ((value - mean) / scale).clamp(-8.0, 8.0)).collect()
    }
}

/// A fitted model.
#[derive(Clone, Debug)]
pub struct LogisticRegression {
    standard: Standard,
    /// One weight a standardised feature, then the intercept.
    weights: Vec<f64>,
}

/// Newton steps; it converges in fewer than ten on anything that can be separated by chance only.
const STEPS: usize = 50;

impl LogisticRegression {
    /// Fits rows of equally many features each and one label a row. `penalty` > 0 is added as
    /// `penalty / 2 × Σ weight²` to the summed log-loss; the intercept is free.
    pub fn fit<R: AsRef<[f64]>>(rows: &[R], labels: &[bool], penalty: f64) -> Self {
        let standard = Standard::fit(rows.iter().map(AsRef::as_ref));
        let with_one = |row: &R| standard.apply(row.as_ref()).into_iter().chain([1.0]).collect();
        let problem = Problem { rows: rows.iter().map(with_one).collect(), labels, penalty };
        let mut weights = vec![0.0; rows.first().map_or(0, |row| row.as_ref().len()) + 1];
        let mut loss = problem.loss(&weights);
        for _ in 0..STEPS {
            let Some(step) = problem.step(&weights) else { break };
            let (next, lower) = problem.descend(&weights, &step, loss);
            let gained = loss - lower;
            (weights, loss) = (next, lower);
            if gained < 1e-10 * (1.0 + loss) {
                break;
            }
        }
        Self { standard, weights }
    }

    /// Log-odds that a row is positive.
    pub fn score(&self, row: &[f64]) -> f64 {
        let features = self.standard.apply(row);
        features.iter().chain([&1.0]).zip(&self.weights).map(|(value, weight)| value * weight).sum()
    }

    /// Weights of the standardised features, without the intercept: what the attacker relies on.
    pub fn weights(&self) -> &[f64] {
        &self.weights[..self.weights.len() - 1]
    }
}

struct Problem<'a> {
    rows: Vec<Vec<f64>>,
    labels: &'a [bool],
    penalty: f64,
}

impl Problem<'_> {
    fn penalised(&self, index: usize, size: usize) -> f64 {
        // a trace on the intercept keeps one-sided labels finite
        if index + 1 == size { 1e-9 } else { self.penalty.max(1e-9) }
    }

    fn loss(&self, weights: &[f64]) -> f64 {
        let data = self.rows.iter().zip(self.labels).map(|(row, label)| {
            let margin = dot(row, weights) * if *label { -1.0 } else { 1.0 };
            margin.max(0.0) + (-margin.abs()).exp().ln_1p()
        });
        let ridge = weights.iter().enumerate().map(|(at, weight)| self.penalised(at, weights.len()) * weight * weight);
        data.sum::<f64>() + ridge.sum::<f64>() / 2.0
    }

    /// Newton step: Hessian inverse times gradient.
    fn step(&self, weights: &[f64]) -> Option<Vec<f64>> {
        let size = weights.len();
        let mut gradient: Vec<f64> = (0..size).map(|at| self.penalised(at, size) * weights[at]).collect();
        let mut hessian = vec![vec![0.0; size]; size];
        for (at, row) in hessian.iter_mut().enumerate() {
            row[at] = self.penalised(at, size);
        }
        for (row, label) in self.rows.iter().zip(self.labels) {
            let probability = 1.0 / (1.0 + (-dot(row, weights)).exp());
            let (error, curvature) = (probability - f64::from(u8::from(*label)), probability * (1.0 - probability));
            for (at, value) in row.iter().enumerate() {
                gradient[at] += error * value;
                hessian[at][..=at].iter_mut().zip(row).for_each(|(cell, other)| *cell += curvature * value * other);
            }
        }
        solve(hessian, &gradient)
    }

    /// Halves the step until it does not raise the loss.
    fn descend(&self, weights: &[f64], step: &[f64], loss: f64) -> (Vec<f64>, f64) {
        let mut share = 1.0;
        for _ in 0..30 {
            let next: Vec<f64> = weights.iter().zip(step).map(|(weight, step)| weight - share * step).collect();
            let lower = self.loss(&next);
            if lower <= loss {
                return (next, lower);
            }
            share /= 2.0;
        }
        (weights.to_vec(), loss)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves a positive definite system whose lower triangle is given (Cholesky).
fn solve(mut lower: Vec<Vec<f64>>, right: &[f64]) -> Option<Vec<f64>> {
    let size = right.len();
    let mut solution = right.to_vec();
    for row in 0..size {
        for column in 0..=row {
            let known: f64 = (0..column).map(|at| lower[row][at] * lower[column][at]).sum();
            let rest = lower[row][column] - known;
            if row == column {
                lower[row][row] = Some(rest.sqrt()).filter(|root| *root > 0.0)?;
            } else {
                lower[row][column] = rest / lower[column][column];
            }
        }
        let known: f64 = (0..row).map(|at| lower[row][at] * solution[at]).sum();
        solution[row] = (solution[row] - known) / lower[row][row];
    }
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size).map(|at| lower[at][row] * solution[at]).sum();
        solution[row] = (solution[row] - known) / lower[row][row];
    }
    Some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auc;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// One binary feature, hardly penalised: the fit must give each group its own share, 30 of 100
    /// and 80 of 100 (closed form).
    #[test]
    fn a_binary_feature_gets_the_groups_log_odds() {
        let rows: Vec<Vec<f64>> = (0..200).map(|at| vec![f64::from(at / 100)]).collect();
        let labels: Vec<bool> = (0..200).map(|at| if at < 100 { at < 30 } else { at < 180 }).collect();
        let model = LogisticRegression::fit(&rows, &labels, 1e-9);
        assert!((model.score(&[0.0]) - (0.3_f64 / 0.7).ln()).abs() < 1e-6);
        assert!((model.score(&[1.0]) - (0.8_f64 / 0.2).ln()).abs() < 1e-6);
    }

    #[test]
    fn a_system_is_solved() {
        let solution = solve(vec![vec![4.0, 0.0], vec![2.0, 3.0]], &[8.0, 7.0]).unwrap();
        assert!((solution[0] - 1.25).abs() < 1e-12 && (solution[1] - 1.5).abs() < 1e-12);
        assert!(solve(vec![vec![0.0]], &[1.0]).is_none());
    }

    /// Seed 71, 4,000 rows, halves: a linear signal is found, with its weight on the right feature
    /// and shrunk by a large penalty; pure noise stays at chance (2,000 judged, ±0.05 is four
    /// standard errors); separable data and one-sided labels stay finite.
    #[test]
    fn a_linear_signal_is_found_and_noise_is_not() {
        let mut rng = ChaCha20Rng::seed_from_u64(71);
        let rows: Vec<Vec<f64>> = (0..4_000).map(|_| (0..3).map(|_| rng.random_range(-1.0..1.0)).collect()).collect();
        let noisy = |row: &Vec<f64>, rng: &mut ChaCha20Rng| row[1] * 100.0 > rng.random_range(-100.0..100.0);
        let signal: Vec<bool> = rows.iter().map(|row| noisy(row, &mut rng)).collect();
        let noise: Vec<bool> = (0..4_000).map(|_| rng.random_bool(0.5)).collect();
        let judged = |labels: &[bool], penalty: f64| {
            let model = LogisticRegression::fit(&rows[..2_000], &labels[..2_000], penalty);
            let scored = rows[2_000..].iter().map(|row| model.score(row)).zip(labels[2_000..].iter().copied());
            (auc(&scored.collect::<Vec<_>>()), model)
        };
        let (area, model) = judged(&signal, 1.0);
        assert!(area > 0.80 && model.weights()[1] > 10.0 * model.weights()[0].abs(), "{area} {model:?}");
        assert!(judged(&signal, 1e4).1.weights()[1] < model.weights()[1] / 2.0);
        assert!((0.45..0.55).contains(&judged(&noise, 1.0).0));
        let certain = LogisticRegression::fit(&rows, &vec![true; 4_000], 1.0);
        let separable: Vec<bool> = rows.iter().map(|row| row[0] > 0.0).collect();
        assert!(certain.score(&rows[0]).is_finite() && judged(&separable, 1e-3).0 > 0.99);
    }
}
