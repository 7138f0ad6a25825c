//! Who gets how many executions: equal shares, and what slow targets leave goes to the quick ones.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf, sync::Mutex, thread};

use anyhow::{Context, Result, bail};

use super::runs::{Outcome, Place, Run};
use crate::tell::tell;

/// Rounds at most; a target that reaches its share in none of them is left alone.
const ROUNDS: u32 = 20;

/// All targets on their way to a number of executions.
pub(super) struct Campaign {
    wanted: u64,
    seconds: u64,
    seed: u32,
    done: BTreeMap<String, Done>,
}

/// What became of one target.
#[derive(Default)]
struct Done {
    executions: u64,
    /// Whether it did less than its share in the time it had.
    slow: bool,
    findings: Vec<PathBuf>,
}

impl Campaign {
    pub(super) fn new(targets: Vec<String>, wanted: u64, seconds: u64, seed: u32) -> Self {
        Self { wanted, seconds, seed, done: targets.into_iter().map(|name| (name, Done::default())).collect() }
    }

    pub(super) fn targets(&self) -> impl Iterator<Item = &str> {
        self.done.keys().map(String::as_str)
    }

    fn executions(&self) -> u64 {
        self.done.values().map(|done| done.executions).sum()
    }

    /// Rounds until the number is reached or nobody can do more.
    pub(super) fn run(&mut self, place: &Place, jobs: usize) -> Result<()> {
        for round in 0..ROUNDS {
            let runs = self.round(round);
            if runs.is_empty() {
                break;
            }
            tell(&format!("round {}: {} targets, {} executions each", round + 1, runs.len(), runs[0].executions));
            for (run, outcome) in in_parallel(runs, jobs, |run| run.execute(place))? {
                self.note(&run, outcome);
            }
        }
        Ok(())
    }

    /// The runs of the next round: what is missing, in equal shares over the targets that are quick and found nothing.
    fn round(&self, round: u32) -> Vec<Run> {
        let missing = self.wanted.saturating_sub(self.executions());
        let able: Vec<&String> =
            self.done.iter().filter(|(_, done)| !done.slow && done.findings.is_empty()).map(|(name, _)| name).collect();
        if missing == 0 || able.is_empty() {
            return Vec::new();
        }
        let executions = missing.div_ceil(able.len() as u64);
        let seed = self.seed.wrapping_add(round).max(1);
        able.into_iter().map(|target| Run { target: target.clone(), executions, seconds: self.seconds, seed }).collect()
    }

    fn note(&mut self, run: &Run, outcome: Outcome) {
        let Some(done) = self.done.get_mut(&run.target) else { return };
        done.executions += outcome.executions;
        done.slow |= outcome.executions < run.executions;
        if let Some(finding) = outcome.finding {
            tell(&format!("{} failed; see {}", run.target, finding.display()));
            done.findings.push(finding);
        }
    }

    /// The table; an error when something was found, or when fewer were executed than asked for.
    pub(super) fn verdict(&self) -> Result<()> {
        say(&self.table());
        let findings: Vec<String> =
            self.done.values().flat_map(|done| &done.findings).map(|path| path.display().to_string()).collect();
        if !findings.is_empty() {
            bail!("inputs that fail; mend, then copy them into fuzz/corpus:\n  {}", findings.join("\n  "));
        }
        if self.executions() < self.wanted {
            bail!("{} executions of {}; give more --seconds", self.executions(), self.wanted);
        }
        Ok(())
    }

    fn table(&self) -> String {
        let mut text = String::new();
        for (name, done) in &self.done {
            // writing to a string does not fail
            let _written = writeln!(text, "{name:<30} {:>12}  {} findings", done.executions, done.findings.len());
        }
        let _written = write!(text, "{:<30} {:>12}  {} targets", "together", self.executions(), self.done.len());
        text
    }
}

/// Does `work` for each item on so many threads; stops at the first error.
fn in_parallel<T: Send, O: Send>(
    items: Vec<T>,
    jobs: usize,
    work: impl Fn(&T) -> Result<O> + Sync,
) -> Result<Vec<(T, O)>> {
    let (waiting, done) = (Mutex::new(items), Mutex::new(Vec::new()));
    let take = || waiting.lock().ok().and_then(|mut waiting| waiting.pop());
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(item) = take() {
                    let outcome = work(&item);
                    if let Ok(mut done) = done.lock() {
                        done.push((item, outcome));
                    }
                }
            });
        }
    });
    let done = done.into_inner().ok().context("a thread panicked")?;
    done.into_iter().map(|(item, outcome)| Ok((item, outcome?))).collect()
}

#[expect(clippy::print_stdout, reason = "the result of a command line tool")]
fn say(text: &str) {
    println!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn campaign(names: &[&str], wanted: u64) -> Campaign {
        Campaign::new(names.iter().map(|&name| name.to_owned()).collect(), wanted, 1, 1)
    }

    fn outcome(executions: u64) -> Outcome {
        Outcome { executions, finding: None }
    }

    #[test]
    fn what_a_slow_target_leaves_goes_to_the_quick_ones() {
        let mut campaign = campaign(&["quick", "slow"], 1_000);
        for run in campaign.round(0) {
            assert_eq!((run.executions, run.seed), (500, 1));
            let executions = if run.target == "slow" { 20 } else { 500 };
            campaign.note(&run, outcome(executions));
        }
        let next = campaign.round(1);
        assert_eq!((next.len(), next[0].target.as_str(), next[0].executions, next[0].seed), (1, "quick", 480, 2));
        assert!(campaign.verdict().is_err(), "480 are missing");
        campaign.note(&next[0], outcome(480));
        assert!(campaign.round(2).is_empty());
        campaign.verdict().unwrap();
    }

    #[test]
    fn a_finding_fails_however_many_were_executed() {
        let mut campaign = campaign(&["a"], 10);
        let run = campaign.round(0).remove(0);
        campaign.note(&run, Outcome { executions: 10, finding: Some("crash-1".into()) });
        assert!(campaign.verdict().unwrap_err().to_string().contains("crash-1"));
    }

    #[test]
    fn every_item_is_worked_on_once() {
        let mut done = in_parallel((0..50).collect(), 3, |number: &u32| Ok(number * 2)).unwrap();
        done.sort_unstable();
        assert_eq!(done, (0..50).map(|number| (number, number * 2)).collect::<Vec<_>>());
        assert!(in_parallel(vec![1, 2], 2, |_: &u32| -> Result<u32> { bail!("no") }).is_err());
    }
}
