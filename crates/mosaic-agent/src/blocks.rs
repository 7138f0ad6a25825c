use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use mosaic_types::{Lane, TableId, Timestamp};
use mosaic_wire::{GenerationBlock, GenerationId, Head, Record};

/// Blocks that several agents of one process downloaded and hold once in memory. What an agent asks for,
/// and what it accepts, does not depend on it.
#[derive(Default)]
pub struct BlockPool(Mutex<HashMap<PoolKey, Weak<GenerationBlock>>>);

/// A generation and its Merkle root.
type PoolKey = (GenerationId, [u8; 32]);

impl BlockPool {
    /// The block, if the head covers it. A block equal to a pooled one under the same root was checked.
    pub(crate) fn verified(&self, head: &Head, block: GenerationBlock) -> Option<Arc<GenerationBlock>> {
        let id = GenerationId { segment: block.segment(), index: block.index() };
        let key = (id, head.root);
        let pooled = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).and_then(Weak::upgrade);
        let known = pooled.filter(|pooled| **pooled == block && head.segment == id.segment && head.index == id.index);
        if known.is_some() {
            return known;
        }
        if !head.covers(&block) {
            return None;
        }
        let block = Arc::new(block);
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pool.retain(|_, held| held.strong_count() > 0);
        pool.insert(key, Arc::downgrade(&block));
        Some(block)
    }
}

impl std::fmt::Debug for BlockPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlockPool")
    }
}

/// Records read lately, kept in memory so that a new interest needs no new download: what is downloaded must not depend on what
/// a person looks for. Of what was looked at blind there is less to find: the rows that mattered then.
#[derive(Default)]
pub(crate) struct Shelf {
    blocks: BTreeMap<GenerationId, (Timestamp, Arc<GenerationBlock>)>,
    /// Rows that were looked at, rising, with the time when they were read.
    rows: Vec<(Timestamp, TableId, Vec<Record>)>,
}

impl Shelf {
    pub(crate) fn put(&mut self, id: GenerationId, sealed_at: Timestamp, block: Arc<GenerationBlock>) {
        self.blocks.insert(id, (sealed_at, block));
    }

    pub(crate) fn put_rows(&mut self, now: Timestamp, table: TableId, records: Vec<Record>) {
        if !records.is_empty() {
            self.rows.push((now, table, records));
        }
    }

    pub(crate) fn blocks_of(&self, lane: Lane) -> impl Iterator<Item = &Arc<GenerationBlock>> {
        self.blocks.values().map(|(_, block)| block).filter(move |block| block.segment().table.lane() == lane)
    }

    /// What is kept of a lane, each part's records rising.
    pub(crate) fn of_lane(&self, lane: Lane) -> impl Iterator<Item = (TableId, &[Record])> {
        let blocks = self.blocks_of(lane).map(|block| (block.segment().table, block.records()));
        let rows = self.rows.iter().map(|(_, table, records)| (*table, records.as_slice()));
        blocks.chain(rows.filter(move |(table, _)| table.lane() == lane))
    }

    /// Keeps discovery blocks of this window and the one before, rendezvous blocks of the last hour.
    pub(crate) fn tidy(&mut self, now: Timestamp) {
        let window = now.window().previous().start();
        let hour = now.before(std::time::Duration::from_hours(1));
        let oldest = |table: TableId| if table.lane() == Lane::Discovery { window } else { hour };
        self.blocks.retain(|id, (sealed_at, _)| *sealed_at >= oldest(id.segment.table));
        self.rows.retain(|(read_at, table, _)| *read_at >= oldest(*table));
    }
}
