//! The agent's anonymity meter: is what it states true, how far does it lag behind the lab's attacker, and what does
//! its floor change for an attacker who learns anew against it?

use std::time::Duration;

use anyhow::Result;
use mosaic_attack::{
    BoostingPlan, Choice, Claimed, Estimate, GuessReport, Learner, Lesson, MeterModel, bootstrap_by_user, calibration,
    judge_guesses, score_choices,
};
use mosaic_types::Mode;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::{Bench, discovery};
use crate::{
    meter::{Metered, lessons, record_metered},
    opened::{Layers, Life, Opened, record_opened},
    report::Row,
    runs::RESAMPLES,
};

/// What limits every row here.
const LIMITS: &str = "the meter that ships, on people it never saw, generated as those it learnt from are";

/// `best` is what the lab's best attacker achieved on `opened`: bundles of people in balanced mode without a meter.
/// `maximum` is the same in maximum mode.
pub(super) fn attack(bench: &mut Bench<'_>, opened: &[Opened], maximum: &[Opened], best: Estimate) -> Result<()> {
    // numbers of its own: the rows after these stay what they are without them
    let own = ChaCha20Rng::seed_from_u64(bench.plan.seed ^ 0x6D65_7465_7200_0001);
    let others = std::mem::replace(&mut bench.rng, own);
    let done = rows(bench, opened, maximum, best);
    bench.rng = others;
    done
}

fn rows(bench: &mut Bench<'_>, opened: &[Opened], maximum: &[Opened], best: Estimate) -> Result<()> {
    let Some(model) = MeterModel::builtin() else { return Ok(()) };
    bench.progress.stage("the anonymity meter", 0);
    stated(bench, model, opened, best);
    floor(bench, Mode::Balanced, opened)?;
    floor(bench, Mode::Maximum, maximum)
}

/// Opened bundles of as many people in maximum mode.
pub(super) fn in_maximum_mode(bench: &Bench<'_>) -> Result<Vec<Opened>> {
    let plan = plan(bench, Mode::Maximum);
    bench.progress.stage(&format!("opened bundles of {} people, maximum mode", plan.agents), plan.agents.into());
    record_opened(bench.places, plan, Life::Ordinary, Layers::Outer, bench.progress)
}

/// Calibration and first guesses of the meter, on the people on whom the lab's attackers are judged.
fn stated(bench: &mut Bench<'_>, model: &MeterModel, opened: &[Opened], best: Estimate) {
    let judged: Vec<Lesson> = lessons(bench.places, Mode::Balanced, opened)
        .into_iter()
        .filter(|lesson| lesson.choice.user % 3 == 2)
        .collect();
    let posterior = |lesson: &Lesson| model.posterior(lesson.mode, &lesson.choice.rows);
    let claims: Vec<Claimed> = judged.iter().flat_map(|lesson| claims(lesson, &posterior(lesson))).collect();
    let found = calibration(&claims, 10, RESAMPLES, &mut bench.rng);
    let row =
        |id: &str, metric: &str, found| Row::printed(format!("meter/{id}"), "anonymity meter", "P2", metric, found);
    bench.rows.push(row("calibration", "calibration error", found.error).judged(0.0, 0.05).because(LIMITS));
    let own = own_claims(&judged, posterior);
    let own = mean(&own, bench);
    bench.rows.push(row("own", "stated for the person's bundle", own));
    let hits = judged.iter().map(|lesson| (lesson.choice.user, hit(&posterior(lesson), lesson.choice.truth)));
    let hits = mean(&hits.collect::<Vec<_>>(), bench);
    bench.rows.push(row("top-1", "top-1 of 10", hits));
    // two intervals over the same people: their ends bound the difference from outside
    let gap = Estimate { value: best.value - hits.value, low: best.low - hits.high, high: best.high - hits.low };
    let behind = "the device has no town to look at, and its model no profile; the interval is the widest";
    bench.rows.push(row("gap", "top-1 of the lab's best, less the meter's", gap).because(behind));
}

/// The same people with the mode's own floor and without: what an attacker who learns from such people achieves.
fn floor(bench: &mut Bench<'_>, mode: Mode, without: &[Opened]) -> Result<()> {
    let floor = mode.profile().anonymity_floor;
    let plan = plan(bench, mode);
    bench.progress.stage(&format!("{} people with a meter, {mode} mode", plan.agents), plan.agents.into());
    let with = record_metered(bench.places, plan, floor, bench.progress)?;
    let id = |what: &str| format!("meter/floor/{mode}/{what}");
    let attack = format!("which bundle is real, {mode} mode, floor {floor}");
    let row = |what: &str, metric: &str, found| Row::printed(id(what), &attack, "P2", metric, found);
    for (what, opened) in [("off", without), ("on", &with.opened)] {
        let Some(found) = retrained(bench, opened) else { continue };
        bench.rows.push(row(&format!("{what}/top-1"), &format!("top-1 of 10, floor {what}"), found.top_one));
        bench.rows.push(row(&format!("{what}/g"), &format!("G: checks, floor {what}"), found.trap.verifications));
        bench.rows.push(row(&format!("{what}/k-eff"), &format!("hypotheses, floor {what}"), found.trap.effective));
        let events = mean(&real_events(opened), bench);
        bench.rows.push(row(&format!("{what}/events"), "events with something real, a person", events));
    }
    let share = mean_of_shares(&held_back(&with), bench);
    bench.rows.push(row("held-back", "share of events due that went without", share));
    Ok(())
}

/// As many people and hours as the lab's opened bundles have.
fn plan(bench: &Bench<'_>, mode: Mode) -> crate::PopulationPlan {
    let size = &bench.plan.size;
    let plan = bench.population(size.opened, Duration::from_hours(24 * size.days));
    crate::PopulationPlan { mode, ..plan }
}

/// The lab's attacker, with the whole town before it.
fn retrained(bench: &mut Bench<'_>, opened: &[Opened]) -> Option<GuessReport> {
    let asked: Vec<Choice> = discovery::asked(opened);
    let guesses = score_choices(&asked, Learner::Trees(BoostingPlan::default()), &mut bench.rng);
    // nobody left to judge where nothing real was sent
    let enough = !guesses.judged.is_empty() && !guesses.tuning.is_empty();
    enough.then(|| judge_guesses(&guesses, RESAMPLES, &mut bench.rng))
}

fn claims(lesson: &Lesson, posterior: &[f64]) -> Vec<Claimed> {
    let claim = |(k, probability): (usize, &f64)| Claimed {
        user: lesson.choice.user,
        probability: *probability,
        held: k == lesson.choice.truth,
    };
    posterior.iter().enumerate().map(claim).collect()
}

fn own_claims(lessons: &[Lesson], posterior: impl Fn(&Lesson) -> Vec<f64>) -> Vec<(u32, f64)> {
    let own = |lesson: &Lesson| posterior(lesson).get(lesson.choice.truth).copied().unwrap_or_default();
    lessons.iter().map(|lesson| (lesson.choice.user, own(lesson))).collect()
}

/// 1 if the likeliest is the truth.
pub(super) fn hit(posterior: &[f64], truth: usize) -> f64 {
    let best = (0..posterior.len()).max_by(|a, b| posterior[*a].total_cmp(&posterior[*b]));
    f64::from(u8::from(best == Some(truth)))
}

/// By person: events with something real.
fn real_events(opened: &[Opened]) -> Vec<(u32, f64)> {
    let own = opened.chunk_by(|a, b| a.user == b.user);
    own.map(|own| (own[0].user, own.iter().filter(|event| event.real().is_some()).count() as f64)).collect()
}

fn held_back(metered: &Metered) -> Vec<(f64, f64)> {
    metered.due.values().map(|(due, held)| (f64::from(*held), f64::from(*due))).collect()
}

/// Whole people drawn again and again.
pub(super) fn mean(values: &[(u32, f64)], bench: &mut Bench<'_>) -> Estimate {
    let people: Vec<Vec<f64>> =
        values.chunk_by(|a, b| a.0 == b.0).map(|own| own.iter().map(|(_, value)| *value).collect()).collect();
    bootstrap_by_user(&people, RESAMPLES, &mut bench.rng, |drawn| {
        let all = drawn.iter().map(|own| own.len()).sum::<usize>().max(1) as f64;
        drawn.iter().flat_map(|own| own.iter()).sum::<f64>() / all
    })
}

fn mean_of_shares(people: &[(f64, f64)], bench: &mut Bench<'_>) -> Estimate {
    bootstrap_by_user(people, RESAMPLES, &mut bench.rng, |drawn| {
        let (held, due) = drawn.iter().fold((0.0, 0.0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
        held / due.max(1.0)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mosaic_geo::synthetic_city;

    use super::*;
    use crate::{Progress, RunPlan, RunSize, run::meter};

    fn found(opened: u32, days: u64) -> Vec<Row> {
        let (places, progress) = (Arc::new(synthetic_city(1)), Progress::SILENT);
        let size = RunSize { opened, days, ..RunSize::quick() };
        let plan = RunPlan { size, seed: 1, places: String::new(), traces: None };
        let rng = ChaCha20Rng::seed_from_u64(1);
        let mut bench =
            Bench { places: &places, plan: &plan, progress: &progress, rng, rows: Vec::new(), series: Vec::new() };
        let people = super::plan(&bench, Mode::Balanced);
        let opened = record_opened(&places, people, Life::Ordinary, Layers::Outer, &progress).unwrap();
        let best = retrained(&mut bench, &opened).unwrap().top_one;
        let before = bench.rng.clone();
        let maximum = in_maximum_mode(&bench).unwrap();
        meter::attack(&mut bench, &opened, &maximum, best).unwrap();
        assert!(bench.rng == before, "the rows after these keep their numbers");
        bench.rows
    }

    /// Seed 1, twelve people for eight hours: every row is there, and what is a share or a probability is one.
    #[test]
    fn every_row_is_there() {
        let rows = found(12, 1);
        let value = |id: &str| rows.iter().find(|row| row.id == id).and_then(|row| row.value).unwrap();
        for id in ["calibration", "own", "top-1", "floor/balanced/held-back", "floor/maximum/held-back"] {
            assert!((0.0..=1.0).contains(&value(&format!("meter/{id}"))), "{id}");
        }
        assert!((-1.0..=1.0).contains(&value("meter/gap")));
        assert!(value("meter/floor/balanced/on/events") <= value("meter/floor/balanced/off/events"));
    }
}
