//! Plays every adversary against the real code, on synthetic or recorded movement, with intervals.
//!
//! Attackers know the code and the corpus, are trained on other users than they are judged on, and are
//! given more than the design grants them. The same detector must succeed on the naive design in the
//! same run; otherwise its failure on ours says nothing. A row without a target is printed, whatever it is.

mod device;
mod evening;
mod naive;
mod population;
mod progress;
mod report;
mod runs;
mod split;
mod tables;
pub mod views;

pub use evening::{Evening, Meetings, record_evening};
pub use naive::{Wish, fresh_report, naive_traffic, wishes};
pub use population::{PopulationPlan, record_discovery};
pub use progress::{Progress, Told};
pub use report::{Report, Row, Status};
pub use runs::{AveragingPlan, SlotPlan, averaging, evening, slots};
pub use split::Part;
