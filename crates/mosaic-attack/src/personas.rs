//! Which of K candidate trajectories is the person, and which are persona decoys? (PRIVACY 7 and
//! part D, scoreboard 10 and 21.)

mod features;
mod verdict;

use crate::filter::Metres;
use crate::ranking::log_sum_exp;
use crate::{BoostedTrees, BoostingPlan, Histogram, Question};

pub use features::PlacePopularity;
pub use verdict::{PersonaReport, judge_personas};

/// One visit of a trajectory.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    /// Name of the venue; give the zone here too where the attacker sees zones only.
    pub place: u64,
    /// Name of the zone, for instance a 1 km cell.
    pub zone: u64,
    /// Where it is.
    pub at: Metres,
}

/// Consecutive visits under one pseudonym.
pub type Session = Vec<Visit>;

/// K candidates, one of them the person.
#[derive(Clone, Debug)]
pub struct Lineup {
    /// The person.
    pub user: u32,
    /// `candidates[k][s]`: what candidate `k` did in session `s`; equally many sessions each.
    pub candidates: Vec<Vec<Session>>,
    /// The candidate who is the person: the label in training, the judge in testing.
    pub truth: usize,
}

/// Scores of one lineup.
#[derive(Clone, Debug)]
pub struct ScoredLineup {
    /// The person.
    pub user: u32,
    /// The candidate who is the person.
    pub truth: usize,
    /// `scores[s][k]`: log-odds, or any score up to a constant a session.
    pub scores: Vec<Vec<f64>>,
}

impl ScoredLineup {
    /// Sum over sessions, one score a candidate: for candidates that persist over sessions.
    pub fn joint(&self) -> Vec<f64> {
        let candidates = self.scores.first().map_or(0, Vec::len);
        (0..candidates).map(|k| self.scores.iter().filter_map(|session| session.get(k)).sum()).collect()
    }

    /// One question a session for the verification trap: softmax of the scores. Calibrate before
    /// quoting them.
    pub fn questions(&self) -> Vec<Question> {
        let question = |scores: &Vec<f64>| {
            let total = log_sum_exp(scores);
            let posterior = scores.iter().map(|score| (score - total).exp()).collect();
            Question { user: self.user, posterior, truth: self.truth }
        };
        self.scores.iter().map(question).collect()
    }
}

/// A classifier that tells people from personas by the look of their trajectories.
#[derive(Clone, Debug)]
pub struct PersonaDetector {
    popularity: PlacePopularity,
    trees: BoostedTrees,
    overlap: bool,
}

impl PersonaDetector {
    /// Trains on lineups of other users; `popularity` comes from a public corpus. `overlap`: whether
    /// it may compare sessions (what recurs betrays fresh decoys).
    pub fn fit(training: &[Lineup], popularity: PlacePopularity, overlap: bool, plan: BoostingPlan) -> Self {
        let (mut rows, mut labels) = (Vec::new(), Vec::new());
        for lineup in training {
            for session in features::lineup(lineup, &popularity, overlap) {
                labels.extend((0..session.len()).map(|k| k == lineup.truth));
                rows.extend(session);
            }
        }
        Self { popularity, trees: BoostedTrees::fit(&rows, &labels, plan), overlap }
    }

    /// Scores a lineup of a user it did not learn from.
    pub fn score(&self, lineup: &Lineup) -> ScoredLineup {
        let sessions = features::lineup(lineup, &self.popularity, self.overlap);
        let score = |rows: Vec<Vec<f64>>| rows.iter().map(|row| self.trees.score(row)).collect();
        ScoredLineup { user: lineup.user, truth: lineup.truth, scores: sessions.into_iter().map(score).collect() }
    }
}

/// The attacker who has a clean profile of the person: log-likelihood ratio of each session's places
/// under `own` × `profile` + (1 - `own`) × `population` against `population` (PRIVACY part D: 0.9).
/// Places that neither knows say nothing.
pub fn profile_scores(profile: &Histogram, population: &Histogram, own: f64, lineup: &Lineup) -> ScoredLineup {
    let own = own.clamp(0.0, 1.0 - 1e-9);
    let everything = population.total().max(1) as f64 + 1.0;
    let ratio = |visit: &Visit| {
        let share = f64::from(profile.count(visit.place)) / profile.total().max(1) as f64;
        // half a visit for places that the population never saw
        let global = (f64::from(population.count(visit.place)) + 0.5) / everything;
        ((own * share + (1.0 - own) * global) / global).ln()
    };
    let sessions = lineup.candidates.iter().map(Vec::len).min().unwrap_or(0);
    let score = |session: usize| {
        let log = |candidate: &Vec<Session>| candidate[session].iter().map(ratio).sum::<f64>();
        lineup.candidates.iter().map(log).collect()
    };
    ScoredLineup { user: lineup.user, truth: lineup.truth, scores: (0..sessions).map(score).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    #[derive(Clone, Copy, PartialEq)]
    enum Decoys {
        /// Any place in town, each time.
        Scattered,
        /// As plausible as the person, but somebody else in every session.
        Fresh,
        /// As plausible as the person, and always the same somebody.
        Persistent,
    }

    fn visit(place: u64) -> Visit {
        Visit { place, zone: place / 4, at: [(place % 60) as f64 * 250.0, (place / 60) as f64 * 250.0] }
    }

    /// Five visits among six habitual places near a home, in a town of 60 × 60.
    fn session(rng: &mut ChaCha20Rng, home: u64) -> Session {
        (0..5).map(|_| visit((home + [0, 1, 3, 60, 62, 121][rng.random_range(0..6)]) % 3_600)).collect()
    }

    fn lineups(rng: &mut ChaCha20Rng, users: std::ops::Range<u32>, decoys: Decoys) -> Vec<Lineup> {
        let lineup = |user: u32, rng: &mut ChaCha20Rng| {
            let truth = rng.random_range(0..10);
            let candidate = |k: usize, rng: &mut ChaCha20Rng| {
                let home = rng.random_range(0..3_600);
                let one = |rng: &mut ChaCha20Rng| match decoys {
                    Decoys::Scattered if k != truth => (0..5).map(|_| visit(rng.random_range(0..3_600))).collect(),
                    Decoys::Fresh if k != truth => {
                        let elsewhere = rng.random_range(0..3_600);
                        session(rng, elsewhere)
                    }
                    _ => session(rng, home),
                };
                (0..10).map(|_| one(rng)).collect()
            };
            Lineup { user, candidates: (0..10).map(|k| candidate(k, rng)).collect(), truth }
        };
        users.map(|user| lineup(user, rng)).collect()
    }

    fn attack(decoys: Decoys, overlap: bool) -> PersonaReport {
        let mut rng = ChaCha20Rng::seed_from_u64(101);
        let (learnt, held) = (lineups(&mut rng, 0..40, decoys), lineups(&mut rng, 40..100, decoys));
        let corpus: Vec<Session> = (0..400).map(|at| session(&mut rng, at * 9)).collect();
        let plan = BoostingPlan { trees: 30, ..BoostingPlan::default() };
        let detector = PersonaDetector::fit(&learnt, PlacePopularity::learn(&corpus), overlap, plan);
        let scored: Vec<ScoredLineup> = held.iter().map(|lineup| detector.score(lineup)).collect();
        judge_personas(&scored, 60, &mut rng)
    }

    /// Seed 101, 40 users learnt, 60 judged, K = 10, ten sessions. Scattered decoys fall at once;
    /// plausible ones drawn afresh fall when sessions are compared; plausible and persistent ones hold:
    /// chance 0.10, 600 single sessions (±0.05, four standard errors), 60 whole lineups (±0.15).
    #[test]
    fn scattered_and_fresh_decoys_fall_and_persistent_ones_hold() {
        let scattered = attack(Decoys::Scattered, false);
        assert!(scattered.single.low > 0.95 && scattered.joint.value == 1.0, "{scattered:?}");
        let fresh = attack(Decoys::Fresh, true);
        assert!(fresh.single.low > 0.9, "{fresh:?}");
        let blind = attack(Decoys::Fresh, false);
        assert!((blind.single.value - 0.1).abs() < 0.05, "{blind:?}");
        let held = attack(Decoys::Persistent, true);
        assert!((held.single.value - 0.1).abs() < 0.05 && (held.joint.value - 0.1).abs() < 0.15, "{held:?}");
        assert!(held.single_auc.low < 0.5 && 0.5 < held.single_auc.high, "{held:?}");
    }

    /// Seed 102, 60 lineups of persistent personas: what the classifier cannot see, a profile of the
    /// person's first five sessions sees in the last five. The profile of a stranger is no use.
    #[test]
    fn a_profile_defeats_plausible_personas() {
        let mut rng = ChaCha20Rng::seed_from_u64(102);
        let earlier = lineups(&mut rng, 0..60, Decoys::Persistent);
        let later = |lineup: &Lineup| {
            let candidates = lineup.candidates.iter().map(|sessions| sessions[5..].to_vec()).collect();
            Lineup { candidates, ..*lineup }
        };
        let held: Vec<Lineup> = earlier.iter().map(later).collect();
        let population = Histogram::from_visits(held.iter().flat_map(|lineup| {
            lineup.candidates.iter().flatten().flatten().map(|visit| visit.place).collect::<Vec<_>>()
        }));
        let of = |lineup: &Lineup| {
            Histogram::from_visits(lineup.candidates[lineup.truth][..5].iter().flatten().map(|visit| visit.place))
        };
        let known = |shift: usize| -> Vec<ScoredLineup> {
            let profile = |at: usize| of(&earlier[(at + shift) % earlier.len()]);
            held.iter().enumerate().map(|(at, one)| profile_scores(&profile(at), &population, 0.9, one)).collect()
        };
        let (own, strange) = (judge_personas(&known(0), 60, &mut rng), judge_personas(&known(7), 60, &mut rng));
        assert!(own.single.low > 0.9 && own.joint.value > 0.99, "{own:?}");
        assert!((strange.single.value - 0.1).abs() < 0.06, "{strange:?}");
        let question = &known(0)[0].questions()[0];
        assert!((question.posterior.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }
}
