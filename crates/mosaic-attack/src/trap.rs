//! The verification trap: what a posterior over hypotheses still costs to verify (PRIVACY 12).

use rand::Rng;

use crate::ranking::{by_user, credit_within, expected_rank, log_sum_exp, pooled_mean};
use crate::{Estimate, bootstrap_by_user};

/// Guessing number: expected verifications when hypotheses are checked in order of the posterior,
/// `Σ i p_(i)`. Lies in 1..=K; `(K + 1) / 2` for a uniform posterior. The posterior is normalised
/// first; 0 for an empty one.
pub fn guessing_number(posterior: &[f64]) -> f64 {
    let mut sorted = normalised(posterior);
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted.iter().enumerate().map(|(index, share)| (index + 1) as f64 * share).sum()
}

/// Effective hypotheses `2^H`, in 1..=K; 0 for an empty posterior.
pub fn effective_hypotheses(posterior: &[f64]) -> f64 {
    if posterior.is_empty() {
        return 0.0;
    }
    let surprise = |share: &f64| if *share > 0.0 { -share * share.log2() } else { 0.0 };
    normalised(posterior).iter().map(surprise).sum::<f64>().exp2()
}

/// Weights scaled to sum 1; uniform when they sum to nothing.
fn normalised(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    if total > 0.0 && total.is_finite() {
        return weights.iter().map(|weight| weight / total).collect();
    }
    vec![1.0 / weights.len().max(1) as f64; weights.len()]
}

/// Cost asymmetry `(G - 1) c_v / (K c_g)`: what verification costs the adversary beyond the first,
/// certain step, over what the hypotheses cost the user. Both costs in one unit (joules, money);
/// infinite when decoys cost nothing and something remains to verify.
pub fn asymmetry(guesses: f64, hypotheses: usize, verify_cost: f64, decoy_cost: f64) -> f64 {
    let (adversary, user) = ((guesses - 1.0) * verify_cost, hypotheses as f64 * decoy_cost);
    if adversary <= 0.0 { 0.0 } else { adversary / user }
}

/// One question about a person, after the best attack.
#[derive(Clone, Debug)]
pub struct Question {
    /// Whom it is about.
    pub user: u32,
    /// Posterior over its hypotheses.
    pub posterior: Vec<f64>,
    /// The right hypothesis: the judge, never an input of the attack.
    pub truth: usize,
}

/// What is left of the trap, with intervals by user.
#[derive(Clone, Copy, Debug)]
pub struct TrapReport {
    /// Mean guessing number, as the attacker's own posterior has it.
    pub guesses: Estimate,
    /// Mean verifications really needed until the truth is met in that order. Far above `guesses`:
    /// the attacker is overconfident and `guesses` flatters him.
    pub verifications: Estimate,
    /// Mean effective hypotheses `2^H`.
    pub effective: Estimate,
    /// Share of questions whose first guess is right.
    pub top_one: Estimate,
    /// Questions judged.
    pub questions: usize,
}

/// Judges single questions.
pub fn judge_trap(questions: &[Question], resamples: usize, rng: &mut impl Rng) -> TrapReport {
    let mut over = |of: &dyn Fn(&Question) -> f64| {
        let users = by_user(questions.iter().map(|question| (question.user, of(question))));
        bootstrap_by_user(&users, resamples, &mut *rng, pooled_mean)
    };
    TrapReport {
        guesses: over(&|question| guessing_number(&question.posterior)),
        verifications: over(&|question| expected_rank(&question.posterior, question.truth)),
        effective: over(&|question| effective_hypotheses(&question.posterior)),
        top_one: over(&|question| credit_within(&question.posterior, question.truth, 1)),
        questions: questions.len(),
    }
}

/// Posterior over identities after all questions of one person whose hypothesis `k` is always the
/// same identity `k`, as with persistent personas: proportional to `prior × Π (posterior_t / prior)`.
/// Questions with another number of hypotheses than `prior` are left out. Probabilities below 1e-12
/// count as 1e-12: one mistaken certainty must not be beyond correction.
pub fn joint_posterior(prior: &[f64], questions: &[&[f64]]) -> Vec<f64> {
    let log = |weight: f64| weight.max(1e-12).ln();
    let prior: Vec<f64> = normalised(prior).into_iter().map(log).collect();
    let mut sums = prior.clone();
    for posterior in questions.iter().filter(|posterior| posterior.len() == prior.len()) {
        for ((sum, share), before) in sums.iter_mut().zip(normalised(posterior)).zip(&prior) {
            *sum += log(share) - before;
        }
    }
    let total = log_sum_exp(&sums);
    sums.iter().map(|sum| (sum - total).exp()).collect()
}

/// Joins the questions of each user into the one question "which identity is the person?", for a
/// uniform prior. A user's questions must agree on the truth; those that differ from the first in it
/// or in the number of hypotheses are left out.
pub fn join_questions(questions: &[Question]) -> Vec<Question> {
    let users = by_user(questions.iter().map(|question| (question.user, question)));
    let join = |own: Vec<&Question>| {
        let first = own.first()?;
        let alike = |other: &&&Question| other.truth == first.truth;
        let posteriors: Vec<&[f64]> = own.iter().filter(alike).map(|one| one.posterior.as_slice()).collect();
        let prior = vec![1.0; first.posterior.len()];
        Some(Question { user: first.user, posterior: joint_posterior(&prior, &posteriors), truth: first.truth })
    };
    users.into_iter().filter_map(join).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    #[test]
    fn closed_forms() {
        assert!((guessing_number(&[0.1; 10]) - 5.5).abs() < 1e-12);
        assert!((effective_hypotheses(&[0.25; 4]) - 4.0).abs() < 1e-12);
        assert_eq!((guessing_number(&[0.0, 1.0]), effective_hypotheses(&[0.0, 1.0])), (1.0, 1.0));
        assert!((guessing_number(&[0.2, 0.5, 0.3]) - 1.7).abs() < 1e-12);
        assert_eq!(asymmetry(5.5, 10, 100.0, 0.5), 90.0);
        assert_eq!(asymmetry(1.0, 10, 100.0, 0.0), 0.0);
        assert_eq!((guessing_number(&[]), effective_hypotheses(&[])), (0.0, 0.0));
    }

    /// A posterior that says 2:1 each time, ten times: 2^10 to 1 jointly. A contrary answer cancels.
    #[test]
    fn joint_questions_multiply() {
        let joint = joint_posterior(&[1.0, 1.0], &[[2.0 / 3.0, 1.0 / 3.0].as_slice(); 10]);
        assert!((joint[0] / joint[1] - 1024.0).abs() < 1e-6);
        let even = joint_posterior(&[1.0, 1.0], &[&[0.8, 0.2], &[0.2, 0.8]]);
        assert!((even[0] - 0.5).abs() < 1e-12);
        // against an uneven prior, an answer equal to the prior says nothing
        let prior = joint_posterior(&[0.7, 0.3], &[[0.7, 0.3].as_slice(); 5]);
        assert!((prior[0] - 0.7).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn every_measure_stays_in_its_range(weights in proptest::collection::vec(0.0_f64..1.0, 1..12)) {
            let most = weights.len() as f64;
            let (guesses, effective) = (guessing_number(&weights), effective_hypotheses(&weights));
            prop_assert!((1.0 - 1e-9..=(most + 1.0) / 2.0 + 1e-9).contains(&guesses));
            prop_assert!((1.0 - 1e-9..=most + 1e-9).contains(&effective));
        }
    }

    /// 300 users × 20 questions, K = 4: Gaussian evidence (a sum of uniforms) with mean `truth_shift` at
    /// the truth, believed to have mean `believed`.
    fn questions(rng: &mut ChaCha20Rng, truth_shift: f64, believed: f64) -> Vec<Question> {
        let mut questions = Vec::new();
        for user in 0..300 {
            let truth = rng.random_range(0..4);
            for _ in 0..20 {
                let mut noise = || (0..12).map(|_| rng.random_range(-0.5..0.5)).sum::<f64>();
                let shift = |k: usize| if k == truth { truth_shift } else { 0.0 };
                let posterior = (0..4).map(|k| (believed * (noise() + shift(k))).exp()).collect();
                questions.push(Question { user, posterior, truth });
            }
        }
        questions
    }

    /// Seed 51: evidence that hardly solves one question nearly solves the joint one, and an honest
    /// posterior predicts the work it leaves.
    #[test]
    fn persistent_identities_fall_jointly() {
        let mut rng = ChaCha20Rng::seed_from_u64(51);
        let questions = questions(&mut rng, 0.8, 0.8);
        let single = judge_trap(&questions, 40, &mut rng);
        let joint = judge_trap(&join_questions(&questions), 40, &mut rng);
        assert_eq!((single.questions, joint.questions), (6_000, 300));
        assert!((single.guesses.value - single.verifications.value).abs() < 0.1, "{single:?}");
        assert!(single.top_one.value < 0.65 && joint.top_one.value > 0.9, "{single:?} {joint:?}");
        assert!(joint.verifications.value < 1.2 && joint.effective.value < 1.5, "{joint:?}");
    }

    /// Seed 52: evidence that has nothing to do with the truth but is believed. The attacker claims few
    /// guesses and needs as many as by chance: 2.5 ± 0.07 singly (6,000 questions), ± 0.26 jointly (300),
    /// four standard errors; top-1 0.25 ± 0.10.
    #[test]
    fn belief_without_evidence_saves_no_verification() {
        let mut rng = ChaCha20Rng::seed_from_u64(52);
        let questions = questions(&mut rng, 0.0, 0.8);
        let single = judge_trap(&questions, 40, &mut rng);
        let joint = judge_trap(&join_questions(&questions), 40, &mut rng);
        assert!(single.guesses.high < 2.2 && joint.guesses.high < 1.5, "{single:?} {joint:?}");
        assert!((single.verifications.value - 2.5).abs() < 0.07, "{single:?}");
        assert!((joint.verifications.value - 2.5).abs() < 0.26, "{joint:?}");
        assert!((joint.top_one.value - 0.25).abs() < 0.10, "{joint:?}");
    }
}
