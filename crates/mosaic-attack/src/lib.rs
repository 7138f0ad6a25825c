//! Pure estimators of every adversary: they serve the lab and the agent's anonymity meter.
//!
//! Attackers get the code, the corpus and retraining (Kerckhoffs). The users an attacker learns from
//! and the users it is judged on are disjoint, and every figure comes with a bootstrap interval over
//! users (PRIVACY 0.2). Nothing here knows where its observations came from: the same detector reads
//! the traffic of this system and that of a naive design.
//!
//! Where to find what, by scoreboard row (PRIVACY part A): real or decoy 1 and 2 [`detect_slots`], [`detect_slots_with`],
//! [`Learner`]; the naive element mix 1 and 3 to 5 [`classify_elements`], [`novelty`], [`redundancy`],
//! [`rebroadcast_intersection`]; averaging 7 [`averaging_curve`]; re-identification 8 and 9
//! [`link_histograms`], [`knowledge_risks`], [`uniqueness()`]; decoy trajectories 10 and 21
//! [`PersonaDetector`], [`profile_scores`]; filters 11 [`judge_chain`], [`judge_particles`]; joins of databases 12
//! [`join_attack`]; activity 16 [`activity_attack`]; edges 17 and 18 [`judge_edges`]; snapshots 20 [`snapshot_attack`]; tokens 22
//! [`token_attack`]; the trap 25 [`judge_trap`], [`join_questions`], [`calibration()`]; what accountants are held against 24
//! [`responses_delta`]; the meter of the agent [`MeterModel`], [`History`].

mod averaging;
mod boosting;
mod calibration;
mod choices;
mod composition;
mod detector;
mod distinguish;
mod edges;
mod elements;
mod equality;
mod features;
mod filter;
mod interval;
mod join;
mod knowledge;
mod linkage;
mod logistic;
mod meter;
mod meter_codec;
mod personas;
mod ranking;
mod roc;
mod scored;
mod sequence;
mod slots;
mod snapshots;
mod timing;
mod tokens;
mod traffic;
mod trap;
mod uniqueness;

pub use averaging::{AveragingCurve, AveragingPoint, Estimator, Reports, averaging_curve};
pub use boosting::{BoostedTrees, BoostingPlan};
pub use calibration::{CalibrationReport, Claimed, Isotonic, ReliabilityBin, calibration, reliability};
pub use choices::{Choice, Guess, GuessReport, Guesses, judge_guesses, score_choices};
pub use composition::{least_epsilon, responses_delta};
pub use detector::{Detector, Learner};
pub use distinguish::{Distinction, Observation, distinguish, kolmogorov_smirnov, welch_t};
pub use edges::{EdgeReport, Sighting, judge_edges, meeting_scores};
pub use elements::{
    Coherence, ElementReport, Flagging, Intersection, Rebroadcast, classify_elements, coherence_attack, novelty,
    rebroadcast_intersection, redundancy,
};
pub use equality::{EqualityReport, equality_linking};
pub use features::ByteStatistics;
pub use filter::{
    Blur, CellChain, ChainPosterior, FilterReport, Metres, ParticlePlan, SpeedModel, Track, judge_chain,
    judge_particles, particle_filter,
};
pub use interval::{Estimate, bootstrap_by_user, share_interval};
pub use join::{Kept, join_attack, join_features};
pub use knowledge::{Knowledge, knowledge_risks};
pub use linkage::{Histogram, LinkageReport, LinkageScore, Linker, link_histograms};
pub use logistic::LogisticRegression;
pub use meter::{
    DecodeMeterError, FEATURES, FloorAction, History, Lesson, MeterModel, MeterPlan, Popularity, PublicTown,
    SeenBundle, contrast,
};
pub use personas::{
    Lineup, PersonaDetector, PersonaReport, PlacePopularity, ScoredLineup, Session, Visit, judge_personas,
    profile_scores,
};
pub use ranking::{advantage_at, best_threshold, credit_within, expected_rank};
pub use roc::{hits_at, roc};
pub use sequence::{LabelledSequence, SequenceModel, SequencePlan};
pub use slots::{DetectorReport, EventView, LearnerReport, SlotView, detect_slots, detect_slots_with};
pub use snapshots::{SnapshotPair, snapshot_attack, snapshot_features};
pub use timing::{PacketWindow, TimingReport, activity_attack, timing_features};
pub use tokens::{TokenPair, token_attack, token_features};
pub use trap::{
    Question, TrapReport, asymmetry, effective_hypotheses, guessing_number, join_questions, joint_posterior, judge_trap,
};
pub use uniqueness::{Uniqueness, uniqueness};

/// Area under the ROC curve of `(score, is_positive)` pairs: the chance that a random positive scores
/// above a random negative, ties counting half (Mann-Whitney). 0.5 where one kind is missing.
pub fn auc(pairs: &[(f64, bool)]) -> f64 {
    let mut sorted: Vec<&(f64, bool)> = pairs.iter().collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut positives, mut rank_sum, mut start) = (0_usize, 0.0, 0);
    while start < sorted.len() {
        let end = start + sorted[start..].iter().take_while(|pair| pair.0 == sorted[start].0).count();
        let ties = sorted[start..end].iter().filter(|pair| pair.1).count();
        // every tied score shares the mean of the ranks start+1 ..= end
        rank_sum += ties as f64 * (start + 1 + end) as f64 / 2.0;
        positives += ties;
        start = end;
    }
    let negatives = sorted.len() - positives;
    if positives == 0 || negatives == 0 {
        return 0.5;
    }
    (rank_sum - (positives * (positives + 1)) as f64 / 2.0) / (positives as f64 * negatives as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auc_of_perfect_useless_and_tied_scores() {
        assert_eq!(auc(&[(0.1, false), (0.9, true)]), 1.0);
        assert_eq!(auc(&[(0.9, false), (0.1, true)]), 0.0);
        assert_eq!(auc(&[(0.5, false), (0.5, true), (0.5, true)]), 0.5);
        assert_eq!(auc(&[(0.5, true)]), 0.5);
    }
}
