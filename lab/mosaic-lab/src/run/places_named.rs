//! Scoreboard 7: averaging many reports of one place, in metres and by naming the venue.

use anyhow::Result;
use mosaic_attack::{Estimator, bootstrap_by_user};
use mosaic_geo::{PlaceIndex, offset_m};
use mosaic_types::LatLng;
use rand::RngExt;

use super::{Bench, plots};
use crate::{
    naive::fresh_report,
    report::Row,
    runs::{AveragingPlan, RESAMPLES, averaging, normal, released},
};

/// Reports of one place within a week.
const REPORTS: usize = 100;
/// Standard deviation of the receiver on each axis, in metres.
const RECEIVER_M: f64 = 15.0;

pub(super) fn attack(bench: &mut Bench<'_>) -> Result<()> {
    bench.progress.stage("averaging", 0);
    let (people, seed) = (bench.plan.size.people as usize, bench.plan.seed);
    let found = averaging(bench.places, AveragingPlan { people, reports: REPORTS, receiver_m: RECEIVER_M, seed })?;
    let (mut naive, mut ours) = (Vec::new(), Vec::new());
    for row in found.rows {
        let reports = row.id.strip_prefix("averaging/").and_then(|reports| reports.parse::<f64>().ok());
        if let (Some(reports), Some(value), Some(baseline)) = (reports, row.value, row.baseline) {
            ours.push([reports, value]);
            naive.push([reports, baseline]);
        }
        bench.rows.push(match row.id.as_str() {
            "averaging/100" => row.on("7").judged(275.0, f64::INFINITY),
            "averaging/residual" => row.on("7"),
            _ => row,
        });
    }
    let lines = vec![plots::line("fresh noise each time", naive), plots::line("MOSAIC", ours)];
    bench.lines("averaging", "Error of the best estimate, after N reports", ["reports N", "metres"], lines);
    venues(bench)
}

/// People at a public place each; the attacker names the place nearest to its estimate.
fn venues(bench: &mut Bench<'_>) -> Result<()> {
    let (mut naive, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..bench.plan.size.people {
        let all = bench.places.all();
        let Some(venue) = all.get(bench.rng.random_range(0..all.len().max(1))).map(|place| place.position) else {
            continue;
        };
        let rng = &mut bench.rng;
        let seen: Vec<LatLng> =
            (0..REPORTS).map(|_| offset_m(venue, normal(RECEIVER_M, rng), normal(RECEIVER_M, rng))).collect();
        let blurred: Vec<LatLng> = seen.iter().map(|place| fresh_report(*place, 200.0, rng)).collect();
        naive.push(names(bench.places, Estimator::Median, &blurred, venue));
        let cells = released(bench.places, &seen, rng)?;
        ours.push(names(bench.places, Estimator::MeanOfDistinct, &cells, venue));
    }
    let mean = |drawn: &[&f64]| drawn.iter().copied().sum::<f64>() / drawn.len().max(1) as f64;
    let baseline = mean(&naive.iter().collect::<Vec<_>>());
    let found = bootstrap_by_user(&ours, RESAMPLES, &mut bench.rng, mean);
    let row = Row::printed("averaging/venue", "averaging", "Y", "venue top-1, N = 100", found);
    bench.rows.push(row.on("7").beside(baseline).judged(0.0, 0.30));
    Ok(())
}

/// 1 when the nearest public place is the venue, shared among places at one point.
fn names(places: &PlaceIndex, estimator: Estimator, seen: &[LatLng], venue: LatLng) -> f64 {
    let Some(guess) = estimator.estimate(seen) else { return 0.0 };
    let nearest = places.nearest(guess, 1);
    nearest.first().map_or(0.0, |(place, _)| f64::from(u8::from(place.position == venue)))
}
