//! What whole agents and whole providers leave in one provider's hands, and what people get for it: one recording for
//! scoreboard rows 9, 13, 22, 23 and U1 to U3.

mod readers;
mod tokens;
mod utility;

use std::time::Duration;

use anyhow::Result;
use mosaic_types::ProviderId;

use super::Bench;
use crate::{
    practice::{PracticePlan, record_practice},
    runs::evening,
};

/// Hours of the evening at most: long enough for a wish, its answers and the next wish.
const HOURS: u64 = 3;

pub(super) fn attack(bench: &mut Bench<'_>) -> Result<()> {
    let size = &bench.plan.size;
    let (people, hours) = (size.practice, size.hours.min(HOURS));
    bench.progress.stage(&format!("an evening of {people} whole agents"), 0);
    let length = Duration::from_hours(hours);
    let plan = PracticePlan { people, length, start: evening(), seed: bench.plan.seed };
    let recorded = record_practice(bench.places, plan)?;
    // one of three equals; which one changes nothing but the sample
    let one = ProviderId::new(1)?;
    readers::attack(bench, &recorded, one, plan);
    tokens::attack(bench, &recorded, one);
    utility::judge(bench, &recorded, plan);
    Ok(())
}
