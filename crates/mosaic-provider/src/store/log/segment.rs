use std::collections::BTreeSet;

use super::{
    super::{Bucket, StoreError},
    disk::{Disk, DiskFile},
    record::{self, BATCH_HEAD, BatchHead, Flaw, SEGMENT_HEAD, SegmentHead},
};

/// A segment's name.
pub(super) fn name(number: u32) -> String {
    format!("{number:010}.seg")
}

/// The number in the name of a segment.
pub(super) fn number_in(name: &str) -> Option<u32> {
    let number = name.strip_suffix(".seg")?.parse().ok()?;
    (self::name(number) == name).then_some(number)
}

/// One file of the log.
pub(super) struct Segment {
    pub(super) head: SegmentHead,
    pub(super) file: Box<dyn DiskFile>,
    /// Bytes that count; a failed commit may have left more in the file.
    pub(super) length: u32,
    /// Bytes of changes that put what is still there.
    pub(super) live: u64,
    pub(super) families: Families,
}

impl Segment {
    /// Makes a segment that holds nothing, durably.
    pub(super) fn create(disk: &dyn Disk, head: SegmentHead) -> Result<Self, StoreError> {
        let name = name(head.number);
        let made = disk.create(&name).and_then(|file| {
            file.write_at(&head.encode(), 0)?;
            file.flush()?;
            disk.flush()?;
            Ok(file)
        });
        match made {
            Ok(file) => Ok(Self::new(head, file)),
            Err(error) => {
                // what is left of it would be found at the next start, and is no harm there
                let _left = disk.remove(&name);
                Err(error.into())
            }
        }
    }

    pub(super) fn new(head: SegmentHead, file: Box<dyn DiskFile>) -> Self {
        Self { head, file, length: SEGMENT_HEAD as u32, live: 0, families: Families::default() }
    }

    /// Says where it is damaged.
    pub(super) fn damaged(&self, disk: &dyn Disk, at: u32, what: Flaw) -> StoreError {
        damaged(disk, &name(self.head.number), Some(at.into()), what)
    }

    /// The batch at `at`, checked.
    pub(super) fn batch(&self, at: u32) -> Result<Found, StoreError> {
        let left = u64::from(self.length) - u64::from(at);
        read_batch(&*self.file, self.head.marker, at, left)
    }
}

/// A [`StoreError::Damaged`].
pub(super) fn damaged(disk: &dyn Disk, name: &str, offset: Option<u64>, what: Flaw) -> StoreError {
    StoreError::Damaged { path: disk.path(name), offset, what, source: None }
}

/// What lies where a batch should begin.
pub(super) enum Found {
    /// The end.
    End,
    /// A whole batch.
    Batch(Batch),
    /// Something else.
    Flawed { what: Flaw },
}

/// A batch as it was read.
pub(super) struct Batch {
    pub(super) head: BatchHead,
    /// Where its body begins.
    pub(super) body_at: u32,
    pub(super) body: Vec<u8>,
}

impl Batch {
    /// Where the next one begins.
    pub(super) fn end(&self) -> u32 {
        self.body_at + self.head.length
    }
}

/// Reads the batch at `at` of a file with so many bytes left.
pub(super) fn read_batch(file: &dyn DiskFile, marker: [u8; 8], at: u32, left: u64) -> Result<Found, StoreError> {
    if left == 0 {
        return Ok(Found::End);
    }
    let flawed = |what| Ok(Found::Flawed { what });
    if left < BATCH_HEAD as u64 {
        return flawed("a batch is cut short");
    }
    let mut head = [0; BATCH_HEAD];
    file.read_at(&mut head, at.into())?;
    let Some(head) = BatchHead::decode(&head, marker) else {
        return flawed("no batch begins here");
    };
    let next = u64::from(at) + BATCH_HEAD as u64 + u64::from(head.length);
    let (false, Ok(_)) = (next > u64::from(at) + left, u32::try_from(next)) else {
        return flawed("a batch is cut short");
    };
    let body_at = at + BATCH_HEAD as u32;
    let mut body = vec![0; head.length as usize];
    file.read_at(&mut body, body_at.into())?;
    if crc32fast::hash(&body) != head.check {
        return flawed("the checksum of a batch does not fit");
    }
    let mut count = 0;
    for change in record::changes(&body) {
        match change {
            Ok(_) => count += 1,
            Err(what) => return flawed(what),
        }
    }
    if count != head.changes {
        return flawed("a batch does not hold as many changes as it says");
    }
    Ok(Found::Batch(Batch { head, body_at, body }))
}

/// Where the next batch begins at or after `from`, found by the segment's marker: what a commit that never
/// ended left behind is followed by none.
pub(super) fn next_batch(
    file: &dyn DiskFile,
    marker: [u8; 8],
    from: u64,
    length: u64,
) -> Result<Option<u64>, StoreError> {
    const WINDOW: u64 = 1 << 20;
    let mut at = from;
    while at + BATCH_HEAD as u64 <= length {
        let mut window = vec![0; WINDOW.min(length - at) as usize];
        file.read_at(&mut window, at)?;
        let found = window.windows(BATCH_HEAD).position(|bytes| {
            bytes.starts_with(&marker)
                && bytes.first_chunk().is_some_and(|head| BatchHead::decode(head, marker).is_some())
        });
        if let Some(place) = found {
            return Ok(Some(at + place as u64));
        }
        at += (window.len() - BATCH_HEAD + 1) as u64;
    }
    Ok(None)
}

/// What kinds of keys a segment ever held bytes of: a bucket and the beginning of a key, which is a table or a
/// day. Whoever wants all bytes of a table gone asks this which segments to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Families {
    seen: BTreeSet<Family>,
    /// There were too many to tell.
    any: bool,
}

/// A bucket and the first bytes of a key, of which the last ones are unused when it is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Family {
    bucket: Bucket,
    length: u8,
    bytes: [u8; Family::BYTES],
}

impl Family {
    const BYTES: usize = 4;

    fn of(bucket: Bucket, key: &[u8]) -> Self {
        let length = key.len().min(Self::BYTES);
        let mut bytes = [0; Self::BYTES];
        bytes[..length].copy_from_slice(&key[..length]);
        Self { bucket, length: length as u8, bytes }
    }

    fn beginning(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl Families {
    const MOST: usize = 1_024;

    pub(super) fn note(&mut self, bucket: Bucket, key: &[u8]) {
        if !self.any && self.seen.insert(Family::of(bucket, key)) {
            self.any = self.seen.len() > Self::MOST;
        }
    }

    /// Whether bytes of a key that starts with `prefix` may be there.
    pub(super) fn may_hold(&self, bucket: Bucket, prefix: &[u8]) -> bool {
        let meets = |known: &[u8]| known.starts_with(prefix) || prefix.starts_with(known);
        self.any || self.seen.iter().any(|family| family.bucket == bucket && meets(family.beginning()))
    }

    /// `None` when there were too many to tell.
    pub(super) fn all(&self) -> Option<impl Iterator<Item = (Bucket, &[u8])>> {
        (!self.any).then(|| self.seen.iter().map(|family| (family.bucket, family.beginning())))
    }

    /// Too many to tell.
    pub(super) fn any() -> Self {
        Self { any: true, ..Self::default() }
    }
}
