//! What a person does: wave, make or join a token, accept, decline, delete.

use std::collections::VecDeque;

use mosaic_crypto::{
    agreement::AgreementPublic,
    digest,
    handshake::{AwaitReply, Initiator},
};
use mosaic_types::{Code, Timestamp, Token};
use mosaic_wire::{ContactCard, Direction, FrameKind, Releasable};
use rand::{CryptoRng, RngExt};
use zeroize::Zeroizing;

use super::{
    ACCEPTED_A_DAY, Associations, DAY, HOUR, OWN_TOTAL,
    code::{CodeJoin, CodeOffer},
    hello::{Hello, Purpose},
    outbox::Route,
    pair::{Pair, Stage},
    view::{AcceptError, JoinError, Kind, TokenError, UnknownAssociation, WaveError},
};
use crate::{
    AssociationId, Card,
    ids::{drawn, first_half},
    ratchet::TokenSecret,
};

impl Associations {
    /// Waves at a card: the first message goes to one of its 64 rows with the next events.
    ///
    /// # Errors
    /// [`WaveError`]; nothing was changed then.
    pub fn wave(
        &mut self,
        now: Timestamp,
        card: &Card,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<AssociationId, WaveError> {
        self.may_wave(now, card)?;
        let id = self.approach(now, card, Purpose::Person, rng).ok_or(WaveError::BadKey)?;
        self.waves.push_back(now);
        Ok(id)
    }

    /// Queues a first message to a card. `None` for a card whose key cannot be used.
    pub(super) fn approach(
        &mut self,
        now: Timestamp,
        card: &Card,
        purpose: Purpose,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Option<AssociationId> {
        let hello = Hello::fresh(now.epoch(), purpose, rng);
        let initiator = Initiator::wave(&AgreementPublic::from_bytes(card.public));
        let begun = initiator.start(hello.encode().as_slice(), rng).ok()?;
        let id = random_id(rng);
        self.call(now, id, Kind::Wave, Route::Mailbox(card.public), &hello, begun)?;
        Some(id)
    }

    fn may_wave(&mut self, now: Timestamp, card: &Card) -> Result<(), WaveError> {
        if self.mailboxes.contains_key(&card.public) {
            return Err(WaveError::Own);
        }
        // a decoy to the same card stands in nobody's way
        let own = |pair: &&Pair| pair.direction == Direction::FromInitiator && pair.is_shown();
        let same = |pair: &&Pair| own(pair) && pair.card == Some(card.public);
        if let Some(known) = self.pairs.values().find(same) {
            return Err(WaveError::Again(known.id));
        }
        if now >= card.answers_until() {
            return Err(WaveError::TooOld);
        }
        if !self.has_room() {
            return Err(WaveError::Full);
        }
        match free_at(&mut self.waves, now, HOUR, self.waves_per_hour) {
            Some(retry_at) => Err(WaveError::TooMany { retry_at }),
            None => Ok(()),
        }
    }

    fn has_room(&self) -> bool {
        let own = |pair: &&Pair| pair.kind != Kind::Wave || pair.direction == Direction::FromInitiator;
        self.pairs.values().filter(|pair| pair.is_shown()).filter(own).count() < OWN_TOTAL
    }

    /// Queues a first message and waits for the answer.
    fn call(
        &mut self,
        now: Timestamp,
        id: AssociationId,
        kind: Kind,
        route: Route,
        hello: &Hello,
        (mut message, waiting): (Vec<u8>, AwaitReply),
    ) -> Option<()> {
        let stage = Stage::Calling(Box::new(waiting));
        let mut pair = Pair::new(id, kind, Direction::FromInitiator, stage, now, self.new_listener());
        let card = if let Route::Mailbox(card) = &route { Some(*card) } else { None };
        pair.ratchet = Some(hello.ratchet(card.as_ref(), &message));
        pair.card = card;
        pair.queue_handshake(self.new_frame(), route, FrameKind::Hello, &mut message)?;
        self.pairs.insert(id, pair);
        Some(())
    }

    /// Makes a token to hand to one person; it lives 24 h (L5-06) and serves once (L5-22).
    ///
    /// # Errors
    /// [`TokenError`] when too many associations are open.
    pub fn create_token(
        &mut self,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(AssociationId, Token), TokenError> {
        if !self.has_room() {
            return Err(TokenError);
        }
        let indices = std::array::from_fn(|_| rng.random_range(0..62));
        let token = Token::from_indices(indices).map_err(|_| TokenError)?;
        let id = Self::id_of_token(&token);
        let stage = Stage::Offering(TokenSecret::of(&token));
        let pair = Pair::new(id, Kind::Token, Direction::FromResponder, stage, now, self.new_listener());
        self.pairs.insert(id, pair);
        Ok((id, token))
    }

    /// Joins a token somebody handed over.
    ///
    /// # Errors
    /// [`JoinError`]; nothing was changed then.
    pub fn join_token(
        &mut self,
        now: Timestamp,
        token: &Token,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<AssociationId, JoinError> {
        let id = Self::id_of_token(token);
        if self.pairs.contains_key(&id) {
            return Err(JoinError::Again(id));
        }
        if !self.has_room() {
            return Err(JoinError::Full);
        }
        let secret = TokenSecret::of(token);
        let hello = Hello::fresh(now.epoch(), Purpose::Person, rng);
        let begun = Initiator::token(secret.psk()).start(hello.encode().as_slice(), rng);
        let begun = begun.map_err(|_| JoinError::BadToken)?;
        let route = Route::Meeting(secret.meeting().clone());
        self.call(now, id, Kind::Token, route, &hello, begun).ok_or(JoinError::BadToken)?;
        Ok(id)
    }

    /// Makes a code to read out to one person. It lives 24 h (L5-06), serves once (L5-22), and three may try it.
    ///
    /// # Errors
    /// [`TokenError`] when too many associations are open.
    pub fn create_code(
        &mut self,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(AssociationId, Code), TokenError> {
        if !self.has_room() {
            return Err(TokenError);
        }
        let code = Code::from_number(rng.random_range(0..Code::COUNT));
        let stage = Stage::Showing(Box::new(CodeOffer::new(code.clone())));
        let pair = Pair::new(random_id(rng), Kind::Code, Direction::FromResponder, stage, now, self.new_listener());
        let id = pair.id;
        self.pairs.insert(id, pair);
        Ok((id, code))
    }

    /// Whether a code could be joined now.
    ///
    /// # Errors
    /// [`JoinError`].
    pub fn may_join_code(&self, code: &Code) -> Result<(), JoinError> {
        if let Some(known) = self.pairs.values().find(|pair| pair.nameplate() == Some(code.nameplate())) {
            return Err(JoinError::Again(known.id));
        }
        if self.has_room() { Ok(()) } else { Err(JoinError::Full) }
    }

    /// Joins a code somebody read out. Who answers gets one guess at its password: the caller counts how often a
    /// nameplate is joined, before this.
    ///
    /// # Errors
    /// [`JoinError`]; nothing was changed then.
    pub fn join_code(
        &mut self,
        now: Timestamp,
        code: &Code,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<AssociationId, JoinError> {
        self.may_join_code(code)?;
        let (mut message, meeting, join) = CodeJoin::begin(code, now.epoch(), rng);
        let (id, stage) = (random_id(rng), Stage::Joining(Box::new(join)));
        let mut pair = Pair::new(id, Kind::Code, Direction::FromInitiator, stage, now, self.new_listener());
        pair.queue_handshake(self.new_frame(), Route::Meeting(meeting), FrameKind::Hello, &mut message)
            .ok_or(JoinError::BadToken)?;
        self.pairs.insert(id, pair);
        Ok(id)
    }

    /// The id both sides give to the association of a token.
    pub fn id_of_token(token: &Token) -> AssociationId {
        AssociationId(token.expose(|characters| first_half(digest(&[b"token", characters]))))
    }

    /// Gives the person's contact to the other side. Where the person was approached, it leaves with
    /// the next events; who waved may give it at once, and it leaves when the other side accepts.
    ///
    /// # Errors
    /// [`AcceptError`]; nothing was changed then.
    pub fn accept(
        &mut self,
        now: Timestamp,
        id: AssociationId,
        contact: &impl Releasable<Object = ContactCard>,
    ) -> Result<(), AcceptError> {
        self.accept_with(now, id, || Zeroizing::new(mosaic_wire::encode(contact)))
    }

    pub(super) fn accept_with(
        &mut self,
        now: Timestamp,
        id: AssociationId,
        contact: impl FnOnce() -> Zeroizing<Vec<u8>>,
    ) -> Result<(), AcceptError> {
        let retry_at = free_at(&mut self.accepted, now, DAY, ACCEPTED_A_DAY);
        let pair = self.pairs.get_mut(&id).filter(|pair| pair.is_shown()).ok_or(AcceptError::Unknown)?;
        if pair.has_mine() {
            return Err(AcceptError::Again);
        }
        if pair.is_over() {
            return Err(AcceptError::Over);
        }
        if let Some(retry_at) = retry_at.filter(|_| pair.may_give()) {
            return Err(AcceptError::DailyLimit { retry_at });
        }
        pair.keep_contact(contact());
        self.give_due_contacts(now);
        Ok(())
    }

    /// Hands over every contact that is due, as far as today's five reach; the rest waits.
    pub(super) fn give_due_contacts(&mut self, now: Timestamp) {
        let due: Vec<_> = self.pairs.values().filter(|pair| pair.contact_is_due()).map(|pair| pair.id).collect();
        for id in due {
            if free_at(&mut self.accepted, now, DAY, ACCEPTED_A_DAY).is_some() {
                return;
            }
            let first = self.next_frame;
            let Some(pair) = self.pairs.get_mut(&id) else { continue };
            let mut next = first;
            let given = pair.give_contact(|| {
                next += 1;
                crate::FrameId(next)
            });
            self.next_frame = next;
            if given.is_some() {
                self.accepted.push_back(now);
            }
        }
    }

    /// Says no: the other side hears nothing, now or later, and the keys are erased.
    ///
    /// # Errors
    /// [`UnknownAssociation`].
    pub fn decline(&mut self, id: AssociationId) -> Result<(), UnknownAssociation> {
        let pair = self.pairs.get_mut(&id).filter(|pair| pair.is_shown()).ok_or(UnknownAssociation)?;
        pair.decline();
        self.forget_tries(id);
        Ok(())
    }

    /// Forgets an association and everything in it, at once. Only an automatic answer that is still queued
    /// outlives it, unseen, until it left or expired: a persona's card would have sent it, so taking it
    /// back would tell that somebody looked.
    ///
    /// # Errors
    /// [`UnknownAssociation`].
    pub fn delete(&mut self, id: AssociationId) -> Result<(), UnknownAssociation> {
        let pair = self.pairs.get_mut(&id).filter(|pair| pair.is_shown()).ok_or(UnknownAssociation)?;
        pair.forget();
        if pair.is_spent() {
            self.pairs.remove(&id);
        }
        self.forget_tries(id);
        Ok(())
    }

    /// Forgets who tries the code of `id`.
    pub(super) fn forget_tries(&mut self, id: AssociationId) {
        self.pairs.retain(|_, pair| pair.tries != Some(id));
    }
}

/// Forgets what is older than `span`; `Some(when)` the next of `most` is free, `None` when one is now.
fn free_at(
    times: &mut VecDeque<Timestamp>,
    now: Timestamp,
    span: std::time::Duration,
    most: usize,
) -> Option<Timestamp> {
    while times.front().is_some_and(|first| now.since(*first) >= span) {
        times.pop_front();
    }
    if times.len() < most { None } else { Some(times.front().map_or(now, |first| first.after(span))) }
}

pub(super) fn random_id(rng: &mut (impl CryptoRng + ?Sized)) -> AssociationId {
    AssociationId(drawn(rng))
}
