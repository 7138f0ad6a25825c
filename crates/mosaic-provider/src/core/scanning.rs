//! Blind reads (`docs/spec/bins.md`): the core says which records, whoever drives it does the long work elsewhere.

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
};

use mosaic_crypto::pir::ScanError;
use mosaic_types::Timestamp;
use mosaic_wire::{BinTable, GenerationBlock, Problem, ProblemCode, Reply, Stack, StackId, StackQuery, StackReply};

use super::{ProviderCore, Step};
use crate::store::Store;

/// Bytes of cut tables that are kept for the next who ask about the same generations.
const KEPT_BYTES: usize = 256 << 20;
/// Tables that are kept at most, also while nobody has cut them yet.
const KEPT: usize = 64;

/// A table once somebody has cut it; `None` where its stack is to be read whole.
pub(super) type Slot = Arc<OnceLock<Option<BinTable>>>;

/// Tables that were asked for lately, the last one behind.
#[derive(Default)]
pub(super) struct CutTables(VecDeque<(StackId, Slot)>);

impl CutTables {
    /// The table's slot.
    pub(super) fn slot(&mut self, id: &StackId) -> Slot {
        let at = self.0.iter().position(|(known, _)| known == id);
        let known = at.and_then(|at| self.0.remove(at));
        let (id, slot) = known.unwrap_or_else(|| (id.clone(), Slot::default()));
        self.0.push_back((id, Arc::clone(&slot)));
        self.make_room();
        slot
    }

    fn make_room(&mut self) {
        let size = |slot: &Slot| slot.get().and_then(Option::as_ref).map_or(0, |table| table.bytes().len());
        let mut bytes: usize = self.0.iter().map(|(_, slot)| size(slot)).sum();
        while self.0.len() > 1 && (bytes > KEPT_BYTES || self.0.len() > KEPT) {
            bytes -= self.0.pop_front().map_or(0, |(_, slot)| size(&slot));
        }
    }

    /// Forgets what holds records of tables that are gone.
    pub(super) fn forget(&mut self, is_gone: impl Fn(&StackId) -> bool) {
        self.0.retain(|(id, _)| !is_gone(id));
    }
}

/// A blind read that is ready to be answered: [`Self::run`] it on any thread.
pub struct Scan {
    query: Box<StackQuery>,
    rows: u32,
    slot: Slot,
    /// The stored blocks, where nobody was to cut them before.
    blocks: Vec<Vec<u8>>,
}

impl Scan {
    pub(super) const fn new(query: Box<StackQuery>, rows: u32, slot: Slot, blocks: Vec<Vec<u8>>) -> Self {
        Self { query, rows, slot, blocks }
    }

    /// Cuts the table if that was not done yet, and adds up what each key selects: one pass over all of it. Takes a good part of
    /// a second where there are many records.
    ///
    /// # Errors
    /// [`ProblemCode::Malformed`] for keys of another domain than the lane's, [`ProblemCode::Internal`] where a stored block is
    /// damaged.
    pub fn run(self) -> Result<Reply, Problem> {
        // a damaged block must not pass for a stack that is read whole: whoever reads it would see two answers differ
        let blocks: Result<Vec<_>, _> = self.blocks.iter().map(|bytes| GenerationBlock::decode(bytes)).collect();
        let blocks = blocks.map_err(|_| ProblemCode::Internal)?;
        let cut = || BinTable::cut(Stack::of(&blocks).ok()?.records(), self.rows);
        let Some(table) = self.slot.get_or_init(cut) else { return Ok(Reply::Stack(StackReply::read_whole())) };
        let reply = StackReply::answer(table, &self.query).map_err(|error| match error {
            ScanError::Domain => ProblemCode::Malformed,
            _ => ProblemCode::Internal,
        })?;
        Ok(Reply::Stack(reply))
    }
}

impl<S: Store> ProviderCore<S> {
    pub(super) fn stack(&mut self, now: Timestamp, query: Box<StackQuery>) -> Step {
        match self.prepare_scan(now, query) {
            Ok(scan) => Step::Scan(scan),
            Err(problem) => {
                self.counters.refuse(problem.code);
                Step::Done(Err(problem))
            }
        }
    }

    fn prepare_scan(&mut self, now: Timestamp, query: Box<StackQuery>) -> Result<Scan, Problem> {
        let table = query.id().table();
        let period = self.live(now, table.period())?;
        let served = period.table().ok_or(ProblemCode::UnknownTable)?;
        let rows = served.dangerously_unverified().lane(table.lane()).rows;
        // the same heads as the reader was shown, or the two answers would not fit together
        let wanted = query.id().wanted();
        let heads = wanted.iter().map(|id| self.chain(id.segment)?.get(id.index));
        let heads: Option<Vec<_>> = heads.collect();
        heads.filter(|heads| query.id().is_of(heads.iter().copied())).ok_or(ProblemCode::NotReady)?;
        let slot = self.cut_tables.slot(query.id());
        let blocks = if slot.get().is_none() { self.stored_blocks(&query)? } else { Vec::new() };
        self.counters.blind_reads += 1;
        Ok(Scan::new(query, rows, slot, blocks))
    }

    fn stored_blocks(&self, query: &StackQuery) -> Result<Vec<Vec<u8>>, Problem> {
        let block = |id: &mosaic_wire::GenerationId| {
            let bytes = self.block(id.segment, id.index).map_err(|_| Problem::from(ProblemCode::Internal))?;
            bytes.ok_or_else(|| ProblemCode::NotReady.into())
        };
        query.id().wanted().iter().map(block).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mosaic_crypto::{dpf, signing::SigningKey};
    use mosaic_types::{Lane, Period, ProviderId, SegmentId, Stream, TableId};
    use mosaic_wire::{Cut, Head};
    use rand::SeedableRng;

    const ROWS: u32 = 32;

    /// A scan of one empty generation, of which `stored` was read from the disk.
    fn scan(slot: &Slot, stored: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Scan {
        let table = TableId::new(Period(122_478), Lane::Rendezvous);
        let segment = SegmentId { table, origin: ProviderId::new(2).unwrap(), stream: Stream::Steady };
        let block = GenerationBlock::new(segment, 0, Vec::new()).unwrap();
        let head = Head::seal(&block, [0; 32], Timestamp::from_secs(1_763_683_261), &SigningKey::from_bytes(&[2; 32]));
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(5);
        let key = |row| dpf::share(row % ROWS, Cut::domain(ROWS).unwrap(), &mut rng).unwrap()[0].clone();
        let keys = (0..64).map(key).collect();
        let query = StackQuery::new(StackId::of(&[head]).unwrap(), keys).unwrap();
        let blocks = vec![stored(block.encode())];
        Scan { query: Box::new(query), rows: ROWS, slot: Arc::clone(slot), blocks }
    }

    /// It is this provider's fault, and said so: "read it whole" would be an answer that the other provider's differs from.
    /// What was read well is cut as if nothing had happened.
    #[test]
    fn a_damaged_block_is_internal_and_not_to_be_read_whole() {
        let slot = Slot::default();
        for damage in [|_| Vec::new(), |mut bytes: Vec<u8>| bytes.split_off(1)] {
            let problem = scan(&slot, damage).run().unwrap_err();
            assert_eq!(problem.code, ProblemCode::Internal);
        }
        assert!(slot.get().is_none());
        assert!(matches!(scan(&slot, |bytes| bytes).run(), Ok(Reply::Stack(_))));
    }
}
