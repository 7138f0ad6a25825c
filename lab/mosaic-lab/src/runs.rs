//! The runs: each takes a plan and returns rows of the scoreboard.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use mosaic_attack::{DetectorReport, averaging_curve, detect_slots};
use mosaic_geo::{PlaceIndex, Residents, offset_m};
use mosaic_release::{Draft, Releaser, ReleaserState};
use mosaic_types::{ContextText, LatLng, Mode, NoiseRatio, Sensitive, Timestamp, TtlHours};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::{
    naive::{fresh_report, naive_traffic, wishes},
    population::{PopulationPlan, Recording, record},
    report::{Report, Row},
};

/// Bootstrap resamples behind every interval.
const RESAMPLES: usize = 200;
/// The noise ratio of the naive design (L3-04).
const NAIVE_RATIO: f64 = 0.70;
/// What the attacker must reach on the naive design for its failure elsewhere to mean something.
const NAIVE_FLOOR: f64 = 0.85;

/// The single-provider slot detector on both lanes and on the naive design, in one run.
#[derive(Clone, Debug)]
pub struct SlotPlan {
    /// Sizes of the populations whose discovery lane is attacked, in virtual time.
    pub discovery_agents: Vec<u32>,
    /// People behind the rendezvous lane and the naive design.
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

/// Runs the slot detector; `progress` hears what begins.
///
/// # Errors
/// What recording says: no places, or a refusal of the release.
pub fn slots(places: &Arc<PlaceIndex>, plan: &SlotPlan, progress: impl Fn(&str)) -> Result<Report> {
    let mut rng = ChaCha20Rng::seed_from_u64(plan.seed);
    let recorded = |agents| -> Result<Recording> {
        progress(&format!("recording {agents} devices over {} h", plan.hours));
        let length = Duration::from_hours(plan.hours);
        record(places, PopulationPlan { agents, length, seed: plan.seed, mode: Mode::Balanced, start: evening() })
    };
    let recording = recorded(plan.rendezvous_agents)?;
    progress("attacking the naive design and the rendezvous lane");
    let residents = Residents::generate(places, plan.rendezvous_agents as usize, plan.seed)?;
    let wishes = wishes(residents.all(), places, evening(), plan.naive_days, &mut rng);
    let naive = detect_slots(&naive_traffic(&wishes, NAIVE_RATIO, &mut rng), RESAMPLES, &mut rng);
    let rendezvous = detect_slots(&recording.rendezvous, RESAMPLES, &mut rng);
    let mut rows = vec![
        Row::printed("slots/naive", "slot detector", "P1", "AUC", naive.auc).judged(NAIVE_FLOOR, 1.0),
        Row::printed("slots/rendezvous", "slot detector", "P1", "AUC", rendezvous.auc)
            .beside(naive.auc.value)
            .judged(0.49, 0.51),
        count("slots/rendezvous/real-slots", rendezvous.real_slots),
    ];
    for &agents in &plan.discovery_agents {
        let found = if agents == plan.rendezvous_agents {
            detect_slots(&recording.discovery, RESAMPLES, &mut rng)
        } else {
            let recording = recorded(agents)?;
            progress(&format!("attacking the discovery lane of {agents} devices"));
            detect_slots(&recording.discovery, RESAMPLES, &mut rng)
        };
        rows.extend(discovery_rows(agents, &found, naive.auc.value));
    }
    Ok(Report { seed: plan.seed, rows })
}

/// AUC, top-1 and η of the discovery lane: printed, whatever they are.
fn discovery_rows(agents: u32, found: &DetectorReport, naive: f64) -> [Row; 4] {
    let id = |what: &str| format!("slots/discovery/{agents}/{what}");
    let eta = mosaic_attack::Estimate { value: found.eta_p95, low: found.eta_p95, high: found.eta_p95 };
    [
        Row::printed(id("auc"), "slot detector", "P1", "AUC", found.auc).beside(naive),
        Row::printed(id("top-1"), "slot detector", "P1", "top-1 of 10", found.top_one),
        Row::printed(id("eta"), "slot detector", "P1", "eta p95 (no interval)", eta),
        count(&id("real-slots"), found.real_slots),
    ]
}

fn count(id: &str, number: usize) -> Row {
    let value = number as f64;
    let exact = mosaic_attack::Estimate { value, low: value, high: value };
    Row::printed(id, "sample size", "P1", "real slots judged", exact)
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
    for resident in residents.all() {
        let home = resident.home();
        let seen: Vec<LatLng> = (0..plan.reports)
            .map(|_| offset_m(home, normal(plan.receiver_m, &mut rng), normal(plan.receiver_m, &mut rng)))
            .collect();
        naive.push((home, seen.iter().map(|&place| fresh_report(place, 200.0, &mut rng)).collect()));
        ours.push((home, released(places, &seen, &mut rng)?));
    }
    let counts = [1, 10, plan.reports];
    let naive = averaging_curve(&naive, &counts, RESAMPLES, &mut rng);
    let ours = averaging_curve(&ours, &counts, RESAMPLES, &mut rng);
    let mut rows: Vec<Row> = naive
        .0
        .iter()
        .zip(&ours.0)
        .map(|(naive, ours)| {
            let id = format!("averaging/{}", ours.reports);
            Row::printed(id, "averaging", "Y", "mean error (m)", ours.error_m).beside(naive.error_m.value)
        })
        .collect();
    let residual = ours.residual();
    let exact = mosaic_attack::Estimate { value: residual, low: residual, high: residual };
    let row = Row::printed("averaging/residual", "averaging", "Y", "error N=max / N=1", exact);
    rows.push(row.beside(naive.residual()).judged(0.95, f64::INFINITY));
    Ok(Report { seed: plan.seed, rows })
}

/// What strangers see of a device that releases each of `seen` in one week: the cells' centres.
fn released(places: &Arc<PlaceIndex>, seen: &[LatLng], rng: &mut ChaCha20Rng) -> Result<Vec<LatLng>> {
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
        };
        let id = releaser.draft(evening().after(Duration::from_mins(step)), draft)?.id;
        cells.extend(
            releaser.broadcasts().find(|broadcast| broadcast.id == id).map(|broadcast| broadcast.cell.center()),
        );
        releaser.withdraw(id);
    }
    Ok(cells)
}

/// A normal deviate by Box and Muller.
fn normal(deviation: f64, rng: &mut ChaCha20Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random_range(0.0..1.0_f64)).ln()).sqrt();
    deviation * radius * rng.random_range(0.0..std::f64::consts::TAU).cos()
}
