//! Integration tests of the release barrier: what leaves, what does not, and what it looks like.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests: helpers too; the figures of statistical tests")]

mod combined;
mod discovery;
mod drafts;
mod inclusion;
mod meter;
mod modes;
mod neighbours;
mod rendezvous;
mod sources;
mod stays;
mod world;
