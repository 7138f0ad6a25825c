//! The web app: its own checks and tests, and a browser that plays it against real agents.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, bail, ensure};

use crate::{tell::tell, tree};

/// Scripts of `web/package.json`, in the order in which they are likely to fail soon.
const SCRIPTS: [&str; 4] = ["check", "test", "build", "e2e"];

/// Installs what the lock file names, builds the program with the app in it, then runs every script. Pages reach this
/// machine alone.
pub(crate) fn check() -> Result<()> {
    ensure!(tree::root().join("web/package-lock.json").exists(), "web/package-lock.json is not there");
    build()?;
    let program = tree::target()?.join("debug").join(format!("mosaic{}", std::env::consts::EXE_SUFFIX));
    npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"], &program)?;
    for script in SCRIPTS {
        tell(&format!("web app: {script}"));
        npm(&["run", script], &program)?;
    }
    Ok(())
}

/// What is played is the program that people get.
fn build() -> Result<()> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--package", "mosaic", "--locked"]).env("MOSAIC_WEB", "required").current_dir(tree::root());
    let status = command.status().context("cargo did not start")?;
    ensure!(status.success(), "the program with the web app in it was not built ({status})");
    Ok(())
}

fn npm(arguments: &[&str], program: &Path) -> Result<()> {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(tree::root().join("web")).env("CI", "1").env("MOSAIC_PROGRAM", program);
    // the system's browser is played: the test runner would fetch one of its own
    let status = command.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1").status().context("npm did not start")?;
    if !status.success() {
        bail!("npm {} failed ({status})", arguments.join(" "));
    }
    Ok(())
}
