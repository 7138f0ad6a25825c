//! Records as tables of equally long *bins*, for reads by point function (`docs/spec/bins.md`, ADR 14).
//!
//! A bin holds all records of some neighbouring rows and, where there is one, the record before and the one behind, with
//! their common proof in the Merkle tree over all records. So whoever knows the tree's root can tell that a bin is right and
//! that nothing of its rows is missing, also when it came as the sum of two answers that say nothing about themselves.
//!
//! How many rows share a bin is chosen by whoever cuts, all alike ([`BinTable::cut`]). A reader need not know it to make its keys: they
//! select rows, and a selection can be halved ([`Selection::halved`]).

use std::ops::Range;

use mosaic_crypto::{
    dpf::{Domain, Selection},
    merkle::{self, Tree},
    pir::{Rows, STRIPE, ScanError},
};
use mosaic_types::RowTag;
use thiserror::Error;

use crate::{
    Record, Stack, StackQuery, StackReply,
    codec::{DecodeError, Reader, count_u32},
    generation::read_records,
};

/// How records are cut into bins: so many neighbouring rows share one, a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    rows: u32,
    halvings: u8,
}

impl Cut {
    /// Bins of a lane with `rows` rows, each of 2^`halvings` rows. `None` for no rows or more than there can be, and for bins
    /// that are wider than a lane can be.
    pub fn of(rows: u32, halvings: u8) -> Option<Self> {
        let fits = (1..=RowTag::MAX_ROWS).contains(&rows) && u32::from(halvings) <= RowTag::MAX_ROWS.ilog2();
        fits.then_some(Self { rows, halvings })
    }

    /// All cuts of a lane, from one row a bin to one bin.
    fn all(rows: u32) -> impl Iterator<Item = Self> {
        let coarsest = u8::try_from(rows.checked_next_power_of_two().map_or(0, u32::ilog2)).unwrap_or(0);
        (0..=coarsest).filter_map(move |halvings| Self::of(rows, halvings))
    }

    /// The finest cut of which all bins together do not take more than a table may ([`BinTable::most_bytes`] of `count` records),
    /// where `width` says how long the bins of a cut are.
    pub fn finest(rows: u32, count: usize, width: impl Fn(Self) -> usize) -> Option<Self> {
        Self::all(rows).find(|cut| {
            let bins = usize::try_from(cut.bins()).unwrap_or(usize::MAX);
            bins.saturating_mul(width(*cut)) <= BinTable::most_bytes(count) || cut.bins() == 1
        })
    }

    /// How many times a key's selection is halved: a bin has two to that power rows.
    pub const fn halvings(self) -> u8 {
        self.halvings
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
        key.halved(self.halvings.into())
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

    pub(crate) fn of(rows: &Range<u32>, records: &[Record], tree: &Tree) -> Self {
        let inside = records.partition_point(|record| record.row < rows.start)
            ..records.partition_point(|record| record.row < rows.end);
        let shown = inside.start.saturating_sub(1)..(inside.end + 1).min(records.len());
        Self {
            first: u32::try_from(shown.start).unwrap_or(u32::MAX),
            path: tree.range_path(shown.clone()).unwrap_or_default(),
            records: records.get(shown).unwrap_or_default().to_vec(),
        }
    }

    /// Bytes that a bin with so many records of its rows among `count` never exceeds.
    pub fn longest(records: usize, count: usize) -> usize {
        let levels = usize::try_from(count.max(1).next_power_of_two().ilog2()).unwrap_or(usize::MAX);
        Self::HEADER + (records + 2) * Record::SIZE + 2 * levels * 32
    }

    /// Bytes without padding.
    pub(crate) fn len(&self) -> usize {
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
    /// Most bytes of a table: whoever is asked goes over all of it.
    pub const MOST: usize = 64 << 20;
    /// How many times longer than its records a table may be: neighbours, proofs, and the padding to the fullest bin.
    const SPREAD: usize = 8;
    /// What a table may take however few records it has.
    const LEAST: usize = 64 << 10;
    /// What the bins of a look may take together however few records there are.
    const LEAST_LOOK: usize = 1 << 20;

    /// Most bytes of a table of `count` records; only the coarsest cut may take more.
    pub fn most_bytes(count: usize) -> usize {
        (count.saturating_mul(Record::SIZE * Self::SPREAD)).clamp(Self::LEAST, Self::MOST)
    }

    /// Cuts the records of a lane with `rows` rows, strictly rising, as finely as a table may be. Equal records give equal bytes at every
    /// provider. `None` where a look at it would be longer than the records themselves, because somebody stuffed a row and bins
    /// are as long as the fullest, and where there are no rows: such records are read whole.
    pub fn cut(records: &[Record], rows: u32) -> Option<Self> {
        let tree = Tree::over(records.iter().map(|record| merkle::leaf_hash(&record.leaf())).collect());
        let cut = Cut::finest(rows, records.len(), |cut| fullest(records, cut))?;
        let bins: Vec<Bin> = (0..cut.bins()).map(|number| Bin::of(&cut.rows_of(number), records, &tree)).collect();
        let width = bins.iter().map(Bin::len).max()?.next_multiple_of(STRIPE);
        let most = (records.len() * Record::SIZE).clamp(Self::LEAST_LOOK, StackReply::MAX_BYTES);
        if width * StackQuery::KEYS > most || width > StackReply::WIDEST {
            return None;
        }
        let mut bytes = Vec::with_capacity(bins.len() * width);
        bins.iter().for_each(|bin| bytes.extend(bin.encode(width)));
        let head = TreeHead { root: tree.root(), count: u32::try_from(records.len()).ok()? };
        Some(Self { head, cut, width, bytes })
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

/// Bytes of the fullest bin of a cut, with two neighbours and the longest proof there could be.
fn fullest(records: &[Record], cut: Cut) -> usize {
    let bin = |record: &Record| cut.bin(record.row);
    let most = records.chunk_by(|a, b| bin(a) == bin(b)).map(<[Record]>::len).max().unwrap_or(0);
    Bin::longest(most, records.len())
}

#[cfg(test)]
mod tests;
