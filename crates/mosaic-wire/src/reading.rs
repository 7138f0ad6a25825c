//! Private reads as the download of whole generations: which heads are new, then the blocks.

use mosaic_types::{SegmentId, TableId};
use thiserror::Error;

use crate::{
    GenerationBlock, Head,
    codec::{DecodeError, Reader, Writer, count_u16, count_u32},
    receipt::{read_provider, read_stream},
};

const ENTRIES: usize = 64;
const ENTRY: usize = 10;

/// How many generations of a segment a reader knows already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KnownGenerations {
    /// The segment.
    pub segment: SegmentId,
    /// Generations known: the reply starts with this index.
    pub count: u32,
}

/// One generation of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GenerationId {
    /// The segment.
    pub segment: SegmentId,
    /// Its number, counted from 0.
    pub index: u32,
}

impl GenerationId {
    /// The generation that a head states.
    pub const fn of(head: &Head) -> Self {
        Self { segment: head.segment, index: head.index }
    }
}

/// More entries than one query carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{count} entries do not fit one query of 64")]
pub struct QueryTooLong {
    /// How many there were.
    pub count: usize,
}

/// Asks for the heads after the known ones. Constant size, however few segments it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeadsQuery {
    known: Vec<KnownGenerations>,
}

/// Asks for sealed generations. Constant size, however few it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GenerationsQuery {
    wanted: Vec<GenerationId>,
}

impl HeadsQuery {
    /// Bytes of a query.
    pub const SIZE: usize = 2 + ENTRIES * ENTRY;
    /// The most segments.
    pub const MOST: usize = ENTRIES;
    /// Version of the layout.
    pub const VERSION: u8 = 1;

    /// Sorts the entries; the same segment twice stays with the smaller count.
    ///
    /// # Errors
    /// [`QueryTooLong`] beyond [`Self::MOST`] segments.
    pub fn new(mut known: Vec<KnownGenerations>) -> Result<Self, QueryTooLong> {
        known.sort_unstable();
        known.dedup_by_key(|entry| entry.segment);
        if known.len() > Self::MOST { Err(QueryTooLong { count: known.len() }) } else { Ok(Self { known }) }
    }

    /// The segments, rising.
    pub fn known(&self) -> &[KnownGenerations] {
        &self.known
    }

    /// The query as it travels.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        encode_entries(Self::VERSION, self.known.iter().map(|entry| (entry.segment, entry.count)))
    }

    /// Reads a query.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size or version, too many entries, a value outside its range, entries
    /// that do not rise strictly by segment, or padding that is not zero.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let entries = decode_entries(bytes, Self::VERSION)?;
        let known: Vec<_> = entries.map(|(segment, count)| KnownGenerations { segment, count }).collect();
        if known.is_sorted_by(|a, b| a.segment < b.segment) { Ok(Self { known }) } else { Err(DecodeError::Order) }
    }
}

impl GenerationsQuery {
    /// Bytes of a query.
    pub const SIZE: usize = 2 + ENTRIES * ENTRY;
    /// The most generations.
    pub const MOST: usize = ENTRIES;
    /// Version of the layout.
    pub const VERSION: u8 = 1;

    /// Sorts the entries and drops repeated ones.
    ///
    /// # Errors
    /// [`QueryTooLong`] beyond [`Self::MOST`] generations.
    pub fn new(mut wanted: Vec<GenerationId>) -> Result<Self, QueryTooLong> {
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.len() > Self::MOST { Err(QueryTooLong { count: wanted.len() }) } else { Ok(Self { wanted }) }
    }

    /// The generations, rising.
    pub fn wanted(&self) -> &[GenerationId] {
        &self.wanted
    }

    /// The query as it travels.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        encode_entries(Self::VERSION, self.wanted.iter().map(|entry| (entry.segment, entry.index)))
    }

    /// Reads a query.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size or version, too many entries, a value outside its range, entries
    /// that do not rise strictly, or padding that is not zero.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let entries = decode_entries(bytes, Self::VERSION)?;
        let wanted: Vec<_> = entries.map(|(segment, index)| GenerationId { segment, index }).collect();
        if wanted.is_sorted_by(|a, b| a < b) { Ok(Self { wanted }) } else { Err(DecodeError::Order) }
    }
}

/// Signed heads, each segment's in order. A reply of [`HeadsReply::MOST`] heads may have more behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeadsReply {
    heads: Vec<Head>,
}

impl HeadsReply {
    /// The most heads of one reply.
    pub const MOST: usize = 1_024;
    /// Version of the layout.
    pub const VERSION: u8 = 1;
    const HEADER: usize = 3;

    /// As many of `heads` as one reply carries, from the front.
    pub fn new(heads: impl IntoIterator<Item = Head>) -> Self {
        Self { heads: heads.into_iter().take(Self::MOST).collect() }
    }

    /// The heads.
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The reply as it travels.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![Self::VERSION];
        bytes.extend(count_u16(self.heads.len()));
        self.heads.iter().for_each(|head| bytes.extend(head.encode()));
        bytes
    }

    /// Reads a reply.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size or version, too many heads, or a head that is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::at_least(bytes, Self::HEADER)?;
        reader.version(Self::VERSION)?;
        let count = usize::from(reader.u16()?);
        if count > Self::MOST {
            return Err(DecodeError::TooMany { count, most: Self::MOST });
        }
        reader.must_hold(count * Head::SIZE)?;
        let heads = (0..count).map(|_| Head::decode(reader.slice(Head::SIZE)?)).collect::<Result<_, _>>()?;
        Ok(Self { heads })
    }
}

/// Whole generations. One that the provider does not have is left out; one that does not fit is left
/// for the next query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GenerationsReply {
    blocks: Vec<GenerationBlock>,
}

impl GenerationsReply {
    /// The most bytes of one reply; the largest block fits.
    pub const MAX_BYTES: usize = 1 << 24;
    /// Version of the layout.
    pub const VERSION: u8 = 1;
    const HEADER: usize = 2;
    /// The most bytes of blocks, each with the four of its length.
    pub const ROOM: usize = Self::MAX_BYTES - Self::HEADER;

    /// As many of `blocks` as one reply carries, from the front.
    pub fn new(blocks: impl IntoIterator<Item = GenerationBlock>) -> Self {
        let mut left = Self::ROOM;
        let fits = |block: &GenerationBlock| {
            let taken = left.checked_sub(4 + block.encoded_len());
            left = taken.unwrap_or(0);
            taken.is_some()
        };
        Self { blocks: blocks.into_iter().take(ENTRIES).take_while(fits).collect() }
    }

    /// The blocks.
    pub fn blocks(&self) -> &[GenerationBlock] {
        &self.blocks
    }

    /// Gives the blocks up.
    pub fn into_blocks(self) -> Vec<GenerationBlock> {
        self.blocks
    }

    /// Bytes of the encoded reply.
    pub fn encoded_len(&self) -> usize {
        Self::HEADER + self.blocks.iter().map(|block| 4 + block.encoded_len()).sum::<usize>()
    }

    /// The reply as it travels: each block behind its length in four bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_len());
        bytes.extend([Self::VERSION, u8::try_from(self.blocks.len()).unwrap_or(u8::MAX)]);
        for block in &self.blocks {
            bytes.extend(count_u32(block.encoded_len()));
            bytes.extend(block.encode());
        }
        bytes
    }

    /// Reads a reply. Blocks are read where they lie; nothing is allocated on a stranger's word.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size or version, too many blocks, or a block that is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(DecodeError::WrongSize { expected: Self::MAX_BYTES, found: bytes.len() });
        }
        let mut reader = Reader::at_least(bytes, Self::HEADER)?;
        reader.version(Self::VERSION)?;
        let count = usize::from(reader.u8()?);
        if count > ENTRIES {
            return Err(DecodeError::TooMany { count, most: ENTRIES });
        }
        let blocks = (0..count).map(|_| read_block(&mut reader)).collect::<Result<_, _>>()?;
        reader.end()?;
        Ok(Self { blocks })
    }
}

fn read_block(reader: &mut Reader<'_>) -> Result<GenerationBlock, DecodeError> {
    let length = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
    GenerationBlock::decode(reader.slice(length)?)
}

fn encode_entries<const N: usize>(version: u8, entries: impl ExactSizeIterator<Item = (SegmentId, u32)>) -> [u8; N] {
    let head = Writer::new().byte(version).byte(u8::try_from(entries.len()).unwrap_or(u8::MAX));
    let all = entries.fold(head, |writer, (segment, number)| {
        let place = [segment.origin.get(), segment.stream.number()];
        writer.put(&segment.table.0.to_be_bytes()).put(&place).put(&number.to_be_bytes())
    });
    all.finish()
}

fn decode_entries(bytes: &[u8], version: u8) -> Result<impl Iterator<Item = (SegmentId, u32)>, DecodeError> {
    let mut reader = Reader::exact(bytes, 2 + ENTRIES * ENTRY)?;
    reader.version(version)?;
    let count = usize::from(reader.u8()?);
    if count > ENTRIES {
        return Err(DecodeError::TooMany { count, most: ENTRIES });
    }
    let entries = (0..count).map(|_| read_entry(&mut reader)).collect::<Result<Vec<_>, _>>()?;
    reader.zeros(reader.left())?;
    Ok(entries.into_iter())
}

fn read_entry(reader: &mut Reader<'_>) -> Result<(SegmentId, u32), DecodeError> {
    let table = TableId(reader.u32()?);
    let segment = SegmentId { table, origin: read_provider(reader)?, stream: read_stream(reader)? };
    Ok((segment, reader.u32()?))
}
