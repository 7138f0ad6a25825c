//! Were these two records, one from each of two providers' databases, written by one person? (PRIVACY 4.1,
//! scoreboard 12.)
//!
//! An event id in clear joins two databases at once. Where there is none, writers can still betray themselves by what
//! recurs: the moment in their cadence, rows, a name of any kind.

use std::collections::BTreeSet;

use rand::{Rng, RngExt};

use crate::{Distinction, Learner, Observation, distinguish};

/// One event as a provider keeps it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Who wrote it: the judge, never a feature.
    pub writer: u32,
    /// When it came, in seconds.
    pub at: u64,
    /// Whatever names what it is about: rows, or words in clear.
    pub keys: Vec<u64>,
    /// Whatever names it or its sender besides: an event id, an address. 0 where nothing does.
    pub name: u64,
}

/// Pairs of `here` with `there`, about as many of one writer as of two, described and told apart; `period_s` is the
/// length of the cadence in seconds, above 0, by which writers send. Trains, tunes and judges on disjoint writers: a
/// pair of two writers is kept only where both are of one third. At most `most` pairs of each kind.
pub fn join_attack(
    (here, there): (&[Kept], &[Kept]),
    period_s: u64,
    most: usize,
    learner: Learner,
    resamples: usize,
    rng: &mut impl Rng,
) -> Distinction {
    let mut same = Vec::new();
    for a in here {
        same.extend(there.iter().filter(|b| a.writer == b.writer).map(|b| (a, b)));
    }
    let step = same.len().div_ceil(most.max(1)).max(1);
    let mut pairs = Vec::new();
    for (a, b) in same.into_iter().step_by(step) {
        pairs.push(observe(a, b, period_s));
        // a stranger of the same third, at about any time of the day
        let mut drawn = (0..64).map(|_| &there[rng.random_range(0..there.len())]);
        let other = drawn.find(|other| other.writer != a.writer && other.writer % 3 == a.writer % 3);
        pairs.extend(other.map(|other| observe(a, other, period_s)));
    }
    distinguish(&pairs, learner, resamples, rng)
}

fn observe(a: &Kept, b: &Kept, period_s: u64) -> Observation {
    Observation { user: a.writer, features: join_features(a, b, period_s), positive: a.writer == b.writer }
}

/// Seconds between, the distance of the two moments within the cadence (at most half of it), keys in both, whether the
/// names are equal.
pub fn join_features(a: &Kept, b: &Kept, period_s: u64) -> Vec<f64> {
    let gap = a.at.abs_diff(b.at);
    let within = gap % period_s.max(1);
    let keys: BTreeSet<u64> = a.keys.iter().copied().collect();
    let common = b.keys.iter().filter(|key| keys.contains(key)).count();
    let named = a.name != 0 && a.name == b.name;
    vec![gap as f64, within.min(period_s - within) as f64, common as f64, f64::from(u8::from(named))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BoostingPlan;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    /// What a writer repeats.
    #[derive(Clone, Copy, PartialEq)]
    enum Habit {
        Nothing,
        Name,
        Row,
        Moment,
    }

    /// 90 writers with ten events at each of two providers within six hours.
    fn databases(rng: &mut ChaCha20Rng, habit: Habit) -> [Vec<Kept>; 2] {
        let mut one = |_| {
            let event = |number: u32| {
                let writer = number % 90;
                let at = if habit == Habit::Moment {
                    u64::from(rng.random_range(0..30_u32)) * 720 + u64::from(writer) * 8 + rng.random_range(0..8)
                } else {
                    rng.random_range(0..21_600)
                };
                let mut keys: Vec<u64> = (0..10).map(|_| rng.random_range(0..1 << 17)).collect();
                if habit == Habit::Row {
                    keys[3] = u64::from(writer);
                }
                let name = if habit == Habit::Name { u64::from(writer) + 1 } else { rng.random_range(1..u64::MAX) };
                Kept { writer, at, keys, name }
            };
            (0..900).map(event).collect()
        };
        [one(0), one(1)]
    }

    /// Seed 171, about 1,000 pairs judged of 30 writers. An id joins completely, a row that recurs and a moment in the
    /// cadence nearly so; databases that share nothing do not (AUC 0.5 ± 0.06, four standard errors).
    #[test]
    fn what_recurs_joins_and_nothing_else_does() {
        let mut rng = ChaCha20Rng::seed_from_u64(171);
        let mut judge = |habit| {
            let [here, there] = databases(&mut rng, habit);
            let learner = Learner::Trees(BoostingPlan::default());
            join_attack((&here, &there), 720, 1_500, learner, 40, &mut rng).auc
        };
        assert_eq!(judge(Habit::Name).value, 1.0);
        assert!(judge(Habit::Row).low > 0.99);
        assert!(judge(Habit::Moment).low > 0.9);
        let nothing = judge(Habit::Nothing);
        assert!((nothing.value - 0.5).abs() < 0.06, "{nothing:?}");
    }

    /// Seed 172: common keys equal those counted pair by pair; the moment wraps around the cadence.
    #[test]
    fn features_equal_a_slow_count() {
        let mut rng = ChaCha20Rng::seed_from_u64(172);
        for _ in 0..200 {
            let mut kept = || Kept {
                writer: 0,
                at: rng.random_range(0..10_000),
                keys: (0..8).map(|at| at * 4 + rng.random_range(0..4)).collect(),
                name: rng.random_range(0..3),
            };
            let (a, b) = (kept(), kept());
            let slow: usize = a.keys.iter().map(|key| b.keys.iter().filter(|other| *other == key).count()).sum();
            let apart = (0..=30).map(|turn| (a.at as f64 - b.at as f64).abs() - f64::from(turn) * 720.0);
            let near = apart.map(f64::abs).fold(f64::INFINITY, f64::min);
            let equal = f64::from(u8::from(a.name == b.name && a.name != 0));
            let gap = a.at.abs_diff(b.at) as f64;
            assert_eq!(join_features(&a, &b, 720), vec![gap, near, slow as f64, equal]);
        }
    }

    #[test]
    fn nothing_to_join_is_no_verdict() {
        let mut rng = ChaCha20Rng::seed_from_u64(173);
        let learner = Learner::Logistic { penalty: 1.0 };
        assert_eq!(join_attack((&[], &[]), 720, 10, learner, 0, &mut rng).observations, 0);
    }
}
