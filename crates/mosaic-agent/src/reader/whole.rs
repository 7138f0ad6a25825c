use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use mosaic_types::{Lane, Period, TableId, Timestamp};
use mosaic_wire::{Call, GenerationBlock, GenerationId, GenerationsQuery, Head, Reply};

use super::private::{Answer, Delivery, PrivateReader, Question};
use crate::blocks::{BlockPool, Shelf};

/// Rest after a provider had none of the generations asked for.
const SHORT_REST: Duration = Duration::from_secs(2);

/// Reads by downloading every generation whole: what is asked for depends on nothing a person does.
#[derive(Default)]
pub(crate) struct WholeGenerations {
    todo: BTreeMap<GenerationId, Head>,
    loading: BTreeSet<GenerationId>,
    rest_until: Option<Timestamp>,
    shelf: Shelf,
}

impl WholeGenerations {
    fn over(&mut self, asked: &[GenerationId]) {
        self.loading.retain(|id| !asked.contains(id));
    }
}

impl PrivateReader for WholeGenerations {
    fn agreed(&mut self, head: &Head) {
        self.todo.insert(GenerationId { segment: head.segment, index: head.index }, *head);
    }

    fn take_empty(&mut self) -> Vec<Delivery> {
        let empty = self.todo.iter().filter(|(_, head)| head.count == 0);
        let empty = empty.map(|(id, head)| Delivery { id: *id, head: *head, block: None }).collect();
        self.todo.retain(|_, head| head.count > 0);
        empty
    }

    /// At most 64 generations at a time, marked as loading.
    fn ask(&mut self, now: Timestamp, known: &dyn Fn(Period) -> bool) -> Option<Question> {
        if self.rest_until.is_some_and(|until| until > now) || self.loading.len() > GenerationsQuery::MOST {
            return None;
        }
        let free = self.todo.keys().filter(|id| !self.loading.contains(id) && known(id.segment.table.period()));
        let asked: Vec<_> = free.take(GenerationsQuery::MOST).copied().collect();
        if asked.is_empty() {
            return None;
        }
        let query = GenerationsQuery::new(asked.clone()).ok()?;
        self.loading.extend(asked.iter().copied());
        Some(Question { call: Call::Generations(query), asked })
    }

    fn take(&mut self, now: Timestamp, asked: &[GenerationId], answer: Reply, pool: &BlockPool) -> Option<Answer> {
        let Reply::Generations(reply) = answer else { return None };
        self.over(asked);
        let mut answer = Answer::default();
        for block in reply.into_blocks() {
            let id = GenerationId { segment: block.segment(), index: block.index() };
            let Some(head) = self.todo.get(&id).copied().filter(|_| asked.contains(&id)) else { continue };
            // a block that its head does not cover is simply asked for again, elsewhere
            let Some(block) = pool.verified(&head, block) else {
                answer.wrong = true;
                continue;
            };
            self.todo.remove(&id);
            self.shelf.put(id, head.sealed_at, Arc::clone(&block));
            answer.read.push(Delivery { id, head, block: Some(block) });
        }
        if answer.read.is_empty() {
            self.rest_until = Some(now.after(SHORT_REST));
        }
        Some(answer)
    }

    fn failed(&mut self, asked: &[GenerationId], until: Timestamp) {
        self.over(asked);
        self.rest_until = Some(until);
    }

    fn kept(&self, lane: Lane) -> Vec<Arc<GenerationBlock>> {
        self.shelf.of_lane(lane).cloned().collect()
    }

    fn expire(&mut self, now: Timestamp, oldest: TableId) {
        self.todo.retain(|id, _| id.segment.table >= oldest);
        self.shelf.tidy(now);
    }

    fn is_done(&self) -> bool {
        self.todo.is_empty()
    }

    fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        self.rest_until.filter(|until| *until > now && !self.todo.is_empty())
    }
}
