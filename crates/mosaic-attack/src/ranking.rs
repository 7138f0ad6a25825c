//! What several attackers share: credit under ties, advantage, and observations gathered by user.

use std::collections::BTreeMap;

/// Probability that a guesser with `guesses` tries, who walks down `scores` and breaks ties at random,
/// names the item at `truth`: 0 or 1 without ties. 0 when `truth` is out of range.
pub fn credit_within(scores: &[f64], truth: usize, guesses: usize) -> f64 {
    let Some(own) = scores.get(truth) else { return 0.0 };
    let above = scores.iter().filter(|score| *score > own).count();
    let tied = scores.iter().filter(|score| *score == own).count().max(1);
    ((guesses as f64 - above as f64) / tied as f64).clamp(0.0, 1.0)
}

/// Expected place of the item at `truth` when items are tried best first, from 1; ties at random.
pub fn expected_rank(scores: &[f64], truth: usize) -> f64 {
    let Some(own) = scores.get(truth) else { return scores.len() as f64 };
    let above = scores.iter().filter(|score| *score > own).count();
    let tied = scores.iter().filter(|score| *score == own).count().max(1);
    above as f64 + (tied as f64 + 1.0) / 2.0
}

/// TPR minus FPR of "positive at or above `threshold`", in -1..=1; 0 where one kind is missing.
pub fn advantage_at(pairs: &[(f64, bool)], threshold: f64) -> f64 {
    let share = |positive: bool| {
        let kind = pairs.iter().filter(|pair| pair.1 == positive);
        let (hits, all) =
            kind.fold((0.0, 0.0), |(hits, all), pair| (hits + f64::from(u8::from(pair.0 >= threshold)), all + 1.0));
        (all > 0.0).then_some(hits / all)
    };
    match (share(true), share(false)) {
        (Some(hits), Some(alarms)) => hits - alarms,
        _ => 0.0,
    }
}

/// The threshold with the largest TPR minus FPR, and that advantage. Choosing it on the data it is
/// judged on flatters the attacker: choose on training users, judge with [`advantage_at`].
pub fn best_threshold(pairs: &[(f64, bool)]) -> (f64, f64) {
    let mut sorted: Vec<&(f64, bool)> = pairs.iter().collect();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let positives = sorted.iter().filter(|pair| pair.1).count() as f64;
    let negatives = sorted.len() as f64 - positives;
    let (mut hits, mut alarms, mut best) = (0.0, 0.0, (f64::INFINITY, 0.0));
    for (index, (score, positive)) in sorted.iter().map(|pair| **pair).enumerate() {
        if positive {
            hits += 1.0;
        } else {
            alarms += 1.0;
        }
        // a threshold cannot part equal scores
        let ends = sorted.get(index + 1).is_none_or(|next| next.0 < score);
        let advantage = hits / positives.max(1.0) - alarms / negatives.max(1.0);
        if ends && positives > 0.0 && negatives > 0.0 && advantage > best.1 {
            best = (score, advantage);
        }
    }
    best
}

/// Observations gathered by user, in order of user and then of appearance, so that results do not
/// depend on a hash.
pub(crate) fn by_user<T>(observations: impl IntoIterator<Item = (u32, T)>) -> Vec<Vec<T>> {
    let mut users: BTreeMap<u32, Vec<T>> = BTreeMap::new();
    for (user, observation) in observations {
        users.entry(user).or_default().push(observation);
    }
    users.into_values().collect()
}

/// Mean over everything the drawn users did; 0 for nothing.
pub(crate) fn pooled_mean(drawn: &[&Vec<f64>]) -> f64 {
    let count = drawn.iter().map(|values| values.len()).sum::<usize>().max(1);
    drawn.iter().flat_map(|values| values.iter()).sum::<f64>() / count as f64
}

/// Mean of a slice; 0 for an empty one.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// `ln Σ exp(values)`, without overflow; negative infinity for nothing.
pub(crate) fn log_sum_exp(values: &[f64]) -> f64 {
    let top = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        return top;
    }
    top + values.iter().map(|value| (value - top).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_are_credited_by_expectation() {
        let scores = [3.0, 1.0, 1.0, 0.0];
        assert_eq!(credit_within(&scores, 0, 1), 1.0);
        assert_eq!(credit_within(&scores, 1, 1), 0.0);
        assert_eq!(credit_within(&scores, 1, 2), 0.5);
        assert_eq!(credit_within(&scores, 3, 3), 0.0);
        assert_eq!(expected_rank(&scores, 2), 2.5);
        assert_eq!(credit_within(&scores, 9, 1), 0.0);
    }

    #[test]
    fn advantage_of_perfect_useless_and_inverted_scores() {
        assert_eq!(best_threshold(&[(0.9, true), (0.1, false)]), (0.9, 1.0));
        assert_eq!(best_threshold(&[(0.5, true), (0.5, false)]).1, 0.0);
        assert_eq!(advantage_at(&[(0.1, true), (0.9, false)], 0.5), -1.0);
        assert_eq!(advantage_at(&[(0.1, true)], 0.0), 0.0);
    }

    #[test]
    fn log_sum_exp_survives_large_values() {
        assert!((log_sum_exp(&[1000.0, 1000.0]) - 1000.0 - 2.0_f64.ln()).abs() < 1e-12);
        assert_eq!(log_sum_exp(&[]), f64::NEG_INFINITY);
    }
}
