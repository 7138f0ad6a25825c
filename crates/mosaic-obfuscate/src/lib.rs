//! What turns a draft into something that may be shown to strangers: the public [`Vocabulary`], the
//! memoised [`blur`], the weekly location [`Ledger`], the [`Cast`] of persistent decoy personas and the public
//! [`corpus`] of lines for them and what a day of theirs looks like ([`Paths`]); and, for statistics only, noise on times and
//! classes ([`aggregate`]) within a budget ([`accounting`]) and the gate for what sees people's data ([`deniability`]).
//!
//! Nothing here opens a socket, a file or a clock, and nothing leaves the device from here: only the
//! crate above, which seals, may release (DESIGN sections 3 and 4).

pub mod aggregate;
pub mod blur;
pub mod corpus;
pub mod deniability;
mod granularity;
pub mod identifiers;
mod ledger;
mod lifetime;
mod persona;
pub mod trail;
mod vocabulary;

pub use granularity::Granularity;
pub use ledger::{Charge, Ledger};
pub use lifetime::Lifetime;
pub use mosaic_noise::accounting;
pub use persona::{
    Appearance, Cast, DayPath, Echo, Habits, Inclusion, Paths, PersonaBundle, PersonaId, PersonaWish, Round, RoundId,
    Stop, Trip, Whereabouts, Why, sample_lines, sample_words,
};
pub use trail::Trail;
pub use vocabulary::{Class, Reading, Topic, Vocabulary, build};
