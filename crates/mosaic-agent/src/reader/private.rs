use std::sync::Arc;

use mosaic_types::{Lane, Period, TableId, Timestamp};
use mosaic_wire::{Call, GenerationBlock, GenerationId, Head, Reply};

use crate::blocks::BlockPool;

/// What to ask one provider, and about which generations.
pub(crate) struct Question {
    /// The call, whatever its kind.
    pub(crate) call: Call,
    /// Names the question again when its answer comes or does not.
    pub(crate) asked: Vec<GenerationId>,
}

/// A generation that was read, or that holds nothing to read.
pub(crate) struct Delivery {
    /// Which.
    pub(crate) id: GenerationId,
    /// The head that two providers showed alike.
    pub(crate) head: Head,
    /// At least all its records in the rows that matter; `None` where nobody wrote anything.
    pub(crate) block: Option<Arc<GenerationBlock>>,
}

/// What an answer brought.
#[derive(Default)]
pub(crate) struct Answer {
    /// Generations as their heads state them.
    pub(crate) read: Vec<Delivery>,
    /// Whether there was one that was asked for and is not as its head states.
    pub(crate) wrong: bool,
}

/// How records reach the device so that no provider learns which rows matter to it (DESIGN section 4).
///
/// [`super::WholeGenerations`] downloads everything. Private retrieval by row takes its place by
/// asking other calls and delivering blocks that hold the wanted rows only: heads, receipts, cards and
/// associations are handled outside and do not change.
pub(crate) trait PrivateReader: Send {
    /// Two providers show this head alike: its generation is to be read.
    fn agreed(&mut self, head: &Head);

    /// Generations that need no question; each is delivered once.
    fn take_empty(&mut self) -> Vec<Delivery>;

    /// The next question, to whichever provider answers at present. Asks about tables that `known`
    /// knows only. Call again until it returns `None`.
    fn ask(&mut self, now: Timestamp, known: &dyn Fn(Period) -> bool) -> Option<Question>;

    /// Takes the answer to a question; `None` when it is no answer to any. What is not as its head
    /// states is not delivered and asked for again.
    fn take(&mut self, now: Timestamp, asked: &[GenerationId], answer: Reply, pool: &BlockPool) -> Option<Answer>;

    /// No answer came: the same is asked again after `until`.
    fn failed(&mut self, asked: &[GenerationId], until: Timestamp);

    /// What was delivered lately, for interests that came later.
    fn kept(&self, lane: Lane) -> Vec<Arc<GenerationBlock>>;

    /// Forgets tables before `oldest`, and what is kept too long.
    fn expire(&mut self, now: Timestamp, oldest: TableId);

    /// Whether all that was agreed on is delivered.
    fn is_done(&self) -> bool;

    /// When [`Self::ask`] may have something new by itself.
    fn next_wake(&self, now: Timestamp) -> Option<Timestamp>;
}
