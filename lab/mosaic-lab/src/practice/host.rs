//! A provider of the evening: the real core over a store in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use mosaic_agent::CallId;
use mosaic_federation::{Federation, FederationDescriptor, Independence, ProviderEntry, SignedDocument, Tile};
use mosaic_geo::PlaceIndex;
use mosaic_provider::{
    Outgoing, PeerCallId, PeerFailure, Policy, ProviderCore, ProviderKeys, Step, Ticket, store::MemoryStore,
};
use mosaic_types::{ProviderId, TileId, Timestamp};
use mosaic_wire::{Call, CallFailure, CellReply, Reply};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::{Liar, Lie, PracticePlan, WARM_UP};

/// Who waits for a reply.
type Caller = (u32, CallId);

/// A provider and who waits for it.
pub(super) struct Host {
    core: ProviderCore<MemoryStore>,
    rng: ChaCha20Rng,
    pub(super) wake: Timestamp,
    waiting: BTreeMap<Ticket, Caller>,
}

impl Host {
    /// The answer; `None` when it waits for a replica.
    pub(super) fn handle(&mut self, now: Timestamp, caller: Caller, call: Call) -> Option<Result<Reply, CallFailure>> {
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

    pub(super) fn settle(&mut self, now: Timestamp) -> (Vec<(Caller, CellReply)>, Vec<Outgoing>) {
        self.core.commit(now);
        let outgoing = self.core.take_outgoing(now, &mut self.rng);
        let settled = self.core.take_settled();
        let due = |(ticket, reply)| Some((self.waiting.remove(&ticket)?, reply));
        (settled.into_iter().filter_map(due).collect(), outgoing)
    }

    /// When it wants to be called next, if that is not booked yet.
    pub(super) fn rest(&mut self, now: Timestamp) -> Option<Timestamp> {
        let wake = self.core.next_wake(now).max(now.after(Duration::from_millis(1)));
        let sooner = self.wake <= now || wake < self.wake;
        self.wake = if sooner { wake } else { self.wake };
        sooner.then_some(wake)
    }

    pub(super) fn on_peer(&mut self, now: Timestamp, body: &[u8]) -> Result<Vec<u8>, PeerFailure> {
        self.core.on_peer(now, &mut self.rng, body).map_err(|_| PeerFailure)
    }

    /// A store in memory does not fail; what a core refuses to store, it asks for again.
    pub(super) fn on_reply(&mut self, now: Timestamp, id: PeerCallId, answer: Result<Vec<u8>, PeerFailure>) {
        let _stored = self.core.on_reply(now, &mut self.rng, id, answer);
    }

    pub(super) fn tick(&mut self, now: Timestamp) {
        let _stored = self.core.tick(now, &mut self.rng);
    }

    /// Digests of what stands in its store, whatever it is.
    pub(super) fn records(&self) -> BTreeSet<[u8; 32]> {
        super::seen::contents(self.core.store())
    }
}

/// A federation and who stands in it.
pub(super) struct Founded {
    pub(super) federation: Arc<Federation>,
    pub(super) hosts: BTreeMap<ProviderId, Host>,
    pub(super) liar: Option<Liar>,
}

/// A practice federation of three, each with an empty store.
pub(super) fn federation(
    plan: PracticePlan,
    places: &PlaceIndex,
    lie: Option<(ProviderId, Lie)>,
    rng: &mut ChaCha20Rng,
) -> Result<Founded> {
    let keys = [1, 2, 3].map(|number| ProviderId::new(number).map(|id| ProviderKeys::generate(id, rng)));
    let keys: Vec<ProviderKeys> = keys.into_iter().collect::<Result<_, _>>()?;
    let federation = Arc::new(signed(plan, places, &keys)?);
    let now = plan.start.before(WARM_UP);
    let (mut hosts, mut liar) = (BTreeMap::new(), None);
    for keys in keys {
        if let Some((who, lie)) = lie.filter(|(who, _)| *who == keys.me) {
            let signing = ProviderKeys::from_bytes(who, &keys.to_bytes()).context("keys of the lab")?.signing;
            liar = Some(Liar::new(who, lie, signing));
        }
        let (id, own) = (keys.me, ChaCha20Rng::from_rng(rng));
        let policy = Policy::of(federation.descriptor());
        let core = ProviderCore::open(keys, Arc::clone(&federation), MemoryStore::default(), policy, now)?;
        hosts.insert(id, Host { core, rng: own, wake: now, waiting: BTreeMap::new() });
    }
    Ok(Founded { federation, hosts, liar })
}

fn signed(plan: PracticePlan, places: &PlaceIndex, keys: &[ProviderKeys]) -> Result<Federation> {
    let middle = places.center().context("there are no places")?;
    let tile =
        Tile { id: TileId(1), name: "the lab's tile".into(), lat: middle.lat(), lng: middle.lng(), radius_m: 40_000 };
    let created = plan.start.before(Duration::from_hours(48));
    let (name, entries) = ("a practice federation of the lab", keys.iter().map(entry).collect());
    let descriptor =
        FederationDescriptor::new(name, Independence::Practice, created, plan.people.max(50), tile, entries);
    let mut document = SignedDocument::draft(&descriptor)?;
    keys.iter().for_each(|keys| document.sign(keys.me, &keys.signing));
    Ok(document.verify()?)
}

fn entry(keys: &ProviderKeys) -> ProviderEntry {
    let number = keys.me.get();
    ProviderEntry {
        id: keys.me,
        url: format!("https://127.0.0.1:{}", 7_400 + u16::from(number)),
        tls_pin: mosaic_crypto::digest(&[b"certificate of the lab", &[number]]),
        signing_key: keys.signing.verifying_key().to_bytes(),
        cell_key: keys.cell.public().to_bytes(),
        ceremony_key: keys.ceremony.public().to_bytes(),
        token_key: keys.token_key(),
        operator: "the lab".into(),
        jurisdiction: "XX".into(),
    }
}
