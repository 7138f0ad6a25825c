//! What two people who compare their topics pay: both sides of the threshold intersection and of the score, of full sets.
//!
//! `cargo bench -p mosaic-crypto --bench matching`. The aim is 20 ms for all of it, and the run prints what it took. No
//! library at hand has either, so nothing stands beside them.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mosaic_crypto::{
    psi::{self, Agreement},
    score,
};
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;

const SESSION: [u8; 32] = [7; 32];

/// Sixteen topics on either side, four of them common.
fn intersection(rng: &mut ChaCha20Rng) -> Option<Agreement> {
    let [ours, theirs] = [0_u16, 12].map(|first| (first..first + 16).map(u16::to_be_bytes).collect::<Vec<_>>());
    let [ours, theirs] = [&ours, &theirs].map(|set| set.iter().map(<[u8; 2]>::as_slice).collect::<Vec<_>>());
    let (query, waiting) = psi::ask(&ours, &SESSION, rng).ok()?;
    let reply = psi::answer(&theirs, &SESSION, &query, rng).ok()?;
    waiting.finish(&SESSION, &reply).ok()
}

/// Sixteen weights, and sixteen shared interests of which four have one.
fn sum(rng: &mut ChaCha20Rng) -> Option<Agreement> {
    let weights = std::array::from_fn(|at| if at < 16 { 3 } else { 0 });
    let shared = std::array::from_fn(|at| (12..28).contains(&at));
    let (query, waiting) = score::ask(&weights, rng).ok()?;
    let reply = score::answer(&shared, &query, rng).ok()?;
    waiting.finish(&reply).ok()
}

fn matching(criterion: &mut Criterion) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut group = criterion.benchmark_group("matching");
    group.bench_function("intersection 16 x 16, both sides", |b| b.iter(|| black_box(intersection(&mut rng))));
    group.bench_function("score 64 weights, both sides", |b| b.iter(|| black_box(sum(&mut rng))));
    group.bench_function("intersection and score, both sides", |b| {
        b.iter(|| black_box((intersection(&mut rng), sum(&mut rng))));
    });
    group.finish();
    assert_eq!((intersection(&mut rng), sum(&mut rng)), (Some(Agreement::Reached), Some(Agreement::Reached)));
}

criterion_group!(benches, matching);
criterion_main!(benches);
