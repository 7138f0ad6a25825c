//! What people do, in their own terms, and the replay of [`Op`]s.

use mosaic_agent::Beginning;
use mosaic_api::{
    AcceptBody, AnnouncementBody, AssociateBody, AssociateReply, AssociateRequest, BroadcastBody, BroadcastReply,
    CardSelection, GroupBody, Handover, Means, Position, Problem, ProximityBody, ProximityReply, WaveBody, WaveReply,
};
use mosaic_types::LatLng;

use crate::{Op, PersonId, World};

const fn position(place: LatLng) -> Position {
    Position { lat: place.lat(), lon: place.lng() }
}

impl World {
    /// Somebody says what they want, and where they are; noise and time to live by default.
    ///
    /// # Errors
    /// The problem their local API would answer with; so everywhere below.
    pub fn broadcast(&mut self, who: PersonId, place: LatLng, words: &str) -> Result<BroadcastReply, Problem> {
        let body = BroadcastBody::new(position(place), words.to_owned());
        let request = body.check()?;
        self.act(who, |agent, now, rng| agent.broadcast(now, rng, request)).map_err(Problem::from)
    }

    /// Somebody looks for the same within the default radius and window. What is not known yet is
    /// fetched with the next polls: look again later.
    ///
    /// # Errors
    /// As above.
    pub fn look(&mut self, who: PersonId, place: LatLng, words: &str) -> Result<ProximityReply, Problem> {
        let body = ProximityBody {
            location: position(place),
            radius: None,
            window: None,
            context: Some(words.to_owned()),
            limit: None,
            threshold: None,
        };
        let request = body.check()?;
        self.act(who, |agent, now, _| agent.proximity(now, &request)).map_err(Problem::from)
    }

    /// Somebody waves at some cards, and leaves their contact for whoever accepts.
    ///
    /// # Errors
    /// As above.
    pub fn wave(&mut self, who: PersonId, cards: CardSelection, contact: &str) -> Result<WaveReply, Problem> {
        let request = WaveBody { cards, contact: contact.to_owned() }.check()?;
        self.act(who, |agent, now, rng| agent.wave(now, rng, request)).map_err(Problem::from)
    }

    /// Somebody accepts one association.
    ///
    /// # Errors
    /// As above.
    pub fn accept(&mut self, who: PersonId, association: &str, contact: &str) -> Result<(), Problem> {
        let contact = AcceptBody { contact: contact.to_owned() }.check()?;
        self.act(who, |agent, now, rng| agent.accept(now, rng, association, contact)).map_err(Problem::from)
    }

    /// Somebody makes a token, or joins one.
    ///
    /// # Errors
    /// As above.
    pub fn associate(
        &mut self,
        who: PersonId,
        token: Option<String>,
        contact: &str,
    ) -> Result<AssociateReply, Problem> {
        self.associate_by(who, AssociateBody { token, contact: contact.to_owned(), ..AssociateBody::default() })
    }

    /// Somebody makes a code, or joins one.
    ///
    /// # Errors
    /// As above.
    pub fn associate_by_code(
        &mut self,
        who: PersonId,
        code: Option<String>,
        contact: &str,
    ) -> Result<AssociateReply, Problem> {
        let make = if code.is_none() { Some(Handover::Code) } else { None };
        self.associate_by(who, AssociateBody { make, code, contact: contact.to_owned(), ..AssociateBody::default() })
    }

    fn associate_by(&mut self, who: PersonId, body: AssociateBody) -> Result<AssociateReply, Problem> {
        let AssociateRequest { means, contact } = body.check()?;
        let beginning = match means {
            Means::NewToken => Beginning::NewToken,
            Means::Token(token) => Beginning::Token(token),
            Means::NewCode => Beginning::NewCode,
            Means::Code(code) => Beginning::Code(self.act(who, |agent, now, _| agent.count_try(now, code))?),
        };
        self.act(who, |agent, now, rng| agent.associate(now, rng, beginning, contact)).map_err(Problem::from)
    }

    /// Somebody makes a group, or joins one by an invitation; its id on that device.
    ///
    /// # Errors
    /// As above.
    pub fn group(&mut self, who: PersonId, invitation: Option<String>) -> Result<String, Problem> {
        let request = GroupBody { name: "a group".to_owned(), invitation }.check()?;
        let group = self.act(who, |agent, now, rng| agent.create_group(now, rng, request))?;
        Ok(group.id)
    }

    /// Somebody makes an invitation to a group.
    ///
    /// # Errors
    /// As above.
    pub fn invite(&mut self, who: PersonId, group: &str) -> Result<String, Problem> {
        Ok(self.act(who, |agent, now, _| agent.invite_to_group(now, group, 1))?.invitation)
    }

    /// Somebody announces something in a group.
    ///
    /// # Errors
    /// As above.
    pub fn announce(&mut self, who: PersonId, group: &str, text: &str) -> Result<(), Problem> {
        let text = AnnouncementBody { text: text.to_owned() }.check()?;
        self.act(who, |agent, now, rng| agent.announce(now, rng, group, text)).map(drop).map_err(Problem::from)
    }

    /// What somebody read and wrote in a group within 48 hours.
    ///
    /// # Errors
    /// As above.
    pub fn announcements(&mut self, who: PersonId, group: &str) -> Result<Vec<String>, Problem> {
        let list = self.act(who, |agent, now, _| agent.announcements(now, group))?;
        Ok(list.announcements.into_iter().map(|said| said.text).collect())
    }

    /// The contacts somebody received.
    pub fn contacts_of(&self, who: PersonId) -> Vec<String> {
        self.person(who).agent().people().people.into_iter().map(|person| person.contact).collect()
    }

    /// Does one [`Op`]. What a device refuses (a quota, nobody to wave at) changes nothing.
    pub fn play(&mut self, op: &Op) {
        let refused = match op {
            Op::Broadcast(who, place, words) => self.broadcast(*who, *place, words).err(),
            Op::Look(who, place, words) => self.look(*who, *place, words).err(),
            Op::WaveAtAll(who, contact) => self.wave(*who, every_card(), contact).err(),
            Op::AcceptAll(who, contact) => self.accept_all(*who, contact).err(),
            Op::Advance(span) => {
                self.advance(*span);
                None
            }
            Op::Down(provider) => {
                self.down(*provider);
                None
            }
            Op::Up(provider) => {
                self.up(*provider);
                None
            }
            Op::Sleep(who) => {
                self.sleep(*who);
                None
            }
            Op::Wake(who) => {
                self.wake(*who);
                None
            }
        };
        if let Some(problem) = refused {
            tracing::debug!(kind = ?problem.kind, "a device refused");
        }
    }

    /// Somebody accepts everybody who approached them.
    ///
    /// # Errors
    /// The first refusal; those accepted before stay accepted.
    pub fn accept_all(&mut self, who: PersonId, contact: &str) -> Result<(), Problem> {
        let waves = self.person(who).agent().waves().waves;
        waves.iter().try_for_each(|wave| self.accept(who, &wave.id, contact))
    }
}

/// Every card found around one's own broadcasts.
pub fn every_card() -> CardSelection {
    CardSelection::Word(mosaic_api::CardChoice::All)
}
