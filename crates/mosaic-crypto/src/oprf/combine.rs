//! Interpolation of evaluated points at 0.
//!
//! Providers have small numbers, so the Lagrange coefficients are fractions of small integers with one common
//! denominator: summing by the numerators costs a few doublings instead of a full multiplication,
//! and the denominator folds into a multiplication that happens anyway.

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
    let (sums, denominator) = weighted_sums(parts)?;
    if denominator == Scalar::ONE {
        return Ok(sums.iter().map(|sum| sum.compress().to_bytes()).collect());
    }
    let half = denominator.invert().div_by_2();
    let halves: Vec<RistrettoPoint> =
        sums.iter().map(|sum| RistrettoPoint::vartime_multiscalar_mul([half], [sum])).collect();
    Ok(encode_doubled(&halves))
}

/// Row by row the sum of the parts weighted by the Lagrange numerators, and the common denominator.
pub(super) fn weighted_sums(parts: &[(ProviderId, &[[u8; 32]])]) -> Result<(Vec<RistrettoPoint>, Scalar), OprfError> {
    let providers: Vec<ProviderId> = parts.iter().map(|(provider, _)| *provider).collect();
    let weights = Weights::at_zero(&providers)?;
    let columns = parts.iter().map(|(_, points)| decode_points(points)).collect::<Result<Vec<_>, _>>()?;
    let rows = columns[0].len();
    if columns.iter().any(|column| column.len() != rows) {
        return Err(OprfError::BatchSize);
    }
    let sum_row = |row: usize| {
        let terms =
            columns.iter().zip(&weights.numerators).map(|(column, weight)| small_multiple(*weight, &column[row]));
        let sum: RistrettoPoint = terms.sum();
        if sum == RistrettoPoint::identity() { Err(OprfError::InvalidPoint) } else { Ok(sum) }
    };
    Ok(((0..rows).map(sum_row).collect::<Result<_, _>>()?, scalar(weights.denominator)))
}

/// The coefficients λᵢ = ∏ⱼ j / (j - i) of interpolation at 0, over one positive denominator in lowest terms.
/// With numbers up to 15 the denominator divides 14! and a numerator stays below 15!·14! < 2^77.
pub(super) struct Weights {
    numerators: Vec<i128>,
    denominator: i128,
}

impl Weights {
    /// The coefficients of at least two distinct providers.
    pub(super) fn at_zero(providers: &[ProviderId]) -> Result<Self, OprfError> {
        if providers.len() < 2 || providers.len() > 15 {
            return Err(OprfError::TooFewParts);
        }
        let fractions: Vec<(i128, i128)> = (0..providers.len()).map(|place| fraction(providers, place)).collect();
        if fractions.iter().any(|(_, below)| *below == 0) {
            return Err(OprfError::TooFewParts);
        }
        let common = fractions.iter().fold(1, |common, (_, below)| common / gcd(common, *below) * below.abs());
        let numerators: Vec<i128> = fractions.iter().map(|(above, below)| above * (common / below)).collect();
        let shared = numerators.iter().fold(common, |shared, numerator| gcd(shared, *numerator));
        Ok(Self {
            numerators: numerators.iter().map(|numerator| numerator / shared).collect(),
            denominator: common / shared,
        })
    }

    /// The coefficients as scalars.
    pub(super) fn scalars(&self) -> Vec<Scalar> {
        let inverse = scalar(self.denominator).invert();
        self.numerators.iter().map(|numerator| scalar(*numerator) * inverse).collect()
    }
}

/// ∏ j and ∏ (j - i) over the others.
fn fraction(providers: &[ProviderId], place: usize) -> (i128, i128) {
    let me = i128::from(providers[place].get());
    let others = providers.iter().enumerate().filter(|(other, _)| *other != place);
    let numbers = others.map(|(_, other)| i128::from(other.get()));
    numbers.fold((1, 1), |(above, below), other| (above * other, below * (other - me)))
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

fn scalar(value: i128) -> Scalar {
    let magnitude = Scalar::from(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}

/// `weight · point`, in time that depends on the public weight.
fn small_multiple(weight: i128, point: &RistrettoPoint) -> RistrettoPoint {
    let magnitude = weight.unsigned_abs();
    let bits = (0..magnitude.checked_ilog2().map_or(0, |top| top + 1)).rev();
    let multiple = bits.fold(RistrettoPoint::identity(), |sum, bit| {
        let doubled = sum + sum;
        if magnitude >> bit & 1 == 1 { doubled + point } else { doubled }
    });
    if weight < 0 { -multiple } else { multiple }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn providers(numbers: &[u8]) -> Vec<ProviderId> {
        numbers.iter().map(|number| ProviderId::new(*number).unwrap()).collect()
    }

    #[test]
    fn weights_interpolate_every_set_of_providers() {
        for mask in 1_u16..1 << 15 {
            let numbers: Vec<u8> = (1..=15).filter(|number| mask >> (number - 1) & 1 == 1).collect();
            let Ok(weights) = Weights::at_zero(&providers(&numbers)) else {
                assert!(numbers.len() < 2);
                continue;
            };
            // 1 and x are polynomials of degree 0 and 1: their values at 0 are 1 and 0.
            assert_eq!(weights.numerators.iter().sum::<i128>(), weights.denominator, "{numbers:?}");
            let line: i128 = weights.numerators.iter().zip(&numbers).map(|(w, x)| w * i128::from(*x)).sum();
            assert_eq!(line, 0, "{numbers:?}");
        }
    }

    #[test]
    fn weights_are_small_where_it_matters() {
        let weights = |numbers: &[u8]| Weights::at_zero(&providers(numbers)).unwrap();
        assert_eq!((weights(&[1, 2]).numerators, weights(&[1, 2]).denominator), (vec![2, -1], 1));
        assert_eq!((weights(&[3, 1]).numerators, weights(&[3, 1]).denominator), (vec![-1, 3], 2));
        assert!(Weights::at_zero(&providers(&[2, 2])).is_err());
    }

    #[test]
    fn small_multiples_are_multiples() {
        let point = RistrettoPoint::mul_base(&Scalar::from(77_u8));
        for weight in [-15, -2, -1, 0, 1, 2, 3, 14, 1_307_674_368_000] {
            assert_eq!(small_multiple(weight, &point), point * scalar(weight), "{weight}");
        }
    }
}
