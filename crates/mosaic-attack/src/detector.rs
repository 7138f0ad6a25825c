//! One interface for the three detectors, so that an attack names the strongest of them.

use rand::Rng;

use crate::{BoostedTrees, BoostingPlan, LabelledSequence, LogisticRegression, SequenceModel, SequencePlan};

/// What to train.
#[derive(Clone, Copy, Debug)]
pub enum Learner {
    /// Interactions of features, no memory.
    Trees(BoostingPlan),
    /// Weights of features, no memory.
    Logistic {
        /// Strength of the ridge, above 0.
        penalty: f64,
    },
    /// Memory of what the same user sent before.
    Sequence(SequencePlan),
}

/// A trained detector.
#[derive(Clone, Debug)]
pub enum Detector {
    /// See [`Learner::Trees`].
    Trees(BoostedTrees),
    /// See [`Learner::Logistic`].
    Logistic(LogisticRegression),
    /// See [`Learner::Sequence`].
    Sequence(SequenceModel),
}

impl Learner {
    /// Trains on one sequence a user. Without a single row the result is at chance.
    pub fn fit(&self, users: &[LabelledSequence], rng: &mut impl Rng) -> Detector {
        let flat = || -> (Vec<&[f64]>, Vec<bool>) {
            users.iter().flat_map(|user| user.rows.iter().map(Vec::as_slice).zip(user.labels.iter().copied())).unzip()
        };
        match self {
            Self::Trees(plan) => {
                let (rows, labels) = flat();
                Detector::Trees(BoostedTrees::fit(&rows, &labels, *plan))
            }
            Self::Logistic { penalty } => {
                let (rows, labels) = flat();
                Detector::Logistic(LogisticRegression::fit(&rows, &labels, *penalty))
            }
            Self::Sequence(plan) => Detector::Sequence(SequenceModel::fit(users, *plan, rng)),
        }
    }
}

impl Detector {
    /// Log-odds of each of one user's elements, in the order they were seen.
    pub fn scores(&self, rows: &[Vec<f64>]) -> Vec<f64> {
        match self {
            Self::Trees(model) => rows.iter().map(|row| model.score(row)).collect(),
            Self::Logistic(model) => rows.iter().map(|row| model.score(row)).collect(),
            Self::Sequence(model) => model.scores(rows),
        }
    }
}
