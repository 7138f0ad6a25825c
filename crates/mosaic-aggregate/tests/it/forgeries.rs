//! One report is one vote: whoever sends anything else is not counted, and disturbs nobody who is.

use mosaic_aggregate::{Mismatch, PartOfDay, Policy, Refused, ReportFields, Statement};
use mosaic_noise::accounting::Epsilon;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::world::{Aggregators, provider, publish, reported, statement, wish};

/// Byte order of a field element of the leader's share: little-endian, 16 bytes.
fn add_votes(share: &mut ReportFields, answer: usize, votes: u128) {
    let at = 16 * answer;
    let field = &mut share.input_share[at..at + 16];
    let value = u128::from_le_bytes(field.try_into().unwrap());
    // far from the modulus with overwhelming probability; a wrap would spoil the forgery and not the test
    field.copy_from_slice(&value.wrapping_add(votes).to_le_bytes());
}

/// Ten votes instead of one, a vote for two answers, a vote taken from somebody else's answer, a share of another report:
/// nobody is counted, and both aggregators agree on it. Seed 87.
#[test]
fn ten_votes_are_none() {
    let mut rng = ChaCha20Rng::seed_from_u64(87);
    let mut aggregators = Aggregators::new();
    for (answer, votes) in [(4, 9), (5, 1), (6, u128::MAX), (7, 1 << 64)] {
        let mut shares = reported(&wish(1, PartOfDay::Night), &mut rng);
        add_votes(&mut shares[0], answer, votes);
        assert_eq!(aggregators.take(&shares), [Err(Refused::NotOneVote); 2], "{votes} more for {answer}");
    }
    let (one, other) = (reported(&wish(1, PartOfDay::Night), &mut rng), reported(&wish(2, PartOfDay::Night), &mut rng));
    let mixed = [one[0].clone(), ReportFields { id: one[0].id, ..other[1].clone() }];
    assert_eq!(aggregators.take(&mixed), [Err(Refused::NotOneVote); 2]);
    assert_eq!(aggregators.0.each_ref().map(mosaic_aggregate::Batch::reports), [0, 0]);
}

/// Wherever a bit is changed in either share, the report is not counted, by neither; but for an aggregator's own half of the
/// public share, which it makes again from its input share and does not read. Seed 88, 600 changed reports.
#[test]
fn no_changed_report_is_counted() {
    let mut rng = ChaCha20Rng::seed_from_u64(88);
    let mut aggregators = Aggregators::new();
    let mut refused = 0;
    for number in 0..600 {
        let mut shares = reported(&wish(1, PartOfDay::Night), &mut rng);
        let side = number % 2;
        let share = &mut shares[side];
        let (half, input) = (ReportFields::PUBLIC_SHARE / 2, share.input().len());
        let (at, bit) = (rng.random_range(0..half + input), 1 << rng.random_range(0..8_u8));
        if at < half {
            share.public_share[(1 - side) * half + at] ^= bit;
        } else {
            share.input_share[at - half] ^= bit;
        }
        let taken = aggregators.take(&shares);
        refused += usize::from(taken[0].is_err() && taken[1].is_err());
    }
    assert_eq!((refused, aggregators.0[0].reports(), aggregators.0[1].reports()), (600, 0, 0));
}

/// A thousand honest people and a hundred who send noise: what is published is what the thousand said. Without the proofs the
/// first of them would have moved every count by billions; see `a_sum_without_proofs_is_anybodys`. Seed 89.
#[test]
fn a_hundred_liars_change_nothing() {
    let mut rng = ChaCha20Rng::seed_from_u64(89);
    let mut aggregators = Aggregators::new();
    for number in 0..1_100 {
        let mut shares = reported(&wish(2, PartOfDay::Evening), &mut rng);
        let honest = number % 11 != 0;
        if !honest {
            rng.fill_bytes(&mut shares[0].input_share[..512]);
        }
        let taken = aggregators.take(&shares);
        assert!(taken.iter().all(|taken| taken.is_ok() == honest), "{number}: {taken:?}");
    }
    let sums = aggregators.close(Policy::default(), &mut rng).unwrap();
    let published = publish(&sums);
    assert_eq!(published.reports(), 1_000);
    let found = published.wishes(mosaic_types::ClassId::new(2).unwrap(), PartOfDay::Evening).unwrap();
    // five standard deviations of 1,000 answers kept with probability 0.46
    assert!((found - 1_000.0).abs() < 5.0 * 36.0, "{found}");
}

/// The proofs are what keeps a sum: added up without them, one forged share outvotes everybody. Seed 90.
#[test]
fn a_sum_without_proofs_is_anybodys() {
    let mut rng = ChaCha20Rng::seed_from_u64(90);
    let honest = reported(&wish(1, PartOfDay::Night), &mut rng);
    let mut forged = honest.clone();
    add_votes(&mut forged[0], 4, 1_000_000);
    let first = |shares: &[ReportFields; 2]| u128::from_le_bytes(shares[0].input_share[64..80].try_into().unwrap());
    assert_eq!(first(&forged).wrapping_sub(first(&honest)), 1_000_000, "the leader's share is a plain summand");
    assert_eq!(Aggregators::new().take(&forged), [Err(Refused::NotOneVote); 2], "the proof refuses it");
    assert_eq!(Aggregators::new().take(&honest), [Ok(()); 2]);
}

/// An aggregator that counted other reports than the other one gets no statement out of it.
#[test]
fn aggregators_who_counted_differently_publish_nothing() {
    let mut rng = ChaCha20Rng::seed_from_u64(91);
    let policy = Policy { fewest: 1, epsilon: Epsilon::ONE };
    let mut sums = || {
        let mut aggregators = Aggregators::new();
        assert_eq!(aggregators.take(&reported(&wish(1, PartOfDay::Night), &mut rng)), [Ok(()); 2]);
        aggregators.close(policy, &mut rng).unwrap()
    };
    let (one, other) = (sums(), sums());
    let of = |pair| Statement::of(pair, provider(1), provider(3)).map(drop);
    assert_eq!(of([&one[0], &other[1]]), Err(Mismatch::OtherReports));
    assert_eq!(of([&one[0], &one[0]]), Err(Mismatch::OtherBatch));
    assert_eq!(of([&one[1], &one[0]]), Ok(()));
    assert_eq!(statement(&one), Statement::of([&one[1], &one[0]], provider(1), provider(3)).unwrap());
}
