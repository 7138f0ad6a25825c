//! Committing AEAD, agreement, passwords, signatures, labelled derivation, Shamir, threshold OPRF, key
//! ceremony, sealed requests, Merkle trees, distributed point functions, puzzles (L3-69 to L3-72, S-61, S-73).
//!
//! Every algorithm is a published one, and each is held to the vectors of its RFC under `vectors/`:
//! RFC 8439 ([`aead`], [`record`]), RFC 7748 ([`agreement`]), RFC 8032 ([`signing`]), RFC 9497
//! ([`oprf`]), RFC 9180 ([`sealed`]), RFC 6962 ([`merkle`]), draft-irtf-cfrg-cpace ([`cpace`]). What is composed
//! here and therefore ours to defend is small: key commitment in [`record`] and [`aead`], the threshold around RFC 9497 in
//! [`oprf`], the dealerless key generation of [`ceremony`], the generator of [`dpf`], and the
//! comparisons of [`psi`] and [`score`]. None of it has been audited.
//!
//! Randomness is always an argument, so a simulation that owns the seed replays every byte. Secrets
//! are erased on drop, have no `Debug`, and are compared through `subtle` only (S-61).

pub mod aead;
pub mod agreement;
pub mod ceremony;
pub mod cpace;
pub mod dpf;
pub mod handshake;
pub mod kdf;
pub mod merkle;
pub mod oprf;
pub mod pir;
pub mod psi;
pub mod puzzle;
pub mod record;
pub mod score;
pub mod sealed;
pub mod shamir;
pub mod signing;

use sha2::{Digest as _, Sha256};

/// SHA-256 over parts, each preceded by its length in 8 big-endian bytes, so that no two lists of parts
/// share an input (`["ab", "c"]` and `["a", "bc"]` differ).
pub fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn part_borders_are_part_of_the_digest() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_ne!(digest(&[b"abc"]), digest(&[b"abc", b""]));
        assert_ne!(digest(&[]), digest(&[b""]));
    }
}
