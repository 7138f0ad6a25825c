//! The re-identification attack of the lab beside scikit-mobility's `LocationAttack`: the same visits from the same
//! file, the same knowledge, everybody's risk compared.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::{CompareArgs, sheet::Sheet};
use crate::{python::Python, tell::tell, tree};

/// What either side prints; other fields are for people.
#[derive(Deserialize)]
struct Told {
    /// Only the peer says it.
    version: Option<String>,
    people: Option<usize>,
    visits: Option<usize>,
    attacks: Vec<Attacked>,
}

#[derive(Deserialize)]
struct Attacked {
    known: u8,
    /// The attack alone: no loading, no imports.
    seconds: f64,
    /// By user.
    risks: BTreeMap<String, f64>,
}

/// Risks may differ by this much: one is a quotient of two floats, the other of two integers.
const TOLERANCE: f64 = 1e-9;

/// Adds a row for every number of known visits.
pub(super) fn compare(args: &CompareArgs, sheet: &mut Sheet) -> Result<()> {
    let target = tree::target()?;
    let folder = target.join("compare");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let scripts = tree::root().join("xtask/compare");
    let python = Python::with_packages(
        &folder.join("lab-python"),
        &scripts.join("lab-requirements.txt"),
        args.python.as_deref(),
    )?;
    let program = args.program.clone().map_or_else(|| build(&target), Ok)?;
    let visits = folder.join("visits.csv");
    // the movement is thinned once; both sides then read what came of it
    attack(&program, args, args.traces.as_deref(), &[OsStr::new("--visits-out"), visits.as_os_str()])?;
    let ours = attack(&program, args, Some(&visits), &[])?;
    tell("scikit-mobility, some minutes for each number of known visits");
    let known = known(args);
    let peer = python.run(&scripts.join("lab.py"), &[visits.as_os_str(), OsStr::new(&known)])?;
    let peer: Told = serde_json::from_slice(&peer).context("scikit-mobility printed something else")?;
    let name = format!("scikit-mobility {} LocationAttack", peer.version.as_deref().unwrap_or_default());
    let (people, count) = (ours.people.unwrap_or_default(), ours.visits.unwrap_or_default());
    ensure!(ours.attacks.len() == peer.attacks.len(), "scikit-mobility made other attacks");
    for (ours, peer) in ours.attacks.iter().zip(&peer.attacks) {
        ensure!(ours.known == peer.known, "scikit-mobility made other attacks");
        let work = format!("re-identify {people} people by {} of {count} visits", ours.known);
        differences(ours, peer).into_iter().for_each(|one| sheet.differ(format!("{work}: {one}")));
        sheet.seconds(work, ours.seconds, peer.seconds, &name);
    }
    Ok(())
}

/// The program in the release profile: that is what people run.
fn build(target: &Path) -> Result<PathBuf> {
    tell("building the program as it is released");
    let build = ["build", "--quiet", "--locked", "--release", "--package", "mosaic"];
    let status = Command::new(env!("CARGO")).args(build).current_dir(tree::root()).status();
    ensure!(status.context("cargo did not start")?.success(), "the program does not compile");
    Ok(target.join("release").join(format!("mosaic{}", std::env::consts::EXE_SUFFIX)))
}

/// Runs our attack.
fn attack(program: &Path, args: &CompareArgs, traces: Option<&Path>, more: &[&OsStr]) -> Result<Told> {
    let mut command = Command::new(program);
    command.args(["--json", "lab", "knowledge", "--known", &known(args), "--repeat", "25"]);
    command.args(["--side-deg", &args.side_deg.to_string()]);
    if let Some(traces) = traces {
        command.arg("--traces").arg(traces);
    }
    let output = command.args(more).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("{} did not start", program.display()))?;
    let told = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "our attack failed ({}): {}", output.status, told.trim());
    serde_json::from_str(&told).context("our attack printed something else")
}

fn known(args: &CompareArgs) -> String {
    args.known.iter().map(u8::to_string).collect::<Vec<_>>().join(",")
}

/// Users that only one side knows, or whose risks differ.
fn differences(ours: &Attacked, peer: &Attacked) -> Vec<String> {
    let everybody = ours.risks.keys().chain(peer.risks.keys().filter(|user| !ours.risks.contains_key(*user)));
    let differs = |user: &&String| match (ours.risks.get(*user), peer.risks.get(*user)) {
        // what is no number is not equal either
        (Some(a), Some(b)) => (a - b).is_nan() || (a - b).abs() > TOLERANCE,
        _ => true,
    };
    let show =
        |risks: &BTreeMap<String, f64>, user: &String| risks.get(user).map_or_else(|| "-".to_owned(), f64::to_string);
    everybody
        .filter(differs)
        .map(|user| format!("{user}: {} here, {} there", show(&ours.risks, user), show(&peer.risks, user)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attacked(risks: &[(&str, f64)]) -> Attacked {
        let risks = risks.iter().map(|(user, risk)| ((*user).to_owned(), *risk)).collect();
        Attacked { known: 1, seconds: 0.0, risks }
    }

    #[test]
    fn equal_means_every_user_and_every_risk() {
        let ours = attacked(&[("a", 1.0), ("b", 1.0 / 3.0)]);
        assert_eq!(differences(&ours, &attacked(&[("a", 1.0), ("b", 0.333_333_333_333)])), [""; 0]);
        for other in [
            attacked(&[("a", 1.0), ("b", 0.5)]),
            attacked(&[("a", 1.0)]),
            attacked(&[("a", 1.0), ("b", 1.0 / 3.0), ("c", 0.1)]),
            attacked(&[("a", f64::NAN), ("b", 1.0 / 3.0)]),
        ] {
            assert_eq!(differences(&ours, &other).len(), 1);
        }
    }
}
