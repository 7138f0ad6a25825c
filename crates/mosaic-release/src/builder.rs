use mosaic_crypto::kdf::{self, Label};
use mosaic_types::{RowTag, Sensitive, Stream, TableId, Timestamp};
use mosaic_wire::{EventFields, RECORD, SLOTS, TableDescriptor};
use rand::{CryptoRng, RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::{FloorMet, FloorMissed, ReleaseError, ReleasedEvent, slot::Slot};

/// An event in the making. It cannot be constructed with more real slots than its floor allows, and
/// it becomes an event only by being counted again when it is finished.
pub(crate) struct EventBuilder {
    slots: Vec<Slot>,
    most_real: usize,
}

/// What the head of an event says.
pub(crate) struct Heading<'a> {
    pub(crate) at: Timestamp,
    pub(crate) table: &'a TableDescriptor,
    pub(crate) id: TableId,
    pub(crate) stream: Stream,
    pub(crate) resolution: Option<u8>,
}

impl EventBuilder {
    /// Starts with the slots that must go.
    ///
    /// # Errors
    /// [`FloorMissed`] when more of them are real than `most_real`, or more than ten there are.
    pub(crate) fn new(slots: Vec<Slot>, most_real: usize) -> Result<Self, FloorMissed> {
        let real = slots.iter().filter(|slot| slot.truth.is_real()).count();
        if real <= most_real && slots.len() <= SLOTS {
            Ok(Self { slots, most_real })
        } else {
            Err(FloorMissed { decoys: SLOTS.saturating_sub(real), needed: SLOTS.saturating_sub(most_real) })
        }
    }

    /// Fills up to ten with what `decoy` makes.
    pub(crate) fn fill(mut self, mut decoy: impl FnMut(&[Slot]) -> Slot) -> Self {
        while self.slots.len() < SLOTS {
            let slot = decoy(&self.slots);
            self.slots.push(slot);
        }
        self
    }

    /// Counts, orders the slots by a keyed permutation, and releases.
    pub(crate) fn release(
        self,
        heading: &Heading<'_>,
        order_key: &[u8; 32],
        rng: &mut impl CryptoRng,
    ) -> Result<ReleasedEvent, ReleaseError> {
        let floor = FloorMet::count(&self.slots, self.most_real)?;
        let (mut pad, mut receipt_secret) = ([0; 24], [0; 32]);
        rng.fill_bytes(&mut pad);
        rng.fill_bytes(&mut receipt_secret);
        let slots = permuted(self.slots, order_key, &pad);
        let fields = EventFields {
            stream: heading.stream,
            tile: heading.table.tile,
            table: heading.id,
            rows: tags(&slots)?,
            receipt_key: mosaic_crypto::digest(&[&receipt_secret]),
            descriptor: heading.table.hash(),
            pad,
            slots: records(&slots),
        };
        Ok(ReleasedEvent::new(fields, floor, Sensitive::new(slots), receipt_secret, heading))
    }
}

/// Orders slots by a permutation keyed with the device's secret and the event's random bytes (L3-09).
fn permuted(mut slots: Vec<Slot>, key: &[u8; 32], pad: &[u8; 24]) -> Vec<Slot> {
    let mut order = ChaCha20Rng::from_seed(kdf::derive(key, Label::SlotOrder, &[pad]));
    for last in (1..slots.len()).rev() {
        slots.swap(last, order.random_range(0..=last));
    }
    slots
}

fn tags(slots: &[Slot]) -> Result<[RowTag; SLOTS], ReleaseError> {
    let mut tags = [RowTag::from_bytes([0; 3]); SLOTS];
    for (tag, slot) in tags.iter_mut().zip(slots) {
        *tag = RowTag::new(slot.row(), slot.chain).ok_or(ReleaseError::BadTable)?;
    }
    Ok(tags)
}

fn records(slots: &[Slot]) -> [[u8; RECORD]; SLOTS] {
    let mut records = [[0; RECORD]; SLOTS];
    for (record, slot) in records.iter_mut().zip(slots) {
        *record = slot.record;
    }
    records
}

#[cfg(test)]
mod tests {
    use mosaic_types::{Lane, Period};
    use proptest::prelude::*;

    use super::*;
    use crate::{BroadcastId, SlotTruth, fixtures::table};

    fn slot(row: u32, byte: u8, truth: SlotTruth) -> Slot {
        Slot { rows: [row; 4], chain: 0, record: std::array::from_fn(|at| byte.wrapping_add(at as u8)), truth }
    }

    fn real(number: u8) -> Slot {
        slot(number.into(), number, SlotTruth::Broadcast(BroadcastId(number.into())))
    }

    fn decoy(others: &[Slot]) -> Slot {
        slot(100 + others.len() as u32, 100 + others.len() as u8, SlotTruth::Uniform)
    }

    fn release(builder: EventBuilder) -> Result<ReleasedEvent, ReleaseError> {
        let table = table(Period(1));
        let id = TableId::new(Period(1), Lane::Discovery);
        let heading = Heading { at: Period(1).start(), table: &table, id, stream: Stream::Steady, resolution: None };
        builder.release(&heading, &[1; 32], &mut ChaCha20Rng::seed_from_u64(1))
    }

    /// L3-12: a generator that is broken in any of these ways lets nothing leave, whatever its labels say.
    #[test]
    fn a_broken_generator_lets_nothing_leave() {
        let faults: [fn(&[Slot]) -> Slot; 4] = [
            |_| slot(200, 200, SlotTruth::Uniform),
            |others| Slot { record: others[0].record, ..decoy(others) },
            |others| Slot { rows: others[0].rows, ..decoy(others) },
            |others| Slot { record: [7; RECORD], ..decoy(others) },
        ];
        for fault in faults {
            let builder = EventBuilder::new(vec![real(1), real(2)], 4).unwrap().fill(fault);
            assert!(matches!(release(builder), Err(ReleaseError::Floor(_))));
        }
        assert!(release(EventBuilder::new(vec![real(1), real(2)], 4).unwrap().fill(decoy)).is_ok());
    }

    /// L3-09: the order follows from the device's key and the event's random bytes, so nobody without the key can
    /// undo it. 1,000 keys and 1,000 pads (seed 31): each gives another order of the same slots, up to chance.
    #[test]
    fn the_order_of_slots_depends_on_key_and_pad() {
        let slots: Vec<Slot> = (0..10).map(real).collect();
        let order = |key: u16, pad: u16| -> Vec<u32> {
            let (mut whole_key, mut whole_pad) = ([31; 32], [31; 24]);
            whole_key[..2].copy_from_slice(&key.to_be_bytes());
            whole_pad[..2].copy_from_slice(&pad.to_be_bytes());
            permuted(slots.clone(), &whole_key, &whole_pad).iter().map(Slot::row).collect()
        };
        assert_eq!(order(1, 1), order(1, 1));
        let keys: std::collections::BTreeSet<_> = (0..1_000).map(|key| order(key, 1)).collect();
        let pads: std::collections::BTreeSet<_> = (0..1_000).map(|pad| order(1, pad)).collect();
        // of 10! orders, 1,000 draws meet 0.14 times on average
        assert!(keys.len() >= 997 && pads.len() >= 997, "{} {}", keys.len(), pads.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        /// L3-02, PRIVACY 3: over 10,000 inputs with up to 50 real slots, whatever is built keeps its floor.
        #[test]
        fn what_is_built_keeps_its_floor(offered in 0_u8..=50, most in 0_usize..=10) {
            match EventBuilder::new((0..offered).map(real).collect(), most) {
                Err(_) => prop_assert!(usize::from(offered) > most),
                Ok(builder) => {
                    let event = release(builder.fill(decoy)).unwrap();
                    let count = event.slot_truth().expose(|truth| truth.iter().filter(|truth| truth.is_real()).count());
                    prop_assert!(count == usize::from(offered) && count <= most);
                    prop_assert!(event.fields().has_distinct_rows());
                }
            }
        }
    }
}
