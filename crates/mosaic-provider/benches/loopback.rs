//! Deposits acknowledged over TLS, and generations read back: three providers on real disks, clients that seal every event,
//! all in one process and over the loopback interface. What a person's agent waits for, with everybody's work on the same
//! cores.
//!
//! ```sh
//! cargo bench --locked -p mosaic-provider --bench loopback -- 64 20           # clients at a time, seconds of each part
//! cargo bench --locked -p mosaic-provider --bench loopback -- 64 20 --json    # the same for `cargo xtask compare provider`
//! ```

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and ends at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

#[path = "../tests/it/buying.rs"]
mod buying;
#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/it/cluster.rs"]
mod cluster;

use std::{
    collections::BTreeMap,
    env,
    net::TcpListener,
    sync::Arc,
    time::{Duration, Instant},
};

use buying::buy;
use cluster::{event_bytes, id};
use mosaic_federation::{Federation, FederationDescriptor, Independence, Purchase, SignedDocument, Tile, hour};
use mosaic_provider::{Policy, Price, Provider, ProviderConfig, ProviderFolder, store::StoreAddress};
use mosaic_transport::{Patience, ProviderClient, SystemClock};
use mosaic_types::{Clock as _, Lane, SegmentId, Stream, TableId, TileId};
use mosaic_wire::{
    Address, Call, CellReply, CellRequest, GenerationId, GenerationsQuery, Head, HeadsQuery, KnownGenerations, Reply,
    TableDescriptor, TokenPurpose,
};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

/// Units that a client buys at one time: three deposits at the provider each.
const UNITS: u8 = 60;

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let given: Vec<u64> = env::args().filter_map(|argument| argument.parse().ok()).collect();
    let (clients, seconds) = (given.first().copied().unwrap_or(64), given.get(1).copied().unwrap_or(20));
    let places: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let federation = Arc::new(start(&places));
    let client = ProviderClient::for_federation(federation.descriptor(), Patience::default()).unwrap();
    let table = table(&client, &federation).await;
    let length = Duration::from_secs(seconds);
    let mut buyers = Vec::new();
    for seed in 0..clients {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let purchase = buy(&client, &federation, (SystemClock.now(), UNITS), &[id(1), id(2)], &mut rng).await.unwrap();
        buyers.push((purchase, rng));
    }
    let begun = Instant::now();
    let until = begun + length;
    let work = buyers
        .into_iter()
        .map(|buyer| tokio::spawn(deposit_until(client.clone(), federation.clone(), table.clone(), buyer, until)));
    let (mut waits, mut refusals) = (Vec::new(), BTreeMap::new());
    for done in work.collect::<Vec<_>>() {
        let (waited, refused) = done.await.unwrap();
        waits.extend(waited);
        refused.into_iter().for_each(|why| *refusals.entry(why).or_insert(0) += 1);
    }
    let deposits = Pace::of(waits, begun.elapsed());

    let largest = largest_generation(&client, &table).await;
    let (begun, wanted) = (Instant::now(), GenerationId { segment: largest.segment, index: largest.index });
    let work = (0..clients).map(|_| tokio::spawn(read_until(client.clone(), wanted, begun + length)));
    let (mut waits, mut refused_reads) = (Vec::new(), 0);
    for done in work.collect::<Vec<_>>() {
        let (waited, refused) = done.await.unwrap();
        waits.extend(waited);
        refused_reads += refused;
    }
    let reads = Pace::of(waits, begun.elapsed());
    if env::args().any(|argument| argument == "--json") {
        let told = serde_json::json!({
            "clients": clients, "deposits": deposits.json(), "reads": reads.json(), "records_a_read": largest.count,
        });
        println!("{told}");
        return;
    }
    println!("{clients} clients, deposits: {deposits}; refused: {refusals:?}");
    println!(
        "{clients} clients, reads of one generation of {} records: {reads}; refused: {refused_reads}",
        largest.count
    );
}

/// How many requests a second, and how long half, 95 % and 99 % of them took at most.
struct Pace {
    a_second: f64,
    within_ms: [f64; 3],
}

impl Pace {
    fn of(mut waits: Vec<Duration>, elapsed: Duration) -> Self {
        waits.sort();
        let within = |of: usize| waits[(waits.len() - 1) * of / 100].as_secs_f64() * 1e3;
        Self { a_second: waits.len() as f64 / elapsed.as_secs_f64(), within_ms: [50, 95, 99].map(within) }
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({ "a_second": self.a_second, "within_ms": self.within_ms })
    }
}

impl std::fmt::Display for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [half, most, all] = self.within_ms;
        write!(f, "{:.0} a second; half within {half:.1} ms, 95 % {most:.1} ms, 99 % {all:.1} ms", self.a_second)
    }
}

fn start(places: &[tempfile::TempDir]) -> Federation {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let make = |(place, number): (&tempfile::TempDir, u8)| {
        // the system names a free port; it is ours again a moment later
        let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = format!("https://{listen}");
        let (operator, jurisdiction) = ("me".into(), "FR".into());
        let (number, store) = (id(number), StoreAddress::Log);
        let (metrics_listen, spent) = (None, None);
        let config = ProviderConfig { number, listen, url, operator, jurisdiction, metrics_listen, store, spent };
        ProviderFolder::create(place.path(), config, &mut rng).unwrap()
    };
    let folders: Vec<ProviderFolder> = places.iter().zip(1..).map(make).collect();
    let tile = Tile { id: TileId(7), name: "Test".into(), lat: 41.0, lng: -8.0, radius_m: 10_000 };
    let entries = folders.iter().map(ProviderFolder::entry).collect();
    let descriptor = FederationDescriptor::new("bench", Independence::Practice, SystemClock.now(), 100, tile, entries);
    let mut document = SignedDocument::draft(&descriptor).unwrap();
    folders.iter().for_each(|folder| folder.sign(&mut document));
    let federation = document.verify().unwrap();
    folders.iter().for_each(|folder| folder.install(&federation).unwrap());
    for folder in folders {
        let policy = Policy { price: Price::practice(10_000), ..Policy::for_agents(10_000) };
        let provider = Provider::start_with(folder, Arc::new(SystemClock), policy).unwrap();
        tokio::spawn(provider.serve(std::future::pending()));
    }
    federation
}

/// Asks until the present table is there; every answer takes a round trip, so this does not spin.
async fn table(client: &ProviderClient, federation: &Federation) -> TableDescriptor {
    loop {
        let call = Call::Table(SystemClock.now().period());
        if let Ok(Reply::Table(table)) = client.call(&direct(), &call).await {
            return table.verify(|id| federation.signing_key(id)).unwrap().clone();
        }
    }
}

/// One client: an event after the other, each acknowledged before the next; new tokens where those of `buyer` are spent.
/// How long each took, and why others were refused.
async fn deposit_until(
    client: ProviderClient,
    federation: Arc<Federation>,
    table: TableDescriptor,
    (purchase, mut rng): (Purchase, ChaCha20Rng),
    until: Instant,
) -> (Vec<Duration>, Vec<String>) {
    let (mut waits, mut refused, mut purchase) = (Vec::new(), Vec::new(), Some(purchase));
    let take = |purchase: &mut Purchase| purchase.take(id(1), TokenPurpose::Deposit, hour(SystemClock.now()));
    while Instant::now() < until {
        let Some(token) = purchase.as_mut().and_then(take) else {
            let wanted = (SystemClock.now(), UNITS);
            purchase = buy(&client, &federation, wanted, &[id(1), id(2)], &mut rng).await.ok();
            continue;
        };
        let mut records = vec![0; 1_920];
        rng.fill_bytes(&mut records);
        let rows: Vec<u32> = (0..10).map(|slot| slot * 13_000 + rng.next_u32() % 13_000).collect();
        let event = event_bytes(&table, Lane::Rendezvous, Stream::Fast, &rows, &records);
        let begun = Instant::now();
        match client.call(&direct(), &Call::Cell(CellRequest::Deposit { token, event })).await {
            Ok(Reply::Cell(CellReply::Receipt(_))) => waits.push(begun.elapsed()),
            Ok(Reply::Cell(CellReply::Problem(problem))) => refused.push(problem.code.slug().to_owned()),
            Err(failure) => refused.push(format!("{failure:?}")),
            Ok(other) => panic!("{other:?}"),
        }
    }
    (waits, refused)
}

/// The largest generation that provider 1 sealed of what it was given; waits until one is sealed.
async fn largest_generation(client: &ProviderClient, table: &TableDescriptor) -> Head {
    let segment =
        SegmentId { table: TableId::new(table.period, Lane::Rendezvous), origin: id(1), stream: Stream::Fast };
    loop {
        let query = HeadsQuery::new(vec![KnownGenerations { segment, count: 0 }]).unwrap();
        let Ok(Reply::Heads(heads)) = client.call(&direct(), &Call::Heads(query)).await else { continue };
        if let Some(head) = heads.heads().iter().filter(|head| head.count > 0).max_by_key(|head| head.count) {
            return *head;
        }
    }
}

/// One client: the same generation again and again, each time decoded. How long each took, and how many were refused.
async fn read_until(client: ProviderClient, wanted: GenerationId, until: Instant) -> (Vec<Duration>, u32) {
    let (mut waits, mut refused) = (Vec::new(), 0);
    while Instant::now() < until {
        let begun = Instant::now();
        let query = GenerationsQuery::new(vec![wanted]).unwrap();
        match client.call(&direct(), &Call::Generations(query)).await {
            Ok(Reply::Generations(blocks)) => assert_eq!(blocks.into_blocks().len(), 1),
            _ => {
                refused += 1;
                continue;
            }
        }
        waits.push(begun.elapsed());
    }
    (waits, refused)
}

fn direct() -> Address {
    Address { provider: id(1), via: None }
}
