//! The store as an append-only log of batches, with every key in memory and every value on disk.
//!
//! A commit is one batch, one write and one flush. `docs/spec/store-log.md` states the files byte by byte;
//! `docs/adr/0015-the-store-is-a-log.md` says why.

mod disk;
mod hint;
mod index;
mod leaf;
mod mark;
mod opening;
mod parse;
mod reading;
mod record;
mod reserve;
mod segment;
mod sweep;

use std::{collections::VecDeque, io, path::Path};

use mosaic_types::Period;
use zeroize::Zeroizing;

use super::{Bucket, Change, Each, Entry, Store, StoreError, import, keyfiles::KeyFiles};

use disk::{Disk, Folder};
use hint::{Hint, Note};
use index::Index;
use leaf::Place;
use mark::Mark;
use record::{BATCH_HEAD, BatchHead, CHANGE_HEAD, Kind, SegmentHead};
use reserve::Reserve;
use segment::Segment;

pub use parse::{SegmentParts, parse_segment};

/// A store in `store/`, with the periods' sealing keys as single files in `share-keys/` beside it.
///
/// A full disk stops changes, not reads, and the next commit works once there is room. Damage is an error that
/// names the file and the byte; only what a commit that never returned left at the very end is cut off.
pub struct LogStore {
    disk: Box<dyn Disk>,
    keys: KeyFiles,
    options: LogOptions,
    index: Index,
    /// In order, without gaps; the last one is written to.
    segments: VecDeque<Segment>,
    /// Sequence number of the next batch.
    next: u64,
    /// Notes of the last segment, for its hint.
    notes: Vec<u8>,
    /// The last segment's file may hold more than its length: a commit failed.
    torn: bool,
    /// The last segment is not to be written to any more: a flush failed, and nobody knows what is in it.
    worn: bool,
    /// A [`Mark`] is on disk.
    marked: bool,
    sweep: sweep::Sweep,
    reserve: Reserve,
}

/// What may be chosen about a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// Bytes after which the next segment begins. A batch is never split.
    pub segment_bytes: u32,
    /// Bytes of a segment that one step of [`Store::tidy`] looks at, one batch at least.
    pub step_bytes: u32,
    /// Bytes kept back, so that tables can be retired on a full disk.
    pub reserve_bytes: u32,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, step_bytes: 4 << 20, reserve_bytes: 1 << 20 }
    }
}

impl LogStore {
    /// Opens `store/` and `share-keys/` in `folder`, making them if needed, readable by the owner only. A `store.redb`
    /// that an earlier version left is taken over first, and removed.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another process has it, [`StoreError::Damaged`] when acknowledged changes cannot
    /// be read back, [`StoreError`] otherwise.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_with(folder, LogOptions::default())
    }

    /// As [`Self::open`], with other sizes.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(folder: &Path, options: LogOptions) -> Result<Self, StoreError> {
        import::take_over(folder, options)?;
        Self::open_in(&folder.join("store"), KeyFiles::open(folder)?, options)
    }

    /// Opens the log in this very folder.
    pub(super) fn open_in(log: &Path, keys: KeyFiles, options: LogOptions) -> Result<Self, StoreError> {
        Self::open_on(Box::new(Folder::open(log)?), keys, options)
    }

    fn last(&self) -> Result<&Segment, StoreError> {
        self.segments.back().ok_or_else(no_segment)
    }

    fn segment(&self, number: u32) -> Result<&Segment, StoreError> {
        let first = self.segments.front().ok_or_else(no_segment)?.head.number;
        number.checked_sub(first).and_then(|at| self.segments.get(at as usize)).ok_or_else(no_segment)
    }

    /// As [`Self::append`]; when the disk is full, what is `urgent` takes the room that was kept back.
    fn append_or_use_reserve(&mut self, body: &[u8], changes: u32, urgent: bool) -> Result<(), StoreError> {
        match self.append(body, changes) {
            Err(StoreError::Full) if urgent && self.reserve.give(&*self.disk)? => self.append(body, changes),
            done => done,
        }
    }

    /// Appends a body as one batch, durably, and applies it; or does neither.
    fn append(&mut self, body: &[u8], changes: u32) -> Result<(), StoreError> {
        self.unmark()?;
        self.mend()?;
        let size = BATCH_HEAD + body.len();
        let length = self.last()?.length;
        let room = self.options.segment_bytes.saturating_sub(length) as usize;
        if self.worn || size > room && length as usize > record::SEGMENT_HEAD {
            self.roll()?;
        }
        // a body has at most 2^30 bytes
        let head = BatchHead { sequence: self.next, length: body.len() as u32, changes, check: crc32fast::hash(body) };
        let last = self.last()?;
        let mut bytes = Vec::with_capacity(size);
        bytes.extend_from_slice(&head.encode(last.head.marker));
        bytes.extend_from_slice(body);
        let at = last.length;
        if let Err(error) = last.file.write_at(&bytes, at.into()) {
            self.torn = true;
            let _later = self.mend();
            return Err(error.into());
        }
        if let Err(error) = last.file.flush() {
            (self.torn, self.worn) = (true, true);
            let _later = self.mend();
            return Err(error.into());
        }
        self.next += 1;
        if let Some(last) = self.segments.back_mut() {
            last.length += size as u32;
        }
        let number = self.last()?.head.number;
        for stored in record::changes(body).flatten() {
            let note = Note::of(&stored, at + BATCH_HEAD as u32);
            note.append_to(&mut self.notes);
            self.apply(number, &note, Families::Noted);
        }
        Ok(())
    }

    /// Cuts off what a failed commit left. Only then may anything be written behind it.
    fn mend(&mut self) -> Result<(), StoreError> {
        if self.torn {
            let last = self.last()?;
            last.file.truncate(last.length.into())?;
            last.file.flush()?;
            self.torn = false;
        }
        Ok(())
    }

    /// Seals the last segment and begins the next.
    fn roll(&mut self) -> Result<(), StoreError> {
        let last = self.last()?;
        let number = last.head.number.checked_add(1).ok_or(io::ErrorKind::FileTooLarge).map_err(io::Error::from)?;
        let head = SegmentHead { number, marker: marker()?, first: self.next };
        let segment = Segment::create(&*self.disk, head)?;
        // only a shortcut: without it, the segment is read at the next start
        let hint = Hint::new(last.length, self.next, &last.families, &self.notes);
        let _unhinted = hint.write(&*self.disk, &last.head);
        self.segments.push_back(segment);
        self.notes = Vec::new();
        self.worn = false;
        Ok(())
    }

    /// Makes one change to what is in memory.
    fn apply(&mut self, number: u32, note: &Note<'_>, families: Families) {
        let Self { index, segments, .. } = self;
        let first = segments.front().map_or(0, |segment| segment.head.number);
        let mut gone = |key: &[u8], place: Place| {
            if let Some(segment) = segments.get_mut(place.segment.wrapping_sub(first) as usize) {
                segment.live = segment.live.saturating_sub(size_of(key, place.length));
            }
        };
        match note.kind {
            Kind::Put => {
                let place = Place { segment: number, at: note.at, length: note.length };
                if let Some(former) = index.put(note.bucket, note.key, place) {
                    gone(note.key, former);
                }
                if let Some(segment) = segments.get_mut(number.wrapping_sub(first) as usize) {
                    segment.live += size_of(note.key, note.length);
                    if families == Families::Noted {
                        segment.families.note(note.bucket, note.key);
                    }
                }
            }
            Kind::Remove => {
                if let Some(former) = index.remove(note.bucket, note.key) {
                    gone(note.key, former);
                }
            }
            Kind::RemovePrefix => index.remove_prefix(note.bucket, note.key, gone),
            Kind::Erase => {
                index.remove_prefix(note.bucket, note.key, gone);
                self.sweep.erase(number, note.bucket, note.key, &self.segments);
            }
        }
    }

    /// Removes the mark of a clean end, before anything is written.
    fn unmark(&mut self) -> Result<(), StoreError> {
        if self.marked {
            Mark::remove(&*self.disk)?;
            self.marked = false;
        }
        Ok(())
    }
}

/// Whether a segment's families are noted while changes are applied, or known already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Families {
    Noted,
    Known,
}

impl Store for LogStore {
    fn get(&self, bucket: Bucket, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.index.get(bucket, key).map(|place| self.read(bucket, key, place)).transpose()
    }

    fn scan(&self, bucket: Bucket, prefix: &[u8]) -> Result<Vec<Entry>, StoreError> {
        self.read_all(bucket, self.index.under(bucket, prefix).map(|(key, place)| (key.to_vec(), place)).collect())
    }

    fn has(&self, bucket: Bucket, prefix: &[u8]) -> Result<bool, StoreError> {
        Ok(self.index.under(bucket, prefix).next().is_some())
    }

    fn every(&self, each: &mut Each<'_>) -> Result<(), StoreError> {
        for bucket in Bucket::ALL {
            for (key, place) in self.index.under(bucket, b"") {
                each(bucket, key, &self.read(bucket, key, place)?)?;
            }
        }
        Ok(())
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut body = Vec::new();
        let too_large = || io::Error::new(io::ErrorKind::InvalidInput, "a key or a commit is too large");
        for change in changes {
            record::stored(change).append_to(&mut body).ok_or_else(too_large)?;
        }
        if body.len() > record::MAX_COMMIT {
            return Err(too_large().into());
        }
        self.append_or_use_reserve(&body, changes.len() as u32, reserve::is_for(&body))
    }

    fn tidy(&mut self) -> Result<bool, StoreError> {
        let more = self.sweep_step()?;
        if !more {
            self.reserve.restore(&*self.disk);
        }
        Ok(more)
    }

    fn keep_key(&mut self, period: Period, key: &[u8; 32]) -> Result<(), StoreError> {
        self.keys.keep(period, key)
    }

    fn key(&self, period: Period) -> Result<Option<Zeroizing<[u8; 32]>>, StoreError> {
        self.keys.get(period)
    }

    fn destroy_key(&mut self, period: Period) -> Result<(), StoreError> {
        self.keys.destroy(period)
    }

    fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| u64::from(segment.length)).sum()
    }
}

impl Drop for LogStore {
    /// Says where the log ends. Without that, which is what a kill leaves, the next start cannot tell a last batch
    /// that was damaged from one that was never finished.
    fn drop(&mut self) {
        if let (false, false, Some(last)) = (self.torn, self.marked, self.segments.back()) {
            let mark = Mark { number: last.head.number, length: last.length, next: self.next };
            let _unmarked = mark.write(&*self.disk);
        }
    }
}

/// Bytes of a change that puts a value.
fn size_of(key: &[u8], value: u32) -> u64 {
    (CHANGE_HEAD + key.len()) as u64 + u64::from(value)
}

fn marker() -> Result<[u8; 8], StoreError> {
    let mut marker = [0; 8];
    let mut rng = mosaic_transport::os_rng().map_err(io::Error::other)?;
    rand::Rng::fill_bytes(&mut rng, &mut marker);
    Ok(marker)
}

/// Cannot be: a log that is open has a segment for every place.
fn no_segment() -> StoreError {
    io::Error::other("a segment is not open").into()
}

#[cfg(test)]
mod tests;
