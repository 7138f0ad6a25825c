use std::collections::{BTreeMap, BTreeSet};

use mosaic_crypto::{agreement::AgreementSecret, digest};
use mosaic_types::{Epoch, Window};
use mosaic_wire::rows;
use zeroize::Zeroizing;

use super::view::CardOrigin;
use crate::{ids::first_half, index::Listener};

/// Most first messages answered per card.
pub(super) const APPROACHES_PER_CARD: usize = 32;
/// Most of them within one epoch: a flood at one card costs that card's share only, so that it hardly
/// shows in how another card of this device answers.
pub(super) const APPROACHES_PER_CARD_AND_EPOCH: usize = 8;
/// Most first messages that all cards of a device together answer within one epoch: about what leaves in
/// the two epochs that an answer may wait. It counts before anybody asks whose card it is.
pub(super) const APPROACHES_PER_EPOCH: usize = 24;

/// How many first messages were answered in the present epoch.
pub(super) struct Tally {
    epoch: Option<Epoch>,
    count: usize,
}

impl Tally {
    pub(super) const fn new() -> Self {
        Self { epoch: None, count: 0 }
    }

    /// How many in `now`; a clock that was set back starts no new epoch.
    fn of(&self, now: Epoch) -> usize {
        if self.epoch.is_some_and(|epoch| now <= epoch) { self.count } else { 0 }
    }

    pub(super) fn has_room(&self, now: Epoch, most: usize) -> bool {
        self.of(now) < most
    }

    pub(super) fn add(&mut self, now: Epoch) {
        *self = Self { count: self.of(now) + 1, epoch: self.epoch.max(Some(now)) };
    }
}

/// A published card and what came to its mailbox.
pub(super) struct Mailbox {
    pub(super) secret: AgreementSecret,
    pub(super) origin: CardOrigin,
    pub(super) window: Window,
    pub(super) listener: Listener,
    answered: BTreeSet<[u8; 16]>,
    lately: Tally,
    keys: BTreeMap<Epoch, Zeroizing<Vec<[u8; 32]>>>,
}

impl Mailbox {
    pub(super) fn new(secret: AgreementSecret, origin: CardOrigin, window: Window, listener: Listener) -> Self {
        let (answered, lately, keys) = (BTreeSet::new(), Tally::new(), BTreeMap::new());
        Self { secret, origin, window, listener, answered, lately, keys }
    }

    /// Whether this first message may be answered: it is new, and the card has not answered too many.
    pub(super) fn may_answer(&self, now: Epoch, hello: &[u8]) -> bool {
        let room =
            self.answered.len() < APPROACHES_PER_CARD && self.lately.has_room(now, APPROACHES_PER_CARD_AND_EPOCH);
        room && !self.answered.contains(&mark(hello))
    }

    /// Remembers an answered first message. A Noise first message can be replayed by its nature; this
    /// is what makes the second copy worthless.
    pub(super) fn remember(&mut self, now: Epoch, hello: &[u8]) {
        self.answered.insert(mark(hello));
        self.lately.add(now);
    }

    /// The epochs in which a wave may have been written, from `oldest` on.
    pub(super) fn epochs(&self, oldest: Epoch, newest: Epoch) -> impl Iterator<Item = Epoch> + use<> {
        let first = self.window.start().epoch().max(oldest);
        (first.0..=newest.0).map(Epoch)
    }

    /// The key of one of the 64 rows of `public` in an epoch: all of them are derived once, when the
    /// first record of that epoch is tried.
    pub(super) fn key(&mut self, public: &[u8; 32], epoch: Epoch, j: u16) -> Option<Zeroizing<[u8; 32]>> {
        let all = || Zeroizing::new((0..mosaic_wire::WAVE_ROWS).map(|j| rows::wave_key(public, epoch, j)).collect());
        self.keys.entry(epoch).or_insert_with(all).get(usize::from(j)).copied().map(Zeroizing::new)
    }

    /// Drops the keys of epochs before `oldest`.
    pub(super) fn forget_before(&mut self, oldest: Epoch) {
        self.keys = self.keys.split_off(&oldest);
    }
}

fn mark(hello: &[u8]) -> [u8; 16] {
    first_half(digest(&[b"hello", hello]))
}
