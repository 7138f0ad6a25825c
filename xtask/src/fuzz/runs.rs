//! One process of libFuzzer, and what it said.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// Where everything lies.
pub(super) struct Place {
    /// The programs, one for each target.
    pub(super) programs: PathBuf,
    /// What grows while fuzzing: corpora, logs and findings.
    pub(super) work: PathBuf,
    /// The corpora that git keeps.
    pub(super) kept: PathBuf,
}

/// What one process is to do.
pub(super) struct Run {
    pub(super) target: String,
    pub(super) executions: u64,
    pub(super) seconds: u64,
    pub(super) seed: u32,
}

/// What it did.
pub(super) struct Outcome {
    pub(super) executions: u64,
    /// The input that failed, or the log where there is none.
    pub(super) finding: Option<PathBuf>,
}

impl Place {
    /// Where `target` collects what reached new code.
    pub(super) fn grown(&self, target: &str) -> PathBuf {
        self.work.join("corpus").join(target)
    }

    /// Makes a folder below the working one.
    pub(super) fn folder(&self, path: &str) -> Result<PathBuf> {
        let folder = self.work.join(path);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }

    /// A process of `target` that writes its log to a file; the arguments are libFuzzer's.
    pub(super) fn process(&self, target: &str, arguments: &[String]) -> Result<(Option<i32>, String, PathBuf)> {
        let (logs, findings) = (self.folder("logs")?, self.folder("findings")?);
        let path = logs.join(format!("{target}.log"));
        let log = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
        let mut command = Command::new(self.programs.join(target));
        command.args(arguments).arg(format!("-artifact_prefix={}/{target}-", findings.display()));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let status = command.status().with_context(|| format!("{target} did not start"))?;
        let said = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok((status.code(), String::from_utf8_lossy(&said).into_owned(), path))
    }
}

impl Run {
    /// Fuzzes; a process that ends otherwise than well has found something, whatever it was.
    pub(super) fn execute(&self, place: &Place) -> Result<Outcome> {
        let grown = place.folder(&format!("corpus/{}", self.target))?;
        let limits = [
            format!("-runs={}", self.executions),
            format!("-max_total_time={}", self.seconds),
            format!("-seed={}", self.seed),
            // one input that takes ten seconds or two GiB is a finding too
            "-timeout=10".to_owned(),
            "-rss_limit_mb=2048".to_owned(),
            "-print_final_stats=1".to_owned(),
        ];
        let kept = place.kept.join(&self.target);
        let folders = [grown, kept].map(|folder| folder.display().to_string());
        let (code, said, log) = place.process(&self.target, &[&limits[..], &folders].concat())?;
        let Some(executions) = executed(&said) else {
            bail!("{} said nothing of executions; see {}", self.target, log.display());
        };
        let finding = (code != Some(0)).then(|| finding(&said).unwrap_or(log));
        Ok(Outcome { executions, finding })
    }
}

/// The number of libFuzzer's last statistics; of a crash before them, that of the last line of progress.
fn executed(said: &str) -> Option<u64> {
    let stated = said.lines().rev().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let progress = || said.lines().rev().find_map(|line| line.strip_prefix('#')?.split_whitespace().next());
    stated.or_else(progress)?.trim().parse().ok()
}

/// The file that libFuzzer wrote the input to.
fn finding(said: &str) -> Option<PathBuf> {
    said.lines().rev().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path.trim().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_and_findings_are_read_from_the_log() {
        let well = "#2\tINITED cov: 3\n#150000\tDONE cov: 9\nstat::number_of_executed_units: 150000\n";
        assert_eq!((executed(well), finding(well)), (Some(150_000), None));
        let crash =
            "#2\tINITED cov: 3\n#77\tNEW cov: 9\nartifact_prefix='x/'; Test unit written to x/crash-1\nBase64: AA==\n";
        assert_eq!((executed(crash), finding(crash)), (Some(77), Some("x/crash-1".into())));
        assert_eq!(executed("it did not start"), None);
    }
}
