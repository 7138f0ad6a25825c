//! What a run found: rows with intervals, as a table for people and as JSON for machines.

use std::fmt;

use mosaic_attack::Estimate;
use serde::Serialize;

/// One row of the scoreboard (PRIVACY part A).
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Stable id; claims name it.
    pub id: String,
    /// What the adversary tried.
    pub attack: String,
    /// Whose view it had: N, P1, P2, PA, Y.
    pub view: String,
    /// What was measured, with unit.
    pub metric: String,
    /// The same attack on the naive design, where it applies.
    pub baseline: Option<f64>,
    /// The figure.
    pub value: f64,
    /// Ends of the 95 % interval by user.
    pub ci: [f64; 2],
    /// The target's bounds, where one is set; `null` in JSON for a side without bound.
    pub target: Option<[f64; 2]>,
    /// Whether the whole interval meets the target.
    pub status: Status,
}

/// Whether a row meets its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The whole interval lies inside the target.
    Met,
    /// It does not.
    Missed,
    /// No target is set: the figure is printed, whatever it is.
    Printed,
}

impl Row {
    /// A row without target.
    pub fn printed(id: impl Into<String>, attack: &str, view: &str, metric: &str, found: Estimate) -> Self {
        Self {
            id: id.into(),
            attack: attack.to_owned(),
            view: view.to_owned(),
            metric: metric.to_owned(),
            baseline: None,
            value: found.value,
            ci: [found.low, found.high],
            target: None,
            status: Status::Printed,
        }
    }

    /// The same row judged against a target: met only when the whole interval lies inside.
    #[must_use]
    pub fn judged(self, low: f64, high: f64) -> Self {
        let found = Estimate { value: self.value, low: self.ci[0], high: self.ci[1] };
        let status = if found.lies_within(low, high) { Status::Met } else { Status::Missed };
        Self { target: Some([low, high]), status, ..self }
    }

    /// The same row beside the naive design's figure.
    #[must_use]
    pub fn beside(self, baseline: f64) -> Self {
        Self { baseline: Some(baseline), ..self }
    }
}

/// All rows of a run, with what is needed to repeat it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The seed everything was drawn from.
    pub seed: u64,
    /// The rows.
    pub rows: Vec<Row>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<34} {:<4} {:<26} {:>9} {:>9} {:>19}  {:>15}  status",
            "row", "view", "metric", "naive", "value", "95 % interval", "target"
        )?;
        for row in &self.rows {
            let baseline = row.baseline.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
            let target = row.target.map_or_else(|| "-".to_owned(), |[low, high]| format!("{low:.2}..{high:.2}"));
            let interval = format!("[{:.3}, {:.3}]", row.ci[0], row.ci[1]);
            let status = match row.status {
                Status::Met => "met",
                Status::Missed => "missed",
                Status::Printed => "printed",
            };
            writeln!(
                f,
                "{:<34} {:<4} {:<26} {baseline:>9} {:>9.3} {interval:>19}  {target:>15}  {status}",
                row.id, row.view, row.metric, row.value
            )?;
        }
        write!(f, "seed {}", self.seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names that scripts, and later the claims ledger, read.
    #[test]
    fn a_row_has_the_documented_fields() {
        let found = Estimate { value: 0.97, low: 0.96, high: 0.99 };
        let row = Row::printed("averaging/residual", "averaging", "Y", "ratio", found).beside(0.2);
        let report = Report { seed: 3, rows: vec![row.judged(0.95, f64::INFINITY)] };
        let json = serde_json::to_value(&report).unwrap();
        let expected = serde_json::json!({"seed": 3, "rows": [{
            "id": "averaging/residual", "attack": "averaging", "view": "Y", "metric": "ratio", "baseline": 0.2,
            "value": 0.97, "ci": [0.96, 0.99], "target": [0.95, null], "status": "met",
        }]});
        assert_eq!(json, expected);
    }

    #[test]
    fn a_target_is_met_by_the_whole_interval_only() {
        let found = Estimate { value: 0.5, low: 0.488, high: 0.505 };
        assert_eq!(Row::printed("a", "b", "P1", "AUC", found).judged(0.49, 0.51).status, Status::Missed);
        assert_eq!(Row::printed("a", "b", "P1", "AUC", found).status, Status::Printed);
    }
}
