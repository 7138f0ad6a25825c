//! The committing AEAD of files and blobs (L3-69): vault images, sealed shares, exports.
//!
//! Layout: nonce 24 ‖ commitment 32 ‖ ciphertext ‖ tag 16. Key and commitment are two labelled
//! derivations of (key, nonce), so a blob opens under one key only (collisions cost 2^128), and the nonce is
//! drawn inside, so that no caller can reuse one.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use rand::CryptoRng;
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::kdf::{Label, derive};

const NONCE: usize = 24;
const COMMITMENT: usize = 32;
const TAG: usize = 16;

/// Bytes that sealing adds to a plaintext.
pub const OVERHEAD: usize = NONCE + COMMITMENT + TAG;

/// Why a blob did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Shorter than [`OVERHEAD`].
    #[error("the sealed data is cut short")]
    Truncated,
    /// The blob commits to another key.
    #[error("the key does not fit the sealed data")]
    WrongKey,
    /// The key fits; the ciphertext or its associated data was changed.
    #[error("the sealed data was altered")]
    Altered,
}

/// Seals `plain` under `key`, bound to `aad` (not stored): [`OVERHEAD`] bytes longer than `plain`.
pub fn seal(key: &[u8; 32], aad: &[u8], plain: &[u8], rng: &mut (impl CryptoRng + ?Sized)) -> Vec<u8> {
    let mut nonce = [0; NONCE];
    rng.fill_bytes(&mut nonce);
    let body = match cipher(key, &nonce).encrypt((&nonce).into(), Payload { msg: plain, aad }) {
        Ok(body) => body,
        Err(_) => unreachable!("no plaintext in memory reaches 256 GiB"),
    };
    let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&commitment(key, &nonce));
    sealed.extend_from_slice(&body);
    sealed
}

/// Opens what [`seal`] made with the same key and `aad`.
///
/// # Errors
/// [`OpenError`], which tells a wrong key from damage, so a password prompt and a backup can differ.
pub fn open(key: &[u8; 32], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>().ok_or(OpenError::Truncated)?;
    let (committed, body) = rest.split_first_chunk::<COMMITMENT>().ok_or(OpenError::Truncated)?;
    if body.len() < TAG {
        return Err(OpenError::Truncated);
    }
    if !bool::from(commitment(key, nonce).ct_eq(committed)) {
        return Err(OpenError::WrongKey);
    }
    let plain = cipher(key, nonce).decrypt(nonce.into(), Payload { msg: body, aad });
    plain.map(Zeroizing::new).map_err(|_| OpenError::Altered)
}

fn cipher(key: &[u8; 32], nonce: &[u8; NONCE]) -> XChaCha20Poly1305 {
    let key = Zeroizing::new(derive::<32>(key, Label::FileKey, &[nonce]));
    XChaCha20Poly1305::new((&*key).into())
}

fn commitment(key: &[u8; 32], nonce: &[u8; NONCE]) -> [u8; COMMITMENT] {
    derive(key, Label::FileCommit, &[nonce])
}
