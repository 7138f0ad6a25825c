use std::sync::Arc;

use mosaic_crypto::aead;
use mosaic_federation::{CeremonyRecord, TableCeremony, TableState, Verdict};
use mosaic_types::{Period, SegmentId, Stream, TableId};
use mosaic_wire::{GenerationBlock, Head, Record};

use super::{
    ProviderCore,
    past::Past,
    periods::PeriodState,
    retiring::{is_settled, state_of},
};
use crate::{
    layout,
    store::{Bucket, Store, StoreError},
};

impl<S: Store> ProviderCore<S> {
    /// Puts everything back that was stored: after a clean stop or a kill alike.
    pub(super) fn recover(&mut self) -> Result<(), StoreError> {
        for (key, value) in self.store.scan(Bucket::Spent, b"")? {
            let (Some(day), Some(id)) = (key.first_chunk(), key.last_chunk()) else { continue };
            let Ok(bought) = value.try_into() else { continue };
            self.spent.note(u64::from_be_bytes(*day), *id, bought);
        }
        for (key, value) in self.store.scan(Bucket::Tables, b"")? {
            let Ok(number) = key.try_into() else { continue };
            let period = Period(u32::from_be_bytes(number));
            match state_of(&value) {
                TableState::Live => {
                    self.recover_period(period)?;
                    self.recover_doubt(period, &value);
                }
                state => drop(self.retired.insert(period, state)),
            }
        }
        Ok(())
    }

    fn recover_doubt(&mut self, period: Period, stored: &[u8]) {
        let peers = self.outbox.peers();
        if let Some(state) = self.periods.get_mut(&period).filter(|_| !is_settled(stored)) {
            state.past = Past::unknown(peers);
        }
    }

    fn recover_period(&mut self, period: Period) -> Result<(), StoreError> {
        let record = self.stored_ceremony(period)?.unwrap_or_default();
        let ceremony = TableCeremony::resume(Arc::clone(&self.federation), self.keys.me, period, record);
        self.periods.insert(period, PeriodState::new(ceremony));
        self.serve_if_finished(period);
        for table in layout::tables(period) {
            self.recover_chains(table)?;
            self.recover_own(table)?;
        }
        Ok(())
    }

    /// A period's ceremony, unless its key is gone.
    fn stored_ceremony(&self, period: Period) -> Result<Option<CeremonyRecord>, StoreError> {
        let key = layout::period(period);
        let (Some(own), Some(sealed)) = (self.store.key(period)?, self.store.get(Bucket::Ceremonies, &key)?) else {
            return Ok(None);
        };
        let opened = aead::open(&self.keys.share_key(period, &own), &key, &sealed).ok();
        Ok(opened.and_then(|bytes| postcard::from_bytes(&bytes).ok()))
    }

    fn recover_chains(&mut self, table: TableId) -> Result<(), StoreError> {
        // keys ascend by segment and index, so every chain comes in order
        for (_, bytes) in self.store.scan(Bucket::Heads, &layout::table(table))? {
            let Ok(head) = Head::decode(&bytes) else { continue };
            let Some(origin) = self.federation.signing_key(head.segment.origin) else { continue };
            if let Some(chain) = self.chain_mut(head.segment)
                && chain.offer(&head, &origin).is_err()
            {
                tracing::error!("a stored head does not continue its chain");
            }
        }
        Ok(())
    }

    /// Our own table: the chain's end, how full the rows are, and every answer that was given.
    fn recover_own(&mut self, table: TableId) -> Result<(), StoreError> {
        let me = self.keys.me;
        let mut sealed: Vec<Record> = Vec::new();
        for stream in Stream::ALL {
            let segment = SegmentId { table, origin: me, stream };
            for (_, bytes) in self.store.scan(Bucket::Blocks, &layout::segment(segment))? {
                sealed.extend(GenerationBlock::decode(&bytes).map(|b| b.records().to_vec()).unwrap_or_default());
            }
        }
        let verdicts = self.store.scan(Bucket::Verdicts, &layout::table(table))?;
        let mut answers = Vec::with_capacity(verdicts.len());
        for (key, bytes) in verdicts {
            let (Some(event), Ok(verdict)) = (layout::event_of(&key), postcard::from_bytes::<Verdict>(&bytes)) else {
                continue;
            };
            let open = layout::within(layout::open(table, verdict.stream, verdict.generation), &event);
            let records = self.store.get(Bucket::Open, &open)?.and_then(|bytes| layout::unpack(&bytes));
            answers.push((event, verdict, records.unwrap_or_default()));
        }
        let Some(period) = self.periods.get_mut(&table.period()) else { return Ok(()) };
        let ends: Vec<Head> = Stream::ALL
            .into_iter()
            .filter_map(|stream| period.chain(SegmentId { table, origin: me, stream })?.last().copied())
            .collect();
        let Some(open) = period.open_table_mut(table.lane()) else { return Ok(()) };
        ends.iter().for_each(|head| open.continue_after(head));
        open.count_sealed(&sealed);
        answers.into_iter().for_each(|(event, verdict, records)| open.restore(event, verdict, records));
        Ok(())
    }
}
