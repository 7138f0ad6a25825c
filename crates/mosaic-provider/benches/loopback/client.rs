//! Clients: each an agent with a connection and tokens of its own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mosaic_federation::{Federation, Purchase, hour};
use mosaic_transport::{Patience, ProviderClient, SystemClock};
use mosaic_types::{Clock as _, Lane, ProviderId, SegmentId, Stream, TableId};
use mosaic_wire::{
    Address, Call, CellReply, CellRequest, GenerationId, GenerationsQuery, Head, HeadsQuery, KnownGenerations, Reply,
    TableDescriptor, TokenPurpose, WireToken,
};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

use crate::{
    buying::buy,
    cluster::{event_bytes, id},
    pace::Done,
};

/// Deposits that a unit pays for at each provider.
const DEPOSITS_A_UNIT: u64 = 3;

/// What all clients know.
pub(crate) struct World {
    federation: Arc<Federation>,
    origins: Vec<ProviderId>,
    table: TableDescriptor,
}

/// How an event is deposited.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// One after the other over a connection that stays.
    Kept,
    /// A connection for each, as for an agent that writes every few minutes.
    Connecting,
    /// At times of its own, whether or not the one before is done: who is late waits longer.
    Paced { every: Duration, clients: u64 },
    /// Each followed by a read of this generation.
    WithReading(Head),
}

/// One client.
pub(crate) struct Depositor {
    world: Arc<World>,
    number: u64,
    client: ProviderClient,
    purchase: Option<Purchase>,
    bought_in: u32,
    turn: usize,
    rng: ChaCha20Rng,
}

/// Lets all clients do something at one time; what each did, and the clients again.
pub(crate) async fn in_parallel<T: Send + 'static, F: Future<Output = (T, Depositor)> + Send + 'static>(
    depositors: Vec<Depositor>,
    work: impl Fn(Depositor) -> F,
) -> (Vec<T>, Vec<Depositor>) {
    let running: Vec<_> = depositors.into_iter().map(|depositor| tokio::spawn(work(depositor))).collect();
    let (mut done, mut back) = (Vec::new(), Vec::new());
    for one in running {
        let (what, depositor) = one.await.unwrap();
        done.push(what);
        back.push(depositor);
    }
    (done, back)
}

fn client(federation: &Federation) -> ProviderClient {
    ProviderClient::for_federation(federation.descriptor(), Patience::default()).unwrap()
}

fn direct(provider: ProviderId) -> Address {
    Address { provider, via: None }
}

impl World {
    /// Asks until the present table is there; every answer takes a round trip, so this does not spin.
    pub(crate) async fn new(federation: &Arc<Federation>, origins: Vec<ProviderId>) -> Self {
        let client = client(federation);
        loop {
            let call = Call::Table(SystemClock.now().period());
            if let Ok(Reply::Table(table)) = client.call(&direct(id(1)), &call).await {
                let table = table.verify(|id| federation.signing_key(id)).unwrap().clone();
                return Self { federation: Arc::clone(federation), origins, table };
            }
        }
    }

    /// Deposits so many events at provider 1 and waits until they are sealed; the generation that holds most of them.
    pub(crate) async fn fill_a_generation(self: &Arc<Self>, events: usize) -> Head {
        let only = Self { federation: Arc::clone(&self.federation), origins: vec![id(1)], table: self.table.clone() };
        let mut depositor = Depositor::new(&Arc::new(only), 1 << 40);
        depositor.purchase_units(u8::try_from(events.div_ceil(3)).unwrap()).await;
        for _ in 0..events {
            let (_, token) = depositor.token().unwrap();
            depositor.send(id(1), token).await.unwrap();
        }
        depositor.largest_generation(events / 2 * 10).await
    }
}

impl Depositor {
    pub(crate) fn new(world: &Arc<World>, number: u64) -> Self {
        let client = client(&world.federation);
        let (rng, turn) = (ChaCha20Rng::seed_from_u64(number), usize::try_from(number % 3).unwrap());
        Self { world: Arc::clone(world), number, client, purchase: None, bought_in: 0, turn, rng }
    }

    /// Buys for so many deposits, spread over the origins; how many points were evaluated for that, those for evaluations with
    /// them.
    pub(crate) async fn buy(mut self, deposits: u64) -> ((Done, usize), Self) {
        let began = Instant::now();
        let units = deposits.div_ceil(self.world.origins.len() as u64).div_ceil(DEPOSITS_A_UNIT).clamp(1, 250);
        let units = u8::try_from(units).unwrap();
        self.purchase_units(units).await;
        let done = Done { waits: vec![began.elapsed()], began, ended: Instant::now(), refused: Vec::new() };
        // by each of three issuers: three deposits for each of three redeemers, and eight evaluations
        ((done, usize::from(units) * 3 * 17), self)
    }

    async fn purchase_units(&mut self, units: u8) {
        let now = SystemClock.now();
        // of all three, whichever is the replica
        let issuers: Vec<ProviderId> = (1..=3).map(id).collect();
        self.purchase =
            Some(buy(&self.client, &self.world.federation, (now, units), &issuers, &mut self.rng).await.unwrap());
        self.bought_in = hour(now);
    }

    /// The next token, and who takes it; `None` when all are spent.
    fn token(&mut self) -> Option<(ProviderId, WireToken)> {
        let origins = self.world.origins.len();
        for _ in 0..origins {
            let origin = self.world.origins[self.turn % origins];
            self.turn += 1;
            if let Some(token) = self.purchase.as_mut()?.take(origin, TokenPurpose::Deposit, self.bought_in) {
                return Some((origin, token));
            }
        }
        None
    }

    async fn send(&mut self, origin: ProviderId, token: WireToken) -> Result<(), String> {
        let mut records = vec![0; 1_920];
        self.rng.fill_bytes(&mut records);
        let rows: Vec<u32> = (0..10).map(|slot| slot * 13_000 + self.rng.next_u32() % 13_000).collect();
        let event = event_bytes(&self.world.table, Lane::Rendezvous, Stream::Fast, &rows, &records);
        let call = Call::Cell(CellRequest::Deposit { token, event });
        match self.client.call(&direct(origin), &call).await {
            Ok(Reply::Cell(CellReply::Receipt(_))) => Ok(()),
            Ok(Reply::Cell(CellReply::Problem(problem))) => Err(problem.code.slug().to_owned()),
            Err(failure) => Err(format!("{failure:?}")),
            Ok(other) => panic!("{other:?}"),
        }
    }

    /// Events until the time is over or all tokens are spent.
    pub(crate) async fn deposit(mut self, way: Way, length: Duration) -> (Done, Self) {
        let began = Instant::now();
        let (mut waits, mut refused) = (Vec::new(), Vec::new());
        let mut due = began;
        if let Way::Paced { every, clients } = way {
            due += every.mul_f64(self.number as f64 / clients as f64);
        }
        while began.elapsed() < length {
            let mut from = Instant::now();
            if let Way::Paced { every, .. } = way {
                // who is late began to wait when it should have been sent; who is early sleeps
                if due > from {
                    tokio::time::sleep_until(due.into()).await;
                    from = Instant::now();
                } else {
                    from = due;
                }
                due += every;
            }
            let Some((origin, token)) = self.token() else { break };
            if matches!(way, Way::Connecting) {
                self.client = client(&self.world.federation);
            }
            let sent = self.send(origin, token).await;
            if let (Way::WithReading(head), Ok(())) = (way, &sent) {
                self.download(&head).await;
            }
            match sent {
                Ok(()) => waits.push(from.elapsed()),
                Err(why) => refused.push(why),
            }
        }
        (Done { waits, began, ended: Instant::now(), refused }, self)
    }

    /// The same generation again and again, each time held against its head.
    pub(crate) async fn read(self, head: Head, length: Duration) -> (Done, Self) {
        let began = Instant::now();
        let mut waits = Vec::new();
        while began.elapsed() < length {
            let from = Instant::now();
            self.download(&head).await;
            waits.push(from.elapsed());
        }
        (Done { waits, began, ended: Instant::now(), refused: Vec::new() }, self)
    }

    async fn download(&self, head: &Head) {
        let wanted = GenerationId { segment: head.segment, index: head.index };
        let query = GenerationsQuery::new(vec![wanted]).unwrap();
        let reply = self.client.call(&direct(head.segment.origin), &Call::Generations(query)).await;
        let Ok(Reply::Generations(blocks)) = reply else { panic!("no generation: {reply:?}") };
        assert!(blocks.into_blocks().iter().all(|block| head.covers(block)));
    }

    /// The largest generation that provider 1 sealed; waits until one has at least so many records, at most ten generations long.
    async fn largest_generation(&self, at_least: usize) -> Head {
        let table = TableId::new(self.world.table.period, Lane::Rendezvous);
        let segment = SegmentId { table, origin: id(1), stream: Stream::Fast };
        loop {
            let query = HeadsQuery::new(vec![KnownGenerations { segment, count: 0 }]).unwrap();
            let Ok(Reply::Heads(heads)) = self.client.call(&direct(id(1)), &Call::Heads(query)).await else { continue };
            let enough = |head: &&Head| head.count as usize >= at_least;
            if let Some(head) = heads.heads().iter().filter(enough).max_by_key(|head| head.count) {
                return *head;
            }
        }
    }
}
