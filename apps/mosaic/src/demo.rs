//! An evening played by real processes: people move, say what they want, find each other and exchange contacts,
//! through three providers whose disks are then searched for anything readable.

mod cast;
mod evening;
mod measure;
mod plan;
mod records;
mod scan;
mod stage;
mod summary;

pub(crate) use evening::{live, play};
pub(crate) use plan::{Person, Plan, Script};
pub(crate) use records::{Record, Released};
pub(crate) use scan::Scan;
pub(crate) use stage::{Recorded, Stage};
