//! Rows and keys of both lanes (`docs/spec/rows.md`).

use mosaic_crypto::{
    kdf::{Label, Root, derive},
    oprf::OprfOutput,
};
use mosaic_types::Epoch;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The row of a discovery record that met `chain` full rows before, below `rows`.
pub fn discovery_row(output: &OprfOutput, chain: u8, rows: u32) -> u32 {
    reduce(derive(output.as_bytes(), Label::DiscoveryRow, &[&[chain]]), rows)
}

/// The outer key of a discovery row.
pub fn discovery_key(output: &OprfOutput) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(derive(output.as_bytes(), Label::DiscoveryKey, &[]))
}

/// The key of the layer that only somebody who can name the topic opens.
pub fn topic_key(output: &OprfOutput) -> [u8; 32] {
    derive(output.as_bytes(), Label::TopicKey, &[])
}

/// Who writes on the rendezvous lane: each side has rows of its own, and none is written twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From who spoke first.
    FromInitiator,
    /// From who answered.
    FromResponder,
}

impl Direction {
    /// The number in derivations: 0 from the initiator, 1 from the responder.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The other side's direction.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::FromInitiator => Self::FromResponder,
            Self::FromResponder => Self::FromInitiator,
        }
    }
}

/// What two people share on the rendezvous lane during one epoch. Ratchets one way; erased on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct RendezvousState([u8; 32]);

impl RendezvousState {
    /// The state of the epoch in which the root was agreed.
    pub const fn new(root: [u8; 32]) -> Self {
        Self(root)
    }

    /// The state of the next epoch; this one cannot be computed from it.
    #[must_use]
    pub fn ratchet(&self) -> Self {
        Self(derive(&self.0, Label::RendezvousRatchet, &[]))
    }

    /// The row of message `counter` in `direction` after `chain` full rows, below `rows`.
    pub fn row(&self, direction: Direction, counter: u16, chain: u8, rows: u32) -> u32 {
        let context: [&[u8]; 3] = [&[direction.number()], &counter.to_be_bytes(), &[chain]];
        reduce(derive(&self.0, Label::RendezvousRow, &context), rows)
    }

    /// The record key of message `counter` in `direction`.
    pub fn key(&self, direction: Direction, counter: u16) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(derive(&self.0, Label::RendezvousKey, &[&[direction.number()], &counter.to_be_bytes()]))
    }

    /// The rows of a group whose state this is.
    pub fn group_rows(&self) -> GroupRows {
        GroupRows(Root::new(&self.0))
    }

    /// Lends the state, to be handed to a new member of a group or to the vault.
    pub fn expose<R>(&self, use_it: impl FnOnce(&[u8; 32]) -> R) -> R {
        use_it(&self.0)
    }
}

/// Where the members of a group write and read in one epoch: each in its own *member slot*, so that no two of them ever
/// write one record (`docs/spec/groups.md`).
pub struct GroupRows(Root);

impl GroupRows {
    /// The row of frame `counter` from `slot` after `chain` full rows, below `rows`.
    pub fn row(&self, slot: u8, counter: u8, chain: u8, rows: u32) -> u32 {
        reduce(self.0.derive(Label::GroupRow, &[&[slot], &[counter], &[chain]]), rows)
    }

    /// The record key of frame `counter` from `slot`.
    pub fn key(&self, slot: u8, counter: u8) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.derive(Label::GroupKey, &[&[slot], &[counter]]))
    }
}

/// Row `j` of the [`crate::WAVE_ROWS`] at which the publisher of `card` looks for waves in `epoch`,
/// after `chain` full rows, below `rows`. Everybody who read the card can compute it.
pub fn wave_row(card: &[u8; 32], epoch: Epoch, j: u8, chain: u8, rows: u32) -> u32 {
    WaveRows::of(card).row(epoch, j, chain, rows)
}

/// The rows of one card, for its publisher, who needs all of them in every epoch.
pub struct WaveRows(Root);

impl WaveRows {
    /// The rows of `card`.
    pub fn of(card: &[u8; 32]) -> Self {
        Self(Root::new(card))
    }

    /// The same as [`wave_row`].
    pub fn row(&self, epoch: Epoch, j: u8, chain: u8, rows: u32) -> u32 {
        reduce(self.0.derive(Label::WaveRow, &[&epoch.0.to_be_bytes(), &[j], &[chain]]), rows)
    }
}

/// The record key of wave row `j`.
pub fn wave_key(card: &[u8; 32], epoch: Epoch, j: u8) -> [u8; 32] {
    derive(card, Label::WaveKey, &[&epoch.0.to_be_bytes(), &[j]])
}

/// Uniform below `rows` up to a bias of `rows / 2^64`.
fn reduce(uniform: [u8; 8], rows: u32) -> u32 {
    let row = u64::from_be_bytes(uniform) % u64::from(rows.max(1));
    u32::try_from(row).unwrap_or(0)
}
