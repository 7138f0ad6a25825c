//! What a run found: rows with intervals, as a table for people and as JSON for machines.

use std::fmt;

use mosaic_attack::Estimate;
use serde::Serialize;

/// One row of the scoreboard (PRIVACY part A).
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Stable id; claims name it.
    pub id: String,
    /// The row of the scoreboard it belongs to, `1` to `25` and `U1` to `U3`; empty for what only helps to read
    /// another row.
    pub board: String,
    /// What the adversary tried.
    pub attack: String,
    /// Whose view it had: N, P1, P2, PA, Y; `+I` with a clean profile of the person.
    pub view: String,
    /// What was measured, with unit.
    pub metric: String,
    /// The same attack on the naive design or without any defence, where it applies.
    pub baseline: Option<f64>,
    /// The figure; none while the row is open.
    pub value: Option<f64>,
    /// Ends of the 95 % interval by user.
    pub ci: Option<[f64; 2]>,
    /// The target's bounds, where one is set; `null` in JSON for a side without bound.
    pub target: Option<[f64; 2]>,
    /// Whether the whole interval meets the target.
    pub status: Status,
    /// Why the row is open, or what limits the figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether a row meets its target. In the order in which a report lists them: what fails comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The interval does not lie inside the target.
    Missed,
    /// The defence or the attack is not built.
    Open,
    /// The whole interval lies inside the target.
    Met,
    /// No target is set: the figure is printed, whatever it is.
    Printed,
}

impl Status {
    /// The word for people and machines.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::Open => "open",
            Self::Met => "met",
            Self::Printed => "printed",
        }
    }
}

impl Row {
    /// A row without target.
    pub fn printed(id: impl Into<String>, attack: &str, view: &str, metric: &str, found: Estimate) -> Self {
        Self {
            id: id.into(),
            board: String::new(),
            attack: attack.to_owned(),
            view: view.to_owned(),
            metric: metric.to_owned(),
            baseline: None,
            value: Some(found.value),
            ci: Some([found.low, found.high]),
            target: None,
            status: Status::Printed,
            reason: None,
        }
    }

    /// A row whose defence or attack is not built, with the reason.
    pub fn open(board: &str, id: &str, attack: &str, view: &str, metric: &str, reason: &str) -> Self {
        let nothing = Estimate { value: 0.0, low: 0.0, high: 0.0 };
        let row = Self::printed(id, attack, view, metric, nothing).on(board).because(reason);
        Self { value: None, ci: None, status: Status::Open, ..row }
    }

    /// The same row judged against a target: met only when the whole interval lies inside. An open row stays open.
    #[must_use]
    pub fn judged(self, low: f64, high: f64) -> Self {
        let inside = |[from, to]: [f64; 2]| low <= from && to <= high;
        let status = match self.ci {
            None => Status::Open,
            Some(ci) if inside(ci) => Status::Met,
            Some(_) => Status::Missed,
        };
        Self { target: Some([low, high]), status, ..self }
    }

    /// The same row beside the naive design's figure.
    #[must_use]
    pub fn beside(self, baseline: f64) -> Self {
        Self { baseline: Some(baseline), ..self }
    }

    /// The same row as part of a scoreboard row.
    #[must_use]
    pub fn on(self, board: &str) -> Self {
        Self { board: board.to_owned(), ..self }
    }

    /// The same row with what to know about it.
    #[must_use]
    pub fn because(self, reason: &str) -> Self {
        Self { reason: Some(reason.to_owned()), ..self }
    }
}

/// All rows of a run, with what is needed to repeat it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The seed everything was drawn from.
    pub seed: u64,
    /// The places used; empty for the built-in city.
    pub places: String,
    /// The recorded movement used; empty for generated residents.
    pub traces: String,
    /// The rows.
    pub rows: Vec<Row>,
    /// What the plots show.
    pub series: Vec<Series>,
    /// How long the stages took, in order, where whoever ran it looked at a clock; what runs beside other stages counts
    /// from when they were over. The one part of a report that differs from run to run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
}

/// One stage of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// What was done.
    pub name: String,
    /// Seconds of wall clock.
    pub seconds: f64,
}

/// One plot.
#[derive(Clone, Debug, Serialize)]
pub struct Series {
    /// Stable id.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// Name of the horizontal axis; empty for bars, which have names instead.
    pub x: String,
    /// Name of the vertical axis.
    pub y: String,
    /// Lines, or one bar each.
    pub lines: Vec<Line>,
}

/// One line of a plot; a bar has one point, whose height counts.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Points from left to right.
    pub points: Vec<[f64; 2]>,
}

impl Report {
    /// A report of some rows, without plots.
    pub fn of(seed: u64, rows: Vec<Row>) -> Self {
        Self { seed, rows, ..Self::default() }
    }

    /// Rows in the order of a report: missed targets first, then what is open, then the rest; within each as found.
    pub fn sort(&mut self) {
        self.rows.sort_by_key(|row| row.status);
    }

    /// How many rows have this status.
    pub fn count(&self, status: Status) -> usize {
        self.rows.iter().filter(|row| row.status == status).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<3} {:<34} {:<5} {:<26} {:>9} {:>9} {:>19}  {:>15}  status",
            "#", "row", "view", "metric", "naive", "value", "95 % interval", "target"
        )?;
        for row in &self.rows {
            let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
            let target = row.target.map_or_else(|| "-".to_owned(), |[low, high]| format!("{low:.2}..{high:.2}"));
            let interval = row.ci.map_or_else(|| "-".to_owned(), |[low, high]| format!("[{low:.3}, {high:.3}]"));
            writeln!(
                f,
                "{:<3} {:<34} {:<5} {:<26} {:>9} {:>9} {interval:>19}  {target:>15}  {}",
                row.board,
                row.id,
                row.view,
                row.metric,
                number(row.baseline),
                number(row.value),
                row.status.word()
            )?;
        }
        for row in self.rows.iter().filter(|row| row.status == Status::Open) {
            writeln!(f, "open {:<3} {}: {}", row.board, row.attack, row.reason.as_deref().unwrap_or_default())?;
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
        let report = Report::of(3, vec![row.on("7").judged(0.95, f64::INFINITY)]);
        let json = serde_json::to_value(&report).unwrap();
        let expected = serde_json::json!({"seed": 3, "places": "", "traces": "", "series": [], "rows": [{
            "id": "averaging/residual", "board": "7", "attack": "averaging", "view": "Y", "metric": "ratio", "baseline": 0.2,
            "value": 0.97, "ci": [0.96, 0.99], "target": [0.95, null], "status": "met",
        }]});
        assert_eq!(json, expected);
    }

    #[test]
    fn an_open_row_stays_open_and_failures_come_first() {
        let found = Estimate { value: 0.5, low: 0.49, high: 0.51 };
        let open = Row::open("14", "byzantine", "a", "P1", "share", "not built").judged(1.0, 1.0);
        assert_eq!((open.status, open.value, open.ci), (Status::Open, None, None));
        let met = Row::printed("a", "b", "P1", "AUC", found).judged(0.0, 1.0);
        let missed = Row::printed("c", "b", "P1", "AUC", found).judged(0.0, 0.4);
        let mut report = Report::of(1, vec![met, open, missed]);
        report.sort();
        assert_eq!(report.rows.iter().map(|row| row.status.word()).collect::<Vec<_>>(), ["missed", "open", "met"]);
    }

    #[test]
    fn a_target_is_met_by_the_whole_interval_only() {
        let found = Estimate { value: 0.5, low: 0.488, high: 0.505 };
        assert_eq!(Row::printed("a", "b", "P1", "AUC", found).judged(0.49, 0.51).status, Status::Missed);
        assert_eq!(Row::printed("a", "b", "P1", "AUC", found).status, Status::Printed);
    }
}
