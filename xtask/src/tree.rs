//! Where the workspace lies, what is in it, and how to run a command there.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// The workspace root: the parent of this crate's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Every file git tracks, or would track if added, that ends in `extension`; relative to the root.
pub(crate) fn files(extension: &str) -> Result<Vec<PathBuf>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .context("git is needed to list the project's files")?;
    let listed = String::from_utf8(listed.stdout).context("a file name is not UTF-8")?;
    Ok(listed
        .lines()
        .map(PathBuf::from)
        .filter(|path| path.extension() == Some(OsStr::new(extension)) && root().join(path).exists())
        .collect())
}

/// The text of a project file.
pub(crate) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(root().join(path)).with_context(|| format!("cannot read {}", path.display()))
}

/// `cargo metadata`, parsed; with or without the dependencies' packages.
pub(crate) fn metadata(with_dependencies: WithDependencies) -> Result<serde_json::Value> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version", "1", "--locked"]).current_dir(root());
    if matches!(with_dependencies, WithDependencies::No) {
        command.arg("--no-deps");
    }
    let output = command.output().context("cargo metadata did not run")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")
}

/// Whether to list every package of the lock file or the workspace's alone.
#[derive(Clone, Copy)]
pub(crate) enum WithDependencies {
    Yes,
    No,
}

/// Fails with all findings, or not at all.
pub(crate) fn verdict(subject: &str, findings: &[String]) -> Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    bail!("{subject}:\n  {}", findings.join("\n  "))
}
