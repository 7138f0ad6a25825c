//! The device's persistent personas: the decoys of the discovery lane.
//!
//! Nine *companions* wish for something whenever the person does, and for just as long; *quiet companies* of ten
//! personas each wish for something at other times, so that events have something to carry. An event shows one
//! [`Round`] of ten wishes: nothing in it but what is wanted and where differs between the person and a
//! companion (PRIVACY 1.2: decoys are sticky for each real bundle). What the person wants again at the same cell, the
//! companions want again too ([`Echo`]). In maximum mode every seat is drawn for ([`Inclusion`]).
//!
//! Personas live on public data only: their places are cells with public, non-private places, their
//! wishes follow the public vocabulary. What they wish for follows from the device seed and the round, and
//! where they live is kept ([`Whereabouts`]), so they stay the same people for as long as the device does
//! (PRIVACY 7: persistence is what removes the cross-session gain of fresh decoys).

mod cast;
mod habits;
mod inclusion;
mod member;
mod path;
mod rounds;
mod text;
mod whereabouts;

use mosaic_geo::Cell;
use mosaic_types::{ClassId, TopicId, TtlHours};
use serde::{Deserialize, Serialize};

pub use cast::Cast;
pub use habits::{Echo, Habits};
pub use inclusion::Inclusion;
pub use path::{Appearance, DayPath, Paths, Stop, Trip, Why};
pub use rounds::{Round, RoundId};
pub use text::{sample_lines, sample_words};
pub use whereabouts::Whereabouts;

/// Names a persona of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PersonaId {
    /// 0 for the person's companions, from 1 for quiet companies.
    pub company: u16,
    /// Which one of it, from 0. Of the person's, 0 to 8 are the companions, 9 is the person's understudy and 10 to 18
    /// are the companions'.
    pub member: u8,
}

impl PersonaId {
    /// Three bytes, for key derivation: the company, big-endian, then the member.
    pub const fn to_bytes(self) -> [u8; 3] {
        let [a, b] = self.company.to_be_bytes();
        [a, b, self.member]
    }
}

/// What a persona wishes for, and where, before it finds words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersonaWish {
    /// Class of the wish.
    pub class: ClassId,
    /// The r8 cell it names.
    pub cell: Cell,
    /// Drawn evenly from everything: then so are the topics.
    even: bool,
}

/// What a persona would say in one bundle: the same kind of content as a person's.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonaBundle {
    /// Class of the wish.
    pub class: ClassId,
    /// One to four topics, best first.
    pub topics: Vec<TopicId>,
    /// Words that need as many coded parts as the round says.
    pub text: String,
    /// The r8 cell it names; a zone shows its r6 parent.
    pub cell: Cell,
    /// The time to live it names.
    pub ttl: TtlHours,
}
