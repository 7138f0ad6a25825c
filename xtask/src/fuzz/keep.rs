//! What a campaign leaves in git: few and short inputs that reach what the kept ones do not.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};

use super::runs::Place;
use crate::tell::tell;

/// No kept input is longer: a corpus is read by people and replayed by every test run.
const LONGEST: u64 = 8 << 10;

/// For each target: libFuzzer picks the inputs that reach what the kept corpus does not; the shortest are copied.
pub(super) fn keep<'a>(place: &Place, targets: impl Iterator<Item = &'a str>, most: usize) -> Result<()> {
    let mut copied = 0;
    for target in targets {
        let picked = place.folder(&format!("picked/{target}"))?;
        for (path, _) in files(&picked)? {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        let kept = place.kept.join(target);
        for (path, _) in files(&kept)? {
            copy(&path, &picked)?;
        }
        let before: Vec<PathBuf> = files(&picked)?.into_iter().map(|(path, _)| path).collect();
        let folders = [&picked, &place.grown(target)].map(|folder| folder.display().to_string());
        let (code, _, log) = place.process(target, &[&["-merge=1".to_owned()][..], &folders].concat())?;
        ensure!(code == Some(0), "{target}: the corpora were not merged; see {}", log.display());
        let mut new: Vec<_> = files(&picked)?.into_iter().filter(|(path, _)| !before.contains(path)).collect();
        new.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        for (path, _) in new.into_iter().filter(|(_, length)| *length <= LONGEST).take(most) {
            copy(&path, &kept)?;
            copied += 1;
        }
    }
    tell(&format!("{copied} inputs were added to fuzz/corpus"));
    Ok(())
}

/// The files in a folder with their lengths.
fn files(folder: &PathBuf) -> Result<Vec<(PathBuf, u64)>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let described = entries.map(|entry| -> Result<_> {
        let entry = entry?;
        Ok((entry.path(), entry.metadata()?.len()))
    });
    described.collect()
}

fn copy(from: &PathBuf, into: &std::path::Path) -> Result<()> {
    let name = from.file_name().context("a file without a name")?;
    fs::copy(from, into.join(name)).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}
