//! CPace: two people who share a few digits get a key, and who guesses gets one guess a run (L3-27, PRIVACY section 5).
//!
//! draft-irtf-cfrg-cpace-21, suite CPACE-RISTR255-SHA512, initiator-responder mode, to the byte (its vectors run in
//! the tests), with the key confirmation of its section 10.4: HMAC-SHA-512 (RFC 2104) cut to 32 bytes. Nothing is
//! signed, so each side could have written the whole transcript alone.
//!
//! A run is [`start`], [`answer`], [`AwaitAnswer::finish`], [`AwaitConfirmation::confirm`]. Each state serves one
//! message and is gone: who tries another password needs another run, and the caller counts runs.

use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use hkdf::hmac::{Hmac, KeyInit as _, Mac as _};
use rand::CryptoRng;
use sha2::{Digest as _, Sha512};
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::oprf::{decode_point, random_scalar};

/// Bytes of a session's name.
pub const SESSION: usize = 16;
/// Bytes of a share.
pub const SHARE: usize = 32;
/// Bytes of a confirmation.
pub const CONFIRMATION: usize = 32;

const DSI: &[u8] = b"CPaceRistretto255";
const DSI_ISK: &[u8] = b"CPaceRistretto255_ISK";
/// Input block of SHA-512 in bytes: the password fills the first one, whatever its length.
const BLOCK: usize = 128;

/// Why a run ended. It says nothing of how a password was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CpaceError {
    /// 32 bytes that are no canonical ristretto255 point, or the identity.
    #[error("not a group element")]
    InvalidShare,
    /// Another password, channel, session or role, or an altered message.
    #[error("the other side does not share the password")]
    Refused,
}

/// What both sides hold before they begin.
#[derive(Clone, Copy)]
pub struct Shared<'a> {
    /// The password (`PRS`).
    pub password: &'a [u8],
    /// The channel identifier (`CI`): public; a run between two different ones fails.
    pub channel: &'a [u8],
}

/// The first message, without what is [associated](start) with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The session's name (`sid`), drawn by the initiator.
    pub session: [u8; SESSION],
    /// The initiator's share (`Ya`).
    pub share: [u8; SHARE],
}

/// The second message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The responder's share (`Yb`).
    pub share: [u8; SHARE],
    /// Its confirmation (`Tb`).
    pub confirmation: [u8; CONFIRMATION],
}

/// The key of a run (`ISK`), root of labelled derivations. Erased on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SessionKey([u8; 64]);

/// An initiator that has sent its message. Erased on drop.
#[derive(ZeroizeOnDrop)]
pub struct AwaitAnswer {
    scalar: Scalar,
    #[zeroize(skip)]
    opening: Opening,
    #[zeroize(skip)]
    associated: Vec<u8>,
}

/// A responder that has answered. Erased on drop.
#[derive(ZeroizeOnDrop)]
pub struct AwaitConfirmation {
    key: SessionKey,
    expected: [u8; CONFIRMATION],
}

/// Begins a run. `associated` (`ADa`) travels with the opening and must be the same on both sides.
pub fn start(shared: Shared<'_>, associated: &[u8], rng: &mut (impl CryptoRng + ?Sized)) -> (Opening, AwaitAnswer) {
    let mut session = [0; SESSION];
    rng.fill_bytes(&mut session);
    start_with(shared, associated, session, random_scalar(rng))
}

fn start_with(shared: Shared<'_>, associated: &[u8], session: [u8; SESSION], scalar: Scalar) -> (Opening, AwaitAnswer) {
    let opening = Opening { session, share: shared.share(&session, &scalar) };
    (opening, AwaitAnswer { scalar, opening, associated: associated.to_vec() })
}

/// Answers an opening; `associated` as it came with it.
///
/// # Errors
/// [`CpaceError::InvalidShare`].
pub fn answer(
    shared: Shared<'_>,
    opening: &Opening,
    associated: &[u8],
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<(Answer, AwaitConfirmation), CpaceError> {
    answer_with(shared, opening, associated, random_scalar(rng))
}

fn answer_with(
    shared: Shared<'_>,
    opening: &Opening,
    associated: &[u8],
    scalar: Scalar,
) -> Result<(Answer, AwaitConfirmation), CpaceError> {
    let scalar = Zeroizing::new(scalar);
    let share = shared.share(&opening.session, &scalar);
    let (a, b) = (Said { share: &opening.share, associated }, Said { share: &share, associated: &[] });
    let key = session_key(&opening.session, &scalar, &opening.share, a, b)?;
    let confirmations = Confirmations::of(&opening.session, &key);
    let answer = Answer { share, confirmation: confirmations.by(b) };
    Ok((answer, AwaitConfirmation { expected: confirmations.by(a), key }))
}

impl AwaitAnswer {
    /// Reads the answer; gives the confirmation to send and the key, which the other side holds too.
    ///
    /// # Errors
    /// [`CpaceError`]; the run is over then, and nothing may be sent that tells which it was.
    pub fn finish(self, answer: &Answer) -> Result<([u8; CONFIRMATION], SessionKey), CpaceError> {
        let a = Said { share: &self.opening.share, associated: &self.associated };
        let b = Said { share: &answer.share, associated: &[] };
        let key = session_key(&self.opening.session, &self.scalar, &answer.share, a, b)?;
        let confirmations = Confirmations::of(&self.opening.session, &key);
        if !bool::from(confirmations.by(b).ct_eq(&answer.confirmation)) {
            return Err(CpaceError::Refused);
        }
        Ok((confirmations.by(a), key))
    }
}

impl AwaitConfirmation {
    /// The key before anybody proved to hold it: good for what the answer carries along, and for nothing that must
    /// stay between two who know each other.
    pub const fn unconfirmed(&self) -> &SessionKey {
        &self.key
    }

    /// Whether the initiator holds the key too.
    ///
    /// # Errors
    /// [`CpaceError::Refused`].
    pub fn confirm(&self, confirmation: &[u8; CONFIRMATION]) -> Result<(), CpaceError> {
        if bool::from(self.expected.ct_eq(confirmation)) { Ok(()) } else { Err(CpaceError::Refused) }
    }
}

impl SessionKey {
    /// The key, for labelled derivation.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl Shared<'_> {
    fn share(&self, session: &[u8], scalar: &Scalar) -> [u8; SHARE] {
        (self.generator(session) * scalar).compress().to_bytes()
    }

    /// `calculate_generator`, for any length of session name.
    fn generator(&self, session: &[u8]) -> RistrettoPoint {
        let hash = Zeroizing::new(Sha512::digest(self.generator_string(session).as_slice()).into());
        RistrettoPoint::from_uniform_bytes(&hash)
    }

    /// `generator_string`: zeros push everything after the password into the second block.
    fn generator_string(&self, session: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut text = lv_cat(&[DSI, self.password]);
        let zeros = [0; BLOCK];
        let padding = zeros.get(..BLOCK.saturating_sub(1 + text.len())).unwrap_or_default();
        text = Zeroizing::new([text.as_slice(), lv_cat(&[padding, self.channel, session]).as_slice()].concat());
        text
    }
}

/// What one side said: its share and what it associated with it.
#[derive(Clone, Copy)]
struct Said<'a> {
    share: &'a [u8; SHARE],
    associated: &'a [u8],
}

impl Said<'_> {
    fn transcript(&self) -> Zeroizing<Vec<u8>> {
        lv_cat(&[self.share, self.associated])
    }
}

/// `ISK` in initiator-responder mode: hash of session, Diffie-Hellman result and what `a`, then `b` said.
fn session_key(
    session: &[u8],
    scalar: &Scalar,
    theirs: &[u8; SHARE],
    a: Said<'_>,
    b: Said<'_>,
) -> Result<SessionKey, CpaceError> {
    // the group has prime order, so neither factor being zero keeps the product off the identity
    let point = decode_point(theirs).map_err(|_| CpaceError::InvalidShare)?;
    let secret = Zeroizing::new((point * scalar).compress().to_bytes());
    let hash = Sha512::new().chain_update(lv_cat(&[DSI_ISK, session, secret.as_slice()]).as_slice());
    Ok(SessionKey(
        hash.chain_update(a.transcript().as_slice()).chain_update(b.transcript().as_slice()).finalize().into(),
    ))
}

/// The two confirmations of a run.
struct Confirmations(Zeroizing<[u8; 64]>);

impl Confirmations {
    fn of(session: &[u8], key: &SessionKey) -> Self {
        let hash = Sha512::new().chain_update(b"CPaceMac").chain_update(session).chain_update(key.0);
        Self(Zeroizing::new(hash.finalize().into()))
    }

    fn by(&self, side: Said<'_>) -> [u8; CONFIRMATION] {
        let Ok(mac) = Hmac::<Sha512>::new_from_slice(self.0.as_slice()) else {
            unreachable!("HMAC takes keys of every length")
        };
        let tag = mac.chain_update(side.transcript().as_slice()).finalize().into_bytes();
        std::array::from_fn(|at| tag[at])
    }
}

/// `lv_cat`: every part behind its length in LEB128.
fn lv_cat(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let room = parts.iter().map(|part| part.len() + 10).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    for part in parts {
        let mut length = part.len();
        while length >= 0x80 {
            text.push(length as u8 | 0x80);
            length >>= 7;
        }
        text.push(length as u8);
        text.extend_from_slice(part);
    }
    text
}

#[cfg(test)]
mod tests;
