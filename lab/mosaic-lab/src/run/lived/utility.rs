//! Scoreboard U1 to U3: what people get, in unaccelerated minutes and bytes.

use std::{collections::BTreeSet, time::Duration};

use mosaic_attack::{Estimate, bootstrap_by_user};
use mosaic_geo::distance_m;
use mosaic_types::Timestamp;

use crate::{
    practice::{Agreed, Practice, PracticePlan, Said},
    report::{Row, Status},
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
    decoys(bench, recorded);
    bytes(bench, recorded, plan);
}

/// Did both sides of a token have the other's contact within two polls?
fn agreed(bench: &mut Bench<'_>, recorded: &Practice, plan: PracticePlan) {
    let end = plan.start.after(plan.length);
    let judged: Vec<_> = recorded.agreed.iter().filter(|agreed| agreed.joined.after(TWO_POLLS) <= end).collect();
    let waited = |agreed: &&Agreed| {
        let since = |at: Option<Timestamp>| at.map(|at| at.since(agreed.joined));
        agreed.contacts.map(since).to_vec()
    };
    let waits: Vec<Vec<Option<Duration>>> = judged.iter().map(waited).collect();
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
    let first: Vec<Vec<_>> = judged.iter().map(|agreed| first_messages(agreed, end)).collect();
    let metric =
        format!("first messages read within two polls of leaving, {}", first.iter().map(Vec::len).sum::<usize>());
    let read = row("/read", &metric, share(&first, in_time, bench)).on("U1").judged(0.99, 1.0);
    bench.rows.push(read.because("what a poll can do: the time until a message leaves is not in it"));
    let all: Vec<_> = waits.into_iter().flatten().collect();
    quantiles(bench, ("utility/prearranged", "pre-arranged match"), &all, None);
}

/// How long the first message of each side was out before the other had read it; those that left too late to be
/// judged are not among them.
fn first_messages(agreed: &Agreed, end: Timestamp) -> Vec<Option<Duration>> {
    let judged = agreed.first.iter().filter(|(left, _)| left.after(TWO_POLLS) <= end);
    judged.map(|(left, read)| read.map(|read| read.since(*left))).collect()
}

/// Were near wishes of one class found within an hour?
fn found(bench: &mut Bench<'_>, recorded: &Practice, plan: PracticePlan) {
    let waits = finding(recorded, plan);
    let row =
        |id: &str, metric: &str, found| Row::printed(format!("utility/discovery{id}"), "discovery", "-", metric, found);
    let pairs: usize = waits.iter().map(Vec::len).sum();
    let metric = format!("recall at 500 m within 60 min, {pairs} pairs");
    let recall = row("", &metric, share(&waits, Option::is_some, bench)).on("U2").judged(0.95, 1.0);
    bench.rows.push(recall.because("ordered pairs of wishes of one class; those coarsened by a spent ledger included"));
    let coarse = recorded.said.iter().filter(|said| !said.fine).count() as f64 / recorded.said.len().max(1) as f64;
    bench.rows.push(row("/coarse", "share of wishes coarsened or withheld", exactly(coarse)));
    let all: Vec<_> = waits.into_iter().flatten().collect();
    quantiles(bench, ("utility/discovery", "discovery"), &all, Some([15.0, 30.0]));
}

/// Of the cards that people were shown, how many are decoys? An agent states nine of ten of every card, from what an event
/// is; which cards a reader comes across is another matter.
fn decoys(bench: &mut Bench<'_>, recorded: &Practice) {
    let real: BTreeSet<&String> = recorded.said.iter().flat_map(|said| &said.cards).collect();
    let users: BTreeSet<u32> = recorded.said.iter().map(|said| said.user).collect();
    let shown = |matched: bool| -> Vec<Vec<bool>> {
        let of = |user: u32| {
            let own = recorded.said.iter().filter(move |said| said.user == user);
            let cards: BTreeSet<&String> =
                own.flat_map(|said| said.seen.keys().filter(|card| !matched || said.matched.contains(*card))).collect();
            cards.into_iter().map(|card| !real.contains(card)).collect()
        };
        users.iter().map(|user| of(*user)).collect()
    };
    let row =
        |id: &str, metric: &str, found| Row::printed(format!("matching/decoys{id}"), "cards shown", "-", metric, found);
    for (id, name, shown) in [("", "cards shown", shown(false)), ("/matches", "matches", shown(true))] {
        let count: usize = shown.iter().map(Vec::len).sum();
        let found = bootstrap_by_user(&shown, RESAMPLES, &mut bench.rng, |drawn| {
            let all = || drawn.iter().flat_map(|own| own.iter());
            all().filter(|decoy| **decoy).count() as f64 / all().count().max(1) as f64
        });
        let row = row(id, &format!("share of decoys among {count} {name}"), found);
        // of nothing there is no share
        bench.rows.push(if count == 0 { row } else { row.judged(mosaic_release::DECOYS_AT_LEAST, 1.0) });
    }
    let shown = shown(false);
    let cards: usize = shown.iter().map(Vec::len).sum();
    let real = shown.iter().flatten().filter(|decoy| !**decoy).count();
    if real > 0 {
        bench.rows.push(row("/cards", "cards shown for each real card", exactly(cards as f64 / real as f64)));
    }
}

/// How long each person's near wishes of one class took to be found, from the later of the two; none within an hour
/// is none.
pub(super) fn finding(recorded: &Practice, plan: PracticePlan) -> Vec<Vec<Option<Duration>>> {
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
    waits
}

/// Said by two people, in one class, near each other, in windows that overlap: a wish is out in its own and the next.
fn near(mine: &Said, theirs: &Said) -> bool {
    let out = |said: &Said| [said.at.window(), said.at.window().next()];
    mine.user != theirs.user
        && mine.class == theirs.class
        && out(mine).iter().any(|window| out(theirs).contains(window))
        && distance_m(mine.place, theirs.place) <= NEAR_M
}

pub(super) fn share(
    waits: &[Vec<Option<Duration>>],
    holds: impl Fn(&Option<Duration>) -> bool,
    bench: &mut Bench<'_>,
) -> Estimate {
    bootstrap_by_user(waits, RESAMPLES, &mut bench.rng, |drawn| {
        let all = || drawn.iter().flat_map(|own| own.iter());
        all().filter(|wait| holds(wait)).count() as f64 / all().count().max(1) as f64
    })
}

/// Median and 95th percentile in minutes over all cases. What never came counts as longer than anything: a quantile
/// that falls among those has no value, and misses its aim where it has one.
pub(super) fn quantiles(
    bench: &mut Bench<'_>,
    (id, attack): (&str, &str),
    waits: &[Option<Duration>],
    aims: Option<[f64; 2]>,
) {
    let mut came: Vec<f64> = waits.iter().flatten().map(|wait| wait.as_secs_f64() / 60.0).collect();
    came.sort_by(f64::total_cmp);
    for (at, (percent, slug)) in [(50, "median"), (95, "p95")].into_iter().enumerate() {
        let rank = (waits.len() * percent).div_ceil(100).max(1);
        let row = |found| {
            let row = Row::printed(format!("{id}/{slug}"), attack, "-", &format!("{slug} minutes"), found);
            aims.map_or_else(|| row.clone(), |aims| row.clone().judged(0.0, aims[at]))
        };
        match came.get(rank - 1) {
            Some(minutes) => bench.rows.push(row(exactly(*minutes))),
            None if aims.is_some() && !waits.is_empty() => {
                let never = Row { value: None, ci: None, status: Status::Missed, ..row(exactly(0.0)) };
                bench.rows.push(never.because("falls among those that never came"));
            }
            None => {}
        }
    }
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
