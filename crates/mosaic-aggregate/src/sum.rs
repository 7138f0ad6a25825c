use std::fmt;

use mosaic_crypto::digest;
use mosaic_noise::{accounting::Epsilon, discrete_laplace};
use mosaic_wire::Side;
use prio::field::{Field128, FieldElementWithInteger as _};
use rand::CryptoRng;
use thiserror::Error;

use crate::{ANSWERS, Counted};

/// By how much one report changes a sum when it is replaced by another: one answer less by one, one more by one. How many
/// reports there are is published, so neighbours have equally many.
const STEPS: u32 = 2;

/// What an aggregator publishes of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Fewest reports of a batch.
    pub fewest: u32,
    /// ε of each aggregator's noise.
    pub epsilon: Epsilon,
}

impl Policy {
    /// A thousand reports, ε = 1 a day (PRIVACY section 11).
    pub const STANDARD: Self = Self { fewest: 1_000, epsilon: Epsilon::ONE };
}

impl Default for Policy {
    /// [`Self::STANDARD`].
    fn default() -> Self {
        Self::STANDARD
    }
}

/// Too few reports for anything to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{reports} reports are too few, it takes {fewest}")]
pub struct TooFew {
    /// How many there were.
    pub reports: u32,
    /// How many it takes.
    pub fewest: u32,
}

/// Why two sums do not belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// Of different days or areas, of one side twice, or under different policies.
    #[error("the two sums are not of one batch")]
    OtherBatch,
    /// The aggregators counted different reports.
    #[error("the two aggregators counted different reports")]
    OtherReports,
    /// What comes out is no count: one of the sums was changed.
    #[error("the two sums do not add up to counts")]
    NoCounts,
}

/// Which reports were counted: how many, and a digest that does not depend on their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reports {
    count: u32,
    names: [u8; 32],
}

impl Reports {
    /// Bytes of [`Self::to_bytes`].
    pub(crate) const SIZE: usize = 36;

    pub(crate) const fn count(&self) -> u32 {
        self.count
    }

    /// How many 4 ‖ digest of their names 32.
    pub(crate) fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let (count, names) = bytes.split_at_mut(4);
        count.copy_from_slice(&self.count.to_be_bytes());
        names.copy_from_slice(&self.names);
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let (count, names) = bytes.split_first_chunk()?;
        Some(Self { count: u32::from_be_bytes(*count), names: names.try_into().ok()? })
    }

    pub(crate) fn take_in(&mut self, id: &[u8; 16]) {
        self.count += 1;
        let name = digest(&[b"mosaic/aggregate/report", id]);
        self.names.iter_mut().zip(name).for_each(|(all, one)| *all ^= one);
    }
}

/// One aggregator's sum with its noise on it: uniform by itself, and with the other's a noisy count of every answer.
#[derive(Clone, PartialEq, Eq)]
pub struct NoisedSum {
    pub(crate) counted: Counted,
    pub(crate) side: Side,
    pub(crate) epsilon: Epsilon,
    pub(crate) reports: Reports,
    share: [u128; ANSWERS],
}

pub(crate) fn noised(
    (counted, side): (Counted, Side),
    reports: Reports,
    share: &[Field128],
    policy: Policy,
    rng: &mut impl CryptoRng,
) -> Result<NoisedSum, TooFew> {
    let Policy { fewest, epsilon } = policy;
    if reports.count < fewest {
        return Err(TooFew { reports: reports.count, fewest });
    }
    let mut noisy = [0; ANSWERS];
    for (noisy, share) in noisy.iter_mut().zip(share) {
        let noise = discrete_laplace(epsilon, STEPS, rng);
        let size = Field128::from(u128::from(noise.unsigned_abs()));
        *noisy = u128::from(if noise < 0 { *share - size } else { *share + size });
    }
    Ok(NoisedSum { counted, side, epsilon, reports, share: noisy })
}

impl NoisedSum {
    /// Bytes of a noised sum.
    pub const SIZE: usize = 50 + 16 * ANSWERS;
    const VERSION: u8 = 1;

    /// The sum as it is stored and as the other aggregator gets it: version 1 ‖ side 1 ‖ tile 4 ‖ day 4 ‖ ε in thousandths
    /// 4 ‖ reports 4 ‖ digest of their names 32 ‖ 65 field elements of 16 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![Self::VERSION, self.side as u8];
        bytes.extend(self.counted.context());
        bytes.extend(self.epsilon.thousandths().to_be_bytes());
        bytes.extend(self.reports.count.to_be_bytes());
        bytes.extend(self.reports.names);
        bytes.extend(self.share.iter().flat_map(|share| share.to_be_bytes()));
        bytes
    }

    /// Reads a sum. `None` for anything but what [`Self::encode`] writes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, shares) = bytes.split_at_checked(50).filter(|_| bytes.len() == Self::SIZE)?;
        let word = |at: usize| Some(u32::from_be_bytes(*head.get(at..)?.first_chunk()?));
        let side = match head {
            [Self::VERSION, 0, ..] => Side::Leader,
            [Self::VERSION, 1, ..] => Side::Helper,
            _ => return None,
        };
        let counted = Counted { tile: mosaic_types::TileId(word(2)?), day: word(6)? };
        let reports = Reports { count: word(14)?, names: *head.get(18..)?.first_chunk()? };
        let mut share = [0; ANSWERS];
        for (share, bytes) in share.iter_mut().zip(shares.chunks_exact(16)) {
            *share = u128::from_be_bytes(*bytes.first_chunk()?);
            if *share >= Field128::modulus() {
                return None;
            }
        }
        Some(Self { counted, side, epsilon: Epsilon::from_thousandths(word(10)?).ok()?, reports, share })
    }

    /// The noisy counts of this sum and the other aggregator's.
    pub(crate) fn with(&self, other: &Self) -> Result<[i32; ANSWERS], Mismatch> {
        if (self.counted, self.epsilon) != (other.counted, other.epsilon) || self.side == other.side {
            return Err(Mismatch::OtherBatch);
        }
        if self.reports != other.reports {
            return Err(Mismatch::OtherReports);
        }
        let mut counts = [0; ANSWERS];
        for ((count, mine), theirs) in counts.iter_mut().zip(self.share).zip(other.share) {
            *count = signed(Field128::from(mine) + Field128::from(theirs)).ok_or(Mismatch::NoCounts)?;
        }
        Ok(counts)
    }
}

/// A small whole number as the field holds it: the upper half are the negative ones.
fn signed(element: Field128) -> Option<i32> {
    let (value, modulus) = (u128::from(element), Field128::modulus());
    let half = modulus / 2;
    if value <= half { i32::try_from(value).ok() } else { i32::try_from(modulus - value).ok().map(|size| -size) }
}

impl fmt::Debug for NoisedSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoisedSum({:?}, {:?}, {} reports)", self.counted, self.side, self.reports.count)
    }
}
