//! One person at their own agent: says, looks, waves, accepts. Everything goes through the local API.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use mosaic_api::{
    AcceptBody, AssociateBody, AssociateReply, AssociationList, AssociationState, BroadcastBody, BroadcastList,
    BroadcastReply, CardSelection, Granularity, Operation, PeopleReply, Position, ProximityBody, ProximityReply,
    StatusReply, WaveBody, WaveReply, WavesReply,
};
use mosaic_obfuscate::Vocabulary;
use mosaic_types::{Clock, LatLng, Timestamp};
use tokio::sync::watch;

use crate::{
    demo::{
        plan::{Person, Wish},
        records::{Met, Record, Released, Said, TokenMade},
    },
    exit::{Failure, Outcome},
    local::Local,
};

/// How often somebody looks at the app, in the evening's time.
const LOOK: Duration = Duration::from_secs(90);
/// How often they tap "wave at all".
const TAP: Duration = Duration::from_mins(5);
/// Cards without a shared topic that are close enough to the top of the list to be waved at.
const OTHERS: usize = 16;

/// A token on its way from one person to the other, by word of mouth.
pub(crate) type Handover = watch::Sender<Option<String>>;

/// Somebody with their agent.
pub(crate) struct Player {
    /// Who.
    pub(crate) person: Person,
    /// Their agent.
    pub(crate) agent: Local,
    /// The evening's clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// When it ends.
    pub(crate) end: Timestamp,
    /// Cards they waved at, or that cannot be waved at any more.
    pub(crate) waved: BTreeSet<String>,
    /// Their side of a token association, if one is planned.
    pub(crate) token: Option<TokenPart>,
}

/// Who makes the token and who gets it.
pub(crate) enum TokenPart {
    /// Makes it and says it.
    Makes(Handover),
    /// Hears it.
    Hears(watch::Receiver<Option<String>>),
}

impl Player {
    /// Lives through the evening.
    pub(crate) async fn live(mut self) -> Record {
        let mut record = Record::default();
        let spent = self.spend_ledger().await;
        keep(spent, &mut record);
        let mut waiting: VecDeque<Wish> = self.person.wishes.drain(..).collect();
        let mut next_tap = Timestamp::from_millis(0);
        loop {
            let now = self.clock.now();
            if now >= self.end {
                break;
            }
            while let Some(wish) = waiting.pop_front_if(|wish| wish.at <= now) {
                self.say(&wish, &mut record).await;
            }
            let looked = self.look(&mut record, &mut next_tap).await;
            keep(looked, &mut record);
            let next = now.after(LOOK);
            let next = waiting.front().map_or(next, |wish| wish.at.min(next));
            tokio::time::sleep(self.clock.until(next.min(self.end))).await;
        }
        let told = self.tell(&mut record).await;
        keep(told, &mut record);
        record
    }

    /// Publishes from far-apart places and withdraws at once, until the week's ledger is spent.
    async fn spend_ledger(&self) -> Outcome {
        let Some(first) = self.person.wishes.first() else { return Ok(()) };
        for place in &self.person.spent_at {
            let reply = self.broadcast(*place, &first.words).await?;
            self.agent.act(Operation::Withdraw, &reply.id, None::<&()>).await?;
        }
        Ok(())
    }

    async fn broadcast(&self, place: LatLng, words: &str) -> Outcome<BroadcastReply> {
        let body = BroadcastBody::new(position(place), words.to_owned());
        self.agent.send(Operation::Broadcast, &body).await
    }

    /// Says a wish. One that the agent does not take stays in the evening: it cannot be found, and the person looks on.
    async fn say(&self, wish: &Wish, record: &mut Record) {
        let at = self.clock.now();
        let (released, class, cards) = match self.broadcast(wish.place, &wish.words).await {
            Ok(reply) => {
                let released =
                    if reply.granularity == Granularity::Zone { Released::Zone } else { Released::Fine }(reply.id);
                (released, reply.class, reply.cards.into_iter().collect())
            }
            Err(failure) => {
                record.errors.push(format!("a wish was withheld: {}", failure.message()));
                let class = Vocabulary::builtin().class_name(wish.class).to_owned();
                (Released::Withheld, class, BTreeSet::new())
            }
        };
        let (place, words) = (wish.place, wish.words.clone());
        record.said.push(Said { at, place, words, class, released, cards, seen: BTreeMap::new() });
    }

    async fn look(&mut self, record: &mut Record, next_tap: &mut Timestamp) -> Outcome {
        self.note_own_cards(record).await?;
        let matching = self.note_cards(record).await?;
        let now = self.clock.now();
        if !matching.is_empty() && now >= *next_tap {
            *next_tap = now.after(TAP);
            self.wave(matching, record).await;
        }
        self.accept_everybody(record).await?;
        self.use_token(record).await?;
        self.note_people(record).await
    }

    /// Waves at cards one by one, so that it is known which association belongs to which card.
    async fn wave(&mut self, cards: Vec<String>, record: &mut Record) {
        for card in cards {
            let body =
                WaveBody { cards: CardSelection::Cards(vec![card.clone()]), contact: self.person.contact.clone() };
            match self.agent.send::<WaveReply>(Operation::Wave, &body).await {
                Ok(reply) => record.waved.extend(reply.associations.into_iter().map(|id| (id, card.clone()))),
                Err(failure) if failure.slug() == Some("quota") => {
                    // the rest waits for the next tap
                    record.limited += 1;
                    break;
                }
                Err(failure) => keep(Err(failure), record),
            }
            self.waved.insert(card);
        }
    }

    /// Which cards carry one's own wishes, so that the others' sightings can be judged afterwards.
    async fn note_own_cards(&self, record: &mut Record) -> Outcome {
        let list: BroadcastList = self.agent.get(Operation::ListBroadcasts).await?;
        for view in list.broadcasts {
            if let Some(said) = record.said.iter_mut().find(|said| said.id() == Some(view.id.as_str())) {
                said.cards.extend(view.cards);
            }
        }
        Ok(())
    }

    /// Asks who is near each wish; returns the cards to wave at: all that share a topic and, of the rest, the few best.
    async fn note_cards(&self, record: &mut Record) -> Outcome<Vec<String>> {
        let (mut matching, mut others) = (Vec::new(), Vec::new());
        for said in &mut record.said {
            let body = ProximityBody {
                location: position(said.place),
                radius: Some(500),
                window: Some(7_200),
                // without a broadcast of one's own, the agent must be told what to look for
                context: said.withheld().then(|| said.words.clone()),
                limit: Some(200),
                threshold: None,
            };
            let reply: ProximityReply = self.agent.send(Operation::Proximity, &body).await?;
            let mut rest = OTHERS;
            for card in reply.cards.into_iter().filter(|card| card.class == said.class) {
                if card.topics.is_empty() {
                    rest = rest.saturating_sub(1);
                }
                // one card can answer several of one's wishes
                let known = [&matching, &others].iter().any(|list| list.contains(&card.id));
                if !known && !self.waved.contains(&card.id) {
                    if !card.topics.is_empty() {
                        matching.push(card.id.clone());
                    } else if rest > 0 {
                        others.push(card.id.clone());
                    }
                }
                said.seen.entry(card.id).or_insert(Timestamp::from_secs(card.first_seen).max(said.at));
            }
        }
        // the waves of an hour go first to those who want the very same
        matching.append(&mut others);
        matching.truncate(200);
        Ok(matching)
    }

    async fn accept_everybody(&self, record: &mut Record) -> Outcome {
        let waves: WavesReply = self.agent.get(Operation::Waves).await?;
        let body = AcceptBody { contact: self.person.contact.clone() };
        for wave in waves.waves {
            let accepted = self.agent.act(Operation::Accept, &wave.id, Some(&body)).await;
            keep(accepted, record);
        }
        Ok(())
    }

    /// The one makes a token and says it, the other joins with it.
    async fn use_token(&mut self, record: &mut Record) -> Outcome {
        let heard = match &mut self.token {
            None => return Ok(()),
            Some(TokenPart::Makes(_)) => None,
            Some(TokenPart::Hears(heard)) => match heard.borrow_and_update().clone() {
                None => return Ok(()),
                token => token,
            },
        };
        let contact = self.person.token_contact.clone();
        let body = AssociateBody { token: heard.clone(), contact, ..AssociateBody::default() };
        let reply: AssociateReply = self.agent.send(Operation::Associate, &body).await?;
        let token = reply.token.or(heard).unwrap_or_default();
        record.token = Some(TokenMade { id: reply.id, token: token.clone(), connected: false });
        if let Some(TokenPart::Makes(handover)) = self.token.take() {
            handover.send_replace(Some(token));
        }
        Ok(())
    }

    async fn note_people(&self, record: &mut Record) -> Outcome {
        let people: PeopleReply = self.agent.get(Operation::People).await?;
        let at = self.clock.now();
        for person in people.people {
            record.contacts.entry(person.id).or_insert(Met { contact: person.contact, at });
        }
        if let Some(token) = record.token.as_mut().filter(|token| !token.connected) {
            let list: AssociationList = self.agent.get(Operation::ListAssociations).await?;
            let mine = list.associations.iter().find(|association| association.id == token.id);
            token.connected = mine.is_some_and(|association| association.state == AssociationState::Connected);
        }
        Ok(())
    }

    async fn tell(&self, record: &mut Record) -> Outcome {
        let status: StatusReply = self.agent.get(Operation::Status).await?;
        record.events_released = status.events_released;
        record.deposits_acked = status.deposits_acked;
        record.bytes = status.bytes_exchanged;
        Ok(())
    }
}

/// A call that failed is told at the end; the evening goes on. Limits are part of life: waves replace decoys and never
/// add to them, and nobody makes more than five acquaintances a day.
fn keep(outcome: Result<(), Failure>, record: &mut Record) {
    match outcome {
        Ok(()) => {}
        Err(failure) if matches!(failure.slug(), Some("quota" | "unknown-card")) => record.limited += 1,
        Err(failure) => record.errors.push(failure.message()),
    }
}

fn position(place: LatLng) -> Position {
    Position { lat: place.lat(), lon: place.lng() }
}
