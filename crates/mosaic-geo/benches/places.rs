//! Searches, checks and destinations on a generated city of 12,000 places, and building and opening its file. Targets:
//! a plausibility check within 20 µs, a destination within an hour's drive within 1 ms (L3-45, L3-46); what the slowest
//! in a hundred take, and building from an extract, `--example places` prints.

use std::{hint::black_box, time::Duration};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use mosaic_geo::{
    LocalTime, Place, PlaceIndex, city_center,
    movement::Travel,
    offset_m,
    plausibility::{Journey, Profile, check, destination},
    synthetic_city_for,
};
use mosaic_types::{LatLng, Timestamp};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fn spots() -> impl Iterator<Item = LatLng> {
    let step = |number: u32| f64::from(number % 97) * 120.0 - 5_800.0;
    (0_u32..)
        .map(step)
        .zip((0_u32..).map(move |number| step(number * 31)))
        .map(|(east, north)| offset_m(city_center(), east, north))
}

fn noon(number: u64) -> LocalTime {
    LocalTime::at(Timestamp::from_secs(1_780_272_000 + number % 168 * 3_600), 0)
}

fn searches(c: &mut Criterion) {
    let city = synthetic_city_for(1, 16_000);
    let profile = Profile::neutral();
    let mut group = c.benchmark_group("places");
    for k in [1, 25] {
        let mut from = spots();
        group.bench_function(format!("nearest_{k}"), |b| {
            b.iter(|| Some(black_box(city.nearest(from.next()?, k).len())))
        });
    }
    let mut from = spots();
    group.bench_function("within_500_m", |b| b.iter(|| Some(black_box(city.within(from.next()?, 500.0).len()))));
    let mut from = spots().zip(0..);
    group.bench_function("check", |b| {
        b.iter(|| {
            let (position, number) = from.next()?;
            Some(black_box(check(&city, position, noon(number), &profile).score))
        });
    });
    let (mut from, mut rng) = (spots().zip(0..), ChaCha20Rng::seed_from_u64(1));
    group.bench_function("destination_1_h_drive", |b| {
        b.iter(|| {
            let (from, number) = from.next()?;
            let journey = Journey { from, travel: Travel::Drive, time: Duration::from_hours(1) };
            black_box(destination(&city, &journey, noon(number), &profile, &mut rng).map(|found| found.metres))
        });
    });
    group.finish();
}

fn files(c: &mut Criterion) {
    let city = synthetic_city_for(1, 16_000);
    let places: Vec<Place> = city.all().iter().map(|place| place.to_place()).collect();
    let mut group = c.benchmark_group("places_file");
    group.sample_size(20);
    let build = |places| PlaceIndex::from_places(places, city.provenance().clone());
    group.bench_function("build_12000", |b| b.iter_batched(|| places.clone(), build, BatchSize::LargeInput));
    let bytes = city.encode();
    group.bench_function("open_12000", |b| {
        b.iter_batched(|| bytes.clone(), |bytes| PlaceIndex::open(bytes).is_ok(), BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, searches, files);
criterion_main!(benches);
