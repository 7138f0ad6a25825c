use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use anyhow::Result;
use mosaic_crypto::agreement::AgreementSecret;
use mosaic_discovery::{
    AssociationEvent, AssociationState, Associations, CardBook, CardOrigin, Interest, OwnCard, Reach, WaveError, plan,
};
use mosaic_geo::PlaceIndex;
use mosaic_release::{OprfOutputs, ReleasedContact, ReleasedEvent, Releaser};
use mosaic_types::{
    ContactText, Lane, Period, Radius, RowTag, SearchWindow, Sensitive, Timestamp, Token, TopicId, Window,
};
use mosaic_wire::{OprfInput, rows};
use zeroize::Zeroizing;

use super::{Meetings, openings::Openings, provider::Providers};
use crate::{device::Device, tables::Tables};

/// A person who looks around, waves, accepts and talks.
pub(super) struct Neighbour<'a> {
    pub(super) device: Device<'a>,
    /// Tick of the event booked last.
    pub(super) tick: Option<Timestamp>,
    associations: Associations,
    book: CardBook,
    interest: Option<Interest>,
    /// Whose card it is that was found; the lab's knowledge.
    owners: HashMap<[u8; 32], u32>,
    /// How much of each discovery row was read, by what leads to it and how many full rows it met.
    seen: HashMap<(OprfInput, u8), usize>,
    /// Whose frames may be for this person, and how many of them were read.
    partners: BTreeMap<u32, usize>,
    waved: BTreeSet<[u8; 32]>,
    /// Until when no further wave is allowed.
    waved_out: Option<Timestamp>,
    /// Own cards that somebody waved at, and whether the device answers for all of them.
    approached: BTreeSet<[u8; 32]>,
    own: HashMap<[u8; 32], Published>,
    answering: Option<Window>,
    heard: Vec<Token>,
    next_token: Option<Timestamp>,
}

/// An own card: its secret, whose it is, and its window. An [`OwnCard`] cannot be kept and given as well.
type Published = (Zeroizing<[u8; 32]>, CardOrigin, Window);

/// Cards without a shared topic that are close enough to the top of the list to be waved at.
const OTHERS: usize = 6;
/// How long after its end an epoch is still read.
const SETTLED_AFTER: Duration = Duration::from_hours(2);
/// How often two friends meet by a token.
const TOKENS: Duration = Duration::from_hours(2);

impl<'a> Neighbour<'a> {
    pub(super) fn new(device: Device<'a>) -> Self {
        let mut associations = Associations::new();
        associations.set_wave_limit(device.mode.profile().waves_per_hour);
        Self {
            device,
            tick: None,
            associations,
            book: CardBook::new(),
            interest: None,
            owners: HashMap::new(),
            seen: HashMap::new(),
            partners: BTreeMap::new(),
            waved: BTreeSet::new(),
            waved_out: None,
            approached: BTreeSet::new(),
            own: HashMap::new(),
            answering: None,
            heard: Vec::new(),
            next_token: None,
        }
    }

    /// As the agent builds it: what waits goes first, up to the floor; what found no room waits on.
    pub(super) fn rendezvous(&mut self, now: Timestamp, tables: &mut Tables) -> Result<ReleasedEvent> {
        let (table, stream, device) = (tables.descriptor(now.period()), self.device.stream(), &mut self.device);
        let most = device.releaser.rendezvous_ratio(now, device.mode).most_real_of(10) as usize;
        let frames = self.associations.outgoing(now, table.rendezvous.rows, most, &mut device.rng);
        let offered: Vec<_> = frames.iter().map(|frame| frame.id).collect();
        let event = device.releaser.rendezvous_event(now, &table, stream, device.mode, frames, &mut device.rng)?;
        let taken = event.frames();
        let stayed: Vec<_> = offered.into_iter().filter(|id| !taken.contains(id)).collect();
        self.associations.requeue(&stayed);
        Ok(event)
    }

    /// As the agent takes a receipt.
    pub(super) fn acknowledged(&mut self, event: &ReleasedEvent, full: u16) {
        let given_up = self.device.releaser.retry(event, full);
        self.associations.left(&event.stored(full));
        self.associations.requeue(&given_up);
    }

    /// Lets go of what is over.
    pub(super) fn tidy(&mut self, now: Timestamp) {
        self.associations.expire(now);
    }

    pub(super) fn wish(&mut self, now: Timestamp, places: &PlaceIndex) -> Result<()> {
        if let Some(wished) = self.device.wish(now, places)? {
            // other topics open other layers of the same records
            self.seen.clear();
            self.interest = Some(Interest {
                class: wished.accepted.class,
                topics: wished.accepted.topics,
                place: Sensitive::new(wished.place),
                radius: Radius::default(),
                window: SearchWindow::default(),
            });
        }
        Ok(())
    }

    /// Reads what those wrote who have to do with this person.
    pub(super) fn read(
        &mut self,
        now: Timestamp,
        tables: &mut Tables,
        providers: &Providers,
        met: &mut Meetings,
    ) -> Result<()> {
        self.answer_for_approached_cards(now);
        let mut found = Vec::new();
        for (partner, known) in &mut self.partners {
            let new = providers.frames(now, *partner, *known);
            *known += new.len();
            found.extend(new.iter().map(|stored| (stored.row, stored.bytes)));
        }
        if found.is_empty() {
            return Ok(());
        }
        self.associations.settled(now.before(SETTLED_AFTER).epoch().previous());
        let wanted = self.associations.wanted(now, tables.shape(Lane::Rendezvous).rows);
        found.retain(|(row, _)| wanted.contains(*row));
        for (row, bytes) in found {
            for event in self.associations.receive(now, row, &bytes, &mut self.device.rng) {
                match event {
                    AssociationEvent::Answered(_) => met.answers += 1,
                    AssociationEvent::Approached(_) => met.approaches += 1,
                    AssociationEvent::ContactReceived(_) => met.contacts += 1,
                    AssociationEvent::Expired(_) | AssociationEvent::Failed(_) => {}
                }
            }
        }
        Ok(())
    }

    /// Names the cards to answer for: those that somebody waved at and whose time is not over. Deriving all
    /// cards is most of the work of an evening, so it is done only when one is approached that is not known.
    fn answer_for_approached_cards(&mut self, now: Timestamp) {
        if self.answering == Some(now.window()) {
            return;
        }
        if !self.approached.iter().all(|card| self.own.contains_key(card)) {
            let cards = self.device.releaser.own_cards(now).into_iter();
            self.own.extend(cards.map(|card| (card.public, (card.secret.to_bytes(), card.origin, card.window))));
        }
        let oldest = now.window().previous().previous();
        self.own.retain(|_, (.., window)| *window >= oldest);
        self.approached.retain(|card| self.own.contains_key(card));
        let cards = self.approached.iter().filter_map(|public| {
            let (secret, origin, window) = self.own.get(public)?;
            let secret = AgreementSecret::from_bytes(**secret);
            Some(OwnCard { public: *public, secret, origin: *origin, window: *window })
        });
        self.associations.set_own_cards(cards.collect());
        self.answering = Some(now.window());
    }

    /// Opens the cards of the rows around the wish, with the real plan, and keeps them.
    pub(super) fn discover(
        &mut self,
        now: Timestamp,
        tables: &mut Tables,
        providers: &Providers,
        openings: &mut Openings,
    ) -> Result<()> {
        self.associations.expire(now);
        self.book.expire(now);
        let Some(interest) = &self.interest else { return Ok(()) };
        let reach = Reach::of(&self.device.mode.profile());
        let inputs = plan(interest, now, reach, tables.descriptor(now.period()).groups);
        tables.evaluate(&inputs)?;
        let topics = topic_keys(&inputs, tables);
        let table_rows = tables.shape(Lane::Discovery).rows;
        for input in &inputs {
            let (OprfInput::Row { period, .. }, Some(output)) = (input, tables.get(input)) else { continue };
            let keys: Vec<_> = topics.iter().filter(|(of, _)| of == period).map(|(_, key)| *key).collect();
            for chain in 0..RowTag::CHAIN {
                let place = (*period, rows::discovery_row(output, chain, table_rows));
                let known = self.seen.entry((*input, chain)).or_default();
                let (first, new) = (*known, providers.cards(now, place, *known));
                *known += new.len();
                for (at, stored) in (first..).zip(new).filter(|(_, stored)| stored.by != self.device.user) {
                    let slot = (place, at);
                    if let Some(card) = openings.open(now, slot, (input, output), &keys, &stored.bytes) {
                        self.owners.insert(card.public, stored.by);
                        // the book decides: new, finer, known, stale or full
                        let _insertion = self.book.insert(now, card);
                    }
                }
            }
        }
        Ok(())
    }

    /// Taps "wave at all": every card that shares a topic and, of the rest, the few best. Gives the cards
    /// that were waved at and whose they are.
    pub(super) fn wave_at_all(&mut self, now: Timestamp, met: &mut Meetings) -> Result<Vec<([u8; 32], u32)>> {
        let Some(interest) = &self.interest else { return Ok(Vec::new()) };
        // ranking is a tenth of an evening, and nothing may come of it
        if self.waved_out.is_some_and(|until| now < until) {
            return Ok(Vec::new());
        }
        let contact = self.contact()?;
        let (mut rest, mut waved) = (OTHERS, Vec::new());
        for ranked in self.book.ranked(interest, Reach::of(&self.device.mode.profile()), now) {
            let card = ranked.card;
            if card.topics.is_empty() {
                rest = rest.saturating_sub(1);
            }
            if self.waved.contains(&card.public) || (card.topics.is_empty() && rest == 0) {
                continue;
            }
            match self.associations.wave(now, &card, &mut self.device.rng) {
                Ok(id) => {
                    met.waves += 1;
                    // cannot fail for an association that was just made
                    let _given = self.associations.accept(now, id, &contact);
                    self.waved.insert(card.public);
                    if let Some(owner) = self.owners.get(&card.public) {
                        self.partners.entry(*owner).or_default();
                        waved.push((card.public, *owner));
                    }
                }
                Err(WaveError::TooMany { retry_at }) => {
                    self.waved_out = Some(retry_at);
                    break;
                }
                Err(_) => {}
            }
        }
        Ok(waved)
    }

    /// Somebody waved at one of this person's cards: from here on the device looks.
    pub(super) fn is_waved_at(&mut self, card: [u8; 32], by: u32) {
        self.partners.entry(by).or_default();
        if self.approached.insert(card) {
            self.answering = None;
        }
    }

    /// Accepts everybody who approached, as far as a day's five reach.
    pub(super) fn accept_everybody(&mut self, now: Timestamp) -> Result<()> {
        let contact = self.contact()?;
        let waiting = self.associations.list();
        for view in waiting.into_iter().filter(|view| view.state == AssociationState::Approached) {
            if self.associations.accept(now, view.id, &contact).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Makes a token for a friend, now and then.
    pub(super) fn hand_over_token(&mut self, now: Timestamp, friend: Option<u32>) -> Result<Option<(u32, Token)>> {
        let Some(friend) = friend else { return Ok(None) };
        if *self.next_token.get_or_insert(now.after(TOKENS / 4)) > now {
            return Ok(None);
        }
        self.next_token = Some(now.after(TOKENS));
        self.make_token(now, friend)
    }

    /// Makes a token for a friend.
    pub(super) fn make_token(&mut self, now: Timestamp, friend: u32) -> Result<Option<(u32, Token)>> {
        let contact = self.contact()?;
        let Ok((id, token)) = self.associations.create_token(now, &mut self.device.rng) else { return Ok(None) };
        let _given = self.associations.accept(now, id, &contact);
        self.partners.entry(friend).or_default();
        Ok(Some((friend, token)))
    }

    pub(super) fn hear(&mut self, token: Token, from: u32) {
        self.heard.push(token);
        self.partners.entry(from).or_default();
    }

    pub(super) fn join_what_was_heard(&mut self, now: Timestamp) -> Result<()> {
        for token in std::mem::take(&mut self.heard) {
            let contact = self.contact()?;
            if let Ok(id) = self.associations.join_token(now, &token, &mut self.device.rng) {
                let _given = self.associations.accept(now, id, &contact);
            }
        }
        Ok(())
    }

    fn contact(&self) -> Result<ReleasedContact> {
        Ok(Releaser::contact(ContactText::new(&format!("resident {}", self.device.user))?))
    }
}

/// Keys of the topics the person can name, with their period.
fn topic_keys(inputs: &[OprfInput], tables: &Tables) -> Vec<(Period, (TopicId, [u8; 32]))> {
    let topics = inputs.iter().filter_map(|input| match input {
        OprfInput::Topic { period, topic, .. } => Some((*period, (*topic, rows::topic_key(tables.get(input)?)))),
        OprfInput::Row { .. } => None,
    });
    topics.collect()
}
