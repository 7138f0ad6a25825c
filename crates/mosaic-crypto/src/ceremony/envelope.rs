//! The sealed shares of a dealing.

use chacha20poly1305::aead::AeadInOut as _;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, Nonce, Tag};
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use mosaic_types::ProviderId;
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::Zeroizing;

use super::complaint::Complaint;
use super::dealing::{Dealing, ShareScalar, commitment_at};
use crate::agreement::{AgreementPublic, AgreementSecret, WeakPublic};
use crate::kdf::{Label, derive};

/// A share on its way to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) recipient: ProviderId,
    pub(super) public: AgreementPublic,
    /// Ciphertext 32 ‖ tag 16.
    pub(super) sealed: [u8; 48],
}

/// Why a share could not be taken from a dealing.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum OpenShareError {
    /// The dealing has no share for this provider.
    #[error("the dealing has no share for this provider")]
    NotARecipient,
    /// The share is sealed to a key that is not the one given. Compare [`Dealing::recipients`] with the
    /// descriptor before opening: a dealing to a wrong key is refused by everybody, without complaint.
    #[error("the share is sealed to another key")]
    OtherKey,
    /// The dealer cheated; the complaint proves it to everybody.
    #[error("the share does not fit the dealer's commitments")]
    Cheated(Box<Complaint>),
}

/// Opens the share for `me` and checks it against the commitments.
///
/// # Errors
/// [`OpenShareError`]; a cheating dealer yields a publishable [`Complaint`].
pub fn open_share(dealing: &Dealing, me: ProviderId, mine: &AgreementSecret) -> Result<ShareScalar, OpenShareError> {
    let envelope = dealing.envelope_of(me).ok_or(OpenShareError::NotARecipient)?;
    if mine.public() != envelope.public {
        return Err(OpenShareError::OtherKey);
    }
    let complain = || match Complaint::build(dealing, envelope, mine) {
        Some(complaint) => OpenShareError::Cheated(Box::new(complaint)),
        None => OpenShareError::OtherKey,
    };
    let shared = mine.agree(&dealing.ephemeral).map_err(|_| complain())?;
    read_share(dealing, envelope, shared.as_bytes()).ok_or_else(complain)
}

impl Dealing {
    pub(super) fn envelope_of(&self, recipient: ProviderId) -> Option<&Envelope> {
        self.envelopes.iter().find(|envelope| envelope.recipient == recipient)
    }
}

/// Seals one share with the dealing's ephemeral key.
pub(super) fn seal_share(
    dealing: &Dealing,
    (recipient, public): (ProviderId, &AgreementPublic),
    ephemeral: &AgreementSecret,
    share: &ShareScalar,
) -> Result<[u8; 48], WeakPublic> {
    let shared = ephemeral.agree(public)?;
    let mut sealed = [0; 48];
    sealed[..32].copy_from_slice(share.0.as_bytes());
    let cipher = cipher(dealing, recipient, public, shared.as_bytes());
    match cipher.encrypt_inout_detached(&Nonce::default(), &[], (&mut sealed[..32]).into()) {
        Ok(tag) => sealed[32..].copy_from_slice(&tag),
        Err(_) => unreachable!("a share is shorter than 256 GiB"),
    }
    Ok(sealed)
}

/// The share under a shared secret, if the envelope opens to a canonical scalar that fits the commitments.
pub(super) fn read_share(dealing: &Dealing, envelope: &Envelope, shared: &[u8; 32]) -> Option<ShareScalar> {
    let (body, tag) = envelope.sealed.split_first_chunk::<32>()?;
    let mut plain = Zeroizing::new(*body);
    let cipher = cipher(dealing, envelope.recipient, &envelope.public, shared);
    let tag = Tag::try_from(tag).ok()?;
    cipher.decrypt_inout_detached(&Nonce::default(), &[], plain.as_mut_slice().into(), &tag).ok()?;
    let share = ShareScalar(Option::<Scalar>::from(Scalar::from_canonical_bytes(*plain))?);
    let promised = commitment_at(&dealing.points().ok()?, envelope.recipient);
    bool::from(RistrettoPoint::mul_base(&share.0).ct_eq(&promised)).then_some(share)
}

/// One key per dealing and recipient, used once: the zero nonce never repeats under it.
fn cipher(dealing: &Dealing, recipient: ProviderId, public: &AgreementPublic, shared: &[u8; 32]) -> ChaCha20Poly1305 {
    let commitments = dealing.commitments.concat();
    let ends = [dealing.dealer.get(), recipient.get()];
    let context: [&[u8]; 5] =
        [&dealing.context, &ends, dealing.ephemeral.as_bytes(), public.as_bytes(), commitments.as_slice()];
    let key = Zeroizing::new(derive::<32>(shared, Label::DealingShare, &context));
    ChaCha20Poly1305::new((&*key).into())
}
