//! `vectors/crypto-dealing.json`: one dealing from its secrets to its bytes, and what is refused.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _};
use curve25519_dalek::scalar::Scalar;
use hkdf::Hkdf;
use mosaic_vectors::{Edit, kind, seed, settle};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{CONTEXT, Dealt, SPECIFICATION, provider, recipients_json, scalar, secret};
use crate::ceremony::{Dealing, open_share};

const NUMBERS: [u8; 3] = [1, 2, 3];
/// Where the parts of a dealing to three with threshold 2 begin.
const COMMITMENTS: usize = 36;
const PROOF: usize = 100;
const EPHEMERAL: usize = 164;
const ENVELOPES: usize = 196;
const ENVELOPE: usize = 81;

fn dealt() -> Dealt {
    Dealt::new(2, &NUMBERS, 2, 1)
}

/// The smallest encoding that is no canonical scalar: the group's order itself.
fn order() -> [u8; 32] {
    let mut bytes = (-Scalar::ONE).to_bytes();
    bytes[0] += 1;
    bytes
}

/// What a decoder refuses: name, edit of the valid dealing, variant of [`crate::ceremony::MalformedDealing`].
fn malformed() -> Vec<(&'static str, Edit, &'static str)> {
    let bytes = dealt().bytes();
    let replace = |at: usize, part: &[u8]| Edit::Replace(at, part.to_vec());
    // 2^255 - 19 + 9 is a second encoding of the base point's coordinate; ones are no field element at all.
    let mut nine_again = [0xFF; 32];
    (nine_again[0], nine_again[31]) = (0xF6, 0x7F);
    vec![
        ("empty", Edit::Length(0), "Shape"),
        ("one byte short", Edit::Length(bytes.len() - 1), "Shape"),
        ("one byte long", Edit::Append(vec![0]), "Shape"),
        ("unknown version", replace(0, &[2]), "Shape"),
        ("dealer 0", replace(1, &[0]), "Shape"),
        ("dealer 16", replace(1, &[16]), "Shape"),
        ("threshold 1", replace(2, &[1]), "Shape"),
        ("threshold above the number of recipients", replace(2, &[4]), "Shape"),
        ("a recipient more than there are bytes for", replace(3, &[4]), "Shape"),
        ("recipient 0", replace(ENVELOPES, &[0]), "Shape"),
        ("a recipient twice", replace(ENVELOPES, &[2]), "Shape"),
        ("recipients out of order", replace(ENVELOPES + 2 * ENVELOPE, &[1]), "Shape"),
        ("a commitment that is the identity", replace(COMMITMENTS, &[0; 32]), "Point"),
        ("a commitment that is not canonical", replace(COMMITMENTS + 32, &[0xFF; 32]), "Point"),
        ("an ephemeral key of small order", replace(EPHEMERAL, &[0; 32]), "Point"),
        ("an ephemeral key that is not canonical", replace(EPHEMERAL, &nine_again), "Point"),
        ("a recipient's key of small order", replace(ENVELOPES + 1, &[0; 32]), "Point"),
        ("a challenge that is not canonical", replace(PROOF, &order()), "Proof"),
        ("a response that is not canonical", replace(PROOF + 32, &order()), "Proof"),
        ("another challenge", Edit::flip(&bytes, PROOF), "Proof"),
        ("another response", Edit::flip(&bytes, PROOF + 32), "Proof"),
        ("another dealer", replace(1, &[3]), "Proof"),
        ("another context", Edit::flip(&bytes, 4), "Proof"),
        ("another recipient's number", replace(ENVELOPES + 2 * ENVELOPE, &[4]), "Proof"),
        ("another sealed share", Edit::flip(&bytes, ENVELOPES + 33), "Proof"),
        ("another tag", Edit::flip(&bytes, ENVELOPES + 65), "Proof"),
    ]
}

/// The key of one envelope as the specification words it, made without our own derivation.
fn envelope_key(dealing: &[u8], shared: &[u8; 32], number: u8) -> [u8; 32] {
    let public = secret(number).public();
    let parts: [&[u8]; 5] = [
        &CONTEXT,
        &[dealing[1], number],
        &dealing[EPHEMERAL..ENVELOPES],
        public.as_bytes(),
        &dealing[COMMITMENTS..PROOF],
    ];
    let mut info = b"mosaic/1/dealing share".to_vec();
    for part in parts {
        info.extend((part.len() as u16).to_be_bytes());
        info.extend(part);
    }
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, shared).expand(&info, &mut key).unwrap();
    key
}

fn envelope(dealt: &Dealt, bytes: &[u8], number: u8) -> Value {
    let at = ENVELOPES + ENVELOPE * usize::from(number - 1);
    let sealed = &bytes[at + 33..at + ENVELOPE];
    let shared = secret(number).agree(&dealt.ephemeral.public()).unwrap();
    let key = envelope_key(bytes, shared.as_bytes(), number);
    let cipher = ChaCha20Poly1305::new((&key).into());
    let share = cipher.decrypt((&[0; 12]).into(), Payload { msg: sealed, aad: &[] }).unwrap();
    let opened = open_share(&dealt.dealing, provider(number), &secret(number)).unwrap();
    assert_eq!(share, opened.0.to_bytes());
    json!({
        "recipient": number, "shared_secret": hex::encode(shared.as_bytes()), "key": hex::encode(key),
        "share": hex::encode(share), "sealed": hex::encode(sealed),
    })
}

/// The challenge as the specification words it.
fn challenge(bytes: &[u8], nonce: &Scalar) -> Scalar {
    let mut unproven = bytes.to_vec();
    unproven[PROOF..EPHEMERAL].fill(0);
    let point = curve25519_dalek::ristretto::RistrettoPoint::mul_base(nonce).compress();
    let mut hash = Sha256::new();
    for part in [unproven.as_slice(), point.as_bytes()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut wide = [0; 64];
    Hkdf::<Sha256>::new(None, &hash.finalize()).expand(b"mosaic/1/dealing proof", &mut wide).unwrap();
    Scalar::from_bytes_mod_order_wide(&wide)
}

#[test]
fn the_file_says_what_a_dealing_is() {
    let dealt = dealt();
    let bytes = dealt.bytes();
    assert_eq!(Dealing::decode(&bytes).as_ref(), Ok(&dealt.dealing));
    let challenge = challenge(&bytes, &dealt.nonce);
    assert_eq!(bytes[PROOF..PROOF + 32], challenge.to_bytes());
    assert_eq!(bytes[PROOF + 32..EPHEMERAL], (dealt.nonce - challenge * dealt.coefficients[0]).to_bytes());
    let fields = json!({
        "dealer": 2, "threshold": 2, "context": hex::encode(CONTEXT),
        "coefficients": dealt.coefficients.iter().map(scalar).collect::<Vec<_>>(),
        "commitments": dealt.dealing.commitments().iter().map(hex::encode).collect::<Vec<_>>(),
        "ephemeral_secret": hex::encode(*dealt.ephemeral.to_bytes()),
        "ephemeral_key": hex::encode(dealt.ephemeral.public().as_bytes()),
        "proof_nonce": scalar(&dealt.nonce), "challenge": scalar(&challenge),
        "envelopes": NUMBERS.map(|number| envelope(&dealt, &bytes, number)),
        "digest": hex::encode(dealt.dealing.digest()),
    });
    let mut refused = Vec::new();
    for (name, edit, error) in malformed() {
        let spoilt = edit.apply(&bytes);
        assert_eq!(Dealing::decode(&spoilt).map_err(kind), Err(error.to_owned()), "{name}");
        refused.push(json!({ "name": name, "base": "three recipients", "edit": edit.json(), "error": error }));
        seed("crypto_dealing", &format!("bad-{name}"), &spoilt);
    }
    let content = json!({
        "object": "dealing", "specification": SPECIFICATION, "size": null, "recipients": recipients_json(&NUMBERS),
        "valid": [{ "name": "three recipients", "fields": fields, "bytes": hex::encode(&bytes) }],
        "malformed": refused,
    });
    settle("crypto-dealing.json", &content);
}
