use std::collections::BTreeMap;

use mosaic_crypto::{
    digest,
    kdf::{Label, derive},
};
use mosaic_types::{Epoch, Nameplate, Token};
use mosaic_wire::RendezvousState;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// How long a past state is kept for readers that were away: 48 h of epochs (DESIGN section 4).
pub(crate) const KEPT_EPOCHS: u32 = 96;

/// The states of one pair, one per epoch. Goes forward only; what is forgotten cannot be computed again.
pub(crate) struct Ratchet {
    states: BTreeMap<Epoch, RendezvousState>,
}

impl Ratchet {
    /// Starts with the pair's first state at the epoch both sides agreed on.
    pub(crate) fn new(first: [u8; 32], base: Epoch) -> Self {
        Self { states: BTreeMap::from([(base, RendezvousState::new(first))]) }
    }

    /// Derives states up to `to`, at most as many as are ever kept.
    pub(crate) fn advance(&mut self, to: Epoch) {
        for _ in 0..=KEPT_EPOCHS {
            let Some((&newest, state)) = self.states.last_key_value() else { return };
            if newest >= to {
                return;
            }
            let next = state.ratchet();
            self.states.insert(newest.next(), next);
        }
    }

    /// Erases the states before `epoch`, except the newest, from which the next one comes.
    pub(crate) fn forget_before(&mut self, epoch: Epoch) {
        let Some((&newest, _)) = self.states.last_key_value() else { return };
        self.states = self.states.split_off(&epoch.min(newest));
    }

    /// The state of an epoch, if it is held.
    pub(crate) fn at(&self, epoch: Epoch) -> Option<&RendezvousState> {
        self.states.get(&epoch)
    }

    /// The epochs held, oldest first.
    pub(crate) fn epochs(&self) -> impl Iterator<Item = Epoch> {
        self.states.keys().copied()
    }
}

/// Where two people write before they share a state. Derived per epoch instead of ratcheted: who knows what it comes
/// from could start a ratchet again anyway.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Meeting {
    root: [u8; 32],
    #[zeroize(skip)]
    label: Label,
}

impl Meeting {
    /// The rows of a nameplate. Everybody who knows the number, or tries all ten million, finds them.
    pub(crate) fn at_nameplate(nameplate: Nameplate) -> Self {
        let label = Label::Nameplate;
        Self { root: derive(&nameplate.number().to_be_bytes(), label, &[]), label }
    }

    /// Where the maker of a code answers the first message `opening`: rows of its own for each, so that the answer to
    /// somebody else is not taken for one's own.
    pub(crate) fn of_answer(opening: &[u8]) -> Self {
        let label = Label::CodeAnswer;
        Self { root: derive(&digest(&[b"opening", opening]), label, &[]), label }
    }

    /// The rows and keys of an epoch.
    pub(crate) fn at(&self, epoch: Epoch) -> RendezvousState {
        RendezvousState::new(derive(&self.root, self.label, &[&epoch.0.to_be_bytes()]))
    }
}

/// What a token gives to both who hold it. Erased on drop, which happens when the token was used.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct TokenSecret {
    meeting: Meeting,
    psk: [u8; 32],
}

impl TokenSecret {
    /// Derives both secrets from the 32 characters (about 190 bits).
    pub(crate) fn of(token: &Token) -> Self {
        let label = Label::TokenRoot;
        token.expose(|characters| Self {
            meeting: Meeting { root: derive(characters, label, &[]), label },
            psk: derive(characters, Label::TokenPsk, &[]),
        })
    }

    /// The key of the Noise handshake.
    pub(crate) const fn psk(&self) -> &[u8; 32] {
        &self.psk
    }

    /// Where the first message is written and read.
    pub(crate) const fn meeting(&self) -> &Meeting {
        &self.meeting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mosaic_wire::Direction;

    fn key(ratchet: &Ratchet, epoch: u32) -> Option<[u8; 32]> {
        ratchet.at(Epoch(epoch)).map(|state| *state.key(Direction::FromInitiator, 0))
    }

    #[test]
    fn both_sides_meet_in_every_epoch_and_the_past_is_gone() {
        let (mut early, mut late) = (Ratchet::new([1; 32], Epoch(10)), Ratchet::new([1; 32], Epoch(10)));
        (11..=40).for_each(|epoch| early.advance(Epoch(epoch)));
        late.advance(Epoch(40));
        assert_eq!((key(&early, 33), key(&early, 40)), (key(&late, 33), key(&late, 40)));
        early.forget_before(Epoch(39));
        assert_eq!((key(&early, 38), key(&early, 39).is_some()), (None, true));
        early.forget_before(Epoch(99));
        assert_eq!(early.epochs().collect::<Vec<_>>(), [Epoch(40)], "the newest stays");
    }

    #[test]
    fn a_far_future_costs_a_bounded_number_of_steps() {
        let mut ratchet = Ratchet::new([1; 32], Epoch(0));
        ratchet.advance(Epoch(u32::MAX));
        assert_eq!(ratchet.epochs().count(), KEPT_EPOCHS as usize + 2);
    }
}
