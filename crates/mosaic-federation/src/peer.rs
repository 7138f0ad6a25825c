//! What providers say to each other, and the signed envelope around it.

use std::{collections::BTreeSet, time::Duration};

use mosaic_crypto::{
    digest,
    signing::{SignContext, SigningKey},
};
use mosaic_types::{Period, ProviderId, SegmentId, TableId, Timestamp};
use mosaic_wire::MOST_STATEMENTS;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use thiserror::Error;

use crate::{
    Federation, Independence, ceremony::Proposal, dealing::SignedDealing, retirement::MAX_SKEW, segment::Verdict,
};

/// The most bytes of a request between providers: [`MAX_DEPOSITS`] deposits of 2,403 B need two thirds of it.
pub const MAX_REQUEST: usize = 1 << 21;

/// The most bytes of a reply between providers: one full reply of blocks and a little.
pub const MAX_REPLY: usize = (1 << 24) + (1 << 16);

/// The most deposits in one [`PeerRequest::Replicate`].
pub const MAX_DEPOSITS: usize = 512;

/// The most heads in one [`PeerRequest::Announce`] or [`PeerReply::Heads`].
pub const MAX_HEADS: usize = 4_096;

/// The most segments in one [`PeerRequest::Heads`]: five origins' of twenty periods.
pub const MAX_SEGMENTS: usize = 640;

/// The most generations in one [`PeerRequest::Blocks`].
pub const MAX_BLOCKS: usize = 64;

/// The most reports in one [`PeerRequest::Check`].
pub const MAX_REPORTS: usize = 256;

/// One acknowledged-to-be event as its origin hands it to a replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaDeposit {
    /// Its table.
    pub table: TableId,
    /// [`mosaic_wire::event_hash`].
    pub event: [u8; 32],
    /// What the origin decided.
    pub verdict: Verdict,
    /// The accepted records, each behind its row in three bytes.
    pub records: Vec<u8>,
    /// The token that paid for it ([`mosaic_wire::WireToken::encode`]), of which the replica checks its own part.
    pub token: Vec<u8>,
}

/// A question between providers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeerRequest {
    /// Keep these; answer once they are durable.
    Replicate(Vec<ReplicaDeposit>),
    /// Heads just sealed ([`mosaic_wire::Head::encode`]).
    Announce(Vec<Vec<u8>>),
    /// Which heads beyond these many per segment do you have?
    Heads(Vec<(SegmentId, u32)>),
    /// The blocks of these generations, please.
    Blocks(Vec<(SegmentId, u32)>),
    /// My dealing for a period; what is yours?
    Dealing(Period, SignedDealing),
    /// Evidence of a bad dealing ([`crate::Evidence::encode`]).
    Complaint(Period, Vec<u8>),
    /// Sign this transcript.
    Propose(Period, Proposal),
    /// A finished table with its dealings.
    Table(Period, FinishedTable),
    /// The finished table of a period, if you have it.
    FetchTable(Period),
    /// Did you ever get heads or copies of mine of this period? Asked after a store was lost.
    Traces(Period),
    /// The leader's parts of the proofs of reports about a day; what are the helper's?
    Check(u32, Vec<ReportCheck>),
    /// The leader's noised sum of a day, stored; what is the helper's?
    Sum(u32, Vec<u8>),
    /// Statements that two aggregators signed. Those of other days, please: all that are kept.
    Statements(Vec<Vec<u8>>),
}

/// A report as the leader of a day shows it to the helper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportCheck {
    /// Its name.
    pub id: [u8; 16],
    /// The leader's part of its proof.
    pub proof: Vec<u8>,
}

/// What the helper of a day says about a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HelperCheck {
    /// Its share has not come.
    Missing,
    /// Its share is none.
    Bad,
    /// The helper's part of the proof.
    Proof(Vec<u8>),
}

impl PeerRequest {
    /// Whether no list in it is longer than an honest provider's.
    pub fn is_bounded(&self) -> bool {
        match self {
            Self::Replicate(deposits) => deposits.len() <= MAX_DEPOSITS,
            Self::Announce(heads) => heads.len() <= MAX_HEADS,
            Self::Heads(known) => known.len() <= MAX_SEGMENTS,
            Self::Blocks(wanted) => wanted.len() <= MAX_BLOCKS,
            Self::Check(_, reports) => reports.len() <= MAX_REPORTS,
            Self::Statements(statements) => statements.len() <= MOST_STATEMENTS,
            _ => true,
        }
    }
}

/// A signed table descriptor ([`mosaic_wire::SignedTable::encode`]) with the dealings it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishedTable {
    /// The signed descriptor.
    pub table: Vec<u8>,
    /// The dealings.
    pub dealings: Vec<SignedDealing>,
}

/// An answer between providers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeerReply {
    /// Done, durably where that was asked for.
    Done,
    /// Heads, each segment's in order.
    Heads(Vec<Vec<u8>>),
    /// Encoded blocks.
    Blocks(Vec<Vec<u8>>),
    /// My dealing, if I made one.
    Dealing(Option<SignedDealing>),
    /// My signature under the proposal.
    Countersigned(Vec<u8>),
    /// I signed this other transcript before; here is my signature.
    SignedBefore(Proposal, Vec<u8>),
    /// A dealer in it is excluded; here is why.
    Excluded(Vec<u8>),
    /// The finished table, if I have it.
    Table(Option<FinishedTable>),
    /// Not now or not so: no room, not our table, not sound.
    Refused,
    /// Whether there is anything of yours of the period here.
    Traces(bool),
    /// Done but for these, by their place in the request: their tokens are not good here.
    Partly(Vec<u16>),
    /// What the helper says about each report, in the order of the question.
    Checked(Vec<HelperCheck>),
    /// The helper's noised sum, and its signature under the statement that follows from both.
    Sum(Vec<u8>, Vec<u8>),
    /// Statements that the asker lacks.
    Statements(Vec<Vec<u8>>),
}

/// Whether an envelope asks or answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A request; its reference is random.
    Request,
    /// A reply; its reference is the digest of the request.
    Reply,
}

/// An envelope that was opened: signed by `from` for us, fresh, and not seen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened<T> {
    /// Who signed.
    pub from: ProviderId,
    /// When, by its clock.
    pub at: Timestamp,
    /// The message.
    pub body: T,
    /// What a reply must refer to.
    pub digest: [u8; 32],
}

/// Why an envelope was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Too short, too long or not this version.
    #[error("the message is no envelope")]
    Malformed,
    /// For somebody else, of the wrong direction, or a reply to another request.
    #[error("the message is not meant for this")]
    Misdirected,
    /// Not from a provider of this federation, or not signed by it.
    #[error("the message is not signed by a provider of this federation")]
    Signature,
    /// Written too long ago or in the future.
    #[error("the message is too far away from this provider's time")]
    Skew,
    /// Seen before.
    #[error("the message was seen before")]
    Replayed,
}

const VERSION: u8 = 1;
const HEADER: usize = 44;
const SIGNATURE: usize = 64;

/// Seals `body` from `from` to `to`: version 1 ‖ direction 1 ‖ from 1 ‖ to 1 ‖ time 8 ‖ reference 32 ‖
/// postcard ‖ signature 64. Returns the bytes and the digest that a reply must refer to.
pub fn seal(
    (from, to): (ProviderId, ProviderId),
    direction: Direction,
    at: Timestamp,
    reference: &[u8; 32],
    body: &impl Serialize,
    key: &SigningKey,
) -> (Vec<u8>, [u8; 32]) {
    let mut bytes = vec![VERSION, direction as u8, from.get(), to.get()];
    bytes.extend_from_slice(&at.as_millis().to_be_bytes());
    bytes.extend_from_slice(reference);
    // the messages above hold nothing that postcard cannot write
    bytes.extend(postcard::to_allocvec(body).unwrap_or_default());
    let signature = key.sign(SignContext::PeerMessage, &bytes);
    let digest = digest(&[b"mosaic/peer/1", &bytes]);
    bytes.extend_from_slice(&signature);
    (bytes, digest)
}

/// How old a message between providers may be: five minutes. A practice federation may run on a clock
/// that is sped up, where five minutes pass within one slow answer; it allows an hour.
fn tolerance(federation: &Federation) -> Duration {
    match federation.descriptor().independence {
        Independence::Checked => MAX_SKEW,
        Independence::Practice => 12 * MAX_SKEW,
    }
}

/// Remembers recent requests for twice as long as one may be old, so that none is taken twice.
#[derive(Debug, Default)]
pub struct ReplayGuard {
    seen: BTreeSet<(Timestamp, [u8; 32])>,
}

impl ReplayGuard {
    /// Opens a request to `me`.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn open_request<T: DeserializeOwned>(
        &mut self,
        federation: &Federation,
        me: ProviderId,
        now: Timestamp,
        bytes: &[u8],
    ) -> Result<Opened<T>, EnvelopeError> {
        let opened = open(federation, check_request(federation, me, bytes)?, now)?;
        // a message that old fails on its time already
        self.seen = self.seen.split_off(&(now.before(2 * tolerance(federation)), [0; 32]));
        if self.seen.insert((opened.at, opened.digest)) { Ok(opened) } else { Err(EnvelopeError::Replayed) }
    }
}

/// Opens the reply of `from` to the request with digest `request`.
///
/// # Errors
/// [`EnvelopeError`].
pub fn open_reply<T: DeserializeOwned>(
    federation: &Federation,
    (from, me): (ProviderId, ProviderId),
    now: Timestamp,
    request: &[u8; 32],
    bytes: &[u8],
) -> Result<Opened<T>, EnvelopeError> {
    let signed = check(federation, (me, Direction::Reply), bytes)?;
    let opened = open(federation, signed, now)?;
    let refers = bytes.get(12..HEADER) == Some(request.as_slice());
    if opened.from == from && refers { Ok(opened) } else { Err(EnvelopeError::Misdirected) }
}

/// The part of an envelope that its sender's signature covers.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a>(&'a [u8]);

/// Checks whom a request is from and that it is for `me`, before anything in it is looked at: strangers
/// get no further.
///
/// # Errors
/// [`EnvelopeError`].
pub fn check_request<'a>(
    federation: &Federation,
    me: ProviderId,
    bytes: &'a [u8],
) -> Result<Signed<'a>, EnvelopeError> {
    check(federation, (me, Direction::Request), bytes)
}

impl Signed<'_> {
    /// What was signed, before time and replay are looked at: to prepare for it, never to act on it.
    pub fn peek<T: DeserializeOwned>(&self) -> Option<T> {
        postcard::from_bytes(self.0.get(HEADER..)?).ok()
    }

    /// Who signed.
    pub fn from(&self) -> Option<ProviderId> {
        ProviderId::new(*self.0.get(2)?).ok()
    }
}

fn check<'a>(
    federation: &Federation,
    (me, direction): (ProviderId, Direction),
    bytes: &'a [u8],
) -> Result<Signed<'a>, EnvelopeError> {
    let most = match direction {
        Direction::Request => MAX_REQUEST,
        Direction::Reply => MAX_REPLY,
    };
    if bytes.len() < HEADER + SIGNATURE || bytes.len() > most || bytes[0] != VERSION {
        return Err(EnvelopeError::Malformed);
    }
    let (signed, signature) = bytes.split_last_chunk::<SIGNATURE>().ok_or(EnvelopeError::Malformed)?;
    if signed[1] != direction as u8 || signed[3] != me.get() || signed[2] == me.get() {
        return Err(EnvelopeError::Misdirected);
    }
    let from = ProviderId::new(signed[2]).map_err(|_| EnvelopeError::Signature)?;
    let key = federation.signing_key(from).ok_or(EnvelopeError::Signature)?;
    key.verify_strict(SignContext::PeerMessage, signed, signature).map_err(|_| EnvelopeError::Signature)?;
    Ok(Signed(signed))
}

fn open<T: DeserializeOwned>(
    federation: &Federation,
    Signed(signed): Signed<'_>,
    now: Timestamp,
) -> Result<Opened<T>, EnvelopeError> {
    let from = ProviderId::new(signed[2]).map_err(|_| EnvelopeError::Signature)?;
    let time = signed[4..12].try_into().map_err(|_| EnvelopeError::Malformed)?;
    let at = Timestamp::from_millis(u64::from_be_bytes(time));
    if now.since(at).max(at.since(now)) > tolerance(federation) {
        return Err(EnvelopeError::Skew);
    }
    let body = postcard::from_bytes(&signed[HEADER..]).map_err(|_| EnvelopeError::Malformed)?;
    Ok(Opened { from, at, body, digest: digest(&[b"mosaic/peer/1", signed]) })
}

#[cfg(test)]
#[path = "peer_tests.rs"]
mod tests;
