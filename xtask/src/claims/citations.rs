//! Citations such as `[CL-03]` or `[CL-04] (open)`: they exist and admit what does not hold.

use super::ledger::{Ledger, Status};

/// Citations in `text` of claims that do not exist, that do not hold without saying so, or that hold and are still
/// called open.
pub(super) fn unsupported(text: &str, ledger: &Ledger) -> Vec<String> {
    let fault = |rest: &str| {
        let (number, after) = rest.split_once(']')?;
        let id = format!("CL-{number}");
        let Some(claim) = ledger.get(&id) else { return Some(format!("cites {id}, which is not in the ledger")) };
        let after = after.trim_start();
        let says = [Status::Open, Status::Fails].into_iter().find(|status| after.starts_with(&format!("({status})")));
        match (claim.status, says) {
            (Status::Holds, None) => None,
            (Status::Holds, Some(says)) => Some(format!("calls {id} {says}, which holds")),
            (status, says) if says == Some(status) => None,
            (status, _) => Some(format!("cites {id} without writing ({status}) behind it")),
        }
    };
    text.split("[CL-").skip(1).filter_map(fault).collect()
}

/// Claims that do not hold and that `threats`, which promises the whole list, does not cite.
pub(super) fn unlisted<'a>(threats: &'a str, ledger: &'a Ledger) -> impl Iterator<Item = &'a str> {
    let weak = ledger.claims.iter().filter(|claim| claim.status != Status::Holds);
    weak.map(|claim| claim.id.as_str()).filter(|id| !threats.contains(&format!("[{id}]")))
}

/// Rows of the threats' table of what is left whose "still protected" cites nothing.
pub(super) fn unclaimed(threats: &str) -> impl Iterator<Item = &str> {
    let section = threats.split("\n## ").find(|section| section.starts_with("What is left when")).unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.filter(|row| !row.split('|').nth(2).is_some_and(|protected| protected.contains("[CL-")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::ledger::tests::ledger;

    #[test]
    fn what_does_not_exist_or_does_not_hold_is_not_cited_as_if() {
        let ledger = ledger(&[("CL-01", ""), ("CL-02", "status = \"open\""), ("CL-03", "status = \"fails\"")]);
        assert_eq!(unsupported("[CL-01], [CL-02] (open), [CL-02]\n(open) and [CL-03] (fails)", &ledger), [""; 0]);
        assert_eq!(unsupported("[CL-09]", &ledger), ["cites CL-09, which is not in the ledger"]);
        assert_eq!(unsupported("[CL-02] (fails)", &ledger), ["cites CL-02 without writing (open) behind it"]);
        assert_eq!(unsupported("[CL-02], [CL-03] (open)", &ledger).len(), 2);
        assert_eq!(unsupported("[CL-01] (open)", &ledger), ["calls CL-01 open, which holds"]);
    }

    #[test]
    fn what_does_not_hold_is_listed() {
        let ledger = ledger(&[("CL-01", ""), ("CL-02", "status = \"open\""), ("CL-03", "status = \"fails\"")]);
        assert_eq!(unlisted("[CL-02] (open)", &ledger).collect::<Vec<_>>(), ["CL-03"]);
    }

    #[test]
    fn every_row_of_what_is_left_cites_a_claim() {
        let text = "# Threats\n\n## What is left when …\n\n| who | still | not |\n|---|---|---|\n| N | place [CL-11] | x |\n\
                    | C | nothing | [CL-16] |\n\n## Never\n\n| a | b | c |\n|---|---|---|\n| d | e | f |\n";
        assert_eq!(unclaimed(text).collect::<Vec<_>>(), ["| C | nothing | [CL-16] |"]);
    }
}
