//! Scoreboard 2 to 6 and 25 after collusion: every bundle lies open, one of ten is real.

pub(super) mod describe;

use std::time::Duration;

use anyhow::Result;
use mosaic_attack::{
    BoostingPlan, ByteStatistics, Choice, Estimate, EventView, GuessReport, SlotView, classify_elements, judge_guesses,
    novelty, redundancy, score_choices,
};

use self::describe::{FEATURES, Profile, Town, choices, profiles};
use super::{Bench, elements::Naive, plots, sessions, slots::learners};
use crate::{
    opened::{Layers, Life, Opened, record_opened},
    report::Row,
    runs::{RESAMPLES, count},
};

pub(super) fn attack(bench: &mut Bench<'_>, naive: Naive) -> Result<()> {
    let size = bench.plan.size.clone();
    bench.progress.stage(&format!("opened bundles of {} people", size.opened), size.opened.into());
    let plan = bench.population(size.opened, Duration::from_hours(24 * size.days));
    let opened = record_opened(bench.places, plan, Life::Ordinary, Layers::Both, bench.progress)?;
    bench.progress.stage(&format!("one wish, repeated by {} people", size.steady), size.steady.into());
    let plan = bench.population(size.steady, Duration::from_hours(2 * size.windows));
    let steady = record_opened(bench.places, plan, Life::Steady, Layers::Outer, bench.progress)?;
    single_bundles(bench, naive, &opened);
    let known = profiles(bench.places, bench.plan.size.opened, bench.plan.seed)?;
    let found = guesses(bench, naive, &opened, &known);
    let maximum = super::meter::in_maximum_mode(bench)?;
    super::maximum::attack(bench, &maximum, &known);
    super::meter::attack(bench, &opened, &maximum, found)?;
    drop(maximum);
    repeated(bench, naive, &steady);
    sessions::released(bench, &opened)?;
    super::lineups::opened(bench, &opened);
    super::topics::attack(bench, &opened);
    let bytes = opened.iter().map(|event| event.bytes).max().unwrap_or(0) as u64;
    // five events an hour on each lane, always (DESIGN section 4, balanced)
    let row = count("cost/upload", "KB a day sent in events, balanced", bytes * 240 / 1_000);
    bench.rows.push(Row { view: "-".to_owned(), ..row }.on("U3").judged(0.0, 35_000.0));
    Ok(())
}

/// The attacks on the naive mix, on opened bundles: is there anything to see in one of them?
fn single_bundles(bench: &mut Bench<'_>, naive: Naive, opened: &[Opened]) {
    bench.progress.stage("opened bundles, one by one", 0);
    let mut events: Vec<EventView> = opened.iter().filter(|event| event.resolution == 8).map(view).collect();
    events.sort_by_key(|event| (event.at, event.user));
    let warm_up = events.len() / 10;
    let rng = &mut bench.rng;
    let new = novelty(&events, warm_up, RESAMPLES, rng);
    let counted = redundancy(&events, RESAMPLES, rng);
    let classified = classify_elements(&events, warm_up, BoostingPlan::default(), RESAMPLES, rng);
    let row =
        |id: &str, attack: &str, metric: &str, found| Row::printed(format!("opened/{id}"), attack, "P2", metric, found);
    let first = row("novelty", "novelty", "precision of first-seen", new.precision);
    bench.rows.push(first.on("3").beside(naive.novelty).judged(0.0, 0.10));
    let blind =
        mosaic_attack::Estimate { value: new.blind_precision, low: new.blind_precision, high: new.blind_precision };
    bench.rows.push(row("novelty/blind", "calling everything real", "precision", blind));
    let twice = row("redundancy", "redundancy count", "bundles seen twice in an event", exactly(counted.called));
    bench.rows.push(twice.on("4").beside(naive.redundancy).judged(0.0, 0.0).because("the baseline is a precision"));
    bench.rows.push(
        row("element-classifier", "element classifier", "AUC", classified.auc)
            .on("2")
            .beside(naive.auc)
            .judged(0.0, 0.58),
    );
}

/// Which bundle of an event is real? With everything known of the town and of this person's earlier events, and
/// then with a clean profile as well.
fn guesses(bench: &mut Bench<'_>, naive: Naive, opened: &[Opened], known: &[Profile]) -> Estimate {
    let town = Town::survey(opened);
    let mut without_profile = Estimate { value: 0.0, low: 0.0, high: 0.0 };
    let limits = "generated people: what they like and where they are follows another law than the public aggregates that personas follow";
    for (view, profile) in [("P2", None), ("P2+I", Some(known))] {
        let asked = choices(opened, &town, profile, |_| true);
        let (name, found) = best(bench, &format!("opened/{}", view.to_lowercase()), view, &asked);
        let id = |what: &str| format!("opened/{}/{what}", view.to_lowercase());
        let attack = format!("which bundle is real ({name})");
        let row = |what: &str, metric: &str, found| Row::printed(id(what), &attack, view, metric, found);
        if profile.is_none() {
            without_profile = found.top_one;
            bench.rows.push(
                row("auc", "AUC, one of ten", found.auc).on("2").beside(naive.auc).judged(0.0, 0.58).because(limits),
            );
            bench.rows.extend(telling(&asked));
            let hits = found.hits_at_1_percent;
            let exact = mosaic_attack::Estimate { value: hits, low: hits, high: hits };
            bench.rows.push(row("tpr", "found at 1 % false alarms", exact).on("2").judged(0.0, 0.02));
            bench.rows.push(row("top-1", "top-1 of 10", found.top_one).on("2"));
            bench.rows.push(
                row("g", "G: checks until the real one", found.trap.verifications)
                    .on("25")
                    .beside(1.1)
                    .judged(4.5, f64::INFINITY),
            );
        } else {
            let limit = "balanced mode, which includes always; the target is that of maximum mode";
            bench
                .rows
                .push(row("top-1", "top-1 of 10", found.top_one).on("6").beside(0.70).judged(0.0, 0.37).because(limit));
            bench.rows.push(
                row("g", "G: checks until the real one", found.trap.verifications)
                    .on("25")
                    .beside(1.1)
                    .judged(2.5, f64::INFINITY)
                    .because(limit),
            );
        }
        bench.rows.push(row("stated", "G by the stated posterior", found.trap.guesses));
        bench.rows.push(row("k-eff", "effective hypotheses", found.trap.effective));
        bench.rows.push(row("calibration", "calibration error", found.calibration.error));
        bench.plot("roc", plots::line(&format!("opened bundles, {view}"), found.roc.clone()));
        bench.plot("reliability", plots::reliability(view, &found.calibration));
        for bar in plots::trap(view, &found) {
            bench.plot("trap", bar);
        }
    }
    without_profile
}

/// The events with something real as choices, for an attacker who sees the whole town and has no profile.
pub(super) fn asked(opened: &[Opened]) -> Vec<Choice> {
    choices(opened, &Town::survey(opened), None, |_| true)
}

/// What tells: each feature by itself, as far as it lies from the mean of its event. For those who mend it.
pub(super) fn telling(asked: &[Choice]) -> Vec<Row> {
    let area = |feature: usize| {
        let at = FEATURES.len() + feature;
        let score = |choice: &Choice| {
            choice.rows.iter().enumerate().map(|(k, row)| (row[at], k == choice.truth)).collect::<Vec<_>>()
        };
        let found = mosaic_attack::auc(&asked.iter().flat_map(score).collect::<Vec<_>>());
        found.max(1.0 - found)
    };
    let row = |(feature, name): (usize, &&str)| {
        let found = area(feature);
        let exact = mosaic_attack::Estimate { value: found, low: found, high: found };
        Row::printed(format!("opened/p2/by/{name}"), "one feature by itself", "P2", "AUC, a point", exact)
    };
    FEATURES.iter().enumerate().map(row).collect()
}

/// One wish sent in one window after another: what stays is real, unless decoys stay too.
fn repeated(bench: &mut Bench<'_>, naive: Naive, steady: &[Opened]) {
    let town = Town::survey(steady);
    let times = |wanted: u64| [1, 2, 3, 5, 10, 20].into_iter().filter(move |times| *times <= wanted);
    let mut curve = Vec::new();
    for number in times(bench.plan.size.windows) {
        let Some((name, found)) = repeats(bench, "opened/rebroadcast", (steady, &town), number) else { continue };
        let attack = format!("rebroadcast intersection ({name})");
        let row = Row::printed(
            format!("opened/rebroadcast/{number}/top-1"),
            &attack,
            "P2",
            &format!("top-1 of 10, N = {number}"),
            found.top_one,
        );
        let row = row.on("5").judged(0.0, 0.15);
        bench.rows.push(if number == 3 {
            row.beside(naive.exact).because("the baseline is exact recovery")
        } else {
            row
        });
        curve.push([number as f64, found.top_one.value]);
    }
    let lines = vec![plots::line("opened bundles, P2", curve)];
    bench.lines("rebroadcasts", "Which bundle is real, after N rebroadcasts", ["rebroadcasts N", "top-1 of 10"], lines);
}

/// The guess at a bundle that was sent for the n-th time; none where nothing was sent so often.
pub(super) fn repeats(
    bench: &mut Bench<'_>,
    id: &str,
    (steady, town): (&[Opened], &Town),
    number: u64,
) -> Option<(&'static str, GuessReport)> {
    let asked = choices(steady, town, None, |sent| sent as u64 == number);
    (!asked.is_empty()).then(|| best(bench, &format!("{id}/{number}"), "P2", &asked))
}

/// All learners; each printed, the best by top-1 returned.
pub(super) fn best(bench: &mut Bench<'_>, id: &str, view: &str, asked: &[Choice]) -> (&'static str, GuessReport) {
    let mut all = Vec::new();
    for (name, learner, _) in learners(bench.plan.size.epochs) {
        bench.progress.stage(&format!("{id}: {name}"), 0);
        let guesses = score_choices(asked, learner, &mut bench.rng);
        let found = judge_guesses(&guesses, RESAMPLES, &mut bench.rng);
        let attack = format!("which bundle is real ({name})");
        bench.rows.push(Row::printed(format!("{id}/{name}"), &attack, view, "top-1 of 10", found.top_one));
        all.push((name, found));
    }
    all.sort_by(|a, b| b.1.top_one.value.total_cmp(&a.1.top_one.value));
    all.swap_remove(0)
}

fn view(event: &Opened) -> EventView {
    let slot = |slot: &crate::opened::OpenedSlot| SlotView {
        key: slot.key(),
        chain: 0,
        bytes: ByteStatistics::default(),
        real: slot.identity == 0,
    };
    EventView { user: event.user, at: event.at.as_secs(), slots: event.slots.iter().map(slot).collect() }
}

fn exactly(count: usize) -> mosaic_attack::Estimate {
    let value = count as f64;
    mosaic_attack::Estimate { value, low: value, high: value }
}
