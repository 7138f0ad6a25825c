use std::collections::{BTreeMap, BTreeSet};

use mosaic_types::{Timestamp, Window};

use crate::{Card, CardId, Interest, Ranked, Reach, score};

/// What became of a card offered to a [`CardBook`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insertion {
    /// Seen for the first time.
    New,
    /// Known, and now known more finely.
    Refined,
    /// Known already.
    Known,
    /// One of this device's own.
    Own,
    /// Over: its time to live has passed.
    Stale,
    /// Its cell, or the book, is full. Cards leave when their time is over.
    Full,
}

/// The cards a reader found, each public key once. Bounded: whoever floods one cell exhausts that
/// cell's share and nothing else.
#[derive(Default)]
pub struct CardBook {
    cards: BTreeMap<[u8; 32], Card>,
    per_cell: BTreeMap<(u64, Window), usize>,
    own: BTreeSet<[u8; 32]>,
}

impl CardBook {
    /// Most cards in one cell and window: twelve full rows, as three origins and four chained rows give.
    pub const PER_CELL: usize = 768;
    /// Most cards altogether.
    pub const TOTAL: usize = 16_384;

    /// An empty book.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names this device's own cards, real and persona: they are never shown to their owner.
    pub fn set_own(&mut self, public: impl IntoIterator<Item = [u8; 32]>) {
        self.own = public.into_iter().collect();
        let mine: Vec<_> = self.cards.keys().filter(|key| self.own.contains(*key)).copied().collect();
        mine.iter().for_each(|key| self.remove(key));
    }

    /// Takes a card. Of two with one public key the finer cell stays, with the topics and text that
    /// either of them showed; the first sight stays the first.
    pub fn insert(&mut self, now: Timestamp, card: Card) -> Insertion {
        if self.own.contains(&card.public) {
            return Insertion::Own;
        }
        if card.ends() <= now {
            return Insertion::Stale;
        }
        let Some(known) = self.cards.get(&card.public) else { return self.add(card) };
        if card.resolution <= known.resolution && (card.topics.is_empty() || !known.topics.is_empty()) {
            return Insertion::Known;
        }
        let merged = merge(known, card);
        self.remove(&merged.public);
        if self.add(merged) == Insertion::New { Insertion::Refined } else { Insertion::Full }
    }

    fn add(&mut self, card: Card) -> Insertion {
        let count = self.per_cell.entry((card.cell.raw(), card.window)).or_default();
        if *count >= Self::PER_CELL || self.cards.len() >= Self::TOTAL {
            return Insertion::Full;
        }
        *count += 1;
        self.cards.insert(card.public, card);
        Insertion::New
    }

    fn remove(&mut self, public: &[u8; 32]) {
        let Some(card) = self.cards.remove(public) else { return };
        let place = (card.cell.raw(), card.window);
        if let Some(count) = self.per_cell.get_mut(&place) {
            *count -= 1;
            if *count == 0 {
                self.per_cell.remove(&place);
            }
        }
    }

    /// Drops the cards whose time is over.
    pub fn expire(&mut self, now: Timestamp) {
        let over: Vec<_> = self.cards.values().filter(|card| card.ends() <= now).map(|card| card.public).collect();
        over.iter().for_each(|key| self.remove(key));
    }

    /// The answers to an interest, best first. Among equals the order is that of the ids, which says
    /// nothing about the cards.
    pub fn ranked(&self, interest: &Interest, reach: Reach, now: Timestamp) -> Vec<Ranked> {
        let mut found: Vec<_> = self
            .cards
            .values()
            .filter_map(|card| score::rank(card, interest, reach, now))
            .map(|r| (r.card.id(), r))
            .collect();
        found.sort_by(|(a_id, a), (b_id, b)| b.score.total_cmp(&a.score).then(a_id.cmp(b_id)));
        found.into_iter().map(|(_, ranked)| ranked).collect()
    }

    /// The card with that id.
    pub fn get(&self, id: CardId) -> Option<&Card> {
        self.cards.values().find(|card| card.id() == id)
    }

    /// All cards, in no meaningful order.
    pub fn iter(&self) -> impl Iterator<Item = &Card> {
        self.cards.values()
    }

    /// How many cards there are.
    pub fn len(&self) -> usize {
        self.cards.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.cards.is_empty()
    }
}

fn merge(known: &Card, offered: Card) -> Card {
    let finer = offered.resolution > known.resolution;
    let (mut kept, other) = if finer { (offered, known.clone()) } else { (known.clone(), offered) };
    if kept.topics.is_empty() {
        kept.topics = other.topics;
        kept.text = other.text;
    }
    kept.first_seen = known.first_seen;
    kept
}
