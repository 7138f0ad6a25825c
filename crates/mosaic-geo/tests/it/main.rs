//! The crate against real data and against brute force.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod cells;
mod damage;
mod datasets;
mod extracts;
mod hours;
mod journeys;
mod movement;
mod open_index;
mod people;
mod places;
mod plausibility;
mod shared;
mod society;
