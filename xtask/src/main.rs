//! Project automation. `cargo xtask ci` runs everything that must be green; each step also runs alone.

mod api;
mod barrier;
mod ci;
mod claims;
mod code;
mod compare;
mod fuzz;
mod lab;
mod layers;
mod licences;
mod links;
mod python;
mod tell;
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
    /// Check the claims ledger, whoever cites it, and that no sentence promises privacy without a claim.
    Claims {
        /// Make docs/claims.md of docs/claims.toml instead.
        #[arg(long, conflicts_with = "report")]
        write: bool,
        /// Hold a report of the lab (report.json) against the claims that hold instead.
        #[arg(long, value_name = "FILE")]
        report: Option<std::path::PathBuf>,
    },
    /// Run the lab's quick attacks and hold their report against the claims that hold.
    Lab,
    /// Race what is built here against what a user would pick instead, in one run, and check that both say the same.
    /// Writes compare.json into the target folder; ends with an error where results differ.
    Compare(compare::CompareArgs),
    /// Run every libFuzzer target with its kept corpus, on the pinned toolchain; fails on a finding.
    Fuzz(fuzz::FuzzArgs),
    /// Play schemathesis against a practice federation's agent: does it answer as its own description says?
    Api(api::ApiArgs),
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
        Task::Claims { write: true, .. } => claims::write(),
        Task::Claims { report: Some(report), .. } => claims::judge(&report),
        Task::Claims { .. } => claims::check(),
        Task::Lab => lab::check(),
        Task::Compare(args) => compare::run(&args),
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Api(args) => api::run(&args),
        Task::Links => links::check(),
        Task::Licences => licences::check(),
    }
}
