//! What the provider's store does in a second, in memory and at a start, beside the engine before it.
//!
//! ```sh
//! cargo bench --locked -p mosaic-provider --bench store                    # durable events a second, both engines
//! cargo bench --locked -p mosaic-provider --bench store -- start 1000000   # events: memory and time of a start
//! cargo bench --locked -p mosaic-provider --bench store -- table ADDRESS   # an empty table, as `dynamodb://x/t?endpoint=…`
//! ```
//!
//! An event is what a deposit leaves: ten records with their rows, the answer and the spent token, under keys of the
//! real lengths. The folder is `TMPDIR`; a commit is flushed to its disk.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and ends at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::{env, fs, path::Path, process::Command, time::Instant};

use mosaic_provider::store::{Bucket, Change, LogStore, RedbStore, Store, StoreAddress};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

/// Records of an event with their rows.
const RECORDS: usize = 10 * 195;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["start", events] => start(events.parse().unwrap()),
        ["table", address] => table(&address.parse().unwrap()),
        ["open", folder, events] => open(Path::new(folder), events.parse().unwrap()),
        _ => throughput(),
    }
}

/// A deposit's changes in a table of one period.
fn event(rng: &mut ChaCha20Rng, changes: &mut Vec<Change>) {
    let (mut hash, mut spend, mut records) = ([0; 32], [0; 32], vec![0; RECORDS]);
    rng.fill_bytes(&mut hash);
    rng.fill_bytes(&mut spend);
    rng.fill_bytes(&mut records);
    let table = 244_956_u32.to_be_bytes();
    let open = [&table[..], &[2], &(rng.next_u32() % 240).to_be_bytes(), &hash].concat();
    changes.push(Change::Put(Bucket::Spent, [&20_000_u64.to_be_bytes()[..], &spend].concat(), hash.to_vec()));
    changes.push(Change::Put(Bucket::Verdicts, [&table[..], &hash].concat(), vec![7; 14]));
    changes.push(Change::Put(Bucket::Open, open, records));
}

/// Both engines in turns, `ROUNDS` times, so that what else the machine does hits both.
fn throughput() {
    const ROUNDS: usize = 5;
    println!("events a commit | log, events a second | redb, events a second | ratio of medians");
    for (together, commits) in [(1, 400), (64, 100), (512, 30)] {
        let (mut log, mut database) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS as u64 {
            log.push(rate(|folder| LogStore::open(folder).unwrap(), together, commits, round));
            database.push(rate(|folder| RedbStore::open(folder).unwrap(), together, commits, round));
        }
        let (log, database) = (median(&mut log), median(&mut database));
        println!("{together:>15} | {log:>20.0} | {database:>21.0} | {:.1}", log / database);
    }
}

/// A table and whatever server it is on: events a second, and what each costs this process. The server's own work is not
/// in it, nor is a network.
fn table(address: &StoreAddress) {
    println!("events a commit | table, events a second | CPU here, microseconds an event");
    for (together, commits) in [(1, 200), (64, 20), (512, 5)] {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(together as u64);
        let mut batches: Vec<Vec<Change>> = vec![Vec::new(); commits];
        batches.iter_mut().for_each(|batch| (0..together).for_each(|_| event(&mut rng, batch)));
        let mut store = address.open(folder.path(), &[1; 32], false).unwrap();
        let (begun, used) = (Instant::now(), cpu_ticks());
        batches.iter().for_each(|batch| store.commit(batch).unwrap());
        let (seconds, ticks) = (begun.elapsed().as_secs_f64(), cpu_ticks() - used);
        let events = (together * commits) as f64;
        // a tick is ten milliseconds on every Linux
        println!("{together:>15} | {:>22.0} | {:>31.0}", events / seconds, ticks as f64 * 1e4 / events);
    }
}

/// This process's time on all processors so far.
fn cpu_ticks() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2);
    fields.map(|field| field.parse::<u64>().unwrap()).sum()
}

fn rate<S: Store>(open: impl Fn(&Path) -> S, together: usize, commits: usize, seed: u64) -> f64 {
    let place = tempfile::tempdir().unwrap();
    let mut store = open(place.path());
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut batches: Vec<Vec<Change>> = vec![Vec::new(); commits];
    batches.iter_mut().for_each(|batch| (0..together).for_each(|_| event(&mut rng, batch)));
    let begun = Instant::now();
    for batch in &batches {
        store.commit(batch).unwrap();
    }
    (together * commits) as f64 / begun.elapsed().as_secs_f64()
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Fills a store, closes it, and lets a process of its own open it: what the allocator kept of the writing would be
/// reused unseen.
fn start(events: usize) {
    let place = tempfile::tempdir().unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut store = LogStore::open(place.path()).unwrap();
    let begun = Instant::now();
    let mut changes = Vec::new();
    for number in 1..=events {
        event(&mut rng, &mut changes);
        if number % 512 == 0 || number == events {
            store.commit(&changes).unwrap();
            changes.clear();
        }
    }
    println!("{events} events, {} records, {} bytes of segments", 10 * events, store.bytes());
    println!("written in {:.1} s", begun.elapsed().as_secs_f64());
    drop(store);
    let opened =
        Command::new(env::current_exe().unwrap()).arg("open").arg(place.path()).arg(events.to_string()).status();
    assert!(opened.unwrap().success());
}

fn open(folder: &Path, events: usize) {
    let before = resident();
    let begun = Instant::now();
    let store = LogStore::open(folder).unwrap();
    println!("opened in {:.2} s, with hints", begun.elapsed().as_secs_f64());
    let weight = resident().saturating_sub(before);
    println!("{weight} bytes of memory, {:.1} a record", weight as f64 / (10 * events) as f64);
    let begun = Instant::now();
    let read = store.scan(Bucket::Verdicts, b"").unwrap().len();
    println!("{read} small values read in order in {:.2} s", begun.elapsed().as_secs_f64());
    drop(store);
    for entry in fs::read_dir(folder.join("store")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "hint") {
            fs::remove_file(path).unwrap();
        }
    }
    let begun = Instant::now();
    drop(LogStore::open(folder).unwrap());
    println!("opened in {:.2} s, without any hint", begun.elapsed().as_secs_f64());
}

/// Bytes of this process in memory.
fn resident() -> usize {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    4_096 * pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap()
}
