use mosaic_crypto::{
    agreement::AgreementPublic,
    ceremony::{Dealing, deal},
    digest,
    signing::{SignContext, SigningKey},
};
use mosaic_types::{Period, ProviderId};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Federation;

/// A dealing under its dealer's signature: only who signed it can have dealt it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedDealing {
    bytes: Vec<u8>,
    signature: Vec<u8>,
}

/// Why a dealing is refused before anybody looks into its shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UnsoundDealing {
    /// Not a dealing, or with an invalid point or proof.
    #[error("the dealing is malformed")]
    Malformed,
    /// Its dealer is no provider of the federation or did not sign it.
    #[error("the dealing is not signed by its dealer")]
    Signature,
    /// For another table, threshold or other recipients' keys than the federation has.
    #[error("the dealing is for other recipients or another table")]
    OtherTerms,
}

/// What the key of `period` in `federation` is dealt for: no other table ever has the same context.
pub fn ceremony_context(federation: &Federation, period: Period) -> [u8; 32] {
    let tile = federation.descriptor().tile.id;
    digest(&[b"mosaic/table key/1", &federation.digest(), &tile.0.to_be_bytes(), &period.0.to_be_bytes()])
}

fn recipients(federation: &Federation) -> Vec<(ProviderId, AgreementPublic)> {
    federation.descriptor().providers.iter().map(|entry| (entry.id, AgreementPublic(entry.ceremony_key))).collect()
}

impl SignedDealing {
    /// Deals for `period` and signs.
    ///
    /// # Errors
    /// [`mosaic_crypto::ceremony::DealError`] when a provider's ceremony key is unusable.
    pub fn deal(
        federation: &Federation,
        period: Period,
        me: ProviderId,
        key: &SigningKey,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, mosaic_crypto::ceremony::DealError> {
        let context = ceremony_context(federation, period);
        let threshold = federation.descriptor().threshold;
        let bytes = deal(&context, me, &recipients(federation), threshold, rng)?.encode();
        let signature = key.sign(SignContext::Dealing, &bytes).to_vec();
        Ok(Self { bytes, signature })
    }

    /// The dealing, once its signature holds and its terms are the federation's (for any period).
    ///
    /// # Errors
    /// [`UnsoundDealing`].
    pub fn open(&self, federation: &Federation) -> Result<Dealing, UnsoundDealing> {
        let dealing = Dealing::decode(&self.bytes).map_err(|_| UnsoundDealing::Malformed)?;
        let key = federation.signing_key(dealing.dealer()).ok_or(UnsoundDealing::Signature)?;
        let signature = self.signature.as_slice().try_into().map_err(|_| UnsoundDealing::Signature)?;
        key.verify_strict(SignContext::Dealing, &self.bytes, signature).map_err(|_| UnsoundDealing::Signature)?;
        let terms = dealing.threshold() == federation.descriptor().threshold;
        let meant = terms && dealing.recipients() == recipients(federation);
        if meant { Ok(dealing) } else { Err(UnsoundDealing::OtherTerms) }
    }

    /// As [`Self::open`], and the dealing is for `period`.
    ///
    /// # Errors
    /// [`UnsoundDealing`].
    pub fn open_for(&self, federation: &Federation, period: Period) -> Result<Dealing, UnsoundDealing> {
        let dealing = self.open(federation)?;
        let meant = *dealing.context() == ceremony_context(federation, period);
        if meant { Ok(dealing) } else { Err(UnsoundDealing::OtherTerms) }
    }
}
