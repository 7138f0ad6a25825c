use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use mosaic_types::{ProviderId, TableId, Timestamp};
use mosaic_wire::{Call, GenerationId, GenerationsQuery, GenerationsReply, Head};
use rand::{CryptoRng, seq::IndexedRandom as _};

use super::private::{Answer, Asked, Delivery, Question};
use crate::blocks::BlockPool;

/// Rest after a provider had none of the generations asked for.
const SHORT_REST: Duration = Duration::from_secs(2);

/// Reads by downloading every generation whole: what is asked for depends on nothing a person does.
#[derive(Default)]
pub(crate) struct WholeGenerations {
    todo: BTreeMap<GenerationId, Head>,
    loading: BTreeSet<GenerationId>,
    rest_until: Option<Timestamp>,
}

impl WholeGenerations {
    fn over(&mut self, asked: &[GenerationId]) {
        self.loading.retain(|id| !asked.contains(id));
    }

    /// Takes generations to download.
    pub(super) fn add(&mut self, heads: impl IntoIterator<Item = Head>) {
        self.todo.extend(heads.into_iter().map(|head| (GenerationId::of(&head), head)));
    }

    /// At most 64 generations at a time, each time from another provider, all marked as loading.
    pub(super) fn ask(&mut self, now: Timestamp, live: &[ProviderId], rng: &mut dyn CryptoRng) -> Vec<Question> {
        let mut questions = Vec::new();
        while let Some(to) = live.choose(rng).copied() {
            let Some((query, asked)) = self.next_query(now) else { break };
            questions.push(Question { to, call: Call::Generations(query), asked: Asked::Whole(asked) });
        }
        questions
    }

    fn next_query(&mut self, now: Timestamp) -> Option<(GenerationsQuery, Vec<GenerationId>)> {
        if self.rest_until.is_some_and(|until| until > now) || self.loading.len() > GenerationsQuery::MOST {
            return None;
        }
        let free = self.todo.keys().filter(|id| !self.loading.contains(id));
        let asked: Vec<_> = free.take(GenerationsQuery::MOST).copied().collect();
        if asked.is_empty() {
            return None;
        }
        let query = GenerationsQuery::new(asked.clone()).ok()?;
        self.loading.extend(asked.iter().copied());
        Some((query, asked))
    }

    pub(super) fn take(
        &mut self,
        now: Timestamp,
        from: ProviderId,
        asked: &[GenerationId],
        reply: GenerationsReply,
        pool: &BlockPool,
    ) -> Answer {
        self.over(asked);
        let mut answer = Answer::default();
        for block in reply.into_blocks() {
            let id = GenerationId { segment: block.segment(), index: block.index() };
            let Some(head) = self.todo.get(&id).copied().filter(|_| asked.contains(&id)) else { continue };
            // a block that its head does not cover is simply asked for again, elsewhere
            let Some(block) = pool.verified(&head, block) else {
                answer.liars = vec![from];
                continue;
            };
            self.todo.remove(&id);
            answer.read.push(Delivery::Generation { id, head, block: Some(Arc::clone(&block)) });
        }
        if answer.read.is_empty() {
            self.rest_until = Some(now.after(SHORT_REST));
        }
        answer
    }

    pub(super) fn failed(&mut self, asked: &[GenerationId], until: Timestamp) {
        self.over(asked);
        self.rest_until = Some(until);
    }

    pub(super) fn expire(&mut self, oldest: TableId) {
        self.todo.retain(|id, _| id.segment.table >= oldest);
    }

    pub(super) fn is_done(&self) -> bool {
        self.todo.is_empty()
    }

    pub(super) fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        self.rest_until.filter(|until| *until > now && !self.todo.is_empty())
    }
}
