//! The two handshakes of an association, on `snow` with our own resolver: ephemeral keys come from the
//! caller's generator and X25519 is [`crate::agreement`], which refuses all-zero results (L3-70).
//!
//! - *Wave*: `Noise_NK_25519_ChaChaPoly_SHA256`, the responder's static key is the card's.
//! - *Token*: `Noise_NNpsk0_25519_ChaChaPoly_SHA256`, the key comes from the 32-character token.
//!
//! Either is one message each way. The first message of a Noise handshake can be replayed by its nature:
//! a responder that must act once per token or card remembers what it answered. Everything after it,
//! reply and channel, is bound to fresh keys of both sides.

mod resolver;

use rand::CryptoRng;
use snow::{Builder, HandshakeState, TransportState};
use thiserror::Error;
use zeroize::Zeroizing;

use self::resolver::{EphemeralSource, OurResolver};
use crate::agreement::{AgreementPublic, AgreementSecret};
use crate::kdf::Label;

/// Bytes a handshake message adds to its payload (ephemeral key 32 ‖ tag 16).
pub const HANDSHAKE_OVERHEAD: usize = 48;
/// Bytes a channel message adds to its payload.
pub const CHANNEL_OVERHEAD: usize = 16;

/// The Noise limit on one message, in bytes.
const MESSAGE_MAX: usize = 65_535;

/// Why a handshake step or a channel message failed. After any of them the state is gone or unchanged,
/// never half advanced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HandshakeError {
    /// The payload and its overhead exceed a Noise message (65,535 bytes).
    #[error("the payload is too long for one message")]
    TooLong,
    /// Another key, another peer, an altered, replayed or reordered message.
    #[error("the message does not belong to this exchange")]
    Refused,
    /// A key of small order was offered.
    #[error("the other side's key is not usable")]
    WeakKey,
}

impl From<snow::Error> for HandshakeError {
    fn from(error: snow::Error) -> Self {
        if matches!(error, snow::Error::Dh) { Self::WeakKey } else { Self::Refused }
    }
}

/// The side that speaks first, before it spoke.
pub struct Initiator(Known<AgreementPublic>);

/// The side that answers; it can try any number of first messages.
pub struct Responder(Known<Zeroizing<[u8; 32]>>);

/// What the two sides know beforehand; `S` is this side's view of the responder's static key.
enum Known<S> {
    Card(S),
    Psk(Zeroizing<[u8; 32]>),
}

/// An initiator that has sent its message.
pub struct AwaitReply(HandshakeState);

/// A responder that has read a first message and owes the reply.
pub struct Received {
    state: HandshakeState,
    ephemeral: EphemeralSource,
}

/// An established channel. Messages arrive in the order they were sealed.
pub struct Channel {
    state: TransportState,
    binding: [u8; 32],
}

impl Initiator {
    /// A wave at the holder of a discovery card.
    pub fn wave(card: &AgreementPublic) -> Self {
        Self(Known::Card(*card))
    }

    /// A handshake with whoever holds the same token; `psk` is derived from it.
    pub fn token(psk: &[u8; 32]) -> Self {
        Self(Known::Psk(Zeroizing::new(*psk)))
    }

    /// The first message: `payload` is readable by the card's or token's holder only.
    ///
    /// # Errors
    /// [`HandshakeError::TooLong`]; [`HandshakeError::WeakKey`] for a card of small order.
    pub fn start(
        self,
        payload: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(Vec<u8>, AwaitReply), HandshakeError> {
        let ephemeral = EphemeralSource::default();
        ephemeral.refill(rng);
        let prologue = self.0.prologue();
        let builder = self.0.builder(&ephemeral, &prologue)?;
        let mut state = match &self.0 {
            Known::Card(card) => builder.remote_public_key(card.as_bytes())?.build_initiator()?,
            Known::Psk(psk) => builder.psk(0, psk)?.build_initiator()?,
        };
        let message = write(&mut state, payload)?;
        Ok((message, AwaitReply(state)))
    }
}

impl Responder {
    /// Answers waves at one of our cards.
    pub fn wave(card: &AgreementSecret) -> Self {
        Self(Known::Card(card.to_bytes()))
    }

    /// Answers the holder of the same token.
    pub fn token(psk: &[u8; 32]) -> Self {
        Self(Known::Psk(Zeroizing::new(*psk)))
    }

    /// Reads a first message; gives its payload and the state that can answer it.
    ///
    /// # Errors
    /// [`HandshakeError::Refused`] for a message to somebody else, [`HandshakeError::WeakKey`].
    pub fn receive(&self, message: &[u8]) -> Result<(Vec<u8>, Received), HandshakeError> {
        let ephemeral = EphemeralSource::default();
        let prologue = self.0.prologue();
        let builder = self.0.builder(&ephemeral, &prologue)?;
        let mut state = match &self.0 {
            Known::Card(secret) => builder.local_private_key(secret.as_slice())?.build_responder()?,
            Known::Psk(psk) => builder.psk(0, psk)?.build_responder()?,
        };
        let payload = read(&mut state, message)?;
        Ok((payload, Received { state, ephemeral }))
    }
}

impl<S> Known<S> {
    fn builder<'a>(&self, ephemeral: &EphemeralSource, prologue: &'a [u8]) -> Result<Builder<'a>, HandshakeError> {
        let name = match self {
            Self::Card(_) => "Noise_NK_25519_ChaChaPoly_SHA256",
            Self::Psk(_) => "Noise_NNpsk0_25519_ChaChaPoly_SHA256",
        };
        let resolver = Box::new(OurResolver::new(ephemeral.clone()));
        Ok(Builder::with_resolver(name.parse()?, resolver).prologue(prologue)?)
    }

    fn prologue(&self) -> Vec<u8> {
        let label = match self {
            Self::Card(_) => Label::WaveHandshake,
            Self::Psk(_) => Label::TokenHandshake,
        };
        [b"mosaic/1/", label.text().as_bytes()].concat()
    }
}

impl Received {
    /// The second and last message.
    ///
    /// # Errors
    /// [`HandshakeError::TooLong`].
    pub fn reply(
        mut self,
        payload: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(Vec<u8>, Channel), HandshakeError> {
        self.ephemeral.refill(rng);
        let message = write(&mut self.state, payload)?;
        Ok((message, Channel::of(self.state)?))
    }
}

impl AwaitReply {
    /// Reads the reply.
    ///
    /// # Errors
    /// [`HandshakeError`]; the handshake is over then, a new one starts from a new first message.
    pub fn finish(mut self, message: &[u8]) -> Result<(Vec<u8>, Channel), HandshakeError> {
        let payload = read(&mut self.0, message)?;
        Ok((payload, Channel::of(self.0)?))
    }
}

impl Channel {
    fn of(state: HandshakeState) -> Result<Self, HandshakeError> {
        let mut binding = [0; 32];
        binding.copy_from_slice(state.get_handshake_hash().get(..32).ok_or(HandshakeError::Refused)?);
        Ok(Self { state: state.into_transport_mode()?, binding })
    }

    /// The transcript's hash, equal on both sides and on no other channel.
    pub const fn binding(&self) -> &[u8; 32] {
        &self.binding
    }

    /// Seals the next message.
    ///
    /// # Errors
    /// [`HandshakeError::TooLong`].
    pub fn seal(&mut self, payload: &[u8]) -> Result<Vec<u8>, HandshakeError> {
        let mut message = room(payload.len(), CHANNEL_OVERHEAD)?;
        let written = self.state.write_message(payload, &mut message)?;
        message.truncate(written);
        Ok(message)
    }

    /// Opens the next message of the other side. A refused one leaves the channel as it was.
    ///
    /// # Errors
    /// [`HandshakeError::Refused`].
    pub fn open(&mut self, message: &[u8]) -> Result<Vec<u8>, HandshakeError> {
        let mut payload = vec![0; message.len()];
        let read = self.state.read_message(message, &mut payload)?;
        payload.truncate(read);
        Ok(payload)
    }
}

fn write(state: &mut HandshakeState, payload: &[u8]) -> Result<Vec<u8>, HandshakeError> {
    let mut message = room(payload.len(), HANDSHAKE_OVERHEAD)?;
    let written = state.write_message(payload, &mut message)?;
    message.truncate(written);
    Ok(message)
}

fn read(state: &mut HandshakeState, message: &[u8]) -> Result<Vec<u8>, HandshakeError> {
    let mut payload = vec![0; message.len()];
    let read = state.read_message(message, &mut payload)?;
    payload.truncate(read);
    Ok(payload)
}

/// A buffer for a message around `payload` bytes.
fn room(payload: usize, overhead: usize) -> Result<Vec<u8>, HandshakeError> {
    if payload > MESSAGE_MAX - overhead { Err(HandshakeError::TooLong) } else { Ok(vec![0; payload + overhead]) }
}
