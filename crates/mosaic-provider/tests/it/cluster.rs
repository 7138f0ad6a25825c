//! Three providers in one process, joined by direct calls instead of sockets.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mosaic_federation::{
    Federation, FederationDescriptor, Independence, Issuers, ProviderEntry, Purchase, SignedDocument, Span, Tile, hour,
};
use mosaic_provider::{PeerFailure, Policy, Price, ProviderCore, ProviderKeys, Step, store::Store};
use mosaic_types::{Lane, Period, ProviderId, Stream, TableId, TileId, Timestamp};
use mosaic_wire::{
    Call, CellReply, CellRequest, EVENT, EvaluateFields, Problem, ProblemCode, Receipt, Reply, TableDescriptor,
    TokenPurpose, WireToken,
};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

pub(crate) fn id(number: u8) -> ProviderId {
    ProviderId::new(number).unwrap()
}

/// A practice federation of `count` providers with keys that depend on the seed only.
pub(crate) fn federation(count: u8, seed: u64) -> (Arc<Federation>, Vec<ProviderKeys>) {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let keys: Vec<ProviderKeys> = (1..=count).map(|n| ProviderKeys::generate(id(n), &mut rng)).collect();
    let entries = keys.iter().map(|keys| ProviderEntry {
        id: keys.me,
        url: format!("https://127.0.0.1:{}", 7_000 + u16::from(keys.me.get())),
        tls_pin: [keys.me.get(); 32],
        signing_key: keys.signing.verifying_key().to_bytes(),
        cell_key: keys.cell.public().to_bytes(),
        ceremony_key: keys.ceremony.public().to_bytes(),
        token_key: keys.token_key(),
        operator: "me".into(),
        jurisdiction: "FR".into(),
    });
    let tile = Tile { id: TileId(7), name: "Test".into(), lat: 41.0, lng: -8.0, radius_m: 10_000 };
    let descriptor = FederationDescriptor::new("test", Independence::Practice, start(), 100, tile, entries.collect());
    let mut document = SignedDocument::draft(&descriptor).unwrap();
    keys.iter().for_each(|keys| document.sign(keys.me, &keys.signing));
    (Arc::new(document.verify().unwrap()), keys)
}

/// One minute into a period.
pub(crate) fn start() -> Timestamp {
    Period(122_478).start().after(Duration::from_mins(1))
}

pub(crate) fn policy() -> Policy {
    let counting = mosaic_aggregate::Policy { fewest: 5, ..mosaic_aggregate::Policy::STANDARD };
    Policy { lead_periods: 1, price: Price::practice(100), counting, ..Policy::for_agents(100) }
}

pub(crate) struct Cluster<S> {
    pub(crate) federation: Arc<Federation>,
    pub(crate) cores: BTreeMap<ProviderId, ProviderCore<S>>,
    /// Providers that neither hear nor answer.
    pub(crate) down: Vec<ProviderId>,
    pub(crate) now: Timestamp,
    pub(crate) rng: ChaCha20Rng,
    /// What providers told each other, if it is listened to.
    pub(crate) heard: Option<Vec<Vec<u8>>>,
    purchase: Option<Purchase>,
}

impl<S: Store> Cluster<S> {
    pub(crate) fn new(stores: Vec<S>) -> Self {
        let (federation, keys) = federation(stores.len() as u8, 1);
        let open = |(keys, store): (ProviderKeys, S)| {
            (keys.me, ProviderCore::open(keys, Arc::clone(&federation), store, policy(), start()).unwrap())
        };
        let cores = keys.into_iter().zip(stores).map(open).collect();
        let (rng, down) = (ChaCha20Rng::seed_from_u64(2), Vec::new());
        Self { federation, cores, down, now: start(), rng, heard: None, purchase: None }
    }

    /// A cluster whose present and next tables exist.
    pub(crate) fn ready(stores: Vec<S>) -> Self {
        let mut cluster = Self::new(stores);
        cluster.settle();
        let period = cluster.now.period();
        for core in cluster.cores.values() {
            assert!(core.gauges(cluster.now).ready, "{} has no share of {period:?}", core.me());
        }
        cluster
    }

    pub(crate) fn core(&mut self, number: u8) -> &mut ProviderCore<S> {
        self.cores.get_mut(&id(number)).unwrap()
    }

    pub(crate) fn is_up(&self, provider: ProviderId) -> bool {
        !self.down.contains(&provider)
    }

    /// Ticks everybody and exchanges messages until nobody has anything to say.
    pub(crate) fn settle(&mut self) {
        for provider in self.live() {
            self.tick(provider);
        }
        self.exchange();
    }

    pub(crate) fn live(&self) -> Vec<ProviderId> {
        self.cores.keys().copied().filter(|id| self.is_up(*id)).collect()
    }

    pub(crate) fn tick(&mut self, provider: ProviderId) {
        let (now, core) = (self.now, self.cores.get_mut(&provider).unwrap());
        let _store_refused = core.tick(now, &mut self.rng);
    }

    pub(crate) fn exchange(&mut self) {
        for _ in 0..1_000 {
            let mut silent = true;
            for from in self.live() {
                let outgoing = self.cores.get_mut(&from).unwrap().take_outgoing(self.now, &mut self.rng);
                for message in outgoing {
                    silent = false;
                    let answer = self.deliver(message.to, &message.body);
                    let core = self.cores.get_mut(&from).unwrap();
                    let _store_refused = core.on_reply(self.now, &mut self.rng, message.id, answer);
                }
            }
            if silent {
                return;
            }
        }
        panic!("the providers never stop talking");
    }

    fn deliver(&mut self, to: ProviderId, body: &[u8]) -> Result<Vec<u8>, PeerFailure> {
        if !self.is_up(to) {
            return Err(PeerFailure);
        }
        let answer = self.cores.get_mut(&to).unwrap().on_peer(self.now, &mut self.rng, body).map_err(|_| PeerFailure);
        if let Some(heard) = &mut self.heard {
            heard.push(body.to_vec());
            heard.extend(answer.clone());
        }
        answer
    }

    /// Lets time pass in steps of `step`, settling after each.
    pub(crate) fn pass(&mut self, total: Duration, step: Duration) {
        let until = self.now.after(total);
        while self.now < until {
            self.now = self.now.after(step);
            self.settle();
        }
    }

    pub(crate) fn call(&mut self, number: u8, call: Call) -> Result<Reply, Problem> {
        let now = self.now;
        let core = self.cores.get_mut(&id(number)).unwrap();
        match core.handle(now, &mut self.rng, call) {
            Step::Done(reply) => reply,
            Step::Scan(scan) => scan.run(),
            Step::Staged(ticket) => {
                core.commit(now);
                self.exchange();
                let settled = self.core(number).take_settled();
                let (_, reply) = settled.into_iter().find(|(settled, _)| *settled == ticket).expect("settled");
                Ok(Reply::Cell(reply))
            }
            Step::Issue(job) => {
                let issued = job.run(&mut self.rng);
                self.core(number).issued(now, issued)
            }
        }
    }

    pub(crate) fn table(&mut self, number: u8, period: Period) -> TableDescriptor {
        let Ok(Reply::Table(table)) = self.call(number, Call::Table(period)) else { panic!("no table") };
        let federation = Arc::clone(&self.federation);
        table.verify(|id| federation.signing_key(id)).unwrap().clone()
    }

    /// A token of the present hour.
    pub(crate) fn token(&mut self, number: u8, purpose: TokenPurpose) -> WireToken {
        let present = hour(self.now);
        let kept = |cluster: &mut Self| cluster.purchase.as_mut()?.take(id(number), purpose, present);
        if let Some(token) = kept(self) {
            return token;
        }
        let from: Vec<u8> = self.live().into_iter().map(ProviderId::get).collect();
        self.purchase = Some(self.buy(8, &from));
        kept(self).expect("bought just now")
    }

    /// Tokens for this hour, of the issuers in `from`.
    pub(crate) fn buy(&mut self, units: u8, from: &[u8]) -> Purchase {
        let issuers = Issuers::of(self.federation.descriptor());
        let span = Span { first: hour(self.now), hours: 1, units };
        let mut purchase = Purchase::new(&issuers, span, &mut self.rng);
        for number in from {
            let Ok(Reply::Terms(terms)) = self.call(*number, Call::Terms) else { panic!("no terms") };
            terms.verify(&self.federation.signing_key(id(*number)).unwrap()).unwrap();
            let query = purchase.ask(id(*number), &mut self.rng).unwrap().solved(&terms).unwrap();
            let Ok(Reply::Tokens(reply)) = self.call(*number, Call::Tokens(query)) else { panic!("no tokens") };
            purchase.take_reply(id(*number), &reply).unwrap();
        }
        purchase
    }

    /// A random event for the rendezvous table of the present period.
    pub(crate) fn event(&mut self, stream: Stream) -> [u8; EVENT] {
        let period = self.now.period();
        let live = self.live()[0].get();
        let table = self.table(live, period);
        let rows: Vec<u32> = (0..10).map(|slot| slot * 1_000 + self.rng.next_u32() % 1_000).collect();
        self.event_for(&table, Lane::Rendezvous, stream, &rows)
    }

    pub(crate) fn event_for(
        &mut self,
        table: &TableDescriptor,
        lane: Lane,
        stream: Stream,
        rows: &[u32],
    ) -> [u8; EVENT] {
        let mut records = vec![0; 1_920];
        self.rng.fill_bytes(&mut records);
        event_bytes(table, lane, stream, rows, &records)
    }

    pub(crate) fn deposit(&mut self, number: u8, event: [u8; EVENT]) -> Result<Receipt, ProblemCode> {
        let token = self.token(number, TokenPurpose::Deposit);
        self.deposit_with(number, token, event)
    }

    pub(crate) fn deposit_with(
        &mut self,
        number: u8,
        token: WireToken,
        event: [u8; EVENT],
    ) -> Result<Receipt, ProblemCode> {
        match self.call(number, Call::Cell(CellRequest::Deposit { token, event })) {
            Ok(Reply::Cell(CellReply::Receipt(receipt))) => {
                receipt.verify(&self.federation.signing_key(id(number)).unwrap()).unwrap();
                Ok(receipt)
            }
            Ok(Reply::Cell(CellReply::Problem(problem))) => Err(problem.code),
            other => panic!("{other:?}"),
        }
    }
}

/// The layout of `docs/spec/wire.md`, written out: encoding goes through the release barrier only, and
/// these records say nothing.
pub(crate) fn event_bytes(
    table: &TableDescriptor,
    lane: Lane,
    stream: Stream,
    rows: &[u32],
    records: &[u8],
) -> [u8; EVENT] {
    let mut bytes = vec![1, stream.number()];
    bytes.extend(table.tile.0.to_be_bytes());
    bytes.extend(TableId::new(table.period, lane).0.to_be_bytes());
    for row in rows {
        bytes.extend(&row.to_be_bytes()[1..]);
    }
    bytes.extend([0x55; 32]);
    bytes.extend(table.hash());
    bytes.extend([0; 24]);
    bytes.extend(records);
    bytes.try_into().unwrap()
}

/// An evaluation query, written out for the same reason.
pub(crate) fn query_bytes(table: &TableDescriptor, points: &[[u8; 32]]) -> [u8; EvaluateFields::SIZE] {
    let mut bytes = vec![1, mosaic_wire::OprfInput::SUITE];
    bytes.extend(table.tile.0.to_be_bytes());
    bytes.extend(table.period.0.to_be_bytes());
    points.iter().for_each(|point| bytes.extend(point));
    bytes.try_into().unwrap()
}
