use mosaic_api::{
    BroadcastList, BroadcastReply, BroadcastRequest, BroadcastView, EffectiveNoise, Granularity, NoiseView, Problem,
    ProblemKind, ZoneReason,
};
use mosaic_discovery::{CardId, CardOrigin};
use mosaic_release::{Accepted, Broadcast, BroadcastId, Draft, Refusal, WhyZone};
use mosaic_types::{Lane, Timestamp};
use rand::CryptoRng;
use thiserror::Error;

use super::{class_name, topic_names};
use crate::core::{AgentCore, own_interest};

/// Why a context was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BroadcastError {
    /// Ten an hour are used up (L5-20).
    #[error("ten broadcasts an hour are used up")]
    Quota {
        /// When the next one is free.
        retry_at: Timestamp,
        /// When that was said.
        now: Timestamp,
    },
    /// The release refused.
    #[error(transparent)]
    Refused(Refusal),
}

impl From<BroadcastError> for Problem {
    fn from(error: BroadcastError) -> Self {
        match error {
            BroadcastError::Quota { retry_at, now } => {
                Self::new(ProblemKind::Quota).with_detail(error).retry_after(retry_at.since(now).as_secs() + 1)
            }
            BroadcastError::Refused(refusal @ Refusal::TooMany { .. }) => Self::new(ProblemKind::WrongState)
                .with_detail(format!(
                    "{refusal} (GET /v1/broadcasts lists them, DELETE /v1/broadcasts/{{id}} withdraws)"
                )),
            // no public places here, whenever it is tried: no time to try again is named
            BroadcastError::Refused(Refusal::NoPlaces) => Self::new(ProblemKind::NoPlaces).with_detail(error),
            BroadcastError::Refused(Refusal::OutsideArea { .. }) => {
                Self::new(ProblemKind::OutsideArea).with_detail(error)
            }
            BroadcastError::Refused(_) => Self::new(ProblemKind::Internal).with_detail(error),
        }
    }
}

impl AgentCore {
    /// Publishes a context: it is blurred and charged now, and leaves with the next events.
    ///
    /// # Errors
    /// [`BroadcastError`]; nothing was charged then.
    pub fn broadcast(
        &mut self,
        now: Timestamp,
        rng: &mut impl CryptoRng,
        request: BroadcastRequest,
    ) -> Result<BroadcastReply, BroadcastError> {
        self.attend(now);
        self.quotas.broadcasts.take(now).map_err(|retry_at| BroadcastError::Quota { retry_at, now })?;
        let place = request.place.clone();
        let draft = Draft {
            place: request.place,
            words: request.words,
            requested: request.noise.unwrap_or_else(|| self.settings.requested()),
            mode: self.mode(),
            ttl: request.ttl.unwrap_or_else(|| self.settings.ttl()),
        };
        let accepted = self.releaser.draft(now, draft).map_err(|refusal| {
            self.quotas.broadcasts.undo();
            BroadcastError::Refused(refusal)
        })?;
        self.interests.follow(accepted.id, own_interest(accepted.class, accepted.topics.clone(), place));
        self.replan(now);
        self.schedule.prepared = false;
        self.schedule.hurry(now, Lane::Discovery, rng);
        self.dirty = true;
        Ok(self.broadcast_reply(now, rng, &accepted))
    }

    fn broadcast_reply(&mut self, now: Timestamp, rng: &mut impl CryptoRng, accepted: &Accepted) -> BroadcastReply {
        BroadcastReply {
            id: accepted.id.to_string(),
            class: class_name(accepted.class),
            topics: topic_names(&accepted.topics),
            noise: NoiseView {
                requested: accepted.requested.get(),
                effective: EffectiveNoise {
                    discovery: accepted.effective_discovery.get(),
                    rendezvous: accepted.effective_rendezvous.get(),
                },
            },
            granularity: granularity(accepted.granularity),
            zone_reason: accepted.why_zone.map(zone_reason),
            ledger_left: accepted.ledger_left,
            cards: self.cards_of(now, accepted.id),
            next_send_at: self.schedule.next(now, rng).leave_at.as_secs(),
        }
    }

    /// Ids of the cards that carry a broadcast at present, as others see them.
    fn cards_of(&self, now: Timestamp, id: BroadcastId) -> Vec<String> {
        let cards = self.releaser.own_cards(now);
        let mine = cards.iter().filter(|card| card.origin == CardOrigin::Broadcast(id.0));
        mine.map(|card| CardId::of(&card.public).to_string()).collect()
    }

    /// What is out.
    pub fn broadcasts(&self, now: Timestamp) -> BroadcastList {
        let standing = self.releaser.broadcasts().filter(|broadcast| broadcast.stands(now));
        BroadcastList { broadcasts: standing.map(|broadcast| self.broadcast_view(now, broadcast)).collect() }
    }

    fn broadcast_view(&self, now: Timestamp, broadcast: &Broadcast) -> BroadcastView {
        BroadcastView {
            id: broadcast.id.to_string(),
            class: class_name(broadcast.class),
            topics: topic_names(&broadcast.topics),
            granularity: granularity(broadcast.granularity),
            expires_at: broadcast.ends().as_secs(),
            cards: self.cards_of(now, broadcast.id),
            anonymity: self.broadcast_anonymity(broadcast.id, now),
        }
    }

    /// Takes a broadcast back; what was sent stays until its table is destroyed.
    ///
    /// # Errors
    /// [`ProblemKind::UnknownBroadcast`] or [`ProblemKind::InvalidId`].
    pub fn withdraw(&mut self, now: Timestamp, id: &str) -> Result<(), ProblemKind> {
        let id: BroadcastId = id.parse().map_err(|_| ProblemKind::InvalidId)?;
        let known = self.releaser.broadcasts().any(|broadcast| broadcast.id == id && broadcast.stands(now));
        self.releaser.withdraw(id);
        self.interests.unfollow(id);
        self.replan(now);
        self.dirty = true;
        self.stirred = true;
        if known { Ok(()) } else { Err(ProblemKind::UnknownBroadcast) }
    }
}

const fn granularity(released: mosaic_release::Granularity) -> Granularity {
    match released {
        mosaic_release::Granularity::Fine => Granularity::Fine,
        mosaic_release::Granularity::Zone => Granularity::Zone,
    }
}

/// The same reason in words of the local API.
pub(super) const fn zone_reason(why: WhyZone) -> ZoneReason {
    match why {
        WhyZone::LedgerSpent => ZoneReason::LedgerSpent,
        WhyZone::TellsTooMuch => ZoneReason::TellsTooMuch,
        WhyZone::ChangedJustNow => ZoneReason::ChangedJustNow,
    }
}
