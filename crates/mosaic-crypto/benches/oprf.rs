//! The hot path of the threshold OPRF, beside the `voprf` crate (RFC 9497, one key, same suite) in one run.
//!
//! `cargo bench -p mosaic-crypto --bench oprf`. The peer has no threshold, so `combine` has no counterpart.

use std::hint::black_box;

use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};
use mosaic_crypto::oprf::{
    Blind, Evaluation, KeyShare, WholeKey, blind, combine, combine_and_finalize, finalize_all, verify_evaluation,
};
use mosaic_types::ProviderId;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use rand_core_06::{CryptoRng, Error, RngCore};
use voprf::{BlindedElement, Ristretto255, VoprfClient, VoprfServer};

const BATCH: usize = 16;
const INPUT: &[u8] = b"mosaic/1 benchmark input of a row";

/// The generation of generators that the peer still asks for.
struct Old(ChaCha20Rng);

impl RngCore for Old {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.0.fill_bytes(dest);
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Error> {
        self.0.fill_bytes(dest);
        Ok(())
    }
}

impl CryptoRng for Old {}

/// One provider's batch, ready to be measured.
struct Batch {
    share: KeyShare,
    blinds: Vec<Blind>,
    points: Vec<[u8; 32]>,
    evaluation: Evaluation,
}

fn batch() -> Result<Batch, Box<dyn std::error::Error>> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut key = [7; 32];
    key[31] = 0;
    let share = KeyShare::from_bytes(&key)?;
    let pairs = (0..BATCH).map(|_| blind(INPUT, &mut rng)).collect::<Result<Vec<_>, _>>()?;
    let (blinds, points): (Vec<Blind>, Vec<[u8; 32]>) = pairs.into_iter().unzip();
    let evaluation = share.evaluate(&points, &mut rng)?;
    Ok(Batch { share, blinds, points, evaluation })
}

fn ours(group: &mut BenchmarkGroup<'_, WallTime>) -> Result<(), Box<dyn std::error::Error>> {
    let Batch { share, blinds, points, evaluation } = batch()?;
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    group.bench_function("blind 1/mosaic", |b| b.iter(|| blind(black_box(INPUT), &mut rng)));
    group.bench_function("evaluate 16/mosaic", |b| b.iter(|| share.evaluate(black_box(&points), &mut rng)));
    group.bench_function("verify 16/mosaic", |b| {
        b.iter(|| verify_evaluation(share.public_share(), black_box(&points), &evaluation));
    });
    let parts = [(ProviderId::new(1)?, &evaluation.points[..]), (ProviderId::new(2)?, &evaluation.points[..])];
    group.bench_function("combine 16 of 2/mosaic", |b| b.iter(|| combine(black_box(&parts))));
    let far = [(ProviderId::new(1)?, &evaluation.points[..]), (ProviderId::new(3)?, &evaluation.points[..])];
    group.bench_function("combine 16 of 2, providers 1 and 3/mosaic", |b| b.iter(|| combine(black_box(&far))));
    group.bench_function("finalize 1/mosaic", |b| b.iter(|| blinds[0].finalize(black_box(&evaluation.points[0]))));
    group.bench_function("finalize 16/mosaic", |b| b.iter(|| finalize_all(&blinds, black_box(&evaluation.points))));
    group.bench_function("combine and finalize 16 of 2/mosaic", |b| {
        b.iter(|| combine_and_finalize(&blinds, black_box(&parts)));
    });
    let whole = WholeKey::from_bytes(&share.to_bytes())?;
    group.bench_function("whole key 1/mosaic", |b| b.iter(|| whole.evaluate(black_box(INPUT))));
    Ok(())
}

fn peer(group: &mut BenchmarkGroup<'_, WallTime>) -> Result<(), voprf::Error> {
    let mut rng = Old(ChaCha20Rng::seed_from_u64(3));
    let server = VoprfServer::<Ristretto255>::new(&mut rng)?;
    group.bench_function("blind 1/voprf", |b| {
        b.iter(|| VoprfClient::<Ristretto255>::blind(black_box(INPUT), &mut rng));
    });
    let clients =
        (0..BATCH).map(|_| VoprfClient::<Ristretto255>::blind(INPUT, &mut rng)).collect::<Result<Vec<_>, _>>()?;
    let wire: Vec<_> = clients.iter().map(|client| client.message.serialize()).collect();
    let states: Vec<_> = clients.into_iter().map(|client| client.state).collect();
    let evaluate = |rng: &mut Old| {
        // Bytes in and bytes out, as on our side.
        let points = wire.iter().map(|bytes| BlindedElement::deserialize(bytes)).collect::<Result<Vec<_>, _>>()?;
        let prepared: Vec<_> = server.batch_blind_evaluate_prepare(points.iter()).collect();
        let result = server.batch_blind_evaluate_finish(rng, points.iter(), &prepared)?;
        let messages: Vec<_> = result.messages.collect();
        let encoded: Vec<_> = messages.iter().map(voprf::EvaluationElement::serialize).collect();
        Ok::<_, voprf::Error>((messages, result.proof, encoded))
    };
    group.bench_function("evaluate 16/voprf", |b| b.iter(|| evaluate(&mut rng).is_ok()));
    let (messages, proof, _) = evaluate(&mut rng)?;
    let inputs = [INPUT; BATCH];
    group.bench_function("verify and finalize 16/voprf", |b| {
        b.iter(|| {
            VoprfClient::batch_finalize(&inputs, &states, &messages, &proof, server.get_public_key())
                .map(Iterator::count)
        });
    });
    group.bench_function("whole key 1/voprf", |b| b.iter(|| server.evaluate(black_box(INPUT))));
    Ok(())
}

fn oprf(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("oprf");
    assert!(ours(&mut group).is_ok(), "our fixture must be sound");
    assert!(peer(&mut group).is_ok(), "the peer's fixture must be sound");
    group.finish();
}

criterion_group!(benches, oprf);
criterion_main!(benches);
