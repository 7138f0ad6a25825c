use std::collections::BTreeMap;

use mosaic_api::{CardView, Problem, ProblemKind, ProximityReply, ProximityRequest, Searched};
use mosaic_discovery::{CardId, Interest, Ranked};
use mosaic_obfuscate::Vocabulary;
use mosaic_release::DECOYS_AT_LEAST;
use mosaic_types::{ClassId, MatchThreshold, Timestamp};
use thiserror::Error;

use super::{class_name, topic_names};
use crate::core::AgentCore;

/// Why nothing was searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a hundred new searches an hour are used up")]
pub struct ProximityError {
    /// When the next one is free.
    pub retry_at: Timestamp,
    /// When that was said.
    pub now: Timestamp,
}

impl From<ProximityError> for Problem {
    fn from(error: ProximityError) -> Self {
        let wait = error.retry_at.since(error.now).as_secs() + 1;
        Self::new(ProblemKind::Quota).with_detail(error).retry_after(wait)
    }
}

impl AgentCore {
    /// Who is near, as far as it is known now. The search goes on in the background: ask again.
    ///
    /// # Errors
    /// [`ProximityError`]; asking the same again costs nothing.
    pub fn proximity(&mut self, now: Timestamp, request: &ProximityRequest) -> Result<ProximityReply, ProximityError> {
        self.attend(now);
        let interests = self.interests_of(request);
        if !self.interests.knows(&interests) {
            self.quotas.searches.take(now).map_err(|retry_at| ProximityError { retry_at, now })?;
        }
        if self.interests.ask(now, interests.clone()) {
            self.replan(now);
        }
        let (limit, least) = (request.limit.get(), request.threshold);
        let ranked = self.ranked(now, &interests).into_iter();
        let listed = ranked.filter(|card| least.is_none_or(|least| card.similarity.reaches(least))).take(limit);
        Ok(ProximityReply {
            cards: listed.map(|ranked| card_view(&ranked, self.settings.threshold)).collect(),
            searched: Searched { radius: request.radius.metres(), window: request.window.seconds() },
            complete: self.reader.caught_up().is_some() && self.has_all_outputs(),
            as_of: self.reader.as_of().map(Timestamp::as_secs),
        })
    }

    /// The words' class and topics; else those of the person's own broadcasts; else every class.
    pub(crate) fn interests_of(&self, request: &ProximityRequest) -> Vec<Interest> {
        let at = |class, topics| Interest {
            class,
            topics,
            place: request.place.clone(),
            radius: request.radius,
            window: request.window,
        };
        if let Some(words) = &request.words {
            let reading = Vocabulary::builtin().classify(words);
            return vec![at(reading.class, reading.topics)];
        }
        let own: Vec<_> = self.interests.of_broadcasts().map(|(_, own)| at(own.class, own.topics.clone())).collect();
        if !own.is_empty() {
            return own;
        }
        (0..ClassId::COUNT).filter_map(|number| ClassId::new(number).ok()).map(|class| at(class, Vec::new())).collect()
    }

    fn has_all_outputs(&self) -> bool {
        self.interests.planned().iter().all(|input| self.oprf.outputs.contains_key(input))
    }

    /// The cards that answer any of these, best first.
    pub(crate) fn ranked(&self, now: Timestamp, interests: &[Interest]) -> Vec<Ranked> {
        let mut best: BTreeMap<CardId, Ranked> = BTreeMap::new();
        for ranked in interests.iter().flat_map(|interest| self.book.ranked(interest, self.reach(), now)) {
            let id = ranked.card.id();
            if best.get(&id).is_none_or(|known| known.score < ranked.score) {
                best.insert(id, ranked);
            }
        }
        let mut ranked: Vec<_> = best.into_values().collect();
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
        ranked
    }
}

/// A card as the person sees it. How likely it is a decoy is the share of decoys that every event has at least, and no
/// guess about this card: an agent that told its person which cards look real would be the attacker of everybody else.
pub(super) fn card_view(ranked: &Ranked, threshold: MatchThreshold) -> CardView {
    let card = &ranked.card;
    CardView {
        id: card.id().to_string(),
        class: class_name(card.class),
        topics: topic_names(&card.topics),
        text: card.text.clone(),
        similarity: ranked.similarity.get(),
        matches: ranked.similarity.reaches(threshold),
        score: ranked.score,
        decoy_chance: DECOYS_AT_LEAST,
        distance_m: ranked.distance_m,
        uncertainty_m: ranked.uncertainty_m,
        sent_at: ranked.sent.at.as_secs(),
        sent_uncertainty_s: ranked.sent.uncertainty.as_secs(),
        window_start: card.window.start().as_secs(),
        first_seen: card.first_seen.as_secs(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mosaic_discovery::{Card, CardBook, Reach};
    use mosaic_geo::{Cell, Resolution, city_center, offset_m};
    use mosaic_types::{Mode, Radius, SearchWindow, Sensitive, TopicId};

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_763_683_261);

    /// CL-56. Whatever of a card differs: what it states of decoys does not. Its uncertainty stands beside each figure,
    /// and the threshold marks the match.
    #[test]
    fn every_card_states_the_same_chance_to_be_a_decoy() {
        let class = ClassId::new(3).unwrap();
        let mut book = CardBook::new();
        for number in 0..40_u8 {
            let place = offset_m(city_center(), f64::from(number) * 30.0, 0.0);
            let resolution = [Resolution::R8, Resolution::R7, Resolution::R6][usize::from(number % 3)];
            let topics = (0..number % 4).map(|at| TopicId(u16::from(at) + 7)).collect();
            book.insert(
                NOW,
                Card {
                    public: [number; 32],
                    class,
                    cell: Cell::at(place, resolution),
                    resolution,
                    window: NOW.window(),
                    ttl: 24 + number,
                    topics,
                    text: (number % 5 == 0).then(|| "coffee".to_owned()),
                    part: None,
                    first_seen: NOW.before(Duration::from_secs(u64::from(number) * 7)),
                },
            );
        }
        let interest = Interest {
            class,
            topics: vec![TopicId(7), TopicId(8), TopicId(9)],
            place: Sensitive::new(city_center()),
            radius: Radius::default(),
            window: SearchWindow::default(),
        };
        let ranked = book.ranked(&interest, Reach::of(&Mode::Balanced.profile()), NOW);
        let threshold = MatchThreshold::new(0.9).unwrap();
        let views: Vec<_> = ranked.iter().map(|ranked| card_view(ranked, threshold)).collect();
        assert_eq!(views.len(), 40);
        for view in &views {
            assert_eq!(view.decoy_chance, 0.9);
            assert!(view.uncertainty_m >= 200.0 && view.sent_uncertainty_s >= 1_200, "{view:?}");
            assert_eq!((view.matches, view.similarity), (!view.topics.is_empty(), f64::from(u8::from(view.matches))));
        }
        assert_eq!(views.iter().filter(|view| view.matches).count(), 30);
    }
}
