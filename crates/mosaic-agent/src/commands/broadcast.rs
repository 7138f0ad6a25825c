use mosaic_api::{
    BroadcastList, BroadcastReply, BroadcastRequest, BroadcastView, BroadcastWarning, EffectiveNoise, Granularity,
    Identifying, InclusionView, NoiseView, Problem, ProblemKind, UpdateRequest, WarningKind, ZoneReason,
};
use mosaic_discovery::{CardId, CardOrigin};
use mosaic_geo::LocalTime;
use mosaic_net::wait_before_first;
use mosaic_obfuscate::identifiers::IdentifierKind;
use mosaic_release::{Accepted, Broadcast, BroadcastId, Draft, Included, Refusal, TightenError, Tightening, WhyZone};
use mosaic_types::{Lane, Risk, Timestamp};
use rand::CryptoRng;
use thiserror::Error;

use super::{
    class_name, topic_names,
    warnings::{self, Review},
};
use crate::{
    core::{AgentCore, own_interest},
    state::Habits,
};

/// Why a context was not published.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
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
    /// The words hold what points at one person, and the person did not confirm it (L6-45).
    #[error("the words hold {}: change them, or confirm that they are to go out", listed(kinds))]
    Identifying {
        /// What they hold; the words themselves are not repeated.
        kinds: Vec<IdentifierKind>,
    },
    /// The release refused.
    #[error(transparent)]
    Refused(Refusal),
}

/// Why a broadcast was not updated.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// An id of the wrong shape.
    #[error("that is no id of a broadcast")]
    InvalidId,
    /// It is not there, or would become less strict.
    #[error(transparent)]
    Refused(TightenError),
}

impl From<UpdateError> for Problem {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::InvalidId => ProblemKind::InvalidId.into(),
            UpdateError::Refused(TightenError::Unknown) => ProblemKind::UnknownBroadcast.into(),
            UpdateError::Refused(_) => Self::new(ProblemKind::LowersPrivacy).with_detail(error),
        }
    }
}

impl From<BroadcastError> for Problem {
    fn from(error: BroadcastError) -> Self {
        match error {
            BroadcastError::Quota { retry_at, now } => {
                Self::new(ProblemKind::Quota).with_detail(error).retry_after(retry_at.since(now).as_secs() + 1)
            }
            BroadcastError::Identifying { .. } => Self::new(ProblemKind::IdentifyingWords).with_detail(error),
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
        let review = Review::of(&request.words);
        let kinds = review.to_confirm();
        if request.identifiers == Identifying::Refuse && !kinds.is_empty() {
            return Err(BroadcastError::Identifying { kinds });
        }
        let risk = request.risk.unwrap_or(self.settings.risk);
        // an app that is opened polls faster, which would show the moment
        if risk == Risk::Normal {
            self.attend(now);
        }
        self.quotas.broadcasts.take(now).map_err(|retry_at| BroadcastError::Quota { retry_at, now })?;
        let (place, long) = (request.place.clone(), warnings::long_words(&request.words));
        let draft = Draft {
            place: request.place,
            words: request.words,
            requested: request.noise.unwrap_or_else(|| self.settings.requested()),
            mode: self.mode(),
            ttl: request.ttl.unwrap_or_else(|| self.settings.ttl()),
            enrichment: request.enrichment,
        };
        let wait = wait_before_first(risk, rng);
        let accepted = self.releaser.draft_after(now, draft, wait).map_err(|refusal| {
            self.quotas.broadcasts.undo();
            BroadcastError::Refused(refusal)
        })?;
        let hour = place.expose(|place| LocalTime::by_sun(now, *place).hour());
        self.answers.wished(now, accepted.class, hour, rng);
        self.answers.settle_tastes();
        let interest = own_interest(accepted.class, accepted.topics.clone(), place);
        match risk {
            Risk::Normal => {
                self.interests.follow(accepted.id, interest);
                self.replan(now);
                self.schedule.prepared = false;
                self.schedule.hurry(now, Lane::Discovery, rng);
            }
            // until it stands nothing is asked of anybody for it
            Risk::High => self.interests.follow_later(accepted.id, interest),
        }
        self.dirty = true;
        let mut warnings = review.warnings();
        warnings.extend(long.map(|text| warnings::plain(WarningKind::LongWords, text)));
        warnings.extend(self.sparse(now).map(|text| warnings::plain(WarningKind::SparseArea, text)));
        warnings.extend(self.habits(risk));
        Ok(BroadcastReply { warnings, ..self.broadcast_reply(now, rng, &accepted) })
    }

    /// What habits give away, the first time that the risk is high.
    fn habits(&mut self, risk: Risk) -> Vec<BroadcastWarning> {
        if risk == Risk::Normal || self.settings.habits == Habits::Told {
            return Vec::new();
        }
        self.settings.habits = Habits::Told;
        warnings::habits()
    }

    /// Looks around broadcasts that began to stand since the last turn, and asks for what their event needs.
    pub(crate) fn follow_begun(&mut self, now: Timestamp) {
        let followed: Vec<_> = self.interests.of_broadcasts().map(|(id, _)| id).collect();
        let standing = self.releaser.broadcasts().filter(|broadcast| broadcast.stands(now));
        let begun: Vec<_> = standing.filter(|broadcast| !followed.contains(&broadcast.id)).cloned().collect();
        for broadcast in begun {
            // after a restart the true place is gone: the public cell stands for it
            let place = mosaic_types::Sensitive::new(broadcast.cell.center());
            let interest = || own_interest(broadcast.class, broadcast.topics.clone(), place);
            self.interests.follow_now(broadcast.id, interest);
            self.schedule.prepared = false;
        }
    }

    /// Until when a broadcast waits, while it does.
    fn not_before(&self, now: Timestamp, id: BroadcastId) -> Option<u64> {
        let known = self.releaser.broadcasts().find(|broadcast| broadcast.id == id && broadcast.created > now);
        known.map(|broadcast| broadcast.created.as_secs())
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
            inclusion: inclusion(accepted.inclusion),
            zone_reason: accepted.why_zone.map(zone_reason),
            ledger_left: accepted.ledger_left,
            cards: self.cards_of(now, accepted.id),
            next_send_at: self.schedule.next(now, rng).leave_at.as_secs(),
            not_before: self.not_before(now, accepted.id),
            warnings: Vec::new(),
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
        let standing = self.releaser.broadcasts().filter(|broadcast| !broadcast.is_over(now));
        BroadcastList {
            broadcasts: standing.map(|broadcast| self.broadcast_view(now, broadcast)).collect(),
            next: None,
        }
    }

    fn broadcast_view(&self, now: Timestamp, broadcast: &Broadcast) -> BroadcastView {
        BroadcastView {
            id: broadcast.id.to_string(),
            class: class_name(broadcast.class),
            topics: topic_names(&broadcast.topics),
            noise: NoiseView {
                requested: broadcast.requested().get(),
                effective: EffectiveNoise {
                    discovery: broadcast.effective_discovery().get(),
                    rendezvous: broadcast.effective_rendezvous().get(),
                },
            },
            granularity: granularity(broadcast.granularity),
            expires_at: broadcast.ends().as_secs(),
            not_before: self.not_before(now, broadcast.id),
            cards: self.cards_of(now, broadcast.id),
            inclusion: inclusion(self.releaser.included(broadcast)),
            anonymity: self.broadcast_anonymity(broadcast.id, now),
        }
    }

    /// Makes a broadcast stricter (L5-10); what was sent, and what was paid for its place, stays.
    ///
    /// # Errors
    /// [`UpdateError`]; nothing was changed then.
    pub fn update_broadcast(
        &mut self,
        now: Timestamp,
        id: &str,
        request: UpdateRequest,
    ) -> Result<BroadcastView, UpdateError> {
        let id: BroadcastId = id.parse().map_err(|_| UpdateError::InvalidId)?;
        let by = Tightening { noise: request.noise, ttl: request.ttl };
        let broadcast = self.releaser.tighten(now, id, by).map_err(UpdateError::Refused)?.clone();
        self.dirty = true;
        self.stirred = true;
        self.revise();
        if broadcast.is_over(now) {
            self.interests.unfollow(id);
            self.replan(now);
            self.schedule.prepared = false;
        }
        Ok(self.broadcast_view(now, &broadcast))
    }

    /// Takes a broadcast back; what was sent stays until its table is destroyed.
    ///
    /// # Errors
    /// [`ProblemKind::UnknownBroadcast`] or [`ProblemKind::InvalidId`].
    pub fn withdraw(&mut self, now: Timestamp, id: &str) -> Result<(), ProblemKind> {
        let id: BroadcastId = id.parse().map_err(|_| ProblemKind::InvalidId)?;
        let known = self.releaser.broadcasts().any(|broadcast| broadcast.id == id && !broadcast.is_over(now));
        self.releaser.withdraw(id);
        self.interests.unfollow(id);
        self.replan(now);
        self.dirty = true;
        self.stirred = true;
        self.revise();
        if known { Ok(()) } else { Err(ProblemKind::UnknownBroadcast) }
    }
}

/// `a, b and c`.
fn listed(kinds: &[IdentifierKind]) -> String {
    let words: Vec<_> = kinds.iter().map(|kind| kind.words()).collect();
    words.split_last().map_or_else(String::new, |(last, others)| {
        if others.is_empty() { (*last).to_owned() } else { format!("{} and {last}", others.join(", ")) }
    })
}

/// Nothing where nothing is drawn.
fn inclusion(Included { shown, probability, epsilon }: Included) -> Option<InclusionView> {
    (probability < 1.0).then_some(InclusionView { shown, probability, epsilon })
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
