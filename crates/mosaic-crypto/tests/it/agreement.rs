//! X25519 and Ed25519: reference vectors and what must be refused (L3-70, L3-71).

use mosaic_crypto::agreement::{AgreementPublic, AgreementSecret, WeakPublic};
use mosaic_crypto::signing::{BadSignature, SignContext, SigningKey, VerifyingKey};

use crate::support::{array, rng, vectors};

fn x25519(scalar: [u8; 32], u: [u8; 32]) -> [u8; 32] {
    *AgreementSecret::from_bytes(scalar).agree(&AgreementPublic(u)).unwrap().as_bytes()
}

#[test]
fn rfc_7748() {
    let file = vectors("rfc7748-x25519.json");
    for vector in file["vectors"].as_array().unwrap() {
        assert_eq!(x25519(array(&vector["scalar"]), array(&vector["u"])), array(&vector["output"]));
    }
    let iterated = &file["iterated"];
    let (mut scalar, mut u): ([u8; 32], [u8; 32]) = (array(&iterated["start"]), array(&iterated["start"]));
    for round in 1..=1000 {
        (scalar, u) = (x25519(scalar, u), scalar);
        if round == 1 {
            assert_eq!(scalar, array(&iterated["after_1"]));
        }
    }
    assert_eq!(scalar, array(&iterated["after_1000"]));
    let pair = &file["diffie_hellman"];
    let alice = AgreementSecret::from_bytes(array(&pair["alice_secret"]));
    let bob = AgreementSecret::from_bytes(array(&pair["bob_secret"]));
    assert_eq!(alice.public().to_bytes(), array(&pair["alice_public"]));
    assert_eq!(bob.public().to_bytes(), array(&pair["bob_public"]));
    assert_eq!(*alice.agree(&bob.public()).unwrap().as_bytes(), array(&pair["shared"]));
    assert_eq!(*bob.agree(&alice.public()).unwrap().as_bytes(), array(&pair["shared"]));
}

/// Every u-coordinate of order 1, 2, 4 or 8 on curve and twist, non-canonical encodings included.
pub(crate) fn small_order() -> Vec<[u8; 32]> {
    let mut eight = [0; 32];
    hex::decode_to_slice("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", &mut eight).unwrap();
    let mut other = [0; 32];
    hex::decode_to_slice("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157", &mut other).unwrap();
    let little = |low: u8| {
        let mut bytes = [0; 32];
        bytes[0] = low;
        bytes
    };
    let near_p = |low: u8| {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (low, 0x7f);
        bytes
    };
    vec![little(0), little(1), eight, other, near_p(0xec), near_p(0xed), near_p(0xee)]
}

#[test]
fn small_order_keys_are_refused() {
    let secret = AgreementSecret::random(&mut rng(1));
    for bytes in small_order() {
        let mut high_bit = bytes;
        high_bit[31] |= 0x80;
        for point in [bytes, high_bit] {
            assert_eq!(secret.agree(&AgreementPublic(point)).err(), Some(WeakPublic), "{}", hex::encode(point));
        }
    }
}

#[test]
fn a_signature_holds_for_its_key_purpose_and_message_only() {
    let mut rng = rng(2);
    let key = SigningKey::generate(&mut rng);
    let signature = key.sign(SignContext::Receipt, b"message");
    let public = key.verifying_key();
    assert_eq!(public.verify_strict(SignContext::Receipt, b"message", &signature), Ok(()));
    assert_eq!(public.verify_strict(SignContext::Head, b"message", &signature), Err(BadSignature));
    assert_eq!(public.verify_strict(SignContext::Receipt, b"massage", &signature), Err(BadSignature));
    let other = SigningKey::generate(&mut rng).verifying_key();
    assert_eq!(other.verify_strict(SignContext::Receipt, b"message", &signature), Err(BadSignature));
    for bit in 0..512 {
        let mut bent = signature;
        bent[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(public.verify_strict(SignContext::Receipt, b"message", &bent), Err(BadSignature), "bit {bit}");
    }
}

#[test]
fn malleable_signatures_and_small_order_keys_are_refused() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let mut signature = key.sign(SignContext::Head, b"m");
    // s + ℓ is congruent to s but not canonical.
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let mut carry = 0_u16;
    for (byte, add) in signature[32..].iter_mut().zip(order) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry as u8;
        carry >>= 8;
    }
    assert_eq!(key.verifying_key().verify_strict(SignContext::Head, b"m", &signature), Err(BadSignature));
    // With the identity as key, R = identity and s = 0 satisfy the cofactored equation for any message.
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut universal = [0; 64];
    universal[0] = 1;
    assert_eq!(VerifyingKey(identity).verify_strict(SignContext::Head, b"m", &universal), Err(BadSignature));
    assert_eq!(VerifyingKey([0xff; 32]).verify_strict(SignContext::Head, b"m", &universal), Err(BadSignature));
}

#[test]
fn purposes_are_unique() {
    for a in SignContext::ALL {
        assert!(!a.text().as_bytes().contains(&0));
        assert_eq!(SignContext::ALL.iter().filter(|b| b.text() == a.text()).count(), 1, "{a:?}");
    }
}
