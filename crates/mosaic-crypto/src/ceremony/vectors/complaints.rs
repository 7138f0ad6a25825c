//! `vectors/crypto-complaint.json`: what convicts a dealer, and what does not.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::scalar::Scalar;
use mosaic_vectors::{Edit, seed, settle};
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};

use super::{Dealt, SPECIFICATION, provider, recipients_json, secret};
use crate::ceremony::{Complaint, Dealing, OpenShareError, open_share, verify_complaint};
use crate::oprf::random_scalar;

const NUMBERS: [u8; 3] = [1, 2, 3];
const POINT: usize = 33;
const PROOF: usize = 65;

/// Provider 1's dealing with a share for provider 2 that lies one beside the polynomial.
fn beside() -> Dealing {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let coefficients = vec![random_scalar(&mut rng), random_scalar(&mut rng)];
    let error = |recipient| if recipient == provider(2) { Scalar::ONE } else { Scalar::ZERO };
    Dealt::of(1, &NUMBERS, coefficients, error, rng).dealing
}

/// Provider 3's dealing whose envelope for provider 1 does not open.
fn unreadable() -> Dealing {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let coefficients = vec![random_scalar(&mut rng), random_scalar(&mut rng)];
    let mut dealing = Dealt::of(3, &NUMBERS, coefficients.clone(), |_| Scalar::ZERO, rng.clone()).dealing;
    dealing.envelopes[0].sealed[40] ^= 1;
    dealing.prove(&coefficients[0], &mut rng);
    dealing
}

fn honest() -> Dealing {
    Dealt::new(2, &NUMBERS, 2, 1).dealing
}

fn complaint(dealing: &Dealing, number: u8) -> Complaint {
    match open_share(dealing, provider(number), &secret(number)) {
        Err(OpenShareError::Cheated(complaint)) => *complaint,
        _ => panic!("the share should have been bad"),
    }
}

fn json_of(name: &str, about: &str, dealing: &Dealing, complaint: &Complaint) -> Value {
    let bytes = complaint.encode();
    let shared = secret(complaint.accuser().get()).agree(&dealing.ephemeral).unwrap();
    let point = CompressedEdwardsY(bytes[POINT..PROOF].try_into().unwrap()).decompress().unwrap();
    assert_eq!(point.to_montgomery().to_bytes(), *shared.as_bytes(), "{name}");
    json!({
        "name": name,
        "fields": {
            "about": about, "dealing": hex::encode(complaint.dealing()), "accuser": complaint.accuser().get(),
            "point": hex::encode(&bytes[POINT..PROOF]), "proof": hex::encode(&bytes[PROOF..]),
            "shared_secret": hex::encode(shared.as_bytes()),
        },
        "bytes": hex::encode(bytes),
    })
}

/// Edits of a complaint that convicts, after which it is no complaint (`Shape`) or convicts nobody (`Proof`).
fn malformed(bytes: &[u8]) -> Vec<(&'static str, Edit, &'static str)> {
    let point = CompressedEdwardsY(bytes[POINT..PROOF].try_into().unwrap()).decompress().unwrap();
    let torsion = (point + EIGHT_TORSION[1]).compress().to_bytes().to_vec();
    let not_canonical = |at: usize| {
        let mut order = (-Scalar::ONE).to_bytes().to_vec();
        order[0] += 1;
        Edit::Replace(at, order)
    };
    vec![
        ("empty", Edit::Length(0), "Shape"),
        ("one byte short", Edit::Length(bytes.len() - 1), "Shape"),
        ("one byte long", Edit::Append(vec![0]), "Shape"),
        ("accuser 0", Edit::Replace(32, vec![0]), "Shape"),
        ("accuser 16", Edit::Replace(32, vec![16]), "Shape"),
        ("about another dealing", Edit::flip(bytes, 0), "Proof"),
        ("another accuser", Edit::Replace(32, vec![3]), "Proof"),
        ("an accuser without a share", Edit::Replace(32, vec![9]), "Proof"),
        ("a point with a torsion component", Edit::Replace(POINT, torsion), "Proof"),
        ("the negative point", Edit::Replace(PROOF - 1, vec![bytes[PROOF - 1] ^ 0x80]), "Proof"),
        ("bytes that are no point", Edit::Replace(POINT, [&[2][..], &[0; 31]].concat()), "Proof"),
        ("another challenge", Edit::flip(bytes, PROOF), "Proof"),
        ("another response", Edit::flip(bytes, PROOF + 32), "Proof"),
        ("a challenge that is not canonical", not_canonical(PROOF), "Proof"),
        ("a response that is not canonical", not_canonical(PROOF + 32), "Proof"),
    ]
}

/// Why `bytes` do not convict the dealer of `dealing`; `Ok` if they do.
fn judge(dealing: &Dealing, bytes: &[u8]) -> Result<(), &'static str> {
    let complaint = bytes.try_into().ok().and_then(Complaint::decode).ok_or("Shape")?;
    if verify_complaint(dealing, &complaint) { Ok(()) } else { Err("Proof") }
}

#[test]
fn the_file_says_what_a_complaint_is() {
    let (beside, unreadable, honest) = (beside(), unreadable(), honest());
    let good_share = honest.envelope_of(provider(2)).unwrap();
    let pointless = Complaint::build(&honest, good_share, &secret(2)).unwrap();
    assert_eq!(judge(&honest, &pointless.encode()), Err("Proof"), "the share fits");
    let convicting = [("a share beside the polynomial", &beside, 2), ("a share that does not open", &unreadable, 1)];
    let mut valid = Vec::new();
    for (name, dealing, accuser) in convicting {
        let made = complaint(dealing, accuser);
        assert_eq!(judge(&Dealing::decode(&dealing.encode()).unwrap(), &made.encode()), Ok(()), "{name}");
        valid.push(json_of(name, name, dealing, &made));
        seed("crypto_complaint", name, &made.encode());
    }
    let bytes = complaint(&beside, 2).encode();
    let mut refused = Vec::new();
    for (name, edit, error) in malformed(&bytes) {
        let spoilt = edit.apply(&bytes);
        assert_eq!(judge(&beside, &spoilt), Err(error), "{name}");
        refused.push(json!({ "name": name, "base": convicting[0].0, "edit": edit.json(), "error": error }));
        seed("crypto_complaint", &format!("bad-{name}"), &spoilt);
    }
    let content = json!({
        "object": "complaint", "specification": SPECIFICATION, "size": 129, "recipients": recipients_json(&NUMBERS),
        "dealings": {
            "a share beside the polynomial": hex::encode(beside.encode()),
            "a share that does not open": hex::encode(unreadable.encode()),
            "honest": hex::encode(honest.encode()),
        },
        "valid": valid,
        "not_convicting": [json_of("a good share, truly revealed", "honest", &honest, &pointless)],
        "malformed": refused,
    });
    settle("crypto-complaint.json", &content);
}
