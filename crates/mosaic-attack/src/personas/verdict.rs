//! How well the person is told from the personas.

use rand::Rng;

use super::ScoredLineup;
use crate::ranking::{by_user, credit_within, pooled_mean};
use crate::{Estimate, auc, bootstrap_by_user};

/// How well the person is told from the personas; chance is 1 / K for top-1 and 0.5 for AUC.
#[derive(Clone, Copy, Debug)]
pub struct PersonaReport {
    /// Top-1 from one session.
    pub single: Estimate,
    /// Top-1 from all sessions of a candidate together.
    pub joint: Estimate,
    /// AUC over the scores of single sessions.
    pub single_auc: Estimate,
    /// AUC over the summed scores of whole candidates, across lineups (scoreboard 21).
    pub joint_auc: Estimate,
    /// Lineups judged.
    pub lineups: usize,
}

/// Judges scored lineups, with intervals by user.
pub fn judge_personas(scored: &[ScoredLineup], resamples: usize, rng: &mut impl Rng) -> PersonaReport {
    let joints: Vec<(&ScoredLineup, Vec<f64>)> = scored.iter().map(|one| (one, one.joint())).collect();
    let sessions = || scored.iter().flat_map(|one| one.scores.iter().map(move |session| (one, session)));
    let whole = || joints.iter().map(|(one, joint)| (*one, joint));
    PersonaReport {
        single: top_one(sessions(), resamples, rng),
        joint: top_one(whole(), resamples, rng),
        single_auc: area(sessions(), resamples, rng),
        joint_auc: area(whole(), resamples, rng),
        lineups: scored.len(),
    }
}

type Guess<'a> = (&'a ScoredLineup, &'a Vec<f64>);

fn top_one<'a>(guesses: impl Iterator<Item = Guess<'a>>, resamples: usize, rng: &mut impl Rng) -> Estimate {
    let credits = guesses.map(|(lineup, scores)| (lineup.user, credit_within(scores, lineup.truth, 1)));
    bootstrap_by_user(&by_user(credits), resamples, rng, pooled_mean)
}

fn area<'a>(guesses: impl Iterator<Item = Guess<'a>>, resamples: usize, rng: &mut impl Rng) -> Estimate {
    let labelled = |(lineup, scores): Guess<'a>| {
        let truth = lineup.truth;
        let pairs = scores.iter().enumerate().map(|(candidate, score)| (*score, candidate == truth));
        (lineup.user, pairs.collect::<Vec<_>>())
    };
    let pooled = |drawn: &[&Vec<Vec<(f64, bool)>>]| {
        auc(&drawn.iter().flat_map(|own| own.iter().flatten().copied()).collect::<Vec<_>>())
    };
    bootstrap_by_user(&by_user(guesses.map(labelled)), resamples, rng, pooled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    /// Two sessions of two candidates: right and tied singly, right jointly.
    #[test]
    fn figures_of_a_known_lineup() {
        let scored = [ScoredLineup { user: 1, truth: 1, scores: vec![vec![0.0, 2.0], vec![1.0, 1.0]] }];
        let report = judge_personas(&scored, 5, &mut ChaCha20Rng::seed_from_u64(103));
        assert_eq!((report.single.value, report.joint.value, report.joint_auc.value), (0.75, 1.0, 1.0));
        assert_eq!(report.single_auc.value, 0.875);
    }
}
