use mosaic_federation::{
    HeadChain,
    peer::{MAX_HEADS, PeerReply},
};
use mosaic_types::{Period, SegmentId, Timestamp};
use mosaic_wire::{GenerationBlock, GenerationsQuery, GenerationsReply, HeadsQuery, HeadsReply, Problem, ProblemCode};

use super::ProviderCore;
use crate::{
    layout,
    store::{Bucket, Store, StoreError},
};

/// Bytes of blocks in one answer to a peer; a single larger block still travels alone.
const PEER_BLOCK_BYTES: usize = 8 << 20;

impl<S: Store> ProviderCore<S> {
    /// Heads of generations whose blocks are here too.
    pub(super) fn heads(&mut self, now: Timestamp, query: &HeadsQuery) -> Result<HeadsReply, Problem> {
        let known = query.known();
        self.all_gone(now, known.iter().map(|known| known.segment))?;
        self.counters.head_reads += 1;
        Ok(heads_after(query, |segment| self.chain(segment)))
    }

    /// Whole generations.
    pub(super) fn generations(
        &mut self,
        now: Timestamp,
        query: &GenerationsQuery,
    ) -> Result<GenerationsReply, Problem> {
        let wanted = query.wanted();
        self.all_gone(now, wanted.iter().map(|wanted| wanted.segment))?;
        let mut left = GenerationsReply::ROOM;
        let mut blocks = Vec::new();
        for wanted in wanted {
            let bytes = self.block(wanted.segment, wanted.index).map_err(|_| Problem::from(ProblemCode::Internal))?;
            let Some(bytes) = bytes else { continue };
            // what does not fit is not even decoded; the reader asks again
            let Some(rest) = left.checked_sub(4 + bytes.len()) else { break };
            left = rest;
            blocks.extend(GenerationBlock::decode(&bytes).ok());
        }
        let reply = GenerationsReply::new(blocks);
        self.counters.blocks_read += reply.blocks().len() as u64;
        Ok(reply)
    }

    /// 410 when everything that is asked for was retired; a query with something live is answered for
    /// that part.
    fn all_gone(&self, now: Timestamp, segments: impl ExactSizeIterator<Item = SegmentId>) -> Result<(), Problem> {
        all_gone(segments, |period| self.is_gone(now, period))
    }

    /// The stored bytes of a generation that is in its chain.
    pub(super) fn block(&self, segment: SegmentId, index: u32) -> Result<Option<Vec<u8>>, StoreError> {
        if self.chain(segment).is_none_or(|chain| index >= chain.count()) {
            return Ok(None);
        }
        self.store.get(Bucket::Blocks, &layout::generation(segment, index))
    }

    pub(super) fn heads_beyond(&self, known: &[(SegmentId, u32)]) -> PeerReply {
        let beyond = known.iter().filter_map(|(segment, count)| Some(self.chain(*segment)?.since(*count)));
        PeerReply::Heads(beyond.flatten().take(MAX_HEADS).map(|head| head.encode().to_vec()).collect())
    }

    pub(super) fn blocks_for_peer(&self, wanted: &[(SegmentId, u32)]) -> Result<PeerReply, StoreError> {
        let (mut blocks, mut bytes) = (Vec::new(), 0);
        for (segment, index) in wanted {
            let Some(block) = self.block(*segment, *index)? else { continue };
            bytes += block.len();
            if bytes > PEER_BLOCK_BYTES && !blocks.is_empty() {
                break;
            }
            blocks.push(block);
        }
        Ok(PeerReply::Blocks(blocks))
    }
}

/// Refuses when all of what is asked for was retired.
pub(super) fn all_gone(
    mut segments: impl ExactSizeIterator<Item = SegmentId>,
    is_gone: impl Fn(Period) -> bool,
) -> Result<(), Problem> {
    let asked = segments.len() > 0;
    let gone = segments.all(|segment| is_gone(segment.table.period()));
    if asked && gone { Err(ProblemCode::Gone.into()) } else { Ok(()) }
}

/// The heads that come after those a reader knows.
pub(super) fn heads_after<'a>(query: &HeadsQuery, chain: impl Fn(SegmentId) -> Option<&'a HeadChain>) -> HeadsReply {
    let beyond = query.known().iter().filter_map(|known| Some(chain(known.segment)?.since(known.count)));
    HeadsReply::new(beyond.flatten().copied())
}
