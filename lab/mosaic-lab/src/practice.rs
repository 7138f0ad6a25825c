//! An evening of whole agents and whole providers in virtual time: what a provider can keep of requests, tokens and
//! addresses, and what the people get for it.
//!
//! Agent and provider cores are the program's own, joined by function calls; three providers keep their stores in
//! memory. Nothing is invented on the way: calls, routes and replies are those of the cores. What is left out is the
//! network: every answer comes in its own instant, messages between providers take 20 ms, nothing is lost.

mod host;
mod liar;
mod people;
mod seen;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::Result;
use mosaic_agent::{
    AgentConfig, AgentCore, AgentEvent, AgentState, BlindReads, BlockPool, CallId, EventTruth, TruthLog,
};
use mosaic_federation::{Federation, Issuers};
use mosaic_geo::{PlaceIndex, Residents};
use mosaic_provider::{PeerCallId, PeerFailure};
use mosaic_release::SlotTruth;
use mosaic_types::{Mode, ProviderId, ServiceClass, Timestamp};
use mosaic_wire::{Call, CallFailure, Reply};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use self::host::{Founded, Host};
pub(crate) use self::{
    liar::{Liar, Lie},
    people::{Agreed, Said, Script, Waved},
    seen::{Asked, IssueSeen, Request, TokenSeen},
};

/// How many people, how long, from which seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PracticePlan {
    /// People; each has one device.
    pub(crate) people: u32,
    /// What every device runs in; an open door is booked with the wish.
    pub(crate) class: ServiceClass,
    /// Length of the evening.
    pub(crate) length: Duration,
    /// First instant.
    pub(crate) start: Timestamp,
    /// Everything is drawn from it.
    pub(crate) seed: u64,
}

/// What was recorded.
#[derive(Debug, Default)]
pub(crate) struct Practice {
    /// Every request that reached a provider, with the sender for the judge.
    pub(crate) requests: Vec<Request>,
    /// Tokens at their issue and at their redemption.
    pub(crate) issued: Vec<IssueSeen>,
    pub(crate) redeemed: Vec<TokenSeen>,
    /// What people said, and which cards they saw when.
    pub(crate) said: Vec<Said>,
    /// Pairs that had agreed on a token beforehand.
    pub(crate) agreed: Vec<Agreed>,
    /// Waves at somebody's true cards, where both were there for it.
    pub(crate) waved: Vec<Waved>,
    /// Digests of the record bytes in each provider's store that agents can read.
    pub(crate) stores: Vec<BTreeSet<[u8; 32]>>,
    /// Whom agents accused, with kept evidence; nobody where two could have lied.
    pub(crate) accused: Vec<Option<ProviderId>>,
    /// Whom the status of somebody's device called down at some instant; looked at only where somebody lies.
    pub(crate) doubted: BTreeSet<ProviderId>,
}

/// Time of a message from provider to provider.
const BETWEEN: Duration = Duration::from_millis(20);

enum Happening {
    Wake(u32),
    Act(u32),
    Tick(ProviderId),
    Reply { to: u32, id: CallId, reply: Box<Reply> },
    PeerRequest { from: ProviderId, to: ProviderId, id: PeerCallId, body: Vec<u8> },
    PeerReply { to: ProviderId, id: PeerCallId, result: Result<Vec<u8>, PeerFailure> },
}

/// A device, and when it wants to be called.
struct Person {
    core: AgentCore,
    rng: ChaCha20Rng,
    wake: Timestamp,
    happened: Vec<(Timestamp, AgentEvent)>,
    /// When events left that carried frames to somebody.
    wrote: Vec<Timestamp>,
}

struct Evening {
    now: Timestamp,
    hosts: BTreeMap<ProviderId, Host>,
    issuers: Issuers,
    people: Vec<Person>,
    agenda: BTreeMap<(Timestamp, u64), Happening>,
    sequence: u64,
    liar: Option<Liar>,
    practice: Practice,
}

/// Plays an evening.
///
/// # Errors
/// When nobody can live in `places`, or there is no federation.
pub(crate) fn record_practice(places: &Arc<PlaceIndex>, plan: PracticePlan) -> Result<Practice> {
    record_practice_with(places, plan, None)
}

/// The same, with one provider that lies.
///
/// # Errors
/// As above.
pub(crate) fn record_practice_with(
    places: &Arc<PlaceIndex>,
    plan: PracticePlan,
    lie: Option<(ProviderId, Lie)>,
) -> Result<Practice> {
    let mut rng = ChaCha20Rng::seed_from_u64(plan.seed ^ 0x9AC7);
    let Founded { federation, hosts, liar } = host::federation(plan, places, lie, &mut rng)?;
    let residents = Residents::generate(places, plan.people as usize, plan.seed)?;
    let mut evening = Evening {
        now: plan.start.before(WARM_UP),
        hosts,
        issuers: Issuers::of(federation.descriptor()),
        people: Vec::new(),
        agenda: BTreeMap::new(),
        sequence: 0,
        liar,
        practice: Practice::default(),
    };
    for id in evening.hosts.keys().copied().collect::<Vec<_>>() {
        evening.schedule(evening.now, Happening::Tick(id));
    }
    // tables are made before anybody asks for one
    evening.advance(plan.start, &mut []);
    let mut scripts: Vec<Script> =
        (0..).zip(residents.all()).map(|(user, resident)| Script::draw(user, resident, places, plan)).collect();
    for script in &scripts {
        evening.join(&federation, places, script.user, plan);
        evening.schedule(script.next(), Happening::Act(script.user));
    }
    let end = plan.start.after(plan.length);
    evening.advance(end, &mut scripts);
    Ok(evening.told(scripts))
}

/// The mode in which a device shows `class`.
const fn mode(class: ServiceClass) -> Mode {
    match class {
        ServiceClass::Emergency => Mode::Emergency,
        ServiceClass::Balanced | ServiceClass::OpenDoor => Mode::Balanced,
        ServiceClass::Maximum => Mode::Maximum,
    }
}

/// Before the evening providers make the keys of their tables.
const WARM_UP: Duration = Duration::from_mins(2);

impl Evening {
    fn schedule(&mut self, at: Timestamp, happening: Happening) {
        self.sequence += 1;
        self.agenda.insert((at.max(self.now), self.sequence), happening);
    }

    fn join(&mut self, federation: &Arc<Federation>, places: &Arc<PlaceIndex>, user: u32, plan: PracticePlan) {
        let parts: [&[u8]; 3] = [b"practice", &plan.seed.to_be_bytes(), &user.to_be_bytes()];
        let mut rng = ChaCha20Rng::from_seed(mosaic_crypto::digest(&parts));
        let config = AgentConfig {
            federation: Arc::clone(federation),
            places: Arc::clone(places),
            truth: TruthLog::Record,
            pool: Arc::new(BlockPool::default()),
            blind_reads: BlindReads::BySize,
        };
        let state = AgentState::fresh(&mut rng).in_mode(mode(plan.class));
        let core = AgentCore::new(config, state, self.now);
        self.people.push(Person { core, rng, wake: self.now, happened: Vec::new(), wrote: Vec::new() });
        self.schedule(self.now, Happening::Wake(user));
    }

    fn advance(&mut self, end: Timestamp, scripts: &mut [Script]) {
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 < end) {
            let ((at, _), happening) = entry.remove_entry();
            self.now = at;
            match happening {
                Happening::Wake(user) => self.wake(user),
                Happening::Act(user) => self.act(user, scripts),
                Happening::Tick(id) => self.tick(id),
                Happening::Reply { to, id, reply } => self.answered(to, id, Ok(*reply)),
                Happening::PeerRequest { from, to, id, body } => self.between(from, to, id, &body),
                Happening::PeerReply { to, id, result } => {
                    let now = self.now;
                    if let Some(host) = self.hosts.get_mut(&to) {
                        host.on_reply(now, id, result);
                    }
                    self.settle(to);
                }
            }
        }
        self.now = end;
    }

    fn told(mut self, scripts: Vec<Script>) -> Practice {
        let happened = self.people.iter().flat_map(|person| &person.happened);
        let accused = happened.filter_map(|(_, event)| match event {
            AgentEvent::Accused(evidence) => Some(evidence.provider),
            _ => None,
        });
        self.practice.accused = accused.collect();
        self.practice.stores = self.hosts.values().map(Host::records).collect();
        let told: Vec<_> = self.people.iter().map(|person| (&person.happened[..], &person.wrote[..])).collect();
        people::tell(&mut self.practice, scripts, &told);
        self.practice
    }
}

/// People and their devices.
impl Evening {
    fn act(&mut self, user: u32, scripts: &mut [Script]) {
        let (now, at) = (self.now, user as usize);
        let (Some(person), Some(script)) = (self.people.get_mut(at), scripts.get_mut(at)) else { return };
        let heard = script.act(now, &mut person.core, &mut person.rng);
        let next = script.next();
        if let Some((friend, token)) = heard
            && let Some(other) = scripts.get_mut(friend as usize)
        {
            other.hear(now, token);
            let wanted = other.next();
            self.schedule(wanted, Happening::Act(friend));
        }
        if next > now {
            self.schedule(next, Happening::Act(user));
        }
        self.drive(user);
    }

    fn wake(&mut self, user: u32) {
        if self.people.get(user as usize).is_some_and(|person| person.wake <= self.now) {
            self.drive(user);
        }
    }

    /// Carries out what a device wants, until it wants nothing more now.
    fn drive(&mut self, user: u32) {
        let now = self.now;
        while let Some(person) = self.people.get_mut(user as usize) {
            let Some(outgoing) = person.core.poll(now, &mut person.rng) else { break };
            let outgoing = outgoing.pay();
            let (to, call) = (outgoing.to, outgoing.call);
            let Some(host) = self.hosts.get_mut(&to.provider) else { continue };
            let noted = Request::of(now, user, to, &call);
            let asked_for_tokens = if let Call::Tokens(query) = &call { Some(query.clone()) } else { None };
            self.practice.redeemed.extend(TokenSeen::redeemed(now, user, to.provider, &call));
            let result = host.handle(now, (user, outgoing.id), call).map(|honest| match &self.liar {
                Some(liar) if liar.who == to.provider => liar.twist(user, honest),
                _ => honest,
            });
            let silent = self.liar.as_ref().is_some_and(|liar| liar.who == to.provider && liar.lie == Lie::Silence);
            let result = if silent { Some(Err(CallFailure::Unreachable)) } else { result };
            if let (Some(query), Some(Ok(reply))) = (asked_for_tokens, &result) {
                self.practice.issued.extend(IssueSeen::all((now, user), to.provider, &self.issuers, &query, reply));
            }
            self.practice.requests.push(noted.answered(result.as_ref()));
            self.settle(to.provider);
            if let Some(result) = result {
                self.answered(user, outgoing.id, result);
            }
        }
        let Some(person) = self.people.get_mut(user as usize) else { return };
        person.happened.extend(person.core.take_events().into_iter().map(|event| (now, event)));
        let frames = |truth: &EventTruth| truth.slots.iter().any(|slot| matches!(slot, SlotTruth::Frame(_)));
        let left = person.core.take_truth();
        person.wrote.extend(left.iter().filter(|truth| truth.expose(frames)).map(|_| now));
        if self.liar.is_some() {
            let down = person.core.status(now).providers.into_iter().filter(|provider| !provider.up);
            self.practice.doubted.extend(down.filter_map(|provider| ProviderId::new(provider.id).ok()));
        }
        let wake = person.core.next_wake().max(now.after(Duration::from_millis(1)));
        if person.wake <= now || wake < person.wake {
            person.wake = wake;
            self.schedule(wake, Happening::Wake(user));
        }
    }

    fn answered(&mut self, to: u32, id: CallId, result: Result<Reply, CallFailure>) {
        let now = self.now;
        let Some(person) = self.people.get_mut(to as usize) else { return };
        person.core.on_reply(now, &mut person.rng, id, result);
        // what it wants to do about it, it does in this instant
        person.wake = now;
        self.schedule(now, Happening::Wake(to));
    }
}

/// Providers among themselves.
impl Evening {
    fn tick(&mut self, id: ProviderId) {
        let now = self.now;
        if let Some(host) = self.hosts.get_mut(&id).filter(|host| host.wake <= now) {
            host.tick(now);
        }
        self.settle(id);
    }

    /// Commits what is staged, answers whose deposits are replicated, sends what goes to peers.
    fn settle(&mut self, id: ProviderId) {
        let now = self.now;
        let Some(host) = self.hosts.get_mut(&id) else { return };
        let (answers, letters) = host.settle(now);
        if let Some(wake) = host.rest(now) {
            self.schedule(wake, Happening::Tick(id));
        }
        for ((user, call), reply) in answers {
            self.schedule(now, Happening::Reply { to: user, id: call, reply: Box::new(Reply::Cell(reply)) });
        }
        for letter in letters {
            let request = Happening::PeerRequest { from: id, to: letter.to, id: letter.id, body: letter.body };
            self.schedule(now.after(BETWEEN), request);
        }
    }

    fn between(&mut self, from: ProviderId, to: ProviderId, id: PeerCallId, body: &[u8]) {
        let now = self.now;
        let Some(host) = self.hosts.get_mut(&to) else { return };
        let result = host.on_peer(now, body);
        self.settle(to);
        self.schedule(now.after(BETWEEN), Happening::PeerReply { to: from, id, result });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mosaic_geo::synthetic_city;

    fn play(lie: Option<(ProviderId, Lie)>) -> Practice {
        let places = Arc::new(synthetic_city(1));
        let start = crate::runs::evening();
        let plan =
            PracticePlan { people: 3, length: Duration::from_mins(50), start, seed: 51, class: ServiceClass::Balanced };
        record_practice_with(&places, plan, lie).unwrap()
    }

    /// Seed 51, three people for 50 minutes: one plan gives one recording; every kind of request is in it; deposits
    /// come over a relay, every token that was spent was issued, and nobody is accused.
    #[test]
    fn an_evening_is_recorded_whole_and_twice_the_same() {
        let (one, two) = (play(None), play(None));
        let told = |practice: &Practice| format!("{:?} {:?}", practice.requests, practice.agreed);
        assert_eq!(told(&one), told(&two));
        let kinds: BTreeSet<Asked> = one.requests.iter().map(|request| request.asked).collect();
        assert_eq!(kinds.len(), 6, "{kinds:?}");
        assert!(one.requests.iter().filter(|request| request.asked == Asked::Deposit).all(|request| request.relayed));
        let issued: BTreeSet<_> = one.issued.iter().map(|seen| (seen.user, seen.provider, seen.challenge)).collect();
        let paid = |token: &TokenSeen| issued.contains(&(token.user, token.provider, token.challenge));
        assert!(!one.redeemed.is_empty() && one.redeemed.iter().all(paid));
        assert!(!one.said.is_empty() && one.accused.is_empty() && one.doubted.is_empty());
    }

    /// Seed 53, eight people with an open door: who wishes the same at one place finds each other, waves, is accepted at
    /// once and gets the contact; who agreed on a token does as well.
    #[test]
    fn who_opens_a_door_meets() {
        let places = Arc::new(synthetic_city(1));
        let (start, length) = (crate::runs::evening(), Duration::from_mins(90));
        let plan = PracticePlan { people: 8, class: ServiceClass::OpenDoor, length, start, seed: 53 };
        let seen = record_practice(&places, plan).unwrap();
        let met = |waved: &Waved| waved.contact.is_some_and(|at| at > waved.at);
        assert!(seen.waved.len() >= 4 && seen.waved.iter().all(met), "{:?}", seen.waved);
        assert!(seen.agreed.len() == 2 && seen.agreed.iter().all(|agreed| agreed.contacts.iter().all(Option::is_some)));
    }

    /// Seed 51: a provider that evaluates with another share is accused by name, and nobody else is.
    #[test]
    fn a_wrong_share_is_named() {
        let liar = ProviderId::new(3).unwrap();
        let seen = play(Some((liar, Lie::WrongShare)));
        assert!(!seen.accused.is_empty() && seen.accused.iter().all(|accused| *accused == Some(liar)));
    }
}
