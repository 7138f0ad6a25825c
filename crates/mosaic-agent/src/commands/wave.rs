use mosaic_api::{CardSelection, IncomingWave, Problem, ProblemKind, WaveReply, WaveRequest, WavesReply};
use mosaic_discovery::{AssociationState, Card, CardId, Kind, Ranked, WaveError};
use mosaic_release::{ReleasedContact, Releaser};
use mosaic_types::{Lane, Timestamp};
use rand::CryptoRng;
use thiserror::Error;

use crate::core::AgentCore;

/// Why no card was waved at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WaveRefusal {
    /// An id of the wrong shape.
    #[error("a card id has 32 hexadecimal digits")]
    InvalidId,
    /// None of the cards is known, or all of them are too old or were waved at before.
    #[error("none of these cards can be waved at (any more)")]
    NoCard,
    /// The mode's waves of this hour are used up; they replace decoys and never add to them.
    #[error("the waves of this hour are used up")]
    TooMany {
        /// When the next one is free.
        retry_at: Timestamp,
        /// When that was said.
        now: Timestamp,
    },
}

impl From<WaveRefusal> for Problem {
    fn from(refusal: WaveRefusal) -> Self {
        match refusal {
            WaveRefusal::InvalidId => ProblemKind::InvalidId.into(),
            WaveRefusal::NoCard => Self::new(ProblemKind::UnknownCard).with_detail(refusal),
            WaveRefusal::TooMany { retry_at, now } => {
                Self::new(ProblemKind::Quota).with_detail(refusal).retry_after(retry_at.since(now).as_secs() + 1)
            }
        }
    }
}

impl AgentCore {
    /// Waves at cards; who accepts gets the contact. Most cards are decoys, and their personas answer the
    /// automatic step like anybody.
    ///
    /// # Errors
    /// [`WaveRefusal`] when not a single wave came of it.
    pub fn wave(
        &mut self,
        now: Timestamp,
        rng: &mut impl CryptoRng,
        request: WaveRequest,
    ) -> Result<WaveReply, WaveRefusal> {
        self.attend(now);
        let cards = self.selected(now, &request.cards)?;
        let contact = Releaser::contact(request.contact);
        let (mut associations, mut skipped, mut limit) = (Vec::new(), 0, None);
        for card in &cards {
            match self.wave_at(now, rng, card, &contact) {
                Ok(id) => associations.push(id),
                Err(error) => {
                    skipped += 1;
                    limit = limit.or(if let WaveError::TooMany { retry_at } = error { Some(retry_at) } else { None });
                }
            }
        }
        if associations.is_empty() {
            return Err(limit.map_or(WaveRefusal::NoCard, |retry_at| WaveRefusal::TooMany { retry_at, now }));
        }
        self.schedule.hurry(now, Lane::Rendezvous, rng);
        Ok(WaveReply { associations, skipped, leaves_by: self.leaves_by(now).as_secs() })
    }

    fn wave_at(
        &mut self,
        now: Timestamp,
        rng: &mut impl CryptoRng,
        card: &Card,
        contact: &ReleasedContact,
    ) -> Result<String, WaveError> {
        let id = self.associations.wave(now, card, rng)?;
        // cannot fail for an association that was just made
        let _given = self.associations.accept(now, id, contact);
        Ok(id.to_string())
    }

    fn selected(&self, now: Timestamp, selection: &CardSelection) -> Result<Vec<Card>, WaveRefusal> {
        match selection {
            CardSelection::Word(_) => {
                let interests: Vec<_> = self.interests.of_broadcasts().map(|(_, interest)| interest.clone()).collect();
                let matches = |ranked: &Ranked| ranked.similarity.reaches(self.settings.threshold);
                Ok(self.ranked(now, &interests).into_iter().filter(matches).map(|ranked| ranked.card).collect())
            }
            CardSelection::Cards(ids) => {
                let ids: Result<Vec<CardId>, _> = ids.iter().map(|id| id.parse()).collect();
                let ids = ids.map_err(|_| WaveRefusal::InvalidId)?;
                Ok(ids.into_iter().filter_map(|id| self.book.get(id)).cloned().collect())
            }
        }
    }

    /// When everything queued now will have left, at the pace of the class.
    pub(super) fn leaves_by(&self, now: Timestamp) -> Timestamp {
        let ratio = self.releaser.rendezvous_ratio(now, self.rendezvous_floor());
        let per_event = ratio.most_real_of(10).max(1);
        let queued = u32::try_from(self.associations.queued() + self.groups.queued()).unwrap_or(u32::MAX);
        let profile = self.class(now).profile();
        now.after(profile.lane_interval * queued.div_ceil(per_event).max(1) + profile.send_delay)
    }

    /// Waves that wait for this person's answer, oldest first.
    pub fn waves(&self) -> WavesReply {
        let views = self.associations.list().into_iter().rev();
        let waiting = views.filter(|view| view.kind == Kind::Wave && view.state == AssociationState::Approached);
        let waves = waiting.map(|view| IncomingWave {
            id: view.id.to_string(),
            received_at: view.since.as_secs(),
            expires_at: view.until.as_secs(),
        });
        WavesReply { waves: waves.collect(), next: None }
    }
}
