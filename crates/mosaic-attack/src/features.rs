//! What an eavesdropping provider can compute of an element from noised traffic alone (PRIVACY part D):
//! novelty, age, frequency, co-occurrence, the writer's own repeats, who else met the same row and how
//! soon, full rows met before, position, and statistics of the bytes.

use std::collections::{HashMap, HashSet};

use crate::{EventView, SlotView};

/// Examples, one row of equally many numbers each.
#[derive(Clone, Debug)]
pub struct Features {
    width: usize,
    values: Vec<f32>,
}

impl Features {
    /// No example yet; each will have `width` numbers.
    pub const fn new(width: usize) -> Self {
        Self { width, values: Vec::new() }
    }

    /// Adds one example of [`Self::width`] numbers.
    pub fn push(&mut self, row: &[f32]) {
        debug_assert_eq!(row.len(), self.width);
        self.values.extend_from_slice(row);
    }

    /// Numbers an example has.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// The examples.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.width.max(1))
    }

    /// One number of every example.
    pub(crate) fn column(&self, feature: usize) -> impl Iterator<Item = f32> {
        self.values.iter().skip(feature).step_by(self.width.max(1)).copied()
    }
}

/// What the detector looks at in the bytes that travel with an element. Kept instead of the bytes: a
/// recording of ten thousand devices has millions of slots.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ByteStatistics {
    /// Mean value.
    pub mean: f32,
    /// How many different values occur.
    pub distinct: f32,
    /// Share of bytes with the highest bit set.
    pub high_bits: f32,
}

impl ByteStatistics {
    /// The statistics of some bytes, all zero where there are none.
    pub fn of(bytes: &[u8]) -> Self {
        let count = bytes.len().max(1) as f32;
        let mut met = [false; 256];
        bytes.iter().for_each(|byte| met[usize::from(*byte)] = true);
        Self {
            mean: bytes.iter().map(|byte| f32::from(*byte)).sum::<f32>() / count,
            distinct: met.iter().filter(|met| **met).count() as f32,
            high_bits: bytes.iter().filter(|byte| **byte >= 0x80).count() as f32 / count,
        }
    }
}

/// Numbers a slot is described by.
pub(crate) const WIDTH: usize = 14;

/// The time within which an epoch's rows are written: waves at one card share 64 rows only that long.
pub(crate) const EPOCH_S: u64 = 1_800;

/// Knows the whole recording: a provider keeps everything and looks back.
pub(crate) struct Extractor {
    times: HashMap<u64, Vec<u64>>,
    pairs: HashMap<u64, f32>,
    events: f32,
}

impl Extractor {
    /// `events` in order of time.
    pub(crate) fn new(events: &[EventView]) -> Self {
        let mut times: HashMap<u64, Vec<u64>> = HashMap::new();
        for event in events {
            event.slots.iter().for_each(|slot| times.entry(slot.key).or_default().push(event.at));
        }
        let pairs = repeated_pairs(events, &times);
        Self { times, pairs, events: events.len() as f32 }
    }

    /// Describes the slots of the events that are `wanted`, in order.
    pub(crate) fn describe(
        &self,
        events: &[EventView],
        wanted: impl Fn(&EventView) -> bool,
        mut take: impl FnMut(&EventView, &[[f32; WIDTH]]),
    ) {
        let (mut history, mut rows) = (History::default(), Vec::new());
        for event in events {
            if wanted(event) {
                rows.clear();
                rows.extend((0..event.slots.len()).map(|index| self.row(event, index, &history)));
                take(event, &rows);
            }
            history.absorb(event);
        }
    }

    fn row(&self, event: &EventView, index: usize, history: &History) -> [f32; WIDTH] {
        let SlotView { key, chain, bytes, .. } = event.slots[index];
        let seen = history.seen.get(&key);
        let times = self.times.get(&key).map_or(&[][..], Vec::as_slice);
        let (company, gap) = meetings(times, event.at);
        [
            f32::from(u8::from(seen.is_none())),
            seen.map_or(1e9, |(_, last)| event.at.saturating_sub(*last) as f32),
            seen.map_or(0.0, |(count, _)| *count),
            history.own.get(&(event.user, key)).copied().unwrap_or(0.0),
            times.len() as f32,
            self.cohesion(event, index),
            index as f32,
            (key & 0xFFFF_FFFF) as f32,
            bytes.mean,
            bytes.distinct,
            bytes.high_bits,
            f32::from(chain),
            company,
            gap,
        ]
    }

    /// Mean of the three largest smoothed pointwise mutual informations with the event's other keys.
    fn cohesion(&self, event: &EventView, index: usize) -> f32 {
        let key = event.slots[index].key;
        let total = |key: u64| self.times.get(&key).map_or(1.0, |times| times.len() as f32);
        let others = event.slots.iter().enumerate().filter(|(other, _)| *other != index);
        let mut scores: Vec<f32> = others
            .map(|(_, other)| {
                let (mine, theirs) = (total(key), total(other.key));
                // keys that occur once co-occur with nothing twice
                let together = || self.pairs.get(&pair(key, other.key)).copied().unwrap_or(1.0);
                let both = if mine > 1.0 && theirs > 1.0 { together() } else { 0.0 };
                ((both + 0.1) * self.events / (mine * theirs + 1.0)).ln()
            })
            .collect();
        scores.sort_by(|a, b| b.total_cmp(a));
        scores.iter().take(3).sum::<f32>() / 3.0
    }
}

/// How many other elements met a key in the same epoch, and the time to the nearest of all.
fn meetings(times: &[u64], at: u64) -> (f32, f32) {
    let epoch = at / EPOCH_S;
    let first = times.partition_point(|time| time / EPOCH_S < epoch);
    let last = times.partition_point(|time| time / EPOCH_S <= epoch);
    let company = last.saturating_sub(first + 1) as f32;
    let (before, after) = (times.partition_point(|time| *time < at), times.partition_point(|time| *time <= at));
    if after - before > 1 {
        return (company, 0.0);
    }
    let earlier = before.checked_sub(1).and_then(|place| times.get(place)).map(|time| at - time);
    let later = times.get(after).map(|time| time - at);
    (company, earlier.into_iter().chain(later).min().map_or(1e9, |gap| gap as f32))
}

/// How often two keys occur in one event, for those that do so more than once. Sorted instead of counted
/// in a map, because nearly all of millions of pairs occur once.
fn repeated_pairs(events: &[EventView], times: &HashMap<u64, Vec<u64>>) -> HashMap<u64, f32> {
    let mut all: Vec<u64> = Vec::new();
    for event in events {
        let keys: Vec<u64> = event.slots.iter().map(|slot| slot.key).filter(|key| times[key].len() > 1).collect();
        let pairs = keys.iter().enumerate().flat_map(|(index, a)| keys[index + 1..].iter().map(|b| pair(*a, *b)));
        all.extend(pairs);
    }
    all.sort_unstable();
    let runs = all.chunk_by(|a, b| a == b).filter(|run| run.len() > 1);
    runs.map(|run| (run[0], run.len() as f32)).collect()
}

/// One number for two keys in no order: the finaliser of SplitMix64 over both, so that among millions of
/// pairs none is taken for another but by a chance of one in a million.
fn pair(a: u64, b: u64) -> u64 {
    let mix = |mut value: u64| {
        value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ value >> 31
    };
    mix(mix(a.min(b)).wrapping_add(a.max(b)).wrapping_add(0x9E37_79B9_7F4A_7C15))
}

/// What was seen before the event at hand.
#[derive(Default)]
struct History {
    seen: HashMap<u64, (f32, u64)>,
    own: HashMap<(u32, u64), f32>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn company_and_gap_are_of_others_only() {
        assert_eq!(meetings(&[100], 100), (0.0, 1e9));
        assert_eq!(meetings(&[100, 160, 1_900], 100), (1.0, 60.0));
        assert_eq!(meetings(&[100, 160, 1_900], 1_900), (0.0, 1_740.0));
        assert_eq!(meetings(&[100, 100], 100), (1.0, 0.0));
    }

    #[test]
    fn a_pair_has_no_order_and_a_repeated_one_is_counted() {
        let slot = |key| SlotView { key, chain: 0, bytes: ByteStatistics::default(), real: false };
        let event = |at, keys: [u64; 2]| EventView { user: 0, at, slots: keys.map(slot).to_vec() };
        let events = [event(0, [1, 2]), event(1, [2, 1]), event(2, [1, 3]), event(3, [3, 4])];
        let extractor = Extractor::new(&events);
        assert_eq!(extractor.pairs, HashMap::from([(pair(1, 2), 2.0)]));
    }
}
