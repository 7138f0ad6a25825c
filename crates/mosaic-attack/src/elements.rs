//! The attacks on the naive element mix of the source documents (PRIVACY 1.1): the truth always
//! travels, the noise is drawn from what others sent before. A detector that cannot break this is
//! broken itself.
//!
//! A broadcast is an [`EventView`] whose slots are its elements, `key` naming the element. Broadcasts
//! come in order of time.

mod classifier;
mod features;

use std::collections::{HashMap, HashSet};

use rand::Rng;

use crate::ranking::{by_user, pooled_mean};
use crate::{Estimate, EventView, bootstrap_by_user};

pub use classifier::{ElementReport, classify_elements};
pub use features::{Coherence, coherence_attack};

/// How good a rule is that calls elements real.
#[derive(Clone, Copy, Debug)]
pub struct Flagging {
    /// Share of called elements that are real; 0 when nothing was called.
    pub precision: Estimate,
    /// Share of real elements that were called.
    pub recall: Estimate,
    /// Share of all elements that are real: the precision of calling everything.
    pub blind_precision: f64,
    /// Elements called real.
    pub called: usize,
}

/// Novelty: an element never seen before cannot have come from the pool of earlier elements. The
/// first `warm_up` broadcasts only fill the memory.
pub fn novelty(events: &[EventView], warm_up: usize, resamples: usize, rng: &mut impl Rng) -> Flagging {
    let mut seen: HashSet<u64> = HashSet::new();
    let mut calls = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let judged = event.slots.iter().map(|slot| (event.user, (!seen.contains(&slot.key), slot.real)));
        calls.extend(judged.filter(|_| index >= warm_up));
        seen.extend(event.slots.iter().map(|slot| slot.key));
    }
    flagging(calls, resamples, rng)
}

/// Redundancy: "critical" elements are sent several times in one broadcast, noise is not; counting
/// finds them, and with them what the person cares about most.
pub fn redundancy(events: &[EventView], resamples: usize, rng: &mut impl Rng) -> Flagging {
    let mut calls = Vec::new();
    for event in events {
        let mut counts: HashMap<u64, usize> = HashMap::new();
        event.slots.iter().for_each(|slot| *counts.entry(slot.key).or_default() += 1);
        // each distinct element is judged once
        let mut judged: HashSet<u64> = HashSet::new();
        let distinct = event.slots.iter().filter(|slot| judged.insert(slot.key));
        calls.extend(distinct.map(|slot| (event.user, (counts[&slot.key] > 1, slot.real))));
    }
    flagging(calls, resamples, rng)
}

fn flagging(calls: Vec<(u32, (bool, bool))>, resamples: usize, rng: &mut impl Rng) -> Flagging {
    let real = calls.iter().filter(|(_, (_, real))| *real).count();
    let (all, called) = (calls.len(), calls.iter().filter(|(_, (called, _))| *called).count());
    let users = by_user(calls);
    let share = |drawn: &[&Vec<(bool, bool)>], of: fn(&(bool, bool)) -> bool| {
        let pool = drawn.iter().flat_map(|user| user.iter()).filter(|call| of(call));
        let (hits, count) =
            pool.fold((0_usize, 0_usize), |(hits, count), call| (hits + usize::from(call.0 && call.1), count + 1));
        hits as f64 / count.max(1) as f64
    };
    Flagging {
        precision: bootstrap_by_user(&users, resamples, rng, |drawn| share(drawn, |call| call.0)),
        recall: bootstrap_by_user(&users, resamples, rng, |drawn| share(drawn, |call| call.1)),
        blind_precision: real as f64 / all.max(1) as f64,
        called,
    }
}

/// One context sent several times by one user, in order.
#[derive(Clone, Debug)]
pub struct Rebroadcast {
    /// Who sent it.
    pub user: u32,
    /// The same truth in every broadcast.
    pub broadcasts: Vec<EventView>,
}

/// What intersecting the first `broadcasts` of a context yields.
#[derive(Clone, Copy, Debug)]
pub struct Intersection {
    /// Broadcasts intersected.
    pub broadcasts: usize,
    /// Share of contexts whose intersection is exactly the set of real elements.
    pub exact: Estimate,
    /// Mean share of real elements in the intersection.
    pub precision: Estimate,
}

/// Intersection over rebroadcasts (longitudinal attack; Erlingsson et al. 2014): fresh noise goes,
/// the truth stays. Contexts with fewer broadcasts than asked for are left out of that point.
pub fn rebroadcast_intersection(
    contexts: &[Rebroadcast],
    counts: &[usize],
    resamples: usize,
    rng: &mut impl Rng,
) -> Vec<Intersection> {
    let point = |&broadcasts: &usize| {
        let enough = |context: &&Rebroadcast| broadcasts > 0 && context.broadcasts.len() >= broadcasts;
        let judged = || contexts.iter().filter(enough).map(|context| (context.user, outcome(context, broadcasts)));
        let exact = by_user(judged().map(|(user, (exact, _))| (user, f64::from(u8::from(exact)))));
        let precision = by_user(judged().map(|(user, (_, precision))| (user, precision)));
        Intersection {
            broadcasts,
            exact: bootstrap_by_user(&exact, resamples, &mut *rng, pooled_mean),
            precision: bootstrap_by_user(&precision, resamples, &mut *rng, pooled_mean),
        }
    };
    counts.iter().map(point).collect()
}

/// Whether the intersection is the truth, and its precision.
fn outcome(context: &Rebroadcast, broadcasts: usize) -> (bool, f64) {
    let keys = |event: &EventView| event.slots.iter().map(|slot| slot.key).collect::<HashSet<u64>>();
    let mut common = context.broadcasts.first().map(keys).unwrap_or_default();
    for event in &context.broadcasts[1..broadcasts] {
        let present = keys(event);
        common.retain(|key| present.contains(key));
    }
    let slots = context.broadcasts.iter().take(1).flat_map(|event| &event.slots);
    let real: HashSet<u64> = slots.filter(|slot| slot.real).map(|slot| slot.key).collect();
    let hits = common.iter().filter(|key| real.contains(key)).count();
    (common == real, hits as f64 / common.len().max(1) as f64)
}

#[cfg(test)]
pub(crate) mod naive;

#[cfg(test)]
mod tests {
    use super::naive::{city, mixed, rebroadcasts};
    use super::*;
    use crate::{ByteStatistics, SlotView};
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    fn event(user: u32, keys: &[(u64, bool)]) -> EventView {
        let slots = keys
            .iter()
            .map(|&(key, real)| SlotView { key, chain: 0, bytes: ByteStatistics::default(), real })
            .collect();
        EventView { user, at: 0, slots }
    }

    /// Seed 41, 100 users × 60 broadcasts, 70 % noise: noise repeats what was sent, so novelty is
    /// always right; noise from the whole public vocabulary makes novelty worth no more than guessing.
    #[test]
    fn novelty_is_certain_for_pool_noise_and_blind_for_public_noise() {
        let mut rng = ChaCha20Rng::seed_from_u64(41);
        let naive = novelty(&mixed(&mut rng, 100, 60, 0.7, true), 500, 50, &mut rng);
        assert!(naive.called > 100 && naive.precision.low == 1.0 && naive.recall.value > 0.01, "{naive:?}");
        let both = |user| event(user, &[(u64::from(user) * 2, true), (u64::from(user) * 2 + 1, false)]);
        let fresh = novelty(&(0..500).map(both).collect::<Vec<_>>(), 0, 50, &mut rng);
        assert_eq!((fresh.precision.value, fresh.recall.value, fresh.blind_precision), (0.5, 1.0, 0.5));
    }

    #[test]
    fn counting_finds_repeated_elements_and_nothing_else() {
        let mut rng = ChaCha20Rng::seed_from_u64(42);
        let sent = [event(0, &[(1, true), (1, true), (2, false), (3, true)]), event(1, &[(4, false), (5, true)])];
        let report = redundancy(&sent, 10, &mut rng);
        assert_eq!((report.precision.value, report.called), (1.0, 1));
        assert!((report.recall.value - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(redundancy(&sent[1..], 10, &mut rng).called, 0);
        // noise that is repeated as the truth is: no better than a blind guess
        let equal = [event(0, &[(1, true), (1, true), (2, false), (2, false), (3, true), (4, false)])];
        let report = redundancy(&equal, 10, &mut rng);
        assert_eq!((report.precision.value, report.blind_precision), (0.5, 0.5));
    }

    /// Seed 43, 60 users × 5 contexts, 70 % noise: three fresh broadcasts must give the truth away
    /// in at least 90 % of cases and more than two do; five equal broadcasts must give nothing more
    /// than one.
    #[test]
    fn intersection_breaks_fresh_noise_and_not_memoised_noise() {
        let mut rng = ChaCha20Rng::seed_from_u64(43);
        let people = city(&mut rng, 60);
        let fresh = rebroadcasts(&mut rng, &people, 5, 5, 0.7);
        let points = rebroadcast_intersection(&fresh, &[2, 3, 5], 50, &mut rng);
        assert!(points[0].exact.value < points[1].exact.value && points[1].exact.value >= 0.9, "{points:?}");
        let copied = |context: &Rebroadcast| Rebroadcast {
            user: context.user,
            broadcasts: vec![context.broadcasts[0].clone(); 5],
        };
        let sticky: Vec<Rebroadcast> = fresh.iter().map(copied).collect();
        let points = rebroadcast_intersection(&sticky, &[1, 5], 50, &mut rng);
        assert_eq!(points[0].precision.value, points[1].precision.value);
        assert_eq!(points[1].exact.value, 0.0);
    }
}
