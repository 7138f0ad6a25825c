//! A Python of a task's own, with pinned packages, below the target folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

use crate::tell::tell;

/// Versions that the pinned packages have wheels for.
const MINOR: std::ops::RangeInclusive<u32> = 9..=11;

/// A virtual environment with exactly the packages of a requirements file.
pub(crate) struct Python {
    program: PathBuf,
}

impl Python {
    /// Makes the environment in `folder`, or takes the one that is there if it was made of the same `requirements`.
    pub(crate) fn with_packages(folder: &Path, requirements: &Path, named: Option<&Path>) -> Result<Self> {
        let program = folder.join("bin/python");
        // written last: an installation that was interrupted is none
        let made_of = folder.join("requirements.txt");
        let wanted = fs::read(requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
        if program.exists() && fs::read(&made_of).is_ok_and(|made_of| made_of == wanted) {
            return Ok(Self { program });
        }
        let python = find(named)?;
        tell(&format!("installing {} below {}", requirements.display(), folder.display()));
        call(Command::new(&python).args(["-m", "venv", "--clear"]).arg(folder))
            .context("no virtual environment can be made; Debian has venv in the package python3-venv")?;
        let pip =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"];
        call(Command::new(&program).args(pip).arg("--requirement").arg(requirements))
            .context("the packages cannot be installed; they come from the Python package index")?;
        fs::write(&made_of, wanted).with_context(|| format!("cannot write {}", made_of.display()))?;
        Ok(Self { program })
    }

    /// A program that one of the packages brought.
    pub(crate) fn tool(&self, name: &str) -> PathBuf {
        self.program.with_file_name(name)
    }

    /// What a script prints; its errors and its progress go to the terminal.
    pub(crate) fn run(&self, script: &Path, arguments: &[&std::ffi::OsStr]) -> Result<Vec<u8>> {
        let output = Command::new(&self.program).arg(script).args(arguments).stderr(Stdio::inherit()).output();
        let output = output.with_context(|| format!("{} did not start", self.program.display()))?;
        ensure!(output.status.success(), "{} failed ({})", script.display(), output.status);
        Ok(output.stdout)
    }
}

/// A Python of a version that fits.
fn find(named: Option<&Path>) -> Result<PathBuf> {
    let usual = ["python3.11", "python3.10", "python3.9", "python3"].map(PathBuf::from);
    let tried = named.map_or_else(|| usual.to_vec(), |named| vec![named.to_owned()]);
    let found = tried.iter().find(|python| minor(python).is_some_and(|minor| MINOR.contains(&minor)));
    match found {
        Some(python) => Ok(python.clone()),
        None => bail!("Python 3.9 to 3.11 is needed; name one with --python PROGRAM"),
    }
}

fn minor(python: &Path) -> Option<u32> {
    let output = Command::new(python).arg("--version").stderr(Stdio::null()).output().ok()?;
    minor_of(&String::from_utf8(output.stdout).ok()?)
}

/// The 11 of `Python 3.11.7`.
fn minor_of(version: &str) -> Option<u32> {
    version.trim().strip_prefix("Python 3.")?.split('.').next()?.parse().ok()
}

fn call(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_owned();
    let status =
        command.stdout(Stdio::null()).status().with_context(|| format!("{} did not start", program.display()))?;
    ensure!(status.success(), "{} ended with {status}", program.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(minor_of("Python 3.11.7\n"), Some(11));
        assert_eq!(minor_of("Python 3.9.2+"), Some(9));
        assert_eq!(minor_of("Python 2.7.18"), None);
        assert_eq!(minor_of(""), None);
    }
}
