use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Period, ServiceClass};

/// One operator of a federation: 1 to 15. Also the x-coordinate of its key share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct ProviderId(u8);

/// A number that names no provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a provider's number lies between 1 and 15")]
pub struct InvalidProvider;

impl ProviderId {
    /// Checks the range.
    ///
    /// # Errors
    /// [`InvalidProvider`] outside `1..=15`.
    pub const fn new(number: u8) -> Result<Self, InvalidProvider> {
        if number == 0 || number > 15 { Err(InvalidProvider) } else { Ok(Self(number)) }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for ProviderId {
    type Error = InvalidProvider;

    fn try_from(number: u8) -> Result<Self, InvalidProvider> {
        Self::new(number)
    }
}

impl From<ProviderId> for u8 {
    fn from(id: ProviderId) -> Self {
        id.0
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The two lanes of DESIGN section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Strangers meet: rows come from the threshold OPRF.
    Discovery,
    /// People who share a secret meet: rows come from their own state.
    Rendezvous,
}

/// One lane's table of one four-hour period: `period * 2 + lane`, discovery 0, rendezvous 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TableId(pub u32);

impl TableId {
    /// The table of `lane` in `period`.
    pub const fn new(period: Period, lane: Lane) -> Self {
        Self(period.0.saturating_mul(2) | matches!(lane, Lane::Rendezvous) as u32)
    }

    /// Which period it serves.
    pub const fn period(self) -> Period {
        Period(self.0 / 2)
    }

    /// Which lane it serves.
    pub const fn lane(self) -> Lane {
        if self.0.is_multiple_of(2) { Lane::Discovery } else { Lane::Rendezvous }
    }
}

/// Generations of one service class form one stream, so that a fast class never waits for a slow one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Emergency and open door: sealed every 5 s.
    Fast,
    /// Balanced: sealed every 60 s.
    Steady,
    /// Maximum: sealed every 10 min.
    Slow,
}

impl Stream {
    /// All streams, in wire order 0, 1, 2.
    pub const ALL: [Self; 3] = [Self::Fast, Self::Steady, Self::Slow];

    /// The number on the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The stream with that number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl From<ServiceClass> for Stream {
    fn from(class: ServiceClass) -> Self {
        match class {
            ServiceClass::Emergency | ServiceClass::OpenDoor => Self::Fast,
            ServiceClass::Balanced => Self::Steady,
            ServiceClass::Maximum => Self::Slow,
        }
    }
}

/// One origin's chain of generations of one stream in one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SegmentId {
    /// The table.
    pub table: TableId,
    /// Who alone appends to it and signs it.
    pub origin: ProviderId,
    /// Which stream.
    pub stream: Stream,
}

/// A row as an event names it: a row number below 2^22 and a chain counter below 4, in three bytes
/// (`chain << 22 | row`). The counter says how many full rows the writer already met for this slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowTag(u32);

impl RowTag {
    /// Rows a table may have at most.
    pub const MAX_ROWS: u32 = 1 << 22;
    /// Rows a record may be offered to before it is given up.
    pub const CHAIN: u8 = 4;

    /// Joins a row and a chain counter; `None` when either is out of range.
    pub const fn new(row: u32, chain: u8) -> Option<Self> {
        if row < Self::MAX_ROWS && chain < Self::CHAIN { Some(Self((chain as u32) << 22 | row)) } else { None }
    }

    /// The row number.
    pub const fn row(self) -> u32 {
        self.0 & (Self::MAX_ROWS - 1)
    }

    /// The chain counter.
    pub const fn chain(self) -> u8 {
        (self.0 >> 22) as u8
    }

    /// Three big-endian bytes.
    pub const fn to_bytes(self) -> [u8; 3] {
        let [_, a, b, c] = self.0.to_be_bytes();
        [a, b, c]
    }

    /// From three big-endian bytes; every value is a tag.
    pub const fn from_bytes([a, b, c]: [u8; 3]) -> Self {
        Self(u32::from_be_bytes([0, a, b, c]))
    }
}

/// A public area with enough people in it to hide among; one federation serves a list of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TileId(pub u32);

/// One of the 16 classes of the public vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct ClassId(u8);

/// A number that names no class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a class number lies between 0 and 15")]
pub struct InvalidClass;

impl ClassId {
    /// How many classes there are.
    pub const COUNT: u8 = 16;

    /// Checks the range.
    ///
    /// # Errors
    /// [`InvalidClass`] outside `0..16`.
    pub const fn new(number: u8) -> Result<Self, InvalidClass> {
        if number < Self::COUNT { Ok(Self(number)) } else { Err(InvalidClass) }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for ClassId {
    type Error = InvalidClass;

    fn try_from(number: u8) -> Result<Self, InvalidClass> {
        Self::new(number)
    }
}

impl From<ClassId> for u8 {
    fn from(id: ClassId) -> Self {
        id.0
    }
}

/// A topic of the public vocabulary; zero means "no topic".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TopicId(pub u16);

impl TopicId {
    /// The empty place in a list of topics.
    pub const NONE: Self = Self(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_name_their_period_and_lane() {
        for lane in [Lane::Discovery, Lane::Rendezvous] {
            let table = TableId::new(Period(122_478), lane);
            assert_eq!((table.period(), table.lane()), (Period(122_478), lane));
        }
    }

    #[test]
    fn row_tags_round_trip_and_refuse_what_does_not_fit() {
        let tag = RowTag::new(RowTag::MAX_ROWS - 1, 3).unwrap();
        assert_eq!(RowTag::from_bytes(tag.to_bytes()), tag);
        assert_eq!((tag.row(), tag.chain()), (RowTag::MAX_ROWS - 1, 3));
        assert!(RowTag::new(RowTag::MAX_ROWS, 0).is_none() && RowTag::new(0, 4).is_none());
    }
}
