//! Scoreboard 1, 16, 17 and 25 as one provider sees them: rows and times, nothing opened.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Result;
use mosaic_attack::{
    BoostingPlan, EventView, Learner, LearnerReport, PacketWindow, SequencePlan, activity_attack, detect_slots,
    detect_slots_with, judge_guesses,
};
use mosaic_federation::sizing::{Load, TableShape};
use mosaic_types::{Lane, Mode};

use super::{Bench, chaff, edges, elements::Naive, join, plots};
use crate::{
    evening::Evenings,
    population::{PopulationPlan, record_discovery},
    report::Row,
    runs::{RESAMPLES, count, evening},
};

/// All three learners, each with the most slots it learns from.
pub(super) fn learners(epochs: usize) -> [(&'static str, Learner, usize); 3] {
    let sequence = SequencePlan { epochs, ..SequencePlan::default() };
    [
        ("trees", Learner::Trees(BoostingPlan::default()), 200_000),
        ("logistic", Learner::Logistic { penalty: 1.0 }, 100_000),
        ("sequence", Learner::Sequence(sequence), 40_000),
    ]
}

impl Bench<'_> {
    pub(super) fn population(&self, agents: u32, length: Duration) -> PopulationPlan {
        PopulationPlan { agents, length, seed: self.plan.seed, mode: Mode::Balanced, start: evening(), liked: None }
    }
}

/// The rendezvous lane of evenings that were recorded. Who meets whom is asked of the first.
pub(super) fn rendezvous(bench: &mut Bench<'_>, naive: Naive, recorded: &Evenings) {
    let sent: u64 = [recorded.met.waves, recorded.met.answers, recorded.met.contacts].iter().sum();
    bench.rows.push(count("slots/rendezvous/frames", "waves, answers and contacts", sent));
    bench.progress.stage("rendezvous lane: the clock", 0);
    let found = detect_slots(&recorded.rendezvous, 0, RESAMPLES, &mut bench.rng);
    bench.rows.push(Row::printed("slots/rendezvous/clock", "the clock alone", "P1", "AUC", found.clock));
    bench.rows.push(count("slots/rendezvous/real-slots", "real slots judged", found.real_slots as u64));
    let best = lane(bench, "slots/rendezvous", "rendezvous lane", &recorded.rendezvous, naive, true);
    trap(bench, "rendezvous", &best);
    clock(bench, &recorded.rendezvous);
    edges::attack(bench, &recorded.first);
    let rows = shape(bench.plan.size.evening, Lane::Rendezvous).rows;
    chaff::attack(bench, Lane::Rendezvous, &recorded.rendezvous, rows);
    join::attack(bench, &recorded.first);
}

/// The discovery lane of populations of several sizes.
pub(super) fn discovery(bench: &mut Bench<'_>, naive: Naive) -> Result<()> {
    let size = bench.plan.size.clone();
    let length = Duration::from_hours(size.hours);
    for &agents in &size.discovery {
        bench.progress.stage(&format!("the discovery lane of {agents} devices"), agents.into());
        let events = record_discovery(bench.places, bench.population(agents, length), bench.progress)?;
        let last = size.discovery.last() == Some(&agents);
        let best = lane(bench, &format!("slots/discovery/{agents}"), "discovery lane", &events, naive, false);
        let top =
            Row::printed(format!("slots/discovery/{agents}/top-1"), "slot detector", "P1", "top-1 of 10", best.top_one);
        bench.rows.push(top.on("1").judged(0.0, 0.12).because("the target is set for 10,000 devices or more"));
        if last {
            trap(bench, "discovery", &best);
            let rows = shape(agents, Lane::Discovery).rows;
            chaff::attack(bench, Lane::Discovery, &events, rows);
        }
    }
    Ok(())
}

/// The table of a population on one lane, as the recordings have it.
fn shape(agents: u32, lane: Lane) -> TableShape {
    Load { agents, origins: 3 }.shape(lane)
}

/// Every learner on one lane, and the best of them as the judged row.
fn lane(bench: &mut Bench<'_>, id: &str, name: &str, events: &[EventView], naive: Naive, plot: bool) -> LearnerReport {
    let mut all: Vec<(&str, LearnerReport)> = Vec::new();
    for (learner, plan, most) in learners(bench.plan.size.epochs) {
        bench.progress.stage(&format!("{name}: {learner}"), 0);
        let found = detect_slots_with(events, plan, most, RESAMPLES, &mut bench.rng);
        let row = |what: &str, metric: &str, found| {
            Row::printed(format!("{id}/{learner}{what}"), &format!("slot detector ({learner})"), "P1", metric, found)
        };
        bench.rows.push(row("", &format!("AUC, {name}"), found.auc));
        bench.rows.push(row("/within", "AUC within an event", found.within));
        bench.rows.push(row("/top-1", "top-1 of 10", found.top_one));
        if plot || learner == "trees" {
            bench.plot("roc", plots::line(&format!("{name}, {learner}"), found.roc.clone()));
        }
        all.push((learner, found));
    }
    // the area over all slots also says when there is more to say; what a slot betrays is in its own event
    all.sort_by(|a, b| b.1.within.value.total_cmp(&a.1.within.value));
    let (learner, best) = all.swap_remove(0);
    let attack = format!("slot detector, best of three ({learner})");
    let judged =
        |id: String, metric: &str, found| Row::printed(id, &attack, "P1", metric, found).on("1").beside(naive.auc);
    // claims name these rows
    let pooled = if plot { id.to_owned() } else { format!("{id}/auc") };
    let hours = "over slots of all hours: it includes what the clock alone says (ADR 8)";
    bench.rows.push(judged(pooled, &format!("AUC, {name}"), best.auc).judged(0.49, 0.51).because(hours));
    if plot {
        // whoever of the three gains most, which need not be the one that is best within an event
        let gains = all.iter().map(|(_, other)| other.beyond).chain([best.beyond]);
        if let Some(most) = gains.max_by(|a, b| a.high.total_cmp(&b.high)) {
            let metric = format!("AUC, {name}, less the clock's");
            let row = Row::printed(format!("{id}/beyond-clock"), "slot detector, best of three", "P1", &metric, most);
            bench.rows.push(row.on("1").beside(naive.beyond).judged(-1.0, 0.01).because(BEYOND));
        }
    }
    bench.rows.push(judged(format!("{id}/within"), "AUC within an event", best.within).judged(0.49, 0.51));
    best
}

const BEYOND: &str =
    "what three learners have over all slots beyond the half hour of the evening alone, the most of them (ADR 8)";

/// What is left to verify for whoever sees rows only.
fn trap(bench: &mut Bench<'_>, lane: &str, best: &LearnerReport) {
    let found = judge_guesses(&best.guesses, RESAMPLES, &mut bench.rng);
    let row = |what: &str, metric: &str, found| {
        Row::printed(format!("trap/p1/{lane}{what}"), "verification trap", "P1", metric, found)
    };
    // what checking really takes: a posterior that is sure of nothing true would flatter the attacker
    let checks = row("", "G: checks until the real one", found.trap.verifications).on("25").beside(1.1);
    bench.rows.push(checks.judged(5.4, f64::INFINITY));
    bench.rows.push(row("/stated", "G by the stated posterior", found.trap.guesses));
    bench.rows.push(row("/k-eff", "effective hypotheses", found.trap.effective));
    bench.rows.push(row("/calibration", "calibration error", found.calibration.error));
    for bar in plots::trap(&format!("P1 {lane}"), &found) {
        bench.plot("trap", bar);
    }
    bench.plot("reliability", plots::reliability(&format!("P1 {lane}"), &found.calibration));
}

/// Did this event carry anything of the person? From when it left, and when those before and after it did. What is
/// judged comes after the people have found each other: before that, whoever looks at the clock knows.
fn clock(bench: &mut Bench<'_>, events: &[EventView]) {
    let from = evening().after(Duration::from_hours(bench.plan.size.hours / 3)).as_secs();
    let mut own: BTreeMap<u32, Vec<&EventView>> = BTreeMap::new();
    events.iter().filter(|event| event.at >= from).for_each(|event| own.entry(event.user).or_default().push(event));
    let windows = own.values().flat_map(|own| own.windows(3)).map(|three| PacketWindow {
        user: three[1].user,
        packets: three.iter().map(|event| ((event.at - three[0].at) as f64, 1.0)).collect(),
        active: three[1].slots.iter().any(|slot| slot.real),
    });
    let windows: Vec<PacketWindow> = windows.collect();
    let found = activity_attack(&windows, Learner::Trees(BoostingPlan::default()), RESAMPLES, &mut bench.rng);
    let limits = "uploads of the rendezvous lane only, equal in size by construction; reads are not recorded";
    let metric = "advantage, an event and its neighbours";
    let row = Row::printed("timing/uploads", "activity detection", "N", metric, found.classifier.advantage);
    bench.rows.push(row.on("16").beside(1.0).judged(-1.0, 0.01).because(limits));
}
