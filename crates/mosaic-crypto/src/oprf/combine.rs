//! Interpolation of evaluated points at 0.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity as _, VartimeMultiscalarMul as _};
use mosaic_types::ProviderId;

use super::OprfError;
use super::suite::{decode_points, encode_doubled};

/// Combines what different providers evaluated for one list of points into what the whole key would
/// have answered. Check every part with [`super::verify_evaluation`] first: a wrong part gives wrong points, not
/// an error. As many providers as the table's threshold are needed, two at least; more do no harm.
///
/// # Errors
/// [`OprfError::TooFewParts`], [`OprfError::BatchSize`] for lists of different lengths, [`OprfError::InvalidPoint`].
pub fn combine(parts: &[(ProviderId, &[[u8; 32]])]) -> Result<Vec<[u8; 32]>, OprfError> {
    let providers: Vec<ProviderId> = parts.iter().map(|(provider, _)| *provider).collect();
    let weights = lagrange_at_zero(&providers)?;
    let columns = parts.iter().map(|(_, points)| decode_points(points)).collect::<Result<Vec<_>, _>>()?;
    let rows = columns[0].len();
    if columns.iter().any(|column| column.len() != rows) {
        return Err(OprfError::BatchSize);
    }
    let half: Vec<Scalar> = weights.iter().map(Scalar::div_by_2).collect();
    let combine_row = |row: usize| {
        let sum = RistrettoPoint::vartime_multiscalar_mul(&half, columns.iter().map(|column| column[row]));
        if sum == RistrettoPoint::identity() { Err(OprfError::InvalidPoint) } else { Ok(sum) }
    };
    let halves = (0..rows).map(combine_row).collect::<Result<Vec<_>, _>>()?;
    Ok(encode_doubled(&halves))
}

/// The coefficients λᵢ = ∏ⱼ j / (j - i) of at least two distinct providers.
pub(super) fn lagrange_at_zero(providers: &[ProviderId]) -> Result<Vec<Scalar>, OprfError> {
    if providers.len() < 2 {
        return Err(OprfError::TooFewParts);
    }
    let mut weights = Vec::with_capacity(providers.len());
    for (place, me) in providers.iter().enumerate() {
        let (mut above, mut below) = (Scalar::ONE, Scalar::ONE);
        for (_, other) in providers.iter().enumerate().filter(|(other, _)| *other != place) {
            above *= Scalar::from(other.get());
            below *= Scalar::from(other.get()) - Scalar::from(me.get());
        }
        if below == Scalar::ZERO {
            return Err(OprfError::TooFewParts);
        }
        weights.push(above * below.invert());
    }
    Ok(weights)
}
