//! One person at their own agent: says, looks, waves, accepts. Everything goes through the local API.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use mosaic_api::{
    AcceptBody, AssociateBody, AssociateReply, BroadcastBody, BroadcastList, BroadcastReply, CardSelection,
    Granularity, Operation, PeopleReply, Position, ProximityBody, ProximityReply, StatusReply, WaveBody, WaveReply,
    WavesReply,
};
use mosaic_geo::offset_m;
use mosaic_types::{Clock, LatLng, Timestamp};
use tokio::sync::watch;

use crate::{
    demo::{
        plan::{Person, Wish},
        records::{Record, Said},
    },
    exit::{Failure, Outcome},
    local::Local,
};

/// How often somebody looks at the app, in the evening's time.
const LOOK: Duration = Duration::from_secs(90);
/// How often they tap "wave at all".
const TAP: Duration = Duration::from_mins(5);
/// Cards without a shared topic that are close enough to the top of the list to be waved at.
const OTHERS: usize = 6;
/// How many far-apart places spend a week's ledger: each costs ln 4 of 10.
const SPENDING: usize = 7;

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
    /// Cards they waved at.
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
        let mut record = Record { token_met: self.person.partner.map(|_| false), ..Record::default() };
        if self.person.exhausted {
            let spent = self.spend_ledger().await;
            keep(spent, &mut record);
        }
        let mut waiting: std::collections::VecDeque<Wish> = self.person.wishes.drain(..).collect();
        let mut next_tap = Timestamp::from_millis(0);
        loop {
            let now = self.clock.now();
            if now >= self.end {
                break;
            }
            while let Some(wish) = waiting.pop_front_if(|wish| wish.at <= now) {
                let said = self.say(&wish, &mut record).await;
                keep(said, &mut record);
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
        for step in 1..=SPENDING {
            #[expect(clippy::cast_precision_loss, reason = "a handful")]
            let away = offset_m(first.place, 900.0 * step as f64, 0.0);
            let reply = self.broadcast(away, &first.words).await?;
            self.agent.act(Operation::Withdraw, &reply.id, None::<&()>).await?;
        }
        Ok(())
    }

    async fn broadcast(&self, place: LatLng, words: &str) -> Outcome<BroadcastReply> {
        let body =
            BroadcastBody { location: position(place), context: words.to_owned(), noise_ratio: None, ttl_hours: None };
        self.agent.send(Operation::Broadcast, &body).await
    }

    async fn say(&self, wish: &Wish, record: &mut Record) -> Outcome {
        let reply = self.broadcast(wish.place, &wish.words).await?;
        record.said.push(Said {
            at: self.clock.now(),
            place: wish.place,
            class: reply.class,
            zone: reply.granularity == Granularity::Zone,
            id: reply.id,
            cards: reply.cards.into_iter().collect(),
            seen: std::collections::BTreeMap::new(),
        });
        Ok(())
    }

    async fn look(&mut self, record: &mut Record, next_tap: &mut Timestamp) -> Outcome {
        self.note_own_cards(record).await?;
        let matching = self.note_cards(record).await?;
        let now = self.clock.now();
        if !matching.is_empty() && now >= *next_tap {
            *next_tap = now.after(TAP);
            self.waved.extend(matching.iter().cloned());
            let body = WaveBody { cards: CardSelection::Cards(matching), contact: self.person.contact.clone() };
            let waved = self.agent.send::<WaveReply>(Operation::Wave, &body).await;
            let waved = waved.map(|reply| record.waves += reply.associations.len());
            keep(waved, record);
        }
        self.accept_everybody(record).await?;
        self.use_token().await?;
        self.note_people(record).await
    }

    /// Which cards carry one's own wishes, so that the others' sightings can be judged afterwards.
    async fn note_own_cards(&self, record: &mut Record) -> Outcome {
        let list: BroadcastList = self.agent.get(Operation::ListBroadcasts).await?;
        for view in list.broadcasts {
            if let Some(said) = record.said.iter_mut().find(|said| said.id == view.id) {
                said.cards.extend(view.cards);
            }
        }
        Ok(())
    }

    /// Asks who is near each wish; returns the cards to wave at: all that share a topic and, of the rest, the few best.
    async fn note_cards(&self, record: &mut Record) -> Outcome<Vec<String>> {
        let mut matching = Vec::new();
        for said in &mut record.said {
            let body = ProximityBody {
                location: position(said.place),
                radius: Some(500),
                window: Some(7_200),
                context: None,
                limit: Some(200),
            };
            let reply: ProximityReply = self.agent.send(Operation::Proximity, &body).await?;
            let mut rest = OTHERS;
            for card in reply.cards.into_iter().filter(|card| card.class == said.class) {
                if card.topics.is_empty() {
                    rest = rest.saturating_sub(1);
                }
                if !self.waved.contains(&card.id) && (!card.topics.is_empty() || rest > 0) {
                    matching.push(card.id.clone());
                }
                said.seen.entry(card.id).or_insert(Timestamp::from_secs(card.first_seen).max(said.at));
            }
        }
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
    async fn use_token(&mut self) -> Outcome {
        let token = match &mut self.token {
            None => return Ok(()),
            Some(TokenPart::Makes(_)) => None,
            Some(TokenPart::Hears(heard)) => match heard.borrow_and_update().clone() {
                None => return Ok(()),
                token => token,
            },
        };
        let body = AssociateBody { token, contact: self.person.contact.clone() };
        let reply: AssociateReply = self.agent.send(Operation::Associate, &body).await?;
        if let (Some(TokenPart::Makes(handover)), Some(token)) = (self.token.take(), reply.token) {
            handover.send_replace(Some(token));
        }
        Ok(())
    }

    async fn note_people(&self, record: &mut Record) -> Outcome {
        let people: PeopleReply = self.agent.get(Operation::People).await?;
        for person in people.people {
            record.contacts.entry(person.contact).or_insert(Timestamp::from_secs(person.since));
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
