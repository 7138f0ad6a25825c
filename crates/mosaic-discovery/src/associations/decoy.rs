//! Decoy associations (L5-24, C-66; ADR 0028): first messages behind which nobody is.
//!
//! A device draws before every rendezvous event, whether or not its person ever waved, so a first message at a card
//! says little of who is behind it. It looks like a person's in every step that follows: it lies in one of the card's
//! rows, its pair has rows of its own, the card answers it, and then nothing comes, as when nobody accepts. Whoever
//! published the card learns from inside that it is a decoy: no person is asked, and no contact leaves.

use mosaic_types::Timestamp;
use rand::{CryptoRng, RngExt};

use super::{Associations, hello::Purpose, pair::Pair};
use crate::Card;

/// How often a decoy is begun: in one of ten rendezvous events.
const ONE_IN: u32 = 10;
/// Decoys that wait to leave: more are not begun.
const MOST_WAITING: usize = 4;

impl Associations {
    /// Draws whether a decoy is begun before the rendezvous event that leaves now, and at which of `cards`; `cards` is
    /// asked only if the draw says so. Whether one was begun: not where no card can be waved at.
    pub fn perhaps_decoy<'a, I: Iterator<Item = &'a Card>>(
        &mut self,
        now: Timestamp,
        cards: impl FnOnce() -> I,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> bool {
        if rng.random_range(0..ONE_IN) != 0 || self.waiting_decoys() >= MOST_WAITING {
            return false;
        }
        let fits = |card: &&Card| now < card.answers_until() && !self.mailboxes.contains_key(&card.public);
        let cards: Vec<_> = cards().filter(fits).collect();
        if cards.is_empty() {
            return false;
        }
        let Some(card) = cards.get(rng.random_range(0..cards.len())) else { return false };
        let begun = self.approach(now, card, Purpose::Decoy, rng);
        // who is not shown is forgotten once its first message is stored, as a deleted association is
        let pair = begun.and_then(|id| self.pairs.get_mut(&id));
        pair.map(|pair| pair.unattended = true).is_some()
    }

    fn waiting_decoys(&self) -> usize {
        let is_decoy = |pair: &&Pair| pair.unattended && !pair.outbox.is_empty() && pair.stranger().is_none();
        self.pairs.values().filter(is_decoy).count()
    }
}
