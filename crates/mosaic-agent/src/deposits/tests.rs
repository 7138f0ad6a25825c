use std::sync::Arc;

use mosaic_geo::synthetic_city;
use mosaic_release::{Releaser, ReleaserState};
use mosaic_types::{Mode, Stream};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

use super::*;
use crate::fixtures::{PERIOD, federation, id, key, table};

/// Three operators; the fourth key belongs to none.
fn providers() -> Providers {
    Providers::new(federation())
}

/// Two events on their way to the first provider.
fn deposits() -> Deposits {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let mut releaser = Releaser::new([1; 32], Arc::new(synthetic_city(1)), ReleaserState::default());
    let mut deposits = Deposits::default();
    for _ in 0..2 {
        let (at, mode) = (PERIOD.start(), Mode::Balanced);
        let event = releaser.rendezvous_event(at, &table(), Stream::Steady, mode, Vec::new(), &mut rng).unwrap();
        deposits.add(at, event).unwrap();
        deposits.sent(at, deposits.last, id(1), token());
    }
    deposits
}

fn token() -> WireToken {
    WireToken { kind: 2, nonce: [1; 32], challenge: [2; 32], key_id: [3; 32], authenticator: [4; 256] }
}

/// The bytes of an event never change, so its token is no second spending where it was offered before.
#[test]
fn an_event_is_offered_again_with_the_same_token_in_the_same_hour() {
    let (mut deposits, at) = (deposits(), PERIOD.start());
    let in_time = at.after(Duration::from_mins(59));
    assert_eq!(deposits.token(in_time, 1, id(1)), Some(&token()));
    assert_eq!(deposits.token(at.after(Duration::from_hours(1)), 1, id(1)), None);
    assert_eq!(deposits.token(at, 1, id(2)), None, "another provider takes another token");
    deposits.forget_token(1, id(1));
    assert_eq!(deposits.token(at, 1, id(1)), None);
}

/// What an honest first provider answers to deposit `number`.
fn honest(deposits: &Deposits, number: u64) -> Receipt {
    let deposit = deposits.get(number).unwrap();
    let fields = deposit.event.fields();
    let receipt = Receipt {
        segment: SegmentId { table: fields.table, origin: id(1), stream: fields.stream },
        generation: 3,
        replica: id(2),
        accepted: 0x3fe,
        full: 1,
        receipt_key: fields.receipt_key,
        event: deposit.hash,
        time: PERIOD.start(),
        signature: [0; 64],
    };
    receipt.sign(&key(1))
}

fn taken(deposits: &Deposits, number: u64, receipt: &Receipt) -> bool {
    is_genuine(receipt, &providers()) && deposits.fits(number, id(1), receipt)
}

#[test]
fn a_receipt_counts_for_its_own_event_at_its_own_origin() {
    let deposits = deposits();
    let receipt = honest(&deposits, 1);
    assert!(taken(&deposits, 1, &receipt));
    assert!(!taken(&deposits, 2, &receipt), "another event's");
    assert!(!deposits.fits(1, id(3), &receipt), "another provider was asked");
    let mut other = receipt;
    other.segment.origin = id(3);
    assert!(!taken(&deposits, 1, &other.sign(&key(3))), "another origin's own word");
    assert!(!taken(&deposits, 1, &other.sign(&key(1))), "nobody signs for another");
}

#[test]
fn a_receipt_must_be_signed_as_it_is() {
    let deposits = deposits();
    let receipt = honest(&deposits, 1);
    for number in [2, 4] {
        assert!(!taken(&deposits, 1, &receipt.sign(&key(number))), "signed by {number}");
    }
    let changes: [Change; 5] = [
        |receipt| receipt.signature[9] ^= 1,
        |receipt| receipt.generation += 1,
        |receipt| receipt.replica = id(3),
        |receipt| (receipt.accepted, receipt.full) = (0x3ff, 0),
        |receipt| receipt.time = receipt.time.after(Duration::from_millis(1)),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut bent = receipt;
        change(&mut bent);
        assert!(!taken(&deposits, 1, &bent), "change {number}");
    }
}

type Change = fn(&mut Receipt);

/// Signed by the origin and wrong all the same: such a receipt would lose records and convict nobody.
#[test]
fn a_receipt_that_promises_too_little_is_none() {
    let deposits = deposits();
    let changes: [(&str, Change); 6] = [
        ("no replica but itself", |receipt| receipt.replica = id(1)),
        ("a replica that is no member", |receipt| receipt.replica = id(4)),
        ("a slot neither accepted nor full", |receipt| receipt.full = 0),
        ("a slot both accepted and full", |receipt| receipt.accepted = 0x3ff),
        ("an eleventh slot", |receipt| receipt.accepted |= 1 << 10),
        ("another stream", |receipt| receipt.segment.stream = Stream::Slow),
    ];
    for (what, change) in changes {
        let mut bent = honest(&deposits, 1);
        change(&mut bent);
        assert!(!taken(&deposits, 1, &bent.sign(&key(1))), "{what}");
    }
}

#[test]
fn an_old_receipt_settles_nothing_again() {
    let mut deposits = deposits();
    let receipt = honest(&deposits, 1);
    assert!(deposits.acknowledged(1, receipt).is_some());
    assert!(!taken(&deposits, 1, &receipt), "its deposit is settled");
    assert!(!taken(&deposits, 2, &receipt), "and no other is settled by it");
    assert!(deposits.acknowledged(1, receipt).is_none());
    assert_eq!(deposits.len(), 1);
}
