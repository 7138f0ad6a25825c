use std::time::Duration;

use mosaic_types::{LatLng, ProviderId};

use crate::PersonId;

/// One thing that happens in a world. A list of them can be printed, shortened and replayed.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Somebody says what they want, and where they are.
    Broadcast(PersonId, LatLng, String),
    /// Somebody looks around for the same.
    Look(PersonId, LatLng, String),
    /// Somebody waves at every card their last look found, with this contact.
    WaveAtAll(PersonId, String),
    /// Somebody accepts everybody who approached them, with this contact.
    AcceptAll(PersonId, String),
    /// Time passes.
    Advance(Duration),
    /// A provider stops.
    Down(ProviderId),
    /// It comes back with what it had on disk.
    Up(ProviderId),
    /// A device is switched off.
    Sleep(PersonId),
    /// And on again.
    Wake(PersonId),
}
