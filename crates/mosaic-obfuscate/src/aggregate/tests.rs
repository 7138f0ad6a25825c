//! The samplers by their statistics; what a call costs is tested from outside.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::*;

const NOON: Timestamp = Timestamp::from_secs(1_763_726_400);

fn seconds(at: Timestamp, epsilon: Epsilon, rng: &mut ChaCha20Rng) -> i64 {
    let drawn = draw_time(at, epsilon, rng);
    drawn.as_secs().cast_signed() - NOON.as_secs().cast_signed()
}

/// Discrete Laplace of scale 3,600 s: mean distance 3,600, and ten bins of equal mass. Seed 61, 20,000 draws; chi-square
/// with 9 degrees of freedom, level 0.001 at 27.9; the standard error of the mean distance is 26 s.
#[test]
fn noise_on_times_follows_discrete_laplace() {
    let mut rng = ChaCha20Rng::seed_from_u64(61);
    let n = 20_000;
    let (mut bins, mut distance) = ([0_u32; 10], 0.0);
    for _ in 0..n {
        let x = seconds(NOON, Epsilon::default(), &mut rng) as f64;
        distance += x.abs() / f64::from(n);
        // the grid of seconds moves the distribution function by less than 0.0002
        let below = if x < 0.0 { 0.5 * (x / 3_600.0).exp() } else { 1.0 - 0.5 * (-x / 3_600.0).exp() };
        bins[((below * 10.0) as usize).min(9)] += 1;
    }
    let expected = f64::from(n) / 10.0;
    let statistic: f64 = bins.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
    println!("noise on times: mean distance {distance:.0} s, chi-square {statistic:.1}");
    assert!(statistic < 27.9 && (distance - 3_600.0).abs() < 4.0 * 26.0, "{statistic} {distance}");
}

/// The mass of single seconds at a fine scale: ε = 10 would be 360 s, so ε of a second's neighbour is 1/360. Values 0, 1,
/// −1 and beyond are compared with the exact law. Seed 62, 60,000 draws, five cells, level 0.001 at 18.5.
#[test]
fn zero_is_drawn_as_often_as_the_law_says() {
    let mut rng = ChaCha20Rng::seed_from_u64(62);
    let n = 60_000;
    let epsilon = Epsilon::from_thousandths(10_000).unwrap();
    let mut counts = BTreeMap::<i64, f64>::new();
    for _ in 0..n {
        *counts.entry(seconds(NOON, epsilon, &mut rng).clamp(-2, 2)).or_default() += 1.0;
    }
    let q = (-10.0_f64 / f64::from(TIME_SENSITIVITY_S)).exp();
    let mass = |x: i32| match x.abs() {
        2 => q * q / (1.0 + q),
        near => (1.0 - q) / (1.0 + q) * q.powi(near),
    };
    let statistic: f64 = (-2..=2)
        .map(|x| {
            let expected = f64::from(n) * mass(x);
            (counts.get(&i64::from(x)).copied().unwrap_or_default() - expected).powi(2) / expected
        })
        .sum();
    assert!(statistic < 18.5, "{statistic}: {counts:?}");
}

/// The most that outputs in 24 bins tell two inputs apart, in ln of the ratio, less three standard errors.
fn log_ratio(first: &BTreeMap<i64, f64>, second: &BTreeMap<i64, f64>) -> f64 {
    let bins = first.keys().filter(|bin| second.contains_key(bin));
    let ratio = |bin: &i64| {
        let (a, b) = (first[bin], second[bin]);
        (a / b).ln().abs() - 3.0 * (1.0 / a + 1.0 / b).sqrt()
    };
    bins.map(ratio).fold(0.0, f64::max)
}

/// L3-60: an hour apart, no bin of ten minutes tells more than ε = 1; two hours apart one does, so that the audit can
/// fail. Seed 63, 20,000 draws each, 48 bins at three standard errors: false alarms below 7 %, and the seed is fixed.
#[test]
fn times_an_hour_apart_differ_by_epsilon_at_most() {
    let mut rng = ChaCha20Rng::seed_from_u64(63);
    let mut histogram = |hours: u64| {
        let at = Timestamp::from_secs(NOON.as_secs() + hours * 3_600);
        let mut bins = BTreeMap::<i64, f64>::new();
        for _ in 0..20_000 {
            let bin = seconds(at, Epsilon::default(), &mut rng).div_euclid(600).clamp(-24, 24);
            *bins.entry(bin).or_default() += 1.0;
        }
        bins
    };
    let (now, hour, two) = (histogram(0), histogram(1), histogram(2));
    let (near, far) = (log_ratio(&now, &hour), log_ratio(&now, &two));
    println!("log ratio an hour apart {near:.2}, two hours apart {far:.2}");
    assert!(near <= 1.0 && near > 0.7 && far > 1.5, "{near} {far}");
}

/// L3-61: with ten options and ε = 1 the truth is kept 15.5 % of the time, and the rest are equally likely. Seed 64, 40,000
/// draws, chi-square with 9 degrees of freedom, level 0.001 at 27.9; the audit of neighbours as for times.
#[test]
fn categories_are_kept_as_often_as_stated() {
    let mut rng = ChaCha20Rng::seed_from_u64(64);
    let n = 40_000;
    let mut counts = |truth: u32| {
        let mut counts = BTreeMap::<i64, f64>::new();
        for _ in 0..n {
            let drawn = choice(truth, 10, Epsilon::default(), &mut rng);
            *counts.entry(i64::from(drawn)).or_default() += 1.0;
        }
        counts
    };
    let (first, other) = (counts(3), counts(7));
    let weight = 0.5_f64.exp();
    let statistic: f64 = first
        .iter()
        .map(|(option, count)| {
            let expected = f64::from(n) * if *option == 3 { weight } else { 1.0 } / (weight + 9.0);
            (count - expected).powi(2) / expected
        })
        .sum();
    let (kept, told) = (first[&3] / f64::from(n), log_ratio(&first, &other));
    println!("kept {:.2} %, chi-square {statistic:.1}, log ratio of neighbours {told:.2}", 100.0 * kept);
    assert!(statistic < 27.9 && (kept - 0.155).abs() < 0.006, "{statistic} {kept}");
    assert!(told <= 0.5 && told > 0.3, "half of the general bound, and no less: {told}");
}
