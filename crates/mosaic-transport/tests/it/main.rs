//! Real sockets on loopback; every wait ends with an event, never with a pause.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail like tests do")]

mod calls;
mod limits;
mod pinning;
mod support;
mod versions;
