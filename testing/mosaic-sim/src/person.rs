use mosaic_agent::{AgentCore, AgentEvent, CallId, EventTruth};
use mosaic_types::Timestamp;
use rand_chacha::ChaCha20Rng;

/// Names a person of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub usize);

/// Whether a device runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Device {
    On,
    Asleep,
}

/// Somebody with a device.
pub struct Person {
    pub(crate) core: AgentCore,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) wake: Timestamp,
    pub(crate) device: Device,
    pub(crate) missed: Vec<CallId>,
    pub(crate) happened: Vec<(Timestamp, AgentEvent)>,
    pub(crate) truth: Vec<EventTruth>,
}

impl Person {
    pub(crate) const fn new(core: AgentCore, rng: ChaCha20Rng, now: Timestamp) -> Self {
        Self { core, rng, wake: now, device: Device::On, missed: Vec::new(), happened: Vec::new(), truth: Vec::new() }
    }

    /// The device, to ask; commands go through [`crate::World::act`].
    pub const fn agent(&self) -> &AgentCore {
        &self.core
    }

    /// What happened to this person so far, with the virtual time.
    pub fn happened(&self) -> &[(Timestamp, AgentEvent)] {
        &self.happened
    }

    /// What the slots of this person's events truly were; empty unless [`crate::Setup::truth`] says to record.
    pub fn truth(&self) -> &[EventTruth] {
        &self.truth
    }

    /// Takes over what the device has to tell.
    pub(crate) fn listen(&mut self, now: Timestamp) {
        self.happened.extend(self.core.take_events().into_iter().map(|event| (now, event)));
        self.truth.extend(self.core.take_truth().into_iter().map(mosaic_types::Sensitive::into_exposed));
    }

    /// When something happened for the first time.
    pub fn first(&self, what: impl Fn(&AgentEvent) -> bool) -> Option<Timestamp> {
        self.happened.iter().find(|(_, event)| what(event)).map(|(at, _)| *at)
    }
}
