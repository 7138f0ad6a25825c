//! Scoreboard 14: one of three providers lies. Is it noticed, is it named, is anybody else accused, and do people still
//! meet?

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use mosaic_attack::{Estimate, bootstrap_by_user};
use mosaic_geo::PlaceIndex;
use mosaic_types::{ProviderId, ServiceClass};

use super::{Bench, RunPlan};
use crate::{
    practice::{Lie, Practice, PracticePlan, record_practice_with},
    report::Row,
    runs::{RESAMPLES, evening},
};

/// People of each small evening, its length, and how many evenings there are for each lie.
const PEOPLE: u32 = 4;
const LENGTH: Duration = Duration::from_mins(100);
const EVENINGS: u64 = 2;
/// Who lies.
const LIAR: u8 = 3;

/// What became of one evening.
#[derive(Clone, Copy)]
struct Outcome {
    /// Somebody noticed.
    noticed: bool,
    /// Whoever was accused or avoided is the liar, and somebody was.
    named: bool,
    /// Accusations or doubts of an honest provider.
    wronged: u32,
    /// Sides of agreed pairs that have the other's contact, and how many there are.
    met: [f64; 2],
}

/// What became of the evenings: without a liar, and of each lie.
pub(super) struct Evenings {
    honest: Vec<Outcome>,
    lies: Vec<(&'static str, Vec<Outcome>)>,
}

pub(super) fn record(places: &Arc<PlaceIndex>, plan: &RunPlan) -> Result<Evenings> {
    let liar = ProviderId::new(LIAR)?;
    let plan = |number: u64| PracticePlan {
        people: PEOPLE,
        class: ServiceClass::Balanced,
        length: LENGTH,
        start: evening(),
        seed: plan.seed.wrapping_mul(1_000).wrapping_add(number),
    };
    let plans: Vec<PracticePlan> = (0..EVENINGS).map(plan).collect();
    let judged = |lie: Option<(ProviderId, Lie)>| -> Result<Vec<Outcome>> {
        plans.iter().map(|plan| Ok(outcome(&record_practice_with(places, *plan, lie)?, liar))).collect()
    };
    let lies = Lie::ALL.into_iter().map(|(name, lie)| Ok((name, judged(Some((liar, lie)))?)));
    Ok(Evenings { honest: judged(None)?, lies: lies.collect::<Result<_>>()? })
}

pub(super) fn attack(bench: &mut Bench<'_>, Evenings { honest, lies: lines }: Evenings) {
    bench.progress.stage("one provider lies", 0);
    let all: Vec<Outcome> = lines.iter().flat_map(|(_, found)| found.iter().copied()).collect();
    let baseline = ratio(&honest.iter().collect::<Vec<_>>(), met);
    let mut row = |id: &str, metric: &str, of: fn(&Outcome) -> [f64; 2], outcomes: &[Outcome]| {
        let found = bootstrap_by_user(outcomes, RESAMPLES, &mut bench.rng, |drawn| ratio(drawn, of));
        Row::printed(format!("byzantine/{id}"), "Byzantine provider", "P1", metric, found)
    };
    let what = format!("{} lies, {EVENINGS} evenings each", Lie::ALL.len());
    let limits = format!(
        "{what}; a lie to agents only, by one of three; noticed is an accusation, or that status calls it down"
    );
    let mut rows = vec![
        row("detected", "share of evenings with a lie noticed", |one| [f64::from(u8::from(one.noticed)), 1.0], &all)
            .on("14")
            .beside(0.0)
            .judged(1.0, 1.0)
            .because(&limits),
        row("identified", "share in which the liar is named", |one| [f64::from(u8::from(one.named)), 1.0], &all)
            .on("14")
            .beside(0.0)
            .judged(1.0, 1.0)
            .because(&limits),
        row("wronged", "honest providers accused an evening", |one| [f64::from(one.wronged), 1.0], &all)
            .on("14")
            .judged(0.0, 0.0),
        row("recovered", "share of agreed contacts that came", met, &all)
            .on("14")
            .beside(0.0)
            .judged(0.999, 1.0)
            .because("by the end of each evening; beside it what the same evenings bring without a liar is printed"),
    ];
    let exact = Estimate { value: baseline, low: baseline, high: baseline };
    rows.push(Row::printed("byzantine/honest", "Byzantine provider", "-", "the same without a liar", exact));
    for (name, found) in lines {
        let noticed = |one: &Outcome| [f64::from(u8::from(one.noticed)), 1.0];
        rows.push(row(&format!("{name}/detected"), "share of evenings", noticed, &found));
        rows.push(row(&format!("{name}/recovered"), "share of agreed contacts", met, &found));
    }
    bench.rows.extend(rows);
}

fn met(one: &Outcome) -> [f64; 2] {
    one.met
}

fn ratio(drawn: &[&Outcome], of: fn(&Outcome) -> [f64; 2]) -> f64 {
    let [hold, all] = drawn.iter().map(|one| of(one)).fold([0.0; 2], |sum, one| [sum[0] + one[0], sum[1] + one[1]]);
    if all > 0.0 { hold / all } else { 1.0 }
}

fn outcome(recorded: &Practice, liar: ProviderId) -> Outcome {
    let accused: Vec<ProviderId> =
        recorded.accused.iter().copied().flatten().chain(recorded.doubted.iter().copied()).collect();
    let wronged = accused.iter().filter(|id| **id != liar).count();
    let sides = || recorded.agreed.iter().flat_map(|agreed| agreed.contacts.iter());
    Outcome {
        noticed: !recorded.accused.is_empty() || !recorded.doubted.is_empty(),
        named: !accused.is_empty() && wronged == 0,
        wronged: u32::try_from(wronged).unwrap_or(u32::MAX),
        met: [sides().flatten().count() as f64, sides().count() as f64],
    }
}
