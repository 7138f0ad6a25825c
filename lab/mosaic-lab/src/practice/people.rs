//! What people do in the evening: they say what they want, look who is near, and two by two meet by a token.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mosaic_agent::{AgentCore, AgentEvent, Beginning};
use mosaic_api::{BroadcastBody, Position, ProximityBody};
use mosaic_geo::{PlaceIndex, Resident};
use mosaic_obfuscate::Vocabulary;
use mosaic_types::{ClassId, ContactText, LatLng, Timestamp, Token};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::{Practice, PracticePlan};
use crate::device::popular_topic;

/// A wish that was said, and whose cards its author saw when.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) user: u32,
    pub(crate) at: Timestamp,
    pub(crate) place: LatLng,
    pub(crate) class: ClassId,
    /// Whether the release took it at the precision of its mode; a spent ledger or the edge of the area does not.
    pub(crate) fine: bool,
    id: String,
    words: String,
    /// Ids of the cards that carried it.
    pub(crate) cards: BTreeSet<String>,
    /// Cards of its class that its author was shown, and when the device had them first.
    pub(crate) seen: BTreeMap<String, Timestamp>,
}

/// How often a person looks while the program is open, and for how long after a wish it is.
const LOOK: Duration = Duration::from_mins(2);
const OPEN: Duration = Duration::from_mins(40);
/// When friends agree, and how often they look then.
const AGREED: Duration = Duration::from_mins(30);
/// Share of wishes said at one of the few places where everybody goes, how many those are, and of how many classes
/// the wishes there are.
const TOGETHER: f64 = 0.6;
const VENUES: usize = 4;
const CLASSES: usize = 3;

/// One person's evening.
pub(crate) struct Script {
    pub(crate) user: u32,
    rng: ChaCha20Rng,
    /// Wishes to come, last first.
    wishes: Vec<(Timestamp, LatLng, ClassId)>,
    said: Vec<Said>,
    looks: Vec<Timestamp>,
    friend: Option<u32>,
    makes: Option<Timestamp>,
    heard: Option<String>,
    joined: Option<Timestamp>,
    association: Option<String>,
}

impl Script {
    /// The evening of `resident`. Wishes come one to two hours apart; every second pair of neighbours by number
    /// meets by a token.
    pub(super) fn draw(user: u32, resident: &Resident, places: &PlaceIndex, plan: PracticePlan) -> Self {
        let parts: [&[u8]; 3] = [b"script", &plan.seed.to_be_bytes(), &user.to_be_bytes()];
        let mut rng = ChaCha20Rng::from_seed(mosaic_crypto::digest(&parts));
        let all = places.all();
        let mut wishes = Vec::new();
        let mut at = plan.start.after(Duration::from_secs(rng.random_range(60..2_400)));
        while at < plan.start.after(plan.length) {
            let venue = all.get(rng.random_range(0..VENUES) * all.len() / VENUES);
            let venue = venue.filter(|_| rng.random_bool(TOGETHER)).map(|venue| venue.position);
            let common = Vocabulary::builtin().classes().get(rng.random_range(0..CLASSES)).map(|class| class.id);
            let own = resident.interests()[[0, 0, 1, 2][rng.random_range(0..4)]];
            wishes.push(match venue.zip(common) {
                Some((place, class)) => (at, place, class),
                None => (at, resident.position_at(at), own),
            });
            at = at.after(Duration::from_secs(rng.random_range(3_600..7_200)));
        }
        wishes.reverse();
        let friend = (user | 1 < plan.people && user % 4 < 2).then_some(user ^ 1);
        let makes = friend.filter(|friend| user < *friend).map(|_| plan.start.after(AGREED));
        // a last look, when the evening is over
        let last = plan.start.after(plan.length).before(Duration::from_secs(1));
        let looks = vec![last];
        let (said, heard, joined, association) = (Vec::new(), None, None, None);
        Self { user, rng, wishes, said, looks, friend, makes, heard, joined, association }
    }

    /// When this person does something next.
    pub(super) fn next(&self) -> Timestamp {
        let wish = self.wishes.last().map(|wish| wish.0);
        let look = self.looks.last().copied();
        [wish, look, self.makes].into_iter().flatten().min().unwrap_or(Timestamp::from_millis(u64::MAX))
    }

    /// A friend said a token.
    pub(super) fn hear(&mut self, now: Timestamp, token: String) {
        self.heard = Some(token);
        self.makes = Some(now.after(LOOK));
    }

    /// Does what is due; gives the token to say to a friend, if one was made.
    pub(super) fn act(
        &mut self,
        now: Timestamp,
        device: &mut AgentCore,
        rng: &mut ChaCha20Rng,
    ) -> Option<(u32, String)> {
        while let Some((_, place, class)) = self.wishes.pop_if(|wish| wish.0 <= now) {
            self.say(now, (place, class), device, rng);
            let look = |step| now.after(LOOK * step);
            let steps = (OPEN.as_secs() / LOOK.as_secs()) as u32;
            self.looks.extend((1..=steps).map(look));
            self.looks.sort_by(|a, b| b.cmp(a));
        }
        if self.looks.pop_if(|look| *look <= now).is_some() {
            self.looks.retain(|look| *look > now);
            self.look(now, device);
        }
        self.makes.take_if(|at| *at <= now)?;
        self.meet(now, device, rng)
    }

    fn say(&mut self, now: Timestamp, wish: (LatLng, ClassId), device: &mut AgentCore, rng: &mut ChaCha20Rng) {
        let ((place, class), words) = (wish, popular_topic(wish.1, &mut self.rng).to_owned());
        let body = BroadcastBody::new(position(place), words.clone());
        let Ok(request) = body.check() else { return };
        let reply = device.broadcast(now, rng, request).ok();
        let fine = reply.as_ref().is_some_and(|reply| reply.granularity != mosaic_api::Granularity::Zone);
        let (id, cards) = reply.map_or_else(Default::default, |reply| (reply.id, reply.cards.into_iter().collect()));
        let (user, seen) = (self.user, BTreeMap::new());
        self.said.push(Said { user, at: now, place, class, fine, id, words, cards, seen });
    }

    /// Which cards carry one's own wishes, and which others are near each of them.
    fn look(&mut self, now: Timestamp, device: &mut AgentCore) {
        for view in device.broadcasts(now).broadcasts {
            if let Some(said) = self.said.iter_mut().find(|said| said.id == view.id) {
                said.cards.extend(view.cards);
            }
        }
        for said in &mut self.said {
            let body = ProximityBody {
                location: position(said.place),
                radius: Some(500),
                window: Some(7_200),
                context: Some(said.words.clone()),
                limit: Some(200),
            };
            let Ok(request) = body.check() else { continue };
            let Ok(reply) = device.proximity(now, &request) else { continue };
            for card in reply.cards {
                said.seen.entry(card.id).or_insert(Timestamp::from_secs(card.first_seen).max(said.at));
            }
        }
    }

    fn meet(&mut self, now: Timestamp, device: &mut AgentCore, rng: &mut ChaCha20Rng) -> Option<(u32, String)> {
        let friend = self.friend?;
        let heard = self.heard.take();
        let joins = heard.is_some();
        let contact = ContactText::new(&format!("person {}", self.user)).ok()?;
        let beginning = match heard {
            Some(token) => Beginning::Token(Token::parse(&token).ok()?),
            None => Beginning::NewToken,
        };
        let reply = device.associate(now, rng, beginning, contact).ok()?;
        self.association = Some(reply.id);
        self.joined = joins.then_some(now);
        Some((friend, reply.token.filter(|_| !joins)?))
    }
}

/// What the evening brought everybody.
pub(super) fn tell<'a>(
    practice: &mut Practice,
    scripts: Vec<Script>,
    happened: impl Iterator<Item = &'a [(Timestamp, AgentEvent)]>,
) {
    let happened: Vec<_> = happened.collect();
    let contact = |script: &Script| {
        let id = script.association.as_ref()?;
        let mut events = happened.get(script.user as usize)?.iter();
        let came = |event: &AgentEvent| matches!(event, AgentEvent::ContactReceived(of) if of.to_string() == *id);
        events.find(|(_, event)| came(event)).map(|(at, _)| *at)
    };
    for script in &scripts {
        let (Some(joined), Some(friend)) = (script.joined, script.friend) else { continue };
        let theirs = scripts.get(friend as usize).and_then(contact);
        practice.agreed.push((joined, [contact(script), theirs]));
    }
    practice.said = scripts.into_iter().flat_map(|script| script.said).collect();
}

const fn position(place: LatLng) -> Position {
    Position { lat: place.lat(), lon: place.lng() }
}
