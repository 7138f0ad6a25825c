//! What can be computed about an element from noised traffic alone (PRIVACY part D).

use std::collections::HashMap;

use rand::Rng;

use crate::ranking::{by_user, pooled_mean};
use crate::{Estimate, EventView, auc, bootstrap_by_user};

/// Counts over a whole recording: who keeps everything can look back.
pub(crate) struct Traffic {
    totals: HashMap<u64, f64>,
    pairs: HashMap<(u64, u64), f64>,
    events: f64,
}

impl Traffic {
    pub(crate) fn new(events: &[EventView]) -> Self {
        let mut totals: HashMap<u64, f64> = HashMap::new();
        for slot in events.iter().flat_map(|event| &event.slots) {
            *totals.entry(slot.key).or_default() += 1.0;
        }
        let mut pairs = HashMap::new();
        for event in events {
            // what occurs once co-occurs with nothing twice; leaving it out bounds the table
            let keys: Vec<u64> = event.slots.iter().map(|slot| slot.key).filter(|key| totals[key] > 1.0).collect();
            for (index, &a) in keys.iter().enumerate() {
                for &b in &keys[index + 1..] {
                    *pairs.entry((a.min(b), a.max(b))).or_default() += 1.0;
                }
            }
        }
        Self { totals, pairs, events: events.len() as f64 }
    }

    /// Pointwise mutual information in nats of two elements in one broadcast, whose own joint
    /// appearance is not counted; smoothed by `0.1`, so that unseen pairs stay finite.
    fn information(&self, a: u64, b: u64) -> f64 {
        let seen = self.pairs.get(&(a.min(b), a.max(b))).copied().unwrap_or(0.0);
        let alone = self.totals.get(&a).unwrap_or(&1.0) * self.totals.get(&b).unwrap_or(&1.0);
        (((seen - 1.0).max(0.0) + 0.1) * self.events / (alone + 1.0)).ln()
    }

    /// Mean of the three largest informations with the other elements of the broadcast.
    pub(crate) fn coherence(&self, event: &EventView, index: usize) -> f64 {
        let key = event.slots[index].key;
        let others = event.slots.iter().enumerate().filter(|(other, _)| *other != index);
        let mut scores: Vec<f64> = others.map(|(_, slot)| self.information(key, slot.key)).collect();
        scores.sort_by(|a, b| b.total_cmp(a));
        scores.truncate(3);
        crate::ranking::mean(&scores)
    }
}

/// Novelty, age and popularity, walked through in order of time.
#[derive(Default)]
pub(crate) struct Memory {
    seen: HashMap<u64, Seen>,
}

#[derive(Clone, Copy)]
struct Seen {
    times: f64,
    first: u64,
    last: u64,
}

impl Memory {
    /// First seen (0 or 1), seconds since last and since first seen (1e9 if never), times seen.
    pub(crate) fn features(&self, key: u64, at: u64) -> [f64; 4] {
        match self.seen.get(&key) {
            None => [1.0, 1e9, 1e9, 0.0],
            Some(seen) => [0.0, at.saturating_sub(seen.last) as f64, at.saturating_sub(seen.first) as f64, seen.times],
        }
    }

    pub(crate) fn absorb(&mut self, event: &EventView) {
        for slot in &event.slots {
            let seen = self.seen.entry(slot.key).or_insert(Seen { times: 0.0, first: event.at, last: event.at });
            seen.times += 1.0;
            seen.last = event.at;
        }
    }
}

/// What co-occurrence alone achieves.
#[derive(Clone, Copy, Debug)]
pub struct Coherence {
    /// AUC over elements.
    pub auc: Estimate,
    /// Share of real elements among the `r` best of a broadcast with `r` real ones.
    pub top_r_precision: Estimate,
}

/// Ranks elements by the mean of their three largest smoothed PMIs: true elements describe one visit
/// and belong together, noise was drawn independently. Learns nothing, so it judges every user.
pub fn coherence_attack(events: &[EventView], resamples: usize, rng: &mut impl Rng) -> Coherence {
    let traffic = Traffic::new(events);
    let scored = events.iter().map(|event| {
        let score = |index: usize| (traffic.coherence(event, index), event.slots[index].real);
        (event.user, (0..event.slots.len()).map(score).collect())
    });
    let users = by_user(scored);
    Coherence {
        auc: bootstrap_by_user(&users, resamples, rng, pooled_auc),
        top_r_precision: bootstrap_by_user(&top_r(&users), resamples, rng, pooled_mean),
    }
}

pub(crate) type Scored = Vec<(f64, bool)>;

pub(crate) fn pooled_auc(drawn: &[&Vec<Scored>]) -> f64 {
    auc(&drawn.iter().flat_map(|events| events.iter().flatten().copied()).collect::<Scored>())
}

/// Per user and broadcast, the precision of the `r` best, ties by expectation; broadcasts of one kind
/// are left out.
pub(crate) fn top_r(users: &[Vec<Scored>]) -> Vec<Vec<f64>> {
    users.iter().map(|events| events.iter().filter_map(top_r_precision).collect()).collect()
}

fn top_r_precision(event: &Scored) -> Option<f64> {
    let real = event.iter().filter(|slot| slot.1).count();
    if real == 0 || real == event.len() {
        return None;
    }
    let mut ranked: Vec<f64> = event.iter().map(|slot| slot.0).collect();
    ranked.sort_by(|a, b| b.total_cmp(a));
    let last = ranked[real - 1];
    let counted = |keep: &dyn Fn(&(f64, bool)) -> bool| event.iter().filter(|slot| keep(slot)).count() as f64;
    let (above, tied) = (counted(&|slot| slot.0 > last), counted(&|slot| slot.0 == last));
    let (above_real, tied_real) = (counted(&|slot| slot.0 > last && slot.1), counted(&|slot| slot.0 == last && slot.1));
    Some((above_real + tied_real * (real as f64 - above) / tied) / real as f64)
}

#[cfg(test)]
mod tests {
    use super::super::naive::mixed;
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    /// Seed 44, 100 users × 60 broadcasts: at 50 % pool noise true elements stand out together; whole
    /// contexts of strangers cohere as well as the truth, and nothing is left (the interval holds 0.5).
    #[test]
    fn single_noise_elements_do_not_cohere_and_whole_contexts_do() {
        let mut rng = ChaCha20Rng::seed_from_u64(44);
        let naive = coherence_attack(&mixed(&mut rng, 100, 60, 0.5, true), 20, &mut rng);
        assert!(naive.auc.low > 0.75 && naive.top_r_precision.low > 0.6, "{naive:?}");
        let whole = coherence_attack(&mixed(&mut rng, 100, 60, 0.5, false), 50, &mut rng);
        assert!(whole.auc.low < 0.5 && 0.5 < whole.auc.high, "{whole:?}");
    }

    #[test]
    fn ties_at_the_border_are_shared() {
        let event = vec![(2.0, true), (1.0, true), (1.0, false), (1.0, false), (0.0, false)];
        assert_eq!(top_r_precision(&event), Some((1.0 + 1.0 / 3.0) / 2.0));
        assert_eq!(top_r_precision(&vec![(1.0, true)]), None);
    }

    #[test]
    fn memory_counts_from_the_second_sight() {
        let mut memory = Memory::default();
        assert_eq!(memory.features(7, 10), [1.0, 1e9, 1e9, 0.0]);
        let slot = crate::SlotView { key: 7, chain: 0, bytes: crate::ByteStatistics::default(), real: true };
        memory.absorb(&EventView { user: 1, at: 10, slots: vec![slot] });
        memory.absorb(&EventView { user: 1, at: 14, slots: vec![slot] });
        assert_eq!(memory.features(7, 20), [0.0, 6.0, 10.0, 2.0]);
    }
}
