//! The lab as a gate: its quick attacks must support what the claims ledger says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{claims, tree};

/// Runs the quick attacks and judges their report. A program without them, older than they are, passes and says so.
#[expect(clippy::print_stderr, reason = "progress of a command line tool")]
pub(crate) fn check() -> Result<()> {
    let folder = folder()?;
    build()?;
    let help = mosaic(&["lab", "run", "--help"], &folder, Stdio::piped())?;
    if !offers_quick(&help) {
        eprintln!("xtask: `mosaic lab run --quick` does not exist yet; nothing was attacked");
        return Ok(());
    }
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

/// Whether a help text was printed, and one that knows the flag; a subcommand that does not exist prints none.
fn offers_quick(help: &Output) -> bool {
    help.status.success() && String::from_utf8_lossy(&help.stdout).contains("--quick")
}

/// Where the lab may leave files: not in the working tree.
fn folder() -> Result<PathBuf> {
    let metadata = tree::metadata(tree::WithDependencies::No)?;
    let target = metadata["target_directory"].as_str().context("cargo names no target directory")?;
    let folder = Path::new(target).join("lab");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// By itself, so that a program that does not compile is not taken for one without the command.
fn build() -> Result<()> {
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

#[cfg(all(test, unix))]
mod tests {
    use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus};

    use super::*;

    #[test]
    fn only_a_help_text_with_the_flag_offers_the_quick_run() {
        let help = |code: i32, text: &str| Output {
            status: ExitStatus::from_raw(code << 8),
            stdout: text.as_bytes().to_vec(),
            stderr: b"error: unrecognized subcommand; try --quick".to_vec(),
        };
        assert!(offers_quick(&help(0, "Usage: mosaic lab run [OPTIONS]\n  --quick  The gate's attacks")));
        assert!(!offers_quick(&help(0, "Usage: mosaic lab run [OPTIONS]")));
        assert!(!offers_quick(&help(2, "")));
        assert!(!offers_quick(&help(2, "--quick")));
    }
}
