//! X25519 (RFC 7748, L3-70); an all-zero result is refused (section 6.1 there).

use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use subtle::{Choice, ConstantTimeEq};
use thiserror::Error;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A public key: any 32 bytes, as RFC 7748 has it. What is wrong with it shows in [`AgreementSecret::agree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgreementPublic(pub [u8; 32]);

impl AgreementPublic {
    /// Takes the encoding.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The encoding.
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// The encoding, borrowed.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A secret key. No `Debug`, no `Clone`, no `==`; erased on drop.
#[derive(ZeroizeOnDrop)]
pub struct AgreementSecret(StaticSecret);

/// The result of an agreement, to be fed to a labelled derivation. Erased on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SharedSecret([u8; 32]);

/// The other side's key is of small order, so the result would be known to everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the public key leads to an all-zero shared secret")]
pub struct WeakPublic;

impl AgreementSecret {
    /// Draws a key.
    pub fn random(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self(StaticSecret::random_from_rng(rng))
    }

    /// Takes 32 stored or derived bytes; clamping happens at use.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(StaticSecret::from(bytes))
    }

    /// The bytes, for sealed storage.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public key that belongs to this secret.
    pub fn public(&self) -> AgreementPublic {
        AgreementPublic(PublicKey::from(&self.0).to_bytes())
    }

    /// Agrees with the holder of `other`.
    ///
    /// # Errors
    /// [`WeakPublic`] if the result is all zero (compared in constant time).
    pub fn agree(&self, other: &AgreementPublic) -> Result<SharedSecret, WeakPublic> {
        let shared = self.0.diffie_hellman(&PublicKey::from(other.0));
        if shared.was_contributory() { Ok(SharedSecret(shared.to_bytes())) } else { Err(WeakPublic) }
    }
}

impl SharedSecret {
    /// The 32 bytes, for derivation only.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl ConstantTimeEq for SharedSecret {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}
