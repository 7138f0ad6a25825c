//! What a set of dealings comes to.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity as _;
use mosaic_types::ProviderId;
use thiserror::Error;
use zeroize::Zeroizing;

use super::dealing::{Dealing, commitment_at};
use super::envelope::{OpenShareError, open_share};
use super::min_dealers;
use crate::agreement::AgreementSecret;
use crate::digest;
use crate::oprf::KeyShare;

/// The public result of a ceremony, the same for everybody who has the same dealings in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The table key · G.
    pub public_key: [u8; 32],
    /// What each provider's evaluations are checked against, in ascending order of providers.
    pub public_shares: Vec<(ProviderId, [u8; 32])>,
    /// Digest of all dealings in ascending order of dealers: what two providers sign.
    pub transcript: [u8; 32],
}

/// Why dealings have no outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OutcomeError {
    /// Fewer than [`min_dealers`].
    #[error("dealings of at least two dealers, and of as many as the threshold, are needed")]
    TooFewDealers,
    /// One dealer twice.
    #[error("a dealer appears twice")]
    Repeated,
    /// Context, threshold or recipients differ.
    #[error("the dealings are not for the same key")]
    Mismatched,
    /// The key or a share is zero: the dealers have cancelled each other out.
    #[error("the dealings cancel each other out")]
    Degenerate,
}

/// Why a provider has no share.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum AssembleError {
    /// The dealings have no outcome.
    #[error(transparent)]
    Outcome(#[from] OutcomeError),
    /// One dealing gives this provider no good share.
    #[error("dealing of provider {dealer}: {error}")]
    Share {
        /// Whose dealing.
        dealer: ProviderId,
        /// What is wrong; a complaint if the dealer cheated.
        error: OpenShareError,
    },
}

/// Sums the dealings' commitments.
///
/// # Errors
/// [`OutcomeError`].
pub fn outcome(dealings: &[Dealing]) -> Result<Outcome, OutcomeError> {
    let ordered = ordered(dealings)?;
    let first = ordered[0];
    let mut sums = vec![RistrettoPoint::default(); first.commitments.len()];
    for dealing in &ordered {
        let points = dealing.points().map_err(|_| OutcomeError::Mismatched)?;
        sums.iter_mut().zip(points).for_each(|(sum, point)| *sum += point);
    }
    let share_of = |recipient| encode(&commitment_at(&sums, recipient)).map(|public| (recipient, public));
    let digests: Vec<[u8; 32]> = ordered.iter().map(|dealing| dealing.digest()).collect();
    Ok(Outcome {
        public_key: encode(&sums[0])?,
        public_shares: first.envelopes.iter().map(|envelope| share_of(envelope.recipient)).collect::<Result<_, _>>()?,
        transcript: digest(&[b"mosaic/1/transcript", digests.as_flattened()]),
    })
}

/// The share of `me`: the sum of what the dealings hold for it. Works at any later time from the same
/// dealings, so an absent provider catches up.
///
/// # Errors
/// [`AssembleError`], naming the dealer whose dealing is bad.
pub fn assemble(dealings: &[Dealing], me: ProviderId, mine: &AgreementSecret) -> Result<KeyShare, AssembleError> {
    let mut sum = Zeroizing::new(Scalar::ZERO);
    for dealing in ordered(dealings)? {
        let dealer = dealing.dealer;
        *sum += open_share(dealing, me, mine).map_err(|error| AssembleError::Share { dealer, error })?.0;
    }
    KeyShare::from_scalar(*sum).map_err(|_| OutcomeError::Degenerate.into())
}

/// The dealings by dealer, once they are seen to belong together.
fn ordered(dealings: &[Dealing]) -> Result<Vec<&Dealing>, OutcomeError> {
    let Some(first) = dealings.first() else { return Err(OutcomeError::TooFewDealers) };
    let mut ordered: Vec<&Dealing> = dealings.iter().collect();
    ordered.sort_unstable_by_key(|dealing| dealing.dealer);
    if ordered.windows(2).any(|pair| pair[0].dealer == pair[1].dealer) {
        return Err(OutcomeError::Repeated);
    }
    let alike = |a: &Dealing, b: &Dealing| {
        a.context == b.context && a.threshold() == b.threshold() && a.recipients() == b.recipients()
    };
    if !ordered.windows(2).all(|pair| alike(pair[0], pair[1])) {
        return Err(OutcomeError::Mismatched);
    }
    if ordered.len() < min_dealers(first.threshold()) { Err(OutcomeError::TooFewDealers) } else { Ok(ordered) }
}

fn encode(point: &RistrettoPoint) -> Result<[u8; 32], OutcomeError> {
    if point.is_identity() { Err(OutcomeError::Degenerate) } else { Ok(point.compress().to_bytes()) }
}
