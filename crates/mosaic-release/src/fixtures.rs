//! What tests of several modules begin with.

use mosaic_types::{Period, TileId};
use mosaic_wire::{Groups, LaneShape, TableDescriptor};

/// A period's table without shares.
pub(crate) fn table(period: Period) -> TableDescriptor {
    let lane = LaneShape { rows: 1 << 14, capacity: 64 };
    TableDescriptor {
        tile: TileId(1),
        period,
        valid_from: period.start(),
        threshold: 2,
        public_key: [0; 32],
        shares: Vec::new(),
        transcript: [0; 32],
        discovery: lane,
        rendezvous: lane,
        generation_s: [5, 60, 600],
        groups: Groups::DEFAULT,
    }
}
