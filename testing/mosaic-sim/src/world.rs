use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mosaic_agent::{AgentConfig, AgentCore, AgentState, BlindReads, BlockPool, CallId, TruthLog};
use mosaic_federation::Federation;
use mosaic_geo::{PlaceIndex, synthetic_city};
use mosaic_provider::{PeerCallId, PeerFailure, store::MemoryStore};
use mosaic_types::{Mode, ProviderId, Timestamp};
use mosaic_wire::{Address, Call, CallFailure, Reply};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use thiserror::Error;

use crate::{
    Learned, Link, Mischief, Outages, Person, PersonId,
    host::{self, Host},
    mischief::Villain,
    person::Device,
};

/// What a world begins with.
#[derive(Clone)]
pub struct Setup {
    /// Everything random in the world follows from it.
    pub seed: u64,
    /// First instant of virtual time.
    pub start: Timestamp,
    /// How messages travel.
    pub link: Link,
    /// Agents the tables are sized for.
    pub declared_agents: u32,
    /// Public places; by default the built-in city.
    pub places: Arc<PlaceIndex>,
    /// Whether agents log the truth of their slots.
    pub truth: TruthLog,
    /// When agents look at records blind.
    pub blind_reads: BlindReads,
}

impl Setup {
    /// The built-in city on a weekday at 16:20 UTC: inside a window, well before a table changes.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            start: Timestamp::from_secs(20_415 * 86_400 + 16 * 3_600 + 20 * 60),
            link: Link::default(),
            declared_agents: 100,
            places: Arc::new(synthetic_city(seed)),
            truth: TruthLog::Forget,
            blind_reads: BlindReads::BySize,
        }
    }
}

/// Why there is no world.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The federation's description was refused.
    #[error("the practice federation cannot be described")]
    Federation,
    /// A provider did not open its store.
    #[error("provider {0} cannot open its store")]
    Provider(ProviderId),
}

/// What the world will do at some instant.
enum Happening {
    Wake(PersonId),
    Tick(ProviderId),
    Request { from: PersonId, id: CallId, to: Address, call: Box<Call> },
    Reply { to: PersonId, id: CallId, result: Box<Result<Reply, CallFailure>> },
    PeerRequest { from: ProviderId, to: ProviderId, id: PeerCallId, body: Vec<u8> },
    PeerReply { to: ProviderId, id: PeerCallId, result: Result<Vec<u8>, PeerFailure> },
}

/// Providers, people, and the events between them, in virtual time.
pub struct World {
    setup: Setup,
    now: Timestamp,
    rng: ChaCha20Rng,
    hosts: BTreeMap<ProviderId, Host>,
    people: Vec<Person>,
    federation: Arc<Federation>,
    pool: Arc<BlockPool>,
    outages: Outages,
    villain: Option<Villain>,
    agenda: BTreeMap<(Timestamp, u64), Happening>,
    sequence: u64,
}

impl World {
    /// A practice federation of three providers, whose first tables are ready.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn new(setup: Setup) -> Result<Self, BuildError> {
        let mut rng = ChaCha20Rng::seed_from_u64(setup.seed);
        let (federation, hosts) = host::federation(&setup, &mut rng)?;
        let mut world = Self {
            now: setup.start,
            rng,
            federation,
            hosts,
            people: Vec::new(),
            pool: Arc::default(),
            outages: Outages::default(),
            villain: None,
            agenda: BTreeMap::new(),
            sequence: 0,
            setup,
        };
        for id in world.providers() {
            world.schedule(world.now, Happening::Tick(id));
        }
        world.advance(Duration::from_mins(2));
        Ok(world)
    }

    /// Virtual time.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The providers, in order.
    pub fn providers(&self) -> Vec<ProviderId> {
        self.hosts.keys().copied().collect()
    }

    /// The federation, as every device is pinned to it.
    pub const fn federation(&self) -> &Arc<Federation> {
        &self.federation
    }

    /// The public places.
    pub fn places(&self) -> &PlaceIndex {
        &self.setup.places
    }

    /// Somebody installs MOSAIC and joins the federation.
    pub fn join(&mut self, mode: Mode) -> PersonId {
        let id = PersonId(self.people.len());
        let mut rng = self.rng_for("person", id.0 as u64);
        let config = AgentConfig {
            federation: self.federation.clone(),
            places: self.setup.places.clone(),
            truth: self.setup.truth,
            pool: self.pool.clone(),
            blind_reads: self.setup.blind_reads,
        };
        let core = AgentCore::new(config, AgentState::fresh(&mut rng).in_mode(mode), self.now);
        self.people.push(Person::new(core, rng, self.now));
        self.schedule(self.now, Happening::Wake(id));
        id
    }

    fn rng_for(&self, kind: &str, number: u64) -> ChaCha20Rng {
        let parts: [&[u8]; 3] = [&self.setup.seed.to_be_bytes(), kind.as_bytes(), &number.to_be_bytes()];
        ChaCha20Rng::from_seed(mosaic_crypto::digest(&parts))
    }

    /// A person of this world.
    ///
    /// # Panics
    /// With an id of another world.
    pub fn person(&self, id: PersonId) -> &Person {
        &self.people[id.0]
    }

    /// Everybody.
    pub fn people(&self) -> impl Iterator<Item = (PersonId, &Person)> {
        self.people.iter().enumerate().map(|(index, person)| (PersonId(index), person))
    }

    /// Commands a person's device; what it then has to send is sent.
    pub fn act<R>(
        &mut self,
        id: PersonId,
        command: impl FnOnce(&mut AgentCore, Timestamp, &mut ChaCha20Rng) -> R,
    ) -> R {
        let now = self.now;
        let person = &mut self.people[id.0];
        let result = command(&mut person.core, now, &mut person.rng);
        self.drive(id);
        result
    }

    /// Everything a provider ever received.
    ///
    /// # Panics
    /// With an id of another world.
    pub fn learned_by(&self, provider: ProviderId) -> &Learned {
        &self.hosts[&provider].learned
    }

    /// Changes how messages travel from now on.
    pub const fn set_link(&mut self, link: Link) {
        self.setup.link = link;
    }

    /// From now on all providers do this to agents; `None` makes them honest again.
    pub fn corrupt(&mut self, mischief: impl Into<Option<Mischief>>) {
        self.villain = mischief.into().map(Villain::new);
    }

    /// Takes a provider down until [`Self::up`].
    pub fn down(&mut self, provider: ProviderId) {
        self.outages.plan(provider, self.now, Timestamp::from_millis(u64::MAX));
    }

    /// Starts a stopped provider again, from what its store holds; a running one goes on.
    pub fn up(&mut self, provider: ProviderId) {
        if self.is_up(provider) {
            return;
        }
        self.outages.end(provider, self.now);
        let Some(host) = self.hosts.remove(&provider) else { return };
        match host.restart(self.now) {
            Ok((host, forgotten)) => {
                self.hosts.insert(provider, host);
                forgotten.into_iter().for_each(|(person, call)| {
                    self.send_reply(person, call, Duration::ZERO, Err(CallFailure::TimedOut));
                });
                self.schedule(self.now, Happening::Tick(provider));
            }
            Err(error) => tracing::error!(%error, "a provider did not come back"),
        }
    }

    /// Asks a provider something directly, as a stranger would; deposits are not for strangers here.
    pub fn ask(&mut self, provider: ProviderId, call: Call) -> Result<Reply, CallFailure> {
        let now = self.now;
        let host = self.hosts.get_mut(&provider).ok_or(CallFailure::Unreachable)?;
        match host.core.handle(now, &mut host.rng, call) {
            mosaic_provider::Step::Done(result) => result.map_err(CallFailure::Refused),
            mosaic_provider::Step::Scan(scan) => scan.run().map_err(CallFailure::Refused),
            mosaic_provider::Step::Staged(_) => Err(CallFailure::TimedOut),
            mosaic_provider::Step::Issue(job) => {
                let issued = job.run(&mut host.rng);
                host.core.issued(now, issued).map_err(CallFailure::Refused)
            }
        }
    }

    /// What a provider has on disk.
    ///
    /// # Panics
    /// With an id of another world.
    pub fn store_of(&self, provider: ProviderId) -> &MemoryStore {
        self.hosts[&provider].core.store()
    }

    /// Switches a device off: it sends nothing, and replies to it are lost.
    pub fn sleep(&mut self, id: PersonId) {
        self.people[id.0].device = Device::Asleep;
    }

    /// Switches a device on again.
    pub fn wake(&mut self, id: PersonId) {
        let person = &mut self.people[id.0];
        person.device = Device::On;
        for call in std::mem::take(&mut person.missed) {
            person.core.on_reply(self.now, &mut person.rng, call, Err(CallFailure::TimedOut));
        }
        self.drive(id);
    }

    /// Lets `span` pass.
    pub fn advance(&mut self, span: Duration) {
        let until = self.now.after(span);
        while self.step(until) {}
        self.now = until;
    }

    /// Lets time pass until `reached`, at most `limit`; says how long it took.
    pub fn wait_for(&mut self, limit: Duration, reached: impl Fn(&Self) -> bool) -> Option<Duration> {
        let (since, until) = (self.now, self.now.after(limit));
        while !reached(self) {
            if !self.step(until) {
                self.now = until;
                return None;
            }
        }
        Some(self.now.since(since))
    }

    /// Does the next thing on the agenda, unless it is after `until`.
    fn step(&mut self, until: Timestamp) -> bool {
        let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= until) else { return false };
        let ((at, _), happening) = entry.remove_entry();
        self.now = at.max(self.now);
        match happening {
            Happening::Wake(id) => self.drive_if_due(id),
            Happening::Tick(id) => self.tick(id),
            Happening::Request { from, id, to, call } => self.request(from, id, to, *call),
            Happening::Reply { to, id, result } => self.reply(to, id, *result),
            Happening::PeerRequest { from, to, id, body } => self.peer_request(from, to, id, &body),
            Happening::PeerReply { to, id, result } => self.peer_reply(to, id, result),
        }
        true
    }

    fn schedule(&mut self, at: Timestamp, happening: Happening) {
        self.sequence += 1;
        self.agenda.insert((at, self.sequence), happening);
    }

    fn is_up(&self, provider: ProviderId) -> bool {
        self.outages.is_up(provider, self.now)
    }
}

/// Agents: what they send, and what comes back.
impl World {
    fn drive_if_due(&mut self, id: PersonId) {
        if self.people[id.0].wake <= self.now {
            self.drive(id);
        }
    }

    /// Takes everything the agent has to send and books its next wake.
    fn drive(&mut self, id: PersonId) {
        if self.people[id.0].device == Device::Asleep {
            return;
        }
        let now = self.now;
        loop {
            let person = &mut self.people[id.0];
            let Some(outgoing) = person.core.poll(now, &mut person.rng) else { break };
            let hops = if outgoing.to.via.is_some() { 2 } else { 1 };
            let at = now.after(self.setup.link.delay(hops, &mut self.rng));
            let outgoing = outgoing.pay();
            let (call_id, to, call) = (outgoing.id, outgoing.to, Box::new(outgoing.call));
            self.schedule(at, Happening::Request { from: id, id: call_id, to, call });
        }
        let person = &mut self.people[id.0];
        person.listen(now);
        let wake = person.core.next_wake().max(now.after(Duration::from_millis(1)));
        if person.wake <= now || wake < person.wake {
            person.wake = wake;
            self.schedule(wake, Happening::Wake(id));
        }
    }

    fn reply(&mut self, to: PersonId, id: CallId, result: Result<Reply, CallFailure>) {
        let now = self.now;
        let person = &mut self.people[to.0];
        if person.device == Device::Asleep {
            person.missed.push(id);
            return;
        }
        person.core.on_reply(now, &mut person.rng, id, result);
        self.drive(to);
    }

    fn send_reply(&mut self, to: PersonId, id: CallId, after: Duration, result: Result<Reply, CallFailure>) {
        let at = self.now.after(after);
        self.schedule(at, Happening::Reply { to, id, result: Box::new(result) });
    }
}

/// Providers: what reaches them, and what they tell each other.
impl World {
    fn request(&mut self, from: PersonId, id: CallId, to: Address, call: Call) {
        let link = self.setup.link;
        if !self.is_up(to.provider) || to.via.is_some_and(|relay| !self.is_up(relay)) {
            return self.send_reply(from, id, Duration::from_millis(50), Err(CallFailure::Unreachable));
        }
        if link.loses(&mut self.rng) {
            return self.send_reply(from, id, link.patience, Err(CallFailure::TimedOut));
        }
        if let Some(relay) = to.via.and_then(|relay| self.hosts.get_mut(&relay)) {
            relay.learned.relay();
        }
        let now = self.now;
        let Some(host) = self.hosts.get_mut(&to.provider) else { return };
        host.learned.request(now, &call);
        let forged = self.villain.as_mut().and_then(|villain| villain.answer(now, host, &call, &mut self.rng));
        let result = if forged.is_some() { forged } else { host.handle(now, (from, id), call) };
        if let Some(result) = result {
            let result = self.twist(result);
            self.answer(from, id, result);
        }
        self.settle(to.provider);
    }

    /// Replaces a table on its way to an agent, if the providers are that dishonest.
    fn twist(&mut self, result: Result<Reply, CallFailure>) -> Result<Reply, CallFailure> {
        let (Some(villain), Ok(Reply::Table(honest))) = (&mut self.villain, &result) else { return result };
        let hosts = self.hosts.iter().map(|(id, host)| (*id, host));
        villain.table(honest, hosts, &mut self.rng).map_or(result, |table| Ok(Reply::Table(table)))
    }

    fn answer(&mut self, to: PersonId, id: CallId, result: Result<Reply, CallFailure>) {
        let link = self.setup.link;
        if link.loses(&mut self.rng) {
            return self.send_reply(to, id, link.patience, Err(CallFailure::TimedOut));
        }
        let delay = link.delay(1, &mut self.rng);
        self.send_reply(to, id, delay, result);
    }

    fn tick(&mut self, id: ProviderId) {
        let now = self.now;
        if !self.is_up(id) {
            return;
        }
        let Some(host) = self.hosts.get_mut(&id) else { return };
        if host.wake <= now {
            host.tick(now);
        }
        self.settle(id);
    }

    /// Commits what is staged, answers whose deposits are replicated, sends what goes to peers.
    fn settle(&mut self, id: ProviderId) {
        let now = self.now;
        let Some(host) = self.hosts.get_mut(&id) else { return };
        let (answers, letters) = host.settle(now);
        let wake = host.core.next_wake(now);
        if host.wake <= now || wake < host.wake {
            host.wake = wake;
            self.schedule(wake, Happening::Tick(id));
        }
        for ((person, call), reply) in answers {
            self.answer(person, call, Ok(Reply::Cell(reply)));
        }
        for letter in letters {
            let at = now.after(self.setup.link.delay(1, &mut self.rng));
            let request = Happening::PeerRequest { from: id, to: letter.to, id: letter.id, body: letter.body };
            self.schedule(at, request);
        }
    }

    fn peer_request(&mut self, from: ProviderId, to: ProviderId, id: PeerCallId, body: &[u8]) {
        let now = self.now;
        let link = self.setup.link;
        let (after, result) = if !self.is_up(to) {
            (Duration::from_millis(50), Err(PeerFailure))
        } else if link.loses(&mut self.rng) {
            (link.patience, Err(PeerFailure))
        } else {
            let Some(host) = self.hosts.get_mut(&to) else { return };
            host.learned.peer(body);
            let result = host.on_peer(now, body);
            self.settle(to);
            (link.delay(1, &mut self.rng), result)
        };
        self.schedule(now.after(after), Happening::PeerReply { to: from, id, result });
    }

    fn peer_reply(&mut self, to: ProviderId, id: PeerCallId, result: Result<Vec<u8>, PeerFailure>) {
        let now = self.now;
        if !self.is_up(to) {
            return;
        }
        let Some(host) = self.hosts.get_mut(&to) else { return };
        if let Ok(body) = &result {
            host.learned.peer(body);
        }
        host.on_reply(now, id, result);
        self.settle(to);
    }
}
