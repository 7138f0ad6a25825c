use thiserror::Error;

/// A named part of a message, for errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// A stream number.
    Stream,
    /// A provider's number.
    Provider,
    /// A class number.
    Class,
    /// A time to live.
    Ttl,
    /// A part index or a number of parts.
    Part,
    /// A length or a count.
    Count,
    /// The kind of a message.
    Kind,
    /// A suite number.
    Suite,
    /// A set of slots.
    Slots,
    /// A row number.
    Row,
    /// A row capacity, generation length or number of class groups.
    Shape,
    /// A threshold.
    Threshold,
    /// An OPRF input's resolution.
    Resolution,
    /// A problem code.
    Problem,
    /// The purpose of a token.
    Purpose,
    /// Tables that must be one.
    Table,
    /// Bits of a point function's domain.
    Domain,
    /// A point function's key.
    Key,
    /// Bytes of a bin.
    Width,
}

/// Why bytes are no message. Says where the message broke, never what it said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Not exactly as long as this kind of message is.
    #[error("the message has {found} bytes, {expected} were expected")]
    WrongSize {
        /// Bytes a message of this kind has.
        expected: usize,
        /// Bytes there were.
        found: usize,
    },
    /// A version this code does not speak.
    #[error("version {0} of the message is unknown")]
    Version(u8),
    /// Bytes that must be zero are not.
    #[error("reserved or padding bytes are not zero")]
    Reserved,
    /// A value outside its range.
    #[error("a value is outside its range: {0:?}")]
    OutOfRange(Field),
    /// More entries than this kind of message may have.
    #[error("the message announces {count} entries, at most {most} are allowed")]
    TooMany {
        /// Entries announced.
        count: usize,
        /// Entries allowed.
        most: usize,
    },
    /// Entries that must rise strictly do not.
    #[error("the entries are not in strictly rising order")]
    Order,
    /// Two slots of an event name the same row.
    #[error("two slots name the same row")]
    RepeatedRow,
    /// Text that is not UTF-8, or holds a control character.
    #[error("the text is not printable UTF-8")]
    Text,
    /// A JSON body without the members this kind of message has.
    #[error("the JSON body is not of the expected form")]
    Json,
}

/// Which of how many parts something is: `index << 4 | total` in one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    index: u8,
    total: u8,
}

impl Part {
    /// The only part of one.
    pub const WHOLE: Self = Self { index: 0, total: 1 };

    /// Part `index` (from 0) of `total` (1 to 15); `None` unless `index < total`.
    pub const fn new(index: u8, total: u8) -> Option<Self> {
        if index < total && total <= 15 { Some(Self { index, total }) } else { None }
    }

    /// Counted from 0.
    pub const fn index(self) -> u8 {
        self.index
    }

    /// How many parts there are.
    pub const fn total(self) -> u8 {
        self.total
    }

    pub(crate) const fn byte(self) -> u8 {
        self.index << 4 | self.total
    }

    pub(crate) fn from_byte(byte: u8) -> Result<Self, DecodeError> {
        Self::new(byte >> 4, byte & 15).ok_or(DecodeError::OutOfRange(Field::Part))
    }
}

/// Reads a message front to back; every step says when the bytes run out.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    expected: usize,
    found: usize,
}

impl<'a> Reader<'a> {
    /// Starts on a message that must have exactly `expected` bytes.
    pub(crate) fn exact(bytes: &'a [u8], expected: usize) -> Result<Self, DecodeError> {
        if bytes.len() == expected {
            Ok(Self { rest: bytes, expected, found: expected })
        } else {
            Err(DecodeError::WrongSize { expected, found: bytes.len() })
        }
    }

    /// Starts on a message whose header says how long it is; `header` is its least length.
    pub(crate) fn at_least(bytes: &'a [u8], header: usize) -> Result<Self, DecodeError> {
        if bytes.len() >= header {
            Ok(Self { rest: bytes, expected: header, found: bytes.len() })
        } else {
            Err(DecodeError::WrongSize { expected: header, found: bytes.len() })
        }
    }

    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (part, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.short())?;
        self.rest = rest;
        Ok(*part)
    }

    pub(crate) fn slice(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (part, rest) = self.rest.split_at_checked(length).ok_or_else(|| self.short())?;
        self.rest = rest;
        Ok(part)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(u8::from_be_bytes(self.take()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.take()?))
    }

    pub(crate) fn u24(&mut self) -> Result<u32, DecodeError> {
        let [a, b, c] = self.take()?;
        Ok(u32::from_be_bytes([0, a, b, c]))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.take()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_be_bytes(self.take()?))
    }

    /// Checks the version byte.
    pub(crate) fn version(&mut self, known: u8) -> Result<(), DecodeError> {
        let version = self.u8()?;
        if version == known { Ok(()) } else { Err(DecodeError::Version(version)) }
    }

    /// Checks that the next `length` bytes are zero.
    pub(crate) fn zeros(&mut self, length: usize) -> Result<(), DecodeError> {
        if self.slice(length)?.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(DecodeError::Reserved) }
    }

    /// Bytes not yet read.
    pub(crate) const fn left(&self) -> usize {
        self.rest.len()
    }

    /// Checks that nothing follows.
    pub(crate) fn end(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::WrongSize { expected: self.found - self.rest.len(), found: self.found })
        }
    }

    /// Checks that everything left has exactly `length` bytes: done before anything is allocated.
    pub(crate) fn must_hold(&self, length: usize) -> Result<(), DecodeError> {
        if self.rest.len() == length {
            return Ok(());
        }
        let expected = (self.found - self.rest.len()).saturating_add(length);
        Err(DecodeError::WrongSize { expected, found: self.found })
    }

    fn short(&self) -> DecodeError {
        DecodeError::WrongSize { expected: self.expected.max(self.found + 1), found: self.found }
    }
}

/// Fills a message of a size known at compile time.
pub(crate) struct Writer<const N: usize> {
    bytes: [u8; N],
    at: usize,
}

impl<const N: usize> Writer<N> {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; N], at: 0 }
    }

    /// Appends; a message longer than its constant size is a mistake that every size test shows.
    pub(crate) fn put(mut self, part: &[u8]) -> Self {
        let end = self.at + part.len();
        debug_assert!(end <= N, "the fields do not fit the message");
        if let Some(place) = self.bytes.get_mut(self.at..end) {
            place.copy_from_slice(part);
        }
        self.at = end;
        self
    }

    pub(crate) fn byte(self, value: u8) -> Self {
        self.put(&[value])
    }

    /// Leaves `length` zero bytes.
    pub(crate) fn skip(mut self, length: usize) -> Self {
        self.at += length;
        self
    }

    /// The message; whatever was not written stays zero.
    pub(crate) fn finish(self) -> [u8; N] {
        debug_assert!(self.at <= N, "the fields do not fit the message");
        self.bytes
    }
}

/// The text in a zero-padded field: UTF-8 without control characters other than line breaks.
pub(crate) fn padded_text(field: &[u8]) -> Result<&str, DecodeError> {
    let length = field.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    plain_text(field.get(..length).unwrap_or_default())
}

/// Checks text a stranger wrote.
pub(crate) fn plain_text(bytes: &[u8]) -> Result<&str, DecodeError> {
    let text = std::str::from_utf8(bytes).map_err(|_| DecodeError::Text)?;
    if text.chars().any(|c| c.is_control() && c != '\n') { Err(DecodeError::Text) } else { Ok(text) }
}

/// Big-endian bytes of a count that was checked to fit.
pub(crate) fn count_u32(count: usize) -> [u8; 4] {
    u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes()
}

/// Big-endian bytes of a count that was checked to fit.
pub(crate) fn count_u16(count: usize) -> [u8; 2] {
    u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes()
}
