use std::{collections::HashMap, time::Duration};

use mosaic_crypto::signing::SigningKey;
use mosaic_types::{ProviderId, SegmentId, Stream, TableId, Timestamp};
use mosaic_wire::{EventFields, GenerationBlock, Head, InvalidGeneration, Receipt, Record, SLOTS};
use serde::{Deserialize, Serialize};

use crate::sizing::TableShape;

/// What the origin decided about one event, once and for ever: a replay gets the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Stream the records go into.
    pub stream: Stream,
    /// Generation that will hold them.
    pub generation: u32,
    /// Bit `i`: slot `i` was taken.
    pub accepted: u16,
    /// Bit `i`: the row of slot `i` was full.
    pub full: u16,
    /// When it was decided.
    pub time: Timestamp,
    /// The event's receipt key hash.
    pub receipt_key: [u8; 32],
}

/// Whether an event was met before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// Decided now; the records are in the open generation.
    Fresh(Verdict),
    /// Decided before; nothing changed.
    Replayed(Verdict),
}

impl Admitted {
    /// The decision itself.
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Fresh(verdict) | Self::Replayed(verdict) => verdict,
        }
    }
}

impl Verdict {
    /// The signed receipt for `event` (its [`mosaic_wire::event_hash`]) once `replica` holds a copy.
    pub fn receipt(
        &self,
        table: TableId,
        origin: ProviderId,
        replica: ProviderId,
        event: [u8; 32],
        key: &SigningKey,
    ) -> Receipt {
        let unsigned = Receipt {
            segment: SegmentId { table, origin, stream: self.stream },
            generation: self.generation,
            replica,
            accepted: self.accepted,
            full: self.full,
            receipt_key: self.receipt_key,
            event,
            time: self.time,
            signature: [0; 64],
        };
        unsigned.sign(key)
    }
}

/// The records of the slots whose bit is set in `accepted`.
pub fn records_of(event: &EventFields, accepted: u16) -> Vec<Record> {
    let slots = event.rows.iter().zip(&event.slots).enumerate();
    slots
        .filter(|(i, _)| accepted >> i & 1 == 1)
        .map(|(_, (tag, bytes))| Record { row: tag.row(), bytes: *bytes })
        .collect()
}

/// The generation of one stream that is still taking records.
#[derive(Clone, Debug)]
pub struct OpenSegment {
    id: SegmentId,
    index: u32,
    previous: [u8; 32],
    records: Vec<Record>,
    since: Option<Timestamp>,
}

impl OpenSegment {
    const fn new(id: SegmentId) -> Self {
        Self { id, index: 0, previous: [0; 32], records: Vec::new(), since: None }
    }

    /// Number of the generation that is open.
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// Records waiting to be sealed.
    pub fn waiting(&self) -> usize {
        self.records.len()
    }

    /// When the open generation must be sealed: at the first boundary of its stream after its first
    /// record; `None` while it is empty, because empty generations are not sealed.
    pub fn due(&self, length: Duration) -> Option<Timestamp> {
        let length = u64::try_from(length.as_millis()).unwrap_or(u64::MAX).max(1);
        self.since.map(|since| Timestamp::from_millis((since.as_millis() / length + 1).saturating_mul(length)))
    }

    /// Whether another event might not fit into the block; then it is sealed before its time.
    pub fn is_full(&self) -> bool {
        self.records.len() + SLOTS > GenerationBlock::MAX_RECORDS
    }
}

/// A sealed generation with the head that its origin signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The signed head.
    pub head: Head,
    /// The records.
    pub block: GenerationBlock,
}

/// One table as its origin sees it: how full every row is, what is open in each stream, and what was
/// answered to whom. Capacity counts over all streams.
#[derive(Clone, Debug)]
pub struct OpenTable {
    shape: TableShape,
    loads: HashMap<u32, u16>,
    segments: [OpenSegment; 3],
    verdicts: HashMap<[u8; 32], Verdict>,
}

impl OpenTable {
    /// An empty table of `origin`.
    pub fn new(table: TableId, origin: ProviderId, shape: TableShape) -> Self {
        let segments = Stream::ALL.map(|stream| OpenSegment::new(SegmentId { table, origin, stream }));
        Self { shape, loads: HashMap::new(), segments, verdicts: HashMap::new() }
    }

    /// Decides about an event with hash `event`: a row takes records while it has capacity, whatever
    /// they are and whoever sent them.
    pub fn admit(&mut self, now: Timestamp, fields: &EventFields, event: [u8; 32]) -> Admitted {
        if let Some(verdict) = self.verdicts.get(&event) {
            return Admitted::Replayed(*verdict);
        }
        let (mut accepted, mut full) = (0, 0);
        for (slot, tag) in fields.rows.iter().enumerate() {
            let room = self.loads.get(&tag.row()).copied().unwrap_or(0) < self.shape.capacity;
            *(if room { &mut accepted } else { &mut full }) |= 1 << slot;
        }
        let verdict = Verdict {
            stream: fields.stream,
            generation: self.segment(fields.stream).index,
            accepted,
            full,
            time: now,
            receipt_key: fields.receipt_key,
        };
        self.enter(event, verdict, records_of(fields, accepted));
        Admitted::Fresh(verdict)
    }

    /// Puts back a decision that was stored before a restart. Records of a generation that is sealed
    /// already only count towards their rows.
    pub fn restore(&mut self, event: [u8; 32], verdict: Verdict, records: Vec<Record>) {
        if !self.verdicts.contains_key(&event) {
            self.enter(event, verdict, records);
        }
    }

    /// Counts records of generations that were sealed before a restart towards their rows.
    pub fn count_sealed(&mut self, records: &[Record]) {
        for record in records {
            *self.loads.entry(record.row).or_default() += 1;
        }
    }

    fn enter(&mut self, event: [u8; 32], verdict: Verdict, records: Vec<Record>) {
        for record in &records {
            *self.loads.entry(record.row).or_default() += 1;
        }
        self.verdicts.insert(event, verdict);
        let segment = self.segment_mut(verdict.stream);
        if segment.index == verdict.generation && !records.is_empty() {
            segment.since = Some(segment.since.map_or(verdict.time, |since| since.min(verdict.time)));
            segment.records.extend(records);
        }
    }

    /// Takes a decision back that could not be stored: as if the event had never come.
    pub fn revoke(&mut self, event: [u8; 32], fields: &EventFields) {
        let Some(verdict) = self.verdicts.remove(&event) else { return };
        let records = records_of(fields, verdict.accepted);
        for record in &records {
            if let Some(load) = self.loads.get_mut(&record.row) {
                *load = load.saturating_sub(1);
            }
        }
        let segment = self.segment_mut(verdict.stream);
        for record in &records {
            if let Some(at) = segment.records.iter().rposition(|held| held == record) {
                segment.records.remove(at);
            }
        }
        if segment.records.is_empty() {
            segment.since = None;
        }
    }

    /// Continues the chain after `head`, which this origin signed before a restart.
    pub fn continue_after(&mut self, head: &Head) {
        let segment = self.segment_mut(head.segment.stream);
        (segment.index, segment.previous) = (head.index + 1, head.hash());
        (segment.records, segment.since) = (Vec::new(), None);
    }

    /// The generation of `stream` that is open, as it will be sealed at `now`. Nothing changes until
    /// [`Self::continue_after`] is told that the result is stored.
    ///
    /// # Errors
    /// [`InvalidGeneration`] when the records form no block, which admission prevents.
    pub fn seal(&self, stream: Stream, now: Timestamp, key: &SigningKey) -> Result<Sealed, InvalidGeneration> {
        let segment = self.segment(stream);
        let block = GenerationBlock::new(segment.id, segment.index, segment.records.clone())?;
        Ok(Sealed { head: Head::seal(&block, segment.previous, now, key), block })
    }

    /// What is open in `stream`.
    pub fn segment(&self, stream: Stream) -> &OpenSegment {
        &self.segments[usize::from(stream.number())]
    }

    fn segment_mut(&mut self, stream: Stream) -> &mut OpenSegment {
        &mut self.segments[usize::from(stream.number())]
    }

    /// Records taken into `row` so far.
    pub fn load(&self, row: u32) -> u16 {
        self.loads.get(&row).copied().unwrap_or(0)
    }

    /// The decision about `event`, if there was one.
    pub fn verdict(&self, event: &[u8; 32]) -> Option<Verdict> {
        self.verdicts.get(event).copied()
    }
}

#[cfg(test)]
#[path = "segment_tests.rs"]
mod tests;
