use std::fmt;

use mosaic_types::TileId;

use crate::{
    barrier::sealed,
    codec::{DecodeError, Field, Reader, Writer},
};

/// Bytes of a signed statement of two aggregators about a day (`docs/spec/aggregate.md`).
pub const STATEMENT: usize = 411;

/// The most statements that a provider keeps and hands out: one for each of the last days.
pub const MOST_STATEMENTS: usize = 31;

/// Which of the two aggregators a share of a report is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The one that asks for proofs: the longer share.
    Leader,
    /// The other one: a seed.
    Helper,
}

/// One of the two shares of a report (PRIVACY B.7): by itself uniform, whatever was reported. Only a released share can
/// be encoded (see [`crate::encode`]).
#[derive(Clone, PartialEq, Eq)]
pub struct ReportFields {
    /// Whom it is for.
    pub side: Side,
    /// The public area that is counted.
    pub tile: TileId,
    /// The day that is counted, in days since 1970.
    pub day: u32,
    /// Random, equal in both shares.
    pub id: [u8; 16],
    /// The public share, equal in both.
    pub public_share: [u8; Self::PUBLIC_SHARE],
    /// The input share: [`Self::LEADER_SHARE`] bytes, or [`Self::HELPER_SHARE`] and zeros.
    pub input_share: [u8; Self::LEADER_SHARE],
}

impl ReportFields {
    /// Bytes of a share of a report.
    pub const SIZE: usize = 26 + Self::PUBLIC_SHARE + Self::LEADER_SHARE;
    /// Bytes of the public share.
    pub const PUBLIC_SHARE: usize = 64;
    /// Bytes of the leader's input share.
    pub const LEADER_SHARE: usize = 1_824;
    /// Bytes of the helper's input share.
    pub const HELPER_SHARE: usize = 64;
    /// Version of the layout.
    pub const VERSION: u8 = 1;

    /// Reads a share; whether it is one of a histogram is for the aggregators to find out together.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size or version, an unknown side, or padding that is not zero.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::exact(bytes, Self::SIZE)?;
        reader.version(Self::VERSION)?;
        let side = match reader.u8()? {
            0 => Side::Leader,
            1 => Side::Helper,
            _ => return Err(DecodeError::OutOfRange(Field::Kind)),
        };
        let (tile, day) = (TileId(reader.u32()?), reader.u32()?);
        let share =
            Self { side, tile, day, id: reader.take()?, public_share: reader.take()?, input_share: reader.take()? };
        let padded = side == Side::Helper && share.input_share[Self::HELPER_SHARE..].iter().any(|byte| *byte != 0);
        if padded { Err(DecodeError::Reserved) } else { Ok(share) }
    }

    /// The input share without its padding.
    pub fn input(&self) -> &[u8] {
        match self.side {
            Side::Leader => &self.input_share,
            Side::Helper => &self.input_share[..Self::HELPER_SHARE],
        }
    }
}

impl sealed::Object for ReportFields {
    fn bytes(&self) -> Vec<u8> {
        Writer::<{ Self::SIZE }>::new()
            .byte(Self::VERSION)
            .byte(self.side as u8)
            .put(&self.tile.0.to_be_bytes())
            .put(&self.day.to_be_bytes())
            .put(&self.id)
            .put(&self.public_share)
            .put(&self.input_share)
            .finish()
            .to_vec()
    }
}

impl fmt::Debug for ReportFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReportFields({:?}, {:?}, day {})", self.side, self.tile, self.day)
    }
}
