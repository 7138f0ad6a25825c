//! The committing AEAD of slots (L3-69; sizes of PRIVACY.md part B).
//!
//! A reader tries keys on records that strangers wrote, so a record must open under one key only: an
//! AEAD on Poly1305 alone lets its author build one ciphertext for two keys. The outer layer spends 16
//! known zero bytes on that (the padding fix of Albertini et al., USENIX Security 2022), the inner one has no
//! room for them and replaces its tag by a hash of key, nonce and tag (CTX, Chan and Rogaway, ESORICS
//! 2022), cut to 16 bytes. Either way two keys for one record cost about 2^64 work.

use chacha20poly1305::aead::AeadInOut as _;
use chacha20poly1305::{KeyInit as _, Tag, XChaCha20Poly1305};
use rand::CryptoRng;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::kdf::{Label, derive};

/// Bytes of a sealed record.
pub const SEALED: usize = 192;
/// Bytes of its plaintext.
pub const PLAIN: usize = 136;
/// Bytes of a sealed inner layer.
pub const INNER_SEALED: usize = 73;
/// Bytes of its plaintext.
pub const INNER_PLAIN: usize = 57;

/// A sealed record: nonce 24 ‖ ciphertext of (16 zero bytes ‖ plaintext) 152 ‖ tag 16. Uniform to
/// everybody without the key.
pub type RecordBytes = [u8; SEALED];

const NONCE: usize = 24;
const ZEROS: usize = 16;
const TAG: usize = 16;
const BODY: usize = ZEROS + PLAIN;

/// The nonce of one record, which its inner layer borrows. A nonce must never meet two plaintexts under one
/// key (L3-69), so it is drawn here, cannot be copied, and sealing takes it away.
pub struct RecordNonce([u8; NONCE]);

/// What is left of a nonce once the inner layer is sealed: good for the record around it, and for nothing else.
pub struct OuterNonce([u8; NONCE]);

impl RecordNonce {
    /// Draws a nonce. Of 24 random bytes no two are equal in any number of records that will ever be sealed.
    pub fn draw(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut nonce = [0; NONCE];
        rng.fill_bytes(&mut nonce);
        Self(nonce)
    }

    /// A given nonce, for vectors and tests alone: here nothing keeps its caller from using one twice.
    pub const fn fixed_for_vectors(nonce: [u8; NONCE]) -> Self {
        Self(nonce)
    }
}

impl From<RecordNonce> for OuterNonce {
    /// For a record without an inner layer.
    fn from(nonce: RecordNonce) -> Self {
        Self(nonce.0)
    }
}

/// Seals a record (XChaCha20-Poly1305).
pub fn seal_record(key: &[u8; 32], nonce: impl Into<OuterNonce>, plain: &[u8; PLAIN]) -> RecordBytes {
    let OuterNonce(nonce) = nonce.into();
    let mut record = [0; SEALED];
    record[..NONCE].copy_from_slice(&nonce);
    record[NONCE + ZEROS..SEALED - TAG].copy_from_slice(plain);
    let tag = encrypt(key, &nonce, &mut record[NONCE..SEALED - TAG]);
    record[SEALED - TAG..].copy_from_slice(&tag);
    record
}

/// Opens a record; `None` if the key is not the one it commits to, or a bit changed.
pub fn open_record(key: &[u8; 32], record: &RecordBytes) -> Option<Zeroizing<[u8; PLAIN]>> {
    let (nonce, rest) = record.split_first_chunk::<NONCE>()?;
    let (body, tag) = rest.split_first_chunk::<BODY>()?;
    let mut body = Zeroizing::new(*body);
    let cipher = XChaCha20Poly1305::new(key.into());
    let tag = Tag::try_from(tag).ok()?;
    cipher.decrypt_inout_detached(nonce.into(), &[], body.as_mut_slice().into(), &tag).ok()?;
    if !bool::from(body[..ZEROS].ct_eq(&[0; ZEROS])) {
        return None;
    }
    let mut plain = Zeroizing::new([0; PLAIN]);
    plain.copy_from_slice(&body[ZEROS..]);
    Some(plain)
}

/// Seals the second layer of a bundle: ciphertext 57 ‖ committing tag 16. It borrows the nonce of
/// the record around it, and gives it back for that; the key must differ from that record's (it does: another
/// label).
pub fn seal_inner(key: &[u8; 32], nonce: RecordNonce, plain: &[u8; INNER_PLAIN]) -> ([u8; INNER_SEALED], OuterNonce) {
    let mut sealed = [0; INNER_SEALED];
    let (body, tag) = sealed.split_at_mut(INNER_PLAIN);
    body.copy_from_slice(plain);
    let poly = encrypt(key, &nonce.0, body);
    tag.copy_from_slice(&commitment(key, &nonce.0, &poly));
    (sealed, OuterNonce(nonce.0))
}

/// Opens the second layer; `None` if the key is another or a bit changed.
pub fn open_inner(
    key: &[u8; 32],
    outer_nonce: &[u8; NONCE],
    sealed: &[u8; INNER_SEALED],
) -> Option<Zeroizing<[u8; INNER_PLAIN]>> {
    let (body, tag) = sealed.split_first_chunk::<INNER_PLAIN>()?;
    // The stream is its own inverse: one pass decrypts, a second one recomputes the tag that the
    // commitment was made over.
    let mut plain = Zeroizing::new(*body);
    encrypt(key, outer_nonce, plain.as_mut_slice());
    let mut again = plain.clone();
    let poly = encrypt(key, outer_nonce, again.as_mut_slice());
    bool::from(commitment(key, outer_nonce, &poly).ct_eq(tag)).then_some(plain)
}

/// Encrypts in place and returns the Poly1305 tag. The AEAD refuses only plaintexts of 256 GiB.
fn encrypt(key: &[u8; 32], nonce: &[u8; NONCE], buffer: &mut [u8]) -> [u8; TAG] {
    let cipher = XChaCha20Poly1305::new(key.into());
    match cipher.encrypt_inout_detached(nonce.into(), &[], buffer.into()) {
        Ok(tag) => tag.into(),
        Err(_) => unreachable!("a slot is shorter than 256 GiB"),
    }
}

fn commitment(key: &[u8; 32], nonce: &[u8; NONCE], poly: &[u8; TAG]) -> [u8; TAG] {
    derive(key, Label::RecordCommit, &[nonce, poly])
}
