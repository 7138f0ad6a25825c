//! The threshold OPRF: RFC 9497, ristretto255-SHA512, mode VOPRF (0x01), its key shared over providers.
//!
//! Hashing, blinding, the batched proof and finalisation are the RFC's to the byte (its vectors run in
//! the tests). The threshold adds one thing: provider *i* holds `f(i)` of a polynomial with `f(0)` the
//! key, evaluates with it and proves that against its public share `f(i)·G`; the client interpolates
//! the evaluated points at 0 and finalises as if one key had answered (Jarecki et al., 2HashDH). No
//! single provider can evaluate, so none can enumerate the public vocabulary offline.
//!
//! [`partial`] is the RFC's third mode, POPRF (0x02), under one provider's key: anonymous tokens.
//!
//! What is secret (key shares, blinds, proof nonces) goes through constant-time arithmetic; points,
//! proofs and Lagrange coefficients are public and use the faster variable-time kind (S-61).

mod client;
mod combine;
pub mod partial;
mod proof;
mod share;
mod suite;
#[cfg(test)]
mod vectors;

pub use client::{Blind, OprfOutput, blind, combine_and_finalize, finalize_all};
pub use combine::combine;
pub use proof::verify_evaluation;
pub use share::{Evaluation, KeyShare, WholeKey};
#[cfg(test)]
pub(crate) use suite::decode_scalar;
pub(crate) use suite::{decode_point, hash_to_group_as, hash_to_scalar_as, random_scalar};

use thiserror::Error;

/// The most points one batch may hold: the proof numbers them in two bytes. The wire fixes 16.
pub const MAX_BATCH: usize = u16::MAX as usize;

/// Why an OPRF step failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OprfError {
    /// 32 bytes that are no canonical ristretto255 point, or the identity.
    #[error("not a group element")]
    InvalidPoint,
    /// 32 bytes that are no canonical non-zero scalar.
    #[error("not a scalar")]
    InvalidScalar,
    /// The input hashes to the identity (RFC 9497 `InvalidInputError`; never seen) or is over 65,535 bytes.
    #[error("the input cannot be evaluated")]
    InvalidInput,
    /// No points, more than [`MAX_BATCH`], or lists of different lengths.
    #[error("the batch has a wrong number of points")]
    BatchSize,
    /// The proof does not hold: the provider did not use the share it is known by.
    #[error("the evaluation's proof does not hold")]
    BadProof,
    /// Fewer than two providers, or one provider twice.
    #[error("evaluations of at least two different providers are needed")]
    TooFewParts,
}
