//! `vectors/crypto-ceremony.json`: what sets of dealings come to.

use curve25519_dalek::scalar::Scalar;
use mosaic_types::ProviderId;
use mosaic_vectors::{kind, settle};
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};

use super::{CONTEXT, Dealt, SPECIFICATION, provider, recipients, recipients_json, scalar, secret};
use crate::ceremony::{Dealing, assemble, deal, outcome};
use crate::oprf::{KeyShare, WholeKey};

/// The dealings, the shares and the key of one ceremony, named by its providers' numbers.
fn ceremony(name: &str, numbers: &[u8], threshold: u8, dealers: &[(u8, u64)]) -> (Value, Vec<Dealing>) {
    let dealt: Vec<Dealt> =
        dealers.iter().map(|(dealer, seed)| Dealt::new(*dealer, numbers, threshold, *seed)).collect();
    let dealings: Vec<Dealing> = dealt.iter().map(|dealt| dealt.dealing.clone()).collect();
    let result = outcome(&dealings).unwrap();
    let key: Scalar = dealt.iter().map(|dealt| dealt.coefficients[0]).sum();
    let shares: Vec<(ProviderId, KeyShare)> = numbers
        .iter()
        .map(|number| (provider(*number), assemble(&dealings, provider(*number), &secret(*number)).unwrap()))
        .collect();
    for ((number, share), (other, public)) in shares.iter().zip(&result.public_shares) {
        assert_eq!((number, share.public_share()), (other, public), "{name}");
    }
    let quorum: Vec<_> = shares.iter().rev().take(usize::from(threshold)).map(|(id, share)| (*id, share)).collect();
    assert_eq!(WholeKey::from_shares(&quorum).unwrap().public_key(), result.public_key, "{name}");
    assert_eq!(WholeKey::from_bytes(&key.to_bytes()).unwrap().public_key(), result.public_key, "{name}");
    let share_json = |(number, share): &(ProviderId, KeyShare)| {
        json!({
            "provider": number.get(), "share": hex::encode(*share.to_bytes()),
            "public_share": hex::encode(share.public_share()),
        })
    };
    let content = json!({
        "name": name, "threshold": threshold, "context": hex::encode(CONTEXT), "recipients": recipients_json(numbers),
        "dealings": dealings.iter().map(|dealing| hex::encode(dealing.encode())).collect::<Vec<_>>(),
        "digests": dealings.iter().map(|dealing| hex::encode(dealing.digest())).collect::<Vec<_>>(),
        "transcript": hex::encode(result.transcript), "key": scalar(&key), "public_key": hex::encode(result.public_key),
        "shares": shares.iter().map(share_json).collect::<Vec<_>>(),
    });
    (content, dealings)
}

/// Sets of sound dealings that yield no key: name, dealings, variant of [`crate::ceremony::OutcomeError`].
fn without_outcome(honest: &[Dealing]) -> Vec<(&'static str, Vec<Dealing>, &'static str)> {
    let numbers = [1, 2, 3];
    let first = honest[0].clone();
    let of = |dealer, numbers: &[u8], threshold, seed| Dealt::new(dealer, numbers, threshold, seed).dealing;
    let mut rng = ChaCha20Rng::seed_from_u64(99);
    let elsewhere = deal(&[8; 32], provider(3), &recipients(&numbers), 2, &mut rng).unwrap();
    // A dealer that knows another's coefficients can deal their negatives; only a coalition does.
    let opposite: Vec<Scalar> = Dealt::new(1, &numbers, 2, 11).coefficients.iter().map(|c| -c).collect();
    let opposite = Dealt::of(3, &numbers, opposite, |_| Scalar::ZERO, rng).dealing;
    vec![
        ("nobody dealt", vec![], "TooFewDealers"),
        ("one dealer", vec![first.clone()], "TooFewDealers"),
        ("two dealers for a threshold of three", vec![of(1, &numbers, 3, 21), of(2, &numbers, 3, 22)], "TooFewDealers"),
        ("one dealer twice", vec![first.clone(), of(1, &numbers, 2, 31)], "Repeated"),
        ("another context", vec![first.clone(), elsewhere], "Mismatched"),
        ("another threshold", vec![first.clone(), of(3, &numbers, 3, 32)], "Mismatched"),
        ("other recipients", vec![first.clone(), of(3, &[1, 2, 4], 2, 33)], "Mismatched"),
        ("dealings that cancel each other out", vec![first, opposite], "Degenerate"),
    ]
}

#[test]
fn the_file_says_what_dealings_come_to() {
    let (two, dealings) = ceremony("two dealers of three", &[1, 2, 3], 2, &[(1, 11), (3, 12)]);
    let (all, _) = ceremony("three of five, numbers with gaps", &[1, 4, 7, 8, 15], 3, &[(1, 13), (4, 14), (8, 15)]);
    let mut refused = Vec::new();
    for (name, dealings, error) in without_outcome(&dealings) {
        let sent: Vec<Vec<u8>> = dealings.iter().map(Dealing::encode).collect();
        let read: Vec<Dealing> = sent.iter().map(|bytes| Dealing::decode(bytes).unwrap()).collect();
        assert_eq!(outcome(&read).map_err(kind), Err(error.to_owned()), "{name}");
        let sent: Vec<_> = sent.iter().map(hex::encode).collect();
        refused.push(json!({ "name": name, "dealings": sent, "error": error }));
    }
    let content =
        json!({ "object": "ceremony", "specification": SPECIFICATION, "valid": [two, all], "malformed": refused });
    settle("crypto-ceremony.json", &content);
}

/// The order in which dealings arrive says nothing.
#[test]
fn the_transcript_is_of_a_set() {
    let (_, mut dealings) = ceremony("two dealers of three", &[1, 2, 3], 2, &[(1, 11), (3, 12)]);
    let forwards = outcome(&dealings).unwrap();
    dealings.reverse();
    assert_eq!(outcome(&dealings).unwrap(), forwards);
}
