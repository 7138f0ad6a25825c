//! What a socket is told of: what stands now, of the kinds it asked for.

use std::time::Duration;

use mosaic_api::{AssociationState, CardView, News, ProximityRequest};
use mosaic_types::Timestamp;

use super::{ProximityError, proximity::card_view};
use crate::{
    core::AgentCore,
    session::{Standing, Wanted},
};

impl AgentCore {
    /// Begins a search that stands as long as somebody wants to be told of it.
    ///
    /// # Errors
    /// [`ProximityError`]; searching for the same again costs nothing.
    pub(crate) fn begin_search(&mut self, now: Timestamp, request: &ProximityRequest) -> Result<(), ProximityError> {
        self.proximity(now, request).map(drop)
    }

    /// What stands of what is wanted. Keeps a search alive.
    pub(crate) fn standing(&mut self, now: Timestamp, wanted: &Wanted) -> Standing {
        let has = |news| wanted.has(news);
        let associations = if has(News::AssociationRequest) { self.associations().associations } else { Vec::new() };
        let waits = |state| matches!(state, AssociationState::Approached);
        Standing {
            cards: if has(News::ProximityUpdate) { self.found(now, wanted.search()) } else { Vec::new() },
            requests: associations.into_iter().filter(|association| waits(association.state)).collect(),
            warnings: if has(News::PrivacyAlert) { self.warnings(now) } else { Vec::new() },
            noise: has(News::PrivacyAlert).then(|| self.noise_view(now)),
        }
    }

    fn found(&mut self, now: Timestamp, search: Option<&ProximityRequest>) -> Vec<CardView> {
        let interests: Vec<_> = match search {
            Some(search) => {
                let interests = self.interests_of(search);
                if self.interests.ask(now, interests.clone()) {
                    self.replan(now);
                }
                interests
            }
            None => self.interests.of_broadcasts().map(|(_, interest)| interest.clone()).collect(),
        };
        self.ranked(now, &interests).iter().map(|ranked| card_view(ranked, self.settings.threshold)).collect()
    }

    /// A person looks at the app for so long.
    pub(crate) fn attend_for(&mut self, now: Timestamp, span: Duration) {
        let until = self.attended_until.max(now.after(span));
        self.attend(now);
        self.attended_until = until;
    }
}
