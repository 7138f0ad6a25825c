//! Records as tables of equally long *bins*, for reads by point function (`docs/spec/bins.md`, ADR 14).
//!
//! A bin holds all records of some neighbouring rows and, where there is one, the record before and the one behind, with
//! their common proof in the Merkle tree over all records. So whoever knows the tree's root can tell that a bin is right and
//! that nothing of its rows is missing, also when it came as the sum of two answers that say nothing about themselves.
//!
//! How many rows follows from the lane's rows and the number of records ([`Cut`]). A reader need not know that number to make
//! its keys: they select rows, and a selection can be halved ([`Selection::halved`]).

use std::ops::Range;

use mosaic_crypto::{
    dpf::{Domain, Selection},
    merkle::{self, Tree},
    pir::{Rows, STRIPE, ScanError},
};
use mosaic_types::RowTag;
use thiserror::Error;

use crate::{
    Record, Stack,
    codec::{DecodeError, Reader, count_u32},
    generation::read_records,
};

/// How records are cut into bins: which rows share one. Everybody who knows how many records there are knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    rows: u32,
    halvings: u32,
}

impl Cut {
    /// Records that bins hold on average, at least. Fewer, and neighbours and proofs would be nearly all of a table.
    pub const LEAST_RECORDS: u64 = 2;

    /// The cut of `count` records of a lane with `rows` rows: one row a bin, or 2, 4, 8 and so on, until two records come to
    /// a bin or there is one bin only. `None` for no rows or more than there can be.
    pub fn of(rows: u32, count: u32) -> Option<Self> {
        if !(1..=RowTag::MAX_ROWS).contains(&rows) {
            return None;
        }
        let of = |halvings: u32| Self { rows, halvings };
        let is_full = |cut: &Self| u64::from(count) >= u64::from(cut.bins()) * Self::LEAST_RECORDS || cut.bins() == 1;
        (0..u32::BITS).map(of).find(is_full)
    }

    /// The domain of the point functions over a lane with `rows` rows, however many records; `None` as for [`Self::of`].
    pub fn domain(rows: u32) -> Option<Domain> {
        Some(rows).filter(|rows| (1..=RowTag::MAX_ROWS).contains(rows)).and_then(Domain::of)
    }

    const fn rows_of_a_bin(self) -> u32 {
        1 << self.halvings
    }

    /// How many bins there are.
    pub const fn bins(self) -> u32 {
        self.rows.div_ceil(self.rows_of_a_bin())
    }

    /// The bin in which a row lies.
    pub const fn bin(self, row: u32) -> u32 {
        row / self.rows_of_a_bin()
    }

    /// The rows of a bin.
    pub const fn rows_of(self, bin: u32) -> Range<u32> {
        let first = bin.saturating_mul(self.rows_of_a_bin());
        first..first.saturating_add(self.rows_of_a_bin())
    }

    /// Which bins an expanded key selects.
    pub fn select(self, key: &Selection) -> Selection {
        key.halved(self.halvings)
    }
}

/// What a bin is held against: the root of a Merkle tree over records and how many there are (a tree head of RFC 9162).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// The root (RFC 6962 hashes).
    pub root: merkle::Hash,
    /// How many records.
    pub count: u32,
}

/// Some neighbouring records with their proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bin {
    /// Number of the first of the records among all.
    first: u32,
    records: Vec<Record>,
    path: Vec<merkle::Hash>,
}

/// A bin that the tree does not confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BadBin {
    /// The records are not in the tree, or not there.
    #[error("the records of the bin are not those under the root")]
    Unproven,
    /// Records of its rows may be missing before the first or behind the last.
    #[error("the bin does not show that it holds all records of its rows")]
    Incomplete,
}

impl Bin {
    /// Bytes before the records.
    pub const HEADER: usize = 10;
    /// Version of the layout.
    pub const VERSION: u8 = 1;
    /// Most hashes of a proof: two for each level of the largest tree.
    const MAX_PATH: usize = 2 * Stack::MOST_RECORDS.ilog2() as usize;

    fn of(rows: &Range<u32>, records: &[Record], tree: &Tree) -> Self {
        let inside = records.partition_point(|record| record.row < rows.start)
            ..records.partition_point(|record| record.row < rows.end);
        let shown = inside.start.saturating_sub(1)..(inside.end + 1).min(records.len());
        Self {
            first: u32::try_from(shown.start).unwrap_or(u32::MAX),
            path: tree.range_path(shown.clone()).unwrap_or_default(),
            records: records.get(shown).unwrap_or_default().to_vec(),
        }
    }

    /// Bytes without padding.
    fn len(&self) -> usize {
        Self::HEADER + self.records.len() * Record::SIZE + self.path.len() * 32
    }

    /// The bin with zeros up to `width`.
    pub fn encode(&self, width: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(width);
        bytes.push(Self::VERSION);
        bytes.extend(self.first.to_be_bytes());
        bytes.extend(count_u32(self.records.len()));
        // at most MAX_PATH
        bytes.push(u8::try_from(self.path.len()).unwrap_or(u8::MAX));
        self.records.iter().for_each(|record| bytes.extend(record.leaf()));
        self.path.iter().for_each(|hash| bytes.extend(hash));
        bytes.resize(width.max(bytes.len()), 0);
        bytes
    }

    /// Reads a bin with its padding. Announced counts are held against the bytes before anything is allocated.
    ///
    /// # Errors
    /// [`DecodeError`] for a length that is not of whole stripes, another version, counts beyond the bytes or the limits, rows that do not exist, records that do not
    /// rise strictly, or padding that is not zero.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::at_least(bytes, Self::HEADER)?;
        if !bytes.len().is_multiple_of(STRIPE) {
            return Err(DecodeError::WrongSize { expected: bytes.len().next_multiple_of(STRIPE), found: bytes.len() });
        }
        reader.version(Self::VERSION)?;
        let first = reader.u32()?;
        let records = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
        let hashes = usize::from(reader.u8()?);
        if records > Stack::MOST_RECORDS {
            return Err(DecodeError::TooMany { count: records, most: Stack::MOST_RECORDS });
        }
        if hashes > Self::MAX_PATH {
            return Err(DecodeError::TooMany { count: hashes, most: Self::MAX_PATH });
        }
        let announced = records * Record::SIZE + hashes * 32;
        if announced > reader.left() {
            return Err(DecodeError::WrongSize { expected: Self::HEADER + announced, found: bytes.len() });
        }
        let records = read_records(&mut reader, records)?;
        let path = (0..hashes).map(|_| reader.take()).collect::<Result<_, _>>()?;
        reader.zeros(reader.left())?;
        Ok(Self { first, records, path })
    }

    /// All records of `rows` under the root of `head`, rising, when this is a bin of those rows ([`Cut::rows_of`]).
    ///
    /// # Errors
    /// [`BadBin`] when the tree does not confirm it: then nothing in it is to be believed.
    pub fn confirmed(&self, rows: &Range<u32>, head: &TreeHead) -> Result<&[Record], BadBin> {
        let (Ok(first), Ok(count)) = (usize::try_from(self.first), usize::try_from(head.count)) else {
            return Err(BadBin::Unproven);
        };
        let (Some(lowest), Some(highest)) = (self.records.first(), self.records.last()) else {
            // without records there is nothing to show
            let is_empty = count == 0 && first == 0 && self.path.is_empty();
            return if is_empty { Ok(&[]) } else { Err(BadBin::Incomplete) };
        };
        let leaves: Vec<_> = self.records.iter().map(|record| merkle::leaf_hash(&record.leaf())).collect();
        if !merkle::verify_range(&leaves, first, count, &self.path, &head.root) {
            return Err(BadBin::Unproven);
        }
        let begins = first == 0 || lowest.row < rows.start;
        let ends = first + leaves.len() == count || highest.row >= rows.end;
        if !begins || !ends {
            return Err(BadBin::Incomplete);
        }
        let inside = self.records.partition_point(|record| record.row < rows.start)
            ..self.records.partition_point(|record| record.row < rows.end);
        Ok(self.records.get(inside).unwrap_or_default())
    }
}

/// Records cut into bins, all padded to the fullest: what a provider scans.
pub struct BinTable {
    head: TreeHead,
    cut: Cut,
    width: usize,
    bytes: Vec<u8>,
}

impl BinTable {
    /// Most bytes of a table. Somebody who stuffs one row makes every bin as long; beyond this the records are read whole.
    pub const MOST: usize = 64 << 20;

    /// Cuts the records of a lane with `rows` rows, strictly rising. Equal records give equal bytes at every provider. `None`
    /// where that would take more than [`Self::MOST`], or where there are no rows.
    pub fn cut(records: &[Record], rows: u32) -> Option<Self> {
        let tree = Tree::over(records.iter().map(|record| merkle::leaf_hash(&record.leaf())).collect());
        let count = u32::try_from(records.len()).ok()?;
        let cut = Cut::of(rows, count)?;
        let bins: Vec<Bin> = (0..cut.bins()).map(|number| Bin::of(&cut.rows_of(number), records, &tree)).collect();
        let width = bins.iter().map(Bin::len).max()?.next_multiple_of(STRIPE);
        let whole = usize::try_from(cut.bins()).ok()?.checked_mul(width).filter(|bytes| *bytes <= Self::MOST)?;
        let mut bytes = Vec::with_capacity(whole);
        bins.iter().for_each(|bin| bytes.extend(bin.encode(width)));
        Some(Self { head: TreeHead { root: tree.root(), count }, cut, width, bytes })
    }

    /// What its bins are held against.
    pub const fn head(&self) -> TreeHead {
        self.head
    }

    /// Which rows share a bin.
    pub const fn cut_by(&self) -> Cut {
        self.cut
    }

    /// Bytes of each bin: a multiple of [`STRIPE`].
    pub const fn width(&self) -> usize {
        self.width
    }

    /// The bins, one behind the other.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same for a scan.
    ///
    /// # Errors
    /// None for what [`Self::cut`] made.
    pub fn rows(&self) -> Result<Rows<'_>, ScanError> {
        Rows::new(&self.bytes, self.width)
    }
}

#[cfg(test)]
mod tests;
