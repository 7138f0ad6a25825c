//! A deterministic world in virtual time: providers, agents, links and faults from one seed.
//!
//! [`World`] joins three provider cores with in-memory stores and any number of agent cores by function
//! calls. Time jumps from one event to the next, so a day takes seconds, nothing sleeps, and the same
//! seed gives the same bytes everywhere. Faults are [`Op`]s or settings of the [`Link`], dishonest providers a [`Mischief`]. What a provider
//! learned is kept ([`World::learned_by`]), so that tests can search it with [`Needles`].

mod host;
mod leaks;
mod learned;
mod link;
mod mischief;
mod op;
mod person;
mod play;
mod world;

pub use leaks::{Needles, Secret};
pub use learned::Learned;
pub use link::{Link, Outages};
pub use mischief::Mischief;
pub use op::Op;
pub use person::{Person, PersonId};
pub use play::every_card;
pub use world::{BuildError, Setup, World};
