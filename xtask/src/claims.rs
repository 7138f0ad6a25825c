//! The claims ledger: `docs/claims.toml` says what is claimed, `docs/claims.md` is made of it, and every document and
//! every text of the program may say about privacy only what a claim supports.

mod citations;
mod gate;
mod ledger;
mod markdown;
mod page;
mod privacy;
mod uitext;
mod vocabulary;

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result};

use crate::{code, tree};
use ledger::Ledger;

const LEDGER: &str = "docs/claims.toml";
const PAGE: &str = "docs/claims.md";
const THREATS: &str = "docs/threats.md";

/// Checks the ledger, its page, the tests it names, whoever cites it and whoever should.
pub(crate) fn check() -> Result<()> {
    let ledger = read()?;
    let mut found = ledger.faults(&tests()?);
    if tree::read(Path::new(PAGE))? != page::of(&ledger) {
        found.push(format!("{PAGE} is not what {LEDGER} says; run `cargo xtask claims --write`"));
    }
    for path in tree::files("md")?.into_iter().filter(|path| path != Path::new(PAGE)) {
        let faults = citations::unsupported(&tree::read(&path)?, &ledger);
        found.extend(faults.into_iter().map(|fault| format!("{}: {fault}", path.display())));
    }
    let threats = tree::read(Path::new(THREATS))?;
    found.extend(citations::unclaimed(&threats).map(|row| format!("{THREATS}: no claim in {row}")));
    found.extend(citations::unlisted(&threats, &ledger).map(|id| format!("{THREATS}: {id} is missing from the list")));
    found.extend(privacy::faults(&ledger)?);
    tree::verdict("the claims ledger does not hold together", &found)
}

/// Makes the page anew.
pub(crate) fn write() -> Result<()> {
    let page = page::of(&read()?);
    fs::write(tree::root().join(PAGE), page).with_context(|| format!("cannot write {PAGE}"))
}

/// Holds a report of the lab against the claims that hold.
pub(crate) fn judge(report: &Path) -> Result<()> {
    let text = fs::read_to_string(report).with_context(|| format!("cannot read {}", report.display()))?;
    let found = gate::faults(&read()?, &text).with_context(|| format!("{} is no report", report.display()))?;
    tree::verdict("the lab does not support what the claims ledger says", &found)
}

fn read() -> Result<Ledger> {
    Ledger::parse(&tree::read(Path::new(LEDGER))?).with_context(|| format!("{LEDGER} is no ledger"))
}

/// The names of all tests that run: functions here, sentences in the web app.
fn tests() -> Result<BTreeSet<String>> {
    let mut tests = BTreeSet::new();
    for path in tree::files("rs")? {
        let code = code::stripped(&tree::read(&path)?);
        tests.extend(code::tests_of(&code).into_iter().map(str::to_owned));
    }
    for path in tree::files("ts")?.into_iter().filter(|path| path.starts_with("web")) {
        tests.extend(named_tests(&tree::read(&path)?).map(str::to_owned));
    }
    Ok(tests)
}

/// What follows `test('` at the beginning of a line, up to the next quote: skipped and focused tests are called otherwise.
fn named_tests(code: &str) -> impl Iterator<Item = &str> {
    code.lines().filter_map(|line| line.trim_start().strip_prefix("test('")?.split('\'').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_web_apps_tests_count_by_their_sentences() {
        let code = "test('a page stays', async () => {\n  test.skip('not this', f)\n // test('nor this')\n  test('but this', f);";
        assert_eq!(named_tests(code).collect::<Vec<_>>(), ["a page stays", "but this"]);
    }

    #[test]
    fn the_ledger_holds_together() {
        check().unwrap();
    }
}
