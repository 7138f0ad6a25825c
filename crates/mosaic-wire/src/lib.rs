//! Every message of MOSAIC as bytes: fixed sizes, big-endian, versioned (`docs/spec/`, `vectors/`).
//!
//! Decoding is open to everybody and never panics, whatever a stranger sends. *Encoding* an event, an
//! evaluation query, a share of a report, a contact card or an announcement is possible only through [`encode`], which takes a
//! [`Releasable`]; that trait is implemented in `mosaic-release` alone (DESIGN section 5).

pub mod call;
pub mod problem;
pub mod rows;
mod stack;
pub mod token;

mod barrier;
mod bins;
mod bundle;
mod cell;
mod codec;
mod contact;
mod evaluate;
mod event;
mod frame;
mod generation;
mod group;
mod head;
mod issuing;
mod oprf_input;
mod reading;
mod receipt;
mod report;
mod table;
mod text;
mod time;

#[cfg(test)]
mod vectors;

pub use barrier::{Releasable, encode};
pub use bins::{BadBin, Bin, BinTable, Cut, TreeHead};
pub use bundle::{Bundle, InvalidShortText, ShortText, TopicLayer};
pub use call::{Address, Call, CallFailure, Reply};
pub use cell::{CellReply, CellRequest};
pub use codec::{DecodeError, Field, Part};
pub use contact::ContactCard;
pub use evaluate::EvaluateFields;
pub use event::{EventFields, event_hash};
pub use frame::{Frame, FrameKind, FrameTooLong};
pub use generation::{GenerationBlock, InvalidGeneration, Record, records_of_row};
pub use group::{Announcement, GroupFrame, GroupFrameKind};
pub use head::Head;
pub use issuing::{SignedTerms, TokensQuery, TokensReply};
pub use oprf_input::OprfInput;
pub use problem::{Problem, ProblemCode, Retry};
pub use reading::{
    GenerationId, GenerationsQuery, GenerationsReply, HeadsQuery, HeadsReply, KnownGenerations, QueryTooLong,
};
pub use receipt::Receipt;
pub use report::{MOST_STATEMENTS, ReportFields, STATEMENT, Side};
pub use rows::{Direction, RendezvousState};
pub use stack::{NoStack, Stack, StackId, StackQuery, StackReply, StackTooHigh, UnevenKeys, UnevenSums};
pub use table::{Groups, InvalidTable, LaneShape, PublicShare, SignedTable, TableDescriptor, UntrustedTable};
pub use text::{CardText, Carrier, GatheredText, PartsNeeded, TextField, TextPart, TextRef};
pub use time::SignedTime;
pub use token::{TokenPurpose, WireToken};

/// Slots of an event (M of the source design).
pub const SLOTS: usize = 10;
/// Bytes of one sealed slot record.
pub const RECORD: usize = 192;
/// Bytes of the plaintext inside a slot record.
pub const RECORD_PLAIN: usize = 136;
/// Bytes of an event.
pub const EVENT: usize = 2_048;
/// Bytes of an HTTP body that carries a sealed request or reply.
pub const CELL: usize = 4_096;
/// Bytes inside a sealed request.
pub const CELL_PLAIN: usize = 4_048;
/// Bytes inside a sealed reply.
pub const REPLY_PLAIN: usize = 4_068;
/// Points of one OPRF batch.
pub const OPRF_BATCH: usize = 16;
/// Rows derived from one card and epoch that a wave may arrive at (DESIGN section 4).
pub const WAVE_ROWS: u8 = 64;
