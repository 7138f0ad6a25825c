//! The lab's own gate: small runs of the attackers on the real release code.

use std::sync::Arc;

use mosaic_geo::city::synthetic_city;
use mosaic_lab::{AveragingPlan, Report, SlotPlan, Status, averaging, slots};

fn row<'a>(report: &'a Report, id: &str) -> &'a mosaic_lab::Row {
    report.rows.iter().find(|row| row.id == id).unwrap_or_else(|| panic!("no row {id}:\n{report}"))
}

/// Seed 20, 500 devices over 8 h in the built-in city: at least 5,000 real rendezvous slots of users
/// the attacker never learnt from. The 95 % bootstrap interval of the AUC lies within 0.50 ± 0.01, while
/// the same attacker reaches 0.85 on the naive design in the same run.
#[test]
fn one_provider_cannot_tell_real_rendezvous_slots() {
    let places = Arc::new(synthetic_city(1));
    let plan = SlotPlan { discovery_agents: vec![100], rendezvous_agents: 500, hours: 8, naive_days: 14, seed: 20 };
    let report = slots(&places, &plan, |_| ()).unwrap();
    assert!(row(&report, "slots/rendezvous/real-slots").value >= 5_000.0, "{report}");
    assert_eq!(row(&report, "slots/naive").status, Status::Met, "{report}");
    assert_eq!(row(&report, "slots/rendezvous").status, Status::Met, "{report}");
}

/// Seed 21, 300 people reporting their home 100 times in one week with a receiver error of 15 m: what a
/// stranger sees gains nothing from repetition, while fresh noise is averaged away.
#[test]
fn repetition_does_not_reveal_a_place() {
    let places = Arc::new(synthetic_city(1));
    let plan = AveragingPlan { people: 300, reports: 100, receiver_m: 15.0, seed: 21 };
    let report = averaging(&places, plan).unwrap();
    let residual = row(&report, "averaging/residual");
    assert!(residual.baseline.unwrap() < 0.3, "{report}");
    assert!(residual.value > 0.9, "{report}");
}
