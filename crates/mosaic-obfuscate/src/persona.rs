//! The device's nine persistent personas: the decoys of the discovery lane.
//!
//! Personas live on public data only: their places are cells with public, non-private places, their
//! wishes follow the public vocabulary. Everything about them follows from the device seed, so they
//! stay the same people for as long as the device does (PRIVACY 1.2 and 7: persistence is what
//! removes the cross-session gain of fresh decoys).

mod cast;
mod text;

use mosaic_geo::Cell;
use mosaic_types::{ClassId, TopicId, TtlHours};

pub use cast::Cast;

/// What a persona would say in one bundle: the same kind of content as a person's.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonaBundle {
    /// Class of the wish.
    pub class: ClassId,
    /// One to four topics, best first.
    pub topics: Vec<TopicId>,
    /// Words, at most 41 bytes.
    pub text: String,
    /// The r8 cell it names.
    pub cell: Cell,
    /// How long the wish stands.
    pub ttl: TtlHours,
}
