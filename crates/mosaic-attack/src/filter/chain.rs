//! A Markov chain of order 1 on grid cells, learnt from other people's ways.

use std::collections::{BTreeMap, BTreeSet};

use super::{Blur, Metres, apart};

/// Probability of each cell of a chain, in its order.
pub type ChainPosterior = Vec<f64>;

/// Where people are and where they go next. Only cells that somebody trained on was in exist: a
/// person elsewhere is estimated at the nearest likely known cell.
#[derive(Clone, Debug)]
pub struct CellChain {
    centres: Vec<Metres>,
    popularity: Vec<f64>,
    /// Per cell, the next cells and their probabilities.
    moves: Vec<Vec<(usize, f64)>>,
    learnt: f64,
}

impl CellChain {
    /// Learns from ways of training users on squares of `side_m` metres. The next cell follows the
    /// counts with weight `learnt` (0..=1, PRIVACY part D: 0.9) and popularity with the rest.
    pub fn learn(ways: &[Vec<Metres>], side_m: f64, learnt: f64) -> Self {
        let square = |point: &Metres| [(point[0] / side_m).floor() as i64, (point[1] / side_m).floor() as i64];
        let known: BTreeSet<[i64; 2]> = ways.iter().flatten().map(square).collect();
        let index: BTreeMap<[i64; 2], usize> = known.iter().enumerate().map(|(at, cell)| (*cell, at)).collect();
        let centres = known.iter().map(|cell| cell.map(|axis| (axis as f64 + 0.5) * side_m)).collect();
        let mut visits = vec![0.0; known.len()];
        let mut counts: Vec<BTreeMap<usize, f64>> = vec![BTreeMap::new(); known.len()];
        for way in ways {
            let cells: Vec<usize> = way.iter().map(|point| index[&square(point)]).collect();
            cells.iter().for_each(|cell| visits[*cell] += 1.0);
            cells.windows(2).for_each(|pair| *counts[pair[0]].entry(pair[1]).or_default() += 1.0);
        }
        let total: f64 = visits.iter().sum();
        let shares = |next: BTreeMap<usize, f64>| {
            let total: f64 = next.values().sum();
            next.into_iter().map(|(cell, count)| (cell, count / total)).collect()
        };
        Self {
            centres,
            popularity: visits.iter().map(|count| count / total).collect(),
            moves: counts.into_iter().map(shares).collect(),
            learnt: learnt.clamp(0.0, 1.0),
        }
    }

    /// Centres of the cells.
    pub fn centres(&self) -> &[Metres] {
        &self.centres
    }

    /// Likelihood of each cell given one report, scaled so that the best is 1.
    pub fn likelihood(&self, report: Metres, blur: Blur) -> Vec<f64> {
        let logs: Vec<f64> = self.centres.iter().map(|centre| blur.log_density(apart(*centre, report))).collect();
        let best = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        logs.iter().map(|log| (log - best).exp()).collect()
    }

    /// Posterior from one report and the popularity of cells.
    pub fn single(&self, likelihood: &[f64]) -> ChainPosterior {
        update(&self.popularity, likelihood)
    }

    /// Posterior after each report, from it and those before (forward algorithm).
    pub fn filtered(&self, likelihoods: &[Vec<f64>]) -> Vec<ChainPosterior> {
        let mut posteriors: Vec<ChainPosterior> = Vec::with_capacity(likelihoods.len());
        for likelihood in likelihoods {
            let predicted = posteriors.last().map_or_else(|| self.popularity.clone(), |last| self.predict(last));
            posteriors.push(update(&predicted, likelihood));
        }
        posteriors
    }

    /// Posterior at each report from all reports (forward-backward).
    pub fn smoothed(&self, likelihoods: &[Vec<f64>]) -> Vec<ChainPosterior> {
        let mut posteriors = self.filtered(likelihoods);
        let mut future = vec![1.0; self.centres.len()];
        for (posterior, likelihood) in posteriors.iter_mut().zip(likelihoods).rev() {
            *posterior = update(posterior, &future);
            let seen: Vec<f64> = future.iter().zip(likelihood).map(|(future, seen)| future * seen).collect();
            future = self.expect(&seen);
        }
        posteriors
    }

    /// Mean position of a posterior.
    pub fn mean(&self, posterior: &[f64]) -> Metres {
        posterior
            .iter()
            .zip(&self.centres)
            .fold([0.0; 2], |sum, (share, centre)| [sum[0] + share * centre[0], sum[1] + share * centre[1]])
    }

    /// Where one will be next. What cannot move on (the end of every way) starts afresh.
    fn predict(&self, from: &[f64]) -> Vec<f64> {
        let mut next = vec![0.0; from.len()];
        let mut afresh = 0.0;
        for (share, moves) in from.iter().zip(&self.moves) {
            let learnt = if moves.is_empty() { 0.0 } else { self.learnt };
            moves.iter().for_each(|(cell, chance)| next[*cell] += learnt * share * chance);
            afresh += (1.0 - learnt) * share;
        }
        next.iter_mut().zip(&self.popularity).for_each(|(next, share)| *next += afresh * share);
        next
    }

    /// The transpose of [`Self::predict`], scaled so that the largest is 1.
    fn expect(&self, seen: &[f64]) -> Vec<f64> {
        let afresh: f64 = seen.iter().zip(&self.popularity).map(|(seen, share)| seen * share).sum();
        let earlier = |moves: &Vec<(usize, f64)>| {
            let learnt = if moves.is_empty() { 0.0 } else { self.learnt };
            let moved: f64 = moves.iter().map(|(cell, chance)| chance * seen[*cell]).sum();
            learnt * moved + (1.0 - learnt) * afresh
        };
        let values: Vec<f64> = self.moves.iter().map(earlier).collect();
        let most = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        values.iter().map(|value| value / most).collect()
    }
}

/// Bayes' rule; a report that rules everything out is ignored.
fn update(prior: &[f64], likelihood: &[f64]) -> Vec<f64> {
    let joint: Vec<f64> = prior.iter().zip(likelihood).map(|(prior, seen)| prior * seen).collect();
    let total: f64 = joint.iter().sum();
    if total > 0.0 { joint.iter().map(|share| share / total).collect() } else { prior.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::super::{Track, judge_chain};
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// Seed 92: against enumeration of all paths of five steps over at most six cells.
    #[test]
    fn filtering_and_smoothing_equal_enumeration() {
        let mut rng = ChaCha20Rng::seed_from_u64(92);
        let mut point = || [rng.random_range(0.0..300.0), rng.random_range(0.0..200.0)];
        let ways: Vec<Vec<Metres>> = (0..4).map(|_| (0..9).map(|_| point()).collect()).collect();
        let chain = CellChain::learn(&ways, 100.0, 0.9);
        let cells = chain.centres.len();
        let seen: Vec<Vec<f64>> = (0..5).map(|_| chain.likelihood(point(), Blur::Gaussian { sigma_m: 90.0 })).collect();
        let step = |from: usize, to: usize| {
            let mut prior = vec![0.0; cells];
            prior[from] = 1.0;
            chain.predict(&prior)[to]
        };
        let marginal = |length: usize, at: usize| {
            let mut shares = vec![0.0; cells];
            for code in 0..cells.pow(length as u32) {
                let path: Vec<usize> = (0..length).map(|step| code / cells.pow(step as u32) % cells).collect();
                let moved: f64 = path.windows(2).map(|pair| step(pair[0], pair[1])).product();
                let emitted: f64 = path.iter().zip(&seen).map(|(cell, seen)| seen[*cell]).product();
                shares[path[at]] += chain.popularity[path[0]] * moved * emitted;
            }
            let total: f64 = shares.iter().sum();
            shares.into_iter().map(|share| share / total).collect::<Vec<f64>>()
        };
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9);
        let (filtered, smoothed) = (chain.filtered(&seen), chain.smoothed(&seen));
        for at in 0..5 {
            assert!(close(&filtered[at], &marginal(at + 1, at)), "filter, step {at}");
            assert!(close(&smoothed[at], &marginal(5, at)), "smoother, step {at}");
        }
    }

    /// Walks along one of ten streets of forty 100 m cells, a cell a step.
    fn walk(rng: &mut ChaCha20Rng, orderly: bool) -> Vec<Metres> {
        let (street, start) = (f64::from(rng.random_range(0..10)) * 500.0, rng.random_range(0..20));
        let along = |step: i32, rng: &mut ChaCha20Rng| if orderly { start + step } else { rng.random_range(0..40) };
        (0..20).map(|step| [f64::from(along(step, rng)) * 100.0 + 50.0, street + 50.0]).collect()
    }

    /// Seed 93, 200 ways learnt, 100 judged, Gaussian 200 m. Steady walks are denoised by a third and
    /// more with the whole track; people who jump about at random within their street gain
    /// only the street, so much less.
    #[test]
    fn order_helps_the_attacker_and_disorder_helps_less() {
        let mut rng = ChaCha20Rng::seed_from_u64(93);
        let blur = Blur::Gaussian { sigma_m: 200.0 };
        let mut ratio = |orderly: bool, whole: bool| {
            let ways: Vec<Vec<Metres>> = (0..200).map(|_| walk(&mut rng, orderly)).collect();
            let chain = CellChain::learn(&ways, 100.0, 0.9);
            let track = |user| {
                let truth = walk(&mut rng, orderly);
                let reports = truth.iter().map(|point| blur.sample(*point, &mut rng)).collect();
                Track { user, at: (0..20).map(f64::from).collect(), truth, reports }
            };
            let tracks: Vec<Track> = (0..100).map(track).collect();
            judge_chain(&chain, &tracks, blur, whole, 40, &mut rng).ratio
        };
        let (filtered, smoothed, jumping) = (ratio(true, false), ratio(true, true), ratio(false, false));
        assert!(filtered.high < 0.7 && smoothed.value < filtered.value, "{filtered:?} {smoothed:?}");
        assert!(jumping.value > filtered.high + 0.15, "{jumping:?}");
    }
}
