//! The client's side: blind, unblind, output.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use mosaic_types::ProviderId;
use rand::CryptoRng;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::OprfError;
use super::combine::weighted_sums;
use super::suite::{Mode, VERIFIABLE, decode_point, decode_points, output_hash, random_scalar};

/// What the client keeps of one blinded input. No `Debug`, no `Clone`; erased on drop.
#[derive(ZeroizeOnDrop)]
pub struct Blind {
    input: Vec<u8>,
    scalar: Scalar,
}

/// The output of the function for one input: 64 bytes that only its key's holders, together, could
/// have made. Root of row and record key. Erased on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct OprfOutput([u8; 64]);

/// `Blind` of RFC 9497 section 3.3.2: what to keep, and the point for the providers.
///
/// # Errors
/// [`OprfError::InvalidInput`] over 65,535 bytes.
pub fn blind(input: &[u8], rng: &mut (impl CryptoRng + ?Sized)) -> Result<(Blind, [u8; 32]), OprfError> {
    Blind::with_scalar(input, random_scalar(rng))
}

/// [`Blind::finalize`] over a batch; all blinds are inverted with one inversion.
///
/// # Errors
/// [`OprfError::BatchSize`] for lists of different lengths, [`OprfError::InvalidPoint`].
pub fn finalize_all(blinds: &[Blind], combined: &[[u8; 32]]) -> Result<Vec<OprfOutput>, OprfError> {
    unblind(blinds, &decode_points(combined)?, &Scalar::ONE)
}

/// [`super::combine()`] and [`finalize_all`] in one: the same outputs, sparing an encoding and a decoding of each
/// point, and a multiplication where the providers' numbers leave a denominator (1 and 3 do, 1 and 2 do not).
/// Every part must have been verified.
///
/// # Errors
/// [`OprfError::TooFewParts`], [`OprfError::BatchSize`], [`OprfError::InvalidPoint`].
pub fn combine_and_finalize(
    blinds: &[Blind],
    parts: &[(ProviderId, &[[u8; 32]])],
) -> Result<Vec<OprfOutput>, OprfError> {
    let (sums, denominator) = weighted_sums(parts)?;
    unblind(blinds, &sums, &denominator)
}

/// Outputs of points that carry the blind and a public factor.
fn unblind(blinds: &[Blind], points: &[RistrettoPoint], factor: &Scalar) -> Result<Vec<OprfOutput>, OprfError> {
    unblind_with(&[], blinds, points, factor)
}

/// [`unblind`] for outputs that hash `info` after each input, as mode POPRF does.
pub(super) fn unblind_with(
    info: &[&[u8]],
    blinds: &[Blind],
    points: &[RistrettoPoint],
    factor: &Scalar,
) -> Result<Vec<OprfOutput>, OprfError> {
    if blinds.len() != points.len() {
        return Err(OprfError::BatchSize);
    }
    let mut inverses: Zeroizing<Vec<Scalar>> =
        Zeroizing::new(blinds.iter().map(|blind| blind.scalar * factor).collect());
    Scalar::invert_batch_alloc(&mut inverses);
    inverses.iter_mut().for_each(|inverse| *inverse = inverse.div_by_2());
    let halves: Zeroizing<Vec<RistrettoPoint>> =
        Zeroizing::new(points.iter().zip(inverses.iter()).map(|(point, inverse)| point * inverse).collect());
    let elements = RistrettoPoint::double_and_compress_batch(halves.iter());
    let output =
        |(blind, element): (&Blind, _)| OprfOutput(output_hash(&[&[blind.input.as_slice()], info].concat(), &element));
    Ok(blinds.iter().zip(elements).map(output).collect())
}

impl Blind {
    /// Blinds with a given non-zero scalar.
    pub(super) fn with_scalar(input: &[u8], scalar: Scalar) -> Result<(Self, [u8; 32]), OprfError> {
        Self::with_scalar_as(&VERIFIABLE, input, scalar)
    }

    /// The same in another mode.
    pub(super) fn with_scalar_as(mode: &Mode, input: &[u8], scalar: Scalar) -> Result<(Self, [u8; 32]), OprfError> {
        let blinded = mode.hash_to_group(input)? * scalar;
        Ok((Self { input: input.to_vec(), scalar }, blinded.compress().to_bytes()))
    }

    /// `Finalize` of RFC 9497 section 3.3.2, once the proofs were checked and the parts combined.
    ///
    /// # Errors
    /// [`OprfError::InvalidPoint`].
    pub fn finalize(&self, combined: &[u8; 32]) -> Result<OprfOutput, OprfError> {
        let element = decode_point(combined)? * self.scalar.invert();
        Ok(OprfOutput(output_hash(&[self.input.as_slice()], &element.compress())))
    }
}

impl OprfOutput {
    pub(super) const fn new(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Takes 64 bytes back from sealed storage.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The output, for labelled derivation.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl ConstantTimeEq for OprfOutput {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}
