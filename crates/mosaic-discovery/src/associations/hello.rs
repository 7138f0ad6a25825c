//! The payload of a first message: what both sides derive the pair's rows from, and whether a person is behind it.

use mosaic_crypto::{
    digest,
    kdf::{Label, derive},
};
use mosaic_types::Epoch;
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::ratchet::{KEPT_EPOCHS, Ratchet};

/// Root of the pair's rendezvous state, the epoch it belongs to, and its purpose: 32 + 4 + 1 bytes inside the Noise
/// payload, so that a first message that leaves epochs later, or again, still means the same rows.
pub(super) struct Hello {
    pub(super) root: Zeroizing<[u8; 32]>,
    pub(super) base: Epoch,
    pub(super) purpose: Purpose,
}

/// What a first message is for. Only whose card it was sent to reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A person wants to get in touch.
    Person,
    /// A decoy: it is answered as every first message is, and nobody is bothered (L5-24).
    Decoy,
}

impl Hello {
    pub(super) const SIZE: usize = 37;

    /// A fresh root, starting now.
    pub(super) fn fresh(base: Epoch, purpose: Purpose, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut root = Zeroizing::new([0; 32]);
        rng.fill_bytes(root.as_mut_slice());
        Self { root, base, purpose }
    }

    pub(super) fn encode(&self) -> Zeroizing<[u8; Self::SIZE]> {
        let mut bytes = Zeroizing::new([0; Self::SIZE]);
        bytes[..32].copy_from_slice(self.root.as_slice());
        bytes[32..36].copy_from_slice(&self.base.0.to_be_bytes());
        bytes[36] = self.purpose as u8;
        bytes
    }

    /// The pair's states. The sender chooses the root, and could choose one twice: the first state is
    /// bound to the card it was sent to (none for a token) and to the whole first message with its
    /// ephemeral key, so that equal roots meet at no common row and tell nothing of two cards.
    pub(super) fn ratchet(&self, card: Option<&[u8; 32]>, message: &[u8]) -> Ratchet {
        let card = card.map_or(&[][..], <[u8; 32]>::as_slice);
        let first =
            derive(self.root.as_slice(), Label::RendezvousRatchet, &[&digest(&[b"first message", card, message])]);
        Ratchet::new(first, self.base)
    }

    /// `None` for a wrong size or purpose, or an epoch that is neither recent nor just about to begin.
    pub(super) fn decode(payload: &[u8], now: Epoch) -> Option<Self> {
        let bytes: &[u8; Self::SIZE] = payload.try_into().ok()?;
        let (root, base) = bytes.split_first_chunk::<32>()?;
        let (base, purpose) = base.split_first_chunk::<4>()?;
        let base = Epoch(u32::from_be_bytes(*base));
        let purpose = match purpose {
            [0] => Purpose::Person,
            [1] => Purpose::Decoy,
            _ => return None,
        };
        is_recent(base, now).then(|| Self { root: Zeroizing::new(*root), base, purpose })
    }
}

/// Whether a first message may begin in `base`.
pub(super) fn is_recent(base: Epoch, now: Epoch) -> bool {
    base <= now.next() && now.0.saturating_sub(base.0) <= KEPT_EPOCHS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_recent_epochs_are_believed() {
        let hello = Hello { root: Zeroizing::new([3; 32]), base: Epoch(1_000), purpose: Purpose::Decoy };
        let mut bytes = hello.encode();
        for (now, believed) in [(998, false), (999, true), (1_000, true), (1_096, true), (1_097, false)] {
            assert_eq!(Hello::decode(bytes.as_slice(), Epoch(now)).is_some(), believed, "{now}");
        }
        assert!(Hello::decode(&bytes[..36], Epoch(1_000)).is_none());
        assert_eq!(Hello::decode(bytes.as_slice(), Epoch(1_000)).unwrap().purpose, Purpose::Decoy);
        bytes[36] = 2;
        assert!(Hello::decode(bytes.as_slice(), Epoch(1_000)).is_none());
    }
}
