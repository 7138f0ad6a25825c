//! The whole scoreboard in one run: every attacker against the real code, and the naive design beside it.

mod beside;
mod byzantine;
mod chaff;
mod chain;
mod codes;
mod days;
mod decoys;
mod dictionary;
mod discovery;
mod edges;
mod elements;
mod four;
mod friends;
mod join;
mod ledger;
mod lineups;
mod lived;
mod matching;
mod maximum;
mod mesh;
mod meter;
mod movement;
mod places_named;
mod plots;
mod popularity;
mod reads;
mod sessions;
mod slots;
mod speaker;
mod synthesis;
mod topics;
mod unbuilt;

use std::{sync::Arc, thread, time::Duration};

use anyhow::{Result, anyhow};
use mosaic_geo::{PlaceIndex, Traces};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use self::elements::Naive;
use crate::{
    Progress,
    evening::record_evenings,
    progress::Aside,
    report::{Line, Report, Row, Series},
};

/// How much is recorded. More people make narrower intervals; nothing else depends on it.
#[derive(Clone, Debug)]
pub struct RunSize {
    /// People of an evening behind the rendezvous lane.
    pub evening: u32,
    /// How many such evenings, each of other people.
    pub evenings: u32,
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
    /// People of the evening of whole agents and whole providers.
    pub practice: u32,
    /// People of each evening of those who want to meet now; a multiple of four, of whom two wish and two have agreed.
    pub now: u32,
    /// Pairs of near people who want the same.
    pub pairs: u32,
    /// Trials behind a share that is to be below one in a million; of races of two joiners a 400th, of associations over a
    /// bad network a 4,000th.
    pub trials: u64,
}

impl RunSize {
    /// Minutes on two cores.
    pub fn quick() -> Self {
        Self {
            evening: 240,
            evenings: 2,
            hours: 6,
            discovery: vec![100],
            opened: 90,
            days: 2,
            steady: 90,
            windows: 20,
            people: 200,
            naive_days: 14,
            epochs: 4,
            practice: 24,
            now: 16,
            pairs: 1_000,
            trials: 4_000_000,
        }
    }

    /// Up to an hour on two cores.
    pub fn full() -> Self {
        Self {
            evening: 360,
            evenings: 6,
            discovery: vec![100, 1_000, 10_000],
            opened: 200,
            days: 4,
            steady: 300,
            people: 500,
            naive_days: 28,
            epochs: 10,
            practice: 60,
            now: 40,
            pairs: 3_000,
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
/// Equal plans give equal reports on any number of cores.
///
/// # Errors
/// When nobody can live in `places`, or the release refuses something.
pub fn run(places: &Arc<PlaceIndex>, plan: &RunPlan, progress: &Progress<'_>) -> Result<Report> {
    let rng = ChaCha20Rng::seed_from_u64(plan.seed);
    let mut bench = Bench { places, plan, progress, rng, rows: Vec::new(), series: Vec::new() };
    bench.rows.extend(unbuilt::rows());
    bench.draw_for("naive");
    let naive = elements::attack(&mut bench)?;
    let length = Duration::from_hours(plan.size.hours);
    let population = bench.population(plan.size.evening, length);
    let (aside, count) = (Aside::new(progress), plan.size.evenings);
    // people of an evening meet each other, so each is played on one core; meanwhile the other attacks and recordings
    // use the rest
    let (recorded, beside) = thread::scope(|scope| {
        let evenings = scope.spawn(|| aside.listen(|progress| record_evenings(places, population, count, progress)));
        let beside = scope.spawn(|| beside::record(places, plan));
        let others = others(&mut bench, naive);
        let steps = u64::from(count) * plan.size.hours * 60;
        aside.show(&format!("{count} evenings of {} people", plan.size.evening), steps);
        let stopped = |_| anyhow!("a recording stopped");
        let (evenings, beside) = (evenings.join().map_err(stopped), beside.join().map_err(stopped));
        others.and(Ok((evenings??, beside??)))
    })?;
    bench.draw_for("rendezvous");
    slots::rendezvous(&mut bench, naive, &recorded);
    let beside::Recordings { lived, lies, month } = beside;
    bench.draw_for("lived");
    lived::attack(&mut bench, lived)?;
    bench.draw_for("lies");
    byzantine::attack(&mut bench, lies);
    bench.draw_for("friends");
    friends::attack(&mut bench, &month);
    let traces = plan.traces.as_ref().map_or_else(String::new, |(name, _)| name.clone());
    let (seed, places) = (plan.seed, plan.places.clone());
    let mut report = Report { seed, places, traces, rows: bench.rows, series: bench.series, stages: Vec::new() };
    report.sort();
    Ok(report)
}

/// Everything that needs no evening.
fn others(bench: &mut Bench<'_>, naive: Naive) -> Result<()> {
    bench.draw_for("discovery lane");
    slots::discovery(bench, naive)?;
    bench.draw_for("opened bundles");
    discovery::attack(bench, naive)?;
    popularity::attack(bench)?;
    bench.draw_for("places");
    places_named::attack(bench)?;
    bench.draw_for("movement");
    movement::attack(bench)?;
    ledger::attack(bench);
    bench.draw_for("mesh");
    mesh::attack(bench);
    bench.draw_for("reads");
    reads::attack(bench);
    bench.draw_for("codes");
    codes::attack(bench)?;
    bench.draw_for("decoys");
    decoys::attack(bench)?;
    matching::measure(bench)?;
    bench.draw_for("dictionary");
    dictionary::attack(bench)?;
    bench.draw_for("days");
    days::attack(bench)?;
    bench.draw_for("synthesis");
    synthesis::measure(bench)
}

impl Bench<'_> {
    /// Gives a part of the run randomness of its own, so that no other part changes its figures.
    fn draw_for(&mut self, part: &str) {
        let seed = mosaic_crypto::digest(&[b"part of a run", &self.plan.seed.to_be_bytes(), part.as_bytes()]);
        self.rng = ChaCha20Rng::from_seed(seed);
    }
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
            "matching" => ("Who wants the same, by similarity (ROC)", ["other pairs", "pairs of one intent"]),
            "linkage" => ("Whose history is this? The right one among the best k", ["k", "share of people"]),
            _ => ("What is left to verify (G; uniform over ten is 5.5) and effective hypotheses", ["", "of ten"]),
        };
        self.lines(id, title, axes, vec![line]);
    }

    fn lines(&mut self, id: &str, title: &str, axes: [&str; 2], lines: Vec<Line>) {
        self.series.push(plots::series(id, title, axes, lines));
    }
}
