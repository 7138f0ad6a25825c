//! A provider of many processes among three: a writer, fronts behind a balancer of connections, a table on a real server and
//! a spent set in a real Redis Cluster.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc};

use mosaic_crypto::oprf;
use mosaic_federation::{Federation, Purchase, Span, hour};
use mosaic_transport::{Endpoint, Patience, ProviderClient};
use mosaic_wire::{
    Call, CallFailure, CellReply, CellRequest, EvaluateFields, OprfInput, Problem, Reply, SignedTable, TokenPurpose,
    WireToken,
};
use rand_chacha::ChaCha8Rng;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::{
    crash::{World, address},
    federation::signed,
    redis::RedisCluster,
    server::Server,
    support::{Install, Staying, command, ended, practice_clock},
};

pub(crate) struct Town {
    pub(crate) world: World,
    pub(crate) federation: Federation,
    pub(crate) fronts: BTreeMap<u8, Staying>,
    pub(crate) redis: RedisCluster,
    pub(crate) table: Server,
    balancer: Balancer,
}

/// Hands each connection to the next front that takes it, as a balancer of an operator's own would.
struct Balancer {
    fronts: Arc<std::sync::Mutex<Vec<SocketAddr>>>,
}

impl Balancer {
    fn run(listener: std::net::TcpListener) -> Self {
        let fronts = Arc::new(std::sync::Mutex::new(Vec::<SocketAddr>::new()));
        let turns = Arc::clone(&fronts);
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let order = {
                    let mut fronts = turns.lock().unwrap();
                    if !fronts.is_empty() {
                        fronts.rotate_left(1);
                    }
                    fronts.clone()
                };
                tokio::spawn(async move {
                    for front in order {
                        if let Ok(mut server) = TcpStream::connect(front).await {
                            let _either_end_left = copy_bidirectional(&mut client, &mut server).await;
                            return;
                        }
                    }
                });
            }
        });
        Self { fronts }
    }
}

impl Town {
    /// Provider 1 is a writer with no front yet; the other two are one process each. Their clock runs `speed` times as
    /// fast as the machine's. `None` without the servers.
    pub(crate) async fn start(seed: u64, speed: f64) -> Option<Self> {
        let (table, redis) = (Server::start()?, RedisCluster::start()?);
        let home = Install::new();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let (store, spent) = (table.address("mosaic-fronts"), redis.address());
        let init = |number: u8| -> PathBuf {
            let folder = home.file(&format!("p{number}"));
            let mut run = command(&folder);
            let number = number.to_string();
            run.args(["provider", "init", "--listen", "127.0.0.1:0", "--number", &number]);
            if number == "1" {
                run.args(["--url", &url, "--store", &store, "--spent", &spent]);
            }
            ended(run.output().unwrap()).done();
            folder
        };
        let folders: Vec<PathBuf> = (1..=3).map(init).collect();
        let bytes = std::fs::read(signed(&home, &folders)).unwrap();
        let federation = mosaic_federation::SignedDocument::parse(&bytes).unwrap().verify().unwrap();
        let mut world = World::of(home, &federation, seed);
        world.clock = practice_clock(speed);
        (1..=3).for_each(|number| world.start(number));
        let balancer = Balancer::run(listener);
        Some(Self { world, federation, fronts: BTreeMap::new(), redis, table, balancer })
    }

    pub(crate) fn start_front(&mut self, number: u8) {
        let mut run = command(&self.world.home.file("p1"));
        run.args(["provider", "run", "--front", "127.0.0.1:0", "--front-metrics", "127.0.0.1:0", "--parent-on-stdin"]);
        let front = Staying::start_ok(run.args(["--practice-clock", &self.world.clock]));
        self.fronts.insert(number, front);
        *self.balancer.fronts.lock().unwrap() = self.addresses();
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        self.fronts.values().map(|front| front.ready["front"].as_str().unwrap().parse().unwrap()).collect()
    }

    /// A client of each process of provider 1: the fronts, then the writer.
    pub(crate) fn clients(&self) -> Vec<ProviderClient> {
        let writer: SocketAddr = self.world.running[&1].ready["address"].as_str().unwrap().parse().unwrap();
        let of = |at: SocketAddr| {
            let entry = self.federation.descriptor().provider(address(1).provider).unwrap();
            let end = Endpoint { url: format!("https://{at}"), ..Endpoint::from(entry) };
            ProviderClient::new([end], Patience::default()).unwrap()
        };
        self.addresses().into_iter().chain([writer]).map(of).collect()
    }

    /// Evaluation tokens of provider 1 for the present hour.
    pub(crate) async fn evaluation_tokens(&mut self, count: usize, rng: &mut ChaCha8Rng) -> Vec<WireToken> {
        let mut tokens = Vec::new();
        while tokens.len() < count {
            let Some(Reply::Time(time)) = self.world.call(1, Call::Time).await else { continue };
            let span = Span { first: hour(time.time), hours: 1, units: 200 };
            let mut purchase = Purchase::new(&self.world.issuers, span, rng);
            if self.world.buy(&mut purchase, 1).await.is_some() {
                let one = address(1).provider;
                tokens.extend(std::iter::from_fn(|| purchase.take(one, TokenPurpose::Evaluate, span.first)));
            }
        }
        tokens
    }

    /// What a front's operator sees of one count.
    pub(crate) fn count(&self, front: u8, name: &str) -> u64 {
        let url = self.fronts[&front].ready["metrics"].as_str().unwrap().to_owned();
        let text = crate::prometheus::metrics(url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap());
        let line = text.lines().find(|line| line.split(' ').next() == Some(name)).unwrap();
        line.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

/// Where a query's points begin.
pub(crate) const POINTS: usize = 10;

/// Sixteen points, blinded from `word`, for the key of a table.
pub(crate) fn query(table: &SignedTable, word: &[u8], rng: &mut ChaCha8Rng) -> [u8; EvaluateFields::SIZE] {
    let descriptor = table.dangerously_unverified();
    let mut bytes = vec![1, OprfInput::SUITE];
    bytes.extend(descriptor.tile.0.to_be_bytes());
    bytes.extend(descriptor.period.0.to_be_bytes());
    for _ in 0..16 {
        bytes.extend(oprf::blind(word, rng).unwrap().1);
    }
    bytes.try_into().unwrap()
}

pub(crate) async fn evaluate(
    client: &ProviderClient,
    token: WireToken,
    query: [u8; EvaluateFields::SIZE],
) -> Result<oprf::Evaluation, Problem> {
    match client.call(&address(1), &Call::Cell(CellRequest::Evaluate { token, query })).await {
        Ok(Reply::Cell(CellReply::Evaluation { points, proof })) => {
            Ok(oprf::Evaluation { points: points.to_vec(), proof })
        }
        Ok(Reply::Cell(CellReply::Problem(problem))) | Err(CallFailure::Refused(problem)) => Err(problem),
        other => panic!("{other:?}"),
    }
}
