use std::collections::{BTreeMap, VecDeque};

use mosaic_types::{Period, ProviderId};
use mosaic_wire::{Address, Call, CallFailure, Reply, SignedTerms, TokensQuery};

use crate::reader::Asked;

/// Names one call between [`crate::AgentCore::poll`] and [`crate::AgentCore::on_reply`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u64);

/// A call the driver owes us.
#[derive(Debug)]
pub struct Outgoing {
    /// To report what became of it.
    pub id: CallId,
    /// Whom it is for and over whom it goes.
    pub to: Address,
    /// What to ask.
    pub call: Call,
    /// What a query for tokens costs: not paid yet, see [`Self::pay`].
    pub terms: Option<SignedTerms>,
}

impl Outgoing {
    /// The same call, to be made now: solves the puzzle of a query for tokens, which takes seconds and memory, and
    /// leaves every other call as it is. A puzzle that cannot be tried is left to the provider to refuse.
    pub fn pay(self) -> Self {
        match (self.call, self.terms) {
            (Call::Tokens(query), Some(terms)) => {
                let query = query.clone().solved(&terms).unwrap_or(query);
                Self { call: Call::Tokens(query), terms: None, ..self }
            }
            (call, terms) => Self { call, terms, ..self },
        }
    }
}

/// What a call is for.
pub(crate) enum Errand {
    Table(Period),
    Time,
    /// A provider's terms, for an order of tokens.
    Terms(u64),
    Tokens(u64),
    Deposit(u64),
    Evaluate(u64),
    Heads(usize),
    /// A private read.
    Read(Asked),
    /// A share of a report.
    Report(u64),
    Statements,
}

/// Calls that wait for the driver, and errands that wait for their reply.
#[derive(Default)]
pub(crate) struct Post {
    queue: VecDeque<Outgoing>,
    errands: BTreeMap<CallId, (Address, Errand)>,
    last: u64,
    bytes: u64,
}

impl Post {
    pub(crate) fn send(&mut self, to: Address, call: Call, errand: Errand) {
        self.queue_up(to, call, None, errand);
    }

    /// A query for tokens, which is paid by who sends it.
    pub(crate) fn send_unpaid(&mut self, provider: ProviderId, query: TokensQuery, terms: SignedTerms, errand: Errand) {
        self.queue_up(Address { provider, via: None }, Call::Tokens(query), Some(terms), errand);
    }

    fn queue_up(&mut self, to: Address, call: Call, terms: Option<SignedTerms>, errand: Errand) {
        self.last += 1;
        let id = CallId(self.last);
        self.bytes += request_bytes(&call);
        self.errands.insert(id, (to, errand));
        self.queue.push_back(Outgoing { id, to, call, terms });
    }

    pub(crate) fn send_direct(&mut self, provider: ProviderId, call: Call, errand: Errand) {
        self.send(Address { provider, via: None }, call, errand);
    }

    pub(crate) fn next(&mut self) -> Option<Outgoing> {
        self.queue.pop_front()
    }

    pub(crate) fn has_mail(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The errand of a call; `None` for one that was answered already.
    pub(crate) fn settle(&mut self, id: CallId, result: &Result<Reply, CallFailure>) -> Option<(Address, Errand)> {
        if let Ok(reply) = result {
            self.bytes += reply_bytes(reply);
        }
        self.errands.remove(&id)
    }

    /// Whole bodies sent and received so far, in bytes.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }
}

fn request_bytes(call: &Call) -> u64 {
    let bytes = match call {
        Call::Federation | Call::Table(_) | Call::Time | Call::Terms | Call::Statements => 0,
        Call::Tokens(query) => query.encode().len(),
        Call::Cell(_) => mosaic_wire::CELL,
        Call::Heads(_) => mosaic_wire::HeadsQuery::SIZE,
        Call::Generations(_) => mosaic_wire::GenerationsQuery::SIZE,
        Call::Stack(query) => query.encoded_len(),
    };
    bytes as u64
}

fn reply_bytes(reply: &Reply) -> u64 {
    let bytes = match reply {
        Reply::Federation(document) => document.len(),
        Reply::Table(_) => mosaic_wire::SignedTable::SIZE,
        Reply::Time(_) => mosaic_wire::SignedTime::SIZE,
        Reply::Terms(_) => SignedTerms::SIZE,
        Reply::Tokens(tokens) => tokens.encode().len(),
        Reply::Cell(_) => mosaic_wire::CELL,
        Reply::Heads(heads) => 3 + heads.heads().len() * mosaic_wire::Head::SIZE,
        Reply::Stack(sums) => sums.encoded_len(),
        Reply::Statements(statements) => statements.len(),
        Reply::Generations(blocks) => 2 + blocks.blocks().iter().map(|block| 4 + block.encoded_len()).sum::<usize>(),
    };
    bytes as u64
}
