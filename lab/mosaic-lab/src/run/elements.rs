//! Scoreboard 1 to 5 on the naive design: proof that the attackers have teeth.

use std::collections::VecDeque;

use anyhow::Result;
use mosaic_attack::{
    BoostingPlan, Learner, Rebroadcast, classify_elements, coherence_attack, detect_slots_with, novelty,
    rebroadcast_intersection, redundancy,
};
use mosaic_geo::Residents;

use super::{Bench, plots};
use crate::{
    naive::{Wish, naive_traffic, rebroadcast, redundant_traffic, wishes},
    report::Row,
    runs::{NAIVE_RATIO, RESAMPLES, evening},
};

/// What the naive design gives away: the baselines that later rows stand beside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Naive {
    /// AUC of the best detector.
    pub(super) auc: f64,
    /// What the slot detector's area has beyond that of the clock.
    pub(super) beyond: f64,
    /// Share of contexts recovered exactly after three rebroadcasts.
    pub(super) exact: f64,
    /// Precision of novelty.
    pub(super) novelty: f64,
    /// Precision of counting.
    pub(super) redundancy: f64,
}

/// Broadcasts that only fill the attackers' memory: more than the pool holds, so that they have seen all of it.
const WARM_UP: usize = 1_200;

/// Attacks a check-in city under the naive design at 70 % noise.
pub(super) fn attack(bench: &mut Bench<'_>) -> Result<Naive> {
    bench.progress.stage("the naive design", 0);
    let (size, rng) = (&bench.plan.size, &mut bench.rng);
    let people = Residents::generate(bench.places, size.people as usize, bench.plan.seed)?;
    let said = wishes(people.all(), bench.places, evening(), size.naive_days, rng);
    let seen = naive_traffic(&said, NAIVE_RATIO, rng);
    let warm_up = WARM_UP.min(seen.len() / 3);
    let classified = classify_elements(&seen, warm_up, BoostingPlan::default(), RESAMPLES, rng);
    let coherent = coherence_attack(&seen, RESAMPLES, rng);
    let new = novelty(&seen, warm_up, RESAMPLES, rng);
    let counted = redundancy(&redundant_traffic(&said, NAIVE_RATIO, rng), RESAMPLES, rng);
    let pool: VecDeque<Wish> = said.iter().rev().take(1_000).copied().collect();
    let step = (said.len() / 1_500).max(1);
    let contexts: Vec<Rebroadcast> =
        said.iter().step_by(step).map(|wish| rebroadcast(wish, &pool, NAIVE_RATIO, 5, rng)).collect();
    let crossed = rebroadcast_intersection(&contexts, &[1, 2, 3, 5], RESAMPLES, rng);
    let trees = detect_slots_with(&seen, Learner::Trees(BoostingPlan::default()), 200_000, RESAMPLES, rng);
    let row =
        |id: &str, attack: &str, metric: &str, found| Row::printed(format!("naive/{id}"), attack, "P1", metric, found);
    // the floors say that an attacker that cannot break this design is broken itself
    bench.rows.push(row("classifier", "element classifier", "AUC at 70 % noise", classified.auc).judged(0.80, 1.0));
    bench.rows.push(row("slots", "slot detector (trees)", "AUC at 70 % noise", trees.auc).judged(0.80, 1.0));
    bench.rows.push(row("precision-at-0.8", "element classifier", "precision at 0.8", classified.precision_at_08));
    bench.rows.push(row("coherence", "co-occurrence alone", "AUC at 70 % noise", coherent.auc));
    bench.rows.push(row("coherence/top-r", "co-occurrence alone", "top-r precision", coherent.top_r_precision));
    bench.rows.push(row("novelty", "novelty", "precision of first-seen", new.precision));
    bench.rows.push(row("novelty/recall", "novelty", "share of real first seen", new.recall));
    bench.rows.push(row("redundancy", "redundancy count", "precision", counted.precision));
    for point in &crossed {
        let metric = format!("exact after {}", point.broadcasts);
        let found =
            row(&format!("intersection/{}", point.broadcasts), "rebroadcast intersection", &metric, point.exact);
        bench.rows.push(if point.broadcasts == 3 { found.judged(0.90, 1.0) } else { found });
    }
    let naive_roc = plots::line("naive design, trees", trees.roc);
    bench.plot("roc", naive_roc);
    let exact = crossed.iter().find(|point| point.broadcasts == 3).map_or(0.0, |point| point.exact.value);
    let (novelty, redundancy) = (new.precision.value, counted.precision.value);
    let (auc, beyond) = (classified.auc.value.max(trees.auc.value), trees.beyond.value);
    Ok(Naive { auc, beyond, exact, novelty, redundancy })
}
