use std::collections::HashMap;

use mosaic_federation::{OpenTable, sizing::TableShape};
use mosaic_release::ReleasedEvent;
use mosaic_types::{Lane, Period, ProviderId, TableId, Timestamp};
use mosaic_wire::{RECORD, SLOTS, encode, event_hash};
use rand::RngExt;
use rand_chacha::ChaCha20Rng;

/// Three origins, and what devices can read of what they stored.
pub(super) struct Providers {
    open: HashMap<(TableId, u8), OpenTable>,
    cards: HashMap<(Period, u32), Vec<Stored>>,
    frames: Vec<Vec<Stored>>,
    rng: ChaCha20Rng,
}

/// A stored record. Who wrote it is the lab's knowledge, not the reader's.
pub(super) struct Stored {
    /// When its generation is sealed.
    pub(super) readable: Timestamp,
    pub(super) by: u32,
    pub(super) row: u32,
    pub(super) bytes: [u8; RECORD],
}

/// The share of slots that the dishonest origin reports full although there is room: a probe.
const PROBED: f64 = 0.05;
/// Which of the three it is.
const PROBING: u8 = 3;
/// A sealed generation of a balanced device holds a minute.
const GENERATION_S: u64 = 60;

impl Providers {
    pub(super) fn new(people: usize, rng: ChaCha20Rng) -> Self {
        let frames = (0..people).map(|_| Vec::new()).collect();
        Self { open: HashMap::new(), cards: HashMap::new(), frames, rng }
    }

    /// Deposits an event with a random origin; bit `i` of the answer: the row of slot `i` was full. And which origin.
    pub(super) fn deposit(&mut self, now: Timestamp, by: u32, event: &ReleasedEvent, shape: TableShape) -> (u16, u8) {
        let origin = self.rng.random_range(1..=3_u8);
        let fields = event.fields();
        let Ok(id) = ProviderId::new(origin) else { return (0, origin) };
        let table = self.open.entry((fields.table, origin)).or_insert_with(|| OpenTable::new(fields.table, id, shape));
        let hash = encode(event).try_into().map(|bytes| event_hash(&bytes)).unwrap_or_default();
        let mut full = table.admit(now, fields, hash).verdict().full;
        for slot in 0..SLOTS {
            // drawn for every event, so that who probes changes nobody else's evening
            let probed = self.rng.random_bool(PROBED) && origin == PROBING;
            full |= u16::from(probed) << slot;
        }
        self.store(now, by, event, full);
        (full, origin)
    }

    /// Keeps an event of a lane whose rows have room.
    pub(super) fn keep(&mut self, now: Timestamp, by: u32, event: &ReleasedEvent) {
        self.store(now, by, event, 0);
    }

    fn store(&mut self, now: Timestamp, by: u32, event: &ReleasedEvent, full: u16) {
        let fields = event.fields();
        let readable = Timestamp::from_secs((now.as_secs() / GENERATION_S + 1) * GENERATION_S);
        let truth = event.slot_truth().expose(|truth| truth.map(mosaic_release::SlotTruth::is_real));
        for slot in (0..SLOTS).filter(|slot| full >> slot & 1 == 0) {
            let row = fields.rows[slot].row();
            let stored = Stored { readable, by, row, bytes: fields.slots[slot] };
            match fields.table.lane() {
                Lane::Discovery => self.cards.entry((fields.table.period(), row)).or_default().push(stored),
                // uniform bytes open for nobody
                Lane::Rendezvous if truth[slot] => self.frames[by as usize].push(stored),
                Lane::Rendezvous => {}
            }
        }
    }

    /// Records of a discovery row after the first `known`, as far as they are sealed.
    pub(super) fn cards(&self, now: Timestamp, place: (Period, u32), known: usize) -> &[Stored] {
        sealed(now, self.cards.get(&place).map_or(&[][..], Vec::as_slice), known)
    }

    /// Frames somebody wrote after the first `known`, as far as they are sealed.
    pub(super) fn frames(&self, now: Timestamp, by: u32, known: usize) -> &[Stored] {
        sealed(now, self.frames.get(by as usize).map_or(&[][..], Vec::as_slice), known)
    }
}

fn sealed(now: Timestamp, records: &[Stored], known: usize) -> &[Stored] {
    let end = records.partition_point(|record| record.readable <= now);
    records.get(known.min(end)..end).unwrap_or_default()
}
