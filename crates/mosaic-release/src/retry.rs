use std::collections::BTreeSet;

use mosaic_types::{Lane, TableId, Timestamp};
use mosaic_wire::SLOTS;

use crate::{ReleasedEvent, Releaser, slot::Slot};

/// Records that met a full row and wait for the next event they fit into. Kept in memory only.
#[derive(Default)]
pub(crate) struct Retries(Vec<Retry>);

struct Retry {
    fits: Fit,
    until: Timestamp,
    slot: Slot,
    /// Most real slots of the event it left with.
    most_real: usize,
    /// Which event it left with.
    batch: [u8; 32],
}

/// Which events a record may go into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fit {
    pub(crate) table: TableId,
    /// Resolution, on the discovery lane.
    pub(crate) resolution: Option<u8>,
}

/// Most full rows a record meets before it is given up (DESIGN section 5).
const MOST_CHAIN: u8 = 3;
/// Most records that wait; the oldest give way.
const MOST_WAITING: usize = 64;

impl Releaser {
    /// Puts the slots of `event` whose rows were full (bit `i` for slot `i`, as its receipt says) aside
    /// for the next event of the lane, one step further along their chain. Real and decoy slots alike:
    /// the bits are chosen by a provider and must teach it nothing (PRIVACY C.2).
    pub fn retry(&mut self, event: &ReleasedEvent, full: u16) {
        let until = match event.lane() {
            // A bundle names its window; a frame is read during its own epoch and the next.
            Lane::Discovery => event.leaves().window().end(),
            Lane::Rendezvous => event.leaves().epoch().next().end(),
        };
        let (most_real, batch) = (event.floor().most_real(), event.fields().receipt_key);
        let fits = Fit { table: event.fields().table, resolution: event.resolution() };
        event.slots().expose(|slots| {
            let met_full = slots.iter().enumerate().filter(|(at, slot)| full >> at & 1 == 1 && slot.chain < MOST_CHAIN);
            let further = met_full.map(|(_, slot)| Slot { chain: slot.chain + 1, ..slot.clone() });
            self.retries.0.extend(further.map(|slot| Retry { fits, until, slot, most_real, batch }));
        });
        let surplus = self.retries.0.len().saturating_sub(MOST_WAITING);
        self.retries.0.drain(..surplus);
    }
}

impl Retries {
    /// What goes into an event of that fit at `at`, with different rows; the others keep waiting. The
    /// slots of one earlier event, whose own floor bounds how many are real; under a stricter floor no more
    /// slots than may be real. So what is retried depends on rows and floors, never on the truth.
    pub(crate) fn fitting(&self, fits: Fit, at: Timestamp, most_real: usize) -> Vec<Slot> {
        let waiting = || self.0.iter().filter(|retry| retry.fits == fits && at < retry.until);
        let Some(first) = waiting().next() else { return Vec::new() };
        let most = if first.most_real <= most_real { SLOTS } else { most_real };
        let mut rows = BTreeSet::new();
        let batch = waiting().filter(|retry| retry.batch == first.batch && rows.insert(retry.slot.row()));
        batch.take(most).map(|retry| retry.slot.clone()).collect()
    }

    /// Forgets what has left and what is too late.
    pub(crate) fn settle(&mut self, left: &[Slot], at: Timestamp) {
        self.0.retain(|retry| at < retry.until && !left.iter().any(|slot| slot.record == retry.slot.record));
    }
}

#[cfg(test)]
mod tests {
    use mosaic_types::{Period, TableId};

    use super::*;
    use crate::SlotTruth;

    /// M5 of the review: which rows are retried is the same whatever the slots truly are.
    #[test]
    fn what_is_retried_does_not_depend_on_the_truth() {
        let fits = Fit { table: TableId::new(Period(1), Lane::Rendezvous), resolution: None };
        let until = Timestamp::from_secs(10);
        let chosen = |real: fn(u32) -> bool, most_real| {
            let retry = |number: u32| Retry {
                fits,
                until,
                slot: Slot {
                    rows: [number % 9; 4],
                    chain: 1,
                    record: [number as u8; mosaic_wire::RECORD],
                    truth: if real(number) { SlotTruth::Frame(crate::FrameId(1)) } else { SlotTruth::Uniform },
                },
                most_real: 5,
                batch: [(number / 10) as u8; 32],
            };
            let slots = Retries((0..20).map(retry).collect()).fitting(fits, Timestamp::from_secs(1), most_real);
            slots.into_iter().map(|slot| slot.record[0]).collect::<Vec<_>>()
        };
        for (most_real, expected) in [(2, 2), (5, 9), (7, 9)] {
            let none = chosen(|_| false, most_real);
            assert_eq!(none.len(), expected);
            assert_eq!(none, chosen(|number| number % 10 < 5, most_real));
            assert_eq!(none, chosen(|number| number % 10 >= 5, most_real));
        }
    }
}
