//! What comes in: records at wanted rows.

use std::ops::RangeInclusive;

use mosaic_crypto::{
    handshake::{Received, Responder},
    record,
};
use mosaic_types::{Epoch, Timestamp};
use mosaic_wire::{Direction, Frame, FrameKind, Part};
use rand::CryptoRng;

use super::{
    Associations,
    act::random_id,
    hello::{Hello, Purpose},
    mailbox::APPROACHES_PER_EPOCH,
    outbox::Route,
    pair::{ANSWER_WITHIN, Pair, Stage},
    view::{AssociationEvent, CardOrigin, Kind},
};
use crate::{AssociationId, index::Source};

/// Who a frame is for.
#[derive(Clone, Copy)]
pub(super) enum Addressee {
    Card([u8; 32]),
    Pair(AssociationId),
}

impl Associations {
    /// Tries a record found at `row` with every key that the row may mean. Junk costs a few failed
    /// openings and leaves no trace; the same record may come again and changes nothing then.
    pub fn receive(
        &mut self,
        now: Timestamp,
        row: u32,
        sealed: &[u8; 192],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Vec<AssociationEvent> {
        self.receive_from(now, Epoch(0)..=Epoch(u32::MAX), row, sealed, rng)
    }

    /// The same for a record of which is known in which epochs it may have been written: only the keys of
    /// those are tried. See [`Self::wanted_for`].
    pub fn receive_from(
        &mut self,
        now: Timestamp,
        epochs: RangeInclusive<Epoch>,
        row: u32,
        sealed: &[u8; 192],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Vec<AssociationEvent> {
        let sources = self.indexes.sources(row, &epochs);
        let opened = sources.into_iter().find_map(|source| self.open(source, sealed));
        let Some((addressee, frame)) = opened else { return Vec::new() };
        match addressee {
            Addressee::Card(card) => self.on_wave(now, card, &frame, rng),
            Addressee::Pair(id) => self.on_pair(now, id, &frame, rng),
        }
    }

    fn open(&mut self, source: Source, sealed: &[u8; 192]) -> Option<(Addressee, Frame)> {
        let (addressee, key) = self.key(source)?;
        let plain = record::open_record(&key, sealed)?;
        Some((addressee, Frame::decode(plain.as_slice()).ok()?))
    }

    /// A listener that has changed since the rows were named has no key any more.
    fn key(&mut self, source: Source) -> Option<(Addressee, zeroize::Zeroizing<[u8; 32]>)> {
        let addressee = *self.listening.get(&source.listener)?;
        let key = match addressee {
            Addressee::Card(public) => {
                let mailbox = self.mailboxes.get_mut(&public)?;
                mailbox.key(&public, source.epoch, source.counter)?
            }
            Addressee::Pair(id) => {
                let pair = self.pairs.get(&id).filter(|pair| pair.listener == source.listener)?;
                let theirs = pair.direction.reversed();
                match pair.meeting() {
                    Some(meeting) => meeting.at(source.epoch).key(theirs, source.counter),
                    None => pair.ratchet.as_ref()?.at(source.epoch)?.key(theirs, source.counter),
                }
            }
        };
        Some((addressee, key))
    }

    fn on_wave(
        &mut self,
        now: Timestamp,
        card: [u8; 32],
        frame: &Frame,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Vec<AssociationEvent> {
        let Some(mailbox) = self.mailboxes.get_mut(&card).filter(|_| is_hello(frame)) else { return Vec::new() };
        let epoch = now.epoch();
        if !self.approaches.has_room(epoch, APPROACHES_PER_EPOCH) || !mailbox.may_answer(epoch, frame.body()) {
            return Vec::new();
        }
        let Some((hello, received)) = read_hello(now, &Responder::wave(&mailbox.secret), frame) else {
            return Vec::new();
        };
        mailbox.remember(epoch, frame.body());
        self.approaches.add(epoch);
        // a decoy bothers nobody, and is answered like any other
        let unattended = matches!(mailbox.origin, CardOrigin::Persona(_)) || hello.purpose == Purpose::Decoy;
        let listener = self.new_listener();
        let stage = Stage::Declined;
        let mut pair = Pair::new(random_id(rng), Kind::Wave, Direction::FromResponder, stage, now, listener);
        pair.card = Some(card);
        pair.unattended = unattended;
        self.answer(pair, &hello, frame, received, rng)
    }

    /// The automatic step: person's and persona's cards answer at once, with the same message.
    fn answer(
        &mut self,
        mut pair: Pair,
        hello: &Hello,
        first: &Frame,
        received: Received,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Vec<AssociationEvent> {
        let Ok((mut message, channel)) = received.reply(&[], rng) else { return Vec::new() };
        pair.stage = Stage::Open(Box::new(channel));
        pair.ratchet = Some(hello.ratchet(pair.card.as_ref(), first.body()));
        if pair.queue_handshake(self.new_frame(), Route::Pair, FrameKind::Reply, &mut message).is_none() {
            return Vec::new();
        }
        let event = (!pair.unattended).then_some(AssociationEvent::Approached(pair.id));
        self.pairs.insert(pair.id, pair);
        event.into_iter().collect()
    }

    fn on_pair(
        &mut self,
        now: Timestamp,
        id: AssociationId,
        frame: &Frame,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Vec<AssociationEvent> {
        // the answer to a decoy of our own, read before the decoy was forgotten, is nobody's news
        let own_decoy = |pair: &&mut Pair| pair.unattended && pair.direction == Direction::FromInitiator;
        let Some(pair) = self.pairs.get_mut(&id).filter(|pair| !own_decoy(pair)) else { return Vec::new() };
        let (mut id, mut events) = (id, Vec::new());
        match frame.kind() {
            FrameKind::Hello if pair.kind == Kind::Code => {
                self.on_opening(now, id, frame, rng);
                return events;
            }
            FrameKind::Hello => return self.on_join(now, id, frame, rng),
            FrameKind::Reply if frame.part() != Part::WHOLE => {}
            FrameKind::Reply if pair.tries.is_some() => {
                let Some(shown) = self.on_proof(id, frame.body()) else { return events };
                id = shown;
                events.push(AssociationEvent::Approached(id));
            }
            FrameKind::Reply => events.extend(self.on_reply(id, frame.body(), rng)),
            FrameKind::Data => pair.on_data(frame),
        }
        if self.pairs.get_mut(&id).is_some_and(Pair::open_contact) {
            events.push(AssociationEvent::ContactReceived(id));
        }
        self.give_due_contacts(now);
        if let Some(pair) = self.pairs.get_mut(&id) {
            pair.settle();
        }
        events
    }

    fn on_reply(
        &mut self,
        id: AssociationId,
        body: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Option<AssociationEvent> {
        let (frame, listener) = (self.new_frame(), self.new_listener());
        let pair = self.pairs.get_mut(&id)?;
        if matches!(pair.stage, Stage::Joining(_)) {
            let proved = pair.on_code_answer(body, frame, listener, rng)?;
            return Some(if proved { AssociationEvent::Answered(id) } else { AssociationEvent::Failed(id) });
        }
        pair.on_reply(body).then_some(AssociationEvent::Answered(id))
    }

    /// Somebody tries a code made here: the answer leaves from a pair of its own, which nobody sees before the
    /// password is proved. The code waits on for others, while it has tries.
    fn on_opening(&mut self, now: Timestamp, id: AssociationId, frame: &Frame, rng: &mut (impl CryptoRng + ?Sized)) {
        let (listener, first) = (self.new_listener(), self.new_frame());
        let Some(shown) = self.pairs.get_mut(&id).filter(|pair| now.since(pair.since) < ANSWER_WITHIN) else { return };
        let Stage::Showing(offer) = &mut shown.stage else { return };
        let tried = if is_hello(frame) { offer.answer(now.epoch(), frame.body(), rng) } else { None };
        let Some(mut tried) = tried else { return };
        let stage = Stage::Trying(Box::new(tried.waiting));
        let mut pair = Pair::new(random_id(rng), Kind::Code, shown.direction, stage, shown.since, listener);
        (pair.tries, pair.ratchet) = (Some(id), Some(tried.ratchet));
        let route = Route::Meeting(tried.meeting);
        if pair.queue_handshake(first, route, FrameKind::Reply, &mut tried.message).is_some() {
            self.pairs.insert(pair.id, pair);
        }
    }

    /// Who tries a code proves its password, or the try is over. The association it belongs to from now on, if so.
    fn on_proof(&mut self, id: AssociationId, body: &[u8]) -> Option<AssociationId> {
        let mut pair = self.pairs.remove(&id)?;
        let code = pair.tries.filter(|_| pair.on_proof(body))?;
        let shown = self.pairs.remove(&code)?;
        self.forget_tries(code);
        pair.take_over(shown);
        // what came along with the proof is found by the name it was looked for
        self.listening.insert(pair.listener, Addressee::Pair(code));
        self.pairs.insert(code, pair);
        Some(code)
    }

    /// The first valid hello on a token is answered, and the token is gone; later ones find nobody. A token
    /// of 24 hours is dead whether or not anybody came to clear it away (L5-06).
    fn on_join(
        &mut self,
        now: Timestamp,
        id: AssociationId,
        frame: &Frame,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Vec<AssociationEvent> {
        let Some(mut pair) = self.pairs.remove(&id) else { return Vec::new() };
        let begun = match &pair.stage {
            Stage::Offering(secret) if is_hello(frame) && now.since(pair.since) < ANSWER_WITHIN => {
                read_hello(now, &Responder::token(secret.psk()), frame)
            }
            _ => None,
        };
        let Some((hello, received)) = begun else {
            self.pairs.insert(id, pair);
            return Vec::new();
        };
        pair.listener = self.new_listener();
        let events = self.answer(pair, &hello, frame, received, rng);
        self.give_due_contacts(now);
        events
    }
}

fn is_hello(frame: &Frame) -> bool {
    frame.kind() == FrameKind::Hello && frame.part() == Part::WHOLE
}

fn read_hello(now: Timestamp, responder: &Responder, frame: &Frame) -> Option<(Hello, Received)> {
    let (payload, received) = responder.receive(frame.body()).ok()?;
    let payload = zeroize::Zeroizing::new(payload);
    Some((Hello::decode(&payload, now.epoch())?, received))
}
