//! Scoreboard U1 and U2 for people who want to meet now: an open door, and emergency mode (DESIGN section 4).

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use mosaic_geo::PlaceIndex;
use mosaic_types::ServiceClass;

use super::utility::{finding, quantiles, share};
use crate::{
    practice::{Practice, PracticePlan, record_practice},
    report::Row,
    run::{Bench, RunPlan},
    runs::evening,
};

/// Long enough to wish within 25 minutes, and for an hour of finding.
const LENGTH: Duration = Duration::from_mins(90);

/// A class, with its aims in minutes, median and 95th percentile: until a card is found, and from a wave that is
/// accepted at once to the contact.
struct Pace {
    class: ServiceClass,
    slug: &'static str,
    finding: [f64; 2],
    contact: Option<[f64; 2]>,
}

const PACES: [Pace; 2] = [
    Pace { class: ServiceClass::OpenDoor, slug: "open-door", finding: [4.0, 8.0], contact: Some([8.0, 15.0]) },
    Pace { class: ServiceClass::Emergency, slug: "emergency", finding: [1.0, 1.0], contact: None },
];

/// An evening of people who want to meet now, for each pace.
pub(super) struct Now {
    evenings: Vec<(&'static Pace, PracticePlan, Practice)>,
}

pub(super) fn record(places: &Arc<PlaceIndex>, plan: &RunPlan) -> Result<Now> {
    let evenings = PACES.iter().map(|pace| {
        let (people, seed) = (plan.size.now, plan.seed.wrapping_mul(1_000).wrapping_add(500));
        let plan = PracticePlan { people, class: pace.class, length: LENGTH, start: evening(), seed };
        Ok((pace, plan, record_practice(places, plan)?))
    });
    Ok(Now { evenings: evenings.collect::<Result<_>>()? })
}

pub(super) fn judge(bench: &mut Bench<'_>, Now { evenings }: &Now) {
    for (pace, plan, recorded) in evenings {
        let id = |of: &str| format!("utility/{}/{of}", pace.slug);
        let found = finding(recorded, *plan);
        let pairs: usize = found.iter().map(Vec::len).sum();
        let recall = share(&found, Option::is_some, bench);
        let metric = format!("recall at 500 m within 60 min, {pairs} pairs");
        bench.rows.push(Row::printed(id("discovery"), "discovery", "-", &metric, recall).on("U2"));
        let found: Vec<_> = found.into_iter().flatten().collect();
        quantiles(bench, (&id("discovery"), "discovery"), &found, Some(pace.finding));

        let waited = |waved: &crate::practice::Waved| vec![waved.contact.map(|came| came.since(waved.at))];
        let met: Vec<Vec<_>> = recorded.waved.iter().map(waited).collect();
        let metric = format!("waves accepted at once that brought the contact, {}", met.len());
        let recall = share(&met, Option::is_some, bench);
        bench.rows.push(Row::printed(id("wave"), "wave to contact", "-", &metric, recall));
        let met: Vec<_> = met.into_iter().flatten().collect();
        quantiles(bench, (&id("wave"), "wave to contact"), &met, pace.contact);

        let agreed = recorded.agreed.iter();
        let waits = agreed.map(|agreed| agreed.contacts.map(|at| at.map(|at| at.since(agreed.joined))).to_vec());
        let waits: Vec<Vec<_>> = waits.collect();
        let metric = format!("both contacts of {} pairs by the end", waits.len());
        let recall = share(&waits, Option::is_some, bench);
        bench.rows.push(Row::printed(id("prearranged"), "pre-arranged match", "-", &metric, recall).on("U1"));
        let waits: Vec<_> = waits.into_iter().flatten().collect();
        quantiles(bench, (&id("prearranged"), "pre-arranged match"), &waits, None);
    }
}
