//! Linking pseudonyms by where they go: which of the known profiles wrote this probe? (PRIVACY 2.1
//! and part D.) Pseudonym to pseudonym only; nothing here knows a name.

use std::collections::BTreeMap;

use rand::Rng;

use crate::ranking::{by_user, credit_within, pooled_mean};
use crate::{Estimate, bootstrap_by_user};

/// Visits per cell, sparse: cells ascending, counts at least 1. A "cell" is any 64-bit name of a
/// place, zone or place-and-time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram(Vec<(u64, u32)>);

impl Histogram {
    /// Counts the visits; their order does not matter.
    pub fn from_visits(visits: impl IntoIterator<Item = u64>) -> Self {
        Self::from_counts(visits.into_iter().map(|cell| (cell, 1)))
    }

    /// Sums counts of equal cells and drops zeros.
    pub fn from_counts(counts: impl IntoIterator<Item = (u64, u32)>) -> Self {
        let mut cells: BTreeMap<u64, u32> = BTreeMap::new();
        for (cell, count) in counts {
            let held = cells.entry(cell).or_default();
            *held = held.saturating_add(count);
        }
        Self(cells.into_iter().filter(|(_, count)| *count > 0).collect())
    }

    /// Distinct cells and their counts, cells ascending.
    pub fn cells(&self) -> &[(u64, u32)] {
        &self.0
    }

    /// All visits.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|(_, count)| u64::from(*count)).sum()
    }

    /// Visits to one cell.
    pub fn count(&self, cell: u64) -> u32 {
        self.0.binary_search_by_key(&cell, |entry| entry.0).map_or(0, |index| self.0[index].1)
    }

    fn shares(&self) -> impl Iterator<Item = (u64, f64)> + '_ {
        let total = self.total().max(1) as f64;
        self.0.iter().map(move |(cell, count)| (*cell, f64::from(*count) / total))
    }
}

/// How a probe is compared with a profile. Larger is more alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LinkageScore {
    /// Log-likelihood of the probe under `own` × the profile + (1 - `own`) × the whole population,
    /// relative to the population alone; `own` within 0..1, PRIVACY part D uses 0.9.
    Mixture {
        /// Weight of the profile.
        own: f64,
    },
    /// Minus the Topsøe divergence of the two visit shares (twice Jensen-Shannon, in nats): the
    /// baseline in the README of `data/cabspotting-sf`.
    Topsoe,
}

impl LinkageScore {
    /// What is kept of a profile's share of a cell that has this popularity in the population.
    fn weight(self, share: f64, popularity: f64) -> f64 {
        match self {
            Self::Mixture { own } => {
                let own = own.clamp(0.0, 1.0 - 1e-9);
                (own * share / ((1.0 - own) * popularity)).ln_1p()
            }
            Self::Topsoe => share,
        }
    }
}

/// Profiles indexed by cell, so that a probe costs only the visits it shares with somebody.
#[derive(Clone, Debug)]
pub struct Linker {
    score: LinkageScore,
    users: usize,
    /// Cells that somebody holds, ascending, each with where its holders start.
    cells: Vec<(u64, usize)>,
    /// Profiles that hold a cell, cell after cell.
    holders: Vec<Holder>,
}

#[derive(Clone, Copy, Debug)]
struct Holder {
    user: usize,
    /// Share of the profile's visits; for the mixture, what one visit adds to the log-likelihood.
    weight: f64,
}

impl Linker {
    /// Learns the profiles; a profile is named by its index.
    pub fn new(profiles: &[Histogram], score: LinkageScore) -> Self {
        let mut entries: Vec<(u64, usize, f64, f64)> = Vec::new();
        for (user, profile) in profiles.iter().enumerate() {
            let shares = profile.shares().zip(profile.cells());
            entries.extend(shares.map(|((cell, share), (_, count))| (cell, user, share, f64::from(*count))));
        }
        entries.sort_unstable_by_key(|entry| (entry.0, entry.1));
        let everything: f64 = entries.iter().map(|entry| entry.3).sum();
        let (mut cells, mut holders) = (Vec::new(), Vec::with_capacity(entries.len()));
        for own in entries.chunk_by(|a, b| a.0 == b.0) {
            cells.push((own[0].0, holders.len()));
            let popularity = own.iter().map(|entry| entry.3).sum::<f64>() / everything;
            holders.extend(own.iter().map(|entry| Holder { user: entry.1, weight: score.weight(entry.2, popularity) }));
        }
        Self { score, users: profiles.len(), cells, holders }
    }

    /// One score a profile, in the order of the profiles. Cells that no profile holds say nothing.
    pub fn scores(&self, probe: &Histogram) -> Vec<f64> {
        let mut scores = vec![0.0; self.users];
        for ((cell, share), (_, count)) in probe.shares().zip(probe.cells()) {
            let Ok(index) = self.cells.binary_search_by_key(&cell, |entry| entry.0) else { continue };
            let end = self.cells.get(index + 1).map_or(self.holders.len(), |next| next.1);
            for holder in &self.holders[self.cells[index].1..end] {
                scores[holder.user] += match self.score {
                    LinkageScore::Mixture { .. } => f64::from(*count) * holder.weight,
                    // every shared cell takes this off the 2 ln 2 of two disjoint histograms
                    LinkageScore::Topsoe => topsoe_gain(share, holder.weight),
                };
            }
        }
        scores
    }

    /// Posterior over profiles for a uniform prior, sums to 1. Meaningful for the mixture score only.
    pub fn posterior(&self, probe: &Histogram) -> Vec<f64> {
        let scores = self.scores(probe);
        let total = crate::ranking::log_sum_exp(&scores);
        scores.iter().map(|score| (score - total).exp()).collect()
    }
}

fn topsoe_gain(p: f64, q: f64) -> f64 {
    let middle = (p + q) / 2.0;
    (p + q) * std::f64::consts::LN_2 - p * (p / middle).ln() - q * (q / middle).ln()
}

/// How often the right profile is named.
#[derive(Clone, Debug)]
pub struct LinkageReport {
    /// Share of probes whose best-scored profile is the right one, ties by expectation.
    pub top_one: Estimate,
    /// `top_k[k - 1]`: share of probes with the right profile among the best `k`.
    pub top_k: Vec<f64>,
    /// Probes judged.
    pub probes: usize,
}

/// Links every probe `(index of the right profile, histogram)`; the interval resamples the right
/// profile's users. `deepest` is the largest k of the curve.
pub fn link_histograms(
    profiles: &[Histogram],
    probes: &[(usize, Histogram)],
    score: LinkageScore,
    deepest: usize,
    resamples: usize,
    rng: &mut impl Rng,
) -> LinkageReport {
    let linker = Linker::new(profiles, score);
    let mut top_k = vec![0.0; deepest];
    let mut hits = Vec::with_capacity(probes.len());
    for (truth, probe) in probes {
        let scores = linker.scores(probe);
        hits.push((u32::try_from(*truth).unwrap_or(u32::MAX), credit_within(&scores, *truth, 1)));
        for (index, share) in top_k.iter_mut().enumerate() {
            *share += credit_within(&scores, *truth, index + 1);
        }
    }
    top_k.iter_mut().for_each(|share| *share /= probes.len().max(1) as f64);
    let top_one = bootstrap_by_user(&by_user(hits), resamples, rng, pooled_mean);
    LinkageReport { top_one, top_k, probes: probes.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    const MIXTURE: LinkageScore = LinkageScore::Mixture { own: 0.9 };

    fn visits(rng: &mut ChaCha20Rng, user: u64, own: f64, count: usize, cells: u64) -> Histogram {
        let mut cell =
            || if rng.random_bool(own) { user * 7 + rng.random_range(0..20) } else { rng.random_range(0..cells) };
        Histogram::from_visits((0..count).map(|_| cell()))
    }

    /// Seed 11, 100 users, 2,000 visits over 3,000 cells: half of the visits in 20 cells of one's own
    /// (partly shared with neighbours) must be linked, visits that do not depend on the user must be
    /// at chance (0.01; 100 probes, so above 0.06 has probability below 1e-3).
    #[test]
    fn habits_are_linked_and_strangers_are_not() {
        let mut rng = ChaCha20Rng::seed_from_u64(11);
        for score in [MIXTURE, LinkageScore::Topsoe] {
            for (own, low, high) in [(0.5, 0.99, 1.0), (0.0, 0.0, 0.06)] {
                let profiles: Vec<_> = (0..100).map(|user| visits(&mut rng, user, own, 2_000, 3_000)).collect();
                let probes: Vec<_> =
                    (0..100).map(|user| (user as usize, visits(&mut rng, user, own, 200, 3_000))).collect();
                let report = link_histograms(&profiles, &probes, score, 100, 50, &mut rng);
                assert!((low..=high).contains(&report.top_one.value), "{score:?} {own} {:?}", report.top_one);
                assert!((report.top_k[0] - report.top_one.value).abs() < 1e-9);
                assert!((report.top_k[99] - 1.0).abs() < 1e-9);
            }
        }
    }

    /// Seed 12: the sparse scores differ from the definitions, summed over all cells, by one constant.
    #[test]
    fn sparse_scores_equal_the_definitions() {
        let mut rng = ChaCha20Rng::seed_from_u64(12);
        let profiles: Vec<_> = (0..6).map(|user| visits(&mut rng, user, 0.5, 40, 60)).collect();
        let probe = visits(&mut rng, 2, 0.5, 15, 60);
        let everything = profiles.iter().map(Histogram::total).sum::<u64>() as f64;
        let share = |of: &Histogram, cell| f64::from(of.count(cell)) / of.total() as f64;
        let global = |cell| profiles.iter().map(|of| f64::from(of.count(cell))).sum::<f64>() / everything;
        let likelihood = |of: &Histogram| {
            let seen = probe.cells().iter().filter(|(cell, _)| global(*cell) > 0.0);
            seen.map(|&(cell, n)| f64::from(n) * (0.9 * share(of, cell) + 0.1 * global(cell)).ln()).sum::<f64>()
        };
        let half = |p: f64, q: f64| if p > 0.0 { p * (2.0 * p / (p + q)).ln() } else { 0.0 };
        let divergence = |of: &Histogram| {
            (0..200).map(|c| half(share(&probe, c), share(of, c)) + half(share(of, c), share(&probe, c))).sum::<f64>()
        };
        let mixture = Linker::new(&profiles, MIXTURE).scores(&probe);
        let topsoe = Linker::new(&profiles, LinkageScore::Topsoe).scores(&probe);
        for (user, profile) in profiles.iter().enumerate() {
            let expected = likelihood(profile) - likelihood(&profiles[0]);
            assert!((mixture[user] - mixture[0] - expected).abs() < 1e-9);
            assert!((topsoe[user] - 2.0 * std::f64::consts::LN_2 + divergence(profile)).abs() < 1e-9);
        }
        let posterior = Linker::new(&profiles, MIXTURE).posterior(&probe);
        assert!((posterior.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }
}
