//! What blind reads cost each side, beside the download, for populations of 1,000 to 100,000 balanced devices: each writes ten
//! events of ten records an hour, half on each lane, and a device that lies in a pocket reads ten minutes at a time.
//!
//! `cargo bench -p mosaic-wire --bench bins`. The bytes are printed first, of four looks as an agent takes them. Rows are met
//! unevenly: half of the records fall into a sixteenth of the rows, at eight times the mean, which lie anywhere.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints and ends at the first surprise")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use mosaic_crypto::{dpf, pir};
use mosaic_wire::{Bin, BinTable, Cut, RECORD, Record, StackQuery};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Rows of the discovery lane as providers make it for up to 10,000 devices, and for more.
const TABLES: [(usize, u32); 3] = [(1_000, 1 << 14), (10_000, 1 << 16), (30_000, 1 << 18)];
/// Looks an agent takes at each stack.
const LOOKS: usize = 4;

/// Records of ten minutes of all origins on one lane.
fn records(devices: usize, rows: u32) -> Vec<Record> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let record = |number: usize| {
        let mut bytes = [0; RECORD];
        rng.fill(&mut bytes[..]);
        // an odd factor permutes the rows of a power of two
        let popular = rng.random_range(0..rows / 16).wrapping_mul(0x9E37_79B1) % rows;
        Record { row: if number.is_multiple_of(2) { rng.random_range(0..rows) } else { popular }, bytes }
    };
    let mut records: Vec<_> = (0..devices * 50 / 6).map(record).collect();
    records.sort_unstable();
    records
}

fn bins(c: &mut Criterion) {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut group = c.benchmark_group("bins");
    group.sample_size(10);
    for (devices, rows) in TABLES {
        let records = records(devices, rows);
        let table = BinTable::cut(&records, rows).unwrap();
        let (cut, head, domain) = (table.cut_by(), table.head(), Cut::domain(rows).unwrap());
        let look = StackQuery::size(domain) + StackQuery::KEYS * table.width();
        let case = format!("{devices} devices");
        println!(
            "{case}: {} records, {rows} rows; download {:.2} MB; {} bins of {} B, a query {} B, {LOOKS} looks at two \
             providers {:.2} MB; the table {:.1} MB",
            records.len(),
            (records.len() * Record::SIZE) as f64 / 1e6,
            cut.bins(),
            table.width(),
            StackQuery::size(domain),
            (2 * LOOKS * look) as f64 / 1e6,
            table.bytes().len() as f64 / 1e6
        );
        group.bench_with_input(BenchmarkId::new("provider: cut", &case), &records, |b, records| {
            b.iter(|| BinTable::cut(black_box(records), rows).unwrap());
        });
        let share = |rng: &mut ChaCha8Rng| -> [Vec<dpf::DpfKey>; 2] {
            let pairs: Vec<_> = (0..StackQuery::KEYS).map(|_| dpf::share(rows / 2, domain, rng).unwrap()).collect();
            [0, 1].map(|party| pairs.iter().map(|pair| pair[party].clone()).collect())
        };
        group.bench_function(BenchmarkId::new("agent: make the keys of a look", &case), |b| b.iter(|| share(&mut rng)));
        let keys = share(&mut rng);
        let answer = |keys: &[dpf::DpfKey]| {
            let selected: Vec<_> = keys.iter().map(|key| cut.select(&key.expand())).collect();
            pir::answer(table.rows().unwrap(), &selected).unwrap()
        };
        group.bench_function(BenchmarkId::new("provider: answer a look", &case), |b| {
            b.iter(|| answer(black_box(&keys[0])))
        });
        let [ones, others] = keys.map(|keys| answer(&keys));
        let wanted = cut.rows_of(cut.bin(rows / 2));
        group.bench_function(BenchmarkId::new("agent: add up and confirm a look", &case), |b| {
            b.iter(|| {
                let bins = ones.iter().zip(&others).map(|(one, other)| {
                    let bin = Bin::decode(&pir::combine(black_box(one), other).unwrap()).unwrap();
                    bin.confirmed(&wanted, &head).unwrap().len()
                });
                bins.sum::<usize>()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, bins);
criterion_main!(benches);
