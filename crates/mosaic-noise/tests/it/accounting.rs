//! Accountants against closed forms and against each other.

use mosaic_attack::{least_epsilon, responses_delta};
use mosaic_noise::accounting::{
    Accountant, Epsilon, Mechanism, Runs, advanced, loss_distribution, orders, plain_sum, renyi, renyi_at,
};
use proptest::prelude::*;

const DELTA: f64 = 1e-6;

fn epsilon(thousandths: u32) -> Epsilon {
    Epsilon::from_thousandths(thousandths).unwrap()
}

fn runs(mechanism: Mechanism, times: u32) -> Runs {
    Runs::from([(mechanism, times)])
}

/// The least ε with at most `DELTA`.
fn exact(delta: impl Fn(f64) -> f64, most: f64) -> f64 {
    least_epsilon(delta, most, DELTA)
}

/// The table of PRIVACY 2.2. Its mechanism is the Laplace mechanism (randomised response loses more: 83.5 instead of 71.5
/// at ε = 1, k = 100), and its Rényi column is reproduced by 22 orders from 1.01 to 1,024; the accountant looks at more.
#[test]
fn the_recomputed_table() {
    let coarse = [
        1.01, 1.05, 1.1, 1.2, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 16.0, 20.0, 32.0, 48.0, 64.0, 128.0,
        256.0, 512.0, 1_024.0,
    ];
    // ε in thousandths, k, then plain, full advanced, Rényi and loss distribution, and half of the last digit
    let table = [
        (1_000, 10, [10.0, 33.8, 10.0, 10.0], [1e-9, 0.05, 0.05, 0.05]),
        (1_000, 100, [100.0, 224.0, 74.3, 71.6], [1e-9, 0.5, 0.05, 0.05]),
        (1_000, 1_000, [1_000.0, 1_885.0, 497.0, 486.0], [1e-9, 0.5, 0.5, 0.5]),
        (500, 100, [50.0, 58.7, 32.5, 30.5], [1e-9, 0.05, 0.05, 0.05]),
        (100, 100, [10.0, 6.31, 5.00, 4.69], [1e-9, 0.005, 0.005, 0.005]),
        (100, 1_000, [100.0, 27.1, 20.3, 19.0], [1e-9, 0.05, 0.05, 0.05]),
        (10, 1_000, [10.0, 1.76, 1.47, 1.36], [1e-9, 0.005, 0.005, 0.005]),
    ];
    println!("ε      k     plain  advanced  Rényi(22)  Rényi   loss    responses");
    for (thousandths, k, printed, half) in table {
        let laplace = runs(Mechanism::Laplace(epsilon(thousandths)), k);
        let by_orders = renyi_at(&laplace, DELTA, coarse.into_iter()).min(plain_sum(&laplace));
        let found = [plain_sum(&laplace), advanced(&laplace, DELTA), by_orders, loss_distribution(&laplace, DELTA)];
        let responses = loss_distribution(&runs(Mechanism::Pure(epsilon(thousandths)), k), DELTA);
        let fine = renyi(&laplace, DELTA);
        println!(
            "{:<6} {k:<5} {:<6} {:<9.3} {:<10.3} {fine:<7.3} {:<7.3} {responses:.3}",
            f64::from(thousandths) / 1e3,
            found[0],
            found[1],
            found[2],
            found[3]
        );
        // the table's losses are rounded up to a thousandth each (a ten-thousandth at ε = 0.01); ours nearly not at all
        let rounded_up = f64::from(k) * if thousandths == 10 { 1e-4 } else { 1e-3 };
        let below = [0.0, 0.0, 0.0, rounded_up];
        for (found, (printed, (half, below))) in
            found.into_iter().zip(printed.into_iter().zip(half.into_iter().zip(below)))
        {
            let agrees = found <= printed + half && found >= printed - half - below;
            assert!(agrees, "ε {thousandths} k {k}: {found} is not {printed}");
        }
        assert!(fine <= 1.02 * found[2] && fine >= 0.999 * found[3], "more orders find less, and no less than is true");
    }
}

/// Against the optimal composition over a grid of ε and k: never below, and at most 5 % above (scoreboard row 24).
#[test]
fn never_below_the_optimal_composition() {
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for thousandths in [10, 50, 100, 300, 500, 1_000, 2_000, 5_000] {
        for k in [1, 2, 5, 10, 30, 100, 300, 1_000] {
            let e0 = f64::from(thousandths) / 1e3;
            let tight = exact(|total| responses_delta(e0, k, total), e0 * f64::from(k));
            let stated = loss_distribution(&runs(Mechanism::Pure(epsilon(thousandths)), k), DELTA);
            (least, most) = (least.min(stated / tight), most.max(stated / tight));
            assert!(stated >= tight && stated <= 1.05 * tight, "ε {e0} k {k}: {stated} against {tight}");
            assert!(renyi(&runs(Mechanism::Pure(epsilon(thousandths)), k), DELTA) >= tight);
        }
    }
    println!("loss distribution over the optimal composition: least {least:.9}, most {most:.9}");
}

/// `μ = √k / ratio` decides k Gaussians (Dong, Roth and Su 2022); their δ has a closed form (Balle and Wang 2018).
#[test]
fn gaussians_agree_with_their_closed_form() {
    let tail = |z: f64| 0.5 * libm::erfc(z / std::f64::consts::SQRT_2);
    for (ratio, k) in [(1_000, 1), (2_000, 1), (5_000, 30), (10_000, 1_000), (400, 1)] {
        let mu = f64::from(k).sqrt() * 1_000.0 / f64::from(ratio);
        let delta = |total: f64| tail(total / mu - mu / 2.0) - total.exp() * tail(total / mu + mu / 2.0);
        let tight = exact(delta, 100.0);
        let gaussian = runs(Mechanism::Gaussian { ratio_thousandths: ratio }, k);
        let stated = loss_distribution(&gaussian, DELTA);
        println!("Gaussian ratio {ratio} k {k}: {stated:.6} against {tight:.6}, Rényi {:.6}", renyi(&gaussian, DELTA));
        assert!(stated >= tight && stated <= 1.05 * tight, "{ratio} {k}: {stated} against {tight}");
        assert!(renyi(&gaussian, DELTA) >= stated && plain_sum(&gaussian).is_infinite());
    }
}

/// A single run of each has a closed form for its δ too: the sum over outputs.
#[test]
fn single_runs_agree_with_the_sum_over_outputs() {
    let e0 = 1.0_f64;
    // ten options, and the truth of either neighbour
    let all = (e0 / 2.0).exp() + 9.0;
    let choice = exact(|total| ((e0 / 2.0).exp() - total.exp()).max(0.0) / all, e0);
    let stated = loss_distribution(&runs(Mechanism::Choice { epsilon: epsilon(1_000), options: 10 }, 1), DELTA);
    assert!(stated >= choice && stated <= 1.05 * choice && stated < 0.51, "{stated} against {choice}");
    // 12 steps: P(x) ∝ q^|x| around 0, Q around 12
    let (q, steps) = ((-e0 / 12.0).exp(), 12_i32);
    let mass = |x: i32| (1.0 - q) / (1.0 + q) * q.powi(x.abs());
    let delta = |total: f64| (-600..600).map(|x| (mass(x) - total.exp() * mass(x - steps)).max(0.0)).sum::<f64>();
    let tight = exact(delta, e0);
    let discrete = Mechanism::DiscreteLaplace { epsilon: epsilon(1_000), steps: 12 };
    let stated = loss_distribution(&runs(discrete, 1), DELTA);
    assert!(stated >= tight && stated <= 1.05 * tight, "{stated} against {tight}");
}

/// δ of several different responses: the sum over all 2^n losses.
fn delta_of_subset_losses(each: &[f64], total: f64) -> f64 {
    let all: f64 = each.iter().map(|e| e.exp().ln_1p()).sum();
    (0_u32..1 << each.len())
        .map(|set| {
            let signed = each.iter().enumerate().map(|(bit, e)| if set >> bit & 1 == 1 { (*e, *e) } else { (0.0, -e) });
            let (log_p, loss) = signed.fold((-all, 0.0), |(p, l), (gain, step)| (p + gain, l + step));
            if loss > total { log_p.exp() * -(total - loss).exp_m1() } else { 0.0 }
        })
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Different mechanisms together: never below the exact value, at most 5 % above.
    #[test]
    fn mixtures_are_never_below_the_exact_value(each in prop::collection::vec(20_u32..2_000, 1..9)) {
        let losses: Vec<f64> = each.iter().map(|t| f64::from(*t) / 1e3).collect();
        let tight = exact(|total| delta_of_subset_losses(&losses, total), losses.iter().sum());
        let mut all = Runs::new();
        each.iter().for_each(|t| *all.entry(Mechanism::Pure(epsilon(*t))).or_default() += 1);
        let stated = loss_distribution(&all, DELTA);
        prop_assert!(stated >= tight && stated <= 1.05 * tight, "{stated} against {tight}");
        prop_assert!(renyi(&all, DELTA) >= tight && plain_sum(&all) >= tight && advanced(&all, DELTA) >= tight);
    }

    /// More runs, a larger ε or a smaller δ never cost less, by any bound.
    #[test]
    fn monotone_in_runs_epsilon_and_delta(thousandths in 5_u32..1_500, k in 1_u32..200) {
        // the grid moves with the arguments, which may shift a value by a thousandth of itself
        let slack = 1.001;
        let at = |t: u32, k: u32, delta: f64| {
            let laplace = runs(Mechanism::Laplace(epsilon(t)), k);
            [plain_sum(&laplace), advanced(&laplace, delta), renyi(&laplace, delta), loss_distribution(&laplace, delta)]
        };
        let base = at(thousandths, k, DELTA);
        for more in [at(thousandths, k + 10, DELTA), at(thousandths + 100, k, DELTA), at(thousandths, k, DELTA / 10.0)] {
            prop_assert!(base.iter().zip(more).all(|(base, more)| *base <= more * slack), "{base:?} {more:?}");
        }
    }
}

/// Ten runs of ε = 1 cost 10 and fill the default budget exactly (L3-63); the eleventh is refused and charges nothing.
#[test]
fn ten_plain_runs_fill_the_default_budget() {
    let mut accountant = Accountant::default();
    for run in 1..=10 {
        let spending = accountant.charge(&[(Mechanism::Pure(Epsilon::default()), 1)]).unwrap();
        assert!((spending.plain - f64::from(run)).abs() < 1e-12);
        assert!(spending.used() <= f64::from(run) && (spending.left() - (10.0 - spending.used())).abs() < 1e-12);
    }
    let before = accountant.clone();
    let refused = accountant.charge(&[(Mechanism::Pure(Epsilon::default()), 1)]).unwrap_err();
    println!("{refused}");
    assert!(refused.would_use > 10.0 && refused.left < 0.2 && accountant == before);
}

/// The bound used is the smallest: of many small runs more fit than the plain sum allows, and the total holds.
#[test]
fn many_small_runs_fit_beyond_the_plain_sum() {
    let mut accountant = Accountant::default();
    let small = Mechanism::Laplace(epsilon(100));
    assert!(accountant.charge(&[(small, 300)]).is_ok(), "plain would be 30");
    let spending = accountant.spending();
    assert!(
        spending.plain > 29.9 && spending.used() < 10.0 && spending.used() <= spending.renyi.min(spending.advanced)
    );
    assert!(accountant.charge(&[(small, 300)]).is_err());
    assert!(Accountant::new(f64::NAN, f64::NAN).charge(&[(small, 1)]).is_err(), "no budget that is no number");
    assert!(orders().all(|order| order > 1.0));
}
