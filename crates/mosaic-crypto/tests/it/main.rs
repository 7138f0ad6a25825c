//! What the crate promises, seen from outside.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod agreement;
mod blind_reads;
mod ceremony;
mod handshake;
mod oprf;
mod record;
mod record_vectors;
mod sealed;
mod shamir;
mod support;
mod timing;
mod two_keys;
mod vectors;
