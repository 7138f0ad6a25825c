//! A device as far as associations go: what it sends, and what it reads of others.

use mosaic_crypto::record::{RecordNonce, seal_record};
use mosaic_discovery::{AssociationEvent, Associations, OutgoingFrame};
use mosaic_types::Timestamp;
use mosaic_wire::RECORD;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

/// Rows of the table in which they meet.
pub(super) const ROWS: u32 = 65_536;

/// What is stored, and where.
pub(super) type Records = Vec<(u32, [u8; RECORD])>;

pub(super) struct Speaker {
    pub(super) associations: Associations,
    pub(super) rng: ChaCha20Rng,
}

impl Speaker {
    pub(super) fn new(rng: &mut ChaCha20Rng) -> Self {
        Self { associations: Associations::new(), rng: ChaCha20Rng::from_rng(rng) }
    }

    /// Everything that waits, as it is stored; the receipt comes.
    pub(super) fn sends(&mut self, now: Timestamp) -> Records {
        let frames = self.offers(now, 10);
        self.associations.left(&frames.iter().map(|frame| frame.id).collect::<Vec<_>>());
        frames.iter().map(|frame| self.seals(frame)).collect()
    }

    /// What would leave in an event with room for `most`; whether it left is reported later.
    pub(super) fn offers(&mut self, now: Timestamp, most: usize) -> Vec<OutgoingFrame> {
        self.associations.outgoing(now, ROWS, most, &mut self.rng)
    }

    pub(super) fn seals(&mut self, frame: &OutgoingFrame) -> (u32, [u8; RECORD]) {
        (frame.rows[0], seal_record(&frame.key, RecordNonce::draw(&mut self.rng), &frame.plain))
    }

    pub(super) fn reads(&mut self, now: Timestamp, records: &Records) -> Vec<AssociationEvent> {
        let wanted = self.associations.wanted(now, ROWS);
        let found: Vec<_> = records.iter().filter(|(row, _)| wanted.contains(*row)).collect();
        found
            .into_iter()
            .flat_map(|(row, sealed)| self.associations.receive(now, *row, sealed, &mut self.rng))
            .collect()
    }
}
