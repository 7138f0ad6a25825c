use std::collections::BTreeMap;

use mosaic_obfuscate::deniability::Generator;
use rand::{Rng, RngExt};

/// Windows of a day.
pub(super) const WINDOWS: usize = 12;
/// What is added to every count, so that no step is impossible.
const SMOOTHED: f64 = 0.1;

/// A cell for each window.
pub(super) type Day = Vec<u64>;

/// How people of other days went from cell to cell: by window, with add-constant smoothing over all cells seen.
pub(super) struct MarkovChain {
    cells: Vec<u64>,
    /// By window and cell before it: how often each cell came. Before the first window there is none.
    steps: BTreeMap<(usize, Option<u64>), BTreeMap<u64, f64>>,
}

impl MarkovChain {
    pub(super) fn learn(days: impl IntoIterator<Item = Day>) -> Self {
        let mut steps: BTreeMap<(usize, Option<u64>), BTreeMap<u64, f64>> = BTreeMap::new();
        for day in days {
            for (window, cell) in day.iter().enumerate() {
                let before = window.checked_sub(1).and_then(|before| day.get(before)).copied();
                *steps.entry((window, before)).or_default().entry(*cell).or_default() += 1.0;
            }
        }
        let mut cells: Vec<u64> = steps.values().flat_map(BTreeMap::keys).copied().collect();
        cells.sort_unstable();
        cells.dedup();
        Self { cells, steps }
    }

    /// The probability of a step; 0 to a cell that nobody was ever seen in.
    fn probability(&self, window: usize, before: Option<u64>, cell: u64) -> f64 {
        if self.cells.binary_search(&cell).is_err() {
            return 0.0;
        }
        let counts = self.steps.get(&(window, before));
        let own = counts.and_then(|counts| counts.get(&cell)).copied().unwrap_or_default();
        let all: f64 = counts.map_or(0.0, |counts| counts.values().sum());
        (own + SMOOTHED) / (all + SMOOTHED * self.cells.len() as f64)
    }

    fn step(&self, window: usize, before: Option<u64>, rng: &mut impl Rng) -> Option<u64> {
        let mut left = rng.random::<f64>();
        let hit = self.cells.iter().find(|cell| {
            left -= self.probability(window, before, **cell);
            left < 0.0
        });
        hit.or(self.cells.last()).copied()
    }
}

/// Keeps the first windows of its seed and draws the others from the chain: the seed-based synthesizer of the paper, in
/// which all but the last attributes of a record are kept.
pub(super) struct KeptStart<'a> {
    pub(super) chain: &'a MarkovChain,
    pub(super) kept: usize,
}

impl Generator for KeptStart<'_> {
    type Record = Day;
    type Output = Day;

    fn generate(&self, seed: &Day, rng: &mut impl Rng) -> Day {
        let mut day: Day = seed.iter().take(self.kept).copied().collect();
        for window in self.kept..WINDOWS {
            day.extend(self.chain.step(window, day.last().copied(), rng));
        }
        day
    }

    fn ln_probability(&self, output: &Day, seed: &Day) -> f64 {
        if output.iter().zip(seed).take(self.kept).any(|(a, b)| a != b) {
            return f64::NEG_INFINITY;
        }
        let step = |window: usize| {
            let before = window.checked_sub(1).and_then(|before| output.get(before)).copied();
            self.chain.probability(window, before, output[window]).ln()
        };
        (self.kept..output.len()).map(step).sum()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    fn chain() -> MarkovChain {
        MarkovChain::learn([vec![1, 1, 2], vec![1, 2, 2], vec![3, 3, 3]].map(|mut day| {
            day.resize(WINDOWS, day[2]);
            day
        }))
    }

    #[test]
    fn the_steps_from_any_cell_sum_to_one() {
        let chain = chain();
        for (window, before) in [(0, None), (1, Some(1)), (2, Some(3)), (5, Some(9))] {
            let sum: f64 = [1, 2, 3].iter().map(|cell| chain.probability(window, before, *cell)).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{window} {before:?}: {sum}");
        }
        assert_eq!(chain.probability(1, Some(1), 4), 0.0);
        assert!((chain.probability(1, Some(1), 2) - 1.1 / 2.3).abs() < 1e-12);
    }

    /// Seed 82, 4,000 days that keep ten windows: each of the nine ends comes as often as it is said to, within five
    /// standard errors (0.04 at most).
    #[test]
    fn what_is_stated_is_what_is_drawn() {
        let (chain, mut rng) = (chain(), ChaCha20Rng::seed_from_u64(82));
        let (synthesizer, seed) = (KeptStart { chain: &chain, kept: 10 }, vec![2; WINDOWS]);
        let mut counts: BTreeMap<Day, f64> = BTreeMap::new();
        for _ in 0..4_000 {
            *counts.entry(synthesizer.generate(&seed, &mut rng)).or_default() += 1.0 / 4_000.0;
        }
        for end in [1, 2, 3].into_iter().flat_map(|a| [1, 2, 3].map(|b| [a, b])) {
            let day = [vec![2; 10], end.to_vec()].concat();
            let stated = synthesizer.ln_probability(&day, &seed).exp();
            assert!((counts.get(&day).copied().unwrap_or_default() - stated).abs() < 0.04, "{end:?}");
        }
        assert_eq!(synthesizer.ln_probability(&vec![1; WINDOWS], &seed), f64::NEG_INFINITY);
    }
}
