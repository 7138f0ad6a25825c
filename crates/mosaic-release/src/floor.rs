use mosaic_wire::SLOTS;
use thiserror::Error;

use crate::slot::Slot;

/// Evidence that a finished event was counted and holds no more real slots than its floor allows.
/// Only the count mints it (L3-12), and no event exists without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloorMet {
    decoys: usize,
    most_real: usize,
}

/// The event was not released: its decoys are too few or not what decoys must be. Nothing left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("refused to send: only {decoys} of {SLOTS} slots are sound decoys, {needed} are needed")]
pub struct FloorMissed {
    /// Sound decoys found.
    pub decoys: usize,
    /// Fewest that the noise floor asks for.
    pub needed: usize,
}

impl FloorMet {
    /// Counts again, from the finished slots alone. A decoy counts only if it is sound: its record and
    /// its row are its own, and its bytes are not a constant. So a broken generator, which repeats
    /// itself, copies a real record or emits zeros, falls short even where its labels say otherwise.
    pub(crate) fn count(slots: &[Slot], most_real: usize) -> Result<Self, FloorMissed> {
        let decoys = (0..slots.len()).filter(|at| is_sound_decoy(slots, *at)).count();
        let needed = SLOTS.saturating_sub(most_real);
        let whole = slots.len() == SLOTS;
        if whole && decoys >= needed { Ok(Self { decoys, most_real }) } else { Err(FloorMissed { decoys, needed }) }
    }

    /// Most real slots the event could have held, whatever it held.
    pub(crate) const fn most_real(self) -> usize {
        self.most_real
    }

    /// The measured noise ratio: the share of sound decoys among the ten slots.
    pub fn measured(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "at most ten")]
        let ratio = self.decoys as f64 / SLOTS as f64;
        ratio
    }
}

fn is_sound_decoy(slots: &[Slot], at: usize) -> bool {
    let Some(slot) = slots.get(at) else { return false };
    let own = |other: &Slot| other.record != slot.record && other.row() != slot.row();
    let alone = slots.iter().enumerate().all(|(index, other)| index == at || own(other));
    let varied = slot.record.iter().any(|byte| *byte != slot.record[0]);
    !slot.truth.is_real() && alone && varied
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BroadcastId, SlotTruth};

    fn slot(number: u8, truth: SlotTruth) -> Slot {
        let record = std::array::from_fn(|at| (at as u8).wrapping_mul(number + 3) ^ number);
        Slot { rows: [u32::from(number); 4], chain: 0, record, truth }
    }

    fn event(real: u8) -> Vec<Slot> {
        let truth = |number| if number < real { SlotTruth::Broadcast(BroadcastId(1)) } else { SlotTruth::Uniform };
        (0..10).map(|number| slot(number, truth(number))).collect()
    }

    #[test]
    fn the_count_is_exact() {
        for real in 0..=10 {
            for most in 0..=10 {
                assert_eq!(FloorMet::count(&event(real), most).is_ok(), usize::from(real) <= most);
            }
        }
        assert!((FloorMet::count(&event(3), 3).unwrap().measured() - 0.7).abs() < 1e-12);
    }

    #[test]
    fn broken_generators_fall_short() {
        let broken: [fn(&mut Vec<Slot>); 5] = [
            |slots| slots[9].record = [0; 192],
            |slots| slots[9].record = slots[0].record,
            |slots| slots[9].record = slots[8].record,
            |slots| slots[9].rows = slots[0].rows,
            |slots| slots.truncate(9),
        ];
        for fault in broken {
            let mut slots = event(4);
            fault(&mut slots);
            assert!(FloorMet::count(&slots, 4).is_err());
        }
    }
}
