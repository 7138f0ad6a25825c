use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mosaic_discovery::FrameId;
use mosaic_federation::{hour, records_of};
use mosaic_release::ReleasedEvent;
use mosaic_types::{ProviderId, SegmentId, TableId, Timestamp};
use mosaic_wire::{EVENT, GenerationBlock, GenerationId, Head, Receipt, Record, WireToken, event_hash};

use crate::{providers::Providers, reader::ReadStack, tables::LATE_DEPOSITS};

/// An event that no provider acknowledged yet. Its bytes never change: a provider that had stored it
/// before it fell silent and the next one store the same records.
pub(crate) struct Deposit {
    pub(crate) event: ReleasedEvent,
    pub(crate) bytes: Box<[u8; EVENT]>,
    hash: [u8; 32],
    until: Timestamp,
    not_before: Timestamp,
    under_way: bool,
    attempts: u32,
    pub(crate) tried: BTreeSet<ProviderId>,
    /// What it was offered with in which hour: a token spent on an event is good for that event again.
    paid: BTreeMap<ProviderId, (u32, WireToken)>,
}

/// Deposits on their way and receipts whose generation was not seen yet.
#[derive(Default)]
pub(crate) struct Deposits {
    waiting: BTreeMap<u64, Deposit>,
    owed: BTreeMap<GenerationId, Vec<Owed>>,
    last: u64,
}

/// What a receipt promises until its generation is read.
pub(crate) struct Owed {
    pub(crate) receipt: Receipt,
    /// The event that it acknowledges: who doubts a broken receipt needs it.
    pub(crate) event: Box<[u8; EVENT]>,
    pub(crate) records: Vec<Record>,
}

/// The longest rest between two attempts.
const LONGEST_REST: Duration = Duration::from_secs(60);

impl Deposits {
    /// Takes an event to deposit, and numbers it.
    pub(crate) fn add(&mut self, now: Timestamp, event: ReleasedEvent) -> Option<u64> {
        let bytes: Box<[u8; EVENT]> = mosaic_wire::encode(&event).try_into().ok()?;
        self.last += 1;
        let deposit = Deposit {
            hash: event_hash(&bytes),
            until: event.fields().table.period().end().after(LATE_DEPOSITS),
            event,
            bytes,
            not_before: now,
            under_way: false,
            attempts: 0,
            tried: BTreeSet::new(),
            paid: BTreeMap::new(),
        };
        self.waiting.insert(self.last, deposit);
        Some(self.last)
    }

    /// Deposits to send now.
    pub(crate) fn ready(&self, now: Timestamp) -> Vec<u64> {
        let ready = self.waiting.iter().filter(|(_, deposit)| !deposit.under_way && deposit.not_before <= now);
        ready.map(|(id, _)| *id).collect()
    }

    /// The deposit added last.
    pub(crate) fn newest(&self) -> Option<&Deposit> {
        self.waiting.get(&self.last)
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Deposit> {
        self.waiting.get(&id)
    }

    /// The token it was offered with to a provider in this hour.
    pub(crate) fn token(&self, now: Timestamp, id: u64, to: ProviderId) -> Option<&WireToken> {
        let (paid_in, token) = self.waiting.get(&id)?.paid.get(&to)?;
        (*paid_in == hour(now)).then_some(token)
    }

    /// Its token is good at this provider no more.
    pub(crate) fn forget_token(&mut self, id: u64, at: ProviderId) {
        if let Some(deposit) = self.waiting.get_mut(&id) {
            deposit.paid.remove(&at);
        }
    }

    pub(crate) fn sent(&mut self, now: Timestamp, id: u64, to: ProviderId, token: WireToken) {
        if let Some(deposit) = self.waiting.get_mut(&id) {
            deposit.paid.insert(to, (hour(now), token));
            deposit.under_way = true;
            deposit.attempts += 1;
            deposit.tried.insert(to);
        }
    }

    /// Nobody took it now; try again elsewhere after a rest that doubles.
    pub(crate) fn postpone(&mut self, id: u64, now: Timestamp) {
        if let Some(deposit) = self.waiting.get_mut(&id) {
            let rest = Duration::from_secs(1 << deposit.attempts.min(6)).min(LONGEST_REST);
            deposit.under_way = false;
            deposit.not_before = now.after(rest);
        }
    }

    /// Everybody was tried: start over.
    pub(crate) fn forget_tried(&mut self, id: u64) {
        if let Some(deposit) = self.waiting.get_mut(&id) {
            deposit.tried.clear();
        }
    }

    /// Whether a receipt answers this deposit to this provider, apart from who signed it: see [`is_genuine`].
    pub(crate) fn fits(&self, id: u64, from: ProviderId, receipt: &Receipt) -> bool {
        self.waiting.get(&id).is_some_and(|deposit| {
            let fields = deposit.event.fields();
            let segment = SegmentId { table: fields.table, origin: from, stream: fields.stream };
            let same = receipt.event == deposit.hash && receipt.receipt_key == fields.receipt_key;
            same && receipt.segment == segment && receipt.answers_every_slot() && receipt.is_replicated()
        })
    }

    /// Takes a verified receipt: the deposit is done, the generation it names is owed.
    pub(crate) fn acknowledged(&mut self, id: u64, receipt: Receipt) -> Option<ReleasedEvent> {
        let deposit = self.waiting.remove(&id)?;
        let records = records_of(deposit.event.fields(), receipt.accepted);
        self.owe(Owed { receipt, event: deposit.bytes, records });
        Some(deposit.event)
    }

    pub(crate) fn owe(&mut self, owed: Owed) {
        let generation = GenerationId { segment: owed.receipt.segment, index: owed.receipt.generation };
        self.owed.entry(generation).or_default().push(owed);
    }

    pub(crate) fn drop_deposit(&mut self, id: u64) -> Option<Vec<FrameId>> {
        self.waiting.remove(&id).map(|deposit| deposit.event.frames())
    }

    /// Gives up what no provider takes any more; the frames it carried may leave with another event.
    pub(crate) fn expire(&mut self, now: Timestamp, oldest: TableId) -> Vec<FrameId> {
        self.owed.retain(|generation, _| generation.segment.table >= oldest);
        let over = |deposit: &Deposit| deposit.until <= now && !deposit.under_way;
        let over: Vec<_> = self.waiting.iter().filter(|(_, deposit)| over(deposit)).map(|(id, _)| *id).collect();
        over.into_iter().filter_map(|id| self.drop_deposit(id)).flatten().collect()
    }

    /// Compares a generation with what its origin acknowledged into it: the promises it broke.
    pub(crate) fn check(&mut self, generation: GenerationId, block: Option<&GenerationBlock>) -> Vec<Owed> {
        let mut owed = self.owed.remove(&generation).unwrap_or_default();
        let holds = |record: &Record| block.is_some_and(|block| block.row(record.row).contains(record));
        owed.retain(|owed| !owed.records.iter().all(holds));
        owed
    }

    /// The rows of what a generation owes.
    pub(crate) fn rows_owed(&self, generation: GenerationId) -> impl Iterator<Item = u32> {
        let owed = self.owed.get(&generation).into_iter().flatten();
        owed.flat_map(|owed| owed.records.iter().map(|record| record.row))
    }

    /// As [`Self::check`], of what was read of a stack: a promise is broken where a record is not in its row, and open where the row
    /// was not read.
    pub(crate) fn check_stack(&mut self, read: &ReadStack) -> Vec<(Owed, Head)> {
        let lacks = |record: &Record| read.rows.contains(&record.row) && !read.records.contains(record);
        let mut broken = Vec::new();
        for head in &read.heads {
            let owed = self.owed.remove(&GenerationId::of(head)).unwrap_or_default();
            broken.extend(owed.into_iter().filter(|owed| owed.records.iter().any(lacks)).map(|owed| (owed, *head)));
        }
        broken
    }

    pub(crate) fn next_retry(&self) -> Option<Timestamp> {
        let waits = self.waiting.values().filter(|deposit| !deposit.under_way);
        waits.map(|deposit| deposit.not_before).min()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

/// Whether a receipt is signed by the origin it names, and its replica is another provider of the federation.
pub(crate) fn is_genuine(receipt: &Receipt, providers: &Providers) -> bool {
    let signed = providers.key(receipt.segment.origin).is_some_and(|key| receipt.verify(&key).is_ok());
    signed && receipt.is_replicated() && providers.key(receipt.replica).is_some()
}

#[cfg(test)]
mod tests;
