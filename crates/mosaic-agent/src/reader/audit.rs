//! Who lied, when two answers to a blind read do not fit together. Neither answer says so, and whoever fits with a third provider
//! later may have lied before. So the stack is downloaded, which depends on nobody's rows, and both answers are made anew.

use std::{collections::BTreeMap, sync::Arc};

use mosaic_types::{ProviderId, TableId};
use mosaic_wire::{BinTable, GenerationBlock, GenerationId, Head, Stack, StackQuery, StackReply};

use super::private::Delivery;

/// Two answers that do not fit together, with all that it takes to tell which of them is wrong.
pub(super) struct Suspicion {
    heads: BTreeMap<GenerationId, Head>,
    rows: u32,
    answers: [(ProviderId, StackQuery, StackReply); 2],
    blocks: BTreeMap<GenerationId, Arc<GenerationBlock>>,
}

impl Suspicion {
    pub(super) fn new(
        heads: Vec<Head>,
        rows: u32,
        [a, b]: [ProviderId; 2],
        [to_a, to_b]: [StackQuery; 2],
        [from_a, from_b]: [StackReply; 2],
    ) -> Self {
        let heads = heads.into_iter().map(|head| (GenerationId::of(&head), head)).collect();
        Self { heads, rows, answers: [(a, to_a, from_a), (b, to_b, from_b)], blocks: BTreeMap::new() }
    }

    pub(super) fn heads(&self) -> impl Iterator<Item = &Head> {
        self.heads.values()
    }

    /// Who answered otherwise than who holds these blocks does; `None` while some are missing.
    fn verdict(&self) -> Option<Vec<ProviderId>> {
        if self.blocks.len() < self.heads.len() {
            return None;
        }
        let stack = Stack::of(self.blocks.values().map(Arc::as_ref)).ok();
        let table = stack.and_then(|stack| BinTable::cut(stack.records(), self.rows));
        let liar = |(who, query, said): &(ProviderId, StackQuery, StackReply)| {
            (honest(table.as_ref(), query).as_ref() != Some(said)).then_some(*who)
        };
        Some(self.answers.iter().filter_map(liar).collect())
    }
}

/// The only right answer.
fn honest(table: Option<&BinTable>, query: &StackQuery) -> Option<StackReply> {
    table.map_or(Some(StackReply::read_whole()), |table| StackReply::answer(table, query).ok())
}

/// Suspicions whose blocks are on their way.
#[derive(Default)]
pub(super) struct Audits(Vec<Suspicion>);

impl Audits {
    pub(super) fn begin(&mut self, suspicion: Suspicion) {
        self.0.push(suspicion);
    }

    /// Looks whether blocks that came clear up a suspicion; who lied.
    pub(super) fn take(&mut self, read: &[Delivery]) -> Vec<ProviderId> {
        for delivery in read {
            let Delivery::Generation { id, block: Some(block), .. } = delivery else { continue };
            for suspicion in self.0.iter_mut().filter(|suspicion| suspicion.heads.contains_key(id)) {
                suspicion.blocks.insert(*id, Arc::clone(block));
            }
        }
        let mut liars = Vec::new();
        self.0.retain(|suspicion| match suspicion.verdict() {
            Some(found) => {
                liars.extend(found);
                false
            }
            None => true,
        });
        liars
    }

    pub(super) fn expire(&mut self, oldest: TableId) {
        self.0.retain(|suspicion| suspicion.heads.keys().all(|id| id.segment.table >= oldest));
    }
}
