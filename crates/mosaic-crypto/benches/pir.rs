//! The scan of a blind read, beside how fast the same thread reads the same memory at all, in one run.
//!
//! `cargo bench -p mosaic-crypto --bench pir`. The table has 1,400,000 records of 192 bytes, 269 MB: more than eight
//! times the last-level cache of the machines this was written on. Both are bytes of the table a second.

#![expect(clippy::unwrap_used, reason = "a benchmark ends at the first surprise")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mosaic_crypto::{
    dpf::{Domain, Selection, share},
    pir::{Rows, answer},
};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const ROWS: u32 = 1_400_000;
const WIDTH: usize = 192;

/// Every byte is read and none can be left out; eight sums, so that no addition waits for the last.
fn read(table: &[u8]) -> u64 {
    let mut sums = [0_u64; 8];
    for chunk in table.as_chunks::<64>().0 {
        for (sum, lane) in sums.iter_mut().zip(chunk.as_chunks::<8>().0) {
            *sum = sum.wrapping_add(u64::from_ne_bytes(*lane));
        }
    }
    sums.iter().fold(0, |all, sum| all.wrapping_add(*sum))
}

fn scan(c: &mut Criterion) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut table = vec![0; ROWS as usize * WIDTH];
    rng.fill_bytes(&mut table);
    let rows = Rows::new(&table, WIDTH).unwrap();
    let domain = Domain::of(ROWS).unwrap();
    let selections: Vec<Selection> =
        (0..8).map(|_| share(rng.next_u32() % ROWS, domain, &mut rng).unwrap()[0].expand()).collect();
    let mut group = c.benchmark_group("blind read");
    group.sample_size(20).throughput(Throughput::Bytes(table.len() as u64));
    group.bench_function("the memory alone, one thread", |b| b.iter(|| read(black_box(&table))));
    for keys in [1, 8] {
        group.bench_function(format!("scan with {keys} of 8 keys, one thread"), |b| {
            b.iter(|| answer(rows, black_box(&selections[..keys])).unwrap());
        });
    }
    group.finish();

    let mut group = c.benchmark_group("key");
    let key = share(1_234_567, domain, &mut rng).unwrap()[0].clone();
    group.bench_function("share a row of 2^21", |b| b.iter(|| share(black_box(1_234_567), domain, &mut rng)));
    group.bench_function("expand a key of 2^21 rows", |b| b.iter(|| black_box(&key).expand()));
    let domain = Domain::of(1 << 17).unwrap();
    let key = share(99_999, domain, &mut rng).unwrap()[0].clone();
    group.bench_function("expand a key of 2^17 rows", |b| b.iter(|| black_box(&key).expand()));
    group.finish();
}

criterion_group!(benches, scan);
criterion_main!(benches);
