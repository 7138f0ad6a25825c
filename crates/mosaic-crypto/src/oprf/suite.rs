//! The ciphersuite: RFC 9497 section 4.1 and the hashing of RFC 9380 it names.

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity as _;
use rand::CryptoRng;
use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

use super::OprfError;

/// The domain separation of one mode: what each hash puts before `contextString`.
pub(super) struct Mode {
    /// `"Seed-" || contextString`.
    pub(super) seed: &'static [u8],
    group: &'static [u8],
    scalar: &'static [u8],
}

/// Mode VOPRF (0x01): table keys.
pub(super) const VERIFIABLE: Mode = Mode {
    seed: b"Seed-OPRFV1-\x01-ristretto255-SHA512",
    group: b"HashToGroup-OPRFV1-\x01-ristretto255-SHA512",
    scalar: b"HashToScalar-OPRFV1-\x01-ristretto255-SHA512",
};

/// Mode POPRF (0x02): tokens.
pub(super) const PARTIAL: Mode = Mode {
    seed: b"Seed-OPRFV1-\x02-ristretto255-SHA512",
    group: b"HashToGroup-OPRFV1-\x02-ristretto255-SHA512",
    scalar: b"HashToScalar-OPRFV1-\x02-ristretto255-SHA512",
};

const DST_KEY_PAIR: &[u8] = b"DeriveKeyPairOPRFV1-\x02-ristretto255-SHA512";

impl Mode {
    /// `HashToGroup`: hash_to_ristretto255 of RFC 9380 appendix B, of an input that the outputs can name.
    pub(super) fn hash_to_group(&self, input: &[u8]) -> Result<RistrettoPoint, OprfError> {
        check_length(input)?;
        hash_to_group_as(input, self.group)
    }

    /// `HashToScalar`: 64 uniform bytes, little-endian, modulo the group order.
    pub(super) fn hash_to_scalar(&self, parts: &[&[u8]]) -> Scalar {
        hash_to_scalar_as(parts, self.scalar)
    }
}

/// Private and public inputs are hashed behind their length in two bytes.
pub(super) fn check_length(input: &[u8]) -> Result<(), OprfError> {
    if input.len() > usize::from(u16::MAX) { Err(OprfError::InvalidInput) } else { Ok(()) }
}

/// `DeriveKeyPair` of RFC 9497 section 3.2.1, mode POPRF. Its loop ends at once but with probability 2^-252.
pub(super) fn derive_key(seed: &[u8; 32], info: &[u8]) -> Scalar {
    let length = (info.len() as u16).to_be_bytes();
    let attempt = |counter: u8| hash_to_scalar_as(&[seed, &length, info, &[counter]], DST_KEY_PAIR);
    (0..=u8::MAX).map(attempt).find(|scalar| *scalar != Scalar::ZERO).unwrap_or(Scalar::ONE)
}

/// hash_to_ristretto255 of RFC 9380 appendix B under a domain separation of its own.
pub(crate) fn hash_to_group_as(input: &[u8], dst: &[u8]) -> Result<RistrettoPoint, OprfError> {
    let point = RistrettoPoint::from_uniform_bytes(&expand(&[input], dst));
    if point == RistrettoPoint::identity() { Err(OprfError::InvalidInput) } else { Ok(point) }
}

/// 64 uniform bytes modulo the group order, likewise.
pub(crate) fn hash_to_scalar_as(parts: &[&[u8]], dst: &[u8]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&expand(parts, dst))
}

/// `expand_message_xmd` (RFC 9380 section 5.3.1) with SHA-512 and 64 bytes out, which takes one block.
fn expand(parts: &[&[u8]], dst: &[u8]) -> [u8; 64] {
    debug_assert!(dst.len() < 256);
    let dst_length = [dst.len() as u8];
    let mut b0 = Sha512::new();
    b0.update([0; 128]);
    for part in parts {
        b0.update(part);
    }
    b0.update([0, 64, 0]);
    b0.update(dst);
    b0.update(dst_length);
    let b0 = b0.finalize();
    Sha512::new().chain_update(b0).chain_update([1]).chain_update(dst).chain_update(dst_length).finalize().into()
}

/// `Finalize`'s hash over the input (mode POPRF: and the public one) and the unblinded element.
pub(super) fn output_hash(inputs: &[&[u8]], element: &CompressedRistretto) -> [u8; 64] {
    let hash = inputs
        .iter()
        .fold(Sha512::new(), |hash, input| hash.chain_update((input.len() as u16).to_be_bytes()).chain_update(input));
    hash.chain_update([0, 32]).chain_update(element.as_bytes()).chain_update(b"Finalize").finalize().into()
}

/// `RandomScalar`: uniform and not zero.
pub(crate) fn random_scalar(rng: &mut (impl CryptoRng + ?Sized)) -> Scalar {
    loop {
        let mut wide = Zeroizing::new([0; 64]);
        rng.fill_bytes(wide.as_mut_slice());
        let scalar = Scalar::from_bytes_mod_order_wide(&wide);
        if scalar != Scalar::ZERO {
            return scalar;
        }
    }
}

/// `DeserializeElement`: canonical and not the identity.
pub(crate) fn decode_point(bytes: &[u8; 32]) -> Result<RistrettoPoint, OprfError> {
    let point = CompressedRistretto(*bytes).decompress().ok_or(OprfError::InvalidPoint)?;
    if point == RistrettoPoint::identity() { Err(OprfError::InvalidPoint) } else { Ok(point) }
}

/// `DeserializeElement` over a batch, whose size is checked first.
pub(super) fn decode_points(bytes: &[[u8; 32]]) -> Result<Vec<RistrettoPoint>, OprfError> {
    if bytes.is_empty() || bytes.len() > super::MAX_BATCH {
        return Err(OprfError::BatchSize);
    }
    bytes.iter().map(decode_point).collect()
}

/// `DeserializeScalar`: canonical and not zero.
pub(crate) fn decode_scalar(bytes: &[u8; 32]) -> Result<Scalar, OprfError> {
    let scalar = Option::<Scalar>::from(Scalar::from_canonical_bytes(*bytes)).ok_or(OprfError::InvalidScalar)?;
    if scalar == Scalar::ZERO { Err(OprfError::InvalidScalar) } else { Ok(scalar) }
}

/// Encodes the doubles of `halves`. Doubling and encoding a batch shares one inversion, so whoever
/// halves the scalar first (free) encodes for a fraction of the price. No point may be the identity.
pub(super) fn encode_doubled(halves: &[RistrettoPoint]) -> Vec<[u8; 32]> {
    RistrettoPoint::double_and_compress_batch(halves).iter().map(CompressedRistretto::to_bytes).collect()
}

/// One of the values of a vector's comma-separated list.
#[cfg(test)]
pub(super) fn listed<const N: usize>(value: &serde_json::Value, index: usize) -> [u8; N] {
    let text = value.as_str().unwrap().split(',').nth(index).unwrap();
    hex::decode(text).unwrap().try_into().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The OPRF mode (0x00) vectors of RFC 9497 appendix A.1.1 share everything with mode 0x01 but the
    /// context string, so they check hashing and finalisation a second time.
    #[test]
    fn base_mode_vectors_of_rfc_9497() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../../vectors/rfc9497-oprf-ristretto255.json")).unwrap();
        let bytes = |value: &serde_json::Value| hex::decode(value.as_str().unwrap()).unwrap();
        let key = decode_scalar(bytes(&vectors["skSm"]).as_slice().try_into().unwrap()).unwrap();
        for vector in vectors["vectors"].as_array().unwrap() {
            let input = bytes(&vector["Input"]);
            let blind = decode_scalar(bytes(&vector["Blind"]).as_slice().try_into().unwrap()).unwrap();
            let blinded = hash_to_group_as(&input, b"HashToGroup-OPRFV1-\x00-ristretto255-SHA512").unwrap() * blind;
            assert_eq!(blinded.compress().to_bytes().to_vec(), bytes(&vector["BlindedElement"]));
            let evaluated = blinded * key;
            assert_eq!(evaluated.compress().to_bytes().to_vec(), bytes(&vector["EvaluationElement"]));
            let output = output_hash(&[input.as_slice()], &(evaluated * blind.invert()).compress());
            assert_eq!(output.to_vec(), bytes(&vector["Output"]));
        }
    }
}
