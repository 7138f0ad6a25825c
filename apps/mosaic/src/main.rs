//! `mosaic`: agent, provider, federation and demo from one command line.
//!
//! This file parses, wires and ends; each subcommand has a file under `commands/`.

mod clock;
mod commands;
mod demo;
#[cfg(test)]
mod examples;
mod exit;
mod home;
mod local;
mod mapped;
mod out;
mod password;
mod practice;
mod processes;
mod recording;
mod units;
mod usage;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use tracing_subscriber::EnvFilter;

use commands::{Command, Context};
use exit::{Exit, Failure, OrExit};
use out::Out;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  2  bad arguments or bad input
  3  the agent or a provider refused
  4  nobody answered
  5  something on this machine: vault, password, port, disk, files

Examples:
  mosaic demo                                   watch an evening, then read what was measured
  mosaic up                                     a practice federation and an agent, until Ctrl-C
  mosaic broadcast --context \"coffee meetup\" --noise 0.7
  mosaic query --radius 500m --time-window 2h";

/// Find out that somebody near you wants the same, now, and get in touch. What is promised about your privacy, against
/// whom, and what is not, stands in docs/claims.md.
#[derive(Debug, Parser)]
#[command(name = "mosaic", version, after_help = EXIT_CODES, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Print one JSON object instead of sentences
    #[arg(long, global = true)]
    json: bool,

    /// Folder of this installation
    #[arg(long, global = true, env = "MOSAIC_DIR", value_name = "DIR")]
    dir: Option<PathBuf>,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misunderstood(error),
    };
    let out = if cli.json { Out::json() } else { Out::people() };
    start_log(&cli.command);
    mosaic_transport::install_crypto();
    let context = Context { out, dir: cli.dir };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(workers(&cli.command)).enable_all().build();
    let done =
        runtime.or_exit(Exit::Local, "cannot start").and_then(|runtime| runtime.block_on(cli.command.run(&context)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out.failure(&failure);
            failure.code()
        }
    }
}

/// Help and version go where they always go; what was not understood also has a form for programs.
fn misunderstood(error: clap::Error) -> ExitCode {
    let error = usage::without_values(error);
    if !error.use_stderr() || std::env::args().all(|arg| arg != "--json") {
        error.exit();
    }
    let text = error.render().to_string();
    let failure = Failure::usage(text.lines().next().unwrap_or_default().trim_start_matches("error: "));
    Out::json().failure(&failure);
    failure.code()
}

/// Agents and client commands wait far more than they compute; a demo starts dozens of them.
const fn workers(command: &Command) -> usize {
    match command {
        Command::Provider(_) | Command::Demo(_) | Command::Lab(_) => 2,
        _ => 1,
    }
}

/// `MOSAIC_LOG=debug` logs to standard error. Nothing sensitive is ever logged at any level. A provider runs
/// unattended: its operator must find warnings and errors without having asked for them.
fn start_log(command: &Command) {
    let unasked = match command {
        Command::Provider(_) => "off,mosaic_provider=warn,mosaic_federation=warn,mosaic_transport=warn",
        _ => "off",
    };
    let filter = EnvFilter::try_from_env("MOSAIC_LOG").unwrap_or_else(|_| EnvFilter::new(unasked));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
