//! Integration tests: whole days from answers to signed statements, and what liars get.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests: helpers too, and figures to read")]

mod days;
mod forgeries;
mod influx;
mod published;
mod world;
