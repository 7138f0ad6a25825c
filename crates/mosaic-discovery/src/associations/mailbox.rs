use std::collections::BTreeSet;

use mosaic_crypto::{agreement::AgreementSecret, digest};
use mosaic_types::{Epoch, Window};

use super::{index::Listener, view::CardOrigin};
use crate::ids::first_half;

/// Most first messages answered per card: a flood at one card costs that card's share only, so it
/// neither grows memory nor shows in how another card of this device answers.
pub(super) const APPROACHES_PER_CARD: usize = 32;

/// A published card and what came to its mailbox.
pub(super) struct Mailbox {
    pub(super) secret: AgreementSecret,
    pub(super) origin: CardOrigin,
    pub(super) window: Window,
    pub(super) listener: Listener,
    answered: BTreeSet<[u8; 16]>,
}

impl Mailbox {
    pub(super) const fn new(secret: AgreementSecret, origin: CardOrigin, window: Window, listener: Listener) -> Self {
        Self { secret, origin, window, listener, answered: BTreeSet::new() }
    }

    /// Whether this first message may be answered: it is new, and the card has not answered too many.
    pub(super) fn may_answer(&self, hello: &[u8]) -> bool {
        self.answered.len() < APPROACHES_PER_CARD && !self.answered.contains(&mark(hello))
    }

    /// Remembers an answered first message. A Noise first message can be replayed by its nature; this
    /// is what makes the second copy worthless.
    pub(super) fn remember(&mut self, hello: &[u8]) {
        self.answered.insert(mark(hello));
    }

    /// The epochs in which a wave may have been written, from `oldest` on.
    pub(super) fn epochs(&self, oldest: Epoch, newest: Epoch) -> impl Iterator<Item = Epoch> + use<> {
        let first = self.window.start().epoch().max(oldest);
        (first.0..=newest.0).map(Epoch)
    }
}

fn mark(hello: &[u8]) -> [u8; 16] {
    first_half(digest(&[b"hello", hello]))
}
