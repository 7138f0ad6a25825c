//! How often each class is wished for, over many people, and nothing of any one of them (PRIVACY section 11 and B.7,
//! `docs/spec/aggregate.md`).
//!
//! - A device that takes part gives one [`report()`] for each day: what it wished for, or that it wished for nothing, drawn
//!   by randomised response first ([`NoisedAnswer`]) and then cut into two shares of Prio3 (Corrigan-Gibbs and Boneh 2017;
//!   VDAF draft 18), each of which is uniform by itself.
//! - Two providers, the aggregators, check together that a report is one vote for one answer, and add up their shares
//!   ([`Batch`]). Each puts discrete Laplace noise on its sum ([`NoisedSum`]) before the other sees it.
//! - Both sign what comes out ([`Statement`]). Only a statement with both signatures becomes [`Published`], and only what is
//!   published can be written anywhere.
//!
//! Holds: one aggregator and everybody else learn of a person what ε of the noise allows; both aggregators together learn
//! an answer that was kept with the odds of the randomised response. Does not hold: that a device takes part is seen by
//! the aggregator it reports to, unless a relay stands between; a person who wishes every day is counted every day, and
//! days add up.

mod answer;
mod batch;
mod day;
mod lines;
mod published;
mod report;
mod statement;
mod sum;
mod vdaf;

pub use answer::{Answer, NoisedAnswer, PartOfDay};
pub use batch::{Batch, Begun, Refused, VerifierShare};
pub use day::aggregators;
pub use lines::lines;
pub use mosaic_wire::{ReportFields, Side};
pub use published::Published;
pub use report::report;
pub use statement::{SignedStatement, Statement, Untrusted};
pub use sum::{Mismatch, NoisedSum, Policy, TooFew};

use mosaic_types::TileId;

/// Different answers: every class in every part of the day, and nothing at all.
pub const ANSWERS: usize = 65;

/// What is counted together: the reports of one day in one public area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Counted {
    /// The public area.
    pub tile: TileId,
    /// The day, in days since 1970.
    pub day: u32,
}

impl Counted {
    /// Eight bytes: tile and day, big-endian. They bind every proof to its batch.
    fn context(self) -> [u8; 8] {
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&self.tile.0.to_be_bytes());
        bytes[4..].copy_from_slice(&self.day.to_be_bytes());
        bytes
    }
}
