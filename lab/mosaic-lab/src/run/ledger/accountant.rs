//! Scoreboard 24 on the aggregate path: what the accountant states over the tight value.

use mosaic_attack::{bootstrap_by_user, least_epsilon, responses_delta};
use mosaic_obfuscate::accounting::{Accountant, Epsilon, Mechanism};

use crate::{report::Row, run::Bench, runs::RESAMPLES};

/// The ε of one answer, in thousandths, and how many answers there are.
const EPSILONS: [u32; 6] = [10, 50, 100, 300, 1_000, 2_000];
const ANSWERS: [u32; 6] = [1, 3, 10, 30, 100, 300];

/// Randomised response over a grid: it has a closed form, and loses most of all mechanisms with a pure ε (Kairouz, Oh and
/// Viswanath 2015).
pub(super) fn attack(bench: &mut Bench<'_>) {
    let grid = EPSILONS.into_iter().flat_map(|thousandths| ANSWERS.map(|answers| (thousandths, answers)));
    let ratios: Vec<f64> = grid.filter_map(|(thousandths, answers)| ratio(thousandths, answers)).collect();
    let least = |drawn: &[&f64]| drawn.iter().copied().copied().fold(f64::INFINITY, f64::min);
    let most = |drawn: &[&f64]| drawn.iter().copied().copied().fold(0.0, f64::max);
    let low = bootstrap_by_user(&ratios, RESAMPLES, &mut bench.rng, least);
    let high = bootstrap_by_user(&ratios, RESAMPLES, &mut bench.rng, most);
    let row = |id: &str, metric: &str, found| {
        Row::printed(format!("ledger/accountant/{id}"), "ledger correctness", "-", metric, found)
    };
    // the closed form itself is right to about this
    bench.rows.push(row("least", "least of reported / tight", low).on("24").judged(1.0 - 1e-9, 1.05));
    bench.rows.push(row("most", "most of reported / tight", high).on("24").judged(1.0 - 1e-9, 1.05));
}

/// What the accountant reports as used, over the tight value at its δ.
fn ratio(thousandths: u32, answers: u32) -> Option<f64> {
    let mechanism = Mechanism::Pure(Epsilon::from_thousandths(thousandths).ok()?);
    let spending = Accountant::new(1_000.0, Accountant::DELTA).charge(&[(mechanism, answers)]).ok()?;
    Some(spending.used() / tight(f64::from(thousandths) / 1_000.0, answers))
}

/// The least ε at which `answers` randomised responses have a δ of at most the accountant's.
fn tight(each: f64, answers: u32) -> f64 {
    least_epsilon(|total| responses_delta(each, answers, total), each * f64::from(answers), Accountant::DELTA)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One answer of ε at δ has the closed form `ln(e^ε (1 − δ) − δ)`; and the accountant is never below, nor 5 % above.
    #[test]
    fn the_tight_value_and_the_accountant_agree() {
        let delta = Accountant::DELTA;
        for each in [0.1_f64, 1.0, 2.0] {
            let one = (each.exp() * (1.0 - delta) - delta).ln();
            assert!((tight(each, 1) - one).abs() < 1e-9, "{each}: {} {one}", tight(each, 1));
        }
        for (thousandths, answers) in [(10, 1), (100, 100), (1_000, 30), (2_000, 300)] {
            let ratio = ratio(thousandths, answers).unwrap();
            assert!((1.0 - 1e-9..1.05).contains(&ratio), "{thousandths} {answers}: {ratio}");
        }
    }
}
