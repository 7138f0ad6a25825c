//! The provider's side: a share of a table's key.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use mosaic_types::ProviderId;
use rand::CryptoRng;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::client::OprfOutput;
use super::combine::Weights;
use super::suite::{VERIFIABLE, decode_points, decode_scalar, encode_doubled, output_hash, random_scalar};
use super::{OprfError, proof};

/// A provider's share of a table key. Destroying it everywhere retires the table. No `Debug`, no
/// `Clone`; erased on drop.
#[derive(ZeroizeOnDrop)]
pub struct KeyShare {
    scalar: Scalar,
    #[zeroize(skip)]
    public: [u8; 32],
}

/// A batch of evaluated points with one proof for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// The points, in the order they were asked.
    pub points: Vec<[u8; 32]>,
    /// RFC 9497 proof: challenge 32 ‖ response 32.
    pub proof: [u8; 64],
}

impl KeyShare {
    /// Wraps a scalar; zero is refused.
    pub(crate) fn from_scalar(scalar: Scalar) -> Result<Self, OprfError> {
        if scalar == Scalar::ZERO {
            return Err(OprfError::InvalidScalar);
        }
        let public = RistrettoPoint::mul_base(&scalar).compress().to_bytes();
        Ok(Self { scalar, public })
    }

    /// Reads a stored share.
    ///
    /// # Errors
    /// [`OprfError::InvalidScalar`] unless canonical and not zero.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, OprfError> {
        Self::from_scalar(decode_scalar(bytes)?)
    }

    /// The scalar, for the provider's sealed store. It must never enter a backup.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.scalar.to_bytes())
    }

    /// What its proofs are checked against: share · G.
    pub const fn public_share(&self) -> &[u8; 32] {
        &self.public
    }

    /// `BlindEvaluateBatch` of RFC 9497 section 3.3.2 with this share as key.
    ///
    /// # Errors
    /// [`OprfError::BatchSize`], [`OprfError::InvalidPoint`].
    pub fn evaluate(&self, points: &[[u8; 32]], rng: &mut (impl CryptoRng + ?Sized)) -> Result<Evaluation, OprfError> {
        self.evaluate_with(points, &Zeroizing::new(random_scalar(rng)))
    }

    /// [`Self::evaluate`] with the proof's nonce given, for vectors.
    pub(super) fn evaluate_with(&self, points: &[[u8; 32]], nonce: &Scalar) -> Result<Evaluation, OprfError> {
        let decoded = decode_points(points)?;
        let half = Zeroizing::new(self.scalar.div_by_2());
        let halves: Vec<RistrettoPoint> = decoded.iter().map(|point| point * *half).collect();
        let evaluated = encode_doubled(&halves);
        let proof = proof::prove(&VERIFIABLE, (&self.scalar, &self.public), (points, &decoded), &evaluated, nonce);
        Ok(Evaluation { points: evaluated, proof })
    }
}

/// A whole key in one hand: what no provider ever has. For tests and the lab's baselines.
#[derive(ZeroizeOnDrop)]
pub struct WholeKey(Scalar);

impl WholeKey {
    /// Reads a key.
    ///
    /// # Errors
    /// [`OprfError::InvalidScalar`] unless canonical and not zero.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, OprfError> {
        Ok(Self(decode_scalar(bytes)?))
    }

    /// Interpolates the key that shares stand for.
    ///
    /// # Errors
    /// [`OprfError::TooFewParts`] for fewer than two shares or one provider twice;
    /// [`OprfError::InvalidScalar`] if the result is zero.
    pub fn from_shares(shares: &[(ProviderId, &KeyShare)]) -> Result<Self, OprfError> {
        let providers: Vec<ProviderId> = shares.iter().map(|(provider, _)| *provider).collect();
        let coefficients = Weights::at_zero(&providers)?.scalars();
        let key: Scalar = shares.iter().zip(coefficients).map(|((_, share), weight)| share.scalar * weight).sum();
        if key == Scalar::ZERO { Err(OprfError::InvalidScalar) } else { Ok(Self(key)) }
    }

    /// The key · G, as in a table descriptor.
    pub fn public_key(&self) -> [u8; 32] {
        RistrettoPoint::mul_base(&self.0).compress().to_bytes()
    }

    /// `Evaluate` of RFC 9497 section 3.3.1: the output without blinding.
    ///
    /// # Errors
    /// [`OprfError::InvalidInput`] over 65,535 bytes.
    pub fn evaluate(&self, input: &[u8]) -> Result<OprfOutput, OprfError> {
        let element = VERIFIABLE.hash_to_group(input)? * self.0;
        Ok(OprfOutput::new(output_hash(&[input], &element.compress())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oprf::client::Blind;
    use crate::oprf::suite::listed;
    use crate::oprf::verify_evaluation;

    /// RFC 9497 appendix A.1.2, the batch of two included: every intermediate value, the proof to the bit.
    #[test]
    fn verifiable_mode_vectors_of_rfc_9497() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../../vectors/rfc9497-voprf-ristretto255.json")).unwrap();
        let share = KeyShare::from_bytes(&listed(&vectors["skSm"], 0)).unwrap();
        assert_eq!(*share.public_share(), listed(&vectors["pkSm"], 0));
        let list = vectors["vectors"].as_array().unwrap();
        assert!(list.iter().any(|vector| vector["Batch"] == 2));
        for vector in list {
            let batch = vector["Batch"].as_u64().unwrap() as usize;
            let nonce = decode_scalar(&listed(&vector["ProofRandomScalar"], 0)).unwrap();
            let inputs: Vec<Vec<u8>> = (0..batch)
                .map(|i| hex::decode(vector["Input"].as_str().unwrap().split(',').nth(i).unwrap()).unwrap())
                .collect();
            let blinded: Vec<(Blind, [u8; 32])> = (0..batch)
                .map(|i| Blind::with_scalar(&inputs[i], decode_scalar(&listed(&vector["Blind"], i)).unwrap()).unwrap())
                .collect();
            let points: Vec<[u8; 32]> = blinded.iter().map(|(_, point)| *point).collect();
            let evaluation = share.evaluate_with(&points, &nonce).unwrap();
            assert_eq!(evaluation.proof, listed::<64>(&vector["Proof"], 0));
            verify_evaluation(share.public_share(), &points, &evaluation).unwrap();
            for i in 0..batch {
                assert_eq!(points[i], listed(&vector["BlindedElement"], i));
                assert_eq!(evaluation.points[i], listed(&vector["EvaluationElement"], i));
                let output = blinded[i].0.finalize(&evaluation.points[i]).unwrap();
                assert_eq!(*output.as_bytes(), listed::<64>(&vector["Output"], i));
                let whole = WholeKey::from_bytes(&share.to_bytes()).unwrap();
                assert_eq!(whole.evaluate(&inputs[i]).unwrap().as_bytes(), output.as_bytes());
            }
        }
    }
}
