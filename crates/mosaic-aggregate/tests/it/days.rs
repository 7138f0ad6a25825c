//! A day, from what people wished for to what is published.

use mosaic_aggregate::{Answer, Batch, NoisedSum, PartOfDay, Policy, Refused, Side, TooFew};
use mosaic_noise::accounting::Epsilon;
use mosaic_types::{ClassId, Sensitive};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::world::{Aggregators, TODAY, publish, reported, statement, wish};

/// 2,400 people, 1,500 of whom wish for something of class 0 in the evening, 600 of class 3 in the morning, 300 for nothing:
/// everybody is counted by both, and every estimate lies within five standard deviations. Seed 82. The deviation of an
/// estimate is below √(2400 · 0.25 + 2 · 8) / 0.454 = 55 people.
#[test]
fn a_day_is_counted() {
    let mut rng = ChaCha20Rng::seed_from_u64(82);
    let mut aggregators = Aggregators::new();
    let (evening, morning) = (wish(0, PartOfDay::Evening), wish(3, PartOfDay::Morning));
    let nothing = Sensitive::new(Answer::NOTHING);
    for (truth, people) in [(evening, 1_500), (morning, 600), (nothing, 300)] {
        for _ in 0..people {
            let shares = reported(&truth, &mut rng);
            assert_eq!(aggregators.take(&shares), [Ok(()), Ok(())]);
        }
    }
    let sums = aggregators.close(Policy::default(), &mut rng).unwrap();
    let published = publish(&sums);
    let [food, outdoors, music] = [0, 3, 5].map(|class| ClassId::new(class).unwrap());
    let found = [
        published.wishes(food, PartOfDay::Evening),
        published.wishes(outdoors, PartOfDay::Morning),
        published.nothing(),
    ];
    println!("of 1,500, 600 and 300: {found:?}, {published:?}");
    for (found, truth) in found.into_iter().zip([1_500.0, 600.0, 300.0]) {
        assert!((found.unwrap() - truth).abs() < 275.0, "{found:?} of {truth}");
    }
    assert_eq!((published.reports(), published.counted(), published.epsilon()), (2_400, TODAY, 1.0));
    let shares = published.class_shares().unwrap();
    assert!(shares.of(food) > shares.of(outdoors) && shares.of(outdoors) > shares.of(music));
}

#[test]
fn too_few_reports_say_nothing() {
    let mut rng = ChaCha20Rng::seed_from_u64(83);
    let mut aggregators = Aggregators::new();
    for _ in 0..3 {
        let shares = reported(&wish(1, PartOfDay::Night), &mut rng);
        assert_eq!(aggregators.take(&shares), [Ok(()), Ok(())]);
    }
    assert_eq!(aggregators.close(Policy::default(), &mut rng).unwrap_err(), TooFew { reports: 3, fewest: 1_000 });
}

/// One of a batch is refused again, however often it is sent, and whatever else a second report under its name says.
#[test]
fn a_report_counts_once() {
    let mut rng = ChaCha20Rng::seed_from_u64(84);
    let mut aggregators = Aggregators::new();
    let shares = reported(&wish(1, PartOfDay::Night), &mut rng);
    assert_eq!(aggregators.take(&shares), [Ok(()), Ok(())]);
    assert_eq!(aggregators.take(&shares), [Err(Refused::SeenBefore), Err(Refused::SeenBefore)]);
    let mut other = reported(&wish(2, PartOfDay::Night), &mut rng);
    other.iter_mut().for_each(|share| share.id = shares[0].id);
    assert_eq!(aggregators.take(&other), [Err(Refused::SeenBefore), Err(Refused::SeenBefore)]);
    assert_eq!(aggregators.0.each_ref().map(mosaic_aggregate::Batch::reports), [1, 1]);
}

/// What is removed from a sum by the noise of one aggregator is not removed by the other's: each alone has the variance of
/// discrete Laplace noise of scale 2 / ε, 8 less 1/6. Seed 85, 13 batches of 65 answers, 845 draws; the variance of both
/// together lies within five standard errors of twice that (Laplace: standard error of a sum's variance about 0.08 of it).
#[test]
fn both_aggregators_add_noise() {
    let mut rng = ChaCha20Rng::seed_from_u64(85);
    let policy = Policy { fewest: 1, epsilon: Epsilon::ONE };
    let mut squares = 0.0;
    for _ in 0..13 {
        let mut aggregators = Aggregators::new();
        let shares = reported(&wish(1, PartOfDay::Night), &mut rng);
        assert_eq!(aggregators.take(&shares), [Ok(()), Ok(())]);
        let sums = aggregators.close(policy, &mut rng).unwrap();
        squares += statement(&sums).counts().iter().map(|count| f64::from(*count).powi(2)).sum::<f64>();
    }
    let variance = squares / 845.0;
    println!("variance of both noises {variance:.1}, of one {:.1}", variance / 2.0);
    assert!((variance - 15.7).abs() < 5.0 * 0.08 * 15.7 && variance > 1.3 * 7.83, "{variance}");
}

/// Every sum that is written reads again, and nothing else does.
#[test]
fn noised_sums_are_stored_and_read() {
    let mut rng = ChaCha20Rng::seed_from_u64(86);
    let mut aggregators = Aggregators::new();
    aggregators.take(&reported(&wish(1, PartOfDay::Night), &mut rng)).iter().for_each(|taken| assert!(taken.is_ok()));
    let sums = aggregators.close(Policy { fewest: 1, epsilon: Epsilon::ONE }, &mut rng).unwrap();
    for sum in &sums {
        let bytes = sum.encode();
        assert_eq!((bytes.len(), NoisedSum::decode(&bytes).as_ref()), (NoisedSum::SIZE, Some(sum)));
        for cut in [0, 1, 49, 50, NoisedSum::SIZE - 1] {
            assert_eq!(NoisedSum::decode(&bytes[..cut]), None, "{cut}");
        }
        let mut changed = bytes.clone();
        changed[50..66].fill(0xFF);
        assert_eq!(NoisedSum::decode(&changed), None, "beyond the field");
    }
    for _ in 0..1_000 {
        let mut bytes = sums[0].encode();
        let at = rng.random_range(0..bytes.len());
        bytes[at] ^= rng.random_range(1..=255_u8);
        assert!(NoisedSum::decode(&bytes).is_none_or(|read| read.encode() == bytes));
    }
}

/// A batch that is stored and read again after every report counts the same and closes to sums that belong together; what is
/// no state of a batch is none, whatever bytes it has. Seed 95.
#[test]
fn a_batch_goes_on_where_it_was_stored() {
    let mut rng = ChaCha20Rng::seed_from_u64(95);
    let mut aggregators = Aggregators::new();
    let mut names = Vec::new();
    for _ in 0..5 {
        let shares = reported(&wish(1, PartOfDay::Night), &mut rng);
        assert_eq!(aggregators.take(&shares), [Ok(()), Ok(())]);
        assert_eq!(
            aggregators.0[0].again(&shares[0]),
            aggregators.0[0].again(&shares[0]),
            "checks are the same every time"
        );
        names.push(shares[0].id);
        let again = |side: Side| {
            let state = aggregators.0[side as usize].state().unwrap();
            Batch::resume((TODAY, side), [9; 32], &state, names.iter().copied()).unwrap()
        };
        aggregators = Aggregators([again(Side::Leader), again(Side::Helper)]);
        assert_eq!(aggregators.take(&shares), [Err(Refused::SeenBefore), Err(Refused::SeenBefore)]);
    }
    let state = aggregators.0[0].state().unwrap();
    let mut beyond = state;
    beyond[36..52].fill(0xFF);
    assert!(Batch::resume((TODAY, Side::Leader), [9; 32], &beyond, []).is_none(), "beyond the field");
    for _ in 0..200 {
        let mut bytes = state;
        rand::Rng::fill_bytes(&mut rng, &mut bytes);
        let read = Batch::resume((TODAY, Side::Leader), [9; 32], &bytes, []);
        assert!(read.is_none_or(|batch| batch.state() == Some(bytes)));
    }
    let sums = aggregators.close(Policy { fewest: 5, epsilon: Epsilon::ONE }, &mut rng).unwrap();
    assert_eq!(statement(&sums).counts().len(), 65);
}
