use std::collections::{BTreeMap, BTreeSet};

use mosaic_federation::{
    ChainError, Evidence, TABLE_LIFE, VerifiedBlock,
    peer::{MAX_BLOCKS, MAX_SEGMENTS, PeerRequest},
};
use mosaic_types::{Period, ProviderId, SegmentId, Timestamp};
use mosaic_wire::{GenerationBlock, Head};

use super::{ProviderCore, exchange::Purpose};
use crate::{
    layout,
    store::{Bucket, Change, Store, StoreError},
};

/// How far a head may be ahead of its chain and wait here: an hour of the fastest stream. An origin can
/// fill its own segments and no others.
const MOST_AHEAD: u32 = 1_024;

/// Heads whose blocks are not here yet. They are signed by their origins, but not served before the
/// block is stored: a reader who sees a head may ask for the block.
#[derive(Default)]
pub(super) struct Pending {
    heads: BTreeMap<(SegmentId, u32), Head>,
    /// Whom to ask next when the one who told us does not have it.
    turn: usize,
}

impl Pending {
    pub(super) fn forget(&mut self, keep: impl Fn(SegmentId) -> bool) {
        self.heads.retain(|(segment, _), _| keep(*segment));
    }

    pub(super) fn knows(&self, segment: SegmentId) -> bool {
        self.heads.range((segment, 0)..=(segment, u32::MAX)).next().is_some()
    }
}

impl<S: Store> ProviderCore<S> {
    /// Takes heads that a peer shows, stores every generation that its own copies complete, and asks for
    /// the rest.
    pub(super) fn take_heads(&mut self, from: ProviderId, heads: &[Vec<u8>]) -> Result<(), StoreError> {
        let mut touched = BTreeSet::new();
        for head in heads.iter().filter_map(|bytes| Head::decode(bytes).ok()) {
            if self.take_head(&head)? {
                touched.insert(head.segment);
            }
        }
        for segment in touched {
            self.advance(segment)?;
        }
        self.ask_for_missing(from);
        Ok(())
    }

    /// Whether the head is good and its block still missing.
    fn take_head(&mut self, head: &Head) -> Result<bool, StoreError> {
        let origin = head.segment.origin;
        if origin == self.keys.me && !self.is_lost(head.segment.table.period()) {
            return Ok(false);
        }
        let Some(key) = self.federation.signing_key(origin) else { return Ok(false) };
        let Some(chain) = self.chain_mut(head.segment) else { return Ok(false) };
        if head.index < chain.count() {
            if let Err(ChainError::Forked(evidence)) = chain.offer(head, &key) {
                self.convict(&evidence)?;
            }
            return Ok(false);
        }
        if head.index - chain.count() >= MOST_AHEAD || head.verify(&key).is_err() {
            return Ok(false);
        }
        let held = *self.pending.heads.entry((head.segment, head.index)).or_insert(*head);
        if !held.agrees_with(head) {
            self.convict(&Evidence::TwoHistories { first: held, second: *head })?;
        }
        Ok(true)
    }

    /// Appends what our copies complete, in order.
    fn advance(&mut self, segment: SegmentId) -> Result<(), StoreError> {
        while let Some(head) = self.next_pending(segment) {
            let Some(block) = self.assemble(&head)? else { break };
            if !self.append(&head, block)? {
                break;
            }
        }
        Ok(())
    }

    fn next_pending(&self, segment: SegmentId) -> Option<Head> {
        let count = self.chain(segment)?.count();
        self.pending.heads.get(&(segment, count)).copied()
    }

    /// The generation of `head` out of the copies that its origin left here, if they are all of it.
    fn assemble(&self, head: &Head) -> Result<Option<VerifiedBlock>, StoreError> {
        let copies = self.store.scan(Bucket::Replicas, &layout::generation(head.segment, head.index))?;
        let records = copies.iter().filter_map(|(_, bytes)| layout::unpack(bytes)).flatten().collect();
        let block = GenerationBlock::new(head.segment, head.index, records).ok();
        Ok(block.and_then(|block| VerifiedBlock::check(head, block)))
    }

    /// Stores a generation of another origin with its head, and drops the copies.
    fn append(&mut self, head: &Head, block: VerifiedBlock) -> Result<bool, StoreError> {
        let key = layout::generation(head.segment, head.index);
        let Some(origin) = self.federation.signing_key(head.segment.origin) else { return Ok(false) };
        let Some(chain) = self.periods.get(&head.segment.table.period()).and_then(|p| p.chain(head.segment)) else {
            return Ok(false);
        };
        // on a copy: the chain must not run ahead of the store
        let mut tried = chain.clone();
        self.pending.heads.remove(&(head.segment, head.index));
        match tried.offer(head, &origin) {
            Ok(_) => {}
            Err(ChainError::Forked(evidence)) => return self.convict(&evidence).map(|()| false),
            Err(_) => return Ok(false),
        }
        let stored = self.store.commit(&[
            Change::Put(Bucket::Heads, key.clone(), head.encode().to_vec()),
            Change::Put(Bucket::Blocks, key.clone(), block.into_block().encode()),
            Change::RemovePrefix(Bucket::Replicas, key),
        ]);
        if let Err(error) = stored {
            self.pending.heads.insert((head.segment, head.index), *head);
            return Err(error);
        }
        if let Some(chain) = self.chain_mut(head.segment) {
            *chain = tried;
        }
        self.counters.generations_replicated += 1;
        Ok(true)
    }

    /// Takes blocks, each of which must be exactly what its origin's head states, whoever sent it.
    pub(super) fn take_blocks(&mut self, blocks: &[Vec<u8>]) -> Result<(), StoreError> {
        let mut touched = BTreeSet::new();
        for block in blocks.iter().filter_map(|bytes| GenerationBlock::decode(bytes).ok()) {
            let segment = block.segment();
            let Some(head) = self.next_pending(segment).filter(|head| head.index == block.index()) else { continue };
            if let Some(block) = VerifiedBlock::check(&head, block)
                && self.append(&head, block)?
            {
                touched.insert(segment);
            }
        }
        touched.into_iter().try_for_each(|segment| self.advance(segment))
    }

    /// Asks `peer` for the next missing blocks of every segment, and for heads where there is a gap.
    fn ask_for_missing(&mut self, peer: ProviderId) {
        let (mut blocks, mut gaps) = (Vec::new(), BTreeMap::new());
        for (segment, index) in self.pending.heads.keys() {
            let Some(count) = self.chain(*segment).map(mosaic_federation::HeadChain::count) else { continue };
            if self.pending.heads.contains_key(&(*segment, count)) {
                blocks.push((*segment, *index));
            } else {
                gaps.insert(*segment, count);
            }
        }
        blocks.truncate(MAX_BLOCKS);
        if !blocks.is_empty() {
            self.outbox.ask(peer, PeerRequest::Blocks(blocks), Purpose::Read);
        }
        let gaps: Vec<_> = gaps.into_iter().collect();
        for gaps in gaps.chunks(MAX_SEGMENTS) {
            self.outbox.ask(peer, PeerRequest::Heads(gaps.to_vec()), Purpose::Read);
        }
    }

    /// Compares all heads with one peer, another each time, so that nothing stays missing for long
    /// whoever was down when it was announced.
    pub(super) fn sync(&mut self, now: Timestamp) {
        let peers = self.outbox.peers();
        self.pending.turn = (self.pending.turn + 1) % peers.len().max(1);
        let Some(peer) = peers.get(self.pending.turn).copied() else { return };
        self.ask_for_missing(peer);
        let foreign = self.periods.values().flat_map(|period| period.chains());
        let fetched = |id: &SegmentId| id.origin != self.keys.me || self.is_lost(id.table.period());
        let known: Vec<_> = foreign.filter(|(id, _)| fetched(id)).map(|(id, chain)| (id, chain.count())).collect();
        for known in known.chunks(MAX_SEGMENTS) {
            self.outbox.ask(peer, PeerRequest::Heads(known.to_vec()), Purpose::Read);
        }
        self.fetch_past(now, peer);
    }

    /// Asks for tables that were made and filled while this provider was away.
    fn fetch_past(&mut self, now: Timestamp, peer: ProviderId) {
        let lives = u32::try_from(TABLE_LIFE.as_secs() / Period::LENGTH.as_secs()).unwrap_or(0);
        let created = self.federation.descriptor().created.period();
        let first = now.period().0.saturating_sub(lives).max(created.0);
        for period in (first..now.period().0).map(Period) {
            if !self.periods.contains_key(&period) && !self.is_gone(now, period) {
                self.outbox.ask(peer, PeerRequest::FetchTable(period), Purpose::Fetch(period));
            }
        }
    }

    /// Keeps evidence for publication.
    pub(super) fn convict(&mut self, evidence: &Evidence) -> Result<(), StoreError> {
        let bytes = evidence.encode();
        let key = mosaic_crypto::digest(&[b"mosaic/evidence/1", &bytes]).to_vec();
        if self.store.get(Bucket::Evidence, &key)?.is_some() {
            return Ok(());
        }
        if let Ok(liar) = evidence.verify(&self.federation) {
            tracing::error!(provider = %liar, "a provider is convicted by its own signatures");
        }
        self.counters.evidence += 1;
        self.store.commit(&[Change::Put(Bucket::Evidence, key, bytes)])
    }

    /// All evidence found so far, to publish.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn evidence(&self) -> Result<Vec<Evidence>, StoreError> {
        let stored = self.store.scan(Bucket::Evidence, b"")?;
        Ok(stored.iter().filter_map(|(_, bytes)| Evidence::decode(bytes).ok()).collect())
    }
}
