use std::fmt;

use mosaic_crypto::merkle;
use mosaic_types::{RowTag, SegmentId, TableId};
use thiserror::Error;

use crate::{
    RECORD,
    codec::{DecodeError, Field, Reader, count_u32},
    receipt::{read_provider, read_stream},
};

/// One stored record: its row and its 192 opaque bytes. Sorted by row, then bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Record {
    /// Row number, below [`RowTag::MAX_ROWS`].
    pub row: u32,
    /// The sealed or uniform record.
    pub bytes: [u8; RECORD],
}

impl Record {
    /// Bytes of a record with its row.
    pub const SIZE: usize = 3 + RECORD;

    /// The Merkle leaf: three bytes of row, then the record. Rows of more than three bytes do not exist.
    pub fn leaf(&self) -> [u8; Self::SIZE] {
        let [_, row @ ..] = self.row.to_be_bytes();
        crate::codec::Writer::new().put(&row).put(&self.bytes).finish()
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Record([hidden])")
    }
}

/// All records of one sealed generation, in strictly rising order: what private reads download whole.
#[derive(Clone, PartialEq, Eq)]
pub struct GenerationBlock {
    segment: SegmentId,
    index: u32,
    records: Vec<Record>,
}

/// Records that form no generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidGeneration {
    /// More than [`GenerationBlock::MAX_RECORDS`].
    #[error("{count} records are too many for one generation")]
    TooMany {
        /// How many there were.
        count: usize,
    },
    /// A row beyond [`RowTag::MAX_ROWS`].
    #[error("row {row} does not exist")]
    Row {
        /// The row.
        row: u32,
    },
}

impl GenerationBlock {
    /// The most records of one generation: four times what ten thousand agents write in a minute.
    pub const MAX_RECORDS: usize = 1 << 16;
    /// Bytes before the records.
    pub const HEADER: usize = 15;
    /// Version of the layout.
    pub const VERSION: u8 = 1;

    /// Sorts the records and drops repeated ones: a generation is a set.
    ///
    /// # Errors
    /// [`InvalidGeneration`] for too many records or a row that does not exist.
    pub fn new(segment: SegmentId, index: u32, mut records: Vec<Record>) -> Result<Self, InvalidGeneration> {
        records.sort_unstable();
        records.dedup();
        if records.len() > Self::MAX_RECORDS {
            return Err(InvalidGeneration::TooMany { count: records.len() });
        }
        if let Some(last) = records.last().filter(|last| last.row >= RowTag::MAX_ROWS) {
            return Err(InvalidGeneration::Row { row: last.row });
        }
        Ok(Self { segment, index, records })
    }

    /// Where it belongs.
    pub const fn segment(&self) -> SegmentId {
        self.segment
    }

    /// Its number in the segment, counted from 0.
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// All records, rising.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The records of one row.
    pub fn row(&self, row: u32) -> &[Record] {
        records_of_row(&self.records, row)
    }

    /// Merkle root over the leaves in order (RFC 6962).
    pub fn root(&self) -> [u8; 32] {
        merkle::root_of_hashes(&self.leaf_hashes())
    }

    /// Hashes of the leaves in order: for inclusion paths.
    pub fn leaf_hashes(&self) -> Vec<[u8; 32]> {
        self.records.iter().map(|record| merkle::leaf_hash(&record.leaf())).collect()
    }

    /// Bytes of the encoded block.
    pub fn encoded_len(&self) -> usize {
        Self::HEADER + self.records.len() * Record::SIZE
    }

    /// The block as it travels.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_len());
        bytes.push(Self::VERSION);
        bytes.extend(self.segment.table.0.to_be_bytes());
        bytes.extend([self.segment.origin.get(), self.segment.stream.number()]);
        bytes.extend(self.index.to_be_bytes());
        bytes.extend(count_u32(self.records.len()));
        self.records.iter().for_each(|record| bytes.extend(record.leaf()));
        bytes
    }

    /// Reads a block. The announced count is held against the bytes that are there before anything is
    /// allocated.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size or version, too many records, a row that does not exist, or
    /// records that do not rise strictly.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::at_least(bytes, Self::HEADER)?;
        reader.version(Self::VERSION)?;
        let table = TableId(reader.u32()?);
        let segment = SegmentId { table, origin: read_provider(&mut reader)?, stream: read_stream(&mut reader)? };
        let index = reader.u32()?;
        let count = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
        if count > Self::MAX_RECORDS {
            return Err(DecodeError::TooMany { count, most: Self::MAX_RECORDS });
        }
        reader.must_hold(count * Record::SIZE)?;
        let records = read_records(&mut reader, count)?;
        reader.end()?;
        Ok(Self { segment, index, records })
    }
}

impl fmt::Debug for GenerationBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GenerationBlock({:?}, {}, {} records)", self.segment, self.index, self.records.len())
    }
}

/// The records of one row among `records`, which rise.
pub fn records_of_row(records: &[Record], row: u32) -> &[Record] {
    let start = records.partition_point(|record| record.row < row);
    let end = records.partition_point(|record| record.row <= row);
    records.get(start..end).unwrap_or_default()
}

pub(crate) fn read_records(reader: &mut Reader<'_>, count: usize) -> Result<Vec<Record>, DecodeError> {
    let mut records: Vec<Record> = Vec::with_capacity(count);
    for _ in 0..count {
        let record = Record { row: reader.u24()?, bytes: reader.take()? };
        if record.row >= RowTag::MAX_ROWS {
            return Err(DecodeError::OutOfRange(Field::Row));
        }
        if records.last().is_some_and(|last| *last >= record) {
            return Err(DecodeError::Order);
        }
        records.push(record);
    }
    Ok(records)
}
