use std::{collections::BTreeSet, time::Duration};

use mosaic_geo::distance_m;
use mosaic_types::{ClassId, Similarity, Timestamp, TopicId};

use crate::{Card, Interest, Reach};

/// A card as the person sees it.
#[derive(Clone)]
pub struct Ranked {
    /// The card.
    pub card: Card,
    /// How much of the wishes is the same (L5-04).
    pub similarity: Similarity,
    /// What the list is ordered by, `0..=1`: similarity, age and distance.
    pub score: f64,
    /// Estimated distance in metres: from the reader to the middle of the card's cell.
    pub distance_m: f64,
    /// How far off the estimate may be, in metres, never below 200 (L5-02): size of the cell, the publisher's noise and
    /// snapping. The true distance differs by at most this 19 times out of 20, unless the publisher blurs more than the
    /// reader reckons with ([`Reach`]).
    pub uncertainty_m: f64,
    /// When the card was sent.
    pub sent: SentAt,
}

/// When a card was sent, as well as its reader can know: the card itself names two hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentAt {
    /// The middle of the span.
    pub at: Timestamp,
    /// Half of the span: it was sent at most so much earlier or later.
    pub uncertainty: Duration,
}

impl SentAt {
    /// The least that is stated: a device may hold an event back for half an hour, and no reader knows whether it did
    /// (L5-03: twenty minutes either way).
    pub const LEAST: Duration = Duration::from_mins(20);
    /// How long after the end of its window an event may still leave: the longest delay of any mode.
    const LATE: Duration = Duration::from_mins(30);

    /// Between the start of the window and the first sight, or the last moment at which it could leave.
    fn of(card: &Card) -> Self {
        let (from, latest) = (card.window.start(), card.window.end().after(Self::LATE));
        let half = card.first_seen.min(latest).since(from) / 2;
        Self { at: from.after(half), uncertainty: half.max(Self::LEAST) }
    }
}

/// Age at which a card counts half: one window.
const HALF_LIFE: Duration = Duration::from_hours(2);

/// How much two wishes share (L5-04, C-19): nothing where their classes differ; otherwise the overlap coefficient of their
/// topics, what they share over the size of the smaller set (Szymkiewicz 1934, Simpson 1943; ADR 0026). What a reader
/// could not open shares nothing, so the truth is never below it.
pub fn similarity(ours: (ClassId, &[TopicId]), theirs: (ClassId, &[TopicId])) -> Similarity {
    if ours.0 != theirs.0 {
        return Similarity::NONE;
    }
    let set = |topics: &[TopicId]| -> BTreeSet<TopicId> {
        topics.iter().copied().filter(|topic| *topic != TopicId::NONE).collect()
    };
    let (ours, theirs) = (set(ours.1), set(theirs.1));
    let few = |count: usize| u8::try_from(count).unwrap_or(u8::MAX);
    Similarity::of(few(ours.intersection(&theirs).count()), few(ours.len().min(theirs.len())))
}

/// Scores one card; `None` when it is no answer: another class, too old, or surely out of the radius.
///
/// It depends on this card alone, so that whatever else is found changes the order of no two cards. Class decides;
/// shared topics double the score (a card whose topics the reader cannot name keeps half); age halves it every window;
/// distance, beyond what is uncertain anyway, lowers it to a half at the radius.
pub(crate) fn rank(card: &Card, interest: &Interest, reach: Reach, now: Timestamp) -> Option<Ranked> {
    let oldest = now.before(Duration::from_secs(interest.window.seconds().into()));
    if card.class != interest.class || card.window.end() <= oldest || card.ends() <= now {
        return None;
    }
    let distance = interest.place.expose(|place| distance_m(*place, card.cell.center()));
    let uncertainty = card.cell.uncertainty_m() + reach.off_by_m(card.resolution);
    let radius = f64::from(interest.radius.metres());
    let surely = (distance - uncertainty).max(0.0);
    if surely > radius {
        return None;
    }
    let similarity = similarity((interest.class, &interest.topics), (card.class, &card.topics));
    let age = now.since(card.window.start().max(card.first_seen)).as_secs_f64();
    let fresh = (-age / HALF_LIFE.as_secs_f64()).exp2();
    let near = 1.0 / (1.0 + distance / (radius + uncertainty));
    Some(Ranked {
        card: card.clone(),
        similarity,
        score: (0.5 + 0.5 * similarity.get()) * fresh * near,
        distance_m: distance,
        uncertainty_m: uncertainty,
        sent: SentAt::of(card),
    })
}

#[cfg(test)]
mod tests {
    use mosaic_geo::{Cell, Resolution, offset_m};
    use mosaic_types::{LatLng, MatchThreshold, Mode, Radius, SearchWindow, Sensitive};
    use proptest::prelude::*;

    use super::*;
    use crate::CardBook;

    const NOW: Timestamp = Timestamp::from_secs(1_763_676_000 + 5_400);

    fn here() -> LatLng {
        LatLng::new(41.1579, -8.6291).unwrap()
    }

    fn class(number: u8) -> ClassId {
        ClassId::new(number).unwrap()
    }

    fn topics(numbers: &[u16]) -> Vec<TopicId> {
        numbers.iter().copied().map(TopicId).collect()
    }

    fn of(ours: &[u16], theirs: &[u16]) -> Similarity {
        similarity((class(3), &topics(ours)), (class(3), &topics(theirs)))
    }

    /// L3-22, C-19: three shared of ten on each side are 0.30 and a match. Over all they name together (Jaccard) they
    /// would be 3 / 17 and none.
    #[test]
    fn three_shared_of_ten_lie_on_the_threshold() {
        let (ours, theirs): (Vec<u16>, Vec<u16>) = ((1..=10).collect(), (8..=17).collect());
        let found = of(&ours, &theirs);
        assert_eq!(found, Similarity::of(3, 10));
        assert!(found.reaches(MatchThreshold::default()) && (found.get() - 0.3).abs() < 1e-12);
        assert!(!of(&ours, &(9..=18).collect::<Vec<u16>>()).reaches(MatchThreshold::default()), "two of ten");
    }

    /// Over the smaller of two sets, whoever asks: over one's own size, who says less would find what does not find them.
    #[test]
    fn the_smaller_set_decides() {
        assert_eq!((of(&[1, 2, 3], &[2, 3]).get(), of(&[2, 3], &[1, 2, 3]).get()), (1.0, 1.0));
        assert_eq!(of(&[1, 2, 3], &[3, 4, 5, 6]), Similarity::of(1, 3));
        assert_eq!((of(&[0, 0], &[0]).get(), of(&[], &[]).get()), (0.0, 0.0), "empty places are no topics");
        assert_eq!(similarity((class(3), &topics(&[1])), (class(4), &topics(&[1]))), Similarity::NONE);
    }

    fn card(seed: u16, class: u8, topics_of: &[u16], east: f64, minutes: u64) -> Card {
        let mut public = [0; 32];
        public[..2].copy_from_slice(&seed.to_be_bytes());
        Card {
            public,
            class: ClassId::new(class).unwrap(),
            cell: Cell::at(offset_m(here(), east, 0.0), Resolution::R8),
            resolution: Resolution::R8,
            window: NOW.window(),
            ttl: 48,
            topics: topics(topics_of),
            text: None,
            part: None,
            first_seen: NOW.before(Duration::from_secs(minutes * 60)),
        }
    }

    fn interest() -> Interest {
        Interest {
            class: class(3),
            topics: topics(&[7, 8]),
            place: Sensitive::new(here()),
            radius: Radius::new(500).unwrap(),
            window: SearchWindow::default(),
        }
    }

    fn ranked(cards: &[Card]) -> Vec<[u8; 32]> {
        let mut book = CardBook::new();
        for card in cards {
            book.insert(NOW, card.clone());
        }
        let ranked = book.ranked(&interest(), Reach::of(&Mode::Balanced.profile()), NOW);
        ranked.into_iter().map(|ranked| ranked.card.public).collect()
    }

    fn scored(card: &Card) -> Option<Ranked> {
        rank(card, &interest(), Reach::of(&Mode::Balanced.profile()), NOW)
    }

    /// Class, topics, metres to the east, minutes since the first sight.
    type Drawn = (u8, Vec<u16>, f64, u64);

    fn drawn(most: usize) -> impl Strategy<Value = Vec<Drawn>> {
        let one = (0_u8..6, prop::collection::vec(5_u16..11, 0..4), -1_500.0_f64..1_500.0, 0_u64..90);
        prop::collection::vec(one, 0..most)
    }

    fn cards(from: u16, drawn: &[Drawn]) -> Vec<Card> {
        let numbered = (from..).zip(drawn);
        numbered
            .map(|(seed, (class, topics, east, minutes))| card(seed, (*class).max(2), topics, *east, *minutes))
            .collect()
    }

    proptest! {
        /// L5-04: range, symmetry, identity 1, disjoint 0; order and repetition of topics mean nothing.
        #[test]
        fn similarity_has_the_four_properties(
            ours in prop::collection::vec(1_u16..12, 1..9), theirs in prop::collection::vec(1_u16..12, 1..9), same: bool
        ) {
            let other = class(if same { 3 } else { 4 });
            let (a, b) = (topics(&ours), topics(&theirs));
            let found = similarity((class(3), &a), (other, &b));
            prop_assert!((0.0..=1.0).contains(&found.get()));
            prop_assert_eq!(found, similarity((other, &b), (class(3), &a)));
            prop_assert_eq!(similarity((class(3), &a), (class(3), &a)).get(), 1.0);
            let far: Vec<_> = theirs.iter().map(|topic| TopicId(topic + 100)).collect();
            prop_assert_eq!(similarity((class(3), &a), (class(3), &far)).get(), 0.0);
            let turned: Vec<_> = a.iter().rev().chain(&a).copied().collect();
            prop_assert_eq!(similarity((class(3), &turned), (other, &b)), found);
        }

        /// Decoys may come, in any number and of any kind: the order of the others stays what it was.
        #[test]
        fn decoys_never_change_the_order_of_others(true_ones in drawn(20), decoys in drawn(60), first: bool) {
            let (cards, decoys) = (cards(0, &true_ones), cards(1_000, &decoys));
            let alone = ranked(&cards);
            let (mut mixed, behind) = if first { (decoys.clone(), &cards) } else { (cards.clone(), &decoys) };
            mixed.extend(behind.iter().cloned());
            let mut among = ranked(&mixed);
            among.retain(|public| !decoys.iter().any(|decoy| decoy.public == *public));
            prop_assert_eq!(among, alone);
        }

        /// Of two cards that differ in one thing alone, the newer, the nearer, and the one that shares more comes first.
        #[test]
        fn age_distance_and_topics_decay(minutes in 0_u64..80, later in 1_u64..10, east in 0.0_f64..900.0) {
            let score = |card: &Card| scored(card).map(|ranked| ranked.score).unwrap();
            let base = card(1, 3, &[7], east, minutes);
            prop_assert!(score(&base) > score(&card(1, 3, &[7], east, minutes + later)));
            let (here, there) = (scored(&base).unwrap(), scored(&card(1, 3, &[7], east - 700.0, minutes)).unwrap());
            prop_assert_eq!(here.distance_m < there.distance_m, here.score > there.score);
            prop_assert!(score(&base) > score(&card(1, 3, &[], east, minutes)));
            prop_assert!(score(&card(1, 3, &[7, 8], east, minutes)) >= score(&card(1, 3, &[7, 9], east, minutes)));
            prop_assert!((0.0..=1.0).contains(&score(&base)));
        }

        /// L5-02, L5-03: nothing is stated more finely than 200 m and twenty minutes, and the span holds every moment
        /// between the start of the window and the first sight.
        #[test]
        fn uncertainty_is_never_understated(drawn in drawn(20), hours in 0_u64..20) {
            for mut card in cards(0, &drawn) {
                card.first_seen = card.window.start().after(Duration::from_secs(hours * 3_600 + 60));
                let Some(found) = scored(&card) else { continue };
                prop_assert!(found.uncertainty_m >= 200.0 && found.sent.uncertainty >= SentAt::LEAST);
                let span = found.sent.at.before(found.sent.uncertainty)..=found.sent.at.after(found.sent.uncertainty);
                prop_assert!(span.contains(&card.window.start()));
                prop_assert!(span.contains(&card.first_seen.min(card.window.end())));
            }
        }
    }
}
