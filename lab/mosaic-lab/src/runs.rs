//! The runs: each takes a plan and returns rows of the scoreboard.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use mosaic_attack::{DetectorReport, Estimator, Reports, averaging_curve, detect_slots};
use mosaic_geo::{PlaceIndex, Residents, offset_m};
use mosaic_release::{Draft, Refusal, Releaser, ReleaserState};
use mosaic_types::{ContextText, Enrichment, LatLng, Mode, NoiseRatio, Sensitive, Timestamp, TtlHours};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::{
    Progress,
    evening::{Meetings, record_evening},
    naive::{fresh_report, naive_traffic, wishes},
    population::{PopulationPlan, record_discovery},
    report::{Report, Row},
};

/// Bootstrap resamples behind every interval.
pub(crate) const RESAMPLES: usize = 200;
/// The noise ratio of the naive design (L3-04).
pub(crate) const NAIVE_RATIO: f64 = 0.70;
/// What the attacker must reach on the naive design for its failure elsewhere to mean something.
pub(crate) const NAIVE_FLOOR: f64 = 0.85;

/// The single-provider slot detector on both lanes and on the naive design, in one run.
#[derive(Clone, Debug)]
pub struct SlotPlan {
    /// Sizes of the populations whose discovery lane is attacked, in virtual time.
    pub discovery_agents: Vec<u32>,
    /// People of the evening behind the rendezvous lane, and behind the naive design.
    pub rendezvous_agents: u32,
    /// Hours recorded.
    pub hours: u64,
    /// Days of wishes that the naive design's server sees of the same people: it never forgets them.
    pub naive_days: u64,
    /// Everything is drawn from it.
    pub seed: u64,
}

/// Saturday 2026-11-21, 16:00 UTC: the first instant of every recording, the start of a table.
pub fn evening() -> Timestamp {
    Timestamp::from_secs(1_795_276_800)
}

/// When the people of an evening have found each other and there is as much to say as later on.
const WARM_UP: Duration = Duration::from_hours(2);

/// Runs the slot detector.
///
/// # Errors
/// What recording says: no places, or a refusal of the release.
pub fn slots(places: &Arc<PlaceIndex>, plan: &SlotPlan, progress: &Progress<'_>) -> Result<Report> {
    let mut rng = ChaCha20Rng::seed_from_u64(plan.seed);
    let population = |agents| PopulationPlan {
        agents,
        length: Duration::from_hours(plan.hours),
        seed: plan.seed,
        mode: Mode::Balanced,
        start: evening(),
        liked: None,
    };
    progress.stage("the naive design", 0);
    let residents = Residents::generate(places, plan.rendezvous_agents as usize, plan.seed)?;
    let wishes = wishes(residents.all(), places, evening(), plan.naive_days, &mut rng);
    let naive = detect_slots(&naive_traffic(&wishes, NAIVE_RATIO, &mut rng), 0, RESAMPLES, &mut rng);
    let mut rows = vec![Row::printed("slots/naive", "slot detector", "P1", "AUC", naive.auc).judged(NAIVE_FLOOR, 1.0)];
    if plan.rendezvous_agents > 0 {
        progress.stage(&format!("an evening of {} people", plan.rendezvous_agents), plan.hours * 60);
        let recorded = record_evening(places, population(plan.rendezvous_agents), progress)?;
        progress.stage("attacking the rendezvous lane", 0);
        let found = detect_slots(&recorded.rendezvous, 0, RESAMPLES, &mut rng);
        rows.extend(rendezvous_rows(&found, &recorded.met, naive.auc.value));
        let settled = detect_slots(&recorded.rendezvous, evening().after(WARM_UP).as_secs(), RESAMPLES, &mut rng);
        rows.extend(settled_rows(&settled));
    }
    for &agents in &plan.discovery_agents {
        progress.stage(&format!("the discovery lane of {agents} devices"), agents.into());
        let events = record_discovery(places, population(agents), progress)?;
        progress.stage(&format!("attacking the discovery lane of {agents} devices"), 0);
        let found = detect_slots(&events, 0, RESAMPLES, &mut rng);
        rows.extend(discovery_rows(agents, &found, naive.auc.value));
    }
    Ok(Report::of(plan.seed, rows))
}

/// The judged area, and beside it what helps to read it.
fn rendezvous_rows(found: &DetectorReport, met: &Meetings, naive: f64) -> Vec<Row> {
    let id = |what: &str| format!("slots/rendezvous/{what}");
    let auc = Row::printed("slots/rendezvous", "slot detector", "P1", "AUC", found.auc);
    let mut rows = vec![
        auc.beside(naive).judged(0.49, 0.51),
        Row::printed(id("clock"), "the clock alone", "P1", "AUC", found.clock),
        Row::printed(id("within"), "slot detector", "P1", "AUC within an event", found.within).judged(0.49, 0.51),
        Row::printed(id("top-1"), "slot detector", "P1", "top-1 of 10", found.top_one),
        Row::printed(id("eta"), "slot detector", "P1", "eta p95", found.eta_p95),
        count(&id("real-slots"), "real slots judged", found.real_slots as u64),
        count(&id("decoy-slots"), "decoy slots judged", found.decoy_slots as u64),
        count(&id("retried-slots"), "judged slots after a full row", found.retried_slots as u64),
    ];
    let happened = [
        ("waves", met.waves),
        ("approaches", met.approaches),
        ("answers", met.answers),
        ("contacts", met.contacts),
        ("full-rows", met.full),
    ];
    rows.extend(happened.map(|(what, number)| count(&id(what), what, number)));
    rows
}

/// The same once the evening is under way.
fn settled_rows(found: &DetectorReport) -> [Row; 3] {
    [
        Row::printed("slots/rendezvous/settled", "slot detector", "P1", "AUC after 2 h", found.auc),
        Row::printed("slots/rendezvous/settled/clock", "the clock alone", "P1", "AUC after 2 h", found.clock),
        count("slots/rendezvous/settled/real-slots", "real slots judged", found.real_slots as u64),
    ]
}

/// The discovery lane: printed, whatever it is.
fn discovery_rows(agents: u32, found: &DetectorReport, naive: f64) -> [Row; 5] {
    let id = |what: &str| format!("slots/discovery/{agents}/{what}");
    [
        Row::printed(id("auc"), "slot detector", "P1", "AUC", found.auc).beside(naive),
        Row::printed(id("within"), "slot detector", "P1", "AUC within an event", found.within),
        Row::printed(id("top-1"), "slot detector", "P1", "top-1 of 10", found.top_one),
        Row::printed(id("eta"), "slot detector", "P1", "eta p95", found.eta_p95),
        count(&id("real-slots"), "real slots judged", found.real_slots as u64),
    ]
}

pub(crate) fn count(id: &str, metric: &str, number: u64) -> Row {
    let value = number as f64;
    let exact = mosaic_attack::Estimate { value, low: value, high: value };
    Row::printed(id, "sample size", "P1", metric, exact)
}

/// A figure that is counted or computed, not estimated: nothing varies by user.
pub(crate) const fn exactly(value: f64) -> mosaic_attack::Estimate {
    mosaic_attack::Estimate { value, low: value, high: value }
}

/// The averaging attacker on the naive design's fresh noise and on what the release lets out.
#[derive(Clone, Copy, Debug)]
pub struct AveragingPlan {
    /// People; each reports one place again and again within a week.
    pub people: usize,
    /// Most reports averaged.
    pub reports: usize,
    /// Standard deviation in metres, each axis, of the receiver between two reports of one place.
    pub receiver_m: f64,
    /// Everything is drawn from it.
    pub seed: u64,
}

/// Runs the averaging attacker, with a stranger's view: the cells of the cards.
///
/// # Errors
/// When nobody can live in `places`, or the release refuses.
pub fn averaging(places: &Arc<PlaceIndex>, plan: AveragingPlan) -> Result<Report> {
    let mut rng = ChaCha20Rng::seed_from_u64(plan.seed);
    let residents = Residents::generate(places, plan.people, plan.seed)?;
    let mut naive = Vec::with_capacity(plan.people);
    let mut ours = Vec::with_capacity(plan.people);
    let mut refused = 0;
    for resident in residents.all() {
        let home = resident.home();
        let seen: Vec<LatLng> = (0..plan.reports)
            .map(|_| offset_m(home, normal(plan.receiver_m, &mut rng), normal(plan.receiver_m, &mut rng)))
            .collect();
        let blurred = seen.iter().map(|&place| fresh_report(place, 200.0, &mut rng)).collect();
        naive.push(Reports { truth: home, seen: blurred });
        let cells = released(places, &seen, &mut rng)?;
        refused += seen.len() - cells.len();
        ours.push(Reports { truth: home, seen: cells });
    }
    let counts = [1, 10, plan.reports];
    let naive = averaging_curve(&naive, &counts, RESAMPLES, &mut rng);
    let ours = averaging_curve(&ours, &counts, RESAMPLES, &mut rng);
    let mut rows: Vec<Row> = naive
        .points
        .iter()
        .zip(&ours.points)
        .map(|(naive, ours)| {
            let id = format!("averaging/{}", ours.reports);
            let metric = format!("mean error (m), {}", name(ours.estimator));
            Row::printed(id, "averaging", "Y", &metric, ours.error_m).beside(naive.error_m.value)
        })
        .collect();
    let row = Row::printed("averaging/residual", "averaging", "Y", "error N=max / N=1", ours.residual);
    rows.push(row.beside(naive.residual.value).judged(0.95, f64::INFINITY));
    rows.push(count("averaging/people", "people judged", ours.users as u64));
    rows.push(count("averaging/refused", "reports that the release refused", refused as u64));
    Ok(Report::of(plan.seed, rows))
}

const fn name(estimator: Estimator) -> &'static str {
    match estimator {
        Estimator::Median => "median",
        Estimator::Mean => "mean",
        Estimator::MeanOfDistinct => "mean of distinct",
    }
}

/// What strangers see of a device that releases each of `seen` in one week: the cells' centres. Shorter than
/// `seen` where the release refused.
pub(crate) fn released(places: &Arc<PlaceIndex>, seen: &[LatLng], rng: &mut ChaCha20Rng) -> Result<Vec<LatLng>> {
    let mut seed = [0; 32];
    rng.fill(&mut seed[..]);
    let mut releaser = Releaser::new(seed, Arc::clone(places), ReleaserState::default());
    let mut cells = Vec::with_capacity(seen.len());
    for (step, &place) in (0..).zip(seen) {
        let draft = Draft {
            place: Sensitive::new(place),
            words: ContextText::new("coffee")?,
            requested: NoiseRatio::new(0.5)?,
            mode: Mode::Balanced,
            ttl: TtlHours::default(),
            enrichment: Enrichment::default(),
        };
        let id = match releaser.draft(evening().after(Duration::from_mins(step)), draft) {
            Ok(accepted) => accepted.id,
            // nothing leaves, so there is nothing to see; the report counts it
            Err(Refusal::OutsideArea { .. }) => continue,
            Err(refusal) => return Err(refusal.into()),
        };
        cells.extend(
            releaser.broadcasts().find(|broadcast| broadcast.id == id).map(|broadcast| broadcast.cell.center()),
        );
        releaser.withdraw(id);
    }
    Ok(cells)
}

/// A normal deviate by Box and Muller.
pub(crate) fn normal(deviation: f64, rng: &mut ChaCha20Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random_range(0.0..1.0_f64)).ln()).sqrt();
    deviation * radius * rng.random_range(0.0..std::f64::consts::TAU).cos()
}
