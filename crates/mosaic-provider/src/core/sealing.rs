use mosaic_federation::{OpenTable, peer::PeerRequest};
use mosaic_types::{Lane, SegmentId, Stream, TableId, Timestamp};

use super::ProviderCore;
use crate::{
    layout,
    store::{Bucket, Change, Store, StoreError},
};

impl<S: Store> ProviderCore<S> {
    /// When our open generations must be sealed.
    pub(super) fn seal_times(&self) -> impl Iterator<Item = Timestamp> + '_ {
        let tables = self.periods.values().flat_map(|period| period.open_tables());
        tables.flat_map(|(_, open)| Stream::ALL.into_iter().filter_map(|stream| self.seal_time(open, stream)))
    }

    fn seal_time(&self, open: &OpenTable, stream: Stream) -> Option<Timestamp> {
        let segment = open.segment(stream);
        let due = segment.due(self.federation.descriptor().generation_of(stream))?;
        Some(if segment.is_full() { Timestamp::from_millis(0) } else { due })
    }

    /// Seals every open generation whose time has come, stores it, and shows the heads to all peers.
    pub(super) fn seal_due(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let tables = self.periods.values().flat_map(|period| period.open_tables());
        let due: Vec<(TableId, Stream)> = tables
            .flat_map(|(id, open)| Stream::ALL.map(|stream| (id, open, stream)))
            .filter(|(_, open, stream)| self.seal_time(open, *stream).is_some_and(|at| at <= now))
            .map(|(id, _, stream)| (id, stream))
            .collect();
        let mut heads = Vec::with_capacity(due.len());
        for (table, stream) in due {
            heads.extend(self.seal(now, table, stream)?);
        }
        if !heads.is_empty() {
            self.tell_all(&PeerRequest::Announce(heads));
        }
        Ok(())
    }

    /// One generation. The head is stored before anybody sees it: two heads of one generation would
    /// convict us.
    fn seal(&mut self, now: Timestamp, table: TableId, stream: Stream) -> Result<Option<Vec<u8>>, StoreError> {
        let segment = SegmentId { table, origin: self.keys.me, stream };
        let lane: Lane = table.lane();
        let Some(period) = self.periods.get_mut(&table.period()) else { return Ok(None) };
        let Some(Ok(sealed)) = period.open_table(lane).map(|open| open.seal(stream, now, &self.keys.signing)) else {
            return Ok(None);
        };
        let (head, block) = (sealed.head, sealed.block);
        let key = layout::generation(segment, head.index);
        self.store.commit(&[
            Change::Put(Bucket::Heads, key.clone(), head.encode().to_vec()),
            Change::Put(Bucket::Blocks, key, block.encode()),
            Change::RemovePrefix(Bucket::Open, layout::open(table, stream, head.index)),
        ])?;
        if let Some(open) = period.open_table_mut(lane) {
            open.continue_after(&head);
        }
        if let Some(chain) = period.chain_mut(segment) {
            let own = self.keys.signing.verifying_key();
            if chain.offer(&head, &own).is_err() {
                tracing::error!("our own head does not continue our own chain");
            }
        }
        self.counters.generations_sealed += 1;
        Ok(Some(head.encode().to_vec()))
    }
}
