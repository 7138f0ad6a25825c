//! Ed25519 (RFC 8032, L3-71), verified strictly and always for one purpose.
//!
//! What is signed is `mosaic/1/sign/` ‖ purpose ‖ 0x00 ‖ message: a receipt can never be passed off as
//! a head. Strict verification refuses small-order keys and non-canonical scalars, so all verifiers agree.

use ed25519_dalek::{Signature, Signer as _};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// Declares the purposes once, with their texts and the list that the test walks.
macro_rules! contexts {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What a signature is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum SignContext { $($(#[$doc])* $name,)* }

        impl SignContext {
            /// Every purpose.
            pub const ALL: &'static [SignContext] = &[$(SignContext::$name,)*];

            /// The text in the signed prefix.
            pub const fn text(self) -> &'static str {
                match self { $(SignContext::$name => $text,)* }
            }
        }
    };
}

contexts! {
    /// A deposit was stored.
    Receipt = "receipt";
    /// A generation was sealed.
    Head = "head";
    /// A table's key and sizes.
    TableDescriptor = "table descriptor";
    /// The providers of a federation.
    FederationDescriptor = "federation descriptor";
    /// One dealer's dealing of a table key.
    Dealing = "dealing";
    /// A message between providers.
    PeerMessage = "peer message";
    /// A provider's reading of its clock.
    Time = "time";
    /// What two aggregators counted on a day.
    Aggregate = "aggregate";
    /// What a provider asks for tokens.
    Terms = "token terms";
}

/// A signing key. No `Debug`, no `Clone`, no `==`; erased on drop.
#[derive(ZeroizeOnDrop)]
pub struct SigningKey(ed25519_dalek::SigningKey);

/// A verification key: any 32 bytes; bytes that are no key verify nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VerifyingKey(pub [u8; 32]);

/// The signature does not belong to this key, purpose and message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

impl SigningKey {
    /// Draws a key.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self(ed25519_dalek::SigningKey::generate(rng))
    }

    /// Takes a stored 32-byte seed.
    pub fn from_bytes(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The seed, for sealed storage.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The key that verifies.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key().to_bytes())
    }

    /// Signs `message` for one purpose. Deterministic.
    pub fn sign(&self, context: SignContext, message: &[u8]) -> [u8; 64] {
        self.0.sign(&prefixed(context, message)).to_bytes()
    }
}

impl VerifyingKey {
    /// Takes the encoding.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The encoding.
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// Checks a signature over `message` for one purpose.
    ///
    /// # Errors
    /// [`BadSignature`] for anything but a strict match, a small-order key included.
    pub fn verify_strict(
        &self,
        context: SignContext,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), BadSignature> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(&self.0).map_err(|_| BadSignature)?;
        let signature = Signature::from_bytes(signature);
        key.verify_strict(&prefixed(context, message), &signature).map_err(|_| BadSignature)
    }
}

/// Purpose and message as they are signed.
fn prefixed(context: SignContext, message: &[u8]) -> Vec<u8> {
    [b"mosaic/1/sign/", context.text().as_bytes(), &[0], message].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032 signs without a prefix, so its vectors run on the key inside.
    #[test]
    fn rfc_8032() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../vectors/rfc8032-ed25519.json")).unwrap();
        for vector in file["vectors"].as_array().unwrap() {
            let bytes = |field: &str| hex::decode(vector[field].as_str().unwrap()).unwrap();
            let key = SigningKey::from_bytes(&bytes("secret").try_into().unwrap());
            assert_eq!(key.verifying_key().to_bytes().to_vec(), bytes("public"));
            let signature = key.0.sign(&bytes("message"));
            assert_eq!(signature.to_bytes().to_vec(), bytes("signature"));
            key.0.verifying_key().verify_strict(&bytes("message"), &signature).unwrap();
        }
    }
}
