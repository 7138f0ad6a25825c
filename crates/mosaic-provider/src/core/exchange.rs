use std::collections::{BTreeMap, HashMap, VecDeque};

use mosaic_federation::{
    Evidence,
    peer::{self, Direction, PeerReply, PeerRequest},
};
use mosaic_types::{Period, ProviderId, Timestamp};
use mosaic_wire::{Problem, ProblemCode};
use rand::CryptoRng;
use thiserror::Error;

use super::{
    ProviderCore,
    deposit::{Batch, Kept},
};
use crate::store::{Store, StoreError};

/// Names one message to a peer until its answer is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerCallId(u64);

/// A signed message for a peer: `POST /v1/peer`. Its answer, or the lack of one, goes to
/// [`ProviderCore::on_reply`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// For the answer.
    pub id: PeerCallId,
    /// Which peer.
    pub to: ProviderId,
    /// The body.
    pub body: Vec<u8>,
}

/// No answer came from a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the peer did not answer")]
pub struct PeerFailure;

/// What an answer is for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// Nobody waits for it.
    Tell,
    /// Deposits wait for it.
    Replicate(Batch),
    /// Heads or blocks.
    Read,
    /// A dealing in exchange for ours.
    Deal(Period),
    /// A signature under a proposal of a period.
    Propose(Period),
    /// A finished table.
    Fetch(Period),
    /// Whether there are traces of ours.
    Trace(Period),
    /// The helper's parts of the proofs of reports about a day, which have these names.
    Check(u32, Vec<[u8; 16]>),
    /// The helper's noised sum of a day.
    Sum(u32),
    /// Statements that are not here.
    Statements,
}

struct Asked {
    to: ProviderId,
    purpose: Purpose,
    digest: [u8; 32],
}

/// Questions to peers: waiting to be sealed, and waiting for an answer.
pub(super) struct Outbox {
    peers: Vec<ProviderId>,
    next: u64,
    queue: VecDeque<(ProviderId, PeerRequest, Purpose)>,
    asked: HashMap<PeerCallId, Asked>,
    failed: BTreeMap<ProviderId, Timestamp>,
}

impl Outbox {
    pub(super) fn new(peers: Vec<ProviderId>) -> Self {
        Self { peers, next: 0, queue: VecDeque::new(), asked: HashMap::new(), failed: BTreeMap::new() }
    }

    pub(super) fn ask(&mut self, to: ProviderId, request: PeerRequest, purpose: Purpose) {
        self.queue.push_back((to, request, purpose));
    }

    /// Every peer, in ring order.
    pub(super) fn peers(&self) -> Vec<ProviderId> {
        self.peers.clone()
    }

    /// Peers that answered last time first; one that failed within `avoid` comes last.
    pub(super) fn by_health(&self, now: Timestamp, avoid: std::time::Duration) -> Vec<ProviderId> {
        let ailing = |peer: &ProviderId| self.failed.get(peer).is_some_and(|at| now.since(*at) < avoid);
        let mut peers = self.peers.clone();
        peers.sort_by_key(ailing);
        peers
    }

    pub(super) fn peers_up(&self) -> usize {
        self.peers.iter().filter(|peer| !self.failed.contains_key(peer)).count()
    }
}

impl<S: Store> ProviderCore<S> {
    /// The messages to send now, signed.
    pub fn take_outgoing(&mut self, now: Timestamp, rng: &mut dyn CryptoRng) -> Vec<Outgoing> {
        let mut outgoing = Vec::with_capacity(self.outbox.queue.len());
        while let Some((to, request, purpose)) = self.outbox.queue.pop_front() {
            let id = PeerCallId(self.outbox.next);
            self.outbox.next += 1;
            let mut reference = [0; 32];
            rng.fill_bytes(&mut reference);
            let ends = (self.keys.me, to);
            let (body, digest) = peer::seal(ends, Direction::Request, now, &reference, &request, &self.keys.signing);
            self.outbox.asked.insert(id, Asked { to, purpose, digest });
            outgoing.push(Outgoing { id, to, body });
        }
        outgoing
    }

    /// Takes a peer's answer, or that there was none.
    ///
    /// # Errors
    /// [`StoreError`] when something that follows from it could not be stored; it is asked for again.
    pub fn on_reply(
        &mut self,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
        id: PeerCallId,
        answer: Result<Vec<u8>, PeerFailure>,
    ) -> Result<(), StoreError> {
        let Some(asked) = self.outbox.asked.remove(&id) else { return Ok(()) };
        let ends = (asked.to, self.keys.me);
        let reply = answer
            .ok()
            .and_then(|bytes| peer::open_reply::<PeerReply>(&self.federation, ends, now, &asked.digest, &bytes).ok());
        match &reply {
            Some(_) => drop(self.outbox.failed.remove(&asked.to)),
            None => drop(self.outbox.failed.insert(asked.to, now)),
        }
        let reply = reply.map(|opened| opened.body);
        match (asked.purpose, reply) {
            (Purpose::Replicate(batch), reply) => {
                let kept = match reply {
                    Some(PeerReply::Done) => Kept::Yes,
                    Some(PeerReply::Partly(refused)) => Kept::But(refused),
                    _ => Kept::No,
                };
                self.replicated(asked.to, batch, &kept);
                Ok(())
            }
            (Purpose::Read, Some(PeerReply::Heads(heads))) => self.take_heads(asked.to, &heads),
            (Purpose::Read, Some(PeerReply::Blocks(blocks))) => self.take_blocks(&blocks),
            (Purpose::Deal(period), Some(reply)) => self.dealing_answered(now, rng, period, reply),
            (Purpose::Propose(period), Some(reply)) => self.proposal_answered(rng, asked.to, period, reply),
            (Purpose::Fetch(period), Some(PeerReply::Table(Some(finished)))) => {
                self.finish_near(now, rng, period, &finished)
            }
            (Purpose::Trace(period), Some(PeerReply::Traces(found))) => self.traced(asked.to, period, found),
            (Purpose::Check(day, ids), reply) => self.checked(now, day, &ids, reply),
            (Purpose::Sum(day), Some(PeerReply::Sum(sum, signature))) => self.summed(day, &sum, &signature),
            (Purpose::Statements, Some(PeerReply::Statements(statements))) => self.take_statements(now, &statements),
            (Purpose::Statements, _) => {
                self.compare_statements_soon(now);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Answers a peer's message. What the answer promises is durable before it is given.
    ///
    /// # Errors
    /// [`Problem`] for a message that is not a peer's.
    pub fn on_peer(&mut self, now: Timestamp, rng: &mut dyn CryptoRng, bytes: &[u8]) -> Result<Vec<u8>, Problem> {
        let opened = self.guard.open_request::<PeerRequest>(&self.federation, self.keys.me, now, bytes);
        let opened = opened.map_err(|error| match error {
            peer::EnvelopeError::Malformed => Problem::from(ProblemCode::Malformed),
            peer::EnvelopeError::Skew => ProblemCode::Skew.into(),
            _ => ProblemCode::PeerRefused.into(),
        })?;
        self.outbox.failed.remove(&opened.from);
        let reply = if opened.body.is_bounded() {
            self.answer(now, rng, opened.from, opened.body).unwrap_or(PeerReply::Refused)
        } else {
            PeerReply::Refused
        };
        let ends = (self.keys.me, opened.from);
        Ok(peer::seal(ends, Direction::Reply, now, &opened.digest, &reply, &self.keys.signing).0)
    }

    fn answer(
        &mut self,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
        from: ProviderId,
        request: PeerRequest,
    ) -> Result<PeerReply, StoreError> {
        match request {
            PeerRequest::Replicate(deposits) => self.keep_replicas(now, from, &deposits),
            PeerRequest::Announce(heads) => self.take_heads(from, &heads).map(|()| PeerReply::Done),
            PeerRequest::Heads(known) => Ok(self.heads_beyond(&known)),
            PeerRequest::Blocks(wanted) => self.blocks_for_peer(&wanted),
            PeerRequest::Dealing(period, dealing) => self.dealing_offered(now, rng, period, &dealing),
            PeerRequest::Complaint(period, evidence) => {
                if let Ok(evidence) = Evidence::decode(&evidence) {
                    self.complained(rng, period, &evidence)?;
                }
                Ok(PeerReply::Done)
            }
            PeerRequest::Propose(period, proposal) => self.proposed(rng, period, &proposal),
            PeerRequest::Table(period, finished) => {
                self.finish_near(now, rng, period, &finished).map(|()| PeerReply::Done)
            }
            PeerRequest::FetchTable(period) => Ok(self.hand_out_table(period)),
            PeerRequest::Traces(period) => self.traces_of(from, period).map(PeerReply::Traces),
            PeerRequest::Check(day, reports) => self.help_check(now, from, day, &reports),
            PeerRequest::Sum(day, sum) => self.help_close(now, rng, from, day, &sum),
            PeerRequest::Statements(theirs) => {
                self.take_statements(now, &theirs)?;
                Ok(PeerReply::Statements(self.statements_beyond(&theirs)))
            }
        }
    }
}
