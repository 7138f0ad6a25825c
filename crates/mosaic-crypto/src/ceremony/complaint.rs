//! Proof that a dealer cheated.
//!
//! The envelope's key comes from X25519 of the recipient's secret and the dealing's ephemeral key `R`. On the
//! Edwards curve that is a point `T = w·(8R)` where the recipient's public key is `w·(8B)` up to sign, with `w`
//! the clamped secret over 8: a statement about two discrete logarithms in one prime-order group, proved
//! as by Chaum and Pedersen. With `T` anybody derives the envelope's key and looks inside.

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use mosaic_types::ProviderId;
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};
use zeroize::Zeroizing;

use super::dealing::{Dealing, prime_order, read_proof};
use super::envelope::{Envelope, read_share};
use crate::agreement::AgreementSecret;
use crate::digest;
use crate::kdf::{Label, derive};

/// A recipient's publicly verifiable complaint against one dealing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    dealing: [u8; 32],
    accuser: ProviderId,
    point: [u8; 32],
    proof: [u8; 64],
}

/// Bytes of an encoded complaint.
pub const COMPLAINT: usize = 129;

/// Whether `complaint` proves that `dealing` holds a bad share for the accuser. `false` for a share that is
/// fine, for another dealing, and for a proof that does not hold.
pub fn verify_complaint(dealing: &Dealing, complaint: &Complaint) -> bool {
    revealed_secret(dealing, complaint)
        .is_some_and(|(envelope, shared)| read_share(dealing, envelope, &shared).is_none())
}

/// The shared secret that a complaint reveals, if its proof holds.
fn revealed_secret<'a>(dealing: &'a Dealing, complaint: &Complaint) -> Option<(&'a Envelope, [u8; 32])> {
    if dealing.digest() != complaint.dealing {
        return None;
    }
    let envelope = dealing.envelope_of(complaint.accuser)?;
    let statement = Statement::of(dealing, envelope)?;
    let point = CompressedEdwardsY(complaint.point).decompress()?;
    // A torsion component would let its author pass a second secret for the same proof.
    if !point.is_torsion_free() {
        return None;
    }
    let (challenge, response) = read_proof(&complaint.proof)?;
    let first = statement.base * response + statement.public * challenge;
    let second = statement.ephemeral * response + point * challenge;
    let expected = statement.challenge(&complaint.dealing, &[point, first, second]);
    bool::from(expected.ct_eq(&challenge)).then(|| (envelope, point.to_montgomery().to_bytes()))
}

impl Complaint {
    /// Reveals and proves; `None` if `mine` is not the envelope's key.
    pub(super) fn build(dealing: &Dealing, envelope: &Envelope, mine: &AgreementSecret) -> Option<Self> {
        let statement = Statement::of(dealing, envelope)?;
        let secret = mine.to_bytes();
        let clamped = Zeroizing::new(clamp_integer(*secret));
        let magnitude = Scalar::from_bytes_mod_order(*clamped) * Scalar::from(8_u8).invert();
        // X25519 forgets the sign; take the root that gives the even encoding of the public key.
        let negate = (statement.base * magnitude).ct_eq(&-statement.public);
        let witness = Zeroizing::new(Scalar::conditional_select(&magnitude, &-magnitude, negate));
        let digest = dealing.digest();
        let nonce = derive(secret.as_slice(), Label::ComplaintNonce, &[&digest]);
        let nonce = Zeroizing::new(Scalar::from_bytes_mod_order_wide(&nonce));
        let point = statement.ephemeral * *witness;
        let challenge = statement.challenge(&digest, &[point, statement.base * *nonce, statement.ephemeral * *nonce]);
        let response = *nonce - challenge * *witness;
        let mut proof = [0; 64];
        proof[..32].copy_from_slice(challenge.as_bytes());
        proof[32..].copy_from_slice(response.as_bytes());
        Some(Self { dealing: digest, accuser: envelope.recipient, point: point.compress().to_bytes(), proof })
    }

    /// Who complains.
    pub const fn accuser(&self) -> ProviderId {
        self.accuser
    }

    /// The digest of the dealing it is about.
    pub const fn dealing(&self) -> &[u8; 32] {
        &self.dealing
    }

    /// Dealing's digest 32 ‖ accuser 1 ‖ revealed point 32 ‖ proof 64.
    pub fn encode(&self) -> [u8; COMPLAINT] {
        let mut bytes = [0; COMPLAINT];
        bytes[..32].copy_from_slice(&self.dealing);
        bytes[32] = self.accuser.get();
        bytes[33..65].copy_from_slice(&self.point);
        bytes[65..].copy_from_slice(&self.proof);
        bytes
    }

    /// Reads [`Complaint::encode`]; `None` if the accuser is no provider's number. What it claims is for
    /// [`verify_complaint`] to judge.
    pub fn decode(bytes: &[u8; COMPLAINT]) -> Option<Self> {
        let (dealing, rest) = bytes.split_first_chunk::<32>()?;
        let (accuser, rest) = rest.split_first()?;
        let (point, proof) = rest.split_first_chunk::<32>()?;
        let accuser = ProviderId::new(*accuser).ok()?;
        Some(Self { dealing: *dealing, accuser, point: *point, proof: proof.try_into().ok()? })
    }
}

/// log of `public` to `base` equals log of the revealed point to `ephemeral`.
struct Statement {
    base: EdwardsPoint,
    public: EdwardsPoint,
    ephemeral: EdwardsPoint,
}

impl Statement {
    fn of(dealing: &Dealing, envelope: &Envelope) -> Option<Self> {
        Some(Self {
            base: ED25519_BASEPOINT_POINT.mul_by_cofactor(),
            public: prime_order(&envelope.public)?,
            ephemeral: prime_order(&dealing.ephemeral)?.mul_by_cofactor(),
        })
    }

    fn challenge(&self, dealing: &[u8; 32], points: &[EdwardsPoint; 3]) -> Scalar {
        let encoded =
            [self.public, self.ephemeral, points[0], points[1], points[2]].map(|point| point.compress().to_bytes());
        let root = digest(&[dealing, encoded.as_flattened()]);
        Scalar::from_bytes_mod_order_wide(&derive(&root, Label::ComplaintProof, &[]))
    }
}
