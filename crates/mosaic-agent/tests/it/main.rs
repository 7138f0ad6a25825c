//! One agent on a real loopback socket and a real disk; its providers cannot be reached.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod api;
mod browser;
mod budget;
mod client;
mod contexts;
mod disk;
mod guard;
mod lifecycle;
mod logs;
mod noise;
mod receipts;
mod repeats;
mod schema;
mod socket;
mod support;
mod warnings;
