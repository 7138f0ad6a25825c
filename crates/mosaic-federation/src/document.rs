use std::collections::BTreeMap;

use mosaic_crypto::{
    digest,
    signing::{SignContext, SigningKey, VerifyingKey},
};
use mosaic_types::ProviderId;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    descriptor::{DescriptorError, FederationDescriptor},
    hex,
};

/// The exact text of a descriptor with the signature of every provider it names.
///
/// The text is signed as it stands, byte for byte, so nobody has to agree on a canonical form of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedDocument {
    /// JSON text of a [`FederationDescriptor`].
    pub body: String,
    /// Ed25519 signatures over it, in hexadecimal.
    pub signatures: BTreeMap<ProviderId, String>,
}

/// A federation whose descriptor was checked and whose signatures all verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Federation {
    descriptor: FederationDescriptor,
    document: SignedDocument,
    digest: [u8; 32],
}

/// Why a signed document is not to be trusted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UntrustedFederation {
    /// More than [`SignedDocument::MAX_BYTES`] bytes.
    #[error("the federation file is too long")]
    TooLong,
    /// Not the JSON of a signed document.
    #[error("the federation file cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// The text inside is no descriptor.
    #[error("the federation file holds no descriptor")]
    NoDescriptor(#[source] serde_json::Error),
    /// The descriptor describes no federation.
    #[error("the federation is not acceptable")]
    Unacceptable(#[source] DescriptorError),
    /// A provider has not signed.
    #[error("provider {provider} has not signed the federation file")]
    Unsigned {
        /// Who.
        provider: ProviderId,
    },
    /// A signature that does not verify, or one of a stranger.
    #[error("the signature of provider {provider} does not verify")]
    BadSignature {
        /// Whose.
        provider: ProviderId,
    },
    /// Not the document that was pinned.
    #[error("this is not the federation that was pinned")]
    OtherThanPinned,
}

impl SignedDocument {
    /// The longest document that is read: fifteen entries need a tenth of it.
    pub const MAX_BYTES: usize = 64 * 1_024;

    /// The descriptor's text, yet unsigned.
    ///
    /// # Errors
    /// [`DescriptorError`] when the descriptor is not acceptable.
    pub fn draft(descriptor: &FederationDescriptor) -> Result<Self, DescriptorError> {
        descriptor.check()?;
        let body = serde_json::to_string_pretty(descriptor).map_err(|_| DescriptorError::Format)?;
        Ok(Self { body, signatures: BTreeMap::new() })
    }

    /// Adds the signature of `provider`; each operator does so on its own machine.
    pub fn sign(&mut self, provider: ProviderId, key: &SigningKey) {
        let signature = key.sign(SignContext::FederationDescriptor, self.body.as_bytes());
        self.signatures.insert(provider, hex::print(&signature));
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`UntrustedFederation::TooLong`] or [`UntrustedFederation::Unreadable`].
    pub fn parse(bytes: &[u8]) -> Result<Self, UntrustedFederation> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(UntrustedFederation::TooLong);
        }
        serde_json::from_slice(bytes).map_err(UntrustedFederation::Unreadable)
    }

    /// The document as JSON, for files and [`mosaic_wire::Reply::Federation`].
    pub fn to_json(&self) -> String {
        // strings and a map with string keys always serialise
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// What agents pin and join links carry: a digest of the exact text.
    pub fn digest(&self) -> [u8; 32] {
        digest(&[b"mosaic/federation/1", self.body.as_bytes()])
    }

    /// Checks the descriptor and that every provider it names signed it, and nobody else.
    ///
    /// # Errors
    /// [`UntrustedFederation`] with the first finding.
    pub fn verify(self) -> Result<Federation, UntrustedFederation> {
        let descriptor: FederationDescriptor =
            serde_json::from_str(&self.body).map_err(UntrustedFederation::NoDescriptor)?;
        descriptor.check().map_err(UntrustedFederation::Unacceptable)?;
        for entry in &descriptor.providers {
            let text = self.signatures.get(&entry.id).ok_or(UntrustedFederation::Unsigned { provider: entry.id })?;
            let bad = UntrustedFederation::BadSignature { provider: entry.id };
            let Some(signature) = hex::parse::<64>(text) else { return Err(bad) };
            let key = VerifyingKey(entry.signing_key);
            let verdict = key.verify_strict(SignContext::FederationDescriptor, self.body.as_bytes(), &signature);
            verdict.map_err(|_| bad)?;
        }
        if let Some(&provider) = self.signatures.keys().find(|id| descriptor.provider(**id).is_none()) {
            return Err(UntrustedFederation::BadSignature { provider });
        }
        let digest = self.digest();
        Ok(Federation { descriptor, document: self, digest })
    }

    /// As [`Self::verify`], and the document is the one that was pinned.
    ///
    /// # Errors
    /// [`UntrustedFederation::OtherThanPinned`], or what [`Self::verify`] finds.
    pub fn verify_pinned(self, pin: &[u8; 32]) -> Result<Federation, UntrustedFederation> {
        if self.digest() == *pin { self.verify() } else { Err(UntrustedFederation::OtherThanPinned) }
    }
}

impl Federation {
    /// What the providers signed.
    pub const fn descriptor(&self) -> &FederationDescriptor {
        &self.descriptor
    }

    /// The document itself, to hand on.
    pub const fn document(&self) -> &SignedDocument {
        &self.document
    }

    /// The digest that agents pin.
    pub const fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The signing key of `provider`.
    pub fn signing_key(&self, provider: ProviderId) -> Option<VerifyingKey> {
        self.descriptor.provider(provider).map(|entry| VerifyingKey(entry.signing_key))
    }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
