use mosaic_crypto::signing::{BadSignature, SignContext, SigningKey, VerifyingKey};
use mosaic_types::{ProviderId, Timestamp};

use crate::{
    codec::{DecodeError, Reader, Writer},
    receipt::read_provider,
};

/// A provider's signed reading of its clock, against which agents measure their skew (DESIGN section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedTime {
    /// Whose clock.
    pub provider: ProviderId,
    /// What it showed.
    pub time: Timestamp,
    /// The provider's signature.
    pub signature: [u8; 64],
}

impl SignedTime {
    /// Bytes of a reading.
    pub const SIZE: usize = 76;
    /// Version of the layout.
    pub const VERSION: u8 = 1;

    /// Signs a reading.
    pub fn sign(provider: ProviderId, time: Timestamp, key: &SigningKey) -> Self {
        let signature = key.sign(SignContext::Time, &signed_part(provider, time));
        Self { provider, time, signature }
    }

    /// Checks the signature under the provider's key.
    ///
    /// # Errors
    /// [`BadSignature`] when it is not of this key over this reading.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), BadSignature> {
        key.verify_strict(SignContext::Time, &signed_part(self.provider, self.time), &self.signature)
    }

    /// The reading as it travels.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        Writer::new().put(&signed_part(self.provider, self.time)).put(&self.signature).finish()
    }

    /// Reads a reading.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size, version or provider, or reserved bytes that are not zero.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::exact(bytes, Self::SIZE)?;
        reader.version(Self::VERSION)?;
        let provider = read_provider(&mut reader)?;
        reader.zeros(2)?;
        Ok(Self { provider, time: Timestamp::from_millis(reader.u64()?), signature: reader.take()? })
    }
}

fn signed_part(provider: ProviderId, time: Timestamp) -> [u8; 12] {
    Writer::new().byte(SignedTime::VERSION).byte(provider.get()).skip(2).put(&time.as_millis().to_be_bytes()).finish()
}
