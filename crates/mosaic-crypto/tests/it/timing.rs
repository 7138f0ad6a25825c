//! A dudect-style check of the secret comparisons (S-61: |t| < 4.5). It reads a clock, so it is not part of
//! the normal suite: `cargo test --release -p mosaic-crypto -- --ignored timing` on a quiet machine.

use std::hint::black_box;
use std::time::Instant;

use mosaic_crypto::oprf::OprfOutput;
use mosaic_crypto::record::{RecordNonce, open_inner, open_record, seal_inner, seal_record};
use mosaic_crypto::shamir::Share;
use rand::RngExt as _;
use subtle::ConstantTimeEq as _;

use crate::support::rng;

const SAMPLES: usize = 200_000;

/// Welch's t between the times of `work` on the two inputs, drawn in random order and put in one place, so that
/// code and addresses are the same; the slowest tenth, which is interrupts, is cut at a common threshold.
fn t_statistic<const N: usize, T>(inputs: [[u8; N]; 2], make: impl Fn(&[u8; N]) -> T, work: impl Fn(&T)) -> f64 {
    let mut order = rng(1);
    let mut times: Vec<(bool, f64)> = (0..SAMPLES)
        .map(|_| {
            let class = order.random::<bool>();
            let input = make(black_box(&inputs[usize::from(class)]));
            (class, time(|| work(&input)))
        })
        .collect();
    let mut sorted: Vec<f64> = times.iter().map(|(_, nanos)| *nanos).collect();
    sorted.sort_by(f64::total_cmp);
    let cut = sorted[SAMPLES * 9 / 10];
    times.retain(|(_, nanos)| *nanos <= cut);
    let moments = |class: bool| {
        let values: Vec<f64> = times.iter().filter(|(c, _)| *c == class).map(|(_, nanos)| *nanos).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64;
        (mean, variance / values.len() as f64)
    };
    let ((a, va), (b, vb)) = (moments(true), moments(false));
    (a - b) / (va + vb).sqrt()
}

#[expect(clippy::disallowed_methods, reason = "measuring elapsed time is the point")]
fn time(work: impl Fn()) -> f64 {
    let start = Instant::now();
    for _ in 0..16 {
        work();
    }
    start.elapsed().as_nanos() as f64
}

fn assert_constant(name: &str, t: f64) {
    assert!(t.abs() < 4.5, "{name}: t = {t:.2}");
}

#[test]
#[ignore = "reads a clock; run alone on a quiet machine"]
fn timing_of_secret_comparisons_does_not_show_where_they_differ() {
    let differing = |byte: usize| {
        let mut bytes = [7; 64];
        bytes[byte] ^= 1;
        bytes
    };
    let secret = OprfOutput::from_bytes([7; 64]);
    let t = t_statistic(
        [differing(0), differing(63)],
        |bytes| OprfOutput::from_bytes(*bytes),
        |other| {
            black_box(black_box(&secret).ct_eq(black_box(other)));
        },
    );
    assert_constant("OPRF outputs", t);

    let share = |bytes: &[u8; 64]| Share::from_bytes(bytes).unwrap();
    let whole = share(&[7; 64]);
    let t = t_statistic([differing(1), differing(63)], share, |other| {
        black_box(black_box(&whole).ct_eq(black_box(other)));
    });
    assert_constant("shares", t);

    let bent_at = |byte: usize| {
        let mut record = seal_record(&[1; 32], RecordNonce::fixed_for_vectors([2; 24]), &[3; 136]);
        record[byte] ^= 1;
        record
    };
    let t = t_statistic(
        [bent_at(176), bent_at(191)],
        |bytes| *bytes,
        |record| {
            drop(black_box(open_record(black_box(&[1; 32]), black_box(record))));
        },
    );
    assert_constant("records", t);

    let bent_at = |byte: usize| {
        let (mut sealed, _) = seal_inner(&[1; 32], RecordNonce::fixed_for_vectors([2; 24]), &[3; 57]);
        sealed[byte] ^= 1;
        sealed
    };
    let t = t_statistic(
        [bent_at(57), bent_at(72)],
        |bytes| *bytes,
        |sealed| {
            black_box(open_inner(black_box(&[1; 32]), &[2; 24], black_box(sealed)));
        },
    );
    assert_constant("inner layers", t);
}
