//! Shamir sharing over GF(256), byte by byte, on `vsss-rs` (L3-72).
//!
//! Any `k` shares give the secret; `k - 1` are uniform bytes whatever the secret is (tested exactly).
//! Shares carry no checksum: a wrong one gives a wrong secret, so seal what must be recognised.

use rand::CryptoRng;
use subtle::{Choice, ConstantTimeEq};
use thiserror::Error;
use vsss_rs::Gf256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// One share: an x-coordinate (never 0) and as many bytes as the secret has. Erased on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Share {
    index: u8,
    values: Vec<u8>,
}

/// Why a secret could not be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SplitError {
    /// `k` must lie between 2 and `n`.
    #[error("the threshold lies between 2 and the number of shares")]
    Threshold,
    /// Nothing to split.
    #[error("an empty secret cannot be split")]
    EmptySecret,
}

/// Why shares do not make a quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum QuorumError {
    /// Fewer shares than the threshold.
    #[error("too few shares")]
    TooFew,
    /// Two shares have one x-coordinate.
    #[error("two shares have the same number")]
    Repeated,
    /// Shares of different lengths.
    #[error("the shares have different lengths")]
    Lengths,
}

/// A share's encoding has no x-coordinate, x = 0, or no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a share")]
pub struct MalformedShare;

/// Evidence that at least `k` shares of one length and distinct x-coordinates are at hand; only
/// [`Quorate::check`] makes one.
pub struct Quorate<'a>(&'a [Share]);

impl Share {
    /// The x-coordinate, `1..=255`.
    pub const fn index(&self) -> u8 {
        self.index
    }

    /// The share's bytes, as many as the secret has.
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// x-coordinate ‖ values.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(1 + self.values.len()));
        bytes.push(self.index);
        bytes.extend_from_slice(&self.values);
        bytes
    }

    /// Reads [`Share::to_bytes`].
    ///
    /// # Errors
    /// [`MalformedShare`] without a non-zero x-coordinate and at least one byte.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MalformedShare> {
        match bytes.split_first() {
            Some((&index, values)) if index != 0 && !values.is_empty() => Ok(Self { index, values: values.to_vec() }),
            _ => Err(MalformedShare),
        }
    }
}

impl ConstantTimeEq for Share {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.index.ct_eq(&other.index) & self.values.ct_eq(&other.values)
    }
}

impl<'a> Quorate<'a> {
    /// Checks that `shares` are at least `k`, alike in length, and distinct.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub fn check(shares: &'a [Share], k: u8) -> Result<Self, QuorumError> {
        let Some(first) = shares.first() else { return Err(QuorumError::TooFew) };
        if shares.len() < usize::from(k.max(2)) {
            return Err(QuorumError::TooFew);
        }
        if shares.iter().any(|share| share.values.len() != first.values.len()) {
            return Err(QuorumError::Lengths);
        }
        let mut seen = [false; 256];
        if shares.iter().any(|share| std::mem::replace(&mut seen[usize::from(share.index)], true)) {
            return Err(QuorumError::Repeated);
        }
        Ok(Self(shares))
    }
}

/// Splits `secret` into `n` shares of which any `k` reconstruct it.
///
/// # Errors
/// [`SplitError`] for an empty secret or `k` outside `2..=n`.
pub fn split(secret: &[u8], k: u8, n: u8, rng: &mut (impl CryptoRng + ?Sized)) -> Result<Vec<Share>, SplitError> {
    if secret.is_empty() {
        return Err(SplitError::EmptySecret);
    }
    if k < 2 || k > n {
        return Err(SplitError::Threshold);
    }
    let shares = Gf256::split_bytes(k.into(), n.into(), secret, rng).map_err(|_| SplitError::Threshold)?;
    shares
        .into_iter()
        .map(|bytes| Share::from_bytes(&Zeroizing::new(bytes)).map_err(|_| SplitError::Threshold))
        .collect()
}

/// The secret, by Lagrange interpolation at 0. Infallible for real quorums; shares of different secrets
/// give bytes that mean nothing.
pub fn reconstruct(shares: &Quorate<'_>) -> Zeroizing<Vec<u8>> {
    let raw: Zeroizing<Vec<Vec<u8>>> = Zeroizing::new(shares.0.iter().map(|share| share.to_bytes().to_vec()).collect());
    match Gf256::combine_bytes(raw.as_slice()) {
        Ok(secret) => Zeroizing::new(secret),
        Err(_) => unreachable!("a quorum has distinct non-zero numbers and equal lengths"),
    }
}
