//! Scoreboard 12: two providers lay their databases side by side.
//!
//! What has been replicated is the same on both sides, record for record, so there is nothing to join there: both hold
//! all of it already. What each has for itself is what it took in as an origin, with the moment it came; what is to be
//! joined is a writer here with a writer there.

use mosaic_attack::{BoostingPlan, Kept, Learner, join_attack};
use mosaic_types::Mode;

use super::Bench;
use crate::{
    evening::{Evening, Taken},
    report::Row,
    runs::RESAMPLES,
};

/// Pairs of each kind, at most.
const PAIRS: usize = 20_000;

pub(super) fn attack(bench: &mut Bench<'_>, recorded: &Evening) {
    bench.progress.stage("two databases side by side", 0);
    let at = |origin: u8, named: bool| -> Vec<Kept> {
        let own = recorded.taken.iter().filter(|taken| taken.origin == origin);
        own.map(|taken| kept(taken, named)).collect()
    };
    // the lanes take turns on one grid, and each event leaves its tick after a delay
    let period = Mode::Balanced.profile().lane_interval.as_secs() / 2;
    let mut judge = |named: bool| {
        let (here, there) = (at(1, named), at(2, named));
        let learner = Learner::Trees(BoostingPlan::default());
        join_attack((&here, &there), period, PAIRS, learner, RESAMPLES, &mut bench.rng)
    };
    let (naive, found) = (judge(true), judge(false));
    let metric = format!("AUC, one writer's or two's, {} pairs", found.observations);
    let row = Row::printed("join", "cross-provider join", "P1 + P1", &metric, found.auc);
    let limits = "origins' own records with their moments; the relay is honest, so no address is kept; both lanes";
    bench.rows.push(row.on("12").beside(naive.auc.value).judged(0.49, 0.51).because(limits));
}

fn kept(taken: &Taken, named: bool) -> Kept {
    // the naive design names the event's session in clear
    let name = if named { u64::from(taken.by) + 1 } else { 0 };
    Kept { writer: taken.by, at: taken.at.as_secs(), keys: taken.rows.clone(), name }
}
