//! Gradient-boosted trees for the logistic loss (Friedman 2001), small and deterministic: the
//! strongest of the classifiers that PRIVACY 1.1 measured with.

mod stored;

/// How many trees to grow, how deep, and how fast to learn.
#[derive(Clone, Copy, Debug)]
pub struct BoostingPlan {
    /// Number of trees.
    pub trees: usize,
    /// Splits from root to leaf.
    pub depth: usize,
    /// Shrinkage of each tree, in 0..=1.
    pub rate: f64,
    /// Fewest examples a leaf may hold.
    pub leaf: usize,
}

impl Default for BoostingPlan {
    fn default() -> Self {
        Self { trees: 60, depth: 3, rate: 0.15, leaf: 20 }
    }
}

/// Thresholds a feature is cut at; more bring nothing on these features.
const BINS: usize = 32;

/// A fitted model.
#[derive(Clone, Debug)]
pub struct BoostedTrees {
    prior: f64,
    rate: f64,
    trees: Vec<Node>,
}

#[derive(Clone, Debug)]
enum Node {
    Leaf(f64),
    Split { feature: usize, threshold: f32, below: Box<Node>, above: Box<Node> },
}

impl BoostedTrees {
    /// Fits to examples, rows of equally many numbers, and one label each. Thresholds are kept in single precision.
    pub fn fit<R: AsRef<[f64]>>(examples: &[R], labels: &[bool], plan: BoostingPlan) -> Self {
        let positives = labels.iter().filter(|label| **label).count() as f64;
        let share = (positives / labels.len().max(1) as f64).clamp(1e-6, 1.0 - 1e-6);
        let prior = (share / (1.0 - share)).ln();
        let grower = Grower::new(examples, plan);
        let mut scores = vec![prior; labels.len()];
        let mut trees = Vec::with_capacity(plan.trees);
        for _ in 0..plan.trees {
            let slopes: Vec<Slope> =
                scores.iter().zip(labels).map(|(score, label)| Slope::at(*score, *label)).collect();
            let tree = grower.grow((0..labels.len()).collect(), &slopes, plan.depth);
            for (score, row) in scores.iter_mut().zip(examples) {
                *score += plan.rate * tree.value(row.as_ref());
            }
            trees.push(tree);
        }
        Self { prior, rate: plan.rate, trees }
    }

    /// Log-odds that an example is positive.
    pub fn score(&self, row: &[f64]) -> f64 {
        self.prior + self.rate * self.trees.iter().map(|tree| tree.value(row)).sum::<f64>()
    }
}

impl Node {
    fn value(&self, row: &[f64]) -> f64 {
        match self {
            Self::Leaf(value) => *value,
            Self::Split { feature, threshold, below, above } => {
                if narrow(row[*feature]) < *threshold {
                    below.value(row)
                } else {
                    above.value(row)
                }
            }
        }
    }
}

/// First and second derivative of the loss at one example.
#[derive(Clone, Copy, Default)]
struct Slope {
    gradient: f64,
    curvature: f64,
}

impl Slope {
    fn at(score: f64, label: bool) -> Self {
        let probability = 1.0 / (1.0 + (-score).exp());
        Self { gradient: f64::from(u8::from(label)) - probability, curvature: probability * (1.0 - probability) }
    }

    fn add(&mut self, other: Self) {
        self.gradient += other.gradient;
        self.curvature += other.curvature;
    }

    fn without(self, other: Self) -> Self {
        Self { gradient: self.gradient - other.gradient, curvature: self.curvature - other.curvature }
    }

    /// Newton step; the 1 regularises small leaves.
    fn step(self) -> f64 {
        self.gradient / (self.curvature + 1.0)
    }

    fn gain(self) -> f64 {
        self.gradient * self.gradient / (self.curvature + 1.0)
    }
}

struct Grower {
    cuts: Vec<Vec<f32>>,
    /// For every feature, in which of its bins each example lies: looked up once, used by every tree.
    bins: Vec<Vec<u8>>,
    plan: BoostingPlan,
}

struct Split {
    feature: usize,
    cut: usize,
    gain: f64,
}

impl Grower {
    fn new<R: AsRef<[f64]>>(examples: &[R], plan: BoostingPlan) -> Self {
        let width = examples.first().map_or(0, |row| row.as_ref().len());
        let column = |feature: usize| examples.iter().map(move |row| narrow(row.as_ref()[feature]));
        let cuts: Vec<Vec<f32>> = (0..width).map(|feature| cuts(column(feature))).collect();
        let bin = |cuts: &[f32], value: f32| cuts.partition_point(|cut| *cut <= value) as u8;
        let bins = cuts.iter().enumerate();
        let bins = bins.map(|(feature, cuts)| column(feature).map(|value| bin(cuts, value)).collect());
        Self { bins: bins.collect(), cuts, plan }
    }

    fn grow(&self, members: Vec<usize>, slopes: &[Slope], depth: usize) -> Node {
        let mut total = Slope::default();
        members.iter().for_each(|&member| total.add(slopes[member]));
        let best = (depth > 0).then(|| self.best_split(&members, slopes, total)).flatten();
        let Some(Split { feature, cut, .. }) = best else { return Node::Leaf(total.step()) };
        let bins = &self.bins[feature];
        let (below, above) = members.into_iter().partition(|&member| usize::from(bins[member]) <= cut);
        Node::Split {
            feature,
            threshold: self.cuts[feature][cut],
            below: Box::new(self.grow(below, slopes, depth - 1)),
            above: Box::new(self.grow(above, slopes, depth - 1)),
        }
    }

    fn best_split(&self, members: &[usize], slopes: &[Slope], total: Slope) -> Option<Split> {
        let splits = (0..self.cuts.len()).filter_map(|feature| self.best_cut(feature, members, slopes, total));
        splits.filter(|split| split.gain > 1e-9).max_by(|a, b| a.gain.total_cmp(&b.gain))
    }

    /// One pass fills a histogram over the feature's cuts, a second walks it from the left.
    fn best_cut(&self, feature: usize, members: &[usize], slopes: &[Slope], total: Slope) -> Option<Split> {
        let bins = &self.bins[feature];
        let mut sums = vec![(Slope::default(), 0_usize); self.cuts[feature].len() + 1];
        for &member in members {
            let sum = &mut sums[usize::from(bins[member])];
            sum.0.add(slopes[member]);
            sum.1 += 1;
        }
        let (mut left, mut count, mut best) = (Slope::default(), 0, None::<Split>);
        for (cut, (slope, size)) in sums.iter().take(self.cuts[feature].len()).enumerate() {
            left.add(*slope);
            count += size;
            if count < self.plan.leaf || members.len() - count < self.plan.leaf {
                continue;
            }
            let gain = left.gain() + total.without(left).gain() - total.gain();
            if best.as_ref().is_none_or(|best| gain > best.gain) {
                best = Some(Split { feature, cut, gain });
            }
        }
        best
    }
}

/// Up to [`BINS`] distinct quantiles of a feature.
fn cuts(column: impl Iterator<Item = f32>) -> Vec<f32> {
    let mut values: Vec<f32> = column.collect();
    if values.is_empty() {
        return Vec::new();
    }
    values.sort_unstable_by(f32::total_cmp);
    let mut cuts: Vec<f32> = (1..=BINS).map(|bin| values[bin * (values.len() - 1) / BINS]).collect();
    cuts.dedup();
    cuts
}

#[expect(clippy::cast_possible_truncation, reason = "features are compared with thresholds, not added up")]
const fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auc;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// Seed 1, 4,000 examples: an exclusive-or of two features that no linear model separates, and a
    /// third feature that is noise. Trained on one half, judged on the other.
    #[test]
    fn trees_learn_an_interaction_and_nothing_from_noise() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let rows: Vec<[f64; 3]> = (0..4_000).map(|_| [(); 3].map(|()| rng.random_range(-1.0..1.0))).collect();
        let judged = |labels: &[bool]| {
            let model = BoostedTrees::fit(&rows[..2_000], &labels[..2_000], BoostingPlan::default());
            let scored: Vec<(f64, bool)> =
                rows[2_000..].iter().zip(&labels[2_000..]).map(|(row, label)| (model.score(row), *label)).collect();
            auc(&scored)
        };
        let interaction: Vec<bool> = rows.iter().map(|row| (row[0] > 0.0) != (row[1] > 0.0)).collect();
        assert!(judged(&interaction) > 0.95);
        let noise: Vec<bool> = (0..4_000).map(|_| rng.random_bool(0.5)).collect();
        assert!((0.45..0.55).contains(&judged(&noise)));
    }
}
