//! Project automation. `cargo xtask ci` runs everything that must be green; each step also runs alone.

mod barrier;
mod ci;
mod claims;
mod code;
mod layers;
mod licences;
mod links;
mod tools;
mod tree;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", about = "Checks and chores of the MOSAIC workspace")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that must be green: format, structure, lints, docs, then all tests.
    Ci {
        /// Install missing system packages with apt-get (needs root). Without it they are only named.
        #[arg(long)]
        install: bool,
    },
    /// Check that no crate imports a higher rank or a sibling.
    Layers,
    /// Check that only the release crate opens the release barrier.
    Barrier,
    /// Check that every cited claim exists and every holding claim names a test that exists and runs.
    Claims,
    /// Check that every relative link in a Markdown file leads to something.
    Links,
    /// Check every dependency's licence against deny.toml.
    Licences,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Ci { install } => ci::run(install),
        Task::Layers => layers::check(),
        Task::Barrier => barrier::check(),
        Task::Claims => claims::check(),
        Task::Links => links::check(),
        Task::Licences => licences::check(),
    }
}
