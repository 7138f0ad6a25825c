//! Blind reads of several sealed generations at once (`docs/spec/bins.md`, ADR 14).
//!
//! A *stack* is the union of the records of some generations of one table. Two providers that hold the same generations make
//! the same stack and the same [`BinTable`] of it, under one root, which both name. A query has so many keys
//! whatever is wanted.

use mosaic_crypto::{
    digest,
    dpf::{Domain, DpfKey},
    pir::{self, STRIPE, ScanError},
};
use mosaic_types::{RowTag, TableId};
use thiserror::Error;

use crate::{
    BinTable, GenerationBlock, GenerationId, GenerationsQuery, Head, Record, TreeHead,
    codec::{DecodeError, Field, Reader, count_u32},
};

/// All records of some generations of one table, strictly rising.
#[derive(Clone, PartialEq, Eq)]
pub struct Stack(Vec<Record>);

/// More records than one stack holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{count} records do not fit one stack of {}", Stack::MOST_RECORDS)]
pub struct StackTooHigh {
    /// How many there were.
    pub count: usize,
}

impl Stack {
    /// Most records of a stack.
    pub const MOST_RECORDS: usize = 1 << 17;
    /// Most generations of a stack: as many as one download names.
    pub const MOST: usize = GenerationsQuery::MOST;

    /// The records of all `blocks`, each once: an event may have reached two origins.
    ///
    /// # Errors
    /// [`StackTooHigh`].
    pub fn of<'a>(blocks: impl IntoIterator<Item = &'a GenerationBlock>) -> Result<Self, StackTooHigh> {
        let mut records: Vec<Record> = Vec::new();
        for block in blocks {
            let count = records.len() + block.records().len();
            if count > Self::MOST_RECORDS {
                return Err(StackTooHigh { count });
            }
            records.extend(block.records());
        }
        records.sort_unstable();
        records.dedup();
        Ok(Self(records))
    }

    /// The records.
    pub fn records(&self) -> &[Record] {
        &self.0
    }
}

impl std::fmt::Debug for Stack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stack({} records)", self.0.len())
    }
}

/// Which generations are asked about, and under which heads: a provider that was shown other heads does not answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StackId {
    wanted: Vec<GenerationId>,
    heads: [u8; 32],
}

/// No stack: no generation, too many, or of two tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a stack is made of 1 to {} generations of one table", Stack::MOST)]
pub struct NoStack;

impl StackId {
    /// The stack of the generations of `heads`, in whatever order.
    ///
    /// # Errors
    /// [`NoStack`].
    pub fn of(heads: &[Head]) -> Result<Self, NoStack> {
        let mut heads: Vec<_> = heads.iter().map(|head| (GenerationId::of(head), head)).collect();
        heads.sort_unstable_by_key(|(id, _)| *id);
        heads.dedup_by_key(|(id, _)| *id);
        let wanted = heads.iter().map(|(id, _)| *id).collect();
        Self::checked(wanted, digest_of(heads.iter().map(|(_, head)| *head)))
    }

    fn checked(wanted: Vec<GenerationId>, heads: [u8; 32]) -> Result<Self, NoStack> {
        let one_table = wanted.windows(2).all(|pair| pair[0].segment.table == pair[1].segment.table);
        let fits = (1..=Stack::MOST).contains(&wanted.len()) && one_table;
        if fits { Ok(Self { wanted, heads }) } else { Err(NoStack) }
    }

    /// The generations, rising; at least one.
    pub fn wanted(&self) -> &[GenerationId] {
        &self.wanted
    }

    /// Their table.
    pub fn table(&self) -> TableId {
        self.wanted.first().map_or(TableId(0), |id| id.segment.table)
    }

    /// Whether `heads`, in the order of [`Self::wanted`], are those it is about.
    pub fn is_of<'a>(&self, heads: impl IntoIterator<Item = &'a Head>) -> bool {
        digest_of(heads) == self.heads
    }
}

fn digest_of<'a>(heads: impl IntoIterator<Item = &'a Head>) -> [u8; 32] {
    let hashes: Vec<[u8; 32]> = heads.into_iter().map(Head::hash).collect();
    digest(&[b"mosaic/stack/1", hashes.as_flattened()])
}

/// Asks for so many bins of a stack, without saying which. One size for a lane's rows.
#[derive(Clone)]
pub struct StackQuery {
    id: StackId,
    keys: Vec<DpfKey>,
}

/// Another number of keys than [`StackQuery::KEYS`], or keys of different domains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a query has {} keys of one domain", StackQuery::KEYS)]
pub struct UnevenKeys;

impl StackQuery {
    /// Keys of a query, always.
    pub const KEYS: usize = 64;
    /// Version of the layout.
    pub const VERSION: u8 = 1;
    const HEADER: usize = 2 + 32 + GenerationsQuery::SIZE;

    /// A query.
    ///
    /// # Errors
    /// [`UnevenKeys`].
    pub fn new(id: StackId, keys: Vec<DpfKey>) -> Result<Self, UnevenKeys> {
        let domain = keys.first().ok_or(UnevenKeys)?.domain();
        let even = keys.len() == Self::KEYS && keys.iter().all(|key| key.domain() == domain);
        if even { Ok(Self { id, keys }) } else { Err(UnevenKeys) }
    }

    /// Bytes of a query with keys of `domain`.
    pub const fn size(domain: Domain) -> usize {
        Self::HEADER + Self::KEYS * domain.key_size()
    }

    /// Bytes of the largest query.
    pub const MOST_BYTES: usize = Self::size(Domain::MAX);

    /// Which stack.
    pub const fn id(&self) -> &StackId {
        &self.id
    }

    /// The keys, each for one bin.
    pub fn keys(&self) -> &[DpfKey] {
        &self.keys
    }

    /// Bytes of this query.
    pub fn encoded_len(&self) -> usize {
        self.keys.first().map_or(0, |key| Self::size(key.domain()))
    }

    /// The query as it travels.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_len());
        let bits = self.keys.first().map_or(0, |key| key.domain().rows().trailing_zeros());
        bytes.extend([Self::VERSION, u8::try_from(bits).unwrap_or(u8::MAX)]);
        bytes.extend(self.id.heads);
        // at most as many as a download names
        bytes.extend(GenerationsQuery::new(self.id.wanted.clone()).unwrap_or_default().encode());
        self.keys.iter().for_each(|key| bytes.extend_from_slice(&key.encode()));
        bytes
    }

    /// Reads a query.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size or version, a domain there is not, generations that are no stack, or a key that is none
    /// or of another domain.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::at_least(bytes, Self::HEADER)?;
        reader.version(Self::VERSION)?;
        let bits = u32::from(reader.u8()?);
        let domain = 1_u32.checked_shl(bits).and_then(Domain::of).ok_or(DecodeError::OutOfRange(Field::Domain))?;
        if bytes.len() != Self::size(domain) {
            return Err(DecodeError::WrongSize { expected: Self::size(domain), found: bytes.len() });
        }
        let heads = reader.take()?;
        let wanted = GenerationsQuery::decode(reader.slice(GenerationsQuery::SIZE)?)?.wanted().to_vec();
        let id = StackId::checked(wanted, heads).map_err(|_| DecodeError::OutOfRange(Field::Table))?;
        let key = |_| {
            let key = DpfKey::decode(reader.slice(domain.key_size())?).ok();
            key.filter(|key| key.domain() == domain).ok_or(DecodeError::OutOfRange(Field::Key))
        };
        let keys = (0..Self::KEYS).map(key).collect::<Result<_, _>>()?;
        Ok(Self { id, keys })
    }
}

impl PartialEq for StackQuery {
    fn eq(&self, other: &Self) -> bool {
        self.encode() == other.encode()
    }
}

impl Eq for StackQuery {}

impl std::fmt::Debug for StackQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StackQuery({} generations, keys [hidden])", self.id.wanted.len())
    }
}

/// So many times can the rows of a lane be halved.
const COARSEST: u8 = RowTag::MAX_ROWS.ilog2() as u8;

/// One provider's sums for the keys of a query: half of each bin that was asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct StackReply {
    head: TreeHead,
    halvings: u8,
    width: usize,
    sums: Vec<u8>,
}

/// Sums that are not as many and as long as there are keys and a bin is wide, or more than one reply carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the sums are not one of a bin's width for each key")]
pub struct UnevenSums;

impl StackReply {
    /// The most bytes of one reply: as many as of a download.
    pub const MAX_BYTES: usize = 1 << 24;
    /// Version of the layout.
    pub const VERSION: u8 = 1;
    const HEADER: usize = 1 + 32 + 4 + 1 + 4;
    /// The widest bin of which a reply has room for all sums.
    pub const WIDEST: usize = (Self::MAX_BYTES - Self::HEADER) / StackQuery::KEYS / STRIPE * STRIPE;

    /// The sums for the keys of a query, in their order, over a table with this head, cut and width.
    ///
    /// # Errors
    /// [`UnevenSums`].
    pub fn new(head: TreeHead, halvings: u8, width: usize, sums: &[Vec<u8>]) -> Result<Self, UnevenSums> {
        let even = sums.len() == StackQuery::KEYS && sums.iter().all(|sum| sum.len() == width);
        let fits = width > 0 && width.is_multiple_of(STRIPE) && width <= Self::WIDEST && halvings <= COARSEST;
        if even && fits { Ok(Self { head, halvings, width, sums: sums.concat() }) } else { Err(UnevenSums) }
    }

    /// The sums of everything that a query's keys select: one pass over the table.
    ///
    /// # Errors
    /// [`ScanError::Domain`] for keys of a smaller domain than the table's lane has rows; others for no table of
    /// [`BinTable::cut`].
    pub fn answer(table: &BinTable, query: &StackQuery) -> Result<Self, ScanError> {
        let selected: Vec<_> = query.keys().iter().map(|key| table.cut_by().select(&key.expand())).collect();
        let sums = pir::answer(table.rows()?, &selected)?;
        Self::new(table.head(), table.cut_by().halvings(), table.width(), &sums).map_err(|_| ScanError::Width)
    }

    /// That the stack has no table, because a row was stuffed: it is read whole.
    pub const fn read_whole() -> Self {
        Self { head: TreeHead { root: [0; 32], count: 0 }, halvings: 0, width: 0, sums: Vec::new() }
    }

    /// What the bins are held against; `None` where the stack is to be read whole.
    pub fn head(&self) -> Option<TreeHead> {
        (self.width > 0).then_some(self.head)
    }

    /// How the table was cut: see [`Cut::halvings`](crate::Cut::halvings).
    pub const fn halvings(&self) -> u8 {
        self.halvings
    }

    /// Bytes of a bin; 0 where the stack is to be read whole.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// The sums, one for each key.
    pub fn sums(&self) -> impl Iterator<Item = &[u8]> {
        self.sums.chunks(self.width.max(1))
    }

    /// Bytes of the encoded reply.
    pub const fn encoded_len(&self) -> usize {
        Self::HEADER + self.sums.len()
    }

    /// The reply as it travels.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_len());
        bytes.push(Self::VERSION);
        bytes.extend(self.head.root);
        bytes.extend(self.head.count.to_be_bytes());
        bytes.push(self.halvings);
        bytes.extend(count_u32(self.width));
        bytes.extend(&self.sums);
        bytes
    }

    /// Reads a reply.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size or version, a cut there is not, a width that is not of whole stripes or too large, or a head where there is
    /// no table.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::at_least(bytes, Self::HEADER)?;
        reader.version(Self::VERSION)?;
        let head = TreeHead { root: reader.take()?, count: reader.u32()? };
        let halvings = reader.u8()?;
        let width = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
        let stray = width == 0 && (head != TreeHead { root: [0; 32], count: 0 } || halvings > 0);
        if stray || halvings > COARSEST || !width.is_multiple_of(STRIPE) || width > Self::WIDEST {
            return Err(DecodeError::OutOfRange(Field::Width));
        }
        let sums = reader.slice(width * StackQuery::KEYS)?.to_vec();
        reader.end()?;
        Ok(Self { head, halvings, width, sums })
    }
}

impl std::fmt::Debug for StackReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StackReply({} bytes a bin)", self.width)
    }
}

#[cfg(test)]
mod tests;
