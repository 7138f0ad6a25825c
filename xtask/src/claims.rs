//! The claims ledger: what documents cite must exist, and what holds must name its refutation.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;

use crate::tree;

const LEDGER: &str = "docs/claims.md";

/// One row of the ledger's table.
struct Claim {
    status: String,
    refutation: String,
}

/// Checks the ledger against the tests it names and the documents that cite it.
pub(crate) fn check() -> Result<()> {
    let ledger = parse(&tree::read(Path::new(LEDGER))?);
    let sources = tree::files("rs")?.iter().map(|path| tree::read(path)).collect::<Result<Vec<_>>>()?.join("\n");
    let mut found = Vec::new();
    if ledger.is_empty() {
        found.push(format!("{LEDGER} has no rows"));
    }
    for (id, claim) in &ledger {
        found.extend(faults_of(id, claim, &sources));
    }
    for path in tree::files("md")? {
        if path != Path::new(LEDGER) {
            let text = tree::read(&path)?;
            found.extend(unsupported(&text, &ledger).map(|fault| format!("{}: {fault}", path.display())));
        }
    }
    tree::verdict("the claims ledger does not hold together", &found)
}

/// Rows look like `| CL-01 | sentence | adversary | refuted by | status | limits |`.
fn parse(text: &str) -> BTreeMap<String, Claim> {
    text.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
            let [id, _sentence, _adversary, refutation, status, _limits] = cells.as_slice() else { return None };
            id.starts_with("CL-").then(|| {
                ((*id).to_owned(), Claim { status: (*status).to_owned(), refutation: (*refutation).to_owned() })
            })
        })
        .collect()
}

/// A holding claim names a test function, in backticks, that exists; only three statuses exist.
fn faults_of(id: &str, claim: &Claim, sources: &str) -> Vec<String> {
    match claim.status.as_str() {
        "open" | "fails" => Vec::new(),
        "holds" => {
            let named: Vec<&str> = claim.refutation.split('`').skip(1).step_by(2).collect();
            let missing =
                |test: &&&str| !sources.contains(&format!("fn {}(", test.rsplit("::").next().unwrap_or(test)));
            if named.is_empty() {
                return vec![format!("{id} holds but names no test")];
            }
            named
                .iter()
                .filter(missing)
                .map(|test| format!("{id} names the test `{test}`, which does not exist"))
                .collect()
        }
        other => vec![format!("{id} has the status `{other}`; holds, fails and open are the only ones")],
    }
}

/// Citations such as `[CL-03]` of claims that do not exist, or that do not hold and are not marked so.
fn unsupported<'a>(text: &'a str, ledger: &'a BTreeMap<String, Claim>) -> impl Iterator<Item = String> + 'a {
    text.split("[CL-").skip(1).filter_map(|rest| {
        let (number, after) = rest.split_once(']')?;
        let id = format!("CL-{number}");
        let marked_open = after.trim_start().starts_with("(open)");
        match ledger.get(&id) {
            None => Some(format!("cites {id}, which is not in the ledger")),
            Some(claim) if claim.status != "holds" && !marked_open => {
                Some(format!("cites {id}, whose status is `{}`, without writing (open) behind it", claim.status))
            }
            Some(_) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_holds_together() {
        check().unwrap();
    }

    #[test]
    fn unknown_open_and_testless_claims_are_found() {
        let ledger = parse("| CL-01 | s | P1 | `a_test` | holds | l |\n| CL-02 | s | P1 | later | open | l |");
        assert_eq!(unsupported("[CL-01] [CL-02] (open) [CL-02] [CL-09]", &ledger).count(), 2);
        assert_eq!(faults_of("CL-01", &ledger["CL-01"], "fn another_test() {}").len(), 1);
        assert!(faults_of("CL-01", &ledger["CL-01"], "fn a_test() {}").is_empty());
    }
}
