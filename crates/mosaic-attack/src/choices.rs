//! One of K: which of the things that were seen together is the real one? The question behind scoreboard
//! rows 2, 5, 6, 10 and 25, whatever the K things are.

use rand::Rng;

use crate::{
    CalibrationReport, Claimed, Estimate, Isotonic, LabelledSequence, Learner, Question, TrapReport, auc,
    bootstrap_by_user, calibration, hits_at, join_questions, judge_trap,
    ranking::{by_user, credit_within, pooled_mean},
    roc,
};

/// K things described by equally many numbers each; one of them is real.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Whom it is about.
    pub user: u32,
    /// One row of features a thing.
    pub rows: Vec<Vec<f64>>,
    /// The real one: the label in training, the judge in testing.
    pub truth: usize,
}

/// K scored things; larger is more likely real.
#[derive(Clone, Debug)]
pub struct Guess {
    /// Whom it is about.
    pub user: u32,
    /// One score a thing.
    pub scores: Vec<f64>,
    /// The real one: the judge, never an input of the attack.
    pub truth: usize,
}

/// Guesses about users that nothing was learnt from, in two halves.
#[derive(Clone, Debug, Default)]
pub struct Guesses {
    /// To calibrate probabilities on.
    pub tuning: Vec<Guess>,
    /// To be judged.
    pub judged: Vec<Guess>,
}

/// What the guesses achieve.
#[derive(Clone, Debug)]
pub struct GuessReport {
    /// Share of choices whose best-scored thing is the real one, ties by expectation.
    pub top_one: Estimate,
    /// AUC over all things.
    pub auc: Estimate,
    /// Share of real things found at 1 % false alarms.
    pub hits_at_1_percent: f64,
    /// The curve behind `auc`.
    pub roc: Vec<[f64; 2]>,
    /// What is left to verify, one choice at a time, by calibrated posteriors.
    pub trap: TrapReport,
    /// The same for all choices of a person at once. Means something only where the k-th thing is the same
    /// identity in each of that person's choices.
    pub joint: TrapReport,
    /// Whether the posteriors are true.
    pub calibration: CalibrationReport,
    /// Choices judged.
    pub choices: usize,
}

/// Learns from users whose number is 0 modulo 3 and scores the choices of the others: those at 1 for
/// tuning, those at 2 to be judged. Choices in order of time.
pub fn score_choices(choices: &[Choice], learner: Learner, rng: &mut impl Rng) -> Guesses {
    let own = |part: u32| {
        let part = choices.iter().filter(move |choice| choice.user % 3 == part);
        by_user(part.map(|choice| (choice.user, choice)))
    };
    let labelled = |user: Vec<&Choice>| LabelledSequence {
        labels: user.iter().flat_map(|one| (0..one.rows.len()).map(|k| k == one.truth)).collect(),
        rows: user.into_iter().flat_map(|one| one.rows.iter().cloned()).collect(),
    };
    let detector = learner.fit(&own(0).into_iter().map(labelled).collect::<Vec<_>>(), rng);
    let score = |user: Vec<&Choice>| -> Vec<Guess> {
        let rows: Vec<Vec<f64>> = user.iter().flat_map(|one| one.rows.iter().cloned()).collect();
        let mut scores = detector.scores(&rows).into_iter();
        let guess = |one: &&Choice| Guess {
            user: one.user,
            scores: scores.by_ref().take(one.rows.len()).collect(),
            truth: one.truth,
        };
        user.iter().map(guess).collect()
    };
    let scored = |part| own(part).into_iter().flat_map(score).collect();
    Guesses { tuning: scored(1), judged: scored(2) }
}

/// Judges guesses. Posteriors are calibrated on the tuning half.
pub fn judge_guesses(guesses: &Guesses, resamples: usize, rng: &mut impl Rng) -> GuessReport {
    let model = Isotonic::fit(&guesses.tuning.iter().flat_map(pairs).collect::<Vec<_>>());
    let ask =
        |guess: &Guess| Question { user: guess.user, posterior: model.posterior(&guess.scores), truth: guess.truth };
    let questions: Vec<Question> = guesses.judged.iter().map(ask).collect();
    let claims: Vec<Claimed> = questions.iter().flat_map(claims).collect();
    let all: Vec<(f64, bool)> = guesses.judged.iter().flat_map(pairs).collect();
    let credits = guesses.judged.iter().map(|guess| (guess.user, credit_within(&guess.scores, guess.truth, 1)));
    let users = by_user(guesses.judged.iter().map(|guess| (guess.user, guess)));
    let pooled = |drawn: &[&Vec<&Guess>]| {
        auc(&drawn.iter().flat_map(|own| own.iter().flat_map(|guess| pairs(guess))).collect::<Vec<_>>())
    };
    GuessReport {
        top_one: bootstrap_by_user(&by_user(credits), resamples, rng, pooled_mean),
        auc: bootstrap_by_user(&users, resamples, rng, pooled),
        hits_at_1_percent: hits_at(&all, 0.01),
        roc: roc(&all, 100),
        trap: judge_trap(&questions, resamples, rng),
        joint: judge_trap(&join_questions(&questions), resamples, rng),
        calibration: calibration(&claims, 10, resamples, rng),
        choices: guesses.judged.len(),
    }
}

fn pairs(guess: &Guess) -> impl Iterator<Item = (f64, bool)> + '_ {
    guess.scores.iter().enumerate().map(|(index, score)| (*score, index == guess.truth))
}

fn claims(question: &Question) -> Vec<Claimed> {
    let claim = |(index, probability): (usize, &f64)| Claimed {
        user: question.user,
        probability: *probability,
        held: index == question.truth,
    };
    question.posterior.iter().enumerate().map(claim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BoostingPlan;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// 150 users, ten choices each among ten things; the real thing's number is raised by `shift`.
    fn choices(rng: &mut ChaCha20Rng, shift: f64) -> Vec<Choice> {
        let choice = |number: u32, rng: &mut ChaCha20Rng| {
            let truth = rng.random_range(0..10);
            let row = |k| vec![rng.random_range(0.0..1.0) + if k == truth { shift } else { 0.0 }];
            Choice { user: number % 150, rows: (0..10).map(row).collect(), truth }
        };
        (0..1_500).map(|number| choice(number, rng)).collect()
    }

    /// Seed 141, 500 choices of 50 users judged. Without a difference top-1 is 0.1 and G 5.5 (standard errors
    /// 0.013 and about 0.13); a certain difference is found by both learners, and one guess is enough.
    #[test]
    fn nothing_and_everything() {
        let mut rng = ChaCha20Rng::seed_from_u64(141);
        for learner in [Learner::Trees(BoostingPlan::default()), Learner::Logistic { penalty: 1.0 }] {
            let mut judge = |shift| {
                let made = choices(&mut rng, shift);
                let guesses = score_choices(&made, learner, &mut rng);
                judge_guesses(&guesses, 60, &mut rng)
            };
            let nothing = judge(0.0);
            assert_eq!(nothing.choices, 500);
            assert!((nothing.top_one.value - 0.1).abs() < 0.055 && nothing.trap.guesses.value > 5.0, "{nothing:?}");
            assert!(nothing.calibration.error.value < 0.05, "{nothing:?}");
            let everything = judge(1.0);
            assert!(everything.top_one.low > 0.9 && everything.trap.guesses.high < 1.5, "{everything:?}");
            assert!(everything.hits_at_1_percent > 0.8);
        }
    }
}
