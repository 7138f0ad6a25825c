//! Whether two people have at least three of up to sixteen things in common, and nothing else if they have not (PRIVACY
//! section 5, `docs/spec/matching.md`).
//!
//! Threshold private set intersection after Zhao and Chow (WPES 2018) over an oblivious function on ristretto255 (2HashDH,
//! hash to the group by RFC 9380). The *holder* puts a share of a secret at each of its elements (Shamir, three shares
//! give the secret back), every share behind a pad that only the function's output at that element takes off, and
//! sends the polynomial through all of them. The *asker* has the function evaluated at its own elements unseen. At an
//! element of both it finds a share; elsewhere, and below three shares, what it finds is uniform.
//!
//! Both are padded to sixteen, so sizes say nothing. The asker alone learns the outcome, and where it is reached, which of
//! its elements made it: what may follow an outcome of this kind is an offer and no disclosure.

use std::collections::BTreeSet;

use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use rand::{CryptoRng, seq::SliceRandom as _};
use subtle::{Choice, ConstantTimeEq as _};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    digest,
    oprf::{decode_point, hash_to_group_as, hash_to_scalar_as, random_scalar},
};

/// Elements of a set, with padding.
pub const ELEMENTS: usize = 16;
/// Common elements from which on the outcome is [`Agreement::Reached`].
pub const THRESHOLD: usize = 3;
/// Bytes of what the asker sends: sixteen points.
pub const QUERY: usize = 32 * ELEMENTS;
/// Bytes of the reply: sixteen points, sixteen coefficients and the check of the secret.
pub const ANSWER: usize = 32 * (2 * ELEMENTS + 1);

const DST_GROUP: &[u8] = b"mosaic-psi-V01-CS01-with-ristretto255_XMD:SHA-512_R255MAP_RO_";
const DST_PLACE: &[u8] = b"mosaic-psi-V01-CS02-place";
const DST_PAD: &[u8] = b"mosaic-psi-V01-CS03-pad";

/// The outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// Too little in common.
    Below,
    /// Enough in common.
    Reached,
}

/// Why a step failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PsiError {
    /// More than [`ELEMENTS`] different elements.
    #[error("a set has at most sixteen elements")]
    TooMany,
    /// A message of another size, or 32 bytes in it that are no canonical point or scalar.
    #[error("not a message of this exchange")]
    Malformed,
}

/// What the asker keeps. Erased on drop.
#[derive(ZeroizeOnDrop)]
pub struct AwaitAnswer {
    blinds: Vec<Scalar>,
}

/// Where the function sends an element, and what takes the pad off its share. Erased on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Output {
    place: Scalar,
    pad: Scalar,
}

/// The asker's message for its set; `session` names the exchange and is the same on both sides.
///
/// # Errors
/// [`PsiError::TooMany`].
pub fn ask(
    elements: &[&[u8]],
    session: &[u8; 32],
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<(Vec<u8>, AwaitAnswer), PsiError> {
    let mut points = hashed(elements, session)?;
    points.resize_with(ELEMENTS, || RistrettoPoint::random(rng));
    // a holder that answers some of the points only must not learn which element stood there
    points.shuffle(rng);
    let blinds: Vec<Scalar> = points.iter().map(|_| random_scalar(rng)).collect();
    let query = points.iter().zip(&blinds).flat_map(|(point, blind)| (point * blind).compress().to_bytes()).collect();
    Ok((query, AwaitAnswer { blinds }))
}

/// The holder's reply.
///
/// # Errors
/// [`PsiError`].
pub fn answer(
    elements: &[&[u8]],
    session: &[u8; 32],
    query: &[u8],
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<Vec<u8>, PsiError> {
    let asked = points(query)?;
    let key = Zeroizing::new(random_scalar(rng));
    let mut outputs: Vec<Output> = hashed(elements, session)?.iter().map(|point| Output::of(&(point * *key))).collect();
    outputs.resize_with(ELEMENTS, || Output { place: random_scalar(rng), pad: random_scalar(rng) });
    let secret: Zeroizing<[Scalar; THRESHOLD]> = Zeroizing::new([(); THRESHOLD].map(|()| random_scalar(rng)));
    let values: Zeroizing<Vec<Scalar>> =
        Zeroizing::new(outputs.iter().map(|output| evaluate(secret.as_slice(), &output.place) + output.pad).collect());
    let places: Zeroizing<Vec<Scalar>> = Zeroizing::new(outputs.iter().map(|output| output.place).collect());
    let mut reply: Vec<u8> = asked.iter().flat_map(|point| (point * *key).compress().to_bytes()).collect();
    reply.extend(interpolate(&places, &values).iter().flat_map(Scalar::to_bytes));
    reply.extend(check(session, &secret[0]));
    Ok(reply)
}

impl AwaitAnswer {
    /// The outcome.
    ///
    /// # Errors
    /// [`PsiError::Malformed`].
    pub fn finish(mut self, session: &[u8; 32], answer: &[u8]) -> Result<Agreement, PsiError> {
        if answer.len() != ANSWER {
            return Err(PsiError::Malformed);
        }
        let (evaluated, rest) = answer.split_at(QUERY);
        let (coefficients, expected) = rest.split_at(QUERY);
        let coefficients: Vec<Scalar> = pieces(coefficients)?
            .iter()
            .map(|bytes| Option::from(Scalar::from_canonical_bytes(*bytes)).ok_or(PsiError::Malformed))
            .collect::<Result<_, _>>()?;
        let evaluated = points(evaluated)?;
        Scalar::invert_batch_alloc(&mut self.blinds);
        let outputs = evaluated.iter().zip(&self.blinds).map(|(point, inverse)| Output::of(&(point * inverse)));
        let shares: Vec<Share> = outputs
            .map(|output| Share { place: output.place, value: evaluate(&coefficients, &output.place) - output.pad })
            .collect();
        // all of them, whichever fits: how long this takes says nothing
        let fits =
            secrets(&shares).fold(Choice::from(0), |fits, secret| fits | check(session, &secret).ct_eq(expected));
        Ok(if bool::from(fits) { Agreement::Reached } else { Agreement::Below })
    }
}

impl Output {
    fn of(point: &RistrettoPoint) -> Self {
        let bytes = Zeroizing::new(point.compress().to_bytes());
        let hash = |dst| hash_to_scalar_as(&[bytes.as_slice()], dst);
        Self { place: hash(DST_PLACE), pad: hash(DST_PAD) }
    }
}

/// A point of the secret's polynomial, or of none.
#[derive(ZeroizeOnDrop)]
struct Share {
    place: Scalar,
    value: Scalar,
}

/// The value at 0 of the quadratic through every three of the shares.
fn secrets(shares: &[Share]) -> impl Iterator<Item = Scalar> {
    let count = shares.len();
    // one inversion for all differences; two equal places, which no honest exchange has, give no secret
    let difference = |(a, b): (usize, usize)| {
        let difference = shares[b].place - shares[a].place;
        if difference == Scalar::ZERO { Scalar::ONE } else { difference }
    };
    let pairs = move || (0..count).flat_map(move |a| (a + 1..count).map(move |b| (a, b)));
    let mut inverses: Vec<Scalar> = pairs().map(difference).collect();
    Scalar::invert_batch_alloc(&mut inverses);
    let inverse = move |a: usize, b: usize| inverses[a * count - a * (a + 1) / 2 + b - a - 1];
    pairs().flat_map(move |(a, b)| (b + 1..count).map(move |c| (a, b, c))).map(move |(a, b, c)| {
        let [one, two, three] = [a, b, c].map(|at| &shares[at]);
        let (ab, ac, bc) = (inverse(a, b), inverse(a, c), inverse(b, c));
        one.value * two.place * three.place * ab * ac - two.value * one.place * three.place * ab * bc
            + three.value * one.place * two.place * ac * bc
    })
}

/// What the asker holds a secret it found against.
fn check(session: &[u8; 32], secret: &Scalar) -> [u8; 32] {
    digest(&[b"psi secret", session, &secret.to_bytes()])
}

/// The set in the group, each element once.
fn hashed(elements: &[&[u8]], session: &[u8; 32]) -> Result<Vec<RistrettoPoint>, PsiError> {
    let elements: BTreeSet<&[u8]> = elements.iter().copied().collect();
    if elements.len() > ELEMENTS {
        return Err(PsiError::TooMany);
    }
    let point = |element: &[u8]| hash_to_group_as(&[session, element].concat(), DST_GROUP);
    elements.into_iter().map(point).collect::<Result<_, _>>().map_err(|_| PsiError::Malformed)
}

fn pieces(bytes: &[u8]) -> Result<&[[u8; 32]; ELEMENTS], PsiError> {
    let (pieces, []) = bytes.as_chunks::<32>() else { return Err(PsiError::Malformed) };
    pieces.try_into().map_err(|_| PsiError::Malformed)
}

fn points(bytes: &[u8]) -> Result<Vec<RistrettoPoint>, PsiError> {
    pieces(bytes)?.iter().map(|piece| decode_point(piece).map_err(|_| PsiError::Malformed)).collect()
}

/// A polynomial's value; the lowest coefficient first.
fn evaluate(coefficients: &[Scalar], at: &Scalar) -> Scalar {
    coefficients.iter().rev().fold(Scalar::ZERO, |value, coefficient| value * at + coefficient)
}

/// The polynomial through the points, by Newton's divided differences. Places are outputs of a hash or drawn: no two are
/// equal.
fn interpolate(places: &[Scalar], values: &[Scalar]) -> Zeroizing<Vec<Scalar>> {
    let count = places.len();
    let mut table = Zeroizing::new(values.to_vec());
    for step in 1..count {
        let mut inverses: Zeroizing<Vec<Scalar>> =
            Zeroizing::new((step..count).map(|at| places[at] - places[at - step]).collect());
        Scalar::invert_batch_alloc(&mut inverses);
        for at in (step..count).rev() {
            table[at] = (table[at] - table[at - 1]) * inverses[at - step];
        }
    }
    let mut coefficients = Zeroizing::new(vec![Scalar::ZERO; count]);
    for at in (0..count).rev() {
        for higher in (1..count).rev() {
            coefficients[higher] = coefficients[higher - 1] - coefficients[higher] * places[at];
        }
        coefficients[0] = table[at] - coefficients[0] * places[at];
    }
    coefficients
}

#[cfg(test)]
mod tests;
