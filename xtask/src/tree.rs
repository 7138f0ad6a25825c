//! Where the workspace lies, what is in it, and how to run a command there.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use anyhow::{Context, Result, bail};

/// The root of the workspace that this process was started in or by cargo for; the working directory where there is no
/// workspace. Found when it runs, not when it was compiled: two checkouts may share one target folder, and with it one
/// program.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let here = || std::env::current_dir().ok();
        let named = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let start = named.or_else(here);
        start.as_deref().and_then(workspace_above).map_or_else(|| PathBuf::from("."), Path::to_owned)
    });
    &ROOT
}

/// The nearest folder, `start` or above, whose Cargo.toml lies beside this crate.
fn workspace_above(start: &Path) -> Option<&Path> {
    start.ancestors().find(|folder| folder.join("Cargo.toml").is_file() && folder.join("xtask/Cargo.toml").is_file())
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

/// The folder that cargo builds into.
pub(crate) fn target() -> Result<PathBuf> {
    let metadata = metadata(WithDependencies::No)?;
    metadata["target_directory"].as_str().map(PathBuf::from).context("cargo names no target directory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_from_below_and_not_from_outside() {
        assert!(root().join("xtask/Cargo.toml").is_file());
        assert_eq!(workspace_above(&root().join("crates/mosaic-geo/src")), Some(root()));
        assert_eq!(workspace_above(&root().join("xtask")), Some(root()));
        assert_eq!(workspace_above(Path::new("/")), None);
    }
}
