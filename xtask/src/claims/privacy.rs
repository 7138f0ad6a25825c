//! Sentences that promise privacy cite a claim, wherever people read them.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{
    citations,
    ledger::Ledger,
    markdown::{self, Passage},
    uitext, vocabulary,
};
use crate::tree;

/// Sentences that use such words and promise nothing.
const EXCUSED: &str = "docs/claims-uncited.toml";

/// Where the words of privacy count: what strangers read first, and all of `docs/`.
const DOCUMENTS: [&str; 4] = ["README.md", "SECURITY.md", "ARCHITECTURE.md", "docs/"];
/// What stands there by another right: the claims themselves, and decisions, which tell why and stay as they were taken.
const LEFT_OUT: [&str; 2] = ["docs/claims.md", "docs/adr/"];
/// Where the program's texts are.
const PROGRAM: &str = "apps/mosaic/src";

/// The file of excuses.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Excuses {
    #[serde(default)]
    sentence: Vec<Excuse>,
}

/// A sentence that needs no claim.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Excuse {
    file: String,
    /// A part of the sentence.
    text: String,
    /// Why it promises nothing.
    reason: String,
}

/// Promises without a claim, unsupported citations in the program's texts, and excuses that excuse nothing.
pub(super) fn faults(ledger: &Ledger) -> Result<Vec<String>> {
    let excuses: Excuses = toml::from_str(&tree::read(Path::new(EXCUSED))?)
        .with_context(|| format!("{EXCUSED} is no list of sentences"))?;
    let mut judge = Judge { used: vec![false; excuses.sentence.len()], excuses: excuses.sentence, found: Vec::new() };
    for path in tree::files("md")?.into_iter().filter(|path| counts(path)) {
        judge.file(&path, &markdown::passages(&tree::read(&path)?));
    }
    for path in tree::files("rs")?.into_iter().filter(|path| path.starts_with(PROGRAM)) {
        let passages = uitext::of(&tree::read(&path)?);
        for Passage { line, text } in &passages {
            let unsupported = citations::unsupported(text, ledger);
            judge.found.extend(unsupported.into_iter().map(|fault| format!("{}:{line}: {fault}", path.display())));
        }
        judge.file(&path, &passages);
    }
    Ok(judge.verdict())
}

fn counts(path: &Path) -> bool {
    let under = |list: &[&str]| list.iter().any(|start| path.starts_with(start));
    under(&DOCUMENTS) && !under(&LEFT_OUT)
}

struct Judge {
    excuses: Vec<Excuse>,
    used: Vec<bool>,
    found: Vec<String>,
}

impl Judge {
    /// A citation in a passage serves all its sentences.
    fn file(&mut self, path: &Path, passages: &[Passage]) {
        for Passage { line, text } in passages.iter().filter(|passage| !passage.text.contains("[CL-")) {
            for sentence in markdown::sentences(text) {
                let Some(words) = vocabulary::promise(&sentence) else { continue };
                if !self.excused(path, &sentence) {
                    let place = format!("{}:{line}", path.display());
                    self.found.push(format!("{place}: `{words}` promises privacy and cites no claim: {sentence}"));
                }
            }
        }
    }

    fn excused(&mut self, path: &Path, sentence: &str) -> bool {
        let mut excused = false;
        for (excuse, used) in self.excuses.iter().zip(&mut self.used) {
            let fits = path == Path::new(&excuse.file) && sentence.contains(&excuse.text);
            *used |= fits;
            excused |= fits;
        }
        excused
    }

    fn verdict(self) -> Vec<String> {
        let mut found = self.found;
        for (excuse, used) in self.excuses.iter().zip(self.used) {
            if !used {
                found.push(format!("{EXCUSED}: nothing in {} needs the excuse `{}`", excuse.file, excuse.text));
            }
            if excuse.reason.trim().is_empty() {
                found.push(format!("{EXCUSED}: no reason is given for `{}`", excuse.text));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str, excuses: &[(&str, &str, &str)]) -> Vec<String> {
        let excuse = |&(file, text, reason): &(&str, &str, &str)| Excuse {
            file: file.to_owned(),
            text: text.to_owned(),
            reason: reason.to_owned(),
        };
        let excuses: Vec<Excuse> = excuses.iter().map(excuse).collect();
        let mut judge = Judge { used: vec![false; excuses.len()], excuses, found: Vec::new() };
        judge.file(Path::new("README.md"), &markdown::passages(text));
        judge.verdict()
    }

    #[test]
    fn a_promise_cites_a_claim_in_its_passage() {
        assert_eq!(judged("Providers learn nothing. It is so [CL-09].\n", &[]), [""; 0]);
        assert_eq!(judged("Providers learn nothing.\n\nIt is so [CL-09].\n", &[]).len(), 1);
        assert_eq!(judged("- Providers learn nothing.\n- So [CL-09].\n", &[]).len(), 1, "each item for itself");
        assert_eq!(judged("| Nobody reads it | [CL-09] |\n", &[]).len(), 1, "each cell for itself");
        assert_eq!(judged("| Nobody reads it [CL-09] | x |\n", &[]), [""; 0]);
        assert_eq!(judged("Providers store rows.\n", &[]), [""; 0]);
        assert!(judged("\nIt hides all.\n", &[])[0].starts_with("README.md:2: `hides` promises"));
    }

    #[test]
    fn an_excuse_is_for_one_place_is_used_and_has_a_reason() {
        let text = "A practice federation protects nobody.\n";
        assert_eq!(judged(text, &[("README.md", "protects nobody", "a limit")]), [""; 0]);
        assert_eq!(judged(text, &[("SECURITY.md", "protects nobody", "a limit")]).len(), 2, "another file");
        assert_eq!(judged(text, &[("README.md", "protects nobody", " ")]).len(), 1, "no reason");
        assert_eq!(judged("Rows.\n", &[("README.md", "protects nobody", "a limit")]).len(), 1, "nothing to excuse");
    }

    #[test]
    fn decisions_and_the_claims_themselves_are_left_out() {
        for (path, counted) in [
            ("README.md", true),
            ("docs/threats.md", true),
            ("docs/spec/wire.md", true),
            ("docs/claims.md", false),
            ("docs/adr/0007-waves-open-to-card-holders.md", false),
            ("CONTRIBUTING.md", false),
        ] {
            assert_eq!(counts(Path::new(path)), counted, "{path}");
        }
    }
}
