//! How records reach the device so that no provider learns which rows matter to it (DESIGN section 4).
//!
//! Few records are downloaded whole ([`WholeGenerations`]), many are looked at blind ([`Stacks`]). Which of the two depends on
//! how many records there are and on nothing else. Heads, receipts, cards and associations are handled outside.

use std::{collections::BTreeMap, sync::Arc};

use mosaic_types::{Lane, ProviderId, TableId, Timestamp};
use mosaic_wire::{Call, GenerationBlock, GenerationId, Head, Record, Reply, StackQuery, StackReply};
use rand::CryptoRng;

use super::{
    audit::Audits,
    stacks::{LOOKS, Looked, ReadStack, Stacks},
    whole::WholeGenerations,
};
use crate::blocks::{BlockPool, Shelf};

/// When records are looked at blind instead of being downloaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlindReads {
    /// Where that costs less.
    #[default]
    BySize,
    /// Whatever it costs: for simulations and the lab.
    Always,
}

impl BlindReads {
    /// How many rows of a stack can be read.
    pub const ROWS: usize = LOOKS * StackQuery::KEYS;
}

/// What to ask one provider.
pub(crate) struct Question {
    pub(crate) to: ProviderId,
    /// The call, whatever its kind.
    pub(crate) call: Call,
    /// Names the question again when its answer comes or does not.
    pub(crate) asked: Asked,
}

/// A question, by what it was about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asked {
    /// These generations, whole.
    Whole(Vec<GenerationId>),
    /// One half of a look at a stack: which look, and which of the two providers.
    Half { look: u64, party: usize },
}

/// Something that was read, or that holds nothing to read.
pub(crate) enum Delivery {
    /// A generation as its head states it; no block where nobody wrote anything.
    Generation { id: GenerationId, head: Head, block: Option<Arc<GenerationBlock>> },
    /// All records in some rows of some generations of one table.
    Rows { table: TableId, records: Vec<Record> },
    /// A stack that is looked at no more, with all that was read of it.
    Stack(ReadStack),
}

/// What an answer brought.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) read: Vec<Delivery>,
    /// Who must have answered something else than what two providers' heads state.
    pub(crate) liars: Vec<ProviderId>,
}

/// Rows that matter, the most important first.
pub(crate) struct Wanted {
    pub(crate) rows: Vec<u32>,
    /// How many in front hold what the person looks for; the others only seldom do.
    pub(crate) essential: usize,
}

/// What the reader asks the rest of the device while it makes its questions.
pub(crate) trait Around {
    /// How many rows a table has; `None` while that is not known.
    fn rows(&self, table: TableId) -> Option<u32>;

    /// Rows of a table that matter.
    fn wanted(&self, table: TableId, generations: &[GenerationId]) -> Wanted;

    /// Who answers at present.
    fn live(&self) -> &[ProviderId];
}

/// Reads every generation that was agreed on, once.
#[derive(Default)]
pub(crate) struct PrivateReader {
    /// Agreed on, and it is not decided yet how they are read.
    agreed: BTreeMap<GenerationId, Head>,
    whole: WholeGenerations,
    stacks: Stacks,
    audits: Audits,
    shelf: Shelf,
    blind: BlindReads,
}

impl PrivateReader {
    pub(crate) fn new(blind: BlindReads) -> Self {
        Self { blind, ..Self::default() }
    }

    /// Two providers show this head alike: its generation is to be read.
    pub(crate) fn agreed(&mut self, head: &Head) {
        self.agreed.insert(GenerationId::of(head), *head);
    }

    /// Generations that need no question; each is delivered once.
    pub(crate) fn take_empty(&mut self) -> Vec<Delivery> {
        let (empty, rest) = std::mem::take(&mut self.agreed).into_iter().partition(|(_, head)| head.count == 0);
        self.agreed = rest;
        BTreeMap::into_iter(empty).map(|(id, head)| Delivery::Generation { id, head, block: None }).collect()
    }

    /// What to ask now, of whom.
    pub(crate) fn ask(&mut self, now: Timestamp, around: &dyn Around, rng: &mut dyn CryptoRng) -> Vec<Question> {
        self.decide(around, rng);
        let mut questions = self.stacks.ask(now, around.live(), rng);
        questions.extend(self.whole.ask(now, around.live(), rng));
        questions
    }

    /// Downloads or looks, a table's new generations all in one way. Mail goes to 64 rows a card: looking for it would cost more
    /// than downloading it, however much there is.
    fn decide(&mut self, around: &dyn Around, rng: &mut dyn CryptoRng) {
        let mut tables: BTreeMap<(TableId, u32), Vec<Head>> = BTreeMap::new();
        for (id, head) in std::mem::take(&mut self.agreed) {
            if let Some(rows) = around.rows(id.segment.table) {
                tables.entry((id.segment.table, rows)).or_default().push(head);
            } else {
                self.agreed.insert(id, head);
            }
        }
        for ((table, rows), heads) in tables {
            let by_stacks = table.lane() == Lane::Discovery
                && match self.blind {
                    BlindReads::Always => true,
                    BlindReads::BySize => super::stacks::pays(&heads, rows),
                };
            let left = if by_stacks { self.stacks.begin(heads, rows, around, rng) } else { heads };
            self.whole.add(left);
        }
    }

    /// Takes the answer to a question; `None` when it is no answer to any. What is not as the heads state is not delivered and
    /// asked for again.
    pub(crate) fn take(
        &mut self,
        now: Timestamp,
        from: ProviderId,
        asked: &Asked,
        answer: Reply,
        pool: &BlockPool,
    ) -> Option<Answer> {
        let mut answer = match (asked, answer) {
            (Asked::Whole(ids), Reply::Generations(reply)) => self.whole.take(now, from, ids, reply, pool),
            (Asked::Half { look, party }, Reply::Stack(reply)) => self.take_half(*look, *party, reply),
            _ => return None,
        };
        answer.liars.extend(self.audits.take(&answer.read));
        for read in &answer.read {
            match read {
                Delivery::Generation { id, head, block: Some(block) } => {
                    self.shelf.put(*id, head.sealed_at, Arc::clone(block));
                }
                Delivery::Rows { table, records } => self.shelf.put_rows(now, *table, records.clone()),
                Delivery::Generation { block: None, .. } | Delivery::Stack(_) => {}
            }
        }
        Some(answer)
    }

    fn take_half(&mut self, look: u64, party: usize, reply: StackReply) -> Answer {
        match self.stacks.take(look, party, reply) {
            Looked::Not => Answer::default(),
            Looked::Read(read) => Answer { read, ..Answer::default() },
            Looked::TooUneven(heads) => {
                self.whole.add(heads);
                Answer::default()
            }
            Looked::Unfit(suspicion) => {
                self.whole.add(suspicion.heads().copied());
                self.audits.begin(*suspicion);
                Answer::default()
            }
        }
    }

    /// No answer came: the same is asked again after `until`, after many times in the other way.
    pub(crate) fn failed(&mut self, asked: &Asked, until: Timestamp) {
        match asked {
            Asked::Whole(ids) => self.whole.failed(ids, until),
            Asked::Half { look, .. } => self.whole.add(self.stacks.failed(*look, until)),
        }
    }

    /// What was delivered lately, for interests and topics that came later.
    pub(crate) fn kept(&self, lane: Lane) -> impl Iterator<Item = (TableId, &[Record])> {
        self.shelf.of_lane(lane)
    }

    /// The mail among it, to hold on to: it is always downloaded.
    pub(crate) fn kept_mail(&self) -> Vec<Arc<GenerationBlock>> {
        self.shelf.blocks_of(Lane::Rendezvous).cloned().collect()
    }

    /// Forgets tables before `oldest`, and what is kept too long.
    pub(crate) fn expire(&mut self, now: Timestamp, oldest: TableId) {
        self.agreed.retain(|id, _| id.segment.table >= oldest);
        self.whole.expire(oldest);
        self.stacks.expire(oldest);
        self.audits.expire(oldest);
        self.shelf.tidy(now);
    }

    /// Whether all that was agreed on is delivered.
    pub(crate) fn is_done(&self) -> bool {
        self.agreed.is_empty() && self.whole.is_done() && self.stacks.is_done()
    }

    /// When [`Self::ask`] may have something new by itself.
    pub(crate) fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        self.whole.next_wake(now).into_iter().chain(self.stacks.next_wake(now)).min()
    }

    /// Essential rows that were not looked at in the stacks begun last, because they are more than the keys.
    pub(crate) const fn passed_over(&self) -> usize {
        self.stacks.passed_over()
    }
}
