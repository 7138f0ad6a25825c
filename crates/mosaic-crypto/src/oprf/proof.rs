//! The batched discrete-logarithm-equality proof of RFC 9497 section 2.2.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul as _;
use sha2::{Digest as _, Sha512};
use subtle::ConstantTimeEq as _;

use super::OprfError;
use super::share::Evaluation;
use super::suite::{Mode, VERIFIABLE, decode_point, decode_points};

const POINT: [u8; 2] = [0, 32];

/// Checks that `evaluation` holds exactly the points `blinded` times the share behind `public_share`.
///
/// # Errors
/// [`OprfError::BadProof`] if not; [`OprfError::BatchSize`], [`OprfError::InvalidPoint`] for malformed parts.
pub fn verify_evaluation(
    public_share: &[u8; 32],
    blinded: &[[u8; 32]],
    evaluation: &Evaluation,
) -> Result<(), OprfError> {
    verify(&VERIFIABLE, public_share, (blinded, &evaluation.points), &evaluation.proof)
}

/// `VerifyProof`: the points `evaluated` are the points `blinded` times the scalar behind `public`.
pub(super) fn verify(
    mode: &Mode,
    public: &[u8; 32],
    (blinded, evaluated): (&[[u8; 32]], &[[u8; 32]]),
    proof: &[u8; 64],
) -> Result<(), OprfError> {
    if blinded.len() != evaluated.len() {
        return Err(OprfError::BatchSize);
    }
    let key = decode_point(public)?;
    let (from, to) = (decode_points(blinded)?, decode_points(evaluated)?);
    let (challenge, response) = decode_proof(proof)?;
    let weights = weights(mode, public, blinded, evaluated);
    let m = RistrettoPoint::vartime_multiscalar_mul(&weights, &from);
    let z = RistrettoPoint::vartime_multiscalar_mul(&weights, &to);
    let t2 = RistrettoPoint::vartime_double_scalar_mul_basepoint(&challenge, &key, &response);
    let t3 = RistrettoPoint::vartime_multiscalar_mul([response, challenge], [m, z]);
    let expected = challenge_of(mode, public, &[m, z, t2, t3]);
    if bool::from(expected.ct_eq(&challenge)) { Ok(()) } else { Err(OprfError::BadProof) }
}

/// `GenerateProof` with the nonce given: `c ‖ s`.
pub(super) fn prove(
    mode: &Mode,
    (key, public): (&Scalar, &[u8; 32]),
    blinded: (&[[u8; 32]], &[RistrettoPoint]),
    evaluated: &[[u8; 32]],
    nonce: &Scalar,
) -> [u8; 64] {
    let weights = weights(mode, public, blinded.0, evaluated);
    // Blinded points and weights are on the wire; only what multiplies by key and nonce is secret.
    let m = RistrettoPoint::vartime_multiscalar_mul(&weights, blinded.1);
    let z = m * key;
    let (t2, t3) = (RistrettoPoint::mul_base(nonce), m * nonce);
    let challenge = challenge_of(mode, public, &[m, z, t2, t3]);
    let response = nonce - challenge * key;
    let mut proof = [0; 64];
    proof[..32].copy_from_slice(challenge.as_bytes());
    proof[32..].copy_from_slice(response.as_bytes());
    proof
}

/// The weights of `ComputeComposites`.
fn weights(mode: &Mode, public: &[u8; 32], blinded: &[[u8; 32]], evaluated: &[[u8; 32]]) -> Vec<Scalar> {
    let seed = Sha512::new().chain_update(POINT).chain_update(public);
    let seed = seed.chain_update((mode.seed.len() as u16).to_be_bytes()).chain_update(mode.seed).finalize();
    let weight = |(index, (from, to)): (usize, (&[u8; 32], &[u8; 32]))| {
        let index = (index as u16).to_be_bytes();
        mode.hash_to_scalar(&[&[0, 64], &seed, &index, &POINT, from, &POINT, to, b"Composite"])
    };
    blinded.iter().zip(evaluated).enumerate().map(weight).collect()
}

fn challenge_of(mode: &Mode, public: &[u8; 32], points: &[RistrettoPoint; 4]) -> Scalar {
    let [a0, a1, a2, a3] = points.map(|point| point.compress().to_bytes());
    mode.hash_to_scalar(&[&POINT, public, &POINT, &a0, &POINT, &a1, &POINT, &a2, &POINT, &a3, b"Challenge"])
}

/// Both scalars must be canonical; zero is allowed here, unlike in a key.
fn decode_proof(proof: &[u8; 64]) -> Result<(Scalar, Scalar), OprfError> {
    let half = |range: std::ops::Range<usize>| {
        let bytes = proof[range].try_into().map_err(|_| OprfError::BadProof)?;
        Option::<Scalar>::from(Scalar::from_canonical_bytes(bytes)).ok_or(OprfError::BadProof)
    };
    Ok((half(0..32)?, half(32..64)?))
}
