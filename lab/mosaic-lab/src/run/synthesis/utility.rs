use std::collections::BTreeMap;

use mosaic_attack::{Estimate, bootstrap_by_user};
use rand_chacha::ChaCha20Rng;

use super::chain::{Day, WINDOWS};
use crate::runs::RESAMPLES;

/// A day that somebody lived, and days beside it, each with its weight.
pub(super) type Beside<'a> = (&'a Day, Vec<(Day, f64)>);

/// How far the days beside are from those that were lived: the total variation of where people are in a window, the mean
/// over windows; 0 for the same, 1 for nothing in common. Whole people are resampled. `None` where nothing is beside.
pub(super) fn distance(people: &[Beside<'_>], rng: &mut ChaCha20Rng) -> Option<Estimate> {
    let some = people.iter().flat_map(|(_, days)| days).any(|(_, weight)| *weight > 0.0);
    let mean =
        |drawn: &[&Beside<'_>]| (0..WINDOWS).map(|window| variation(drawn, window)).sum::<f64>() / WINDOWS as f64;
    some.then(|| bootstrap_by_user(people, RESAMPLES, rng, mean))
}

fn variation(drawn: &[&Beside<'_>], window: usize) -> f64 {
    // by cell: how often lived, how often beside
    let mut cells: BTreeMap<u64, [f64; 2]> = BTreeMap::new();
    for (lived, beside) in drawn {
        cells.entry(lived[window]).or_default()[0] += 1.0;
        for (day, weight) in beside {
            cells.entry(day[window]).or_default()[1] += weight;
        }
    }
    let [lived, beside] = cells.values().fold([0.0_f64; 2], |sum, one| [sum[0] + one[0], sum[1] + one[1]]);
    let share = |count: f64, all: f64| if all > 0.0 { count / all } else { 0.0 };
    cells.values().map(|one| (share(one[0], lived) - share(one[1], beside)).abs()).sum::<f64>() / 2.0
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn equal_days_are_near_and_others_are_far() {
        let mut rng = ChaCha20Rng::seed_from_u64(83);
        let [one, other] = [1, 2].map(|cell| vec![cell; WINDOWS]);
        let mut value = |people: &[Beside<'_>]| distance(people, &mut rng).map(|found| found.value);
        assert_eq!(value(&[(&one, vec![(one.clone(), 0.5)])]), Some(0.0));
        assert_eq!(value(&[(&one, vec![(other.clone(), 0.5)])]), Some(1.0));
        assert_eq!(value(&[(&one, vec![(other.clone(), 0.0)])]), None);
        let half = [(&one, vec![(one.clone(), 1.0)]), (&other, vec![(one.clone(), 1.0)])];
        assert_eq!(value(&half), Some(0.5));
    }
}
