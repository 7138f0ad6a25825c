//! Scoreboard 24: does the ledger say what was spent? For geo-indistinguishability distances add, so the exact sum
//! over different anchors is the tight worst case (PRIVACY 2.2).

mod accountant;

use std::collections::BTreeSet;

use mosaic_attack::bootstrap_by_user;
use mosaic_obfuscate::{Charge, Ledger, blur::Anchor};
use mosaic_types::{LatLng, Mode};
use rand::RngExt;

use super::Bench;
use crate::{
    report::Row,
    runs::{RESAMPLES, evening},
};

/// Weeks that are simulated, one a person.
const WEEKS: usize = 300;
/// Releases a week.
const RELEASES: usize = 60;

/// The source documents' composition over the tight value, at ε = 1 and k = 100 (PRIVACY 2.2): 52.6 / 71.6.
const SOURCE_DESIGN: f64 = 0.735;

pub(super) fn attack(bench: &mut Bench<'_>) {
    let (week, mut ratios, mut wrong) = (evening().week(), Vec::new(), 0_u64);
    for number in 0..WEEKS {
        let key = [number as u8; 32];
        let (mut ledger, mut paid, mut exact) = (Ledger::new(week), BTreeSet::new(), 0.0);
        for _ in 0..RELEASES {
            let mode = [Mode::Emergency, Mode::Balanced, Mode::Maximum][bench.rng.random_range(0..3)];
            let lat = 37.7 + f64::from(bench.rng.random_range(0..12_u8)) * 0.01;
            let Ok(place) = LatLng::new(lat, -122.4) else { continue };
            let anchor = Anchor::of(place, &key);
            let price = 4.0_f64.ln() * 200.0 / mode.profile().location_scale_m;
            let known = paid.contains(&(anchor, mode as u8));
            match ledger.charge(week, anchor, mode) {
                Charge::Charged => {
                    wrong += u64::from(!paid.insert((anchor, mode as u8)));
                    exact += price;
                }
                // free only if it was paid for, and refused only if it did not fit
                Charge::Repeat => wrong += u64::from(!known),
                Charge::Spent => wrong += u64::from(known || exact + price <= Ledger::WEEKLY_BUDGET - 1e-6),
            }
        }
        ratios.push(ledger.spent(week) / exact);
    }
    let least = |drawn: &[&f64]| drawn.iter().copied().copied().fold(f64::INFINITY, f64::min);
    let most = |drawn: &[&f64]| drawn.iter().copied().copied().fold(0.0, f64::max);
    let low = bootstrap_by_user(&ratios, RESAMPLES, &mut bench.rng, least);
    let high = bootstrap_by_user(&ratios, RESAMPLES, &mut bench.rng, most);
    let row =
        |id: &str, metric: &str, found| Row::printed(format!("ledger/{id}"), "ledger correctness", "-", metric, found);
    // below the smallest step of a 64-bit sum nothing can be told
    bench
        .rows
        .push(row("least", "least of reported / exact", low).on("24").beside(SOURCE_DESIGN).judged(1.0 - 1e-12, 1.05));
    bench.rows.push(row("most", "most of reported / exact", high).on("24").judged(1.0 - 1e-12, 1.05));
    let wrong = crate::runs::count("ledger/wrong", "wrong answers", wrong);
    bench.rows.push(Row { view: "-".to_owned(), ..wrong }.on("24").judged(0.0, 0.0));
    accountant::attack(bench);
}
