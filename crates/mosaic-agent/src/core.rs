//! The agent as a value: inputs, an instant and randomness in; calls and events out.

mod counting;
mod evaluate;
mod events;
mod reading;
mod replies;
mod turns;

pub(crate) use turns::own_interest;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use mosaic_discovery::{AssociationId, Associations, CardBook, GroupId, Groups, Reach};
use mosaic_federation::{Federation, Issuers};
use mosaic_geo::places::PlaceIndex;
use mosaic_net::{Attention, Paths};
use mosaic_release::{Meter, Releaser, RendezvousFloor, SlotTruth};
use mosaic_types::{Lane, Mode, Sensitive, ServiceClass, Timestamp, Window};
use mosaic_wire::SLOTS;
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::{
    AgentState, BlockPool, Outgoing,
    alerts::{Alerts, Evidence},
    answers::Answers,
    commands::Quotas,
    deposits::Deposits,
    interests::Interests,
    oprf::OprfDesk,
    post::Post,
    providers::Providers,
    reader::{BlindReads, Reader},
    schedule::Schedule,
    state::{KeptPerson, Settings},
    tables::Tables,
    trail::Trail,
    tries::Tries,
    wallet::Wallet,
};

/// Whether a core remembers what each slot of its events truly was. Only simulations and the lab ask
/// for it; a driver does in a recorded practice run alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TruthLog {
    /// Truth is forgotten with the event.
    #[default]
    Forget,
    /// Truth waits in memory for [`AgentCore::take_truth`].
    Record,
}

/// What an agent is given once.
#[derive(Clone)]
pub struct AgentConfig {
    /// The pinned federation, checked.
    pub federation: Arc<Federation>,
    /// Public places: where blurred points snap to and personas live.
    pub places: Arc<PlaceIndex>,
    /// Whether to log slot truth.
    pub truth: TruthLog,
    /// Blocks shared with other agents of this process.
    pub pool: Arc<BlockPool>,
    /// When records are looked at blind.
    pub blind_reads: BlindReads,
}

/// Something that happened, for who watches.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AgentEvent {
    /// An event was released, real or not.
    Released(Lane),
    /// A provider acknowledged one.
    Acknowledged(Lane),
    /// Cards were found that were not known before.
    CardsFound(usize),
    /// Somebody waved at this person, joined their token, or proved their code.
    Approached(AssociationId),
    /// The automatic answer to our wave, token or code came.
    Answered(AssociationId),
    /// The other side's contact came.
    ContactReceived(AssociationId),
    /// An association ended by time.
    Expired(AssociationId),
    /// Who answered at a code's nameplate has another password.
    Failed(AssociationId),
    /// Somebody announced something in a group.
    Announced(GroupId),
    /// A member slot of a group is written in that was silent.
    MemberHeard(GroupId),
    /// Somebody else writes in this member's slot of a group.
    SlotShared(GroupId),
    /// A provider broke its word.
    Accused(Evidence),
}

/// Ground truth of one event, for simulations and the lab.
#[derive(Clone, Debug)]
pub struct EventTruth {
    /// When it was released.
    pub at: Timestamp,
    /// Its lane.
    pub lane: Lane,
    /// Resolution on the discovery lane.
    pub resolution: Option<u8>,
    /// The class the network saw.
    pub class: ServiceClass,
    /// Hash of the event's bytes, by which a provider's records are told apart.
    pub event: [u8; 32],
    /// What each slot was, in wire order.
    pub slots: [SlotTruth; SLOTS],
}

/// Whether the disk takes the vault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum VaultTrouble {
    /// It does.
    #[default]
    None,
    /// It refused last time: the last changes are in memory only.
    Unwritable,
}

/// What was counted since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) released: u64,
    pub(crate) acknowledged: u64,
}

/// One device. See the crate's documentation for what holds.
pub struct AgentCore {
    pub(crate) providers: Providers,
    pub(crate) pool: Arc<BlockPool>,
    pub(crate) seed: Zeroizing<[u8; 32]>,
    pub(crate) phase: Duration,
    pub(crate) settings: Settings,
    pub(crate) kept: BTreeMap<String, KeptPerson>,
    pub(crate) releaser: Releaser,
    pub(crate) meter: Meter,
    pub(crate) trail: Trail,
    pub(crate) tries: Tries,
    pub(crate) post: Post,
    pub(crate) paths: Paths,
    pub(crate) tables: Tables,
    pub(crate) wallet: Wallet,
    pub(crate) oprf: OprfDesk,
    pub(crate) schedule: Schedule,
    pub(crate) deposits: Deposits,
    pub(crate) reader: Reader,
    pub(crate) interests: Interests,
    pub(crate) book: CardBook,
    pub(crate) associations: Associations,
    pub(crate) groups: Groups,
    pub(crate) alerts: Alerts,
    pub(crate) answers: Answers,
    pub(crate) quotas: Quotas,
    pub(crate) counters: Counters,
    pub(crate) door_until: Option<Timestamp>,
    pub(crate) attended_until: Timestamp,
    pub(crate) next_clock_check: Timestamp,
    pub(crate) turned: Option<(Window, u64)>,
    pub(crate) stirred: bool,
    pub(crate) revision: u64,
    pub(crate) dirty: bool,
    pub(crate) vault_trouble: VaultTrouble,
    pub(crate) happened: VecDeque<AgentEvent>,
    truth: TruthLog,
    truths: Vec<Sensitive<EventTruth>>,
}

/// How long after a command the app counts as open.
const ATTENTION: Duration = Duration::from_mins(15);

/// The most happenings that wait for [`AgentCore::take_events`].
const MOST_HAPPENINGS: usize = 4_096;

impl AgentCore {
    /// A device at `now`, as its state describes it.
    pub fn new(config: AgentConfig, state: AgentState, now: Timestamp) -> Self {
        let wallet = Wallet::new(Issuers::of(config.federation.descriptor()));
        let groups = Groups::restored(config.federation.digest(), &state.groups, now);
        let providers = Providers::new(config.federation);
        let phase = Duration::from_millis(state.phase_ms);
        let class = state.settings.mode.class();
        let answers = Answers::resume(state.answers.clone(), &providers, now);
        let mut core = Self {
            paths: paths(&providers, &state),
            providers,
            pool: config.pool,
            seed: Zeroizing::new(state.seed),
            phase,
            settings: state.settings,
            kept: state.kept.clone(),
            meter: Meter::new(Arc::clone(&config.places)),
            trail: state.trail.clone(),
            tries: state.tries.clone(),
            releaser: Releaser::new(state.seed, config.places, state.releaser.clone()),
            post: Post::default(),
            tables: Tables::default(),
            wallet,
            oprf: OprfDesk::default(),
            schedule: Schedule::new(class, phase),
            deposits: Deposits::default(),
            reader: Reader::new(class, phase, now, config.blind_reads),
            interests: Interests::default(),
            book: CardBook::new(),
            associations: Associations::new(),
            groups,
            alerts: Alerts::new(state.evidence.clone()),
            answers,
            quotas: Quotas::default(),
            counters: Counters::default(),
            door_until: None,
            attended_until: now,
            next_clock_check: now,
            turned: None,
            stirred: true,
            revision: 0,
            dirty: false,
            vault_trouble: VaultTrouble::None,
            happened: VecDeque::new(),
            truth: config.truth,
            truths: Vec::new(),
        };
        core.resume(now);
        core
    }

    /// The next call to make, if any. Call again until it returns `None`.
    pub fn poll(&mut self, now: Timestamp, rng: &mut impl CryptoRng) -> Option<Outgoing> {
        if !self.post.has_mail() && (self.stirred || self.next_wake() <= now) {
            self.advance(now, rng);
        }
        self.post.next()
    }

    fn advance(&mut self, now: Timestamp, rng: &mut impl CryptoRng) {
        self.stirred = false;
        self.turn(now);
        self.ask_tables(now, rng);
        self.check_clock(now, rng);
        self.keep_counts(now, rng);
        self.restock(now, rng);
        self.keep_schedule(now, rng);
        self.send_deposits(now, rng);
        self.send_batches(now, rng);
        self.keep_reading(now, rng);
    }

    /// When [`Self::poll`] is to be called again, should nothing else happen before.
    pub fn next_wake(&self) -> Timestamp {
        if self.stirred || self.post.has_mail() {
            return Timestamp::from_millis(0);
        }
        let now = Timestamp::from_millis(self.turned.map_or(0, |(_, at)| at));
        let candidates = [
            Some(self.next_turn()),
            self.schedule.next_wake(now),
            self.reader.next_wake(now),
            self.paths.next_retry(now),
            self.deposits.next_retry().map(|at| at.max(now.after(Duration::from_secs(1)))),
            self.oprf.next_retry(now),
            self.tables.next_retry(now),
            self.wallet.next_wake(now),
            Some(self.next_clock_check),
            self.answers.next_wake(now),
        ];
        candidates.into_iter().flatten().min().unwrap_or(now)
    }

    /// What happened since the last call, oldest first.
    pub fn take_events(&mut self) -> Vec<AgentEvent> {
        self.happened.drain(..).collect()
    }

    pub(crate) fn note(&mut self, event: AgentEvent) {
        self.revise();
        if self.happened.len() >= MOST_HAPPENINGS {
            self.happened.pop_front();
        }
        self.happened.push_back(event);
    }

    /// What somebody who watches would see has changed, or may have.
    pub(crate) const fn revise(&mut self) {
        self.revision = self.revision.wrapping_add(1);
    }

    /// A number that changes whenever a watcher should look again.
    pub(crate) const fn revision(&self) -> u64 {
        self.revision
    }

    pub(crate) fn accuse(&mut self, evidence: Evidence) {
        if let Some(provider) = evidence.provider {
            self.paths.distrust(provider);
        }
        if self.alerts.keep(evidence.clone()) {
            self.dirty = true;
            self.note(AgentEvent::Accused(evidence));
        }
    }

    /// Whether [`Self::snapshot`] would differ from the last one taken.
    pub const fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Everything that outlives a restart, for the vault. Clears [`Self::is_dirty`].
    pub fn snapshot(&mut self) -> AgentState {
        self.dirty = false;
        AgentState {
            seed: *self.seed,
            phase_ms: u64::try_from(self.phase.as_millis()).unwrap_or(0),
            releaser: self.releaser.state().clone(),
            settings: self.settings,
            kept: self.kept.clone(),
            evidence: self.alerts.kept(),
            trail: self.trail.clone(),
            answers: self.answers.kept(),
            tries: self.tries.clone(),
            groups: self.groups.stored(),
        }
    }

    /// The next snapshot must be taken again: the last one did not reach the disk.
    pub const fn mark_dirty(&mut self) {
        self.dirty = true;
    }

    /// Notes whether the disk refused the last snapshot, for the status.
    pub(crate) const fn set_vault_trouble(&mut self, trouble: VaultTrouble) {
        self.vault_trouble = trouble;
    }

    /// Truth of the events released since the last call; empty unless [`TruthLog::Record`] was asked for.
    pub fn take_truth(&mut self) -> Vec<Sensitive<EventTruth>> {
        std::mem::take(&mut self.truths)
    }

    pub(crate) fn log_truth(&mut self, truth: impl FnOnce() -> EventTruth) {
        if self.truth == TruthLog::Record {
            self.truths.push(Sensitive::new(truth()));
        }
    }

    /// The class that the network sees.
    pub(crate) fn class(&self, now: Timestamp) -> ServiceClass {
        match self.door_until {
            Some(until) if now < until => ServiceClass::OpenDoor,
            _ => self.settings.mode.class(),
        }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.settings.mode
    }

    /// The least noise of rendezvous events: what the person set holds for all of them.
    pub(crate) fn rendezvous_floor(&self) -> RendezvousFloor {
        RendezvousFloor::from(self.mode()).raised_to(self.settings.requested())
    }

    pub(crate) fn reach(&self) -> Reach {
        Reach::of(&self.settings.mode.profile())
    }

    pub(crate) fn attention(&self, now: Timestamp) -> Attention {
        if now < self.attended_until { Attention::Foreground } else { Attention::Background }
    }

    /// A person looks at the app: poll at the faster pace for a while.
    pub(crate) fn attend(&mut self, now: Timestamp) {
        self.revise();
        let opened = self.attention(now) == Attention::Background;
        self.attended_until = now.after(ATTENTION);
        if opened {
            self.reader.attend(now);
        }
        self.stirred = true;
    }
}

/// The providers to choose from: those against whom there is evidence only when nobody else is left.
fn paths(providers: &Providers, state: &AgentState) -> Paths {
    let mut paths = Paths::new(providers.ids());
    state.evidence.iter().filter_map(|evidence| evidence.provider).for_each(|provider| paths.distrust(provider));
    paths
}
