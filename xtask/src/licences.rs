//! Every dependency's licence against the list in `deny.toml`, offline (`cargo deny check licenses`
//! says the same to those who have it installed).

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::tree::{self, WithDependencies};

/// Checks all packages of the lock file.
pub(crate) fn check() -> Result<()> {
    let allowed = allowed(&tree::read(Path::new("deny.toml"))?)?;
    let metadata = tree::metadata(WithDependencies::Yes)?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found: Vec<String> = packages.iter().filter_map(|package| refusal(package, &allowed)).collect();
    tree::verdict("licences outside deny.toml", &found)
}

/// The strings of the `allow = [...]` list in the `[licenses]` section.
fn allowed(policy: &str) -> Result<BTreeSet<String>> {
    let section = policy.split("[licenses]").nth(1).context("deny.toml has no [licenses] section")?;
    let list = section.split("allow = [").nth(1).and_then(|rest| rest.split(']').next());
    let list = list.context("deny.toml has no licence list")?;
    Ok(list.split('"').skip(1).step_by(2).map(str::to_owned).collect())
}

fn refusal(package: &Value, allowed: &BTreeSet<String>) -> Option<String> {
    let name = package["name"].as_str()?;
    match package["license"].as_str() {
        Some(expression) if acceptable(expression, allowed) => None,
        Some(expression) => Some(format!("{name}: {expression}")),
        None => Some(format!("{name}: states no licence")),
    }
}

/// An SPDX expression is acceptable when one alternative of every conjunct is allowed. Our
/// dependencies nest no deeper than `(A OR B) AND C`.
fn acceptable(expression: &str, allowed: &BTreeSet<String>) -> bool {
    expression.split(" AND ").all(|conjunct| {
        conjunct
            .trim_matches(['(', ')', ' '])
            .split(" OR ")
            .flat_map(|part| part.split('/'))
            .any(|licence| allowed.contains(licence.trim_matches(['(', ')', ' '])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dependency_is_licensed_as_the_policy_allows() {
        check().unwrap();
    }

    #[test]
    fn expressions_are_read() {
        let allowed = BTreeSet::from(["MIT".to_owned(), "ISC".to_owned()]);
        assert!(acceptable("Apache-2.0 OR MIT", &allowed) && acceptable("(MIT OR Apache-2.0) AND ISC", &allowed));
        assert!(!acceptable("MIT AND GPL-3.0", &allowed) && !acceptable("LGPL-3.0-only", &allowed));
    }
}
