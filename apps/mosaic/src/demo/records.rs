//! What happened, as the people themselves know it. None of it reaches a provider.

use std::collections::{BTreeMap, BTreeSet};

use mosaic_types::{LatLng, Timestamp};

/// A wish that was said, whether or not the agent took it.
pub(crate) struct Said {
    /// When, in the evening's time: before the agent was asked.
    pub(crate) at: Timestamp,
    /// Where, truly.
    pub(crate) place: LatLng,
    /// In the person's own words.
    pub(crate) words: String,
    /// Class it was read as, or was meant as where nobody read it.
    pub(crate) class: String,
    /// How it left.
    pub(crate) released: Released,
    /// Ids of the cards that carried it.
    pub(crate) cards: BTreeSet<String>,
    /// Cards that were shown to this person for this wish, and when the agent first had them.
    pub(crate) seen: BTreeMap<String, Timestamp>,
}

/// What became of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Released {
    /// It is out under this broadcast's id, with a blurred point.
    Fine(String),
    /// It is out under this broadcast's id, as a zone only.
    Zone(String),
    /// The agent did not take it, so nobody can find it. It still counts.
    Withheld,
}

impl Said {
    /// Whether the agent did not take it.
    pub(crate) fn withheld(&self) -> bool {
        self.released == Released::Withheld
    }

    /// Whether it left as a zone only.
    pub(crate) const fn zone(&self) -> bool {
        matches!(self.released, Released::Zone(_))
    }

    /// The broadcast's id.
    pub(crate) fn id(&self) -> Option<&str> {
        match &self.released {
            Released::Fine(id) | Released::Zone(id) => Some(id),
            Released::Withheld => None,
        }
    }
}

/// A contact that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Met {
    /// What the other side gave.
    pub(crate) contact: String,
    /// When it was first on the screen.
    pub(crate) at: Timestamp,
}

/// A planned association by token, seen from one side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TokenMade {
    /// The association's id.
    pub(crate) id: String,
    /// The token itself, which no provider may ever hold.
    pub(crate) token: String,
    /// Whether it reached "connected".
    pub(crate) connected: bool,
}

/// One person's evening.
#[derive(Default)]
pub(crate) struct Record {
    /// What they said.
    pub(crate) said: Vec<Said>,
    /// Waves they sent: association, and the card waved at.
    pub(crate) waved: BTreeMap<String, String>,
    /// Contacts that came, by association.
    pub(crate) contacts: BTreeMap<String, Met>,
    /// Their side of a token association, once it began.
    pub(crate) token: Option<TokenMade>,
    /// Events that left.
    pub(crate) events_released: u64,
    /// Deposits acknowledged.
    pub(crate) deposits_acked: u64,
    /// Bytes exchanged with providers.
    pub(crate) bytes: u64,
    /// Waves and answers that a limit of the hour or the day put off.
    pub(crate) limited: usize,
    /// Calls to the agent that failed otherwise.
    pub(crate) errors: Vec<String>,
}
