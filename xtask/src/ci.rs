//! The one command that must be green: cheap structural checks first, the test runner last.

use std::{collections::BTreeMap, process::Command};

use anyhow::{Context, Result, bail};

use crate::{barrier, claims, lab, layers, licences, links, tell::tell, tools, tree, web};

/// Runs every step; stops at the first that fails.
pub(crate) fn run(install: bool) -> Result<()> {
    tools::ensure(install)?;
    let before = status()?;
    step("format", || cargo(&["fmt", "--all", "--check"]))?;
    step("rank graph", layers::check)?;
    step("release barrier", barrier::check)?;
    step("claims ledger", claims::check)?;
    step("links", links::check)?;
    step("licences", licences::check)?;
    step("lints", || cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))?;
    step("fuzz targets", fuzz_targets)?;
    step("documentation", document)?;
    step("documentation examples", || cargo(&["test", "--workspace", "--doc", "--locked"]))?;
    step("web app", web::check)?;
    step("claims against the lab", lab::check)?;
    step("tests", test)?;
    if status()? != before {
        bail!("the checks changed the working tree; commit what they generate:\n{}", status()?);
    }
    Ok(())
}

/// Compiles the fuzz targets, a workspace of their own. Checking needs no nightly toolchain; running them does.
fn fuzz_targets() -> Result<()> {
    cargo(&["check", "--manifest-path", "fuzz/Cargo.toml", "--locked"])
}

fn document() -> Result<()> {
    cargo_with(
        &["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )
}

/// nextest where it is installed (one process a test), else cargo's own runner.
fn test() -> Result<()> {
    if tools::present("cargo-nextest") {
        return cargo(&["nextest", "run", "--workspace", "--locked", "--no-fail-fast"]);
    }
    cargo(&["test", "--workspace", "--lib", "--bins", "--tests", "--locked", "--no-fail-fast"])
}

fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    tell(name);
    work().with_context(|| format!("the step `{name}` failed"))
}

fn cargo(arguments: &[&str]) -> Result<()> {
    cargo_with(arguments, &[])
}

fn cargo_with(arguments: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    let environment: BTreeMap<_, _> = environment.iter().copied().collect();
    let status = Command::new(env!("CARGO"))
        .args(arguments)
        .envs(environment)
        .current_dir(tree::root())
        .status()
        .context("cargo did not start")?;
    if !status.success() {
        bail!("cargo {} failed ({status})", arguments.join(" "));
    }
    Ok(())
}

fn status() -> Result<String> {
    let output = Command::new("git").args(["status", "--porcelain"]).current_dir(tree::root()).output();
    String::from_utf8(output.context("git did not start")?.stdout).context("a file name is not UTF-8")
}
