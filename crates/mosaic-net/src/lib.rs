//! When something leaves and over which path.
//!
//! Nothing here knows whether there is anything to say: [`Cadence`] takes no payload, so the times and
//! lanes of a device's events cannot depend on one. Time and randomness are arguments.

mod cadence;
mod draw;
pub mod mesh;
mod paths;
mod poller;
mod wait;

pub use cadence::{Cadence, RESOLUTIONS, Scheduled, URGENT_RESOLUTION};
pub use paths::{Outcome, PathKind, Paths, Standing};
pub use poller::{Attention, Poller};
pub use wait::wait_before_first;
