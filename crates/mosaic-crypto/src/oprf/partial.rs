//! RFC 9497, ristretto255-SHA512, mode POPRF (0x02): a function of a hidden input and a public one.
//!
//! The issuer sees the public input and blinded points, and proves that it used the key it is known by. Who
//! holds the key can evaluate inputs in clear, so it recognises an output as its own and not when it gave it.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity as _;
use rand::CryptoRng;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::client::{Blind, OprfOutput, unblind_with};
use super::share::Evaluation;
use super::suite::{
    PARTIAL, check_length, decode_point, decode_points, derive_key, encode_doubled, output_hash, random_scalar,
};
use super::{OprfError, proof};

/// An issuer's key. No `Debug`, no `Clone`; erased on drop.
#[derive(ZeroizeOnDrop)]
pub struct PartialKey {
    scalar: Scalar,
    #[zeroize(skip)]
    public: [u8; 32],
}

impl PartialKey {
    /// `DeriveKeyPair` of RFC 9497 section 3.2.1 from a uniform seed; `info` separates uses of one seed.
    ///
    /// # Errors
    /// [`OprfError::InvalidInput`] when `info` is over 65,535 bytes.
    pub fn derive(seed: &[u8; 32], info: &[u8]) -> Result<Self, OprfError> {
        check_length(info)?;
        let scalar = derive_key(seed, info);
        let public = RistrettoPoint::mul_base(&scalar).compress().to_bytes();
        Ok(Self { scalar, public })
    }

    /// What its proofs are checked against: key · G.
    pub const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// `BlindEvaluateBatch` of RFC 9497 section 3.3.3 for the public input `info`.
    ///
    /// # Errors
    /// [`OprfError::BatchSize`], [`OprfError::InvalidPoint`], [`OprfError::InvalidInput`] for an `info` over 65,535
    /// bytes or one whose key is zero (RFC 9497 `InverseError`; never seen).
    pub fn evaluate(
        &self,
        points: &[[u8; 32]],
        info: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Evaluation, OprfError> {
        self.evaluate_with(points, info, &Zeroizing::new(random_scalar(rng)))
    }

    /// [`Self::evaluate`] with the proof's nonce given, for vectors.
    fn evaluate_with(&self, points: &[[u8; 32]], info: &[u8], nonce: &Scalar) -> Result<Evaluation, OprfError> {
        let decoded = decode_points(points)?;
        let key = self.tweaked(info)?;
        let public = RistrettoPoint::mul_base(&key).compress().to_bytes();
        let half = Zeroizing::new(key.invert().div_by_2());
        let halves: Vec<RistrettoPoint> = decoded.iter().map(|point| point * *half).collect();
        let (doubled, evaluated): (Vec<_>, _) =
            (halves.iter().map(|half| half + half).collect(), encode_doubled(&halves));
        // the blinded points are the evaluated ones times the key, so the proof runs that way
        let proof = proof::prove(&PARTIAL, (&key, &public), (&evaluated, &doubled), points, nonce);
        Ok(Evaluation { points: evaluated, proof })
    }

    /// `Evaluate` of RFC 9497 section 3.3.3: the output without blinding.
    ///
    /// # Errors
    /// [`OprfError::InvalidInput`] over 65,535 bytes.
    pub fn output(&self, input: &[u8], info: &[u8]) -> Result<OprfOutput, OprfError> {
        self.for_info(info)?.output(input)
    }

    /// The key for one public input, to evaluate many inputs under it: the inversion is done once.
    ///
    /// # Errors
    /// [`OprfError::InvalidInput`] for an `info` over 65,535 bytes or one whose key is zero.
    pub fn for_info(&self, info: &[u8]) -> Result<InfoKey, OprfError> {
        Ok(InfoKey { inverse: self.tweaked(info)?.invert(), info: info.to_vec() })
    }

    fn tweaked(&self, info: &[u8]) -> Result<Zeroizing<Scalar>, OprfError> {
        let key = Zeroizing::new(self.scalar + tweak(info)?);
        if *key == Scalar::ZERO { Err(OprfError::InvalidInput) } else { Ok(key) }
    }
}

/// An issuer's key for one public input. No `Debug`, no `Clone`; erased on drop.
#[derive(ZeroizeOnDrop)]
pub struct InfoKey {
    inverse: Scalar,
    #[zeroize(skip)]
    info: Vec<u8>,
}

impl InfoKey {
    /// `Evaluate` of RFC 9497 section 3.3.3: the output without blinding.
    ///
    /// # Errors
    /// [`OprfError::InvalidInput`] over 65,535 bytes.
    pub fn output(&self, input: &[u8]) -> Result<OprfOutput, OprfError> {
        let element = PARTIAL.hash_to_group(input)? * self.inverse;
        Ok(OprfOutput::new(output_hash(&[input, &self.info], &element.compress())))
    }
}

/// `Blind` of RFC 9497 section 3.3.3, but for the key of the public input, which [`finalize`] looks at.
///
/// # Errors
/// [`OprfError::InvalidInput`] over 65,535 bytes.
pub fn blind(input: &[u8], rng: &mut (impl CryptoRng + ?Sized)) -> Result<(Blind, [u8; 32]), OprfError> {
    Blind::with_scalar_as(&PARTIAL, input, random_scalar(rng))
}

/// `FinalizeBatch` of RFC 9497 section 3.3.3: checks the proof under the issuer's `public` key, then unblinds.
///
/// # Errors
/// [`OprfError::BadProof`] when another key or public input was used, [`OprfError::BatchSize`] for lists of different
/// lengths, [`OprfError::InvalidPoint`], [`OprfError::InvalidInput`] for an `info` over 65,535 bytes.
pub fn finalize(
    public: &[u8; 32],
    info: &[u8],
    (blinds, blinded): (&[Blind], &[[u8; 32]]),
    evaluation: &Evaluation,
) -> Result<Vec<OprfOutput>, OprfError> {
    let tweaked = RistrettoPoint::mul_base(&tweak(info)?) + decode_point(public)?;
    if tweaked == RistrettoPoint::identity() {
        return Err(OprfError::InvalidInput);
    }
    let key = tweaked.compress().to_bytes();
    proof::verify(&PARTIAL, &key, (&evaluation.points, blinded), &evaluation.proof)?;
    unblind_with(&[info], blinds, &decode_points(&evaluation.points)?, &Scalar::ONE)
}

/// `m` of the RFC: what the public input adds to the key.
fn tweak(info: &[u8]) -> Result<Scalar, OprfError> {
    check_length(info)?;
    Ok(PARTIAL.hash_to_scalar(&[b"Info", &(info.len() as u16).to_be_bytes(), info]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oprf::suite::decode_scalar;
    use crate::oprf::suite::listed;

    /// RFC 9497 appendix A.1.3, the batch of two and the key's derivation included: every intermediate value.
    #[test]
    fn partially_oblivious_mode_vectors_of_rfc_9497() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../../vectors/rfc9497-poprf-ristretto255.json")).unwrap();
        let key_info = hex::decode(vectors["KeyInfo"].as_str().unwrap()).unwrap();
        let key = PartialKey::derive(&listed(&vectors["Seed"], 0), &key_info).unwrap();
        assert_eq!(key.scalar.to_bytes(), listed(&vectors["skSm"], 0));
        assert_eq!(*key.public(), listed(&vectors["pkSm"], 0));
        let list = vectors["vectors"].as_array().unwrap();
        assert!(list.iter().any(|vector| vector["Batch"] == 2));
        for vector in list {
            let batch = vector["Batch"].as_u64().unwrap() as usize;
            let info = hex::decode(vector["Info"].as_str().unwrap()).unwrap();
            let nonce = decode_scalar(&listed(&vector["ProofRandomScalar"], 0)).unwrap();
            let inputs: Vec<Vec<u8>> = (0..batch)
                .map(|i| hex::decode(vector["Input"].as_str().unwrap().split(',').nth(i).unwrap()).unwrap())
                .collect();
            let blind = |i: usize| {
                let scalar = decode_scalar(&listed(&vector["Blind"], i)).unwrap();
                Blind::with_scalar_as(&PARTIAL, &inputs[i], scalar).unwrap()
            };
            let (blinds, points): (Vec<Blind>, Vec<[u8; 32]>) = (0..batch).map(blind).unzip();
            let evaluation = key.evaluate_with(&points, &info, &nonce).unwrap();
            assert_eq!(evaluation.proof, listed::<64>(&vector["Proof"], 0));
            let outputs = finalize(key.public(), &info, (&blinds, &points), &evaluation).unwrap();
            for i in 0..batch {
                assert_eq!(points[i], listed(&vector["BlindedElement"], i));
                assert_eq!(evaluation.points[i], listed(&vector["EvaluationElement"], i));
                assert_eq!(*outputs[i].as_bytes(), listed::<64>(&vector["Output"], i));
                assert_eq!(key.output(&inputs[i], &info).unwrap().as_bytes(), outputs[i].as_bytes());
            }
        }
    }
}
