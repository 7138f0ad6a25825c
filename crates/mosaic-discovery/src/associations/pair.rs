use std::{collections::BTreeMap, time::Duration};

use mosaic_crypto::handshake::{AwaitReply, Channel};
use mosaic_types::{ContactText, Nameplate, Timestamp};
use mosaic_wire::{ContactCard, Direction, Frame, FrameKind, Part};
use rand::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use super::{
    code::{AwaitProof, CodeJoin, CodeOffer},
    outbox::{Queued, Route, Way},
    view::{AssociationState, AssociationView, Kind},
};
use crate::{
    AssociationId, FrameId,
    counter::Counter,
    index::Listener,
    ratchet::{Meeting, Ratchet, TokenSecret},
};

/// How long a token, a code, or a first message without an answer, is waited for (L5-06).
pub(super) const ANSWER_WITHIN: Duration = Duration::from_hours(24);
/// How long an association is remembered (L5-17).
pub(super) const RECORD_LIFE: Duration = Duration::from_hours(48);
/// Frames of a sealed contact card: 304 + 16 bytes in frames of 132.
const CONTACT_FRAMES: u8 = 3;

/// Where the handshake stands. Each variant holds exactly the secrets that step needs.
pub(super) enum Stage {
    /// Our token is out; the first valid hello ends this stage, and the token with it.
    Offering(TokenSecret),
    /// Our first message is out.
    Calling(Box<AwaitReply>),
    /// Our code is out; the first who proves its password ends this stage, and the code with it.
    Showing(Box<CodeOffer>),
    /// Somebody tries our code.
    Trying(Box<AwaitProof>),
    /// Our first message to the maker of a code is out.
    Joining(Box<CodeJoin>),
    /// Both sides hold the channel.
    Open(Box<Channel>),
    /// Contacts are exchanged and nothing is left to send: no key remains.
    Done,
    /// The person declined.
    Declined,
    /// Nothing came in time.
    Expired,
    /// The maker of a code and we do not share its password.
    Failed,
}

/// One association. Its secrets are erased when their fields are replaced or dropped.
pub(super) struct Pair {
    pub(super) id: AssociationId,
    pub(super) kind: Kind,
    pub(super) direction: Direction,
    pub(super) card: Option<[u8; 32]>,
    /// Belongs to a persona's card, or was deleted: runs every automatic step and is never shown.
    pub(super) unattended: bool,
    /// The code made here that somebody tries in this pair; not shown before the password is proved.
    pub(super) tries: Option<AssociationId>,
    pub(super) since: Timestamp,
    pub(super) listener: Listener,
    pub(super) stage: Stage,
    pub(super) ratchet: Option<Ratchet>,
    pub(super) outbox: Vec<Queued>,
    /// The automatic answer that found no room in time. It leaves when the person accepts.
    late: Option<Queued>,
    counter: Counter,
    declining: bool,
    incoming: BTreeMap<u8, Zeroizing<Vec<u8>>>,
    mine: Option<Zeroizing<Vec<u8>>>,
    given: bool,
    theirs: Option<ContactText>,
}

impl Pair {
    pub(super) fn new(
        id: AssociationId,
        kind: Kind,
        direction: Direction,
        stage: Stage,
        since: Timestamp,
        listener: Listener,
    ) -> Self {
        Self {
            id,
            kind,
            direction,
            card: None,
            unattended: false,
            tries: None,
            since,
            listener,
            stage,
            ratchet: None,
            outbox: Vec::new(),
            late: None,
            counter: Counter::default(),
            declining: false,
            incoming: BTreeMap::new(),
            mine: None,
            given: false,
            theirs: None,
        }
    }

    pub(super) fn state(&self) -> AssociationState {
        match (&self.stage, &self.theirs, self.given) {
            (Stage::Declined, ..) => AssociationState::Declined,
            _ if self.declining => AssociationState::Declined,
            (Stage::Expired, ..) => AssociationState::Expired,
            (Stage::Failed, ..) => AssociationState::Failed,
            (_, Some(_), true) => AssociationState::Connected,
            (_, Some(_), false) => AssociationState::Offered,
            (_, None, true) => AssociationState::Accepted,
            _ if self.is_unanswered() => AssociationState::Waiting,
            _ if self.direction == Direction::FromInitiator => AssociationState::Answered,
            _ => AssociationState::Approached,
        }
    }

    pub(super) fn view(&self) -> AssociationView {
        AssociationView {
            id: self.id,
            kind: self.kind,
            state: self.state(),
            since: self.since,
            until: self.since.after(if self.is_unanswered() { ANSWER_WITHIN } else { RECORD_LIFE }),
            card: self.card,
            contact: self.theirs.clone(),
            tries_left: if let Stage::Showing(offer) = &self.stage { Some(offer.tries_left()) } else { None },
        }
    }

    /// Whether it is the person's to see.
    pub(super) const fn is_shown(&self) -> bool {
        !self.unattended && self.tries.is_none()
    }

    /// Whether it waits for the first sign of the other side.
    pub(super) const fn is_unanswered(&self) -> bool {
        matches!(
            self.stage,
            Stage::Offering(_) | Stage::Calling(_) | Stage::Showing(_) | Stage::Trying(_) | Stage::Joining(_)
        )
    }

    /// Where the other side's first sign is looked for, unless at the pair's own rows.
    pub(super) const fn meeting(&self) -> Option<&Meeting> {
        match &self.stage {
            Stage::Offering(secret) => Some(secret.meeting()),
            Stage::Showing(offer) => Some(offer.meeting()),
            Stage::Joining(join) => Some(join.meeting()),
            _ => None,
        }
    }

    /// The nameplate it waits at.
    pub(super) fn nameplate(&self) -> Option<Nameplate> {
        match &self.stage {
            Stage::Showing(offer) => Some(offer.nameplate()),
            Stage::Joining(join) => Some(join.nameplate()),
            _ => None,
        }
    }

    /// Whether nothing can happen any more.
    pub(super) const fn is_over(&self) -> bool {
        self.declining || matches!(self.stage, Stage::Done | Stage::Declined | Stage::Expired | Stage::Failed)
    }

    /// The own card a stranger waved at.
    pub(super) fn stranger(&self) -> Option<[u8; 32]> {
        self.card.filter(|_| self.direction == Direction::FromResponder)
    }

    pub(super) const fn has_mine(&self) -> bool {
        self.given || self.mine.is_some()
    }

    /// Whether frames of the other side may be waiting. Who was waved at reads on only after giving a
    /// contact: before that the waver sends nothing.
    pub(super) fn listens(&self) -> bool {
        let expects = self.given || self.kind != Kind::Wave || self.direction == Direction::FromInitiator;
        expects && self.theirs.is_none() && !self.is_over() && self.ratchet.is_some()
    }

    /// Stores the contact until it is due.
    pub(super) fn keep_contact(&mut self, contact: Zeroizing<Vec<u8>>) {
        self.mine = Some(contact);
    }

    /// Whether a stored contact should leave now: the channel is open and, for who waved, the other
    /// side's contact came.
    pub(super) fn contact_is_due(&self) -> bool {
        let open = matches!(self.stage, Stage::Open(_)) && !self.declining;
        self.mine.is_some() && open && self.may_give()
    }

    /// Whether a contact given now would leave at once.
    pub(super) fn may_give(&self) -> bool {
        let waved = self.kind == Kind::Wave && self.direction == Direction::FromInitiator;
        matches!(self.stage, Stage::Open(_)) && (!waved || self.theirs.is_some())
    }

    /// Seals the stored contact into frames, numbered from `first`. `None` when there is none to give.
    pub(super) fn give_contact(&mut self, mut first: impl FnMut() -> FrameId) -> Option<()> {
        let Stage::Open(channel) = &mut self.stage else { return None };
        let contact = self.mine.take()?;
        let sealed = channel.seal(&contact).ok()?;
        let frames = Frame::split(FrameKind::Data, &sealed).ok()?;
        self.outbox.extend(self.late.take());
        self.outbox.extend(frames.iter().map(|frame| Queued::new(first(), Route::Pair, frame)));
        self.given = true;
        Some(())
    }

    /// Takes the automatic answer. `true` when it completed the handshake.
    pub(super) fn on_reply(&mut self, body: &[u8]) -> bool {
        if !matches!(self.stage, Stage::Calling(_)) {
            return false;
        }
        let Stage::Calling(waiting) = std::mem::replace(&mut self.stage, Stage::Expired) else { return false };
        if let Ok((_, channel)) = waiting.finish(body) {
            self.stage = Stage::Open(Box::new(channel));
            self.outbox.clear();
            true
        } else {
            self.erase();
            false
        }
    }

    /// Takes the answer to our joining by code. `Some(true)` when it proved the password and our own proof is queued
    /// as `frame`, `Some(false)` when it did not: one answer is one try, whatever it holds.
    pub(super) fn on_code_answer(
        &mut self,
        body: &[u8],
        frame: FrameId,
        listener: Listener,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Option<bool> {
        let Stage::Joining(join) = std::mem::replace(&mut self.stage, Stage::Failed) else { return None };
        let Some(mut proved) = join.finish(body, rng) else {
            self.erase();
            return Some(false);
        };
        self.outbox.clear();
        self.stage = Stage::Open(Box::new(proved.channel));
        self.ratchet = Some(proved.ratchet);
        self.listener = listener;
        self.queue_handshake(frame, Route::Pair, FrameKind::Reply, &mut proved.message)?;
        Some(true)
    }

    /// Takes the proof of who tried our code. `true` when it is one.
    pub(super) fn on_proof(&mut self, body: &[u8]) -> bool {
        let Stage::Trying(waiting) = std::mem::replace(&mut self.stage, Stage::Failed) else { return false };
        let Some(channel) = waiting.finish(body) else { return false };
        self.outbox.clear();
        self.stage = Stage::Open(Box::new(channel));
        true
    }

    /// Becomes the association of the code that was tried here.
    pub(super) fn take_over(&mut self, shown: Self) {
        (self.id, self.tries, self.since, self.mine) = (shown.id, None, shown.since, shown.mine);
    }

    /// Takes one part of the other side's contact; they may come in any order, and before the answer.
    pub(super) fn on_data(&mut self, frame: &Frame) {
        if self.listens() && frame.part().total() == CONTACT_FRAMES {
            let part = Zeroizing::new(frame.body().to_vec());
            self.incoming.entry(frame.part().index()).or_insert(part);
        }
    }

    /// Opens the contact when all its parts are here. `true` when it just came.
    pub(super) fn open_contact(&mut self) -> bool {
        let Stage::Open(channel) = &mut self.stage else { return false };
        if self.theirs.is_some() || self.incoming.len() < usize::from(CONTACT_FRAMES) {
            return false;
        }
        let sealed = Zeroizing::new(self.incoming.values().flat_map(|part| part.iter().copied()).collect::<Vec<u8>>());
        self.incoming.clear();
        let opened = channel.open(&sealed).map(Zeroizing::new);
        self.theirs = opened.ok().and_then(|plain| ContactCard::decode(&plain).ok()).map(|card| card.text);
        self.theirs.is_some()
    }

    /// Silence from now on. An automatic answer that is still queued leaves first: an unattended card
    /// would have sent it, so stopping it would tell that somebody looked.
    pub(super) fn decline(&mut self) {
        self.declining = true;
        self.outbox.retain(Queued::is_reply);
        self.mine = None;
        self.theirs = None;
        self.settle();
    }

    /// Nothing of it is shown from now on; see [`Self::decline`].
    pub(super) fn forget(&mut self) {
        self.unattended = true;
        self.decline();
    }

    /// This frame is stored.
    pub(super) fn left(&mut self, frame: FrameId) {
        self.outbox.retain(|queued| queued.id != frame);
        self.late.take_if(|queued| queued.id == frame);
        self.settle();
    }

    /// Whether nobody looks at it and nothing is left to send.
    pub(super) fn is_spent(&self) -> bool {
        self.unattended && self.outbox.is_empty()
    }

    /// Takes back an automatic answer to a wave that found no room in time, unless its person accepted.
    /// It still leaves with an acceptance, which tells of a person anyway.
    pub(super) fn shelve_late_reply(&mut self, now: Timestamp) {
        if self.kind == Kind::Wave && !self.has_mine() && self.outbox.iter().any(|q| q.is_late(self.since.epoch(), now))
        {
            self.late = self.outbox.pop();
            self.settle();
        }
    }

    pub(super) fn expire(&mut self) {
        self.erase();
        self.stage = Stage::Expired;
    }

    /// Forgets every key once nothing is left to send and the association is over or complete.
    pub(super) fn settle(&mut self) {
        if !self.outbox.is_empty() {
            return;
        }
        if self.declining || self.unattended {
            self.erase();
            self.stage = Stage::Declined;
        } else if self.given && self.theirs.is_some() {
            self.erase();
            self.stage = Stage::Done;
        }
    }

    /// Drops secrets; the caller sets the final stage.
    fn erase(&mut self) {
        self.ratchet = None;
        self.outbox.clear();
        self.late = None;
        self.incoming.clear();
        self.mine = None;
    }

    /// Derives the states up to `epoch` and erases those before `oldest`.
    pub(super) fn advance(&mut self, epoch: mosaic_types::Epoch, oldest: mosaic_types::Epoch) {
        if let Some(ratchet) = &mut self.ratchet {
            ratchet.advance(epoch);
            ratchet.forget_before(oldest);
        }
    }

    /// The frame with that id and what it needs to get a row.
    pub(super) fn way_of(&mut self, id: FrameId) -> Option<(&mut Queued, Way<'_>)> {
        let queued = self.outbox.iter_mut().find(|queued| queued.id == id)?;
        let way = Way { ratchet: self.ratchet.as_ref(), counter: &mut self.counter, direction: self.direction };
        Some((queued, way))
    }

    /// A whole message as the only frame of its kind.
    pub(super) fn queue_handshake(
        &mut self,
        id: FrameId,
        route: Route,
        kind: FrameKind,
        message: &mut Vec<u8>,
    ) -> Option<()> {
        let frame = Frame::new(kind, Part::WHOLE, message).ok();
        message.zeroize();
        self.outbox.push(Queued::new(id, route, &frame?));
        Some(())
    }
}
