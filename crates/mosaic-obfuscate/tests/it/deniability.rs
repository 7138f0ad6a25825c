//! The gate of plausible deniability, by enumeration: on small domains every probability is a finite sum.

use mosaic_obfuscate::deniability::{Gate, Generator, InvalidGate};
use proptest::prelude::*;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// Records and outputs are numbers; the `n`-th row holds the probabilities of what record `n` makes.
#[derive(Debug)]
struct Table(Vec<Vec<f64>>);

impl Generator for Table {
    type Record = usize;
    type Output = usize;

    fn generate(&self, seed: &usize, rng: &mut impl Rng) -> usize {
        let (mut left, row) = (rng.random::<f64>(), &self.0[*seed]);
        let hit = row.iter().position(|share| {
            left -= share;
            left < 0.0
        });
        hit.unwrap_or(row.len() - 1)
    }

    fn ln_probability(&self, output: &usize, seed: &usize) -> f64 {
        self.0[*seed][*output].ln()
    }
}

impl Table {
    /// The probability of every output of the gate over records `0..count`.
    fn released(&self, gate: &Gate, count: usize) -> Vec<f64> {
        let records: Vec<usize> = (0..count).collect();
        let of = |output: usize| -> f64 {
            let by = |seed: &usize| self.0[*seed][output] * gate.passing(self, &records, seed, &output);
            records.iter().map(by).sum::<f64>() / count as f64
        };
        (0..self.0[0].len()).map(of).collect()
    }

    /// One that hands out its seed.
    fn copier(count: usize) -> Self {
        Self((0..count).map(|own| (0..count).map(|at| f64::from(u8::from(at == own))).collect()).collect())
    }
}

/// Rows of equal length that sum to one; some entries are zero, some rows equal others.
fn tables() -> impl Strategy<Value = Table> {
    let weight = prop_oneof![1 => Just(0.0), 4 => 0.001_f64..1.0];
    let rows = (2_usize..6)
        .prop_flat_map(move |outputs| prop::collection::vec(prop::collection::vec(weight.clone(), outputs), 4..14));
    rows.prop_map(|rows| {
        let normal = |mut row: Vec<f64>| {
            row[0] += 0.01;
            let sum: f64 = row.iter().sum();
            row.into_iter().map(|weight| weight / sum).collect::<Vec<f64>>()
        };
        Table(rows.into_iter().map(normal).collect())
    })
}

/// The worst event: how much more probable than `e^ε` times the other it is.
fn excess(one: &[f64], other: &[f64], epsilon: f64) -> f64 {
    one.iter().zip(other).map(|(one, other)| (one - epsilon.exp() * other).max(0.0)).sum()
}

proptest! {
    /// Theorem 1 in both directions and at every `t`: with a record more or less, no event of outputs is more than
    /// `e^ε` times as probable, but for `δ`. Exact sums over the whole domain, to 1e-12.
    #[test]
    fn the_drawn_threshold_is_differentially_private(
        table in tables(), k in 3_u32..8, gamma in 1.1_f64..8.0, epsilon0 in 0.05_f64..4.0,
    ) {
        let gate = Gate::randomised(k, gamma, epsilon0).unwrap();
        let all = table.0.len();
        prop_assume!(all > k as usize);
        let (with, without) = (table.released(&gate, all), table.released(&gate, all - 1));
        for t in 2..k {
            let promised = gate.guarantee(t).unwrap();
            let found = excess(&with, &without, promised.epsilon).max(excess(&without, &with, promised.epsilon));
            prop_assert!(found <= promised.delta + 1e-12, "{gate}, t {t}: {found} above {promised}");
        }
        prop_assert!(gate.guarantee(1).is_none() && gate.guarantee(k).is_none());
    }

    /// With the fixed threshold nobody who knows all records believes in one of them by more than `γ / (γ + k − 1)`, and
    /// at least `k` records make the output with probabilities within `γ` of each other.
    #[test]
    fn the_fixed_threshold_leaves_k_seeds(table in tables(), k in 2_u32..8, gamma in 1.1_f64..8.0) {
        let gate = Gate::fixed(k, gamma).unwrap();
        let records: Vec<usize> = (0..table.0.len()).collect();
        for output in 0..table.0[0].len() {
            let passing = |seed: &usize| gate.passing(&table, &records, seed, &output);
            let joint: Vec<f64> = records.iter().map(|seed| table.0[*seed][output] * passing(seed)).collect();
            let total: f64 = joint.iter().sum();
            for (seed, own) in records.iter().zip(&joint).filter(|(_, own)| **own > 0.0) {
                prop_assert!(own / total <= gate.most_believed() + 1e-12);
                let ratio = |other: &&usize| (table.0[**other][output] / table.0[*seed][output]).ln().abs();
                let near = records.iter().filter(|other| ratio(other) <= gamma.ln() + 1e-9).count();
                prop_assert!(near >= k as usize);
            }
        }
    }

    /// A generator that copies is refused, always and under either test, whoever else is in the data.
    #[test]
    fn a_copy_never_passes(count in 1_usize..40, k in 3_u32..20, gamma in 1.01_f64..50.0, epsilon0 in 0.001_f64..5.0) {
        let copier = Table::copier(count);
        for gate in [Gate::fixed(k - 1, gamma).unwrap(), Gate::randomised(k, gamma, epsilon0).unwrap()] {
            prop_assert_eq!(copier.released(&gate, count), vec![0.0; count]);
        }
    }

    /// More records and a lower threshold let more out, never less.
    #[test]
    fn the_gate_is_monotone(table in tables(), k in 3_u32..8, gamma in 1.1_f64..8.0, epsilon0 in 0.05_f64..4.0) {
        let records: Vec<usize> = (0..table.0.len()).collect();
        let [lower, higher] = [k, k + 1].map(|k| Gate::randomised(k, gamma, epsilon0).unwrap());
        for seed in &records {
            for output in 0..table.0[0].len() {
                let at = |gate: &Gate| gate.passing(&table, &records, seed, &output);
                prop_assert!((0.0..=1.0).contains(&at(&lower)) && at(&higher) <= at(&lower));
                prop_assert!(at(&lower) == 0.0 || gate_counts(&lower, &table, &records, *seed, output) >= 2);
            }
        }
    }
}

fn gate_counts(gate: &Gate, table: &Table, records: &[usize], seed: usize, output: usize) -> u32 {
    gate.plausible(table, records, &seed, &output)
}

/// Whoever sees a refusal is told more than the theorem says: among 40 equal records one that differs is refused every
/// time it is drawn, so that nothing comes is 1,000 times as probable with it as without.
#[test]
fn a_refusal_that_is_seen_is_not_covered() {
    let mut rows = vec![vec![1.0, 0.0]; 40];
    rows.push(vec![0.0, 1.0]);
    let (table, gate) = (Table(rows), Gate::randomised(20, 2.0, 1.0).unwrap());
    let refused = |count| 1.0 - table.released(&gate, count).iter().sum::<f64>();
    assert!(refused(41) > 1_000.0 * refused(40), "{} {}", refused(41), refused(40));
    assert!((gate.guarantee(10).unwrap().epsilon - (1.0 + 1.2_f64.ln())).abs() < 1e-12);
}

/// The class of a probability ends at its lower edge: with γ = 2, one half belongs to the class of 0.3, and 0.25 does not.
#[test]
fn classes_are_closed_above_and_open_below() {
    let gate = Gate::fixed(2, 2.0).unwrap();
    let count = |other: f64| {
        let table = Table(vec![vec![0.5, 0.5], vec![other, 1.0 - other]]);
        gate.plausible(&table, &[0, 1], &0, &0)
    };
    assert_eq!([0.5, 0.3, 0.25, 0.26, 0.51, 1.0].map(count), [2, 2, 1, 2, 1, 1]);
    let never = Table(vec![vec![0.0, 1.0], vec![0.0, 1.0]]);
    assert_eq!((gate.plausible(&never, &[0, 1], &0, &0), gate.plausible(&never, &[0, 1], &0, &1)), (0, 2));
}

/// Seed 51, 20,000 draws: what comes out comes out as often as the sums say, within five standard errors (0.0177).
#[test]
fn the_mechanism_draws_what_was_enumerated() {
    let rows = [[0.5, 0.3, 0.2], [0.45, 0.35, 0.2], [0.6, 0.1, 0.3], [0.4, 0.3, 0.3], [0.05, 0.05, 0.9]];
    let table = Table(rows.map(|row| row.to_vec()).to_vec());
    let gate = Gate::randomised(4, 2.0, 0.7).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(51);
    let records: Vec<usize> = (0..5).collect();
    let mut counts = [0.0; 3];
    for _ in 0..20_000 {
        if let Some(output) = gate.release(&table, &records, &mut rng) {
            counts[*output.get()] += 1.0 / 20_000.0;
        }
    }
    for (found, expected) in counts.iter().zip(table.released(&gate, 5)) {
        assert!((found - expected).abs() < 0.0177, "{found} {expected}");
    }
}

#[test]
fn nothing_comes_of_too_few_records() {
    let table = Table(vec![vec![1.0]; 3]);
    let mut rng = ChaCha20Rng::seed_from_u64(52);
    let gate = Gate::fixed(3, 2.0).unwrap();
    assert_eq!(gate.release(&table, &[], &mut rng), None);
    assert_eq!(gate.release(&table, &[0, 1], &mut rng), None);
    assert_eq!(gate.release(&table, &[0, 1, 2], &mut rng).unwrap().into_inner(), 0);
}

#[test]
fn a_gate_that_would_protect_nobody_is_none() {
    assert_eq!(Gate::fixed(1, 2.0), Err(InvalidGate));
    for gamma in [1.0, 0.5, f64::NAN, f64::INFINITY] {
        assert_eq!(Gate::fixed(5, gamma), Err(InvalidGate));
    }
    for epsilon0 in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(Gate::randomised(5, 2.0, epsilon0), Err(InvalidGate));
    }
    assert_eq!(Gate::randomised(2, 2.0, 1.0), Err(InvalidGate));
    assert_eq!(Gate::fixed(5, 2.0).unwrap().least(1e-3), None);
    let least = Gate::randomised(50, 4.0, 1.0).unwrap().least(1e-9).unwrap();
    assert_eq!(least, Gate::randomised(50, 4.0, 1.0).unwrap().guarantee(29).unwrap());
}
