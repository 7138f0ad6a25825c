//! The bytes of a segment, as `docs/spec/store-log.md` states them.

use super::super::{Bucket, Change};

/// Bytes of a segment before its first batch.
pub(super) const SEGMENT_HEAD: usize = 32;
/// Bytes of a batch before its changes.
pub(super) const BATCH_HEAD: usize = 32;
/// Bytes of a change before its key.
pub(super) const CHANGE_HEAD: usize = 12;
/// Bytes of a batch's body at most: offsets within a segment have 32 bits.
pub(super) const MAX_BODY: usize = 1 << 30;
/// Bytes of what is committed at one time at most: moving it later needs room for a little more.
pub(super) const MAX_COMMIT: usize = 1 << 29;

const MAGIC: [u8; 8] = *b"MOSLOGS\x01";

/// What is wrong with bytes that should be a part of a segment.
pub(super) type Flaw = &'static str;

/// The beginning of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHead {
    /// Its number: segments are read in this order.
    pub(super) number: u32,
    /// Random. Every batch begins with it, so that nobody who chooses stored bytes can imitate a batch.
    pub(super) marker: [u8; 8],
    /// Sequence number of its first batch.
    pub(super) first: u64,
}

impl SegmentHead {
    pub(super) fn encode(&self) -> [u8; SEGMENT_HEAD] {
        let mut bytes = [0; SEGMENT_HEAD];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&self.number.to_be_bytes());
        bytes[12..20].copy_from_slice(&self.marker);
        bytes[20..28].copy_from_slice(&self.first.to_be_bytes());
        let check = crc32fast::hash(&bytes[..28]);
        bytes[28..].copy_from_slice(&check.to_be_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8; SEGMENT_HEAD]) -> Result<Self, Flaw> {
        if bytes[..8] != MAGIC {
            return Err("it does not begin as a segment of this version");
        }
        if u32_at(bytes, 28) != crc32fast::hash(&bytes[..28]) {
            return Err("the checksum of the segment's head does not fit");
        }
        let marker = array_at(bytes, 12);
        Ok(Self { number: u32_at(bytes, 8), marker, first: u64::from_be_bytes(array_at(bytes, 20)) })
    }
}

/// The beginning of a batch: everything that one commit changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BatchHead {
    /// One more than that of the batch before, through all segments.
    pub(super) sequence: u64,
    /// Bytes of the body.
    pub(super) length: u32,
    /// Changes in the body.
    pub(super) changes: u32,
    /// CRC-32 of the body.
    pub(super) check: u32,
}

impl BatchHead {
    pub(super) fn encode(&self, marker: [u8; 8]) -> [u8; BATCH_HEAD] {
        let mut bytes = [0; BATCH_HEAD];
        bytes[..8].copy_from_slice(&marker);
        bytes[8..16].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.length.to_be_bytes());
        bytes[20..24].copy_from_slice(&self.changes.to_be_bytes());
        bytes[24..28].copy_from_slice(&self.check.to_be_bytes());
        let check = crc32fast::hash(&bytes[..28]);
        bytes[28..].copy_from_slice(&check.to_be_bytes());
        bytes
    }

    /// `None` for what is no head of a batch in the segment with this marker.
    pub(super) fn decode(bytes: &[u8; BATCH_HEAD], marker: [u8; 8]) -> Option<Self> {
        let whole = bytes[..8] == marker && u32_at(bytes, 28) == crc32fast::hash(&bytes[..28]);
        let sequence = u64::from_be_bytes(array_at(bytes, 8));
        let head = Self { sequence, length: u32_at(bytes, 16), changes: u32_at(bytes, 20), check: u32_at(bytes, 24) };
        (whole && head.length as usize <= MAX_BODY).then_some(head)
    }
}

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Put = 1,
    Remove = 2,
    RemovePrefix = 3,
    Erase = 4,
}

impl Kind {
    pub(super) const fn of(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Put),
            2 => Some(Self::Remove),
            3 => Some(Self::RemovePrefix),
            4 => Some(Self::Erase),
            _ => None,
        }
    }
}

/// One change as it lies in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored<'a> {
    pub(super) kind: Kind,
    pub(super) bucket: Bucket,
    /// A key, or a prefix of keys.
    pub(super) key: &'a [u8],
    /// Empty unless it is put.
    pub(super) value: &'a [u8],
    /// Where the change begins: bytes from where its reader began.
    pub(super) at: usize,
}

impl<'a> Stored<'a> {
    /// Reads the change that `bytes` begin with, checksum included.
    pub(super) fn decode(bytes: &'a [u8], at: usize) -> Result<Self, Flaw> {
        let Some(head) = bytes.first_chunk::<CHANGE_HEAD>() else { return Err("a change is cut short") };
        let (key, value) = (usize::from(u16::from_be_bytes([head[2], head[3]])), u32_at(head, 4) as usize);
        let Some(body) = bytes[CHANGE_HEAD..].get(..key + value) else { return Err("a change is cut short") };
        if u32_at(head, 8) != check_of(head, body) {
            return Err("the checksum of a change does not fit");
        }
        let (Some(kind), Some(bucket)) = (Kind::of(head[0]), bucket_of(head[1])) else {
            return Err("a change is of no known kind");
        };
        if kind != Kind::Put && value != 0 {
            return Err("a removal has a value");
        }
        Ok(Self { kind, bucket, key: &body[..key], value: &body[key..], at })
    }

    /// Bytes it occupies.
    pub(super) const fn size(&self) -> usize {
        CHANGE_HEAD + self.key.len() + self.value.len()
    }

    /// Adds it to a body; `None` when the key or the body would be longer than the format has room for.
    #[must_use]
    pub(super) fn append_to(&self, body: &mut Vec<u8>) -> Option<()> {
        let (key, value) = (u16::try_from(self.key.len()).ok()?, u32::try_from(self.value.len()).ok()?);
        if body.len() + self.size() > MAX_BODY {
            return None;
        }
        let mut head = [0; CHANGE_HEAD];
        head[..2].copy_from_slice(&[self.kind as u8, number_of(self.bucket)]);
        head[2..4].copy_from_slice(&key.to_be_bytes());
        head[4..8].copy_from_slice(&value.to_be_bytes());
        let start = body.len();
        body.extend_from_slice(&head);
        body.extend_from_slice(self.key);
        body.extend_from_slice(self.value);
        let check = check_of(&head, &body[start + CHANGE_HEAD..]);
        body[start + 8..start + CHANGE_HEAD].copy_from_slice(&check.to_be_bytes());
        Some(())
    }
}

/// Reads a body, one change after the other.
pub(super) fn changes(body: &[u8]) -> impl Iterator<Item = Result<Stored<'_>, Flaw>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= body.len() {
            return None;
        }
        let stored = Stored::decode(&body[at..], at);
        // after the first that cannot be read, nothing can
        at = stored.as_ref().map_or(body.len(), |stored| at + stored.size());
        Some(stored)
    })
}

/// What [`Change`] asks for, as it will lie in a batch.
pub(super) fn stored(change: &Change) -> Stored<'_> {
    let (kind, bucket, key, value) = match change {
        Change::Put(bucket, key, value) => (Kind::Put, bucket, key, value.as_slice()),
        Change::Remove(bucket, key) => (Kind::Remove, bucket, key, &[][..]),
        Change::RemovePrefix(bucket, key) => (Kind::RemovePrefix, bucket, key, &[][..]),
        Change::Erase(bucket, key) => (Kind::Erase, bucket, key, &[][..]),
    };
    Stored { kind, bucket: *bucket, key, value, at: 0 }
}

/// A bucket's number in files: its place in [`Bucket::ALL`], from 1.
pub(super) fn number_of(bucket: Bucket) -> u8 {
    // ten buckets
    Bucket::ALL.iter().position(|other| *other == bucket).map_or(0, |at| at as u8 + 1)
}

/// Reads [`number_of`].
pub(super) fn bucket_of(number: u8) -> Option<Bucket> {
    Bucket::ALL.get(usize::from(number).checked_sub(1)?).copied()
}

fn check_of(head: &[u8; CHANGE_HEAD], body: &[u8]) -> u32 {
    let mut check = crc32fast::Hasher::new();
    check.update(&head[..8]);
    check.update(body);
    check.finalize()
}

/// Four bytes of a fixed layout as a number.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(array_at(bytes, at))
}

/// Some bytes of a fixed layout.
pub(super) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&bytes[at..at + N]);
    part
}
