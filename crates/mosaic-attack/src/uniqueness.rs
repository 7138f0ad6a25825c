//! How many random points single a person out (de Montjoye et al. 2013; PRIVACY 2.1, scoreboard 9).

use std::collections::{BTreeSet, HashMap};

use rand::Rng;
use rand::seq::index::sample;

use crate::ranking::pooled_mean;
use crate::{Estimate, bootstrap_by_user};

/// Share of draws in which `known` points of a user belong to nobody else.
#[derive(Clone, Copy, Debug)]
pub struct Uniqueness {
    /// Points known.
    pub known: usize,
    /// Share of draws that were unique, pooled over users.
    pub unique: Estimate,
    /// Users with at least `known` distinct points; the others are not judged.
    pub users: usize,
}

/// `points` holds, per user, names of what was observed, for instance (cell, week slot) packed into
/// 64 bits; repeats count once. Each user is judged on `draws` random sets of `known` points.
pub fn uniqueness(points: &[Vec<u64>], known: usize, draws: usize, resamples: usize, rng: &mut impl Rng) -> Uniqueness {
    let distinct: Vec<Vec<u64>> =
        points.iter().map(|own| own.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()).collect();
    let mut holders: HashMap<u64, Vec<usize>> = HashMap::new();
    for (user, own) in distinct.iter().enumerate() {
        own.iter().for_each(|point| holders.entry(*point).or_default().push(user));
    }
    let mut judged: Vec<Vec<f64>> = Vec::new();
    for own in distinct.iter().filter(|own| own.len() >= known) {
        let mut unique = || {
            let chosen: Vec<u64> = sample(rng, own.len(), known).into_iter().map(|index| own[index]).collect();
            f64::from(u8::from(matches(&holders, &chosen, points.len()) == 1))
        };
        judged.push((0..draws).map(|_| unique()).collect());
    }
    Uniqueness { known, unique: bootstrap_by_user(&judged, resamples, rng, pooled_mean), users: judged.len() }
}

/// Users who hold all chosen points: the rarest point's holders, thinned by the others'.
fn matches(holders: &HashMap<u64, Vec<usize>>, chosen: &[u64], everybody: usize) -> usize {
    let mut lists: Vec<&Vec<usize>> = chosen.iter().filter_map(|point| holders.get(point)).collect();
    lists.sort_by_key(|list| list.len());
    let Some((rarest, others)) = lists.split_first() else { return everybody };
    rarest.iter().filter(|user| others.iter().all(|list| list.binary_search(user).is_ok())).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// Seed 31: equal lives are never unique, disjoint lives always.
    #[test]
    fn the_two_extremes() {
        let mut rng = ChaCha20Rng::seed_from_u64(31);
        let equal = vec![(0..20).collect::<Vec<u64>>(); 50];
        assert_eq!(uniqueness(&equal, 4, 10, 20, &mut rng).unique.value, 0.0);
        let apart: Vec<Vec<u64>> = (0..50).map(|user| (user * 20..user * 20 + 20).collect()).collect();
        assert_eq!(uniqueness(&apart, 1, 10, 20, &mut rng).unique.value, 1.0);
        assert_eq!(uniqueness(&apart, 21, 10, 20, &mut rng).users, 0);
    }

    /// Seed 32: 200 users who hold each of 1,000 points with probability 0.1. Four points of one are
    /// held by none of 199 others with probability (1 - 1e-4)^199 = 0.980, two with 0.135; 200 × 20
    /// draws, accepted within 0.02 and 0.03 (over four standard errors).
    #[test]
    fn random_lives_match_the_closed_form() {
        let mut rng = ChaCha20Rng::seed_from_u64(32);
        let users: Vec<Vec<u64>> = (0..200).map(|_| (0..1_000).filter(|_| rng.random_bool(0.1)).collect()).collect();
        assert!((uniqueness(&users, 4, 20, 50, &mut rng).unique.value - 0.980).abs() < 0.02);
        assert!((uniqueness(&users, 2, 20, 50, &mut rng).unique.value - 0.135).abs() < 0.03);
    }
}
