//! The processor time of servers, as the system counts it.

use std::{fs, process::Command};

use anyhow::{Context, Result};

/// Seconds that a process has computed, itself and its ended children, so far.
pub(super) fn computed_s(process: u32) -> Result<f64> {
    let path = format!("/proc/{process}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let ticks = ticks(&stat).with_context(|| format!("{path} holds something else"))?;
    Ok(ticks as f64 / ticks_a_second()?)
}

/// Fields 14 to 17: of itself and of ended children, each in programs and in the system. The second field is a name in
/// brackets that may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let times: Option<Vec<u64>> = fields.split_whitespace().skip(11).take(4).map(|field| field.parse().ok()).collect();
    times.filter(|times| times.len() == 4).map(|times| times.iter().sum())
}

fn ticks_a_second() -> Result<f64> {
    let output = Command::new("getconf").arg("CLK_TCK").output().context("getconf did not start")?;
    String::from_utf8_lossy(&output.stdout).trim().parse().context("getconf says something else")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_behind_any_name() {
        let stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 9 0 0 0 100 20 3 4 20 0 1 0 7 8 9";
        assert_eq!(ticks(stat), Some(127));
        assert_eq!(ticks("42 (a) S 1"), None);
        assert!(computed_s(std::process::id()).unwrap() >= 0.0);
    }
}
