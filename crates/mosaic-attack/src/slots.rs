//! The single-provider slot detector: which elements of an event are real?

use std::collections::{HashMap, HashSet};

use rand::Rng;

use crate::{BoostedTrees, BoostingPlan, Estimate, auc, bootstrap_by_user};

/// One element of an event as the attacker sees it.
#[derive(Clone, Debug)]
pub struct SlotView {
    /// Whatever names the element: a row, or a word in clear in a naive design.
    pub key: u64,
    /// The bytes that travel with it; may be empty.
    pub bytes: Vec<u8>,
    /// Ground truth: the label in training, the verdict's judge in testing. Never a feature.
    pub real: bool,
}

/// One event, linked to its writer: more than a provider behind a relay gets.
#[derive(Clone, Debug)]
pub struct EventView {
    /// Who wrote it.
    pub user: u32,
    /// When it was seen, in seconds; only the order and the differences matter.
    pub at: u64,
    /// Its elements in the order they were sent.
    pub slots: Vec<SlotView>,
}

/// What the detector achieved on users it did not learn from.
#[derive(Clone, Debug)]
pub struct DetectorReport {
    /// Area under the ROC curve over slots.
    pub auc: Estimate,
    /// Share of events with a real slot whose best-scored slot is real.
    pub top_one: Estimate,
    /// 95th percentile of the absolute log-likelihood ratio real against decoy, over slots: the
    /// empirical η of PRIVACY theorem 2.
    pub eta_p95: f64,
    /// Real slots judged.
    pub real_slots: usize,
    /// Decoy slots judged.
    pub decoy_slots: usize,
    /// Users judged; as many others were learnt from.
    pub users: usize,
}

/// Trains on users with an even number, judges users with an odd one. `events` in order of time.
pub fn detect_slots(events: &[EventView], resamples: usize, rng: &mut impl Rng) -> DetectorReport {
    let features = Extractor::new(events).features(events);
    let (rows, labels) = training(events, &features);
    let model = BoostedTrees::fit(&rows, &labels, BoostingPlan::default());
    let mut judged: HashMap<u32, Vec<Vec<(f64, bool)>>> = HashMap::new();
    for (event, rows) in events.iter().zip(&features).filter(|(event, _)| event.user % 2 == 1) {
        let scored = event.slots.iter().zip(rows).map(|(slot, row)| (model.score(row), slot.real)).collect();
        judged.entry(event.user).or_default().push(scored);
    }
    let mut users: Vec<_> = judged.into_iter().collect();
    users.sort_by_key(|(user, _)| *user);
    report(users.into_iter().map(|(_, scored)| scored).collect(), resamples, rng)
}

fn training(events: &[EventView], features: &[Vec<Vec<f64>>]) -> (Vec<Vec<f64>>, Vec<bool>) {
    events
        .iter()
        .zip(features)
        .filter(|(event, _)| event.user.is_multiple_of(2))
        .flat_map(|(event, rows)| rows.iter().cloned().zip(event.slots.iter().map(|slot| slot.real)))
        .unzip()
}

type Scored = Vec<(f64, bool)>;

fn report(users: Vec<Vec<Scored>>, resamples: usize, rng: &mut impl Rng) -> DetectorReport {
    let area = |drawn: &[&Vec<Scored>]| {
        let pairs: Scored = drawn.iter().flat_map(|events| events.iter().flatten().copied()).collect();
        auc(&pairs)
    };
    let all: Scored = users.iter().flatten().flatten().copied().collect();
    let real_slots = all.iter().filter(|pair| pair.1).count();
    DetectorReport {
        auc: bootstrap_by_user(&users, resamples, rng, area),
        top_one: bootstrap_by_user(&users, resamples, rng, top_one),
        eta_p95: eta_p95(&all),
        real_slots,
        decoy_slots: all.len() - real_slots,
        users: users.len(),
    }
}

/// Ties are broken by expectation: with `t` slots tied at the top, `r` of them real, the guess is
/// right with probability `r / t`.
fn top_one(drawn: &[&Vec<Scored>]) -> f64 {
    let guesses: Vec<f64> = drawn
        .iter()
        .flat_map(|events| events.iter())
        .filter(|event| event.iter().any(|slot| slot.1) && event.iter().any(|slot| !slot.1))
        .map(|event| {
            let best = event.iter().map(|slot| slot.0).fold(f64::NEG_INFINITY, f64::max);
            let tied: Vec<bool> = event.iter().filter(|slot| slot.0 == best).map(|slot| slot.1).collect();
            tied.iter().filter(|real| **real).count() as f64 / tied.len() as f64
        })
        .collect();
    guesses.iter().sum::<f64>() / guesses.len().max(1) as f64
}

/// Histogram of the score in 20 quantile bins, add-half smoothed: |ln P(bin | real) / P(bin | decoy)|,
/// 95th percentile over all slots.
fn eta_p95(all: &[(f64, bool)]) -> f64 {
    const BINS: usize = 20;
    if all.is_empty() {
        return 0.0;
    }
    let mut sorted: Vec<f64> = all.iter().map(|pair| pair.0).collect();
    sorted.sort_by(f64::total_cmp);
    let mut cuts: Vec<f64> = (1..BINS).map(|bin| sorted[bin * sorted.len() / BINS]).collect();
    cuts.dedup();
    let bin = |score: f64| cuts.partition_point(|cut| *cut <= score);
    let mut counts = vec![[0.5_f64; 2]; cuts.len() + 1];
    all.iter().for_each(|&(score, real)| counts[bin(score)][usize::from(real)] += 1.0);
    let total = counts.iter().fold([0.0; 2], |sum, count| [sum[0] + count[0], sum[1] + count[1]]);
    let ratio = |count: &[f64; 2]| ((count[1] / total[1]) / (count[0] / total[0])).ln().abs();
    let mut ratios: Vec<f64> = all.iter().map(|pair| ratio(&counts[bin(pair.0)])).collect();
    ratios.sort_by(f64::total_cmp);
    ratios[(ratios.len() - 1) * 95 / 100]
}

/// Turns observations into features an eavesdropping provider can compute from noised traffic alone
/// (PRIVACY part D): novelty, age, frequency, co-occurrence, the writer's own repeats, position, and
/// statistics of the bytes.
struct Extractor {
    totals: HashMap<u64, f64>,
    pairs: HashMap<(u64, u64), f64>,
    events: f64,
}

impl Extractor {
    /// Counts over the whole recording: a provider keeps everything and looks back.
    fn new(events: &[EventView]) -> Self {
        let mut totals: HashMap<u64, f64> = HashMap::new();
        for slot in events.iter().flat_map(|event| &event.slots) {
            *totals.entry(slot.key).or_default() += 1.0;
        }
        let mut pairs = HashMap::new();
        for event in events {
            // keys that occur once co-occur with nothing twice; leaving them out bounds the table
            let keys: Vec<u64> = event.slots.iter().map(|slot| slot.key).filter(|key| totals[key] > 1.0).collect();
            for (index, &a) in keys.iter().enumerate() {
                for &b in &keys[index + 1..] {
                    *pairs.entry((a.min(b), a.max(b))).or_default() += 1.0;
                }
            }
        }
        Self { totals, pairs, events: events.len() as f64 }
    }

    fn features(&self, events: &[EventView]) -> Vec<Vec<Vec<f64>>> {
        let mut history = History::default();
        events
            .iter()
            .map(|event| {
                let rows = (0..event.slots.len()).map(|index| self.row(event, index, &history)).collect();
                history.absorb(event);
                rows
            })
            .collect()
    }

    fn row(&self, event: &EventView, index: usize, history: &History) -> Vec<f64> {
        let slot = &event.slots[index];
        let seen = history.seen.get(&slot.key);
        let bytes = ByteStatistics::of(&slot.bytes);
        vec![
            f64::from(u8::from(seen.is_none())),
            seen.map_or(1e9, |(_, last)| event.at.saturating_sub(*last) as f64),
            seen.map_or(0.0, |(times, _)| *times),
            history.own.get(&(event.user, slot.key)).copied().unwrap_or(0.0),
            self.totals.get(&slot.key).copied().unwrap_or(0.0),
            self.cohesion(event, index),
            index as f64,
            f64::from(u32::try_from(slot.key & 0xFFFF_FFFF).unwrap_or(0)),
            bytes.mean,
            bytes.distinct,
            bytes.high_bits,
        ]
    }

    /// Mean of the three largest smoothed pointwise mutual informations with the event's other keys.
    fn cohesion(&self, event: &EventView, index: usize) -> f64 {
        let key = event.slots[index].key;
        let mut scores: Vec<f64> = event
            .slots
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index)
            .map(|(_, other)| {
                let both = self.pairs.get(&(key.min(other.key), key.max(other.key))).copied().unwrap_or(0.0);
                let alone = self.totals.get(&key).unwrap_or(&1.0) * self.totals.get(&other.key).unwrap_or(&1.0);
                ((both + 0.1) * self.events / (alone + 1.0)).ln()
            })
            .collect();
        scores.sort_by(|a, b| b.total_cmp(a));
        scores.iter().take(3).sum::<f64>() / 3.0
    }
}

/// What was seen before the event at hand.
#[derive(Default)]
struct History {
    seen: HashMap<u64, (f64, u64)>,
    own: HashMap<(u32, u64), f64>,
}

impl History {
    fn absorb(&mut self, event: &EventView) {
        let distinct: HashSet<u64> = event.slots.iter().map(|slot| slot.key).collect();
        for key in distinct {
            let entry = self.seen.entry(key).or_insert((0.0, event.at));
            *entry = (entry.0 + 1.0, event.at);
            *self.own.entry((event.user, key)).or_default() += 1.0;
        }
    }
}

struct ByteStatistics {
    mean: f64,
    distinct: f64,
    high_bits: f64,
}

impl ByteStatistics {
    fn of(bytes: &[u8]) -> Self {
        let count = bytes.len().max(1) as f64;
        Self {
            mean: bytes.iter().map(|byte| f64::from(*byte)).sum::<f64>() / count,
            distinct: bytes.iter().collect::<HashSet<_>>().len() as f64,
            high_bits: bytes.iter().filter(|byte| **byte >= 0x80).count() as f64 / count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// 200 users, ten events each, ten slots an event of which the first drawn `real` are real.
    fn traffic(rng: &mut ChaCha20Rng, mut key: impl FnMut(&mut ChaCha20Rng, u32, bool) -> u64) -> Vec<EventView> {
        (0..2_000_u32)
            .map(|number| {
                let user = number % 200;
                let real_at = rng.random_range(0..10);
                let slots = (0..10)
                    .map(|index| {
                        let real = index == real_at;
                        let mut bytes = vec![0; 32];
                        rng.fill(&mut bytes[..]);
                        SlotView { key: key(rng, user, real), bytes, real }
                    })
                    .collect();
                EventView { user, at: u64::from(number), slots }
            })
            .collect()
    }

    /// Seed 8: uniform keys for both kinds. Judged on 1,000 real slots of 100 users, the interval
    /// must contain one half.
    #[test]
    fn uniform_slots_tell_nothing() {
        let mut rng = ChaCha20Rng::seed_from_u64(8);
        let events = traffic(&mut rng, |rng, _, _| rng.random_range(0..1 << 17));
        let report = detect_slots(&events, 100, &mut rng);
        assert!(report.auc.low < 0.5 && 0.5 < report.auc.high, "{report:?}");
    }

    /// Seed 9: every user repeats one key and draws decoys afresh. The detector must find it.
    #[test]
    fn a_repeated_truth_among_fresh_decoys_is_found() {
        let mut rng = ChaCha20Rng::seed_from_u64(9);
        let events =
            traffic(&mut rng, |rng, user, real| if real { u64::from(user) } else { rng.random_range(0..5_000) });
        let report = detect_slots(&events, 20, &mut rng);
        assert!(report.auc.value > 0.9 && report.top_one.value > 0.8 && report.eta_p95 > 0.5, "{report:?}");
    }
}
