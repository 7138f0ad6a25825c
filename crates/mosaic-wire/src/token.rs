//! Anonymous tokens as they travel (PRIVACY B.6, the RFC 9578 layout).

use std::fmt;

use mosaic_crypto::digest;

use crate::codec::{DecodeError, Field, Reader, Writer, count_u16};

/// A token: who holds it may do one thing once. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct WireToken {
    /// Token type; 2 is blind RSA of 2048 bits (RFC 9578). Which types are good is for admission to say.
    pub kind: u16,
    /// Fresh and random: what is spent.
    pub nonce: [u8; 32],
    /// Digest of the challenge, which names the redeeming provider and the purpose.
    pub challenge: [u8; 32],
    /// Issuer key.
    pub key_id: [u8; 32],
    /// The issuer's authenticator.
    pub authenticator: [u8; 256],
}

impl WireToken {
    /// Bytes of a token.
    pub const SIZE: usize = 354;

    /// What the spent set stores.
    pub fn spend_id(&self) -> [u8; 32] {
        digest(&[b"mosaic/token/1", &self.kind.to_be_bytes(), &self.key_id, &self.nonce])
    }

    /// The token as it travels.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        Writer::new()
            .put(&self.kind.to_be_bytes())
            .put(&self.nonce)
            .put(&self.challenge)
            .put(&self.key_id)
            .put(&self.authenticator)
            .finish()
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

    /// The purpose with that number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Deposit, Self::Evaluate].into_iter().find(|purpose| purpose.number() == number)
    }
}

/// Asks a test issuer for tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokensQuery {
    /// What they pay for.
    pub purpose: TokenPurpose,
    /// How many, at most [`TokensReply::MOST`].
    pub count: u16,
}

impl TokensQuery {
    /// Bytes of a query.
    pub const SIZE: usize = 4;
    /// Version of the layout.
    pub const VERSION: u8 = 1;

    /// The query as it travels.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        Writer::new().byte(Self::VERSION).byte(self.purpose.number()).put(&self.count.to_be_bytes()).finish()
    }

    /// Reads a query.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size, version or purpose, or too many tokens.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::exact(bytes, Self::SIZE)?;
        reader.version(Self::VERSION)?;
        let purpose = TokenPurpose::from_number(reader.u8()?).ok_or(DecodeError::OutOfRange(Field::Purpose))?;
        let count = reader.u16()?;
        check_count(count.into())?;
        Ok(Self { purpose, count })
    }
}

/// Tokens a test issuer gave out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokensReply {
    tokens: Vec<WireToken>,
}

impl TokensReply {
    /// The most tokens of one reply.
    pub const MOST: usize = 256;
    /// Version of the layout.
    pub const VERSION: u8 = 1;
    const HEADER: usize = 3;

    /// As many of `tokens` as one reply carries, from the front.
    pub fn new(tokens: impl IntoIterator<Item = WireToken>) -> Self {
        Self { tokens: tokens.into_iter().take(Self::MOST).collect() }
    }

    /// The tokens.
    pub fn into_tokens(self) -> Vec<WireToken> {
        self.tokens
    }

    /// The reply as it travels.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![Self::VERSION];
        bytes.extend(count_u16(self.tokens.len()));
        self.tokens.iter().for_each(|token| bytes.extend(token.encode()));
        bytes
    }

    /// Reads a reply.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size or version, or too many tokens.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::at_least(bytes, Self::HEADER)?;
        reader.version(Self::VERSION)?;
        let count = usize::from(reader.u16()?);
        check_count(count)?;
        reader.must_hold(count * WireToken::SIZE)?;
        let tokens = (0..count).map(|_| WireToken::read(&mut reader)).collect::<Result<_, _>>()?;
        Ok(Self { tokens })
    }
}

fn check_count(count: usize) -> Result<(), DecodeError> {
    if count > TokensReply::MOST { Err(DecodeError::TooMany { count, most: TokensReply::MOST }) } else { Ok(()) }
}
