//! What people do in the evening: they say what they want, look who is near, and two by two meet by a token. Whoever
//! wants to meet now also waves at whatever they find and accepts whoever waves.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mosaic_agent::{AgentCore, AgentEvent, Beginning};
use mosaic_api::{BroadcastBody, CardSelection, Position, ProximityBody, WaveRequest};
use mosaic_geo::{PlaceIndex, Resident};
use mosaic_obfuscate::Vocabulary;
use mosaic_types::{ClassId, ContactText, LatLng, ServiceClass, Timestamp, Token};
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
    /// Those of them that were similar enough to be a match.
    pub(crate) matched: BTreeSet<String>,
}

/// Two who had agreed on a token beforehand.
#[derive(Clone, Debug)]
pub(crate) struct Agreed {
    /// When the second joined.
    pub(crate) joined: Timestamp,
    /// When each had the other's contact.
    pub(crate) contacts: [Option<Timestamp>; 2],
    /// The first message of each: when it left, and when the other had read it.
    pub(crate) first: Vec<(Timestamp, Option<Timestamp>)>,
}

/// From a person's first wave at another's true cards to that other's contact, where the other accepted all who waved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waved {
    pub(crate) at: Timestamp,
    pub(crate) contact: Option<Timestamp>,
}

/// How often a person looks while the program is open, and for how long after a wish it is.
const LOOK: Duration = Duration::from_mins(2);
const OPEN: Duration = Duration::from_mins(40);
/// The same for somebody who wants to meet now, who is told of news as they come.
const LOOK_NOW: Duration = Duration::from_secs(15);
const OPEN_NOW: Duration = Duration::from_mins(70);
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
    class: ServiceClass,
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
    /// Cards that were waved at: when, and as what.
    waves: BTreeMap<String, (Timestamp, String)>,
    /// Whether a day's five were all accepted when somebody else waved.
    worn_out: bool,
}

impl Script {
    /// The evening of `resident`: at the pace of balanced mode a long one, else one of people who want to meet now.
    pub(super) fn draw(user: u32, resident: &Resident, places: &PlaceIndex, plan: PracticePlan) -> Self {
        let parts: [&[u8]; 3] = [b"script", &plan.seed.to_be_bytes(), &user.to_be_bytes()];
        let mut rng = ChaCha20Rng::from_seed(mosaic_crypto::digest(&parts));
        let mut wishes = match plan.class {
            ServiceClass::Balanced | ServiceClass::Maximum => some_wishes(&mut rng, resident, places, plan),
            ServiceClass::OpenDoor | ServiceClass::Emergency => {
                wish_now(&mut rng, user, places, plan).into_iter().collect()
            }
        };
        wishes.reverse();
        let friend = (user | 1 < plan.people && agrees(user)).then_some(user ^ 1);
        let makes = friend.filter(|friend| user < *friend).map(|_| plan.start.after(AGREED));
        // a last look, when the evening is over
        let last = plan.start.after(plan.length).before(Duration::from_secs(1));
        Self {
            user,
            class: plan.class,
            rng,
            wishes,
            said: Vec::new(),
            looks: vec![last],
            friend,
            makes,
            heard: None,
            joined: None,
            association: None,
            waves: BTreeMap::new(),
            worn_out: false,
        }
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
            let (pace, open) = if self.wants_now() { (LOOK_NOW, OPEN_NOW) } else { (LOOK, OPEN) };
            self.looks.extend((1..=(open.as_secs() / pace.as_secs()) as u32).map(|step| now.after(pace * step)));
            self.looks.sort_by(|a, b| b.cmp(a));
        }
        if self.looks.pop_if(|look| *look <= now).is_some() {
            self.looks.retain(|look| *look > now);
            self.look(now, device);
            if self.wants_now() {
                self.wave_and_accept(now, device, rng);
            }
        }
        self.makes.take_if(|at| *at <= now)?;
        self.meet(now, device, rng)
    }

    fn say(&mut self, now: Timestamp, wish: (LatLng, ClassId), device: &mut AgentCore, rng: &mut ChaCha20Rng) {
        let ((place, class), words) = (wish, popular_topic(wish.1, &mut self.rng).to_owned());
        let body = BroadcastBody::new(position(place), words.clone());
        let Ok(request) = body.check() else { return };
        self.open_door(now, device);
        let reply = device.broadcast(now, rng, request).ok();
        let fine = reply.as_ref().is_some_and(|reply| reply.granularity != mosaic_api::Granularity::Zone);
        let (id, cards) = reply.map_or_else(Default::default, |reply| (reply.id, reply.cards.into_iter().collect()));
        let (user, seen, matched) = (self.user, BTreeMap::new(), BTreeSet::new());
        self.said.push(Said { user, at: now, place, class, fine, id, words, cards, seen, matched });
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
                threshold: None,
            };
            let Ok(request) = body.check() else { continue };
            let Ok(reply) = device.proximity(now, &request) else { continue };
            for card in reply.cards {
                if card.matches {
                    said.matched.insert(card.id.clone());
                }
                said.seen.entry(card.id).or_insert(Timestamp::from_secs(card.first_seen).max(said.at));
            }
        }
    }

    const fn wants_now(&self) -> bool {
        matches!(self.class, ServiceClass::OpenDoor | ServiceClass::Emergency)
    }

    fn open_door(&self, now: Timestamp, device: &mut AgentCore) {
        if self.class == ServiceClass::OpenDoor {
            device.open_door(now);
        }
    }

    /// One tap waves at all cards that were not waved at; who waved is accepted at once. Either can be refused for
    /// the limits of an hour and a day, and is tried again with the next look.
    fn wave_and_accept(&mut self, now: Timestamp, device: &mut AgentCore, rng: &mut ChaCha20Rng) {
        let Ok(contact) = ContactText::new(&format!("person {}", self.user)) else { return };
        for wave in device.waves().waves {
            self.worn_out |= device.accept(now, rng, &wave.id, contact.clone()).is_err();
        }
        for card in self.said.iter().flat_map(|said| said.seen.keys()) {
            if self.waves.contains_key(card) {
                continue;
            }
            let cards = CardSelection::Cards(vec![card.clone()]);
            let Ok(reply) = device.wave(now, rng, WaveRequest { cards, contact: contact.clone() }) else { continue };
            self.waves.extend(reply.associations.into_iter().map(|association| (card.clone(), (now, association))));
        }
    }

    fn meet(&mut self, now: Timestamp, device: &mut AgentCore, rng: &mut ChaCha20Rng) -> Option<(u32, String)> {
        let friend = self.friend?;
        self.open_door(now, device);
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

/// Every second pair of neighbours by number meets by a token.
const fn agrees(user: u32) -> bool {
    user % 4 < 2
}

/// Wishes one to two hours apart, some of them where everybody goes.
fn some_wishes(
    rng: &mut ChaCha20Rng,
    resident: &Resident,
    places: &PlaceIndex,
    plan: PracticePlan,
) -> Vec<(Timestamp, LatLng, ClassId)> {
    let all = places.all();
    let mut wishes = Vec::new();
    let mut at = plan.start.after(Duration::from_secs(rng.random_range(60..2_400)));
    while at < plan.start.after(plan.length) {
        let venue = all.get(rng.random_range(0..VENUES) * all.len() / VENUES);
        let venue = venue.filter(|_| rng.random_bool(TOGETHER)).map(|venue| venue.position);
        let common = class(rng.random_range(0..CLASSES));
        let own = resident.interests()[[0, 0, 1, 2][rng.random_range(0..4)]];
        wishes.push(match venue.zip(common) {
            Some((place, class)) => (at, place, class),
            None => (at, resident.position_at(at), own),
        });
        at = at.after(Duration::from_secs(rng.random_range(3_600..7_200)));
    }
    wishes
}

/// The one wish of somebody who wants to meet now and has no token for it: two by two at one place and of one class.
fn wish_now(
    rng: &mut ChaCha20Rng,
    user: u32,
    places: &PlaceIndex,
    plan: PracticePlan,
) -> Option<(Timestamp, LatLng, ClassId)> {
    let (pair, pairs) = ((user / 4) as usize, plan.people.div_ceil(4) as usize);
    let at = plan.start.after(Duration::from_secs(rng.random_range(300..1_500)));
    let venue = places.all().get(pair * places.all().len() / pairs).filter(|_| !agrees(user))?;
    Some((at, venue.position, class(pair % CLASSES)?))
}

fn class(number: usize) -> Option<ClassId> {
    Vocabulary::builtin().classes().get(number).map(|class| class.id)
}

/// What a device noted, and when it wrote to somebody.
type Told<'a> = (&'a [(Timestamp, AgentEvent)], &'a [Timestamp]);

/// What the evening brought everybody.
pub(super) fn tell(practice: &mut Practice, scripts: Vec<Script>, devices: &[Told<'_>]) {
    let happened = |script: &Script| devices.get(script.user as usize).copied().unwrap_or_default();
    let when = |script: &Script, is_it: &dyn Fn(&AgentEvent) -> bool| {
        happened(script).0.iter().find(|(_, event)| is_it(event)).map(|(at, _)| *at)
    };
    let contact = |script: &Script, of: &str| {
        when(script, &|event| matches!(event, AgentEvent::ContactReceived(id) if id.to_string() == of))
    };
    for joiner in &scripts {
        let maker = joiner.friend.and_then(|friend| scripts.get(friend as usize));
        let (Some(joined), Some(maker)) = (joiner.joined, maker) else { continue };
        let both = [joiner, maker];
        let contacts = both.map(|script| contact(script, script.association.as_ref()?));
        let heard = |script: &Script| {
            when(script, &|event| matches!(event, AgentEvent::Approached(_) | AgentEvent::Answered(_)))
        };
        // agreed pairs write to nobody else: nobody waves at them, or they at anybody
        let first = [(joiner, maker), (maker, joiner)].into_iter().filter_map(|(from, to)| {
            let left = happened(from).1.iter().find(|at| **at >= joined)?;
            Some((*left, heard(to)))
        });
        practice.agreed.push(Agreed { joined, contacts, first: first.collect() });
    }
    for from in &scripts {
        for to in scripts.iter().filter(|to| to.user != from.user && !to.worn_out) {
            let cards: BTreeSet<_> = to.said.iter().flat_map(|said| &said.cards).collect();
            let waves: Vec<_> =
                from.waves.iter().filter(|(card, _)| cards.contains(card)).map(|(_, wave)| wave).collect();
            if let Some(at) = waves.iter().map(|(at, _)| *at).min() {
                let contact = waves.iter().filter_map(|(_, association)| contact(from, association)).min();
                practice.waved.push(Waved { at, contact });
            }
        }
    }
    practice.said = scripts.into_iter().flat_map(|script| script.said).collect();
}

const fn position(place: LatLng) -> Position {
    Position { lat: place.lat(), lon: place.lng() }
}
