use std::{collections::BTreeMap, time::Duration};

use mosaic_types::{Lane, ServiceClass, Stream, Timestamp};
use mosaic_wire::{Head, SLOTS};

/// How many devices use the table this device reads, from what it reads anyway: every head states how many records its
/// generation holds, and every device writes ten a scheduled event, whether or not there is anything to say. Nobody is
/// asked for it.
#[derive(Default)]
pub(crate) struct Crowd {
    /// Discovery records by the hour in which they were sealed, and by stream.
    hours: BTreeMap<u64, [u64; 3]>,
    /// From when on whole tables were read.
    since: Option<Timestamp>,
}

/// Between how many and how many devices wrote, this one included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Estimate {
    pub(crate) low: u32,
    pub(crate) high: u32,
}

impl Estimate {
    /// Fewer sources than a person can be one of (S-36, L6-46).
    pub(crate) const FEWEST: u32 = 10;

    /// Whether there are too few, even if the estimate is too low.
    pub(crate) const fn is_sparse(self) -> bool {
        self.high < Self::FEWEST
    }
}

/// Whole hours that are counted: as many as a window has.
const COUNTED: u64 = 2;
const HOUR: u64 = 3_600;
/// How long after an hour its last generations may be sealed, copied and read.
const SETTLING: Duration = Duration::from_mins(10);
/// An estimate older than this says nothing about now.
const KEPT: Duration = Duration::from_hours(3);

impl Crowd {
    /// Takes in a head that two providers agree on.
    pub(crate) fn note(&mut self, head: &Head) {
        let table = head.segment.table;
        if table.lane() != Lane::Discovery {
            return;
        }
        let began = table.period().start();
        self.since = Some(self.since.map_or(began, |since| since.min(began)));
        let hour = self.hours.entry(head.sealed_at.as_secs() / HOUR).or_default();
        if let Some(records) = hour.get_mut(usize::from(head.segment.stream.number())) {
            *records += u64::from(head.count);
        }
    }

    /// Forgets hours that are counted no more.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        let oldest = now.before(KEPT + Duration::from_secs(COUNTED * HOUR)).as_secs() / HOUR;
        self.hours.retain(|hour, _| *hour >= oldest);
    }

    /// The devices of the last two whole hours, if everything was read up to `read`; `None` while it is not known.
    pub(crate) fn estimate(&self, now: Timestamp, read: Option<Timestamp>) -> Option<Estimate> {
        let end = read?.before(SETTLING).as_secs() / HOUR;
        let first = end.checked_sub(COUNTED)?;
        let begun = self.since.is_some_and(|since| since.as_secs() <= first * HOUR);
        if !begun || now.before(KEPT).as_secs() > end * HOUR {
            return None;
        }
        let mut records = [0_u64; 3];
        for hour in self.hours.range(first..end).map(|(_, hour)| hour) {
            records.iter_mut().zip(hour).for_each(|(sum, count)| *sum += count);
        }
        // this device writes too: without anything there is nothing to judge by
        (records.iter().sum::<u64>() > 0).then(|| devices(records))
    }
}

/// Devices that write so many records in the counted hours.
fn devices(records: [u64; 3]) -> Estimate {
    let (mut low, mut high) = (0, 0);
    for (stream, records) in Stream::ALL.into_iter().zip(records) {
        let [fewest, most] = events_of_a_device(stream);
        let slots = SLOTS as u64;
        low += records / (slots * most);
        high += records.div_ceil(slots * fewest.max(1));
    }
    let bounded = |count| u32::try_from(count).unwrap_or(u32::MAX);
    Estimate { low: bounded(low), high: bounded(high) }
}

/// Fewest and most discovery events that a device of the stream writes in the counted hours while it is on.
fn events_of_a_device(stream: Stream) -> [u64; 2] {
    let each = |class: ServiceClass| COUNTED * HOUR / class.profile().lane_interval.as_secs().max(1);
    match stream {
        // every device ticks on one grid, and no delay reaches the next hour
        Stream::Steady => [each(ServiceClass::Balanced); 2],
        Stream::Fast => [each(ServiceClass::Emergency), each(ServiceClass::OpenDoor)],
        // each has its own phase: one event more or less falls into the counted hours
        Stream::Slow => [each(ServiceClass::Maximum) - 1, each(ServiceClass::Maximum) + 1],
    }
}

#[cfg(test)]
mod tests {
    use mosaic_crypto::signing::SigningKey;
    use mosaic_types::{ProviderId, SegmentId, TableId};
    use mosaic_wire::GenerationBlock;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

    use super::*;

    /// The beginning of a period.
    const BEGAN: Timestamp = Timestamp::from_secs(122_478 * 4 * HOUR);

    fn head(stream: Stream, minutes: u64, count: u32) -> Head {
        let table = TableId::new(BEGAN.period(), Lane::Discovery);
        let segment = SegmentId { table, origin: ProviderId::new(1).unwrap(), stream };
        let block = GenerationBlock::new(segment, 0, Vec::new()).unwrap();
        let key = SigningKey::generate(&mut ChaCha20Rng::seed_from_u64(1));
        let sealed = BEGAN.after(Duration::from_secs(minutes * 60));
        Head { count, ..Head::seal(&block, [0; 32], sealed, &key) }
    }

    /// What `devices` of a stream, each with so many events an hour, leave in two hours.
    fn crowd(stream: Stream, devices: u32, events: u32) -> Crowd {
        let mut crowd = Crowd::default();
        for hour in 0..2 {
            crowd.note(&head(stream, hour * 60 + 30, devices * events * 10));
        }
        crowd
    }

    fn at(minutes: u64) -> Timestamp {
        BEGAN.after(Duration::from_secs(minutes * 60))
    }

    #[test]
    fn nine_balanced_devices_are_told_from_ten() {
        let estimate = |devices| crowd(Stream::Steady, devices, 5).estimate(at(131), Some(at(131))).unwrap();
        assert_eq!((estimate(9), estimate(9).is_sparse()), (Estimate { low: 9, high: 9 }, true));
        assert_eq!((estimate(10), estimate(10).is_sparse()), (Estimate { low: 10, high: 10 }, false));
    }

    #[test]
    fn where_the_class_is_uncertain_the_estimate_is_wide() {
        let of = |stream, events| crowd(stream, 6, events).estimate(at(131), Some(at(131))).unwrap();
        assert_eq!(of(Stream::Slow, 1), Estimate { low: 4, high: 12 });
        assert_eq!(of(Stream::Fast, 5), Estimate { low: 1, high: 6 });
        assert_eq!(of(Stream::Fast, 30), Estimate { low: 6, high: 36 });
    }

    #[test]
    fn nothing_is_known_before_two_hours_were_read_or_long_after() {
        let crowd = crowd(Stream::Steady, 9, 5);
        assert_eq!(Crowd::default().estimate(at(131), Some(at(131))), None);
        assert_eq!(crowd.estimate(at(131), None), None, "something is left to read");
        assert_eq!(crowd.estimate(at(129), Some(at(129))), None, "the second hour has not settled");
        assert_eq!(crowd.estimate(at(301), Some(at(131))), None, "that was three hours ago");
    }
}
