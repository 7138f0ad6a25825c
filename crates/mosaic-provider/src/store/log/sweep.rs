//! How room comes back, and how what was erased leaves the disk: the oldest segment is read from its beginning,
//! what still counts in it is written again at the end, and then its file is removed. No other segment is
//! ever touched, so no removal can be forgotten while something older than it remains.

use std::collections::VecDeque;

use super::{
    super::{Bucket, StoreError},
    LogStore, hint,
    leaf::Place,
    no_segment,
    record::{self, Kind, SEGMENT_HEAD},
    reserve,
    segment::{self, Found, Segment},
};

/// The name of the empty file that says which segment is the first.
pub(super) fn base_name(number: u32) -> String {
    format!("base-{number:010}")
}

/// Reads [`base_name`].
pub(super) fn base_in(name: &str) -> Option<u32> {
    let number = name.strip_prefix("base-")?.parse().ok()?;
    (base_name(number) == name).then_some(number)
}

/// What is to be swept, and how far it is.
pub(super) struct Sweep {
    /// The first segment, as the disk says it.
    base: u32,
    /// Segments up to this one hold bytes that were erased.
    target: u32,
    /// How far the oldest segment was looked at.
    at: u32,
    /// Segments that do not count any more and whose files could not be removed yet.
    doomed: Vec<u32>,
}

impl Sweep {
    pub(super) const fn new(base: u32) -> Self {
        Self { base, target: 0, at: SEGMENT_HEAD as u32, doomed: Vec::new() }
    }

    /// Notes that everything under `prefix` was erased by a change in segment `by`.
    pub(super) fn erase(&mut self, by: u32, bucket: Bucket, prefix: &[u8], segments: &VecDeque<Segment>) {
        let holds = |segment: &&Segment| segment.head.number <= by && segment.families.may_hold(bucket, prefix);
        let last = segments.iter().rev().find(holds).map_or(0, |segment| segment.head.number);
        self.target = self.target.max(last);
    }
}

impl LogStore {
    /// One step; whether another one is due.
    pub(super) fn sweep_step(&mut self) -> Result<bool, StoreError> {
        self.remove_doomed()?;
        if !self.is_due() {
            return Ok(false);
        }
        if self.segments.len() == 1 {
            self.unmark()?;
            self.mend()?;
            self.roll()?;
        } else if self.segments.front().is_some_and(|oldest| oldest.live == 0) {
            self.remove_oldest()?;
        } else {
            self.move_some()?;
        }
        Ok(self.is_due())
    }

    fn is_due(&self) -> bool {
        let Some(oldest) = self.segments.front() else { return false };
        let sealed = self.segments.len() > 1;
        let live: u64 = self.segments.iter().map(|segment| segment.live).sum();
        let dead = self.segments.iter().map(|segment| u64::from(segment.length)).sum::<u64>().saturating_sub(live);
        // what goes by itself within two days is not worth moving the rest for, unless it is most of the log
        let wasteful = dead > 2 * live + 2 * u64::from(self.options.segment_bytes);
        !self.sweep.doomed.is_empty()
            || self.sweep.target >= oldest.head.number
            || sealed && (oldest.live == 0 || wasteful)
    }

    /// Writes again what counts in the next batches of the oldest segment.
    fn move_some(&mut self) -> Result<(), StoreError> {
        let oldest = self.segments.front().ok_or_else(no_segment)?;
        let (mut at, number) = (self.sweep.at, oldest.head.number);
        let (mut body, mut count) = (Vec::new(), 0);
        let until = at.saturating_add(self.options.step_bytes.max(1));
        while at < until {
            let batch = match oldest.batch(at)? {
                Found::Batch(batch) => batch,
                Found::End => return Err(oldest.damaged(&*self.disk, at, "what counts in it was not found")),
                Found::Flawed { what } => return Err(oldest.damaged(&*self.disk, at, what)),
            };
            for stored in record::changes(&batch.body).flatten().filter(|stored| stored.kind == Kind::Put) {
                let place =
                    Place { segment: number, at: batch.body_at + stored.at as u32, length: stored.value.len() as u32 };
                if self.index.get(stored.bucket, stored.key) == Some(place) && stored.append_to(&mut body).is_some() {
                    count += 1;
                }
            }
            at = batch.end();
            if at >= oldest.length {
                break;
            }
        }
        if count > 0 {
            self.append_or_use_reserve(&body, count, reserve::is_for_moving(&body))?;
        }
        self.sweep.at = at;
        Ok(())
    }

    /// Removes the oldest segment, in which nothing counts any more. First the log begins behind it: a file that is
    /// left over is removed at the next start.
    fn remove_oldest(&mut self) -> Result<(), StoreError> {
        let number = self.segments.front().ok_or_else(no_segment)?.head.number;
        let (base, next) = (self.sweep.base, number + 1);
        if base != next {
            self.disk.rename(&base_name(base), &base_name(next))?;
            self.sweep.base = next;
        }
        self.disk.flush()?;
        self.segments.pop_front();
        self.sweep.at = SEGMENT_HEAD as u32;
        self.sweep.doomed.push(number);
        self.remove_doomed()
    }

    fn remove_doomed(&mut self) -> Result<(), StoreError> {
        while let Some(number) = self.sweep.doomed.last() {
            for name in [segment::name(*number), hint::name(*number)] {
                match self.disk.remove(&name) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                    _ => {}
                }
            }
            self.disk.flush()?;
            self.sweep.doomed.pop();
        }
        Ok(())
    }
}
