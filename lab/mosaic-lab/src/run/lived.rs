//! What whole agents and whole providers leave in one provider's hands, and what people get for it: one recording for
//! scoreboard rows 9, 13, 22, 23 and U1 to U3. Beside it, shorter evenings of people who want to meet now.

mod now;
mod readers;
mod tokens;
mod utility;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use anyhow::Result;
use mosaic_geo::PlaceIndex;
use mosaic_types::{ProviderId, ServiceClass};

use super::{Bench, RunPlan};
use crate::{
    practice::{Practice, PracticePlan, record_practice},
    report::Row,
    runs::{evening, exactly},
};

/// Hours of the evening at most: long enough for a wish, its answers and the next wish.
const HOURS: u64 = 3;

/// The evening, and its plan.
pub(super) struct Lived {
    plan: PracticePlan,
    recorded: Practice,
    now: now::Now,
}

pub(super) fn record(places: &Arc<PlaceIndex>, plan: &RunPlan) -> Result<Lived> {
    let (people, length) = (plan.size.practice, Duration::from_hours(plan.size.hours.min(HOURS)));
    let now = now::record(places, plan)?;
    let plan = PracticePlan { people, class: ServiceClass::Balanced, length, start: evening(), seed: plan.seed };
    Ok(Lived { plan, recorded: record_practice(places, plan)?, now })
}

pub(super) fn attack(bench: &mut Bench<'_>, Lived { plan, recorded, now }: Lived) -> Result<()> {
    bench.progress.stage(&format!("an evening of {} whole agents", plan.people), 0);
    // one of three equals; which one changes nothing but the sample
    let one = ProviderId::new(1)?;
    replicas(bench, &recorded);
    readers::attack(bench, &recorded, one, plan);
    tokens::attack(bench, &recorded, one);
    utility::judge(bench, &recorded, plan);
    now::judge(bench, &now);
    Ok(())
}

/// How much of what any provider holds sealed do all three hold? Where it is all, two databases that are laid side by
/// side have nothing to join: each is the whole already.
fn replicas(bench: &mut Bench<'_>, recorded: &Practice) {
    let any: BTreeSet<&[u8; 32]> = recorded.stores.iter().flatten().collect();
    let all = any.iter().filter(|block| recorded.stores.iter().all(|store| store.contains(**block))).count();
    let share = exactly(all as f64 / any.len().max(1) as f64);
    let row =
        Row::printed("join/replicas", "cross-provider join", "P1 + P1", "share of sealed generations at all", share);
    bench.rows.push(row.because("the newest are still on their way; what is equal everywhere joins nothing"));
}
