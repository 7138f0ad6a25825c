//! The device's nine persistent personas: the decoys of the discovery lane.
//!
//! Personas live on public data only: their places are cells with public, non-private places, their
//! wishes follow the public vocabulary. What they wish for and when follows from the device seed alone, and
//! where they live is kept ([`Whereabouts`]), so they stay the same people for as long as the device does
//! (PRIVACY 1.2 and 7: persistence is what removes the cross-session gain of fresh decoys).

mod cast;
mod text;
mod whereabouts;
mod wishes;

use mosaic_geo::Cell;
use mosaic_types::{ClassId, TopicId, TtlHours};

pub use cast::Cast;
pub use whereabouts::Whereabouts;
pub use wishes::{Wish, WishId};

/// What a persona would say in one bundle: the same kind of content as a person's.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonaBundle {
    /// Class of the wish.
    pub class: ClassId,
    /// One to four topics, best first.
    pub topics: Vec<TopicId>,
    /// Words, at most 41 bytes.
    pub text: String,
    /// The r8 cell it names; a zone shows its r6 parent.
    pub cell: Cell,
    /// The time to live it names.
    pub ttl: TtlHours,
}
