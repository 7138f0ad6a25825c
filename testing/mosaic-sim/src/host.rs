use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mosaic_agent::CallId;
use mosaic_crypto::signing::SigningKey;
use mosaic_federation::{Federation, FederationDescriptor, Independence, ProviderEntry, SignedDocument, Tile};
use mosaic_provider::{
    Outgoing, PeerCallId, PeerFailure, Policy, ProviderCore, ProviderKeys, Step, Ticket, store::MemoryStore,
};
use mosaic_types::{ProviderId, TileId, Timestamp};
use mosaic_wire::{Call, CallFailure, CellReply, Reply};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use zeroize::Zeroizing;

use crate::{BuildError, Learned, PersonId, Setup};

/// Who waits for a reply.
pub(crate) type Caller = (PersonId, CallId);

/// A provider and what surrounds it in the world.
pub(crate) struct Host {
    pub(crate) core: ProviderCore<MemoryStore>,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) wake: Timestamp,
    pub(crate) learned: Learned,
    waiting: BTreeMap<Ticket, Caller>,
    keys: Zeroizing<Vec<u8>>,
}

impl Host {
    fn open(
        keys: ProviderKeys,
        federation: Arc<Federation>,
        setup: &Setup,
        rng: ChaCha20Rng,
    ) -> Result<Self, BuildError> {
        let (id, bytes, now) = (keys.me, keys.to_bytes(), setup.start);
        let policy = Policy::of(federation.descriptor());
        let core = ProviderCore::open(keys, federation, MemoryStore::default(), policy, now)
            .map_err(|_| BuildError::Provider(id))?;
        Ok(Self { core, rng, wake: now, learned: Learned::default(), waiting: BTreeMap::new(), keys: bytes })
    }

    /// Stops the process and starts it again from its store; gives the callers it forgot.
    pub(crate) fn restart(self, now: Timestamp) -> Result<(Self, Vec<Caller>), BuildError> {
        let id = self.core.me();
        let keys = ProviderKeys::from_bytes(id, &self.keys).ok_or(BuildError::Provider(id))?;
        let federation = self.core.federation().clone();
        let policy = Policy::of(federation.descriptor());
        let core = ProviderCore::open(keys, federation, self.core.into_store(), policy, now)
            .map_err(|_| BuildError::Provider(id))?;
        let forgotten = self.waiting.into_values().collect();
        let host =
            Self { core, wake: now, waiting: BTreeMap::new(), rng: self.rng, learned: self.learned, keys: self.keys };
        Ok((host, forgotten))
    }

    /// Handles a request; `None` when its answer waits for a replica.
    pub(crate) fn handle(&mut self, now: Timestamp, caller: Caller, call: Call) -> Option<Result<Reply, CallFailure>> {
        match self.core.handle(now, &mut self.rng, call) {
            Step::Done(result) => Some(result.map_err(CallFailure::Refused)),
            Step::Scan(scan) => Some(scan.run().map_err(CallFailure::Refused)),
            Step::Staged(ticket) => {
                self.waiting.insert(ticket, caller);
                None
            }
            Step::Issue(job) => {
                let issued = job.run(&mut self.rng);
                Some(self.core.issued(now, issued).map_err(CallFailure::Refused))
            }
        }
    }

    /// Commits what is staged; gives the answers that are due and the messages for peers.
    pub(crate) fn settle(&mut self, now: Timestamp) -> (Vec<(Caller, CellReply)>, Vec<Outgoing>) {
        self.core.commit(now);
        let outgoing = self.core.take_outgoing(now, &mut self.rng);
        let settled = self.core.take_settled();
        let answer = |(ticket, reply)| Some((self.waiting.remove(&ticket)?, reply));
        (settled.into_iter().filter_map(answer).collect(), outgoing)
    }

    pub(crate) fn on_peer(&mut self, now: Timestamp, body: &[u8]) -> Result<Vec<u8>, PeerFailure> {
        self.core.on_peer(now, &mut self.rng, body).map_err(|_| PeerFailure)
    }

    pub(crate) fn on_reply(&mut self, now: Timestamp, id: PeerCallId, answer: Result<Vec<u8>, PeerFailure>) {
        if let Err(error) = self.core.on_reply(now, &mut self.rng, id, answer) {
            tracing::error!(%error, "an answer could not be stored");
        }
    }

    /// The key it signs with, for a provider that signs what the protocol would not.
    pub(crate) fn signing(&self) -> Option<SigningKey> {
        Some(ProviderKeys::from_bytes(self.core.me(), &self.keys)?.signing)
    }

    pub(crate) fn tick(&mut self, now: Timestamp) {
        if let Err(error) = self.core.tick(now, &mut self.rng) {
            tracing::error!(%error, "a tick failed");
        }
    }
}

/// A practice federation of three, and its providers, each with an empty store.
pub(crate) fn federation(
    setup: &Setup,
    rng: &mut ChaCha20Rng,
) -> Result<(Arc<Federation>, BTreeMap<ProviderId, Host>), BuildError> {
    let ids: Vec<ProviderId> = (1..=3).filter_map(|number| ProviderId::new(number).ok()).collect();
    let keys: Vec<ProviderKeys> = ids.iter().map(|id| ProviderKeys::generate(*id, rng)).collect();
    let federation = Arc::new(signed(setup, &keys).ok_or(BuildError::Federation)?);
    let mut hosts = BTreeMap::new();
    for keys in keys {
        let own = ChaCha20Rng::from_rng(rng);
        hosts.insert(keys.me, Host::open(keys, federation.clone(), setup, own)?);
    }
    Ok((federation, hosts))
}

fn signed(setup: &Setup, keys: &[ProviderKeys]) -> Option<Federation> {
    let tile = Tile { id: TileId(1), name: "the simulated tile".into(), lat: -45.0, lng: 0.0, radius_m: 20_000 };
    let created = setup.start.before(Duration::from_hours(48));
    let entries = keys.iter().map(entry).collect();
    let descriptor = FederationDescriptor::new(
        "a simulated practice federation",
        Independence::Practice,
        created,
        setup.declared_agents,
        tile,
        entries,
    );
    let mut document = SignedDocument::draft(&descriptor).ok()?;
    keys.iter().for_each(|keys| document.sign(keys.me, &keys.signing));
    document.verify().ok()
}

fn entry(keys: &ProviderKeys) -> ProviderEntry {
    let number = keys.me.get();
    ProviderEntry {
        id: keys.me,
        url: format!("https://127.0.0.1:{}", 7_400 + u16::from(number)),
        tls_pin: mosaic_crypto::digest(&[b"simulated certificate", &[number]]),
        signing_key: keys.signing.verifying_key().to_bytes(),
        cell_key: keys.cell.public().to_bytes(),
        ceremony_key: keys.ceremony.public().to_bytes(),
        token_key: keys.token_key(),
        operator: "the simulation".into(),
        jurisdiction: "XX".into(),
    }
}
