//! `vectors/wire-record.json`: both layers of a slot from key, nonce and plaintext to bytes, and what no key opens.

use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use mosaic_crypto::record::{
    INNER_PLAIN, INNER_SEALED, PLAIN, RecordNonce, SEALED, open_inner, open_record, seal_inner, seal_record,
};
use mosaic_vectors::{Edit, pattern, settle};
use serde_json::{Value, json};

use crate::{support::rng, two_keys};

const NONCE: [u8; 24] = [0xA5; 24];

fn outer_key() -> [u8; 32] {
    pattern(0x70)
}

fn inner_key() -> [u8; 32] {
    pattern(0x71)
}

fn record() -> [u8; SEALED] {
    seal_record(&outer_key(), RecordNonce::fixed_for_vectors(NONCE), &pattern(0x72))
}

fn inner() -> [u8; INNER_SEALED] {
    seal_inner(&inner_key(), RecordNonce::fixed_for_vectors(NONCE), &pattern(0x73)).0
}

/// What plain XChaCha20-Poly1305 makes of `plain`, without any commitment.
fn xchacha(key: &[u8; 32], plain: &[u8]) -> Vec<u8> {
    XChaCha20Poly1305::new(key.into()).encrypt(&XNonce::from(NONCE), plain).unwrap()
}

/// The forgery with the two keys under which plain XChaCha20-Poly1305 opens it.
fn forgery() -> ([[u8; 32]; 2], [u8; SEALED]) {
    let keys = [outer_key(), inner_key()];
    (keys, two_keys::forge(&keys, &NONCE, &mut rng(4)))
}

/// An outer record with a right tag whose commit block is not zero.
fn uncommitted() -> Vec<u8> {
    let plain = [&[0; 15][..], &[1], &pattern::<PLAIN>(0x72)].concat();
    [NONCE.to_vec(), xchacha(&outer_key(), &plain)].concat()
}

fn refused(name: &str, layer: &str, key: &[u8; 32], bytes: &[u8]) -> Value {
    let opens = match layer {
        "outer" => bytes.try_into().is_ok_and(|record| open_record(key, record).is_some()),
        _ => bytes.try_into().is_ok_and(|sealed| open_inner(key, &NONCE, sealed).is_some()),
    };
    assert!(!opens, "{layer}: {name}");
    json!({ "name": name, "layer": layer, "key": hex::encode(key), "bytes": hex::encode(bytes) })
}

fn malformed() -> Vec<Value> {
    let (record, inner, (keys, forged)) = (record(), inner(), forgery());
    let outer = |name, edit: Edit| refused(name, "outer", &outer_key(), &edit.apply(&record));
    let within = |name, edit: Edit| refused(name, "inner", &inner_key(), &edit.apply(&inner));
    vec![
        outer("a flipped bit of the nonce", Edit::flip(&record, 0)),
        outer("a flipped bit of the commit block", Edit::flip(&record, 24)),
        outer("a flipped bit of the text", Edit::flip(&record, 100)),
        outer("a flipped bit of the tag", Edit::flip(&record, 191)),
        outer("one byte short", Edit::Length(191)),
        outer("one byte long", Edit::Append(vec![0])),
        refused("another key", "outer", &inner_key(), &record),
        refused("a commit block that is not zero, under a right tag", "outer", &outer_key(), &uncommitted()),
        refused("made for two keys: the second", "outer", &keys[1], &forged),
        within("a flipped bit of the text", Edit::flip(&inner, 0)),
        within("a flipped bit of the tag", Edit::flip(&inner, 72)),
        within("one byte short", Edit::Length(72)),
        within("one byte long", Edit::Append(vec![0])),
        refused("another key", "inner", &outer_key(), &inner),
        refused("a plain Poly1305 tag", "inner", &inner_key(), &xchacha(&inner_key(), &pattern::<INNER_PLAIN>(0x73))),
    ]
}

#[test]
fn the_file_says_what_both_layers_are() {
    let (record, inner, (keys, forged)) = (record(), inner(), forgery());
    let plain = [&[0; 16][..], &pattern::<PLAIN>(0x72)].concat();
    assert_eq!(record[24..], xchacha(&outer_key(), &plain), "the outer layer is the RFC's AEAD over zeros and text");
    // The one check that the malformed cases lean on: without the commitment each would open.
    for key in &keys {
        let cipher = XChaCha20Poly1305::new(key.into());
        assert!(cipher.decrypt(&XNonce::from(NONCE), &forged[24..]).is_ok(), "the forgery is sound");
    }
    assert!(open_record(&keys[0], &forged).is_some());
    let uncommitted = uncommitted();
    let cipher = XChaCha20Poly1305::new((&outer_key()).into());
    assert!(cipher.decrypt(&XNonce::from(NONCE), &uncommitted[24..]).is_ok());
    let poly = &xchacha(&inner_key(), &pattern::<INNER_PLAIN>(0x73))[INNER_PLAIN..];
    let layer = |name, key: [u8; 32], plain: &[u8], bytes: &[u8], more: Value| {
        json!({
            "name": name, "bytes": hex::encode(bytes),
            "fields": { "key": hex::encode(key), "nonce": hex::encode(NONCE), "plaintext": hex::encode(plain), "more": more },
        })
    };
    let content = json!({
        "object": "record", "specification": "docs/spec/wire.md", "size": null,
        "valid": [
            layer("outer", outer_key(), &pattern::<PLAIN>(0x72), &record, json!({ "size": SEALED })),
            layer("inner", inner_key(), &pattern::<INNER_PLAIN>(0x73), &inner, json!({
                "size": INNER_SEALED, "poly1305_tag": hex::encode(poly),
            })),
            layer("made for two keys: the first", keys[0], &*open_record(&keys[0], &forged).unwrap(), &forged, json!({
                "also_opens_without_commitment_under": hex::encode(keys[1]),
            })),
        ],
        "malformed": malformed(),
    });
    settle("wire-record.json", &content);
}

/// The inner tag as the specification words it, made without our own derivation.
#[test]
fn the_inner_tag_is_the_documented_derivation() {
    let poly = &xchacha(&inner_key(), &pattern::<INNER_PLAIN>(0x73))[INNER_PLAIN..];
    let mut info = b"mosaic/1/record commitment".to_vec();
    for part in [&NONCE[..], poly] {
        info.extend((part.len() as u16).to_be_bytes());
        info.extend(part);
    }
    let mut tag = [0; 16];
    hkdf::Hkdf::<sha2::Sha256>::new(None, &inner_key()).expand(&info, &mut tag).unwrap();
    assert_eq!(inner()[INNER_PLAIN..], tag);
}
