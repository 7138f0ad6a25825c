//! The whole scoreboard in one run: every attacker against the real code, and the naive design beside it.

mod discovery;
mod edges;
mod elements;
mod ledger;
mod lineups;
mod meter;
mod movement;
mod places_named;
mod plots;
mod sessions;
mod slots;
mod unbuilt;

use std::sync::Arc;

use anyhow::Result;
use mosaic_geo::{PlaceIndex, Traces};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::{
    Progress,
    report::{Line, Report, Row, Series},
};

/// How much is recorded. More people make narrower intervals; nothing else depends on it.
#[derive(Clone, Debug)]
pub struct RunSize {
    /// People of the evening behind the rendezvous lane.
    pub evening: u32,
    /// Hours of that evening, and of the discovery lane.
    pub hours: u64,
    /// Populations on the discovery lane.
    pub discovery: Vec<u32>,
    /// People whose opened bundles are attacked.
    pub opened: u32,
    /// Days of those.
    pub days: u64,
    /// People who repeat one wish.
    pub steady: u32,
    /// Windows of two hours for which they do.
    pub windows: u64,
    /// People of the naive check-in city, and of the attacks on places.
    pub people: u32,
    /// Days of the naive check-in city.
    pub naive_days: u64,
    /// Passes of the sequence model over its training users.
    pub epochs: usize,
}

impl RunSize {
    /// Minutes on two cores.
    pub fn quick() -> Self {
        Self {
            evening: 240,
            hours: 6,
            discovery: vec![100],
            opened: 90,
            days: 2,
            steady: 90,
            windows: 20,
            people: 200,
            naive_days: 14,
            epochs: 4,
        }
    }

    /// Up to an hour on two cores.
    pub fn full() -> Self {
        Self {
            evening: 480,
            hours: 8,
            discovery: vec![100, 1_000, 10_000],
            opened: 300,
            days: 7,
            steady: 300,
            people: 500,
            naive_days: 28,
            epochs: 10,
            ..Self::quick()
        }
    }
}

/// What to run.
#[derive(Clone, Debug)]
pub struct RunPlan {
    /// How much.
    pub size: RunSize,
    /// Everything is drawn from it.
    pub seed: u64,
    /// Name of the places, for the report; empty for the built-in city.
    pub places: String,
    /// Recorded movement with its name; without, generated residents move.
    pub traces: Option<(String, Traces)>,
}

/// What the parts of a run share.
struct Bench<'a> {
    places: &'a Arc<PlaceIndex>,
    plan: &'a RunPlan,
    progress: &'a Progress<'a>,
    rng: ChaCha20Rng,
    rows: Vec<Row>,
    series: Vec<Series>,
}

/// Runs every attacker there is. The report has every row of the scoreboard: what cannot be attacked yet is open.
///
/// # Errors
/// When nobody can live in `places`, or the release refuses something.
pub fn run(places: &Arc<PlaceIndex>, plan: &RunPlan, progress: &Progress<'_>) -> Result<Report> {
    let rng = ChaCha20Rng::seed_from_u64(plan.seed);
    let mut bench = Bench { places, plan, progress, rng, rows: Vec::new(), series: Vec::new() };
    bench.rows.extend(unbuilt::rows());
    let naive = elements::attack(&mut bench)?;
    slots::attack(&mut bench, naive)?;
    discovery::attack(&mut bench, naive)?;
    places_named::attack(&mut bench)?;
    movement::attack(&mut bench)?;
    ledger::attack(&mut bench);
    let traces = plan.traces.as_ref().map_or_else(String::new, |(name, _)| name.clone());
    let mut report =
        Report { seed: plan.seed, places: plan.places.clone(), traces, rows: bench.rows, series: bench.series };
    report.sort();
    Ok(report)
}

/// Bars and lines that several parts draw.
impl Bench<'_> {
    /// Adds a line to one of the plots that several parts share.
    fn plot(&mut self, id: &str, line: Line) {
        if let Some(series) = self.series.iter_mut().find(|series| series.id == id) {
            series.lines.push(line);
            return;
        }
        let (title, axes) = match id {
            "roc" => ("Real slot or decoy? (ROC)", ["false alarms", "real slots found"]),
            "reliability" => ("Does what the attacker states hold?", ["stated", "held"]),
            "linkage" => ("Whose history is this? The right one among the best k", ["k", "share of people"]),
            _ => ("What is left to verify (G; uniform over ten is 5.5) and effective hypotheses", ["", "of ten"]),
        };
        self.lines(id, title, axes, vec![line]);
    }

    fn lines(&mut self, id: &str, title: &str, axes: [&str; 2], lines: Vec<Line>) {
        self.series.push(plots::series(id, title, axes, lines));
    }
}
