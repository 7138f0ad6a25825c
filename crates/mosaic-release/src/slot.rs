use mosaic_discovery::FrameId;
use mosaic_obfuscate::PersonaId;
use mosaic_wire::RECORD;

use crate::BroadcastId;

/// What a slot of a released event truly is. Never encoded; for retries, and for the lab's ground truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotTruth {
    /// A bundle of the person's own broadcast.
    Broadcast(BroadcastId),
    /// A bundle of a persona.
    Persona(PersonaId),
    /// A frame to somebody.
    Frame(FrameId),
    /// Uniform bytes.
    Uniform,
}

impl SlotTruth {
    /// Whether the slot carries something of the person.
    pub const fn is_real(self) -> bool {
        matches!(self, Self::Broadcast(_) | Self::Frame(_))
    }
}

/// One sealed record and where it may go: `rows[chain]`, after `chain` full rows.
#[derive(Clone)]
pub(crate) struct Slot {
    pub(crate) rows: [u32; 4],
    pub(crate) chain: u8,
    pub(crate) record: [u8; RECORD],
    pub(crate) truth: SlotTruth,
}

impl Slot {
    /// The row it goes to now.
    pub(crate) fn row(&self) -> u32 {
        self.rows[usize::from(self.chain & 3)]
    }
}
