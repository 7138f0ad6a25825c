//! What the ledger's file holds, and what makes a claim acceptable.

use std::{collections::BTreeSet, fmt};

use anyhow::Result;
use serde::{Deserialize, Deserializer};

/// Who may attack, by the names of `docs/threats.md`; everybody; or nobody, where a promise is not about privacy.
const ADVERSARIES: [&str; 9] = ["N", "P1", "P2", "PA", "+I", "Y", "C", "all", "none"];

/// All claims, in the order of their ids.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ledger {
    #[serde(rename = "claim")]
    pub(super) claims: Vec<Claim>,
}

/// One sentence about privacy and what stands behind it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claim {
    /// `CL-07`: never changed, never used twice.
    pub(super) id: String,
    /// What a citation stands for.
    #[serde(deserialize_with = "one_line")]
    pub(super) sentence: String,
    /// The same, in terms that a test can refute.
    #[serde(deserialize_with = "one_line")]
    pub(super) definition: String,
    /// Against whom.
    pub(super) adversary: String,
    /// Tests that fail if the sentence is false.
    #[serde(default)]
    pub(super) tests: Vec<String>,
    /// Rows of the lab's report that are met while the claim holds.
    #[serde(default)]
    pub(super) rows: Vec<String>,
    /// What must be measured.
    pub(super) target: Option<Target>,
    /// What was measured last.
    pub(super) measured: Option<Measured>,
    pub(super) status: Status,
    /// What the sentence does not say.
    #[serde(deserialize_with = "one_line")]
    pub(super) limits: String,
}

/// A metric and its bounds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    pub(super) metric: String,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
}

/// A figure of the target's metric with its 95 % interval.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Measured {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    /// The day of the run, as `2026-11-21`.
    pub(super) date: String,
    /// What prints the figure again.
    pub(super) command: String,
}

/// Whether a claim may be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// Nothing that could refute it does.
    Holds,
    /// It was measured and is not true.
    Fails,
    /// It was not measured, or its defence is not built.
    Open,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::Open => "open",
        })
    }
}

/// Line breaks in the file are there for its readers only.
fn one_line<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(String::deserialize(from)?.split_whitespace().collect::<Vec<_>>().join(" "))
}

impl Ledger {
    pub(super) fn parse(text: &str) -> Result<Self> {
        Ok(toml::from_str(text)?)
    }

    pub(super) fn get(&self, id: &str) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.id == id)
    }

    /// What is wrong with the ledger by itself, given the `tests` that run.
    pub(super) fn faults(&self, tests: &BTreeSet<String>) -> Vec<String> {
        let mut found = Vec::new();
        for pair in self.claims.windows(2) {
            if pair[0].id >= pair[1].id {
                found.push(format!("{} stands behind {}: ids rise and are unique", pair[1].id, pair[0].id));
            }
        }
        for claim in &self.claims {
            found.extend(claim.faults(tests).into_iter().map(|fault| format!("{} {fault}", claim.id)));
            found
                .extend(self.strays(claim).map(|id| format!("{} mentions {id}, which is not in the ledger", claim.id)));
        }
        found
    }

    /// Ids that the texts of `claim` mention and nobody has.
    fn strays<'a>(&'a self, claim: &'a Claim) -> impl Iterator<Item = String> + 'a {
        let texts = [&claim.sentence, &claim.definition, &claim.limits];
        let mentions = texts.into_iter().flat_map(|text| text.split("CL-").skip(1));
        let ids =
            mentions.map(|rest| format!("CL-{}", rest.chars().take_while(char::is_ascii_digit).collect::<String>()));
        ids.filter(|id| self.get(id).is_none())
    }
}

impl Claim {
    fn faults(&self, tests: &BTreeSet<String>) -> Vec<String> {
        let mut found = Vec::new();
        let number = self.id.strip_prefix("CL-").unwrap_or_default();
        if number.len() != 2 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            found.push("is no id: CL- and two digits".to_owned());
        }
        for (name, text) in [("sentence", &self.sentence), ("definition", &self.definition), ("limits", &self.limits)] {
            if text.is_empty() {
                found.push(format!("has no {name}"));
            }
        }
        if !self.adversary.split(", ").all(|who| ADVERSARIES.contains(&who)) {
            found.push(format!("names the adversary `{}`, whom the threats do not know", self.adversary));
        }
        if self.status == Status::Holds && self.tests.is_empty() && self.rows.is_empty() {
            found.push("holds but names no test and no row of the lab".to_owned());
        }
        let missing = self.tests.iter().filter(|test| !tests.contains(*test));
        found.extend(missing.map(|test| format!("names the test `{test}`, which does not exist or does not run")));
        found.extend(self.measured.iter().flat_map(Measured::faults));
        if let (Status::Holds, Some(target), Some(measured)) = (self.status, &self.target, &self.measured)
            && !target.contains(measured)
        {
            found.push(format!("holds, but its interval {measured} does not lie within its target"));
        }
        found
    }
}

impl Target {
    /// The whole interval counts, not the figure.
    fn contains(&self, measured: &Measured) -> bool {
        self.low.is_none_or(|low| low <= measured.low) && self.high.is_none_or(|high| measured.high <= high)
    }
}

impl Measured {
    fn faults(&self) -> Vec<String> {
        let mut found = Vec::new();
        if !(self.low <= self.value && self.value <= self.high) {
            found.push("has a measured value outside its own interval".to_owned());
        }
        let parts: Vec<_> = self.date.split('-').map(|part| (part.len(), part.parse::<u16>().is_ok())).collect();
        if parts != [(4, true), (2, true), (2, true)] {
            found.push("has no date such as 2026-11-21 behind its figure".to_owned());
        }
        if self.command.is_empty() {
            found.push("does not say which command prints its figure".to_owned());
        }
        found
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {}]", self.low, self.high)
    }
}

#[cfg(test)]
pub(in crate::claims) mod tests;
