//! Scoreboard 10, 21 and 25: which of the ten identities of a device is the person? The attacker is given more
//! than the design grants: whose bundles belong together.

use mosaic_attack::{
    BoostingPlan, Guess, Guesses, Lineup, PersonaDetector, PlacePopularity, Session, Visit, judge_guesses,
    judge_personas,
};
use mosaic_geo::{Resolution, displacement_m};
use mosaic_types::LatLng;

use super::{Bench, plots};
use crate::{opened::Opened, report::Row, runs::RESAMPLES};

/// Bundles a session.
const VISITS: usize = 5;
/// Sessions a line-up, at most.
const SESSIONS: usize = 10;

/// Lines up the person and the nine personas of every device by what their bundles said.
pub(super) fn opened(bench: &mut Bench<'_>, opened: &[Opened]) {
    bench.progress.stage("line-ups of ten identities", 0);
    let Some(origin) = opened.first().and_then(|event| event.slots.first()).map(|slot| slot.cell.center()) else {
        return;
    };
    let lineups: Vec<Lineup> =
        opened.chunk_by(|a, b| a.user == b.user).filter_map(|own| line_up(own, origin)).collect();
    let part = |part: u32| lineups.iter().filter(move |lineup| lineup.user % 3 == part);
    let training: Vec<Lineup> = part(0).cloned().collect();
    let corpus: Vec<Session> = training.iter().flat_map(|one| one.candidates.iter().flatten().cloned()).collect();
    let detectors = [false, true].map(|overlap| {
        let popularity = PlacePopularity::learn(&corpus);
        PersonaDetector::fit(&training, popularity, overlap, BoostingPlan::default())
    });
    let mut found: Vec<_> = detectors
        .iter()
        .map(|detector| {
            let judged: Vec<_> = part(2).map(|lineup| detector.score(lineup)).collect();
            let tuning: Vec<_> = part(1).map(|lineup| detector.score(lineup)).collect();
            (judge_personas(&judged, RESAMPLES, &mut bench.rng), judged, tuning)
        })
        .collect();
    found.sort_by(|a, b| b.0.joint.value.total_cmp(&a.0.joint.value));
    let (report, judged, tuning) = found.swap_remove(0);
    let row =
        |id: &str, metric: &str, found| Row::printed(format!("lineup/{id}"), "persona line-up", "P2", metric, found);
    // what a generated person does is not what a person does
    let limits = "generated people: what they like and where they are follows another law than the public aggregates that personas follow";
    let row = |id: &str, metric: &str, found| row(id, metric, found).because(limits);
    bench.rows.push(row("single", "top-1 of 10, one session", report.single).on("10").beside(0.72).judged(0.0, 0.15));
    bench.rows.push(row("joint", "top-1 of 10, all sessions", report.joint).on("10").beside(0.88).judged(0.0, 0.20));
    let days = format!("AUC, {} days opened", bench.plan.size.days);
    bench.rows.push(row("auc", &days, report.joint_auc).on("21").beside(0.85).judged(0.0, 0.60));
    bench.rows.push(row("single-auc", "AUC, one session", report.single_auc));
    let flat = |scored: &[mosaic_attack::ScoredLineup]| -> Vec<Guess> {
        let guesses = scored.iter().flat_map(|one| {
            one.scores.iter().map(|scores| Guess { user: one.user, scores: scores.clone(), truth: one.truth })
        });
        guesses.collect()
    };
    let guesses = Guesses { tuning: flat(&tuning), judged: flat(&judged) };
    let trap = judge_guesses(&guesses, RESAMPLES, &mut bench.rng);
    bench.rows.push(
        row("g", "G: checks, one session", trap.trap.verifications).on("25").beside(1.1).judged(4.5, f64::INFINITY),
    );
    bench.rows.push(row("joint/g", "G: checks, all sessions at once", trap.joint.verifications).on("25"));
    bench.rows.push(row("joint/k-eff", "effective identities, all sessions", trap.joint.effective));
    bench.rows.push(row("joint/stated", "G by the stated posterior, all sessions", trap.joint.guesses));
    bench.rows.push(row("calibration", "calibration error", trap.calibration.error));
    bench.plot("reliability", plots::reliability("line-up", &trap.calibration));
    for bar in plots::trap("line-up", &trap) {
        bench.plot("trap", bar);
    }
    bench.plot("trap", plots::bar("G, line-up, all sessions", trap.joint.verifications.value));
    super::four::opened(bench, opened, &lineups);
}

/// One device's ten, cut into equally many sessions; nothing if one of them said too little.
fn line_up(own: &[Opened], origin: LatLng) -> Option<Lineup> {
    let visits = |identity: u16| -> Vec<Visit> {
        let slots = own.iter().filter(|event| event.resolution == 8).flat_map(|event| &event.slots);
        let visit = |slot: &crate::opened::OpenedSlot| {
            let (east, north) = displacement_m(origin, slot.cell.center());
            let zone = slot.cell.parent(Resolution::R7).unwrap_or(slot.cell).raw();
            Visit { place: slot.cell.raw(), zone, at: [east, north] }
        };
        slots.filter(|slot| slot.identity == identity).map(visit).collect()
    };
    let all: Vec<Vec<Visit>> = (0..=9).map(visits).collect();
    let sessions = all.iter().map(|visits| visits.len() / VISITS).min()?.min(SESSIONS);
    let cut = |visits: Vec<Visit>| visits.chunks_exact(VISITS).take(sessions).map(<[Visit]>::to_vec).collect();
    (sessions > 0).then(|| Lineup { user: own[0].user, candidates: all.into_iter().map(cut).collect(), truth: 0 })
}
