//! The binary as people use it: real processes and real sockets. Waits end with an answer, an exit or a bounded number
//! of questions, never with a pause.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail like tests do")]

mod bad_input;
mod container;
mod corpus;
mod crash;
mod demo;
mod evidence;
mod federation;
mod fronts;
mod lab;
mod lost;
mod manual;
mod namespaces;
mod prometheus;
mod readme;
#[path = "../../../../crates/mosaic-provider/tests/it/redis.rs"]
mod redis;
mod regions;
#[path = "../../../../crates/mosaic-provider/tests/it/server.rs"]
mod server;
mod support;
mod table;
mod town;
mod unit;
mod up;
