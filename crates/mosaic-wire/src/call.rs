//! What an agent asks a provider, apart from how it travels (`docs/spec/http.md`).

use mosaic_types::{Period, ProviderId};
use thiserror::Error;

use crate::{
    CellReply, CellRequest, GenerationsQuery, GenerationsReply, HeadsQuery, HeadsReply, Problem, SignedTable,
    SignedTerms, SignedTime, StackQuery, StackReply, TokensQuery, TokensReply,
};

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a queue holds few calls, and the largest kind is the usual one")]
pub enum Call {
    /// The signed federation descriptor.
    Federation,
    /// The signed descriptor of a period's tables.
    Table(Period),
    /// The provider's signed time.
    Time,
    /// What the provider asks for tokens now.
    Terms,
    /// Tokens for a solved puzzle.
    Tokens(TokensQuery),
    /// A sealed request, directly or through a relay.
    Cell(CellRequest),
    /// Heads of generations sealed since.
    Heads(HeadsQuery),
    /// Whole generations.
    Generations(GenerationsQuery),
    /// Bins of a stack, blind.
    Stack(Box<StackQuery>),
    /// What aggregators published of the last days.
    Statements,
}

/// The reply to a [`Call`] of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a queue holds few replies")]
pub enum Reply {
    /// The descriptor's signed JSON document, for `mosaic-federation` to check.
    Federation(Vec<u8>),
    /// The signed table descriptor.
    Table(SignedTable),
    /// The signed time.
    Time(SignedTime),
    /// The signed terms.
    Terms(SignedTerms),
    /// The evaluated points.
    Tokens(TokensReply),
    /// What was inside the sealed reply; a problem in there is a [`CellReply::Problem`].
    Cell(CellReply),
    /// The heads.
    Heads(HeadsReply),
    /// The generations.
    Generations(GenerationsReply),
    /// Half of each bin.
    Stack(StackReply),
    /// Signed statements of [`crate::STATEMENT`] bytes each, the newest first, for `mosaic-aggregate` to check.
    Statements(Vec<u8>),
}

/// Whom a call is for, and over whom it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// Who answers.
    pub provider: ProviderId,
    /// Who relays, for [`Call::Cell`] only; never the provider itself.
    pub via: Option<ProviderId>,
}

/// Why a call brought no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CallFailure {
    /// No connection.
    #[error("the provider cannot be reached")]
    Unreachable,
    /// A connection, but no answer in time; the request may have had its effect.
    #[error("the provider did not answer in time")]
    TimedOut,
    /// A problem from the provider or the relay.
    #[error("the provider refused")]
    Refused(#[source] Problem),
    /// An answer that is none: wrong size, wrong seal, wrong signature.
    #[error("the provider's answer makes no sense")]
    Garbled,
}
