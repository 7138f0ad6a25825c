use mosaic_crypto::signing::VerifyingKey;
use mosaic_types::SegmentId;
use mosaic_wire::{GenerationBlock, Head};
use thiserror::Error;

use crate::evidence::Evidence;

/// The heads of one segment, checked one by one: signed, gapless, each naming the one before.
#[derive(Clone, Debug)]
pub struct HeadChain {
    segment: SegmentId,
    heads: Vec<Head>,
}

/// What became of an offered head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    /// It is the next one.
    Appended,
    /// It was there already.
    Known,
}

/// Why a head was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The head is of another segment.
    #[error("the head belongs to another segment")]
    OtherSegment,
    /// Not signed by the origin.
    #[error("the head is not signed by its origin")]
    Signature,
    /// Heads are missing before it.
    #[error("heads are missing: next is {expected}, this is {found}")]
    Gap {
        /// The index that would fit.
        expected: u32,
        /// The index offered.
        found: u32,
    },
    /// The origin signed two histories; the evidence proves it to everybody.
    #[error("the origin signed two histories of one segment")]
    Forked(Box<Evidence>),
}

impl HeadChain {
    /// A chain without heads.
    pub const fn new(segment: SegmentId) -> Self {
        Self { segment, heads: Vec::new() }
    }

    /// Offers a head that must be signed by `origin`.
    ///
    /// # Errors
    /// [`ChainError`]; a fork carries the evidence.
    pub fn offer(&mut self, head: &Head, origin: &VerifyingKey) -> Result<Linked, ChainError> {
        if head.segment != self.segment {
            return Err(ChainError::OtherSegment);
        }
        if self.get(head.index) == Some(head) {
            return Ok(Linked::Known);
        }
        head.verify(origin).map_err(|_| ChainError::Signature)?;
        if let Some(held) = self.get(head.index) {
            return if held.agrees_with(head) { Ok(Linked::Known) } else { Err(fork(held, head)) };
        }
        if head.index != self.count() {
            return Err(ChainError::Gap { expected: self.count(), found: head.index });
        }
        match self.heads.last() {
            Some(last) if head.previous != last.hash() => return Err(fork(last, head)),
            None if head.previous != [0; 32] => return Err(ChainError::Signature),
            _ => self.heads.push(*head),
        }
        Ok(Linked::Appended)
    }

    /// How many heads there are.
    pub fn count(&self) -> u32 {
        u32::try_from(self.heads.len()).unwrap_or(u32::MAX)
    }

    /// Head number `index`.
    pub fn get(&self, index: u32) -> Option<&Head> {
        self.heads.get(usize::try_from(index).ok()?)
    }

    /// Heads from number `from` on.
    pub fn since(&self, from: u32) -> &[Head] {
        usize::try_from(from).ok().and_then(|from| self.heads.get(from..)).unwrap_or_default()
    }

    /// The last head.
    pub fn last(&self) -> Option<&Head> {
        self.heads.last()
    }
}

fn fork(held: &Head, offered: &Head) -> ChainError {
    ChainError::Forked(Box::new(Evidence::TwoHistories { first: *held, second: *offered }))
}

/// What a comparison of two providers' heads of one segment says (DESIGN section 6: readers require
/// equal heads from two providers).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The first so many heads are equal at both; what lies beyond is not to be read yet.
    Equal(u32),
    /// The origin told the two different things.
    Forked(Box<Evidence>),
}

/// Compares what two providers say about one segment. Both chains are checked ones, so a difference
/// convicts the origin and not the messenger.
pub fn compare(one: &HeadChain, other: &HeadChain) -> Comparison {
    for (a, b) in one.heads.iter().zip(&other.heads) {
        if !a.agrees_with(b) {
            return Comparison::Forked(Box::new(Evidence::TwoHistories { first: *a, second: *b }));
        }
    }
    Comparison::Equal(one.count().min(other.count()))
}

/// Evidence type: a block that is exactly what its origin's signed head states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBlock(GenerationBlock);

impl VerifiedBlock {
    /// Holds `block` against `head`; `None` when it is another generation's or any byte differs.
    pub fn check(head: &Head, block: GenerationBlock) -> Option<Self> {
        head.covers(&block).then_some(Self(block))
    }

    /// The block.
    pub const fn block(&self) -> &GenerationBlock {
        &self.0
    }

    /// Gives the block up.
    pub fn into_block(self) -> GenerationBlock {
        self.0
    }
}
