//! What a recording of traffic says of an element before anything is learnt: how often it occurs, what it occurs with,
//! when it was seen before and by whose hand (PRIVACY part D). Elements are keys: rows, or words in clear.

use std::collections::{HashMap, HashSet};

use crate::{EventView, ranking::mean};

/// Counts over a whole recording: who keeps everything can look back.
pub(crate) struct Traffic {
    times: HashMap<u64, Vec<u64>>,
    pairs: HashMap<u64, f64>,
    events: f64,
}

/// Whether the event at hand counts as evidence that two of its own elements belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnPair {
    /// It does: pairs that occur here and nowhere else stand out from keys that are met once.
    Counted,
    /// It does not: only what other events say counts.
    LeftOut,
}

impl Traffic {
    /// `events` in order of time.
    pub(crate) fn new(events: &[EventView]) -> Self {
        let mut times: HashMap<u64, Vec<u64>> = HashMap::new();
        for event in events {
            event.slots.iter().for_each(|slot| times.entry(slot.key).or_default().push(event.at));
        }
        let pairs = repeated_pairs(events, &times);
        Self { times, pairs, events: events.len() as f64 }
    }

    /// When a key was met, in order.
    pub(crate) fn times(&self, key: u64) -> &[u64] {
        self.times.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Mean of the three largest informations with the other elements of the event.
    pub(crate) fn cohesion(&self, event: &EventView, index: usize, own: OwnPair) -> f64 {
        let key = event.slots[index].key;
        let others = event.slots.iter().enumerate().filter(|(other, _)| *other != index);
        let mut scores: Vec<f64> = others.map(|(_, slot)| self.information(key, slot.key, own)).collect();
        scores.sort_by(|a, b| b.total_cmp(a));
        scores.truncate(3);
        mean(&scores)
    }

    /// Pointwise mutual information in nats of two elements in one event, smoothed by 0.1 so that unseen pairs stay
    /// finite.
    fn information(&self, a: u64, b: u64, own: OwnPair) -> f64 {
        let total = |key: u64| self.times(key).len().max(1) as f64;
        let (mine, theirs) = (total(a), total(b));
        // keys that occur once co-occur with nothing twice
        let together = || self.pairs.get(&pair(a, b)).copied().unwrap_or(1.0);
        let both = if mine > 1.0 && theirs > 1.0 { together() } else { 0.0 };
        let seen = if own == OwnPair::Counted { both } else { (both - 1.0).max(0.0) };
        ((seen + 0.1) * self.events / (mine * theirs + 1.0)).ln()
    }
}

/// How often two keys occur in one event, for those that do so more than once. Sorted instead of counted
/// in a map, because nearly all of millions of pairs occur once.
fn repeated_pairs(events: &[EventView], times: &HashMap<u64, Vec<u64>>) -> HashMap<u64, f64> {
    let mut all: Vec<u64> = Vec::new();
    for event in events {
        let keys: Vec<u64> = event.slots.iter().map(|slot| slot.key).filter(|key| times[key].len() > 1).collect();
        let pairs = keys.iter().enumerate().flat_map(|(index, a)| keys[index + 1..].iter().map(|b| pair(*a, *b)));
        all.extend(pairs);
    }
    all.sort_unstable();
    let runs = all.chunk_by(|a, b| a == b).filter(|run| run.len() > 1);
    runs.map(|run| (run[0], run.len() as f64)).collect()
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

/// What was seen before the event at hand, walked through in order of time.
#[derive(Default)]
pub(crate) struct Memory {
    seen: HashMap<u64, Seen>,
    own: HashMap<(u32, u64), f64>,
}

#[derive(Clone, Copy)]
struct Seen {
    events: f64,
    first: u64,
    last: u64,
}

/// What is remembered of one key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Remembered {
    /// 1 if it was never seen, else 0.
    pub(crate) new: f64,
    /// Seconds since it was last seen; 1e9 if never.
    pub(crate) since_last: f64,
    /// Seconds since it was first seen; 1e9 if never.
    pub(crate) since_first: f64,
    /// Events it was seen in.
    pub(crate) events: f64,
    /// Events of the same writer it was seen in.
    pub(crate) own: f64,
}

impl Memory {
    /// What is remembered of `key` when `user` writes it at `at`.
    pub(crate) fn of(&self, user: u32, key: u64, at: u64) -> Remembered {
        let own = self.own.get(&(user, key)).copied().unwrap_or(0.0);
        let age = |since: u64| at.saturating_sub(since) as f64;
        match self.seen.get(&key) {
            None => Remembered { new: 1.0, since_last: 1e9, since_first: 1e9, events: 0.0, own },
            Some(seen) => Remembered {
                new: 0.0,
                since_last: age(seen.last),
                since_first: age(seen.first),
                events: seen.events,
                own,
            },
        }
    }

    /// Remembers an event; what is in it twice counts once.
    pub(crate) fn absorb(&mut self, event: &EventView) {
        let distinct: HashSet<u64> = event.slots.iter().map(|slot| slot.key).collect();
        for key in distinct {
            let seen = self.seen.entry(key).or_insert(Seen { events: 0.0, first: event.at, last: event.at });
            (seen.events, seen.last) = (seen.events + 1.0, event.at);
            *self.own.entry((event.user, key)).or_default() += 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ByteStatistics, SlotView};

    fn event(user: u32, at: u64, keys: &[u64]) -> EventView {
        let slot = |key| SlotView { key, chain: 0, bytes: ByteStatistics::default(), real: false };
        EventView { user, at, slots: keys.iter().copied().map(slot).collect() }
    }

    #[test]
    fn a_pair_has_no_order_and_a_repeated_one_is_counted() {
        let traffic =
            Traffic::new(&[event(0, 0, &[1, 2]), event(0, 1, &[2, 1]), event(0, 2, &[1, 3]), event(0, 3, &[3, 4])]);
        assert_eq!(traffic.pairs, HashMap::from([(pair(1, 2), 2.0)]));
    }

    /// Keys 1 and 2 meet twice in four events, 1 and 3 here alone, 4 is met once: by hand.
    #[test]
    fn the_event_at_hand_counts_or_does_not() {
        let events = [event(0, 0, &[1, 2]), event(0, 1, &[2, 1]), event(0, 2, &[1, 3]), event(0, 3, &[3, 4])];
        let traffic = Traffic::new(&events);
        let cohesion = |at: usize, own| traffic.cohesion(&events[at], 0, own).exp();
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        close(cohesion(0, OwnPair::Counted), 2.1 * 4.0 / 7.0);
        close(cohesion(0, OwnPair::LeftOut), 1.1 * 4.0 / 7.0);
        close(cohesion(2, OwnPair::Counted), 1.1 * 4.0 / 7.0);
        close(cohesion(2, OwnPair::LeftOut), 0.1 * 4.0 / 7.0);
        close(cohesion(3, OwnPair::Counted), 0.1 * 4.0 / 3.0);
    }

    #[test]
    fn memory_counts_from_the_second_sight_and_apart_for_each_writer() {
        let mut memory = Memory::default();
        let new = Remembered { new: 1.0, since_last: 1e9, since_first: 1e9, events: 0.0, own: 0.0 };
        assert_eq!(memory.of(1, 7, 10), new);
        memory.absorb(&event(1, 10, &[7, 7]));
        memory.absorb(&event(2, 14, &[7]));
        let known = Remembered { new: 0.0, since_last: 6.0, since_first: 10.0, events: 2.0, own: 1.0 };
        assert_eq!(memory.of(1, 7, 20), known);
        assert_eq!(memory.of(3, 7, 20).own, 0.0);
    }
}
