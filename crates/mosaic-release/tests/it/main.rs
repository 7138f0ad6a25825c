//! Integration tests of the release barrier: what leaves, what does not, and what it looks like.

#![expect(clippy::unwrap_used, reason = "tests: helpers too")]

mod discovery;
mod drafts;
mod rendezvous;
mod world;
