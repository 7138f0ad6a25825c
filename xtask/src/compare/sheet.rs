//! The table of a comparison, for people and for machines.

use std::{fmt, fs, path::Path};

use anyhow::{Context, Result};
use serde::Serialize;

/// Rows, and whether both sides said the same.
#[derive(Default)]
pub(super) struct Sheet {
    rows: Vec<Row>,
    differences: Vec<String>,
}

/// What stands beside our figure.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// Another program's figure for the same work.
    Peer,
    /// The most that is allowed.
    Target,
}

/// One piece of work, done by both, or by us within a bound.
#[derive(Serialize)]
pub(super) struct Row {
    /// Whether it is a peer's figure or a bound.
    kind: Kind,
    /// What was done.
    work: String,
    /// Our figure.
    ours: f64,
    /// The peer's, or the bound.
    peer: f64,
    /// Who that is, with its version, or where the bound stands.
    peer_name: String,
    /// Unit of both.
    unit: &'static str,
    /// How many times better ours is: their seconds over ours, our rate over theirs, or the bound over ours.
    ratio: f64,
}

impl Sheet {
    /// Adds what the same work took, in seconds.
    pub(super) fn seconds(&mut self, work: String, ours: f64, peer: f64, peer_name: &str) {
        let ratio = peer / ours.max(f64::MIN_POSITIVE);
        self.rows.push(Row { kind: Kind::Peer, work, ours, peer, peer_name: peer_name.to_owned(), unit: "s", ratio });
    }

    /// Adds how much of the same work is done a second.
    pub(super) fn rate(&mut self, work: String, ours: f64, peer: f64, peer_name: &str) {
        let ratio = ours / peer.max(f64::MIN_POSITIVE);
        self.rows.push(Row { kind: Kind::Peer, work, ours, peer, peer_name: peer_name.to_owned(), unit: "1/s", ratio });
    }

    /// Adds a figure that must stay within a bound; one that does not is a difference.
    pub(super) fn bound(&mut self, work: String, ours: f64, most: f64, unit: &'static str, whose: &str) {
        if ours.is_nan() || ours > most {
            self.differ(format!("{work}: {ours} {unit}, at most {most} allowed"));
        }
        let ratio = most / ours.max(f64::MIN_POSITIVE);
        self.rows.push(Row { kind: Kind::Target, work, ours, peer: most, peer_name: whose.to_owned(), unit, ratio });
    }

    /// Notes that the two disagree.
    pub(super) fn differ(&mut self, what: String) {
        self.differences.push(what);
    }

    /// Whether all results agree. Nothing compared is nothing agreed upon.
    pub(super) fn equal(&self) -> bool {
        self.differences.is_empty() && !self.rows.is_empty()
    }

    /// Where they do not.
    pub(super) fn differences(&self) -> &[String] {
        &self.differences
    }

    /// Writes `{"rows": [...], "equal": ...}`.
    pub(super) fn keep(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(&self.json()).context("the table cannot be written")?;
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({ "rows": self.rows, "equal": self.equal() })
    }
}

impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.work.chars().count()).max().unwrap_or(0).max(4);
        writeln!(f, "{:<width$}  {:>12}  {:>12}  unit  {:>10}  peer", "work", "ours", "peer", "ratio")?;
        for row in &self.rows {
            let Row { kind: _, work, ours, peer, peer_name, unit, ratio } = row;
            writeln!(f, "{work:<width$}  {ours:>12.6}  {peer:>12.3}  {unit:<4}  {ratio:>10.3}  {peer_name}")?;
        }
        write!(f, "{}", if self.equal() { "results equal" } else { "results DIFFER" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields that whoever reads compare.json relies on.
    #[test]
    fn the_file_has_the_documented_fields() {
        let mut sheet = Sheet::default();
        sheet.seconds("attack".to_owned(), 0.5, 100.0, "peer 1.0");
        let row = serde_json::json!({
            "work": "attack", "ours": 0.5, "peer": 100.0, "peer_name": "peer 1.0", "unit": "s", "ratio": 200.0, "kind": "peer",
        });
        assert_eq!(sheet.json(), serde_json::json!({ "rows": [row], "equal": true }));
        assert!(sheet.to_string().contains("200.000  peer 1.0") && sheet.to_string().ends_with("results equal"));
    }

    #[test]
    fn a_rate_is_better_when_it_is_higher() {
        let mut sheet = Sheet::default();
        sheet.rate("reads".to_owned(), 500.0, 2_000.0, "peer");
        assert_eq!(
            (&sheet.json()["rows"][0]["ratio"], &sheet.json()["rows"][0]["unit"]),
            (&0.25.into(), &"1/s".into())
        );
    }

    #[test]
    fn a_bound_that_is_missed_is_a_difference() {
        for (ours, equal) in [(0.004, true), (0.006, false), (f64::NAN, false)] {
            let mut sheet = Sheet::default();
            sheet.bound("check".to_owned(), ours, 0.005, "s", "a requirement");
            assert_eq!((sheet.equal(), &sheet.json()["rows"][0]["kind"]), (equal, &serde_json::json!("target")));
        }
    }

    #[test]
    fn one_difference_and_nothing_at_all_are_not_equal() {
        let mut sheet = Sheet::default();
        assert!(!sheet.equal());
        sheet.seconds("attack".to_owned(), 1.0, 1.0, "peer");
        sheet.differ("a: 0.5 here, 1 there".to_owned());
        assert_eq!(sheet.json()["equal"], serde_json::json!(false));
    }
}
