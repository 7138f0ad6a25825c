//! The claims ledger: what documents cite must exist, and what holds must name its refutation.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::Result;

use crate::{code, tree};

const LEDGER: &str = "docs/claims.md";
const THREATS: &str = "docs/threats.md";

/// One row of the ledger's table.
struct Claim {
    status: String,
    refutation: String,
}

/// Checks the ledger against the tests it names and the documents that cite it.
pub(crate) fn check() -> Result<()> {
    let ledger = parse(&tree::read(Path::new(LEDGER))?);
    let tests = tests()?;
    let mut found = Vec::new();
    if ledger.is_empty() {
        found.push(format!("{LEDGER} has no rows"));
    }
    for (id, claim) in &ledger {
        found.extend(faults_of(id, claim, &tests));
    }
    for path in tree::files("md")? {
        if path != Path::new(LEDGER) {
            let text = tree::read(&path)?;
            found.extend(unsupported(&text, &ledger).map(|fault| format!("{}: {fault}", path.display())));
        }
    }
    found.extend(unclaimed(&tree::read(Path::new(THREATS))?).map(|row| format!("{THREATS}: no claim id in {row}")));
    tree::verdict("the claims ledger does not hold together", &found)
}

/// The names of all tests that run.
fn tests() -> Result<BTreeSet<String>> {
    let mut tests = BTreeSet::new();
    for path in tree::files("rs")? {
        let code = code::stripped(&tree::read(&path)?);
        tests.extend(code::tests_of(&code).into_iter().map(str::to_owned));
    }
    Ok(tests)
}

/// Rows of the table of what is left whose "still protected" cites nothing.
fn unclaimed(threats: &str) -> impl Iterator<Item = &str> {
    let section = threats.split("\n## ").find(|section| section.starts_with("What is left when")).unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.filter(|row| !row.split('|').nth(2).is_some_and(|protected| protected.contains("[CL-")))
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

/// A holding claim names a test, in backticks, that exists and runs; only three statuses exist.
fn faults_of(id: &str, claim: &Claim, tests: &BTreeSet<String>) -> Vec<String> {
    match claim.status.as_str() {
        "open" | "fails" => Vec::new(),
        "holds" => {
            let named: Vec<&str> = claim.refutation.split('`').skip(1).step_by(2).collect();
            let missing = |test: &&&str| !tests.contains(test.rsplit("::").next().unwrap_or(test));
            if named.is_empty() {
                return vec![format!("{id} holds but names no test")];
            }
            named
                .iter()
                .filter(missing)
                .map(|test| format!("{id} names the test `{test}`, which does not exist or does not run"))
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
        let tests = |code: &str| code::tests_of(code).into_iter().map(str::to_owned).collect();
        let faults = |code: &str| faults_of("CL-01", &ledger["CL-01"], &tests(code)).len();
        assert_eq!(faults("#[test] fn another_test() {}"), 1);
        assert_eq!(faults("fn a_test() {}"), 1, "a function that is no test refutes nothing");
        assert_eq!(faults("#[test] #[ignore] fn a_test() {}"), 1, "a test that does not run refutes nothing");
        assert_eq!(faults("#[test] fn a_test() {}"), 0);
    }

    #[test]
    fn every_row_of_what_is_left_cites_a_claim() {
        let text = "# Threats\n\n## What is left when …\n\n| who | still | not |\n|---|---|---|\n| N | place [CL-11] | x |\n\
                    | C | nothing | [CL-16] |\n\n## Never\n\n| a | b | c |\n|---|---|---|\n| d | e | f |\n";
        assert_eq!(unclaimed(text).collect::<Vec<_>>(), ["| C | nothing | [CL-16] |"]);
    }
}
