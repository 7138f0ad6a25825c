//! The lab as a gate: its quick attacks must support what the claims ledger says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{claims, tree};

/// Runs the quick attacks and judges their report.
pub(crate) fn check() -> Result<()> {
    let folder = folder()?;
    build()?;
    let report = folder.join("report.json");
    if report.exists() {
        fs::remove_file(&report).with_context(|| format!("cannot remove {}", report.display()))?;
    }
    let ran = mosaic(&["lab", "run", "--quick", "--seed", "1", "--json"], &folder, Stdio::inherit())?;
    // Rows may be missed without any claim resting on them, so what counts is the report and not the exit status.
    if !report.exists() {
        if ran.stdout.is_empty() {
            bail!("the lab found nothing ({})", ran.status);
        }
        fs::write(&report, &ran.stdout).with_context(|| format!("cannot write {}", report.display()))?;
    }
    claims::judge(&report)
}

/// Where the lab may leave files: not in the working tree.
fn folder() -> Result<PathBuf> {
    let folder = tree::target()?.join("lab");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// By itself, so that a program that does not compile is not taken for attacks that failed.
pub(crate) fn build() -> Result<()> {
    let build = ["build", "--quiet", "--locked", "--package", "mosaic"];
    let status = Command::new(env!("CARGO")).args(build).current_dir(tree::root()).status();
    if !status.context("cargo did not start")?.success() {
        bail!("the program does not compile");
    }
    Ok(())
}

/// Runs the program as the tests build it; another profile would compile everything a second time.
fn mosaic(arguments: &[&str], folder: &Path, errors: Stdio) -> Result<Output> {
    Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "--package", "mosaic", "--manifest-path"])
        .arg(tree::root().join("Cargo.toml"))
        .arg("--")
        .args(arguments)
        .current_dir(folder)
        .stderr(errors)
        .output()
        .context("cargo did not start")
}
