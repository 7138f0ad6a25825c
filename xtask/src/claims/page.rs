//! `docs/claims.md`: the ledger as people read it.

use std::fmt::Write as _;

use super::ledger::{Claim, Ledger, Measured, Status, Target};

const HEAD: &str = "\
# Claims

<!-- Made by `cargo xtask claims --write` of docs/claims.toml; change that file. -->

Every sentence about privacy in this repository cites one of these claims, as in `[CL-01]`. A claim *holds* while the
tests and the rows of the lab's report that it names do not refute it; *fails* means measured and missed; *open* means
not measured yet, or that its defence is not built: it is not promised, and who cites it says so. `cargo xtask claims`
checks all of this, and `cargo xtask claims --report FILE` holds the rows against a report of `mosaic lab`.
Adversaries are those of [threats.md](threats.md).
";

/// The whole page.
pub(super) fn of(ledger: &Ledger) -> String {
    let count = |status| ledger.claims.iter().filter(|claim| claim.status == status).count();
    let mut page = HEAD.to_owned();
    let counts = [Status::Holds, Status::Fails, Status::Open].map(|status| format!("{} {status}", count(status)));
    let _ = write!(
        page,
        "\n{} claims: {}.\n\n| id | sentence | adversary | status |\n",
        ledger.claims.len(),
        counts.join(", ")
    );
    page.push_str("|---|---|---|---|\n");
    for claim in &ledger.claims {
        let Claim { id, adversary, status, .. } = claim;
        let sentence = claim.sentence.replace('|', "\\|");
        let _ = writeln!(page, "| [{id}](#{}) | {sentence} | {adversary} | {status} |", id.to_lowercase());
    }
    for claim in &ledger.claims {
        page.push_str(&section(claim));
    }
    page
}

fn section(claim: &Claim) -> String {
    let mut section = format!("\n## {}\n\n**{}** Status: {}.\n\n", claim.id, claim.sentence, claim.status);
    let mut item = |name: &str, text: &str| {
        let _ = writeln!(section, "- *{name}*: {text}");
    };
    item("means", &claim.definition);
    item("adversary", &claim.adversary);
    if claim.tests.is_empty() && claim.rows.is_empty() {
        item("refuted by", "nothing yet");
    }
    for (name, list) in [("tests", &claim.tests), ("lab rows", &claim.rows)] {
        if !list.is_empty() {
            item(name, &list.iter().map(|entry| format!("`{entry}`")).collect::<Vec<_>>().join(", "));
        }
    }
    if let Some(target) = &claim.target {
        item("target", &bounds(target));
    }
    if let Some(Measured { value, low, high, date, command }) = &claim.measured {
        item("measured", &format!("{value}, 95 % interval [{low}, {high}], on {date} by `{command}`"));
    }
    item("limits", &claim.limits);
    section
}

fn bounds(target: &Target) -> String {
    let metric = &target.metric;
    match (target.low, target.high) {
        (Some(low), Some(high)) if low == high => format!("{metric}: {low}"),
        (Some(low), Some(high)) => format!("{metric} from {low} to {high}"),
        (Some(low), None) => format!("{metric} at least {low}"),
        (None, Some(high)) => format!("{metric} at most {high}"),
        (None, None) => metric.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::ledger::tests::ledger;

    #[test]
    fn the_page_has_a_row_and_a_section_for_each_claim() {
        let mut ledger = ledger(&[
            (
                "CL-01",
                "tests = [\"a_test\"]\nrows = [\"r\"]\ntarget = { metric = \"AUC\", low = 0.49, high = 0.51 }\n\
                 measured = { value = 0.5, low = 0.495, high = 0.505, date = \"2026-11-21\", command = \"c\" }",
            ),
            ("CL-02", "status = \"open\""),
        ]);
        ledger.claims[1].sentence = "one | two".to_owned();
        let page = of(&ledger);
        assert!(page.contains("\n2 claims: 1 holds, 0 fails, 1 open.\n"), "{page}");
        assert!(page.contains("\n| [CL-02](#cl-02) | one \\| two | P1, Y | open |\n"), "{page}");
        let first = "## CL-01\n\n**s** Status: holds.\n\n- *means*: d\n- *adversary*: P1, Y\n- *tests*: `a_test`\n\
                     - *lab rows*: `r`\n- *target*: AUC from 0.49 to 0.51\n\
                     - *measured*: 0.5, 95 % interval [0.495, 0.505], on 2026-11-21 by `c`\n- *limits*: l\n";
        assert!(page.contains(first), "{page}");
        assert!(page.contains("- *refuted by*: nothing yet\n"), "{page}");
    }

    #[test]
    fn targets_have_one_bound_or_two() {
        let target = |low, high| bounds(&Target { metric: "m".to_owned(), low, high });
        assert_eq!(target(Some(0.95), None), "m at least 0.95");
        assert_eq!(target(None, Some(4.0)), "m at most 4");
        assert_eq!(target(Some(0.0), Some(0.0)), "m: 0");
    }
}
