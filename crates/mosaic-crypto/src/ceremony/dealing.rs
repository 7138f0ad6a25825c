//! One provider's contribution to a key.

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity as _;
use mosaic_types::ProviderId;
use rand::CryptoRng;
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::envelope::{Envelope, seal_share};
use crate::agreement::{AgreementPublic, AgreementSecret};
use crate::digest;
use crate::kdf::{Label, derive};
use crate::oprf::{decode_point, random_scalar};

const VERSION: u8 = 1;
const HEAD: usize = 36;
const ENVELOPE: usize = 81;

/// A dealing whose public parts are sound: sizes, points, recipients and the dealer's proof of knowledge.
/// Only [`deal`] and [`Dealing::decode`] make one; whether a sealed share fits is for its recipient to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dealing {
    pub(super) context: [u8; 32],
    pub(super) dealer: ProviderId,
    pub(super) commitments: Vec<[u8; 32]>,
    proof: [u8; 64],
    pub(super) ephemeral: AgreementPublic,
    pub(super) envelopes: Vec<Envelope>,
}

/// A secret share of one dealing. Erased on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct ShareScalar(pub(super) Scalar);

/// Why nothing was dealt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DealError {
    /// The threshold must lie between 2 and the number of recipients.
    #[error("the threshold lies between 2 and the number of recipients")]
    Threshold,
    /// A recipient appears twice.
    #[error("a recipient appears twice")]
    Repeated,
    /// This recipient's key is no point of the prime-order group.
    #[error("the key of provider {0} is not usable")]
    WeakRecipient(ProviderId),
}

/// Bytes that are no sound dealing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MalformedDealing {
    /// Wrong length, version, number or order of providers, or threshold.
    #[error("the dealing is not well formed")]
    Shape,
    /// A commitment or key is not a group element.
    #[error("the dealing holds an invalid point")]
    Point,
    /// The dealer does not prove that it knows what it dealt.
    #[error("the dealer's proof does not hold")]
    Proof,
}

/// Deals to `recipients`, any `threshold` of whom will evaluate together. `context` names what the key
/// is for (tile, period, federation) and must differ from key to key.
///
/// # Errors
/// [`DealError`].
pub fn deal(
    context: &[u8; 32],
    dealer: ProviderId,
    recipients: &[(ProviderId, AgreementPublic)],
    threshold: u8,
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<Dealing, DealError> {
    let recipients = sorted(recipients, threshold)?;
    let coefficients: Zeroizing<Vec<Scalar>> = Zeroizing::new((0..threshold).map(|_| random_scalar(rng)).collect());
    let share_of = |recipient| ShareScalar(evaluate(&coefficients, recipient));
    deal_shares((context, dealer), &recipients, &coefficients, share_of, rng)
}

/// Commits to `coefficients`, seals what `share_of` gives and proves.
pub(super) fn deal_shares(
    (context, dealer): (&[u8; 32], ProviderId),
    recipients: &[(ProviderId, AgreementPublic)],
    coefficients: &[Scalar],
    share_of: impl Fn(ProviderId) -> ShareScalar,
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<Dealing, DealError> {
    let ephemeral = AgreementSecret::random(rng);
    let commit = |scalar: &Scalar| RistrettoPoint::mul_base(scalar).compress().to_bytes();
    let mut dealing = Dealing {
        context: *context,
        dealer,
        commitments: coefficients.iter().map(commit).collect(),
        proof: [0; 64],
        ephemeral: ephemeral.public(),
        envelopes: Vec::with_capacity(recipients.len()),
    };
    for &(recipient, public) in recipients {
        let sealed = seal_share(&dealing, (recipient, &public), &ephemeral, &share_of(recipient))
            .map_err(|_| DealError::WeakRecipient(recipient))?;
        dealing.envelopes.push(Envelope { recipient, public, sealed });
    }
    dealing.prove(&coefficients[0], rng);
    Ok(dealing)
}

/// Recipients in ascending order, once each, with usable keys.
fn sorted(
    recipients: &[(ProviderId, AgreementPublic)],
    threshold: u8,
) -> Result<Vec<(ProviderId, AgreementPublic)>, DealError> {
    if threshold < 2 || usize::from(threshold) > recipients.len() {
        return Err(DealError::Threshold);
    }
    let mut sorted = recipients.to_vec();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(DealError::Repeated);
    }
    match sorted.iter().find(|(_, public)| prime_order(public).is_none()) {
        Some((weak, _)) => Err(DealError::WeakRecipient(*weak)),
        None => Ok(sorted),
    }
}

/// The polynomial at a provider's number, by Horner's rule.
pub(super) fn evaluate(coefficients: &[Scalar], at: ProviderId) -> Scalar {
    let at = Scalar::from(at.get());
    coefficients.iter().rev().fold(Scalar::ZERO, |sum, coefficient| sum * at + coefficient)
}

/// The commitment to the polynomial at a provider's number.
pub(super) fn commitment_at(commitments: &[RistrettoPoint], at: ProviderId) -> RistrettoPoint {
    let at = Scalar::from(at.get());
    let (last, rest) = commitments.split_last().map_or((RistrettoPoint::default(), commitments), |(l, r)| (*l, r));
    rest.iter().rev().fold(last, |sum, commitment| sum * at + commitment)
}

/// The Edwards point over an X25519 key whose sign bit is 0, if it lies in the prime-order group (every
/// honestly made key does) and is not the identity.
pub(super) fn prime_order(public: &AgreementPublic) -> Option<EdwardsPoint> {
    let point = MontgomeryPoint(public.to_bytes()).to_edwards(0)?;
    let canonical = point.to_montgomery().to_bytes() == public.to_bytes();
    (canonical && !point.is_identity() && point.is_torsion_free()).then_some(point)
}

impl Dealing {
    /// Who dealt.
    pub const fn dealer(&self) -> ProviderId {
        self.dealer
    }

    /// What the key is for.
    pub const fn context(&self) -> &[u8; 32] {
        &self.context
    }

    /// How many evaluations make an output.
    pub fn threshold(&self) -> u8 {
        self.commitments.len() as u8
    }

    /// The recipients with the keys the shares are sealed to, in ascending order. Whoever accepts a
    /// dealing compares them with the federation descriptor.
    pub fn recipients(&self) -> Vec<(ProviderId, AgreementPublic)> {
        self.envelopes.iter().map(|envelope| (envelope.recipient, envelope.public)).collect()
    }

    /// Commitments to the coefficients, constant term first.
    pub fn commitments(&self) -> &[[u8; 32]] {
        &self.commitments
    }

    /// The digest that complaints and transcripts cite.
    pub fn digest(&self) -> [u8; 32] {
        digest(&[b"mosaic/1/dealing", &self.encode()])
    }

    /// Version 1 ‖ dealer 1 ‖ t 1 ‖ n 1 ‖ context 32 ‖ commitments 32·t ‖ proof 64 ‖ ephemeral key 32 ‖ n ×
    /// (recipient 1 ‖ its key 32 ‖ sealed share 48).
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::encoded_len(self.envelopes.len(), self.commitments.len()));
        bytes.extend([VERSION, self.dealer.get(), self.threshold(), self.envelopes.len() as u8]);
        bytes.extend_from_slice(&self.context);
        bytes.extend(self.commitments.iter().flatten());
        bytes.extend_from_slice(&self.proof);
        bytes.extend_from_slice(self.ephemeral.as_bytes());
        for envelope in &self.envelopes {
            bytes.push(envelope.recipient.get());
            bytes.extend_from_slice(envelope.public.as_bytes());
            bytes.extend_from_slice(&envelope.sealed);
        }
        bytes
    }

    /// Bytes of a dealing to `recipients` with `threshold`.
    pub const fn encoded_len(recipients: usize, threshold: usize) -> usize {
        HEAD + 32 * threshold + 64 + 32 + ENVELOPE * recipients
    }

    /// Reads [`Dealing::encode`] and checks everything public about it.
    ///
    /// # Errors
    /// [`MalformedDealing`].
    pub fn decode(bytes: &[u8]) -> Result<Self, MalformedDealing> {
        let shape = MalformedDealing::Shape;
        let (head, rest) = bytes.split_first_chunk::<HEAD>().ok_or(shape)?;
        let [version, dealer, threshold, count] = [head[0], head[1], head[2], head[3]];
        let (t, n) = (usize::from(threshold), usize::from(count));
        if version != VERSION || threshold < 2 || t > n || n > 15 || bytes.len() != Self::encoded_len(n, t) {
            return Err(shape);
        }
        let (commitments, rest) = rest.split_at(32 * t);
        let (proof, rest) = rest.split_first_chunk::<64>().ok_or(shape)?;
        let (ephemeral, rest) = rest.split_first_chunk::<32>().ok_or(shape)?;
        let mut context = [0; 32];
        context.copy_from_slice(&head[4..]);
        let dealing = Self {
            context,
            dealer: ProviderId::new(dealer).map_err(|_| shape)?,
            commitments: commitments.as_chunks::<32>().0.to_vec(),
            proof: *proof,
            ephemeral: AgreementPublic(*ephemeral),
            envelopes: rest.as_chunks::<ENVELOPE>().0.iter().map(read_envelope).collect::<Option<_>>().ok_or(shape)?,
        };
        dealing.check()?;
        Ok(dealing)
    }

    /// The commitments as points; they were checked when the dealing was made or read.
    pub(super) fn points(&self) -> Result<Vec<RistrettoPoint>, MalformedDealing> {
        self.commitments.iter().map(|bytes| decode_point(bytes).map_err(|_| MalformedDealing::Point)).collect()
    }

    fn check(&self) -> Result<(), MalformedDealing> {
        if self.envelopes.windows(2).any(|pair| pair[0].recipient >= pair[1].recipient) {
            return Err(MalformedDealing::Shape);
        }
        let keys = self.envelopes.iter().map(|envelope| &envelope.public).chain([&self.ephemeral]);
        for key in keys {
            prime_order(key).ok_or(MalformedDealing::Point)?;
        }
        let points = self.points()?;
        self.check_proof(&points[0])
    }

    /// Schnorr's proof of knowledge of the constant term, bound to the whole dealing.
    pub(super) fn prove(&mut self, constant: &Scalar, rng: &mut (impl CryptoRng + ?Sized)) {
        let nonce = Zeroizing::new(random_scalar(rng));
        let challenge = self.challenge(&RistrettoPoint::mul_base(&nonce));
        let response = *nonce - challenge * constant;
        self.proof[..32].copy_from_slice(challenge.as_bytes());
        self.proof[32..].copy_from_slice(response.as_bytes());
    }

    fn check_proof(&self, constant: &RistrettoPoint) -> Result<(), MalformedDealing> {
        let (challenge, response) = read_proof(&self.proof).ok_or(MalformedDealing::Proof)?;
        let nonce = RistrettoPoint::vartime_double_scalar_mul_basepoint(&challenge, constant, &response);
        let holds = self.challenge(&nonce).ct_eq(&challenge);
        if bool::from(holds) { Ok(()) } else { Err(MalformedDealing::Proof) }
    }

    fn challenge(&self, nonce: &RistrettoPoint) -> Scalar {
        let unproven = Self { proof: [0; 64], ..self.clone() }.encode();
        let root = digest(&[&unproven, nonce.compress().as_bytes()]);
        Scalar::from_bytes_mod_order_wide(&derive(&root, Label::DealingProof, &[]))
    }
}

/// Challenge ‖ response, both canonical.
pub(super) fn read_proof(proof: &[u8; 64]) -> Option<(Scalar, Scalar)> {
    let scalar = |bytes: &[u8]| Option::<Scalar>::from(Scalar::from_canonical_bytes(bytes.try_into().ok()?));
    Some((scalar(&proof[..32])?, scalar(&proof[32..])?))
}

fn read_envelope(bytes: &[u8; ENVELOPE]) -> Option<Envelope> {
    let recipient = ProviderId::new(bytes[0]).ok()?;
    let (public, sealed) = bytes[1..].split_first_chunk::<32>()?;
    Some(Envelope { recipient, public: AgreementPublic(*public), sealed: sealed.try_into().ok()? })
}
