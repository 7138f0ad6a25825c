//! An acknowledged deposit survives SIGKILL of its provider at any instant (DESIGN section 6).

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use mosaic_crypto::signing::VerifyingKey;
use mosaic_federation::{Federation, Issuers, Purchase, Span, hour};
use mosaic_transport::{Patience, ProviderClient};
use mosaic_types::{Lane, Period, ProviderId, RowTag, SegmentId, Stream, TableId};
use mosaic_wire::{
    Address, Call, CellReply, CellRequest, EVENT, GenerationBlock, GenerationId, GenerationsQuery, HeadsQuery,
    KnownGenerations, Problem, RECORD, Receipt, Reply, SLOTS, SignedTable, TokenPurpose, WireToken,
};
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::task::JoinSet;

use crate::{
    federation::{providers, signed},
    support::{Install, Ran, Staying, command, practice_clock},
};

const DEPOSITS: usize = 10_000;
const AT_ONCE: usize = 128;
const KILLS: usize = 4;
/// Units of one purchase: three deposits at the provider each.
const UNITS: u8 = 200;

pub(crate) struct World {
    pub(crate) home: Install,
    pub(crate) clock: String,
    client: Arc<ProviderClient>,
    pub(crate) running: BTreeMap<u8, Staying>,
    rng: ChaCha8Rng,
    pub(crate) issuers: Issuers,
}

/// An event nobody can tell from a real one, as its bytes: the test stands outside the release barrier.
pub(crate) fn event(table: &SignedTable, stream: Stream, rng: &mut ChaCha8Rng) -> [u8; EVENT] {
    let descriptor = table.dangerously_unverified();
    let id = TableId::new(descriptor.period, Lane::Rendezvous);
    let mut rows: Vec<u32> = Vec::new();
    while rows.len() < SLOTS {
        let row = rng.random_range(0..descriptor.lane(Lane::Rendezvous).rows);
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    let mut bytes = [0; EVENT];
    rng.fill_bytes(&mut bytes);
    bytes[0] = 1;
    bytes[1] = stream.number();
    bytes[2..6].copy_from_slice(&descriptor.tile.0.to_be_bytes());
    bytes[6..10].copy_from_slice(&id.0.to_be_bytes());
    for (slot, row) in rows.iter().enumerate() {
        let tag = RowTag::new(*row, 0).unwrap();
        bytes[10 + 3 * slot..13 + 3 * slot].copy_from_slice(&tag.to_bytes());
    }
    bytes[72..104].copy_from_slice(&descriptor.hash());
    bytes
}

impl World {
    /// Three operators' providers, none of which runs yet.
    pub(crate) fn new(seed: u64) -> (Self, Federation) {
        let home = Install::new();
        let folders = providers(&home);
        let federation: Federation = {
            let bytes = std::fs::read(signed(&home, &folders)).unwrap();
            mosaic_federation::SignedDocument::parse(&bytes).unwrap().verify().unwrap()
        };
        (Self::of(home, &federation, seed), federation)
    }

    /// A federation whose folders and document are in `home`.
    pub(crate) fn of(home: Install, federation: &Federation, seed: u64) -> Self {
        let client = ProviderClient::for_federation(federation.descriptor(), Patience::default()).unwrap();
        let (clock, rng) = (practice_clock(20.0), ChaCha8Rng::seed_from_u64(seed));
        let issuers = Issuers::of(federation.descriptor());
        Self { home, clock, client: Arc::new(client), running: BTreeMap::new(), rng, issuers }
    }

    pub(crate) fn start(&mut self, number: u8) {
        self.try_start(number).unwrap_or_else(|ran| panic!("provider {number} did not reopen: {ran:?}"));
    }

    /// Starts a provider, or says what it said instead.
    pub(crate) fn try_start(&mut self, number: u8) -> Result<(), Ran> {
        self.try_start_with(number, &[])
    }

    /// The same, with more arguments.
    pub(crate) fn try_start_with(&mut self, number: u8, more: &[&str]) -> Result<(), Ran> {
        let mut run = command(&self.home.file(&format!("p{number}")));
        run.args(["provider", "run", "--parent-on-stdin", "--practice-clock", &self.clock, "--federation"]);
        run.arg(self.home.file("whole.json")).args(more);
        self.running.insert(number, Staying::start(run)?);
        Ok(())
    }

    pub(crate) async fn call(&self, number: u8, call: Call) -> Option<Reply> {
        self.client.call(&address(number), &call).await.ok()
    }

    /// The table of the period in which the run begins.
    pub(crate) async fn table(&self) -> SignedTable {
        let period = Period(u32::try_from(1_780_675_200_u64 / 14_400).unwrap());
        for _ in 0..20_000 {
            if let Some(Reply::Table(table)) = self.call(1, Call::Table(period)).await {
                return table;
            }
        }
        panic!("the providers agree on no table")
    }

    /// Deposit tokens of provider 1 for the present hour, issued by it and by provider 2.
    pub(crate) async fn tokens(&mut self) -> Vec<WireToken> {
        for _ in 0..2_000 {
            let Some(Reply::Time(time)) = self.call(1, Call::Time).await else { continue };
            let span = Span { first: hour(time.time), hours: 1, units: UNITS };
            let mut purchase = Purchase::new(&self.issuers, span, &mut self.rng);
            if self.buy(&mut purchase, 1).await.is_some() && self.buy(&mut purchase, 2).await.is_some() {
                let one = address(1).provider;
                return std::iter::from_fn(|| purchase.take(one, TokenPurpose::Deposit, span.first)).collect();
            }
        }
        panic!("the providers issue no tokens")
    }

    pub(crate) async fn buy(&mut self, purchase: &mut Purchase, number: u8) -> Option<()> {
        let Reply::Terms(terms) = self.call(number, Call::Terms).await? else { return None };
        let query = purchase.ask(terms.provider, &mut self.rng).unwrap().solved(&terms).unwrap();
        let Reply::Tokens(reply) = self.call(number, Call::Tokens(query)).await? else { return None };
        purchase.take_reply(terms.provider, &reply).ok()
    }

    /// Deposits everything at provider 1, killing it at random points, until all is acknowledged.
    async fn deposit(&mut self, events: Vec<[u8; EVENT]>) -> Vec<([u8; EVENT], Receipt)> {
        let mut kills: Vec<usize> = (0..KILLS).map(|_| self.rng.random_range(500..DEPOSITS - 500)).collect();
        kills.sort_unstable();
        let (mut waiting, mut acked, mut tokens) = (events, Vec::new(), Vec::new());
        let mut flying: JoinSet<([u8; EVENT], Option<Receipt>)> = JoinSet::new();
        while acked.len() < DEPOSITS {
            while flying.len() < AT_ONCE && !waiting.is_empty() {
                if tokens.is_empty() {
                    tokens = self.tokens().await;
                }
                let (Some(event), Some(token)) = (waiting.pop(), tokens.pop()) else { break };
                let client = Arc::clone(&self.client);
                flying.spawn(async move { (event, deposit(&client, token, event).await) });
            }
            if kills.first().is_some_and(|at| acked.len() >= *at) {
                kills.remove(0);
                // requests are in flight now: this is the middle of whatever the provider does
                self.running.get_mut(&1).unwrap().kill();
                self.start(1);
            }
            match flying.join_next().await.unwrap().unwrap() {
                (event, Some(receipt)) => acked.push((event, receipt)),
                (event, None) => waiting.push(event),
            }
        }
        acked
    }

    /// Deposits a few events at provider 1, one after the other, until each is acknowledged.
    pub(crate) async fn deposit_some(&mut self, count: usize) -> Vec<([u8; EVENT], Receipt)> {
        let table = self.table().await;
        let (mut acked, mut tokens) = (Vec::new(), Vec::new());
        while acked.len() < count {
            let event = event(&table, Stream::Fast, &mut self.rng);
            if tokens.is_empty() {
                tokens = self.tokens().await;
            }
            let Some(token) = tokens.pop() else { continue };
            acked.extend(deposit(&self.client, token, event).await.map(|receipt| (event, receipt)));
        }
        acked
    }

    /// What provider 1 says to a deposit for the present table.
    pub(crate) async fn refusal(&mut self) -> Problem {
        let table = self.table().await;
        let token = self.tokens().await.pop().unwrap();
        let event = event(&table, Stream::Fast, &mut self.rng);
        match self.client.call(&address(1), &Call::Cell(CellRequest::Deposit { token, event })).await {
            Ok(Reply::Cell(CellReply::Problem(problem))) => problem,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// Every acknowledged record is in the sealed generation that its receipt names, at provider 1 and at the replica.
    pub(crate) async fn assert_all_there(&self, key: &VerifyingKey, acked: &[([u8; EVENT], Receipt)]) {
        let mut sealed: BTreeMap<(u8, SegmentId, u32), GenerationBlock> = BTreeMap::new();
        for (event, receipt) in acked {
            receipt.verify(key).unwrap();
            let id = GenerationId { segment: receipt.segment, index: receipt.generation };
            for number in [1, receipt.replica.get()] {
                let place = (number, id.segment, id.index);
                if let Entry::Vacant(free) = sealed.entry(place) {
                    free.insert(self.block(number, id).await);
                }
                for slot in (0..SLOTS).filter(|slot| receipt.accepted & (1 << slot) != 0) {
                    assert!(holds(&sealed[&place], event, slot), "an acknowledged record is lost at provider {number}");
                }
            }
        }
    }

    /// A sealed generation, as provider `number` has it.
    async fn block(&self, number: u8, id: GenerationId) -> GenerationBlock {
        for _ in 0..20_000 {
            let heads = HeadsQuery::new(vec![KnownGenerations { segment: id.segment, count: id.index }]).unwrap();
            let Some(Reply::Heads(heads)) = self.call(number, Call::Heads(heads)).await else { continue };
            let Some(head) = heads.heads().iter().find(|head| head.segment == id.segment && head.index == id.index)
            else {
                continue;
            };
            let query = GenerationsQuery::new(vec![id]).unwrap();
            let Some(Reply::Generations(blocks)) = self.call(number, Call::Generations(query)).await else { continue };
            if let Some(block) = blocks.into_blocks().into_iter().next() {
                assert!(head.covers(&block), "the head signs another block");
                return block;
            }
        }
        panic!("provider {number} never seals generation {} of {:?}", id.index, id.segment)
    }
}

pub(crate) fn address(number: u8) -> Address {
    Address { provider: ProviderId::new(number).unwrap(), via: None }
}

pub(crate) async fn deposit(client: &ProviderClient, token: WireToken, event: [u8; EVENT]) -> Option<Receipt> {
    match client.call(&address(1), &Call::Cell(CellRequest::Deposit { token, event })).await {
        Ok(Reply::Cell(CellReply::Receipt(receipt))) => Some(receipt),
        _ => None,
    }
}

fn holds(block: &GenerationBlock, event: &[u8; EVENT], slot: usize) -> bool {
    let row = RowTag::from_bytes(event[10 + 3 * slot..13 + 3 * slot].try_into().unwrap()).row();
    let record = &event[EVENT - SLOTS * RECORD + slot * RECORD..][..RECORD];
    block.row(row).iter().any(|stored| stored.bytes == record)
}

/// 10,000 deposits, four kills at points drawn from a fixed seed, then every acknowledged record is looked up in the
/// sealed generation its receipt names, at the provider that was killed and at the replica. Asked to end at last, each
/// provider closes its store.
#[test]
fn no_acknowledged_deposit_is_lost_to_kill_9() {
    mosaic_transport::install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (mut world, federation) = World::new(0x0910);
    (1..=3).for_each(|number| world.start(number));
    let key = federation.signing_key(ProviderId::new(1).unwrap()).unwrap();
    runtime.block_on(async {
        let table = world.table().await;
        let events = (0..DEPOSITS).map(|_| event(&table, Stream::Fast, &mut world.rng)).collect();
        let acked = world.deposit(events).await;
        world.assert_all_there(&key, &acked).await;
    });
    for (number, provider) in std::mem::take(&mut world.running) {
        let closed = world.home.file(&format!("p{number}/store/closed"));
        assert!(!closed.exists(), "while it is written to");
        assert_eq!(provider.terminate(), 0);
        assert!(closed.exists(), "provider {number} did not close its store");
    }
}
