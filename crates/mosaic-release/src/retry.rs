use std::collections::BTreeSet;

use mosaic_discovery::FrameId;
use mosaic_types::{Lane, TableId, Timestamp};
use mosaic_wire::SLOTS;

use crate::{ReleasedEvent, Releaser, SlotTruth, slot::Slot};

/// Records that met a full row and wait for the next event they fit into. Kept in memory only.
#[derive(Default)]
pub(crate) struct Retries {
    waiting: Vec<Retry>,
    /// Frames whose record waits no more and is stored nowhere.
    given_up: Vec<FrameId>,
}

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
    ///
    /// Returns the frames given up since the last call: their rows were full to the end of the chain, or
    /// their time is over. They are stored nowhere and may be offered again, as fresh frames.
    /// [`ReleasedEvent::stored`] says which are stored; the others still wait.
    #[must_use = "the frames given up are stored nowhere"]
    pub fn retry(&mut self, event: &ReleasedEvent, full: u16) -> Vec<FrameId> {
        let until = match event.lane() {
            // A bundle names its window; a frame is read during its own epoch and the next.
            Lane::Discovery => event.leaves().window().end(),
            Lane::Rendezvous => event.leaves().epoch().next().end(),
        };
        let (most_real, batch) = (event.floor().most_real(), event.fields().receipt_key);
        let fits = Fit { table: event.fields().table, resolution: event.resolution() };
        let retries = &mut self.retries;
        event.slots().expose(|slots| {
            for (_, slot) in slots.iter().enumerate().filter(|(at, _)| full >> at & 1 == 1) {
                if slot.chain < MOST_CHAIN {
                    let slot = Slot { chain: slot.chain + 1, ..slot.clone() };
                    retries.waiting.push(Retry { fits, until, slot, most_real, batch });
                } else {
                    retries.give_up(slot.truth);
                }
            }
        });
        let surplus = retries.waiting.len().saturating_sub(MOST_WAITING);
        let dropped: Vec<_> = retries.waiting.drain(..surplus).collect();
        dropped.into_iter().for_each(|retry| retries.give_up(retry.slot.truth));
        std::mem::take(&mut retries.given_up)
    }
}

impl Retries {
    /// What goes into an event of that fit at `at`, with different rows; the others keep waiting. The
    /// slots of one earlier event, whose own floor bounds how many are real; under a stricter floor no more
    /// slots than may be real. So what is retried depends on rows and floors, never on the truth.
    pub(crate) fn fitting(&self, fits: Fit, at: Timestamp, most_real: usize) -> Vec<Slot> {
        let waiting = || self.waiting.iter().filter(|retry| retry.fits == fits && at < retry.until);
        let Some(first) = waiting().next() else { return Vec::new() };
        let most = if first.most_real <= most_real { SLOTS } else { most_real };
        let mut rows = BTreeSet::new();
        let batch = waiting().filter(|retry| retry.batch == first.batch && rows.insert(retry.slot.row()));
        batch.take(most).map(|retry| retry.slot.clone()).collect()
    }

    /// Forgets what has left and what is too late.
    pub(crate) fn settle(&mut self, left: &[Slot], at: Timestamp) {
        let has_left = |retry: &Retry| left.iter().any(|slot| slot.record == retry.slot.record);
        self.waiting.retain(|retry| !has_left(retry));
        let (waiting, late): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|retry| at < retry.until);
        self.waiting = waiting;
        late.into_iter().for_each(|retry| self.give_up(retry.slot.truth));
    }

    fn give_up(&mut self, truth: SlotTruth) {
        self.given_up.extend(if let SlotTruth::Frame(id) = truth { Some(id) } else { None });
    }
}

#[cfg(test)]
mod tests {
    use mosaic_types::{Period, TableId};

    use super::*;

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
            let retries = Retries { waiting: (0..20).map(retry).collect(), given_up: Vec::new() };
            let slots = retries.fitting(fits, Timestamp::from_secs(1), most_real);
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
