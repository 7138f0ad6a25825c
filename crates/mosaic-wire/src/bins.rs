//! Generations as tables of equally long *bins*, for reads by point function (`docs/spec/bins.md`, ADR 14).
//!
//! A bin holds all records of eight neighbouring rows and, where there is one, the record before and the one behind, with
//! their common proof in the generation's Merkle tree. So whoever has the signed head can tell that a bin is right and that
//! nothing of its rows is missing, also when it came as the sum of two answers that say nothing about themselves.

use std::ops::Range;

use mosaic_crypto::{
    dpf::Domain,
    merkle::{self, Tree},
    pir::{Rows, STRIPE, ScanError},
};
use mosaic_types::{RowTag, SegmentId};
use thiserror::Error;

use crate::{
    GenerationBlock, Head, Record,
    codec::{DecodeError, Reader, count_u32},
    generation::read_records,
};

/// Some neighbouring records of a generation with their proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bin {
    /// Number of the first of the records among all of the generation.
    first: u32,
    records: Vec<Record>,
    path: Vec<merkle::Hash>,
}

/// A bin that its generation's head does not confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BadBin {
    /// The records are not in the generation, or not there.
    #[error("the records of the bin are not those under the generation's root")]
    Unproven,
    /// Records of its rows may be missing before the first or behind the last.
    #[error("the bin does not show that it holds all records of its rows")]
    Incomplete,
}

impl Bin {
    /// Rows of a bin. With more, a bin is longer; with fewer, neighbours and proof are most of it.
    pub const ROWS: u32 = 8;
    /// Bytes before the records.
    pub const HEADER: usize = 10;
    /// Version of the layout.
    pub const VERSION: u8 = 1;
    /// Most hashes of a proof: two for each level of the largest generation.
    const MAX_PATH: usize = 2 * GenerationBlock::MAX_RECORDS.ilog2() as usize;

    /// The bin in which a row lies.
    pub const fn number(row: u32) -> u32 {
        row / Self::ROWS
    }

    /// How many bins a table of `rows` rows has.
    pub const fn count(rows: u32) -> u32 {
        rows.div_ceil(Self::ROWS)
    }

    /// The domain of the point functions over a table of `rows` rows; `None` for no rows or more than there can be.
    pub fn domain(rows: u32) -> Option<Domain> {
        Some(rows).filter(|rows| (1..=RowTag::MAX_ROWS).contains(rows)).and_then(|rows| Domain::of(Self::count(rows)))
    }

    const fn rows(number: u32) -> Range<u32> {
        let first = number.saturating_mul(Self::ROWS);
        first..first.saturating_add(Self::ROWS)
    }

    fn of(number: u32, records: &[Record], tree: &Tree) -> Self {
        let rows = Self::rows(number);
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
        if records > GenerationBlock::MAX_RECORDS {
            return Err(DecodeError::TooMany { count: records, most: GenerationBlock::MAX_RECORDS });
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

    /// All records of the rows of bin `number` in the generation of `head`, rising, when this is that bin.
    ///
    /// # Errors
    /// [`BadBin`] when the head does not confirm it: then nothing in it is to be believed.
    pub fn confirmed(&self, number: u32, head: &Head) -> Result<&[Record], BadBin> {
        let (Ok(first), Ok(count)) = (usize::try_from(self.first), usize::try_from(head.count)) else {
            return Err(BadBin::Unproven);
        };
        let (Some(lowest), Some(highest)) = (self.records.first(), self.records.last()) else {
            // of a generation without records there is nothing to show
            let is_empty = count == 0 && first == 0 && self.path.is_empty();
            return if is_empty { Ok(&[]) } else { Err(BadBin::Incomplete) };
        };
        let leaves: Vec<_> = self.records.iter().map(|record| merkle::leaf_hash(&record.leaf())).collect();
        if !merkle::verify_range(&leaves, first, count, &self.path, &head.root) {
            return Err(BadBin::Unproven);
        }
        let rows = Self::rows(number);
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

/// A generation cut into bins, all padded to the fullest: what a provider scans.
pub struct BinTable {
    segment: SegmentId,
    index: u32,
    width: usize,
    bytes: Vec<u8>,
}

impl BinTable {
    /// Most bytes of a table. Somebody who stuffs one row makes every bin as long; beyond this the generation is read whole.
    pub const MOST: usize = 64 << 20;

    /// Cuts a generation of a table with `rows` rows. Equal blocks give equal bytes at every provider. `None` where that
    /// would take more than [`Self::MOST`], or where there are no rows.
    pub fn cut(block: &GenerationBlock, rows: u32) -> Option<Self> {
        let tree = Tree::over(block.leaf_hashes());
        let count = Bin::count(rows);
        let bins = || (0..count).map(|number| Bin::of(number, block.records(), &tree));
        let width = bins().map(|bin| bin.len()).max()?.next_multiple_of(STRIPE);
        let whole = usize::try_from(count).ok()?.checked_mul(width).filter(|bytes| *bytes <= Self::MOST)?;
        let mut bytes = Vec::with_capacity(whole);
        bins().for_each(|bin| bytes.extend(bin.encode(width)));
        Some(Self { segment: block.segment(), index: block.index(), width, bytes })
    }

    /// Where the generation belongs.
    pub const fn segment(&self) -> SegmentId {
        self.segment
    }

    /// Its number in the segment.
    pub const fn index(&self) -> u32 {
        self.index
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
