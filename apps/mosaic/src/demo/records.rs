//! What happened, as the people themselves know it. None of it reaches a provider.

use std::collections::{BTreeMap, BTreeSet};

use mosaic_types::{LatLng, Timestamp};

/// A wish that was said.
pub(crate) struct Said {
    /// When, in the evening's time.
    pub(crate) at: Timestamp,
    /// Where, truly.
    pub(crate) place: LatLng,
    /// Class it was read as.
    pub(crate) class: String,
    /// Whether it was released as a zone only.
    pub(crate) zone: bool,
    /// The broadcast's id.
    pub(crate) id: String,
    /// Ids of the cards that carried it.
    pub(crate) cards: BTreeSet<String>,
    /// Cards that were shown to this person for this wish, and when the agent first had them.
    pub(crate) seen: BTreeMap<String, Timestamp>,
}

/// One person's evening.
#[derive(Default)]
pub(crate) struct Record {
    /// What they said.
    pub(crate) said: Vec<Said>,
    /// Contacts that came, and when.
    pub(crate) contacts: BTreeMap<String, Timestamp>,
    /// Whether they associated by a token as planned; `None` when nothing was planned.
    pub(crate) token_met: Option<bool>,
    /// Events that left.
    pub(crate) events_released: u64,
    /// Deposits acknowledged.
    pub(crate) deposits_acked: u64,
    /// Bytes exchanged with providers.
    pub(crate) bytes: u64,
    /// Waves sent.
    pub(crate) waves: usize,
    /// Waves and answers that a limit of the hour or the day put off.
    pub(crate) limited: usize,
    /// Calls to the agent that failed otherwise.
    pub(crate) errors: Vec<String>,
}
