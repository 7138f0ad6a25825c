//! What a provider can keep of what reaches it.

use std::collections::BTreeSet;

use mosaic_federation::Issuers;
use mosaic_provider::store::{Bucket, MemoryStore, Store as _};
use mosaic_types::{ProviderId, Timestamp};
use mosaic_wire::{Address, CELL, Call, CallFailure, CellRequest, HeadsQuery, Reply, TokensQuery, WireToken};

/// The kind of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asked {
    /// Descriptors, the time, and whatever else says nothing of a person.
    Public,
    /// Terms, and tokens on them.
    Tokens,
    /// An event.
    Deposit,
    /// Sixteen evaluations.
    Evaluate,
    /// A share of a report.
    Report,
    /// Which generations there are.
    Heads,
    /// Whole generations.
    Generations,
    /// Bins of a stack.
    Stack,
}

/// One request at one provider.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) at: Timestamp,
    /// Who sent it: on a line of their own the provider sees the address; over a relay it does not, and this is the
    /// judge's knowledge.
    pub(crate) user: u32,
    pub(crate) to: ProviderId,
    /// Whether another provider relayed it.
    pub(crate) relayed: bool,
    pub(crate) asked: Asked,
    /// Bytes of the answer; 0 for one that came later.
    pub(crate) answer: u64,
    /// Bytes of the request.
    pub(crate) bytes: u64,
}

impl Request {
    pub(super) fn of(at: Timestamp, user: u32, to: Address, call: &Call) -> Self {
        let (asked, bytes) = match call {
            Call::Federation | Call::Table(_) | Call::Time | Call::Statements => (Asked::Public, 0),
            Call::Terms => (Asked::Tokens, 0),
            Call::Tokens(query) => (Asked::Tokens, query.encode().len()),
            Call::Cell(CellRequest::Deposit { .. }) => (Asked::Deposit, CELL),
            Call::Cell(CellRequest::Evaluate { .. }) => (Asked::Evaluate, CELL),
            Call::Cell(CellRequest::Report { .. }) => (Asked::Report, CELL),
            Call::Heads(_) => (Asked::Heads, HeadsQuery::SIZE),
            Call::Generations(_) => (Asked::Generations, mosaic_wire::GenerationsQuery::SIZE),
            Call::Stack(query) => (Asked::Stack, query.encoded_len()),
        };
        Self { at, user, to: to.provider, relayed: to.via.is_some(), asked, answer: 0, bytes: bytes as u64 }
    }

    pub(super) fn answered(self, result: Option<&Result<Reply, CallFailure>>) -> Self {
        let answer = match result {
            // a receipt comes later, in a cell of its own
            None => CELL,
            Some(Err(_)) => 0,
            Some(Ok(reply)) => size(reply),
        };
        Self { answer: answer as u64, ..self }
    }
}

fn size(reply: &Reply) -> usize {
    match reply {
        Reply::Federation(document) => document.len(),
        Reply::Table(_) => mosaic_wire::SignedTable::SIZE,
        Reply::Time(_) => mosaic_wire::SignedTime::SIZE,
        Reply::Terms(_) => mosaic_wire::SignedTerms::SIZE,
        Reply::Tokens(tokens) => tokens.encode().len(),
        Reply::Cell(_) => CELL,
        Reply::Heads(heads) => heads.encode().len(),
        Reply::Generations(blocks) => blocks.encode().len(),
        Reply::Stack(sums) => sums.encoded_len(),
        Reply::Statements(statements) => statements.len(),
    }
}

/// What an issuer saw when it made tokens of one challenge: points, evaluated points and their proof.
#[derive(Clone, Debug)]
pub(crate) struct IssueSeen {
    pub(crate) at: Timestamp,
    pub(crate) user: u32,
    pub(crate) provider: ProviderId,
    pub(crate) challenge: [u8; 32],
    pub(crate) bytes: Vec<u8>,
}

impl IssueSeen {
    /// One for each challenge of an answered query.
    pub(super) fn all(
        (at, user): (Timestamp, u32),
        to: ProviderId,
        of: &Issuers,
        query: &TokensQuery,
        reply: &Reply,
    ) -> Vec<Self> {
        let Reply::Tokens(reply) = reply else { return Vec::new() };
        let (mut asked, mut told) = (query.points.as_slice(), reply.points.as_slice());
        let groups = of.challenges(to, query).zip(query.groups()).zip(&reply.proofs);
        let seen = groups.map_while(|((challenge, count), proof)| {
            let ((mine, rest), (theirs, left)) = (asked.split_at_checked(count)?, told.split_at_checked(count)?);
            (asked, told) = (rest, left);
            let bytes = [mine.as_flattened(), theirs.as_flattened(), proof].concat();
            Some(Self { at, user, provider: to, challenge, bytes })
        });
        seen.collect()
    }
}

/// A token as its issuer saw it when it was spent.
#[derive(Clone, Debug)]
pub(crate) struct TokenSeen {
    pub(crate) at: Timestamp,
    pub(crate) user: u32,
    pub(crate) provider: ProviderId,
    pub(crate) challenge: [u8; 32],
    pub(crate) bytes: [u8; WireToken::SIZE],
}

impl TokenSeen {
    pub(super) fn redeemed(at: Timestamp, user: u32, provider: ProviderId, call: &Call) -> Option<Self> {
        let Call::Cell(
            CellRequest::Deposit { token, .. }
            | CellRequest::Evaluate { token, .. }
            | CellRequest::Report { token, .. },
        ) = call
        else {
            return None;
        };
        Some(Self { at, user, provider, challenge: token.challenge, bytes: token.encode() })
    }
}

/// Digests of the sealed generations a store holds: what replication brings to everybody.
pub(super) fn contents(store: &MemoryStore) -> BTreeSet<[u8; 32]> {
    let blocks = store.scan(Bucket::Blocks, b"").unwrap_or_default();
    blocks.iter().map(|(key, block)| mosaic_crypto::digest(&[key, block])).collect()
}
