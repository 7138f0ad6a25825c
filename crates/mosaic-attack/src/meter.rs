//! The anonymity meter: what the best attacker at hand would conclude from one device's own history.
//!
//! The same code serves the lab, which trains the meter and judges it, and the agent, which asks it before
//! every discovery event. [`History`] is what strangers could remember of one writer; its rows describe the ten
//! bundles of an event by [`FEATURES`]; a [`MeterModel`] makes a calibrated posterior of them; [`FloorAction`]
//! says which bundle gives way when that posterior is too sure. The device knows no town full of people, so
//! where the lab's attacker counts everybody's bundles the meter has a [`PublicTown`]: the lab measures how far
//! it lags behind for that (rows `meter/gap` and `meter/calibration`).

mod floor;
mod history;
mod model;
mod town;

pub use floor::FloorAction;
pub use history::{FEATURES, History, SeenBundle, contrast};
pub use model::{DecodeMeterError, Lesson, MeterModel, MeterPlan};
pub use town::{Popularity, PublicTown};
