//! Anonymous tokens as they travel (PRIVACY B.6, the RFC 9577 layout, `docs/spec/tokens.md`).

use std::fmt;

use mosaic_crypto::digest;

use crate::codec::{DecodeError, Reader, Writer};

/// A token: who holds it may do one thing once. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct WireToken {
    /// Token type; 2 is blind RSA of 2048 bits (RFC 9578). Which types are good is for admission to say.
    pub kind: u16,
    /// Fresh and random: what is spent.
    pub nonce: [u8; 32],
    /// Digest of the challenge, which names the redeeming provider, the purpose and the hour.
    pub challenge: [u8; 32],
    /// The issuers' keys.
    pub key_id: [u8; 32],
    /// Eight authenticators of 32 bytes, of issuers in the federation's order; zeros where there is none.
    pub authenticator: [u8; 256],
}

impl WireToken {
    /// Bytes of a token.
    pub const SIZE: usize = 354;
    /// Bytes that an issuer authenticates.
    pub const SIGNED: usize = 98;

    /// What the spent set stores.
    pub fn spend_id(&self) -> [u8; 32] {
        digest(&[b"mosaic/token/1", &self.kind.to_be_bytes(), &self.key_id, &self.nonce])
    }

    /// The authenticator of the issuer at `place` in the federation, from 0; `None` beyond eight.
    pub fn authenticator_of(&self, place: usize) -> Option<&[u8; 32]> {
        self.authenticator.as_chunks::<32>().0.get(place)
    }

    /// Sets it; does nothing beyond eight.
    pub fn authenticate(&mut self, place: usize, authenticator: &[u8; 32]) {
        if let Some(own) = self.authenticator.as_chunks_mut::<32>().0.get_mut(place) {
            *own = *authenticator;
        }
    }

    /// What an issuer authenticates: everything but the authenticators.
    pub fn signed_part(&self) -> [u8; Self::SIGNED] {
        Writer::new().put(&self.kind.to_be_bytes()).put(&self.nonce).put(&self.challenge).put(&self.key_id).finish()
    }

    /// The token as it travels.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        Writer::new().put(&self.signed_part()).put(&self.authenticator).finish()
    }

    /// Reads a token.
    ///
    /// # Errors
    /// [`DecodeError::WrongSize`]; everything of the right size is a token until admission refuses it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::read(&mut Reader::exact(bytes, Self::SIZE)?)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            kind: reader.u16()?,
            nonce: reader.take()?,
            challenge: reader.take()?,
            key_id: reader.take()?,
            authenticator: reader.take()?,
        })
    }
}

impl fmt::Debug for WireToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WireToken([hidden])")
    }
}

/// What a token pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenPurpose {
    /// One event.
    Deposit,
    /// One batch of sixteen evaluations.
    Evaluate,
}

impl TokenPurpose {
    /// The number on the wire: 1, 2.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }
}
