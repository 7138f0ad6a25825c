//! Every libFuzzer target with its kept corpus, on the pinned stable toolchain: the instrumentation that libFuzzer needs is
//! a pass of LLVM, which stable compilers have too. Sanitizers are not; there is no `unsafe` here that they would watch.

mod campaign;
mod keep;
mod runs;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use self::{campaign::Campaign, runs::Place};
use crate::{tell::tell, tools, tree};

/// What LLVM adds to every function and comparison for libFuzzer (the flags of cargo-fuzz, without its sanitizer).
const INSTRUMENTED: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// How long to fuzz, and what.
#[derive(Args)]
pub(crate) struct FuzzArgs {
    /// Targets; default: all
    targets: Vec<String>,
    /// Executions, over all targets together
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    executions: u64,
    /// Seconds that one target may take of a round; what a slow one leaves goes to the quick ones
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Where libFuzzer's random numbers begin
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    seed: u32,
    /// Processes at a time; default: one for each processor
    #[arg(long)]
    jobs: Option<usize>,
    /// Afterwards, add to fuzz/corpus at most this many inputs a target, the shortest of those that reach new code
    #[arg(long, value_name = "FILES")]
    keep: Option<usize>,
}

/// Fuzzes, prints what was executed where, and fails on a finding, whose input it names.
pub(crate) fn run(args: &FuzzArgs) -> Result<()> {
    ensure!(tools::present("c++"), "fuzz: c++ is missing; install it (Debian package build-essential)");
    let targets = chosen(&args.targets)?;
    let place =
        Place { programs: build()?, work: tree::target()?.join("fuzz"), kept: tree::root().join("fuzz/corpus") };
    let jobs = args.jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)).max(1);
    let mut campaign = Campaign::new(targets, args.executions, args.seconds, args.seed);
    campaign.run(&place, jobs)?;
    if let Some(most) = args.keep {
        keep::keep(&place, campaign.targets(), most)?;
    }
    campaign.verdict()
}

/// All targets, or the named ones.
fn chosen(named: &[String]) -> Result<Vec<String>> {
    let folder = tree::root().join("fuzz/fuzz_targets");
    let files = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut all = Vec::new();
    for file in files {
        let name = file?.path().file_stem().map(|stem| stem.to_string_lossy().into_owned());
        all.extend(name);
    }
    all.sort();
    if let Some(unknown) = named.iter().find(|name| !all.contains(name)) {
        bail!("no target is called {unknown}; they are: {}", all.join(" "));
    }
    Ok(if named.is_empty() { all } else { named.to_vec() })
}

/// Builds every target; gives the folder of the programs.
fn build() -> Result<PathBuf> {
    tell("building the fuzz targets, each with all that it calls");
    let host = host()?;
    let into = tree::target()?.join("fuzz/build");
    let mut command = Command::new(env!("CARGO"));
    // with a named target the flags are not for build scripts and macros, which do not link to libFuzzer
    command.args(["build", "--quiet", "--release", "--locked", "--bins", "--manifest-path", "fuzz/Cargo.toml"]);
    command.args(["--target", &host, "--target-dir"]).arg(&into);
    command
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTFLAGS", INSTRUMENTED)
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    let status = command.current_dir(tree::root()).status().context("cargo did not start")?;
    ensure!(status.success(), "the fuzz targets do not compile ({status})");
    Ok(into.join(Path::new(&host)).join("release"))
}

/// The triple that the compiler runs on.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").current_dir(tree::root()).output().context("rustc did not start")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned).context("rustc names no host")
}
