//! Re-identification with background knowledge: somebody knows `k` of the target's visits and looks
//! for everybody whose trajectory contains them. The definition is that of scikit-mobility's
//! `LocationAttack` and `UniqueLocationAttack` (Pellungrini et al. 2017): risk = the largest
//! 1 / matches over all combinations of `k` visits. Instead of enumerating them, the search rules
//! people out with bit sets and leaves a branch as soon as its bound cannot beat the best found.

use std::collections::{HashMap, HashSet};

use crate::Histogram;

/// What one piece of knowledge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// One visit: knowing a place twice matches only those who were there twice.
    Visits,
    /// One distinct place, however often it was visited.
    Places,
}

/// Risk of every user, in 0..=1, in the order given, for `known` pieces of knowledge. A user with
/// fewer is matched with all there are, as the reference does. 0 for a user without visits. Exact;
/// time grows exponentially with `known` in the worst case, hardly at all on real movement.
pub fn knowledge_risks(users: &[Histogram], known: usize, kind: Knowledge) -> Vec<f64> {
    let population = Population::new(users);
    users
        .iter()
        .enumerate()
        .map(|(target, visits)| match visits.total() {
            0 => 0.0,
            _ => 1.0 / (1 + population.fewest_rivals(target, visits, known, kind)) as f64,
        })
        .collect()
}

type Bits = Vec<u64>;

/// Who was where how often.
struct Population {
    everybody: Bits,
    users: usize,
    visitors: HashMap<u64, Vec<(usize, u32)>>,
}

impl Population {
    fn new(users: &[Histogram]) -> Self {
        let mut everybody = vec![0; users.len().div_ceil(64)];
        let mut visitors: HashMap<u64, Vec<(usize, u32)>> = HashMap::new();
        for (user, visits) in users.iter().enumerate().filter(|(_, visits)| visits.total() > 0) {
            everybody[user / 64] |= 1 << (user % 64);
            for (cell, count) in visits.cells() {
                visitors.entry(*cell).or_default().push((user, *count));
            }
        }
        Self { users: size(&everybody), everybody, visitors }
    }

    /// Fewest others left after `known` pieces of the target's knowledge.
    fn fewest_rivals(&self, target: usize, visits: &Histogram, known: usize, kind: Knowledge) -> usize {
        // most people have been somewhere alone
        if known > 0 && visits.cells().iter().any(|(cell, _)| self.visitors.get(cell).is_some_and(|all| all.len() == 1))
        {
            return 0;
        }
        // places that rule out the same people at every count are interchangeable
        let mut facts: HashSet<Vec<Bits>> = HashSet::new();
        for (cell, count) in visits.cells() {
            let deepest = if kind == Knowledge::Places { 1 } else { (*count as usize).min(known) };
            let levels: Vec<Bits> = (1..=deepest).map(|times| self.ruled_out(target, *cell, times)).collect();
            match levels.last().map_or(0, size) {
                0 => {}
                most if most == self.users - 1 => return 0,
                _ => drop(facts.insert(levels)),
            }
        }
        let mut facts: Vec<Vec<Bits>> = facts.into_iter().collect();
        facts.sort();
        let mut search = Search { facts, rivals: self.users - 1, best: 0 };
        let all: Vec<usize> = (0..search.facts.len()).collect();
        search.descend(&all, &vec![0; self.everybody.len()], known);
        search.rivals - search.best
    }

    /// Others who were in `cell` fewer than `times` times.
    fn ruled_out(&self, target: usize, cell: u64, times: usize) -> Bits {
        let mut out = self.everybody.clone();
        out[target / 64] &= !(1 << (target % 64));
        for (user, count) in self.visitors.get(&cell).into_iter().flatten() {
            if *count as usize >= times {
                out[user / 64] &= !(1 << (user % 64));
            }
        }
        out
    }
}

/// Depth-first search for the knowledge that rules out most.
struct Search {
    /// Per place, who is ruled out by knowing it once, twice, …: growing sets.
    facts: Vec<Vec<Bits>>,
    rivals: usize,
    best: usize,
}

/// What a place still brings below the current node.
struct Gain {
    fact: usize,
    /// Most people ruled out per piece of knowledge.
    density: f64,
    /// Pieces it can take.
    depth: usize,
}

impl Search {
    fn descend(&mut self, open: &[usize], out: &Bits, left: usize) {
        let sofar = size(out);
        self.best = self.best.max(sofar);
        if left == 0 || self.best == self.rivals {
            return;
        }
        let gains = self.gains(open, out, left);
        for (index, gain) in gains.iter().enumerate() {
            if sofar as f64 + optimum(&gains[index..], left) < self.best as f64 + 1.0 - 1e-9 {
                return;
            }
            let rest: Vec<usize> = gains[index + 1..].iter().map(|gain| gain.fact).collect();
            for times in 1..=gain.depth {
                let joined = out.iter().zip(&self.facts[gain.fact][times - 1]).map(|(a, b)| a | b).collect();
                self.descend(&rest, &joined, left - times);
                if self.best == self.rivals {
                    return;
                }
            }
        }
    }

    /// Places that still rule somebody out, the densest first.
    fn gains(&self, open: &[usize], out: &Bits, left: usize) -> Vec<Gain> {
        let gain = |&fact: &usize| {
            let depth = self.facts[fact].len().min(left);
            let density = |times: usize| added(&self.facts[fact][times - 1], out) as f64 / times as f64;
            Gain { fact, density: (1..=depth).map(density).fold(0.0, f64::max), depth }
        };
        let mut gains: Vec<Gain> = open.iter().map(gain).filter(|gain| gain.density > 0.0).collect();
        gains.sort_by(|a, b| b.density.total_cmp(&a.density));
        gains
    }
}

/// Upper bound of what `left` pieces can rule out: as if sets never overlapped.
fn optimum(gains: &[Gain], mut left: usize) -> f64 {
    let mut sum = 0.0;
    for gain in gains {
        let pieces = gain.depth.min(left);
        sum += pieces as f64 * gain.density;
        left -= pieces;
        if left == 0 {
            break;
        }
    }
    sum
}

fn size(bits: &Bits) -> usize {
    bits.iter().map(|word| word.count_ones() as usize).sum()
}

fn added(set: &Bits, to: &Bits) -> usize {
    set.iter().zip(to).map(|(set, to)| (set & !to).count_ones() as usize).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// The reference's definition, word for word: every combination of records, every user matched.
    fn enumerated(users: &[Histogram], known: usize, kind: Knowledge) -> Vec<f64> {
        let records = |user: &Histogram| -> Vec<u64> {
            let repeats = |count: u32| if kind == Knowledge::Places { 1 } else { count as usize };
            user.cells().iter().flat_map(|(cell, count)| vec![*cell; repeats(*count)]).collect()
        };
        let risk = |user: &Histogram| {
            let records = records(user);
            let length = known.min(records.len());
            let mut risk = 0.0_f64;
            for mask in 0_u32..1 << records.len() {
                if mask.count_ones() as usize != length || records.is_empty() {
                    continue;
                }
                let chosen = (0..records.len()).filter(|index| mask >> index & 1 == 1).map(|index| records[index]);
                let instance = Histogram::from_visits(chosen);
                let contains = |other: &&Histogram| instance.cells().iter().all(|(c, n)| other.count(*c) >= *n);
                let matches = users.iter().filter(|other| other.total() > 0).filter(contains).count();
                risk = risk.max(1.0 / matches as f64);
            }
            risk
        };
        users.iter().map(risk).collect()
    }

    /// Seed 21: 40 populations of 2 to 90 users, up to 11 visits over 3 to 9 cells, k from 1 to 5,
    /// both kinds; every risk equals enumeration exactly.
    #[test]
    fn search_equals_enumeration() {
        let mut rng = ChaCha20Rng::seed_from_u64(21);
        for _ in 0..40 {
            let (size, cells) = (rng.random_range(2..90), rng.random_range(3..10));
            let mut user = || {
                let visits = rng.random_range(0..12);
                Histogram::from_visits((0..visits).map(|_| rng.random_range(0..cells)).collect::<Vec<u64>>())
            };
            let users: Vec<Histogram> = (0..size).map(|_| user()).collect();
            for known in 1..=5 {
                for kind in [Knowledge::Visits, Knowledge::Places] {
                    assert_eq!(knowledge_risks(&users, known, kind), enumerated(&users, known, kind));
                }
            }
        }
    }

    /// Matches (1 / risk) that scikit-mobility 1.3.1's two attacks returned for these ten trajectories.
    #[test]
    fn search_equals_scikit_mobility() {
        let ways: [&[u64]; 10] = [
            &[2, 5, 2, 5, 5, 5, 4],
            &[3, 1, 5],
            &[1, 0, 2],
            &[1, 3, 4, 0, 4, 1],
            &[5, 1, 3],
            &[1, 3, 1, 0, 1],
            &[4, 3, 1, 1, 0, 0, 1],
            &[1, 1, 2, 2],
            &[4, 5, 5, 1],
            &[5, 1, 3, 2],
        ];
        let users: Vec<Histogram> = ways.iter().map(|way| Histogram::from_visits(way.iter().copied())).collect();
        let expected: [(Knowledge, usize, [u8; 10]); 6] = [
            (Knowledge::Visits, 1, [4, 5, 4, 4, 5, 4, 4, 4, 4, 4]),
            (Knowledge::Visits, 2, [1, 3, 1, 1, 3, 3, 1, 2, 2, 1]),
            (Knowledge::Visits, 3, [1, 3, 1, 1, 3, 2, 1, 1, 1, 1]),
            (Knowledge::Places, 1, [4, 5, 4, 4, 5, 4, 4, 4, 4, 4]),
            (Knowledge::Places, 2, [1, 3, 1, 2, 3, 3, 2, 3, 2, 1]),
            (Knowledge::Places, 3, [1, 3, 1, 2, 3, 3, 2, 3, 1, 1]),
        ];
        for (kind, known, matches) in expected {
            assert_eq!(knowledge_risks(&users, known, kind), matches.map(|count| 1.0 / f64::from(count)));
        }
    }

    #[test]
    fn a_private_place_betrays_and_equal_lives_do_not() {
        let same = vec![Histogram::from_visits([1, 1, 2, 3]); 7];
        assert_eq!(knowledge_risks(&same, 3, Knowledge::Visits), vec![1.0 / 7.0; 7]);
        let mut one = same;
        one[3] = Histogram::from_visits([1, 1, 2, 3, 9]);
        assert_eq!(knowledge_risks(&one, 1, Knowledge::Places)[3], 1.0);
        // only the count differs: visible in visits, not in places
        one[3] = Histogram::from_visits([1, 1, 1, 2, 3]);
        assert_eq!(knowledge_risks(&one, 3, Knowledge::Visits)[3], 1.0);
        assert_eq!(knowledge_risks(&one, 3, Knowledge::Places)[3], 1.0 / 7.0);
    }
}
