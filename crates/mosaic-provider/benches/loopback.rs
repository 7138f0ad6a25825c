//! Deposits acknowledged over TLS, and generations read back: three providers on real disks, each with threads of its own, and
//! clients that seal every event, all in one process and over the loopback interface. What a person's agent waits for, with
//! everybody's work on the same cores.
//!
//! Each client is an agent of its own: its connection stays open, and its tokens were bought before. What buying costs, and a
//! connection for each deposit, are parts of their own.
//!
//! ```sh
//! cargo bench --locked -p mosaic-provider --bench loopback -- 64 6           # clients at a time, seconds of each part
//! cargo bench --locked -p mosaic-provider --bench loopback -- 64 6 --json    # the same for `cargo xtask compare provider`
//! cargo bench --locked -p mosaic-provider --bench loopback -- 64 6 --one     # deposits at provider 1 alone, to tell the roles apart
//! ```

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and ends at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

#[path = "../tests/it/buying.rs"]
mod buying;
#[path = "loopback/client.rs"]
mod client;
#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/it/cluster.rs"]
mod cluster;
#[path = "loopback/federation.rs"]
mod federation;
#[path = "loopback/pace.rs"]
mod pace;
#[path = "loopback/terms.rs"]
mod terms;

use std::{env, sync::Arc, time::Duration};

use client::{Depositor, Way, World, in_parallel};
use cluster::id;
use federation::Providers;
use pace::Pace;
use terms::Terms;
use tokio::runtime;

/// Deposits that make a minute's generation of a tile of a thousand devices: five an hour each on one lane.
const MINUTE: usize = 84;
/// Deposits a second that tokens are bought for where nothing was measured yet; a part ends when they are spent.
const EXPECTED: f64 = 4_500.0;
/// How much of what is possible is asked for when waiting is measured.
const LOAD: f64 = 0.7;

fn main() {
    let given: Vec<u64> = env::args().filter_map(|argument| argument.parse().ok()).collect();
    let (clients, seconds) = (given.first().copied().unwrap_or(64), given.get(1).copied().unwrap_or(6));
    let flag = |name: &str| env::args().any(|argument| argument == name);
    let runtime = runtime::Builder::new_multi_thread().thread_name("clients").enable_all().build().unwrap();
    let places: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let providers = Providers::start(&places);
    let origins = if flag("--one") { vec![id(1)] } else { vec![id(1), id(2), id(3)] };
    let told = runtime.block_on(measure(&providers, origins, (clients, Duration::from_secs(seconds)), flag("--quick")));
    if flag("--json") {
        println!("{}", told.json());
    } else {
        told.print();
    }
}

/// Everything that was measured.
struct Told {
    clients: u64,
    bought: (Pace, Terms),
    deposits: (Pace, Terms),
    connecting: Option<(Pace, Terms)>,
    loaded: Option<Pace>,
    mailbox: Option<(Pace, Terms)>,
    reads: (Pace, Terms),
    records_a_read: u32,
}

async fn measure(
    providers: &Providers,
    origins: Vec<mosaic_types::ProviderId>,
    (clients, length): (u64, Duration),
    quick: bool,
) -> Told {
    let world = Arc::new(World::new(&providers.federation, origins).await);
    let minute = world.fill_a_generation(MINUTE).await;
    let before = Terms::now();
    let mut depositors: Vec<Depositor> = (0..clients).map(|seed| Depositor::new(&world, seed)).collect();
    let each = |a_second: f64| (a_second * length.as_secs_f64() / clients as f64).ceil() as u64;
    let (bought, back) = in_parallel(depositors, |depositor| depositor.buy(each(EXPECTED))).await;
    let tokens: usize = bought.iter().map(|(_, count)| count).sum();
    let bought = (Pace::of(bought.into_iter().map(|(waited, _)| waited), tokens), Terms::since(&before, tokens));

    let part = async |depositors: Vec<Depositor>, way: Way| {
        let before = Terms::now();
        let (done, back) = in_parallel(depositors, |depositor| depositor.deposit(way, length)).await;
        let pace = Pace::together(done);
        let terms = Terms::since(&before, pace.done);
        ((pace, terms), back)
    };
    let deposits;
    (deposits, depositors) = part(back, Way::Kept).await;
    let (mut connecting, mut loaded, mut mailbox) = (None, None, None);
    if !quick {
        let again = async |depositors: Vec<Depositor>, share: f64| {
            let each = each(share * deposits.0.a_second);
            in_parallel(depositors, |depositor| depositor.buy(each)).await.1
        };
        let every = Duration::from_secs_f64(clients as f64 / (LOAD * deposits.0.a_second));
        let (paced, returned) = part(again(depositors, LOAD + 0.1).await, Way::Paced { every, clients }).await;
        loaded = Some(paced.0);
        let (made, returned) = part(again(returned, 0.5).await, Way::Connecting).await;
        connecting = Some(made);
        let (mail, returned) = part(again(returned, 0.7).await, Way::WithReading(minute)).await;
        mailbox = Some(mail);
        depositors = returned;
    }
    let before = Terms::now();
    let (done, _) = in_parallel(depositors, |depositor| depositor.read(minute, length)).await;
    let pace = Pace::together(done);
    let terms = Terms::since(&before, pace.done);
    let reads = (pace, terms);
    Told { clients, bought, deposits, connecting, loaded, mailbox, reads, records_a_read: minute.count }
}

impl Told {
    fn print(&self) {
        let Self { clients, bought, deposits, connecting, loaded, mailbox, reads, records_a_read } = self;
        println!("{clients} clients, {} processors", std::thread::available_parallelism().map_or(1, usize::from));
        let show = |name: &str, (pace, terms): &(Pace, Terms)| println!("{name}: {pace}\n    {terms}");
        println!("points of tokens evaluated, with their proofs: {}\n    {}", bought.0, bought.1);
        show("deposits, connections kept", deposits);
        connecting.iter().for_each(|part| show("deposits, a connection for each", part));
        loaded.iter().for_each(|pace| println!("deposits at {:.0} % of that load: {pace}", LOAD * 100.0));
        let mail = format!("a deposit, then a generation of {records_a_read} records read");
        mailbox.iter().for_each(|part| show(&mail, part));
        show(&format!("reads of a generation of {records_a_read} records"), reads);
    }

    fn json(&self) -> serde_json::Value {
        let both = |(pace, terms): &(Pace, Terms)| {
            let mut json = pace.json();
            json["terms_us"] = terms.json();
            json
        };
        serde_json::json!({
            "clients": self.clients, "deposits": both(&self.deposits), "reads": both(&self.reads),
            "records_a_read": self.records_a_read, "tokens": both(&self.bought),
            "connecting": self.connecting.as_ref().map(both), "mailbox": self.mailbox.as_ref().map(both),
            "loaded": self.loaded.as_ref().map(Pace::json), "load": LOAD,
        })
    }
}
