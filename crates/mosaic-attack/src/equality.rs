//! Memoised output is a fingerprint: are two equal outputs one person's? (PRIVACY 2.1, target 2.3.)

use std::collections::BTreeMap;

use rand::Rng;

use crate::{Estimate, bootstrap_by_user};

/// What equality of outputs gives away.
#[derive(Clone, Copy, Debug)]
pub struct EqualityReport {
    /// Probability that two equal outputs, drawn from different reports, are of one user.
    pub same_user: Estimate,
    /// Mean number of users who share the output of a random report.
    pub sharing: f64,
    /// `same_user` over its value if everybody who shares an output wrote it equally often, which is
    /// 1 / users sharing: the target is at most 3 (PRIVACY 2.3). Slightly below 1 for chance, since a
    /// report is never paired with itself.
    pub excess: f64,
    /// Pairs of equal outputs.
    pub pairs: f64,
}

/// `reports` are (user, output); an output is any 64-bit name of a snapped place or a row. 0 where no
/// two outputs are equal.
pub fn equality_linking(reports: &[(u32, u64)], resamples: usize, rng: &mut impl Rng) -> EqualityReport {
    let mut outputs: BTreeMap<u64, BTreeMap<u32, f64>> = BTreeMap::new();
    for (user, output) in reports {
        *outputs.entry(*output).or_default().entry(*user).or_default() += 1.0;
    }
    // per user: pairs with an own equal report, pairs with any equal report
    let mut users: BTreeMap<u32, [f64; 2]> = BTreeMap::new();
    let (mut sharing, mut expected) = (0.0, [0.0; 2]);
    for writers in outputs.values() {
        let count: f64 = writers.values().sum();
        for (user, own) in writers {
            let pairs = users.entry(*user).or_default();
            pairs[0] += own * (own - 1.0);
            pairs[1] += own * (count - 1.0);
        }
        sharing += count * writers.len() as f64;
        expected[0] += count * (count - 1.0) / writers.len() as f64;
        expected[1] += count * (count - 1.0);
    }
    let users: Vec<[f64; 2]> = users.into_values().collect();
    let share = |drawn: &[&[f64; 2]]| {
        let [same, all] = drawn.iter().fold([0.0; 2], |sum, user| [sum[0] + user[0], sum[1] + user[1]]);
        if all > 0.0 { same / all } else { 0.0 }
    };
    let same_user = bootstrap_by_user(&users, resamples, rng, share);
    let fair = if expected[0] > 0.0 { expected[0] / expected[1] } else { 1.0 };
    EqualityReport {
        same_user,
        sharing: sharing / reports.len().max(1) as f64,
        excess: same_user.value / fair,
        pairs: expected[1] / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// Private outputs link with certainty; an output that everybody uses equally links at 1 / users
    /// (closed form: (n - 1) / (u n - 1) for n reports of each of u users).
    #[test]
    fn closed_forms() {
        let mut rng = ChaCha20Rng::seed_from_u64(121);
        let private: Vec<(u32, u64)> = (0..100).map(|at| (at / 10, u64::from(at / 10))).collect();
        let alone = equality_linking(&private, 20, &mut rng);
        assert_eq!((alone.same_user.value, alone.sharing, alone.excess), (1.0, 1.0, 1.0));
        let shared: Vec<(u32, u64)> = (0..100).map(|at| (at % 20, 7)).collect();
        let together = equality_linking(&shared, 20, &mut rng);
        assert!((together.same_user.value - 4.0 / 99.0).abs() < 1e-12 && together.sharing == 20.0);
        assert_eq!(equality_linking(&[(1, 1), (2, 2)], 20, &mut rng).same_user.value, 0.0);
    }

    /// Seed 122: equals the share counted over all pairs, and uniform outputs link at chance.
    #[test]
    fn it_equals_counting_pairs() {
        let mut rng = ChaCha20Rng::seed_from_u64(122);
        let reports: Vec<(u32, u64)> = (0..300).map(|_| (rng.random_range(0..30), rng.random_range(0..8))).collect();
        let (mut same, mut all) = (0.0, 0.0);
        for (index, a) in reports.iter().enumerate() {
            for b in reports[index + 1..].iter().filter(|b| b.1 == a.1) {
                all += 1.0;
                same += f64::from(u8::from(a.0 == b.0));
            }
        }
        let report = equality_linking(&reports, 100, &mut rng);
        assert!((report.same_user.value - same / all).abs() < 1e-12 && report.pairs == all);
        assert!(report.same_user.low < 1.0 / 30.0 + 0.01 && report.same_user.high < 0.06, "{report:?}");
    }
}
