//! What lies inside a sealed request and its reply. Size and padding are constant, so neither the
//! network nor a relay sees which kind travels.

use std::fmt;

use crate::{
    CELL_PLAIN, EVENT, EvaluateFields, OPRF_BATCH, REPLY_PLAIN, Receipt, ReportFields,
    codec::{DecodeError, Field, Reader, Writer},
    evaluate::read_points,
    problem::{Problem, ProblemCode},
    token::WireToken,
};

const VERSION: u8 = 1;

/// A request for one provider. All bodies are bytes that passed the release barrier.
#[derive(Clone, PartialEq, Eq)]
pub enum CellRequest {
    /// Store an event.
    Deposit {
        /// Pays for it.
        token: WireToken,
        /// An encoded [`crate::EventFields`].
        event: [u8; EVENT],
    },
    /// Evaluate sixteen points.
    Evaluate {
        /// Pays for it.
        token: WireToken,
        /// An encoded [`EvaluateFields`].
        query: [u8; EvaluateFields::SIZE],
    },
    /// Count a report of a day.
    Report {
        /// Pays for it.
        token: WireToken,
        /// An encoded share of it ([`ReportFields`]).
        share: [u8; ReportFields::SIZE],
    },
}

impl CellRequest {
    /// The request, padded with zeros to its constant size.
    pub fn encode(&self) -> [u8; CELL_PLAIN] {
        let (kind, token, body): (u8, _, &[u8]) = match self {
            Self::Deposit { token, event } => (1, token, event),
            Self::Evaluate { token, query } => (2, token, query),
            Self::Report { token, share } => (3, token, share),
        };
        Writer::new().byte(VERSION).byte(kind).put(&token.encode()).put(body).finish()
    }

    /// Reads a request. Token and body are looked at later, by who may refuse them.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size, version or kind, or padding that is not zero.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::exact(bytes, CELL_PLAIN)?;
        reader.version(VERSION)?;
        let kind = reader.u8()?;
        let token = WireToken::read(&mut reader)?;
        let request = match kind {
            1 => Self::Deposit { token, event: reader.take()? },
            2 => Self::Evaluate { token, query: reader.take()? },
            3 => Self::Report { token, share: reader.take()? },
            _ => return Err(DecodeError::OutOfRange(Field::Kind)),
        };
        reader.zeros(reader.left())?;
        Ok(request)
    }
}

impl fmt::Debug for CellRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deposit { .. } => "CellRequest::Deposit",
            Self::Evaluate { .. } => "CellRequest::Evaluate",
            Self::Report { .. } => "CellRequest::Report",
        })
    }
}

/// A provider's reply to a [`CellRequest`].
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "all kinds travel in one 4 KiB cell anyway")]
pub enum CellReply {
    /// The event is stored here and at one replica.
    Receipt(Receipt),
    /// The points times this provider's share of the table key.
    Evaluation {
        /// Evaluated points, in the order of the query.
        points: [[u8; 32]; OPRF_BATCH],
        /// Batched proof that one share did all of them (RFC 9497).
        proof: [u8; 64],
    },
    /// Refused.
    Problem(Problem),
    /// The share of a report is stored here; whether it is counted, both aggregators find out together.
    Taken,
}

impl CellReply {
    /// The reply, padded with zeros to its constant size.
    pub fn encode(&self) -> [u8; REPLY_PLAIN] {
        let head = Writer::new().byte(VERSION);
        match self {
            Self::Receipt(receipt) => head.byte(1).put(&receipt.encode()),
            Self::Evaluation { points, proof } => head.byte(2).put(points.as_flattened()).put(proof),
            Self::Problem(problem) => {
                head.byte(3).byte(problem.code.number()).put(&problem.retry_after_s.unwrap_or(0).to_be_bytes())
            }
            Self::Taken => head.byte(4),
        }
        .finish()
    }

    /// Reads a reply.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size, version or kind, a receipt that is none, an unknown problem, or
    /// padding that is not zero.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::exact(bytes, REPLY_PLAIN)?;
        reader.version(VERSION)?;
        let reply = match reader.u8()? {
            1 => Self::Receipt(Receipt::decode(reader.slice(Receipt::SIZE)?)?),
            2 => Self::Evaluation { points: read_points(&mut reader)?, proof: reader.take()? },
            3 => Self::Problem(read_problem(&mut reader)?),
            4 => Self::Taken,
            _ => return Err(DecodeError::OutOfRange(Field::Kind)),
        };
        reader.zeros(reader.left())?;
        Ok(reply)
    }
}

impl fmt::Debug for CellReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receipt(receipt) => write!(f, "CellReply::Receipt({:?})", receipt.segment),
            Self::Evaluation { .. } => f.write_str("CellReply::Evaluation"),
            Self::Problem(problem) => write!(f, "CellReply::Problem({problem:?})"),
            Self::Taken => f.write_str("CellReply::Taken"),
        }
    }
}

fn read_problem(reader: &mut Reader<'_>) -> Result<Problem, DecodeError> {
    let code = ProblemCode::from_number(reader.u8()?).ok_or(DecodeError::OutOfRange(Field::Problem))?;
    let retry_after_s = reader.u32()?;
    Ok(Problem { code, retry_after_s: (retry_after_s > 0).then_some(retry_after_s) })
}
