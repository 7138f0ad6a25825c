//! Release of one event: with cached OPRF outputs (target: at most 2 ms on one core) and cold, where the twenty
//! outputs are evaluated first.

use std::{collections::BTreeMap, hint::black_box, sync::Arc};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use mosaic_crypto::oprf::{OprfOutput, WholeKey};
use mosaic_geo::{PlaceIndex, synthetic_city};
use mosaic_release::{Draft, ReleaseError, ReleasedEvent, Releaser, ReleaserState};
use mosaic_types::{ContextText, Enrichment, Mode, NoiseRatio, Period, Sensitive, Stream, TileId, Timestamp, TtlHours};
use mosaic_wire::{CardText, Carrier, GatheredText, Groups, LaneShape, OprfInput, TableDescriptor, TextField, encode};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

const NOW: Timestamp = Timestamp::from_secs(1_763_748_000);

type Outputs = BTreeMap<OprfInput, OprfOutput>;

fn table(period: Period) -> TableDescriptor {
    TableDescriptor {
        tile: TileId(1),
        period,
        valid_from: period.start(),
        threshold: 2,
        public_key: [0; 32],
        shares: Vec::new(),
        transcript: [0; 32],
        discovery: LaneShape { rows: 1 << 14, capacity: 64 },
        rendezvous: LaneShape { rows: 1 << 17, capacity: 10 },
        generation_s: [5, 60, 600],
        groups: Groups::DEFAULT,
    }
}

/// A device with one standing broadcast.
fn device(places: &Arc<PlaceIndex>) -> Releaser {
    let mut releaser = Releaser::new([7; 32], Arc::clone(places), ReleaserState::default());
    let place = places.center().expect("the city has places");
    let draft = Draft {
        place: Sensitive::new(place),
        words: ContextText::new("coffee meetup").expect("valid words"),
        requested: NoiseRatio::LOWEST,
        mode: Mode::Balanced,
        ttl: TtlHours::default(),
        enrichment: Enrichment::default(),
    };
    releaser.draft(NOW, draft).expect("accepted");
    releaser
}

fn key() -> WholeKey {
    let mut scalar = [0; 32];
    scalar[0] = 5;
    WholeKey::from_bytes(&scalar).expect("a scalar")
}

fn learn(outputs: &mut Outputs, inputs: &[OprfInput], key: &WholeKey) {
    for input in inputs {
        outputs.entry(*input).or_insert_with(|| key.evaluate(&input.encode()).expect("evaluates"));
    }
}

fn released(device: &mut Releaser, outputs: &mut Outputs, key: &WholeKey) -> ReleasedEvent {
    let table = table(NOW.period());
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    loop {
        match device.discovery_event(NOW, 8, &table, Stream::Steady, outputs, &mut rng) {
            Ok(event) => return event,
            Err(ReleaseError::Missing(inputs)) => learn(outputs, &inputs, key),
            Err(other) => panic!("{other}"),
        }
    }
}

fn release(criterion: &mut Criterion) {
    let places = Arc::new(synthetic_city(1));
    let key = key();
    let mut cached = Outputs::new();
    released(&mut device(&places), &mut cached, &key);
    criterion.bench_function("release/discovery, cached outputs", |bench| {
        let setup = || (device(&places), cached.clone());
        bench.iter_batched_ref(
            setup,
            |(device, outputs)| black_box(encode(&released(device, outputs, &key))),
            BatchSize::SmallInput,
        );
    });
    criterion.bench_function("release/discovery, cold outputs", |bench| {
        let setup = || (device(&places), Outputs::new());
        bench.iter_batched_ref(
            setup,
            |(device, outputs)| black_box(encode(&released(device, outputs, &key))),
            BatchSize::SmallInput,
        );
    });
    criterion.bench_function("release/rendezvous, no frames", |bench| {
        let table = table(NOW.period());
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let mut device = device(&places);
        bench.iter(|| {
            device
                .rendezvous_event(NOW, &table, Stream::Steady, Mode::Balanced, Vec::new(), &mut rng)
                .map(|event| encode(&event))
        });
    });
    criterion.bench_function("release/draft, new anchor", |bench| {
        bench.iter_batched(|| (), |()| device(&places), BatchSize::SmallInput);
    });
}

/// The longest words of an event: coded once for each of its ten bundles, and read from the parts of one window
/// (target: at most 50 µs for the words of one card).
fn coding(criterion: &mut Criterion) {
    let words =
        "coffee and a slow walk along the river; I have a spare umbrella and bring a very friendly and rather old dog!";
    let text = CardText::clipped(words);
    assert_eq!(text.as_str().len(), CardText::MAX_BYTES);
    let carriers = [8, 7, 6].map(|resolution| Carrier::of(NOW.window(), resolution));
    let part = |carrier: Carrier| match text.carried(carrier) {
        TextField::Part(part) => (carrier, part),
        TextField::Whole(_) => unreachable!("108 bytes need three parts"),
    };
    criterion.bench_function("text/code, 108 bytes", |bench| bench.iter(|| black_box(part(black_box(carriers[0])))));
    let parts = carriers.map(part);
    criterion.bench_function("text/read, 108 bytes from three parts", |bench| {
        bench.iter(|| {
            let mut gathered = GatheredText::default();
            parts.iter().for_each(|(carrier, part)| gathered.add(*carrier, part));
            black_box(gathered.text().is_some())
        });
    });
}

criterion_group!(benches, release, coding);
criterion_main!(benches);
