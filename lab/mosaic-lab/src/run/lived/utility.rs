//! Scoreboard U1 to U3: what people get, in unaccelerated minutes and bytes.

use std::time::Duration;

use mosaic_attack::{Estimate, bootstrap_by_user};
use mosaic_geo::distance_m;
use mosaic_types::Timestamp;

use crate::{
    practice::{Practice, PracticePlan, Said},
    report::Row,
    run::Bench,
    runs::{RESAMPLES, exactly},
};

/// How far apart two wishes are near, and how long finding may take.
const NEAR_M: f64 = 500.0;
const FINDING: Duration = Duration::from_hours(1);
/// Two polls of a balanced device on its own.
const TWO_POLLS: Duration = Duration::from_mins(20);

pub(super) fn judge(bench: &mut Bench<'_>, recorded: &Practice, plan: PracticePlan) {
    agreed(bench, recorded, plan);
    found(bench, recorded, plan);
    bytes(bench, recorded, plan);
}

/// Did both sides of a token have the other's contact within two polls?
fn agreed(bench: &mut Bench<'_>, recorded: &Practice, plan: PracticePlan) {
    let end = plan.start.after(plan.length);
    let judged = recorded.agreed.iter().filter(|(joined, _)| joined.after(TWO_POLLS) <= end);
    let waits: Vec<Vec<Option<Duration>>> =
        judged.map(|(joined, came)| came.iter().map(|at| at.map(|at| at.since(*joined))).collect()).collect();
    let in_time = |wait: &Option<Duration>| wait.is_some_and(|wait| wait <= TWO_POLLS);
    let row = |id: &str, metric: &str, found| {
        Row::printed(format!("utility/prearranged{id}"), "pre-arranged match", "-", metric, found)
    };
    let metric = format!("recall within two polls, {} pairs", waits.len());
    let recall = row("", &metric, share(&waits, in_time, bench)).on("U1").judged(0.99, 1.0);
    let limits = "balanced devices; events leave every six minutes by lane and are delayed by up to five, so two steps \
                  of a handshake need more than two polls";
    bench.rows.push(recall.because(limits));
    let ever = share(&waits, Option::is_some, bench);
    bench.rows.push(row("/ever", "recall by the end of the evening", ever));
    let all: Vec<_> = waits.into_iter().flatten().collect();
    quantiles(bench, &all, |metric, value| row(&format!("/{}", slug(metric)), metric, exactly(value)));
}

/// Were near wishes of one class found within an hour?
fn found(bench: &mut Bench<'_>, recorded: &Practice, plan: PracticePlan) {
    let end = plan.start.after(plan.length);
    let mut waits: Vec<Vec<Option<Duration>>> = vec![Vec::new(); plan.people as usize];
    for mine in &recorded.said {
        for theirs in recorded.said.iter().filter(|theirs| near(mine, theirs)) {
            let later = mine.at.max(theirs.at);
            if later.after(FINDING) > end {
                continue;
            }
            let sight = theirs.cards.iter().filter_map(|card| mine.seen.get(card)).min();
            let wait = sight.map(|at: &Timestamp| at.since(later));
            waits[mine.user as usize].push(wait.filter(|wait| *wait <= FINDING));
        }
    }
    waits.retain(|own| !own.is_empty());
    let row =
        |id: &str, metric: &str, found| Row::printed(format!("utility/discovery{id}"), "discovery", "-", metric, found);
    let pairs: usize = waits.iter().map(Vec::len).sum();
    let metric = format!("recall at 500 m within 60 min, {pairs} pairs");
    let recall = row("", &metric, share(&waits, Option::is_some, bench)).on("U2").judged(0.95, 1.0);
    bench.rows.push(recall.because("ordered pairs of wishes of one class; those coarsened by a spent ledger included"));
    let coarse = recorded.said.iter().filter(|said| !said.fine).count() as f64 / recorded.said.len().max(1) as f64;
    bench.rows.push(row("/coarse", "share of wishes coarsened or withheld", exactly(coarse)));
    let all: Vec<_> = waits.into_iter().flatten().collect();
    quantiles(bench, &all, |metric, value| row(&format!("/{}", slug(metric)), metric, exactly(value)));
}

/// Said by two people, in one class, near each other, in windows that overlap: a wish is out in its own and the next.
fn near(mine: &Said, theirs: &Said) -> bool {
    let out = |said: &Said| [said.at.window(), said.at.window().next()];
    mine.user != theirs.user
        && mine.class == theirs.class
        && out(mine).iter().any(|window| out(theirs).contains(window))
        && distance_m(mine.place, theirs.place) <= NEAR_M
}

fn share(
    waits: &[Vec<Option<Duration>>],
    holds: impl Fn(&Option<Duration>) -> bool,
    bench: &mut Bench<'_>,
) -> Estimate {
    bootstrap_by_user(waits, RESAMPLES, &mut bench.rng, |drawn| {
        let all = || drawn.iter().flat_map(|own| own.iter());
        all().filter(|wait| holds(wait)).count() as f64 / all().count().max(1) as f64
    })
}

/// Median and 95th percentile in minutes over all cases; what never came counts as longer than anything, and a
/// quantile that falls among those has no row.
fn quantiles(bench: &mut Bench<'_>, waits: &[Option<Duration>], row: impl Fn(&str, f64) -> Row) {
    let mut came: Vec<f64> = waits.iter().flatten().map(|wait| wait.as_secs_f64() / 60.0).collect();
    came.sort_by(f64::total_cmp);
    for (percent, metric) in [(50, "median minutes"), (95, "p95 minutes")] {
        let rank = (waits.len() * percent).div_ceil(100).max(1);
        bench.rows.extend(came.get(rank - 1).map(|minutes| row(metric, *minutes)));
    }
}

fn slug(metric: &str) -> &str {
    metric.split(' ').next().unwrap_or_default()
}

/// Megabytes a person and day, received and sent.
fn bytes(bench: &mut Bench<'_>, recorded: &Practice, plan: PracticePlan) {
    let days = plan.length.as_secs_f64() / 86_400.0;
    let mut own = vec![[0.0; 2]; plan.people as usize];
    for request in &recorded.requests {
        let [received, sent] = &mut own[request.user as usize];
        (*received, *sent) = (*received + request.answer as f64, *sent + request.bytes as f64);
    }
    let mut mean = |at: usize| {
        bootstrap_by_user(&own, RESAMPLES, &mut bench.rng, |drawn| {
            drawn.iter().map(|own| own[at]).sum::<f64>() / drawn.len().max(1) as f64 / days / 1e6
        })
    };
    let (received, sent) = (mean(0), mean(1));
    let row = |id: &str, metric: &str, found| Row::printed(id, "cost", "-", metric, found).on("U3");
    let metric = format!("MB a day received, {} people", plan.people);
    let limits = "whole generations are downloaded, so it grows with the population; without TLS and headers";
    bench.rows.push(row("cost/download", &metric, received).judged(0.0, 35.0).because(limits));
    let limits = "events, evaluations and queries; without TLS and headers";
    bench.rows.push(row("cost/sent", "MB a day sent, everything", sent).judged(0.0, 35.0).because(limits));
}
