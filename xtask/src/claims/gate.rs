//! A report of the lab against the ledger: what holds must be met there.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Deserialize;

use super::ledger::{Ledger, Status};

/// The part of `report.json` that is judged here.
#[derive(Deserialize)]
struct Report {
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    status: String,
}

/// Rows that a claim which holds names and that are not met in the report `text`, or not in it.
pub(super) fn faults(ledger: &Ledger, text: &str) -> Result<Vec<String>> {
    let report: Report = serde_json::from_str(text)?;
    let mut statuses: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in &report.rows {
        statuses.entry(&row.id).or_default().push(&row.status);
    }
    let holding = ledger.claims.iter().filter(|claim| claim.status == Status::Holds);
    let named = holding.flat_map(|claim| claim.rows.iter().map(|row| (&claim.id, row)));
    let fault = |(id, row): (&String, &String)| match statuses.get(row.as_str()) {
        None => Some(format!("{id} holds, but the report has no row `{row}`")),
        // A row that appears twice must be met twice.
        Some(found) => {
            let other = found.iter().find(|status| **status != "met")?;
            Some(format!("{id} holds, but its row `{row}` is `{other}`"))
        }
    };
    Ok(named.filter_map(fault).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::ledger::tests::ledger;

    fn judged(rows: &[(&str, &str)]) -> Vec<String> {
        let rows: Vec<_> = rows
            .iter()
            .map(|(id, status)| serde_json::json!({"id": id, "attack": "a", "value": 0.5, "ci": [0.4, 0.6], "status": status}))
            .collect();
        let report = serde_json::json!({"seed": 1, "rows": rows}).to_string();
        let ledger = ledger(&[
            ("CL-01", "rows = [\"slots/rendezvous\"]"),
            ("CL-02", "status = \"open\"\nrows = [\"slots/discovery\"]"),
            ("CL-03", "tests = [\"a_test\"]"),
        ]);
        faults(&ledger, &report).unwrap()
    }

    #[test]
    fn what_holds_is_met() {
        assert_eq!(judged(&[("slots/rendezvous", "met"), ("slots/discovery", "missed")]), [""; 0]);
        for status in ["missed", "printed", "open"] {
            let expected = format!("CL-01 holds, but its row `slots/rendezvous` is `{status}`");
            assert_eq!(judged(&[("slots/rendezvous", status)]), [expected]);
        }
        assert_eq!(judged(&[("slots/rendezvous", "met"), ("slots/rendezvous", "missed")]).len(), 1, "met twice or not");
    }

    #[test]
    fn a_row_that_nobody_measured_supports_nothing() {
        assert_eq!(judged(&[]), ["CL-01 holds, but the report has no row `slots/rendezvous`"]);
        assert_eq!(judged(&[("slots/rendezvous/within", "met")]).len(), 1, "a name is not a beginning");
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let ledger = ledger(&[("CL-03", "tests = [\"a_test\"]")]);
        for text in ["", "{}", "[]", "{\"error\": {}}", "{\"rows\": [{\"id\": \"a\"}]}"] {
            assert!(faults(&ledger, text).is_err(), "{text}");
        }
    }
}
