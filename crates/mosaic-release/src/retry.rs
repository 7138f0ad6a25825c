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
        let fits = Fit { table: event.fields().table, resolution: event.resolution() };
        event.slots().expose(|slots| {
            let met_full = slots.iter().enumerate().filter(|(at, slot)| full >> at & 1 == 1 && slot.chain < MOST_CHAIN);
            let further = met_full.map(|(_, slot)| Slot { chain: slot.chain + 1, ..slot.clone() });
            self.retries.0.extend(further.map(|slot| Retry { fits, until, slot }));
        });
        let surplus = self.retries.0.len().saturating_sub(MOST_WAITING);
        self.retries.0.drain(..surplus);
    }
}

impl Retries {
    /// What goes into an event of that fit at `at`: at most ten, at most `most_real` of them real, all
    /// with different rows; the others keep waiting.
    pub(crate) fn fitting(&self, fits: Fit, at: Timestamp, most_real: usize) -> Vec<Slot> {
        let mut rows = BTreeSet::new();
        let mut taken: Vec<Slot> = Vec::new();
        let mut real = 0;
        for retry in self.0.iter().filter(|retry| retry.fits == fits && at < retry.until) {
            let counts = usize::from(retry.slot.truth.is_real());
            if taken.len() < SLOTS && real + counts <= most_real && rows.insert(retry.slot.row()) {
                real += counts;
                taken.push(retry.slot.clone());
            }
        }
        taken
    }

    /// Forgets what has left and what is too late.
    pub(crate) fn settle(&mut self, left: &[Slot], at: Timestamp) {
        self.0.retain(|retry| at < retry.until && !left.iter().any(|slot| slot.record == retry.slot.record));
    }
}
