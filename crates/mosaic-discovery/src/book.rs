use std::collections::{BTreeMap, BTreeSet};

use mosaic_types::{Timestamp, Window};
use mosaic_wire::{GatheredText, TextRef};

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
    /// What is here of longer words, and until when a card needs it.
    texts: BTreeMap<TextRef, (Timestamp, GatheredText)>,
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
    pub fn insert(&mut self, now: Timestamp, mut card: Card) -> Insertion {
        if self.own.contains(&card.public) {
            return Insertion::Own;
        }
        if card.ends() <= now {
            return Insertion::Stale;
        }
        self.gather(&mut card);
        let Some(known) = self.cards.get(&card.public) else { return self.add(card) };
        if card.resolution <= known.resolution && (card.topics.is_empty() || !known.topics.is_empty()) {
            return Insertion::Known;
        }
        let merged = merge(known, card);
        self.remove(&merged.public);
        if self.add(merged) == Insertion::New { Insertion::Refined } else { Insertion::Full }
    }

    /// Takes a card's part of longer words, and gives them to it and to every card of theirs once they can be read:
    /// the same words in another window have another key.
    fn gather(&mut self, card: &mut Card) {
        let Some(part) = &card.part else { return };
        let of = part.text();
        if !self.texts.contains_key(&of) && self.texts.len() >= Self::TOTAL {
            return;
        }
        let (until, gathered) = self.texts.entry(of).or_insert_with(|| (card.ends(), GatheredText::default()));
        let before = gathered.text().is_some();
        gathered.add(card.carrier(), part);
        *until = card.ends().max(*until);
        let Some(text) = gathered.text().map(|text| text.as_str().to_owned()) else { return };
        if !before {
            let theirs =
                self.cards.values_mut().filter(|card| card.part.as_ref().is_some_and(|part| part.text() == of));
            theirs.for_each(|card| card.text = Some(text.clone()));
        }
        card.text = Some(text);
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
        self.texts.retain(|_, (until, _)| *until > now);
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
        (kept.text, kept.part) = (other.text, other.part);
    }
    kept.first_seen = known.first_seen;
    kept
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mosaic_geo::{Cell, Resolution, distance_m, offset_m};
    use mosaic_types::{ClassId, LatLng, Mode, Radius, SearchWindow, Sensitive, TopicId};
    use mosaic_wire::{CardText, TextField};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_763_676_000 + 1_800);

    fn here() -> LatLng {
        LatLng::new(41.1579, -8.6291).unwrap()
    }

    fn card(seed: u8, at: LatLng, resolution: Resolution) -> Card {
        Card {
            public: [seed; 32],
            class: ClassId::new(3).unwrap(),
            cell: Cell::at(at, resolution),
            resolution,
            window: NOW.window(),
            ttl: 48,
            topics: vec![TopicId(7), TopicId(9)],
            text: Some("coffee".into()),
            part: None,
            first_seen: NOW,
        }
    }

    fn interest(radius: u32) -> Interest {
        Interest {
            class: ClassId::new(3).unwrap(),
            topics: vec![TopicId(7)],
            place: Sensitive::new(here()),
            radius: Radius::new(radius).unwrap(),
            window: SearchWindow::default(),
        }
    }

    fn reach() -> Reach {
        Reach::of(&Mode::Balanced.profile())
    }

    #[test]
    fn one_key_is_one_card_in_its_finest_cell() {
        let mut book = CardBook::new();
        let mut coarse = card(1, here(), Resolution::R6);
        assert_eq!(book.insert(NOW, coarse.clone()), Insertion::New);
        let mut fine = card(1, here(), Resolution::R8);
        (fine.topics, fine.text) = (Vec::new(), None);
        fine.first_seen = NOW.after(Duration::from_secs(600));
        assert_eq!(book.insert(NOW, fine), Insertion::Refined);
        coarse.resolution = Resolution::R7;
        assert_eq!((book.insert(NOW, coarse), book.len()), (Insertion::Known, 1));
        let kept = book.iter().next().unwrap();
        assert_eq!((kept.resolution, kept.first_seen, kept.topics.len()), (Resolution::R8, NOW, 2));
        assert_eq!(book.get(kept.id()).map(|card| card.public), Some([1; 32]));
    }

    /// C-08: a text of three parts is read from the three bundles of a window, or from bundles of two windows whose
    /// cards have different keys; then all of them show it. Fewer show nothing.
    #[test]
    fn longer_words_are_read_once_enough_parts_are_here() {
        let long = "coffee and a slow walk along the river, I have a spare umbrella and bring a very friendly old dog";
        let part = |resolution, before: bool| {
            let mut card = card(u8::from(before) + 1, here(), resolution);
            card.window = if before { NOW.window().previous() } else { NOW.window() };
            let TextField::Part(part) = CardText::clipped(long).carried(card.carrier()) else { panic!("whole") };
            (card.text, card.part) = (None, Some(part));
            card
        };
        let (r8, r7, r6) = (Resolution::R8, Resolution::R7, Resolution::R6);
        for chosen in [[(r8, true), (r8, false), (r7, false)], [(r8, false), (r7, false), (r6, false)]] {
            let mut book = CardBook::new();
            for (at, (resolution, before)) in chosen.into_iter().enumerate() {
                assert!(book.iter().all(|card| card.text.is_none()), "with {at} parts");
                book.insert(NOW, part(resolution, before));
            }
            assert!(!book.is_empty() && book.iter().all(|card| card.text.as_deref() == Some(long)));
            // a card that comes later needs no part of its own
            book.insert(NOW, Card { public: [9; 32], ..part(r8, true) });
            assert_eq!(book.cards[&[9; 32]].text.as_deref(), Some(long));
            book.expire(NOW.after(Duration::from_hours(50)));
            assert!(book.texts.is_empty());
        }
    }

    #[test]
    fn a_flooded_cell_fills_its_own_share_only() {
        let mut book = CardBook::new();
        let mut flood = card(0, here(), Resolution::R8);
        let mut last = Insertion::New;
        for number in 0..1_000_u16 {
            flood.public[..2].copy_from_slice(&number.to_be_bytes());
            last = book.insert(NOW, flood.clone());
        }
        assert_eq!((last, book.len()), (Insertion::Full, CardBook::PER_CELL));
        assert_eq!(book.insert(NOW, card(9, offset_m(here(), 3_000.0, 0.0), Resolution::R8)), Insertion::New);
        book.expire(NOW.after(Duration::from_hours(25)));
        assert!(book.is_empty() && book.per_cell.is_empty());
    }

    #[test]
    fn own_and_stale_cards_stay_out() {
        let mut book = CardBook::new();
        book.insert(NOW, card(1, here(), Resolution::R8));
        book.set_own([[1; 32], [2; 32]]);
        assert_eq!((book.len(), book.insert(NOW, card(2, here(), Resolution::R8))), (0, Insertion::Own));
        let late = NOW.after(Duration::from_hours(30));
        assert_eq!(book.insert(late, card(3, here(), Resolution::R8)), Insertion::Stale);
    }

    #[test]
    fn nearer_fresher_and_more_alike_ranks_higher() {
        let mut book = CardBook::new();
        book.insert(NOW, card(1, here(), Resolution::R8));
        let mut unread = card(2, here(), Resolution::R8);
        unread.topics.clear();
        book.insert(NOW, unread);
        book.insert(NOW, card(3, offset_m(here(), 900.0, 0.0), Resolution::R8));
        let mut other = card(4, here(), Resolution::R8);
        other.class = ClassId::new(4).unwrap();
        book.insert(NOW, other);
        book.insert(NOW, card(5, offset_m(here(), 9_000.0, 0.0), Resolution::R8));
        let ranked = book.ranked(&interest(500), reach(), NOW);
        let order: Vec<u8> = ranked.iter().map(|ranked| ranked.card.public[0]).collect();
        assert_eq!(order, [1, 3, 2], "another class and the far one are no answers");
        assert!(ranked.iter().all(|ranked| (0.0..=1.0).contains(&ranked.score)));
        let later = book.ranked(&interest(500), reach(), NOW.after(Duration::from_mins(60)));
        assert!(later[0].score < ranked[0].score);
    }

    /// 2,000 publishers with fixed seed: planar Laplace noise, cells of every resolution. The true
    /// distance lies within the stated uncertainty at least 95 times of 100 (the additive bound keeps
    /// it well above; the level of the check is the stated one).
    #[test]
    fn the_stated_uncertainty_is_honest() {
        let mut rng = ChaCha20Rng::seed_from_u64(11);
        let epsilon = 4_f64.ln() / 200.0;
        let mut inside = 0;
        for number in 0..2_000_usize {
            let truth = offset_m(here(), rng.random_range(-500.0..500.0), rng.random_range(-500.0..500.0));
            let radius = -(rng.random::<f64>() * rng.random::<f64>()).ln() / epsilon;
            let angle = rng.random_range(0.0..std::f64::consts::TAU);
            let noisy = offset_m(truth, radius * angle.cos(), radius * angle.sin());
            let shown = card(1, noisy, [Resolution::R8, Resolution::R7, Resolution::R6][number % 3]);
            let Some(ranked) = crate::score::rank(&shown, &interest(5_000), reach(), NOW) else { continue };
            inside += usize::from((distance_m(here(), truth) - ranked.distance_m).abs() <= ranked.uncertainty_m);
        }
        assert!(inside >= 1_900, "{inside} of 2000");
    }
}
