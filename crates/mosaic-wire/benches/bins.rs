//! What a read by bins costs each side, beside the download of the whole generation, for populations of 100 to 10,000
//! balanced devices: each writes ten events of ten records an hour, half on each lane, and three origins seal every minute.
//!
//! `cargo bench -p mosaic-wire --bench bins`. The bytes are printed first; they are of one generation.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints and ends at the first surprise")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use mosaic_crypto::{dpf, pir, signing::SigningKey};
use mosaic_types::{Lane, Period, ProviderId, SegmentId, Stream, TableId, Timestamp};
use mosaic_wire::{Bin, BinTable, Cut, GenerationBlock, Head, RECORD, Record};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Rows of the lanes of a table as providers make them for a city.
const LANES: [(Lane, u32); 2] = [(Lane::Discovery, 1 << 14), (Lane::Rendezvous, 1 << 17)];

/// Records of one origin's generation of a minute on one lane: 50 an hour and device.
const fn records(devices: usize) -> usize {
    devices * 50 / 60 / 3
}

fn generation(lane: Lane, rows: u32, devices: usize) -> GenerationBlock {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let origin = ProviderId::new(1).unwrap();
    let segment = SegmentId { table: TableId::new(Period(1), lane), origin, stream: Stream::Steady };
    let record = |_| {
        let mut bytes = [0; RECORD];
        rng.fill(&mut bytes[..]);
        Record { row: rng.random_range(0..rows), bytes }
    };
    GenerationBlock::new(segment, 0, (0..records(devices)).map(record).collect()).unwrap()
}

fn bins(c: &mut Criterion) {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut group = c.benchmark_group("bins");
    group.sample_size(20);
    for (lane, rows) in LANES {
        for devices in [100, 1_000, 10_000] {
            let block = generation(lane, rows, devices);
            let table = BinTable::cut(&block, rows).unwrap();
            let head = Head::seal(&block, [0; 32], Timestamp::from_secs(1), &SigningKey::from_bytes(&[1; 32]));
            let domain = Cut::domain(rows).unwrap();
            let keys = dpf::share(Cut::point(rows / 2), domain, &mut rng).unwrap();
            let case = format!("{lane:?}, {devices} devices");
            println!(
                "{case}: whole {} B; {} bins of {} B; a key {} B; the table {:.2} MB",
                block.encoded_len(),
                table.cut_by().bins(),
                table.width(),
                domain.key_size(),
                table.bytes().len() as f64 / 1e6
            );
            group.bench_with_input(BenchmarkId::new("cut", &case), &block, |b, block| {
                b.iter(|| BinTable::cut(black_box(block), rows).unwrap());
            });
            let cut = table.cut_by();
            let selection = [cut.select(&keys[0].expand())];
            group.bench_with_input(BenchmarkId::new("answer one key", &case), &table, |b, table| {
                b.iter(|| pir::answer(table.rows().unwrap(), black_box(&selection)).unwrap());
            });
            let [one, other] =
                keys.map(|key| pir::answer(table.rows().unwrap(), &[cut.select(&key.expand())]).unwrap().remove(0));
            let wanted = cut.rows_of(cut.bin(rows / 2));
            group.bench_function(BenchmarkId::new("add up and confirm", &case), |b| {
                b.iter(|| {
                    let bin = Bin::decode(&pir::combine(black_box(&one), &other).unwrap()).unwrap();
                    bin.confirmed(&wanted, &head).unwrap().len()
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, bins);
criterion_main!(benches);
