//! Integration tests: vocabulary on labelled sentences, noise by its statistics, personas by their support.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests: helpers too, and figures to read"
)]

mod aggregate;
mod blur;
mod corpus;
mod deniability;
mod identifiers;
mod lines;
mod paths;
mod personas;
mod sentences;
mod shared;
mod tastes;
mod titles;
mod trail;
mod vocabulary;
