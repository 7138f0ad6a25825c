//! Who belongs together? Inferred from being in the same place at the same time, whatever "place"
//! is: a zone, or a row of a table (Crandall et al. 2010; PRIVACY 5 and 8, scoreboard 17 and 18).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rand::Rng;

use crate::{Estimate, bootstrap_by_user};

/// Somebody was somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sighting {
    /// Cell, or row.
    pub place: u64,
    /// Epoch, or batch.
    pub epoch: u64,
    /// Who.
    pub user: u32,
}

/// Score per pair `(a, b)` with a < b; pairs that never met are missing and score 0. A meeting counts
/// `1 / ln(1 + visitors)` for the distinct visitors the place ever had (Adamic and Adar 2003), divided
/// by the others present: few people in a rare place mean most. Meetings of more than `crowd` people
/// are passed over; they say little and cost their square.
pub fn meeting_scores(sightings: &[Sighting], crowd: usize) -> BTreeMap<(u32, u32), f64> {
    let distinct: BTreeSet<Sighting> = sightings.iter().copied().collect();
    let mut visitors: HashMap<u64, BTreeSet<u32>> = HashMap::new();
    let mut present: BTreeMap<(u64, u64), Vec<u32>> = BTreeMap::new();
    for sighting in &distinct {
        visitors.entry(sighting.place).or_default().insert(sighting.user);
        present.entry((sighting.place, sighting.epoch)).or_default().push(sighting.user);
    }
    let mut scores = BTreeMap::new();
    for ((place, _), users) in present.iter().filter(|(_, users)| (2..=crowd).contains(&users.len())) {
        let rarity = 1.0 / (1.0 + visitors[place].len() as f64).ln();
        let weight = rarity / (users.len() - 1) as f64;
        for (index, a) in users.iter().enumerate() {
            for b in &users[index + 1..] {
                *scores.entry((*a, *b)).or_default() += weight;
            }
        }
    }
    scores
}

/// How well pairs are told from strangers.
#[derive(Clone, Copy, Debug)]
pub struct EdgeReport {
    /// AUC over pairs of judged users; the interval resamples users with all their pairs.
    pub auc: Estimate,
    /// Share of true edges among as many best-scored pairs as there are edges; ties by expectation.
    pub precision: f64,
    /// True edges among the judged users.
    pub edges: usize,
    /// Pairs judged.
    pub pairs: usize,
}

/// Judges scores from [`meeting_scores`] (or any other) against true `edges` among `users`; pairs
/// with others are left out.
pub fn judge_edges(
    scores: &BTreeMap<(u32, u32), f64>,
    edges: &[(u32, u32)],
    users: &[u32],
    resamples: usize,
    rng: &mut impl Rng,
) -> EdgeReport {
    let users: BTreeSet<u32> = users.iter().copied().collect();
    let judged = |pair: &(u32, u32)| pair.0 != pair.1 && users.contains(&pair.0) && users.contains(&pair.1);
    let ordered = |pair: &(u32, u32)| (pair.0.min(pair.1), pair.0.max(pair.1));
    let truth: BTreeSet<(u32, u32)> = edges.iter().map(ordered).filter(judged).collect();
    let scored: BTreeMap<(u32, u32), f64> =
        scores.iter().map(|(pair, score)| (ordered(pair), *score)).filter(|(pair, _)| judged(pair)).collect();
    let people = Pairs::new(&users, &scored, &truth);
    let everyone: Vec<usize> = (0..users.len()).collect();
    EdgeReport {
        auc: bootstrap_by_user(&everyone, resamples, rng, |drawn| people.auc(drawn)),
        precision: people.precision(&everyone.iter().collect::<Vec<_>>()),
        edges: truth.len(),
        pairs: users.len() * users.len().saturating_sub(1) / 2,
    }
}

/// A pair that met or belongs together.
struct Pair {
    /// Positions of its users.
    users: [usize; 2],
    /// Place of its score among all scores; 0 is "never met".
    level: usize,
    edge: bool,
}

/// Only pairs worth listing; all others never met and do not belong together. A drawn set of users
/// stands for the pairs among them, a user drawn twice counting twice (vertex bootstrap; Snijders and
/// Borgatti 1999), since counting each pair with each of its users would make the interval too narrow.
struct Pairs {
    users: usize,
    levels: usize,
    listed: Vec<Pair>,
}

impl Pairs {
    fn new(users: &BTreeSet<u32>, scores: &BTreeMap<(u32, u32), f64>, truth: &BTreeSet<(u32, u32)>) -> Self {
        let mut heights: Vec<f64> = scores.values().copied().filter(|score| *score > 0.0).collect();
        heights.sort_by(f64::total_cmp);
        heights.dedup();
        let index: BTreeMap<u32, usize> = users.iter().enumerate().map(|(at, user)| (*user, at)).collect();
        let pair = |pair: &(u32, u32)| {
            let score = scores.get(pair).copied().unwrap_or(0.0);
            Pair {
                users: [index[&pair.0], index[&pair.1]],
                level: heights.partition_point(|height| *height <= score),
                edge: truth.contains(pair),
            }
        };
        let named: BTreeSet<&(u32, u32)> = scores.keys().chain(truth).collect();
        Self { users: users.len(), levels: heights.len() + 1, listed: named.into_iter().map(pair).collect() }
    }

    /// Weight of edges and of strangers at each level.
    fn by_level(&self, drawn: &[&usize]) -> Vec<[f64; 2]> {
        let mut times = vec![0.0; self.users];
        drawn.iter().for_each(|user| times[**user] += 1.0);
        let squares: f64 = times.iter().map(|times| times * times).sum();
        let mut unlisted = ((drawn.len() as f64).powi(2) - squares) / 2.0;
        let mut levels = vec![[0.0; 2]; self.levels];
        for pair in &self.listed {
            let weight = times[pair.users[0]] * times[pair.users[1]];
            levels[pair.level][usize::from(!pair.edge)] += weight;
            unlisted -= weight;
        }
        levels[0][1] += unlisted;
        levels
    }

    fn auc(&self, drawn: &[&usize]) -> f64 {
        let (mut below, mut wins, mut edges) = (0.0, 0.0, 0.0);
        for [friends, strangers] in self.by_level(drawn) {
            wins += friends * (below + strangers / 2.0);
            below += strangers;
            edges += friends;
        }
        if edges * below > 0.0 { wins / (edges * below) } else { 0.5 }
    }

    fn precision(&self, everyone: &[&usize]) -> f64 {
        let levels = self.by_level(everyone);
        let edges: f64 = levels.iter().map(|level| level[0]).sum();
        let (mut left, mut hits) = (edges, 0.0);
        for [friends, strangers] in levels.iter().rev() {
            let pairs = friends + strangers;
            if pairs > 0.0 {
                hits += friends * (left / pairs).min(1.0);
                left = (left - pairs).max(0.0);
            }
        }
        hits / edges.max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auc;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// 60 users, 30 pairs of friends, 200 places, 100 epochs; friends meet in an epoch with probability
    /// `meet`, otherwise everybody is anywhere.
    fn town(rng: &mut ChaCha20Rng, meet: f64) -> (Vec<Sighting>, Vec<(u32, u32)>) {
        let friends: Vec<(u32, u32)> = (0..30).map(|pair| (pair, 59 - pair)).collect();
        let mut sightings = Vec::new();
        for epoch in 0..100 {
            for &(a, b) in &friends {
                let place = rng.random_range(0..200);
                let other = if rng.random_bool(meet) { place } else { rng.random_range(0..200) };
                sightings.push(Sighting { place, epoch, user: a });
                sightings.push(Sighting { place: other, epoch, user: b });
            }
        }
        (sightings, friends)
    }

    /// Seed 111: friends who meet in one epoch of ten are found. In 20 towns where nobody meets on
    /// purpose the mean AUC is 0.5 ± 0.05 (four standard errors) and at least 15 of the 95 %
    /// intervals hold 0.5 (fewer has probability below 1e-3).
    #[test]
    fn meetings_betray_friends_and_chance_does_not() {
        let mut rng = ChaCha20Rng::seed_from_u64(111);
        let users: Vec<u32> = (0..60).collect();
        let (sightings, friends) = town(&mut rng, 0.1);
        let met = judge_edges(&meeting_scores(&sightings, 20), &friends, &users, 60, &mut rng);
        assert!(met.auc.low > 0.98 && met.precision > 0.8 && met.edges == 30 && met.pairs == 1_770, "{met:?}");
        let strangers: Vec<EdgeReport> = (0..20)
            .map(|_| {
                let (sightings, friends) = town(&mut rng, 0.0);
                judge_edges(&meeting_scores(&sightings, 20), &friends, &users, 100, &mut rng)
            })
            .collect();
        let areas: Vec<f64> = strangers.iter().map(|report| report.auc.value).collect();
        assert!((crate::ranking::mean(&areas) - 0.5).abs() < 0.05, "{areas:?}");
        assert!(strangers.iter().filter(|report| report.auc.low < 0.5 && 0.5 < report.auc.high).count() >= 15);
        assert!(strangers.iter().all(|report| report.precision < 0.2));
    }

    /// Seed 112: the weighted AUC equals the crate's AUC over all pairs, edges that never met included.
    #[test]
    fn weights_equal_the_list_of_all_pairs() {
        let mut rng = ChaCha20Rng::seed_from_u64(112);
        let (sightings, mut friends) = town(&mut rng, 0.02);
        friends.push((0, 1));
        friends.push((0, 99));
        let scores = meeting_scores(&sightings, 20);
        let users: Vec<u32> = (0..50).collect();
        let report = judge_edges(&scores, &friends, &users, 0, &mut rng);
        let pairs: Vec<(f64, bool)> = (0..50)
            .flat_map(|a| (a + 1..50).map(move |b| (a, b)))
            .map(|pair| (scores.get(&pair).copied().unwrap_or(0.0), friends.contains(&pair)))
            .collect();
        assert!((report.auc.value - auc(&pairs)).abs() < 1e-12);
        assert_eq!(report.pairs, pairs.len());
    }

    #[test]
    fn a_rare_place_and_a_small_circle_weigh_more() {
        let at = |place, epoch, users: &[u32]| users.iter().map(|&user| Sighting { place, epoch, user }).collect();
        let all: Vec<Vec<Sighting>> =
            vec![at(1, 0, &[1, 2]), at(2, 0, &[3, 4]), at(2, 1, &[5, 6, 7]), at(3, 0, &[8; 3])];
        let scores = meeting_scores(&all.concat(), 3);
        assert!((scores[&(1, 2)] - 1.0 / 3.0_f64.ln()).abs() < 1e-12);
        assert!((scores[&(3, 4)] - 1.0 / 6.0_f64.ln()).abs() < 1e-12);
        assert!((scores[&(5, 7)] - 0.5 / 6.0_f64.ln()).abs() < 1e-12);
        assert!(!scores.contains_key(&(8, 8)), "nobody meets themself");
        assert!(!meeting_scores(&all.concat(), 2).contains_key(&(5, 7)), "a crowd is passed over");
    }
}
