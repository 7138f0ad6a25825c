use super::{corrected, habit, score};
use crate::{LocalTime, PlaceRef, hours::open_at};

/// How many texts are remembered.
const REMEMBERED: usize = 64;

/// Temporal scores of many places at one instant. Places share their opening hours with others, and a text that was read
/// a moment ago need not be read again.
pub(super) struct Glance {
    at: LocalTime,
    /// The number of a text, 0 for none yet, and what it says about this instant.
    known: [(u32, Option<bool>); REMEMBERED],
}

impl Glance {
    pub(super) const fn new(at: LocalTime) -> Self {
        Self { at, known: [(0, None); REMEMBERED] }
    }

    /// See [`super::temporal_score`].
    pub(super) fn temporal_score(&mut self, place: PlaceRef<'_>) -> f64 {
        let habit = habit(place, self.at);
        let text = place.hours_number();
        let Some(known) = self.known.get_mut(text as usize % REMEMBERED).filter(|_| text != 0) else { return habit };
        if known.0 != text {
            *known = (text, place.hours().and_then(|hours| open_at(hours, self.at)));
        }
        corrected(habit, known.1)
    }

    /// The most that a place may score, without reading its opening hours.
    pub(super) fn at_most(&self, place: PlaceRef<'_>) -> f64 {
        let habit = habit(place, self.at);
        if place.hours_number() == 0 { habit } else { habit.max(score::OTHERWISE) }
    }
}
