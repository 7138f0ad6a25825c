//! Plays every adversary against the real code, on synthetic or recorded movement, with intervals.
//!
//! Attackers know the code and the corpus, are trained on other users than they are judged on, and are
//! given more than the design grants them. The same detector must succeed on the naive design in the
//! same run; otherwise its failure on ours says nothing. A row without a target is printed, whatever it is.

mod device;
mod evening;
mod html;
pub mod knowledge;
mod meter;
mod naive;
mod opened;
mod population;
mod practice;
mod progress;
mod report;
mod run;
mod runs;
mod split;
mod tables;
pub mod views;

pub use evening::{Evening, Meetings, record_evening};
pub use html::html;
pub use meter::make_meter;
pub use mosaic_attack::MeterPlan;
pub use naive::{Wish, fresh_report, naive_traffic, rebroadcast, redundant_traffic, wishes};
pub use population::{PopulationPlan, record_discovery};
pub use progress::{Progress, Told};
pub use report::{Line, Report, Row, Series, Stage, Status};
pub use run::{RunPlan, RunSize, run};
pub use runs::{AveragingPlan, SlotPlan, averaging, evening, slots};
pub use split::Part;
