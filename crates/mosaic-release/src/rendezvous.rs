use std::collections::BTreeSet;

use mosaic_crypto::record::{self, RecordNonce};
use mosaic_discovery::OutgoingFrame;
use mosaic_types::{Lane, Mode, NoiseRatio, Stream, TableId, Timestamp};
use mosaic_wire::{RECORD, RECORD_PLAIN, SLOTS, TableDescriptor};
use rand::{CryptoRng, RngExt};
use subtle::{Choice, ConditionallySelectable};
use zeroize::Zeroizing;

use crate::{
    Broadcast, ReleaseError, ReleasedEvent, Releaser, SlotTruth,
    builder::{EventBuilder, Heading},
    retry::Fit,
    slot::Slot,
};

/// The least noise of rendezvous events, whatever stands: the mode's floor, raised by what the person set for
/// everything they say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RendezvousFloor(NoiseRatio);

impl RendezvousFloor {
    /// The same, raised to `requested` where that is higher.
    #[must_use]
    pub fn raised_to(self, requested: NoiseRatio) -> Self {
        Self(requested.at_least(self.0))
    }
}

impl From<Mode> for RendezvousFloor {
    fn from(mode: Mode) -> Self {
        Self(mode.profile().rendezvous_floor)
    }
}

impl Releaser {
    /// Builds the rendezvous event that leaves at `at`: as many of `frames` as the floor allows, in their
    /// order, the rest uniform rows and bytes. [`ReleasedEvent::frames`] says which are in; the others
    /// are dropped here and may be offered again.
    ///
    /// # Errors
    /// [`ReleaseError`] when the table does not serve `at` or its rows cannot be named.
    pub fn rendezvous_event(
        &mut self,
        at: Timestamp,
        table: &TableDescriptor,
        stream: Stream,
        floor: impl Into<RendezvousFloor>,
        frames: Vec<OutgoingFrame>,
        rng: &mut impl CryptoRng,
    ) -> Result<ReleasedEvent, ReleaseError> {
        if table.period != at.period() {
            return Err(ReleaseError::WrongTable);
        }
        if !(SLOTS as u32 * 8..=mosaic_types::RowTag::MAX_ROWS).contains(&table.rendezvous.rows) {
            return Err(ReleaseError::BadTable);
        }
        let most_real = self.rendezvous_ratio(at, floor).most_real_of(SLOTS as u32) as usize;
        let id = TableId::new(table.period, Lane::Rendezvous);
        let retried = self.retries.fitting(Fit { table: id, resolution: None }, at, most_real);
        let mut slots = retried.clone();
        for frame in fitting(&frames, &retried, most_real, table.rendezvous.rows) {
            slots.push(sealed(Some(frame), &slots, table.rendezvous.rows, rng));
        }
        let builder =
            EventBuilder::new(slots, most_real)?.fill(|slots| sealed(None, slots, table.rendezvous.rows, rng));
        let heading = Heading { at, table, id, stream, resolution: None };
        let event = builder.release(&heading, &self.keys.order, rng)?;
        self.retries.settle(&retried, at);
        Ok(event)
    }

    /// The ratio of the lane: the floor, raised by the strictest request among standing broadcasts. A [`Mode`]
    /// alone is a floor too, for a person who set nothing.
    pub fn rendezvous_ratio(&self, at: Timestamp, floor: impl Into<RendezvousFloor>) -> NoiseRatio {
        let standing = self.broadcasts().filter(|broadcast| broadcast.stands(at));
        standing.map(Broadcast::requested).fold(floor.into().0, NoiseRatio::at_least)
    }
}

/// The frames that go: in order, up to the floor, with rows that differ.
fn fitting<'a>(frames: &'a [OutgoingFrame], retried: &[Slot], most_real: usize, rows: u32) -> Vec<&'a OutgoingFrame> {
    let mut used: BTreeSet<u32> = retried.iter().map(Slot::row).collect();
    let real = retried.iter().filter(|slot| slot.truth.is_real()).count();
    let room = (most_real - real.min(most_real)).min(SLOTS - retried.len());
    let nameable = frames.iter().filter(|frame| frame.rows.iter().all(|row| *row < rows));
    nameable.filter(|frame| used.insert(frame.rows[0])).take(room).collect()
}

/// One slot, by the same steps for a frame and for a decoy: random rows, key, plaintext, nonce and bytes
/// are drawn either way, a record is sealed either way, and the choice between it and the uniform bytes
/// is made without a branch.
fn sealed(frame: Option<&OutgoingFrame>, others: &[Slot], rows: u32, rng: &mut impl CryptoRng) -> Slot {
    let mut drawn_rows: [u32; 4] = std::array::from_fn(|_| rng.random_range(0..rows));
    while others.iter().any(|other| other.row() == drawn_rows[0]) {
        drawn_rows[0] = rng.random_range(0..rows);
    }
    let (mut key, mut plain) = (Zeroizing::new([0; 32]), Zeroizing::new([0; RECORD_PLAIN]));
    let mut uniform = [0; RECORD];
    rng.fill_bytes(key.as_mut_slice());
    rng.fill_bytes(plain.as_mut_slice());
    let nonce = RecordNonce::draw(rng);
    rng.fill_bytes(&mut uniform);
    let (rows, key, plain) = frame.map_or((&drawn_rows, &key, &plain), |frame| (&frame.rows, &frame.key, &frame.plain));
    let record = record::seal_record(key, nonce, plain);
    let real = Choice::from(u8::from(frame.is_some()));
    let record = std::array::from_fn(|at| u8::conditional_select(&uniform[at], &record[at], real));
    let truth = frame.map_or(SlotTruth::Uniform, |frame| SlotTruth::Frame(frame.id));
    Slot { rows: *rows, chain: 0, record, truth }
}
