//! What an eavesdropping provider can compute of an element from noised traffic alone (PRIVACY part D):
//! novelty, age, frequency, co-occurrence, the writer's own repeats, who else met the same row and how
//! soon, full rows met before, position, and statistics of the bytes.

use crate::{
    EventView, SlotView,
    traffic::{Memory, OwnPair, Traffic},
};

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
    traffic: Traffic,
}

impl Extractor {
    /// `events` in order of time.
    pub(crate) fn new(events: &[EventView]) -> Self {
        Self { traffic: Traffic::new(events) }
    }

    /// Describes the slots of the events that are `wanted`, in order.
    pub(crate) fn describe(
        &self,
        events: &[EventView],
        wanted: impl Fn(&EventView) -> bool,
        mut take: impl FnMut(&EventView, &[[f64; WIDTH]]),
    ) {
        let (mut memory, mut rows) = (Memory::default(), Vec::new());
        for event in events {
            if wanted(event) {
                rows.clear();
                rows.extend((0..event.slots.len()).map(|index| self.row(event, index, &memory)));
                take(event, &rows);
            }
            memory.absorb(event);
        }
    }

    fn row(&self, event: &EventView, index: usize, memory: &Memory) -> [f64; WIDTH] {
        let SlotView { key, chain, bytes, .. } = event.slots[index];
        let known = memory.of(event.user, key, event.at);
        let times = self.traffic.times(key);
        let (company, gap) = meetings(times, event.at);
        [
            known.new,
            known.since_last,
            known.events,
            known.own,
            times.len() as f64,
            self.traffic.cohesion(event, index, OwnPair::Counted),
            index as f64,
            (key & 0xFFFF_FFFF) as f64,
            bytes.mean.into(),
            bytes.distinct.into(),
            bytes.high_bits.into(),
            chain.into(),
            company,
            gap,
        ]
    }
}

/// How many other elements met a key in the same epoch, and the time to the nearest of all.
fn meetings(times: &[u64], at: u64) -> (f64, f64) {
    let epoch = at / EPOCH_S;
    let first = times.partition_point(|time| time / EPOCH_S < epoch);
    let last = times.partition_point(|time| time / EPOCH_S <= epoch);
    let company = last.saturating_sub(first + 1) as f64;
    let (before, after) = (times.partition_point(|time| *time < at), times.partition_point(|time| *time <= at));
    if after - before > 1 {
        return (company, 0.0);
    }
    let earlier = before.checked_sub(1).and_then(|place| times.get(place)).map(|time| at - time);
    let later = times.get(after).map(|time| time - at);
    (company, earlier.into_iter().chain(later).min().map_or(1e9, |gap| gap as f64))
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
}
