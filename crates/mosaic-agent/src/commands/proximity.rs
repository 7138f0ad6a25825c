use std::collections::BTreeMap;

use mosaic_api::{CardView, Problem, ProblemKind, ProximityReply, ProximityRequest, Searched};
use mosaic_discovery::{CardId, Interest, Ranked};
use mosaic_obfuscate::Vocabulary;
use mosaic_types::{ClassId, Timestamp};
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
        let limit = request.limit.get();
        let cards = self.ranked(now, &interests).into_iter().take(limit).map(|ranked| card_view(&ranked)).collect();
        Ok(ProximityReply {
            cards,
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

pub(super) fn card_view(ranked: &Ranked) -> CardView {
    let card = &ranked.card;
    CardView {
        id: card.id().to_string(),
        class: class_name(card.class),
        topics: topic_names(&card.topics),
        text: card.text.clone(),
        score: ranked.score,
        distance_m: ranked.distance_m,
        uncertainty_m: ranked.uncertainty_m,
        window_start: card.window.start().as_secs(),
        first_seen: card.first_seen.as_secs(),
    }
}
