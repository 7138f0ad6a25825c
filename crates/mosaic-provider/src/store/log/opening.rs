//! From files to a log: what is there is read, what a crash left is finished, what is damaged is named.

use std::{
    collections::{BTreeSet, VecDeque},
    io,
};

use super::{
    super::{StoreError, keyfiles::KeyFiles},
    Families, LogOptions, LogStore,
    disk::Disk,
    hint::{self, Hint, Note},
    index::Index,
    mark::Mark,
    marker,
    record::{self, Flaw, SEGMENT_HEAD, SegmentHead},
    reserve::Reserve,
    segment::{self, Batch, Found, Segment, damaged},
    sweep::{self, Sweep},
};

/// The file in a message about the whole log.
const WHOLE: &str = "";

impl LogStore {
    pub(super) fn open_on(disk: Box<dyn Disk>, keys: KeyFiles, options: LogOptions) -> Result<Self, StoreError> {
        // offsets within a segment have 32 bits
        let options = LogOptions { segment_bytes: options.segment_bytes.min(1 << 30), ..options };
        let names = disk.names()?;
        let mut numbers: BTreeSet<u32> = names.iter().filter_map(|name| segment::number_in(name)).collect();
        let base = find_base(&*disk, &names, numbers.is_empty())?;
        numbers = numbers.split_off(&base);
        remove_leftovers(&*disk, &names, base)?;
        let mark = Mark::read(&*disk);
        if mark.is_none_or(|mark| numbers.last() != Some(&mark.number)) {
            remove_unborn(&*disk, &mut numbers)?;
        }
        let reserve = Reserve::open(&*disk, options.reserve_bytes, &names);
        let mut store = Self {
            disk,
            keys,
            options,
            index: Index::new(),
            segments: VecDeque::new(),
            next: 0,
            notes: Vec::new(),
            torn: false,
            worn: false,
            marked: mark.is_some() || names.iter().any(|name| name == Mark::NAME),
            sweep: Sweep::new(base),
            reserve,
        };
        store.load(base, &numbers, mark)?;
        Ok(store)
    }

    fn load(&mut self, base: u32, numbers: &BTreeSet<u32>, mark: Option<Mark>) -> Result<(), StoreError> {
        if let Some(missing) = (base..).zip(numbers).find_map(|(due, is)| (due != *is).then_some(due)) {
            return Err(damaged(&*self.disk, &segment::name(missing), None, "the segment is missing"));
        }
        let Some(last) = numbers.last().copied() else {
            // the log ended before it began: nothing was ever committed
            if base != 1 || mark.is_some() {
                return Err(damaged(&*self.disk, &segment::name(base), None, "the segment is missing"));
            }
            let head = SegmentHead { number: base, marker: marker()?, first: 0 };
            self.segments.push_back(Segment::create(&*self.disk, head)?);
            return Ok(());
        };
        for number in numbers {
            self.open_segment(*number)?;
            if *number != last {
                self.load_sealed()?;
            }
        }
        self.load_last(mark)
    }

    /// Opens a segment and checks that it follows the one before.
    fn open_segment(&mut self, number: u32) -> Result<(), StoreError> {
        let name = segment::name(number);
        let file = self.disk.open(&name)?;
        let flawed = |what: Flaw| damaged(&*self.disk, &name, Some(0), what);
        let length = u32::try_from(file.length()?).map_err(|_| flawed("the segment is too long"))?;
        let mut head = [0; SEGMENT_HEAD];
        if (length as usize) < SEGMENT_HEAD {
            return Err(flawed("the segment is cut short"));
        }
        file.read_at(&mut head, 0)?;
        let head = SegmentHead::decode(&head).map_err(flawed)?;
        if head.number != number || !self.segments.is_empty() && head.first != self.next {
            return Err(flawed("the segment does not follow the one before"));
        }
        self.next = head.first;
        self.segments.push_back(Segment { length, ..Segment::new(head, file) });
        Ok(())
    }

    /// A segment that others follow: nothing in it can be unfinished.
    fn load_sealed(&mut self) -> Result<(), StoreError> {
        let Some(last) = self.segments.back_mut() else { return Ok(()) };
        let (number, length) = (last.head.number, last.length);
        if let Some(hint) = Hint::read(&*self.disk, &last.head).filter(|hint| hint.length == length) {
            last.families = hint.families;
            self.next = hint.next;
            hint::notes(&hint.notes).for_each(|note| self.apply(number, &note, Families::Known));
            return Ok(());
        }
        let mut notes = Vec::new();
        let (end, what) = self.read_batches(&mut notes)?;
        let last = self.last()?;
        if let Some(what) = what {
            return Err(last.damaged(&*self.disk, end, what));
        }
        let hint = Hint::new(length, self.next, &last.families, &notes);
        let _unhinted = hint.write(&*self.disk, &last.head);
        Ok(())
    }

    /// The segment that was written to. What follows its last whole batch is cut off if it is the rest of one
    /// commit: the log was not closed in peace, and no other batch comes behind it.
    fn load_last(&mut self, mark: Option<Mark>) -> Result<(), StoreError> {
        let mut notes = Vec::new();
        let (end, what) = self.read_batches(&mut notes)?;
        self.notes = notes;
        let next = self.next;
        let Some(last) = self.segments.back_mut() else { return Ok(()) };
        let flawed = |what: Flaw| damaged(&*self.disk, &segment::name(last.head.number), Some(end.into()), what);
        if let Some(mark) = mark {
            let is = Mark { number: last.head.number, length: last.length, next };
            return match what {
                Some(what) => Err(flawed(what)),
                None if is != mark => Err(flawed("the log does not end where it was closed")),
                None => Ok(()),
            };
        }
        let Some(what) = what else { return Ok(()) };
        let length = last.length.into();
        if segment::next_batch(&*last.file, last.head.marker, u64::from(end) + 1, length)?.is_some() {
            return Err(flawed(what));
        }
        tracing::warn!(
            file = %self.disk.path(&segment::name(last.head.number)).display(),
            byte = end,
            bytes = last.length - end,
            "cut off what a commit left that never ended"
        );
        last.length = end;
        last.file.truncate(end.into())?;
        Ok(last.file.flush()?)
    }

    /// Applies the last segment's batches up to its end or the first flaw; says where and what that is.
    fn read_batches(&mut self, notes: &mut Vec<u8>) -> Result<(u32, Option<Flaw>), StoreError> {
        let mut at = SEGMENT_HEAD as u32;
        loop {
            let batch = match self.last()?.batch(at)? {
                Found::End => return Ok((at, None)),
                Found::Flawed { what } => return Ok((at, Some(what))),
                Found::Batch(batch) if batch.head.sequence != self.next => {
                    return Err(self.last()?.damaged(&*self.disk, at, "a batch is missing before this one"));
                }
                Found::Batch(batch) => batch,
            };
            self.replay(&batch, notes)?;
            self.next += 1;
            at = batch.end();
        }
    }

    fn replay(&mut self, batch: &Batch, notes: &mut Vec<u8>) -> Result<(), StoreError> {
        let number = self.last()?.head.number;
        for change in record::changes(&batch.body).flatten() {
            let note = Note::of(&change, batch.body_at);
            note.append_to(notes);
            self.apply(number, &note, Families::Noted);
        }
        Ok(())
    }
}

/// The number of the first segment that counts: the name of an empty file says it, because a name changes all at
/// once and needs no room.
fn find_base(disk: &dyn Disk, names: &[String], empty: bool) -> Result<u32, StoreError> {
    let bases: Vec<u32> = names.iter().filter_map(|name| sweep::base_in(name)).collect();
    match bases.as_slice() {
        [base] => Ok(*base),
        [] if empty => {
            disk.create(&sweep::base_name(1))?;
            disk.flush()?;
            Ok(1)
        }
        _ => Err(damaged(disk, WHOLE, None, "the file is missing whose name says where the log begins")),
    }
}

/// What was to be removed when the process ended.
fn remove_leftovers(disk: &dyn Disk, names: &[String], base: u32) -> io::Result<()> {
    let swept = |name: &str| {
        let number = name.split_once('.').and_then(|(number, _)| number.parse().ok());
        number.is_some_and(|number: u32| number < base)
    };
    let mut removed = false;
    for name in names.iter().filter(|name| name.ends_with(".new") || swept(name)) {
        disk.remove(name)?;
        removed = true;
    }
    if removed { disk.flush() } else { Ok(()) }
}

/// A last segment whose head was never finished: nothing was ever in it.
fn remove_unborn(disk: &dyn Disk, numbers: &mut BTreeSet<u32>) -> io::Result<()> {
    let Some(number) = numbers.last().copied() else { return Ok(()) };
    let name = segment::name(number);
    let file = disk.open(&name)?;
    let length = file.length()?;
    let mut head = [0; SEGMENT_HEAD];
    let born = length > SEGMENT_HEAD as u64
        || length == SEGMENT_HEAD as u64 && {
            file.read_at(&mut head, 0)?;
            SegmentHead::decode(&head).is_ok()
        };
    if !born {
        disk.remove(&name)?;
        disk.flush()?;
        numbers.remove(&number);
    }
    Ok(())
}
