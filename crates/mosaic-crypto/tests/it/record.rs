//! Committing AEADs: sizes, tampering, and ciphertexts built to open under two keys.

use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use mosaic_crypto::aead::{self, OpenError};
use mosaic_crypto::record::{PLAIN, RecordNonce, SEALED, open_inner, open_record, seal_inner, seal_record};
use rand::Rng as _;

use crate::{support::rng, two_keys};

#[test]
fn records_open_under_their_key_only_and_refuse_every_flipped_bit() {
    let (key, plain) = ([1; 32], [0x42; PLAIN]);
    let record = seal_record(&key, RecordNonce::fixed_for_vectors([9; 24]), &plain);
    assert_eq!(record.len(), SEALED);
    assert_eq!(record[..24], [9; 24]);
    assert_eq!(*open_record(&key, &record).unwrap(), plain);
    assert!(open_record(&[2; 32], &record).is_none());
    for bit in 0..SEALED * 8 {
        let mut bent = record;
        bent[bit / 8] ^= 1 << (bit % 8);
        assert!(open_record(&key, &bent).is_none(), "bit {bit}");
    }
}

#[test]
fn inner_layers_open_under_their_key_and_nonce_only() {
    let (key, nonce, plain) = ([1; 32], [9; 24], [0x42; 57]);
    let (sealed, _) = seal_inner(&key, RecordNonce::fixed_for_vectors(nonce), &plain);
    assert_eq!(sealed.len(), 73);
    assert_eq!(*open_inner(&key, &nonce, &sealed).unwrap(), plain);
    assert_eq!(open_inner(&[2; 32], &nonce, &sealed), None);
    assert_eq!(open_inner(&key, &[8; 24], &sealed), None);
    for bit in 0..73 * 8 {
        let mut bent = sealed;
        bent[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(open_inner(&key, &nonce, &bent), None, "bit {bit}");
    }
}

/// The nonce-reuse guard of L3-69: a nonce is drawn, serves one inner layer and the record around it, and is gone.
/// (That it cannot serve twice is the compiler's to say: it has neither `Clone` nor `Copy`.)
#[test]
fn a_drawn_nonce_is_shared_by_two_layers_and_by_no_two_records() {
    let mut rng = rng(6);
    let mut seal = || {
        let (inner, nonce) = seal_inner(&[1; 32], RecordNonce::draw(&mut rng), &[0x42; 57]);
        let record = seal_record(&[2; 32], nonce, &[0x42; PLAIN]);
        let nonce: [u8; 24] = record[..24].try_into().unwrap();
        assert_eq!(*open_inner(&[1; 32], &nonce, &inner).unwrap(), [0x42; 57]);
        nonce
    };
    assert_ne!(seal(), seal());
}

#[test]
fn random_bytes_never_open() {
    let mut rng = rng(1);
    for _ in 0..1000 {
        let mut record = [0; SEALED];
        rng.fill_bytes(&mut record);
        assert!(open_record(&[3; 32], &record).is_none());
    }
}

#[test]
fn blobs_tell_wrong_keys_from_damage() {
    let sealed = aead::seal(&[1; 32], b"vault", b"contents", &mut rng(2));
    assert_eq!(sealed.len(), 8 + aead::OVERHEAD);
    assert_eq!(*aead::open(&[1; 32], b"vault", &sealed).unwrap(), b"contents");
    assert_eq!(aead::open(&[2; 32], b"vault", &sealed), Err(OpenError::WrongKey));
    assert_eq!(aead::open(&[1; 32], b"other", &sealed), Err(OpenError::Altered));
    for length in 0..aead::OVERHEAD {
        assert_eq!(aead::open(&[1; 32], b"vault", &sealed[..length]), Err(OpenError::Truncated));
    }
    for byte in 0..sealed.len() {
        let mut bent = sealed.clone();
        bent[byte] ^= 1;
        let expected = if byte < 56 { OpenError::WrongKey } else { OpenError::Altered };
        assert_eq!(aead::open(&[1; 32], b"vault", &bent), Err(expected), "byte {byte}");
    }
    assert_ne!(sealed, aead::seal(&[1; 32], b"vault", b"contents", &mut rng(3)), "each sealing has its own nonce");
}

/// XChaCha20-Poly1305 alone does not commit: we build one record that it accepts under two keys, the
/// zero block included for the first. Ours opens under the first and refuses the second.
#[test]
fn a_record_built_for_two_keys_is_refused_under_the_second() {
    let (keys, nonce) = ([[0x11; 32], [0x22; 32]], [5; 24]);
    let forged = two_keys::forge(&keys, &nonce, &mut rng(4));
    for key in &keys {
        let cipher = XChaCha20Poly1305::new(key.into());
        cipher.decrypt(&XNonce::from(nonce), &forged[24..]).expect("the forgery is sound");
    }
    assert!(open_record(&keys[0], &forged).is_some());
    assert!(open_record(&keys[1], &forged).is_none());
}

#[test]
fn an_inner_layer_with_a_plain_tag_is_refused() {
    let cipher = XChaCha20Poly1305::new(&[1; 32].into());
    let sealed: [u8; 73] = cipher.encrypt(&XNonce::from([9; 24]), &[0x42; 57][..]).unwrap().try_into().unwrap();
    assert_eq!(open_inner(&[1; 32], &[9; 24], &sealed), None);
    let (committing, _) = seal_inner(&[1; 32], RecordNonce::fixed_for_vectors([9; 24]), &[0x42; 57]);
    assert_eq!(sealed[..57], committing[..57]);
}
