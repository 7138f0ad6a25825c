//! One provider in 1, 2 and 4 front processes, as real processes on loopback: its writer, a table on a real server of the
//! DynamoDB API and a spent set in a real Redis Cluster of six nodes. What an operation costs each of them in processor
//! time, and what follows from that for up to a thousand fronts.
//!
//! ```sh
//! cargo bench --locked -p mosaic --bench fronts -- 5    # seconds of each measurement
//! ```
//!
//! The clients and every process share this machine's processors, so the operations a second say little; processor
//! time is what the model is made of.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and ends at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/it/crash.rs"]
mod crash;
#[expect(unused_imports, reason = "the tests use the rest of it")]
#[path = "../tests/it/federation.rs"]
mod federation;
#[expect(dead_code, unused_imports, reason = "the tests use the rest of it")]
#[path = "../tests/it/prometheus.rs"]
mod prometheus;
#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../../../crates/mosaic-provider/tests/it/redis.rs"]
mod redis;
#[path = "../../../crates/mosaic-provider/tests/it/server.rs"]
mod server;
#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/it/support.rs"]
mod support;
#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/it/town.rs"]
mod town;

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crash::{address, deposit, event};
use mosaic_transport::ProviderClient;
use mosaic_types::{Lane, SegmentId, Stream, TableId};
use mosaic_wire::{Call, GenerationId, GenerationsQuery, HeadsQuery, KnownGenerations, Reply, SignedTable, WireToken};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use town::{Town, evaluate, query};

/// Clients at a time.
const CLIENTS: usize = 16;

/// Front processes measured.
const MEASURED: [u8; 3] = [1, 2, 4];

/// Front processes reckoned, each with a processor.
const RECKONED: [u32; 7] = [1, 2, 4, 10, 100, 333, 1_000];

/// Requests to the table of one look of a front: its periods, and the heads of two periods' segments, three origins' in
/// three streams and two lanes.
const LOOK_REQUESTS: u32 = 1 + 2 * 2 * 9;

/// Of them, those for one table's heads, which lie in one partition.
const LOOK_OF_ONE_TABLE: u32 = 9;

/// Reads a second that one partition gives, by the documentation of the service.
const PARTITION_READS: u32 = 3_000;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Evaluation,
    Read,
    Deposit,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Evaluation, Self::Read, Self::Deposit];

    const fn name(self) -> &'static str {
        match self {
            Self::Evaluation => "evaluation of 16 points",
            Self::Read => "heads, and a generation",
            Self::Deposit => "deposit",
        }
    }
}

/// Processor time in milliseconds, by who spent it.
#[derive(Clone, Copy, Default)]
struct Spent {
    fronts: f64,
    writer: f64,
    redis: f64,
    table: f64,
}

impl Spent {
    /// Up to now.
    fn of(town: &Town) -> Self {
        let all = |pids: Vec<u32>| pids.into_iter().map(processor_ms).sum();
        Self {
            fronts: all(town.fronts.values().map(support::Staying::pid).collect()),
            writer: processor_ms(town.world.running[&1].pid()),
            redis: all(town.redis.nodes.iter().map(|node| node.child.id()).collect()),
            table: processor_ms(town.table.child.id()),
        }
    }

    /// Since then, for each of so many.
    fn each(self, before: Self, count: u64) -> Self {
        let each = |now: f64, before: f64| (now - before) / count.max(1) as f64;
        Self {
            fronts: each(self.fronts, before.fronts),
            writer: each(self.writer, before.writer),
            redis: each(self.redis, before.redis),
            table: each(self.table, before.table),
        }
    }
}

/// User and system time of a process, as the system counts it: hundredths of a second.
fn processor_ms(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    ticks as f64 * 10.0
}

fn main() {
    mosaic_transport::install_crypto();
    let seconds = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(5);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(Duration::from_secs(seconds)));
}

async fn run(span: Duration) {
    let mut town = Town::start(1, 1.0).await.expect("dynoxide and redis-server");
    town.start_front(1);
    let table = town.world.table().await;
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    // something to read: a few sealed generations
    let acked = town.world.deposit_some(200).await;
    let key = town.federation.signing_key(address(1).provider).unwrap();
    town.world.assert_all_there(&key, &acked).await;
    println!("processor milliseconds an operation, {CLIENTS} clients, {} s each:\n", span.as_secs());
    println!("| fronts | operation | a second | fronts | writer | Redis | table |\n|---|---|---|---|---|---|---|");
    let mut costs = [Spent::default(); 3];
    for fronts in MEASURED {
        (town.fronts.len() as u8 + 1..=fronts).for_each(|number| town.start_front(number));
        for (kind, cost) in Kind::ALL.into_iter().zip(&mut costs) {
            let (rate, each) = measure(&mut town, kind, &table, span, &mut rng).await;
            let Spent { fronts: front, writer, redis, table } = each;
            let name = kind.name();
            println!("| {fronts} | {name} | {rate:.0} | {front:.2} | {writer:.2} | {redis:.3} | {table:.2} |");
            if fronts == 1 {
                *cost = each;
            }
        }
    }
    reckon(&costs);
}

/// Operations a second, and what each cost.
async fn measure(
    town: &mut Town,
    kind: Kind,
    table: &SignedTable,
    span: Duration,
    rng: &mut ChaCha8Rng,
) -> (f64, Spent) {
    let (tokens, events) = match kind {
        Kind::Evaluation => (town.evaluation_tokens(1_000 * span.as_secs() as usize, rng).await, Vec::new()),
        Kind::Read => (Vec::new(), Vec::new()),
        Kind::Deposit => {
            let mut tokens = Vec::new();
            while tokens.len() < 600 * span.as_secs() as usize {
                tokens.extend(town.world.tokens().await);
            }
            let events = tokens.iter().map(|_| event(table, Stream::Fast, rng)).collect();
            (tokens, events)
        }
    };
    let asked = query(table, b"benchmark", rng);
    let work: Mutex<Vec<(WireToken, _)>> = Mutex::new(match kind {
        Kind::Deposit => tokens.into_iter().zip(events.into_iter().map(Some)).collect(),
        _ => tokens.into_iter().map(|token| (token, None)).collect(),
    });
    let (work, done) = (Arc::new(work), Arc::new(AtomicU64::new(0)));
    let clients = town.clients();
    let (before, begun) = (Spent::of(town), Instant::now());
    let people: Vec<_> = (0..CLIENTS)
        .map(|person| {
            let client = clients[person % town.fronts.len()].clone();
            let (work, done, table) = (work.clone(), done.clone(), table.clone());
            tokio::spawn(async move {
                while begun.elapsed() < span {
                    let next = if kind == Kind::Read { None } else { work.lock().unwrap().pop() };
                    let did = match (kind, next) {
                        (Kind::Evaluation, Some((token, _))) => evaluate(&client, token, asked).await.is_ok(),
                        (Kind::Deposit, Some((token, Some(event)))) => deposit(&client, token, event).await.is_some(),
                        (Kind::Read, _) => read(&client, &table).await,
                        _ => return,
                    };
                    done.fetch_add(u64::from(did), Ordering::Relaxed);
                }
            })
        })
        .collect();
    for person in people {
        person.await.unwrap();
    }
    let count = done.load(Ordering::Relaxed);
    (count as f64 / begun.elapsed().as_secs_f64(), Spent::of(town).each(before, count))
}

/// A poll: the heads of a segment, and its first generation.
async fn read(client: &ProviderClient, table: &SignedTable) -> bool {
    let id = TableId::new(table.dangerously_unverified().period, Lane::Rendezvous);
    let segment = SegmentId { table: id, origin: address(1).provider, stream: Stream::Fast };
    let heads = Call::Heads(HeadsQuery::new(vec![KnownGenerations { segment, count: 0 }]).unwrap());
    let block = Call::Generations(GenerationsQuery::new(vec![GenerationId { segment, index: 0 }]).unwrap());
    let shown = client.call(&address(1), &heads).await;
    let read = client.call(&address(1), &block).await;
    matches!((shown, read), (Ok(Reply::Heads(_)), Ok(Reply::Generations(_))))
}

/// The model: a processor for each front, for the writer, and for each of six nodes of Redis; whichever of those that have
/// a part in it is full first is the limit. It has no term for what a network adds, nor for the service with the table.
fn reckon(costs: &[Spent; 3]) {
    println!("\na processor each for N fronts, the writer and six nodes of Redis; operations a second:\n");
    println!("| N | evaluations | reads | deposits | requests of looks to the table |\n|---|---|---|---|---|");
    let [evaluation, read, deposit] = costs;
    let a_second = |cost: f64, processors: u32| f64::from(processors) * 1_000.0 / cost;
    for fronts in RECKONED {
        // a copy is as much work as the key itself, so all six nodes share it
        let evaluations = a_second(evaluation.fronts, fronts).min(a_second(evaluation.redis, 6));
        let reads = a_second(read.fronts, fronts);
        let deposits = a_second(deposit.fronts, fronts).min(a_second(deposit.writer, 1));
        println!("| {fronts} | {evaluations:.0} | {reads:.0} | {deposits:.0} | {} |", fronts * LOOK_REQUESTS);
    }
    println!(
        "\nA table's heads lie in one partition, which gives {PARTITION_READS} reads a second: {} fronts that look every second.",
        PARTITION_READS / LOOK_OF_ONE_TABLE
    );
}
