//! Whether what two people care about adds up to enough: a sum over encrypted weights of which one bit comes back
//! (PRIVACY section 11, `docs/spec/matching.md`).
//!
//! Exponential ElGamal over ristretto255. The *asker* sends each of its 64 weights encrypted to itself. The *holder* adds up
//! those of the at most sixteen interests it shares, s, and returns for every sum that is enough, j = 3 to 48, an
//! encryption of r (s − j) for a fresh r, in an order of its own. One of them is zero if and only if s is among them; all
//! others are uniform. Each is encrypted afresh: from r times its own randomness the asker could test guesses.
//!
//! A holder that sends an encryption of zero forces the bit, so it gates an offer and never a disclosure. An asker whose
//! weights are not 0 to 3 learns one bit all the same, of a sum of its choice.

use curve25519_dalek::{
    constants::RISTRETTO_BASEPOINT_TABLE as BASE,
    ristretto::{RistrettoBasepointTable, RistrettoPoint},
    scalar::Scalar,
    traits::Identity as _,
};
use rand::{CryptoRng, seq::SliceRandom as _};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use thiserror::Error;
use zeroize::ZeroizeOnDrop;

use crate::{
    oprf::{decode_point, random_scalar},
    psi::Agreement,
};

/// Interests that have a weight.
pub const INTERESTS: usize = 64;
/// The most weight of one interest.
pub const HEAVIEST: u8 = 3;
/// Interests a holder may share.
pub const SHARED: usize = 16;
/// The least sum that is enough.
pub const ENOUGH: u8 = 3;
/// Bytes of what the asker sends: its key and an encryption for each interest.
pub const QUERY: usize = 32 + 64 * INTERESTS;
/// Bytes of the reply: an encryption for each sum that is enough.
pub const ANSWER: usize = 64 * SUMS;

const SUMS: usize = HEAVIEST as usize * SHARED - ENOUGH as usize + 1;

/// Why a step failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ScoreError {
    /// A weight above [`HEAVIEST`].
    #[error("a weight is 0 to 3")]
    Weight,
    /// More than [`SHARED`] interests.
    #[error("at most sixteen interests may be shared")]
    TooMany,
    /// A message of another size, or 32 bytes in it that are no canonical point.
    #[error("not a message of this exchange")]
    Malformed,
}

/// What the asker keeps. Erased on drop.
#[derive(ZeroizeOnDrop)]
pub struct AwaitAnswer {
    key: Scalar,
}

/// The asker's message.
///
/// # Errors
/// [`ScoreError::Weight`].
pub fn ask(
    weights: &[u8; INTERESTS],
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<(Vec<u8>, AwaitAnswer), ScoreError> {
    if weights.iter().any(|weight| *weight > HEAVIEST) {
        return Err(ScoreError::Weight);
    }
    let key = random_scalar(rng);
    let mut query = (BASE * &key).compress().to_bytes().to_vec();
    for weight in weights {
        let random = random_scalar(rng);
        let sealed = [BASE * &random, BASE * &(Scalar::from(*weight) + random * key)];
        query.extend(sealed.iter().flat_map(|point| point.compress().to_bytes()));
    }
    Ok((query, AwaitAnswer { key }))
}

/// The holder's reply; `shared` marks its interests.
///
/// # Errors
/// [`ScoreError::TooMany`] and [`ScoreError::Malformed`].
pub fn answer(
    shared: &[bool; INTERESTS],
    query: &[u8],
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<Vec<u8>, ScoreError> {
    if shared.iter().filter(|shared| **shared).count() > SHARED {
        return Err(ScoreError::TooMany);
    }
    let points = points(query, QUERY)?;
    let Some((key, sealed)) = points.split_first() else { return Err(ScoreError::Malformed) };
    let mut sum = [RistrettoPoint::identity(); 2];
    for (pair, shared) in sealed.as_chunks::<2>().0.iter().zip(shared) {
        // something is added for every weight, so how long this takes says nothing
        let shared = Choice::from(u8::from(*shared));
        for (sum, point) in sum.iter_mut().zip(pair) {
            *sum += RistrettoPoint::conditional_select(&RistrettoPoint::identity(), point, shared);
        }
    }
    let [key, random, value] = [key, &sum[0], &sum[1]].map(RistrettoBasepointTable::create);
    let mut enough: Vec<u64> = (u64::from(ENOUGH)..).take(SUMS).collect();
    enough.shuffle(rng);
    let mut reply = Vec::with_capacity(ANSWER);
    for sum in enough {
        let (factor, fresh) = (random_scalar(rng), random_scalar(rng));
        let tested = [
            &random * &factor + BASE * &fresh,
            &value * &factor - BASE * &(factor * Scalar::from(sum)) + &key * &fresh,
        ];
        reply.extend(tested.iter().flat_map(|point| point.compress().to_bytes()));
    }
    Ok(reply)
}

impl AwaitAnswer {
    /// The outcome.
    ///
    /// # Errors
    /// [`ScoreError::Malformed`].
    pub fn finish(self, answer: &[u8]) -> Result<Agreement, ScoreError> {
        let points = points(answer, ANSWER)?;
        let zero = |[random, value]: &[RistrettoPoint; 2]| (random * self.key).ct_eq(value);
        // all of them, whichever it is: how long this takes says nothing
        let any = points.as_chunks::<2>().0.iter().fold(Choice::from(0), |any, pair| any | zero(pair));
        Ok(if bool::from(any) { Agreement::Reached } else { Agreement::Below })
    }
}

/// A message as its points. None is the identity: what is sent is uniform, and a weight behind it would be in clear.
fn points(bytes: &[u8], size: usize) -> Result<Vec<RistrettoPoint>, ScoreError> {
    if bytes.len() != size {
        return Err(ScoreError::Malformed);
    }
    bytes.as_chunks::<32>().0.iter().map(|piece| decode_point(piece).map_err(|_| ScoreError::Malformed)).collect()
}

#[cfg(test)]
mod tests;
