use std::time::Duration;

use mosaic_geo::distance_m;
use mosaic_types::{Timestamp, TopicId};

use crate::{Card, Interest, Reach};

/// A card as the person sees it.
#[derive(Clone)]
pub struct Ranked {
    /// The card.
    pub card: Card,
    /// How well it fits, `0..=1`.
    pub score: f64,
    /// Estimated distance in metres: from the reader to the middle of the card's cell.
    pub distance_m: f64,
    /// How far off the estimate may be, in metres: size of the cell, the publisher's noise and snapping. The
    /// true distance differs by at most this 19 times out of 20, unless the publisher blurs more than the
    /// reader reckons with ([`Reach`]).
    pub uncertainty_m: f64,
}

/// Age at which a card counts half: one window.
const HALF_LIFE: Duration = Duration::from_hours(2);

/// Overlap coefficient of two topic sets: what they share over the size of the smaller (C-19). Zero
/// when either is empty.
pub fn overlap(ours: &[TopicId], theirs: &[TopicId]) -> f64 {
    let set = |topics: &[TopicId]| -> std::collections::BTreeSet<TopicId> {
        topics.iter().copied().filter(|topic| *topic != TopicId::NONE).collect()
    };
    let (ours, theirs) = (set(ours), set(theirs));
    let smaller = ours.len().min(theirs.len());
    if smaller == 0 { 0.0 } else { ours.intersection(&theirs).count() as f64 / smaller as f64 }
}

/// Scores one card; `None` when it is no answer: another class, too old, or surely out of the radius.
///
/// Class decides; shared topics double the score (a card whose topics the reader cannot name keeps half);
/// age halves it every window; distance, beyond what is uncertain anyway, lowers it to a half at the radius.
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
    let topics = 0.5 + 0.5 * overlap(&interest.topics, &card.topics);
    let age = now.since(card.window.start().max(card.first_seen)).as_secs_f64();
    let fresh = (-age / HALF_LIFE.as_secs_f64()).exp2();
    let near = 1.0 / (1.0 + distance / (radius + uncertainty));
    Some(Ranked { card: card.clone(), score: topics * fresh * near, distance_m: distance, uncertainty_m: uncertainty })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn overlap_is_over_the_smaller_set() {
        let set = |topics: &[u16]| topics.iter().copied().map(TopicId).collect::<Vec<_>>();
        assert!((overlap(&set(&[1, 2, 3]), &set(&[2, 3])) - 1.0).abs() < 1e-12);
        assert!((overlap(&set(&[1, 2, 3]), &set(&[3, 4, 5, 6])) - 1.0 / 3.0).abs() < 1e-12);
        assert!(overlap(&set(&[0, 0]), &set(&[0])) < 1e-12, "empty places are no topics");
    }

    proptest! {
        #[test]
        fn overlap_is_symmetric_and_bounded(a in prop::collection::vec(0_u16..12, 0..8), b in prop::collection::vec(0_u16..12, 0..8)) {
            let (a, b): (Vec<_>, Vec<_>) = (a.into_iter().map(TopicId).collect(), b.into_iter().map(TopicId).collect());
            let value = overlap(&a, &b);
            prop_assert!((0.0..=1.0).contains(&value) && (value - overlap(&b, &a)).abs() < 1e-12);
        }
    }
}
