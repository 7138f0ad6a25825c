//! A process that commits without end is killed, again and again in one folder.
//!
//! `MOSAIC_KILLS` says how often; by hand:
//! `MOSAIC_KILLS=1000 cargo nextest run -p mosaic-provider --locked kills --no-capture`

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use mosaic_provider::store::{Bucket, Change, Entry, LogOptions, LogStore, MemoryStore, Store};

/// In the child's environment: the folder.
const FOLDER: &str = "MOSAIC_KILLS_FOLDER";
/// Commits before the next table begins; the one before the last is erased then.
const A_TABLE: u64 = 50;

/// The same every time, so that the parent knows what is there after so many commits.
fn changes(number: u64) -> Vec<Change> {
    let table = number / A_TABLE;
    let key = [table.to_be_bytes(), number.to_be_bytes()].concat();
    let value = number.to_be_bytes().repeat(1 + (number as usize * 37) % 200);
    let mut changes = vec![
        Change::Put(Bucket::Open, key.clone(), value),
        Change::Put(Bucket::Verdicts, key, vec![1]),
        Change::Put(Bucket::Tables, Vec::new(), (number + 1).to_be_bytes().to_vec()),
    ];
    if number.is_multiple_of(7) {
        changes.push(Change::Remove(
            Bucket::Verdicts,
            [table.to_be_bytes(), (number - number % 7).to_be_bytes()].concat(),
        ));
    }
    if let Some(old) = table.checked_sub(2).filter(|_| number.is_multiple_of(A_TABLE)) {
        changes
            .extend([Bucket::Open, Bucket::Verdicts].map(|bucket| Change::Erase(bucket, old.to_be_bytes().to_vec())));
    }
    changes
}

fn count(store: &impl Store) -> u64 {
    let stored = store.get(Bucket::Tables, b"").unwrap();
    stored.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()))
}

fn contents(store: &impl Store) -> Vec<(Bucket, Vec<Entry>)> {
    Bucket::ALL.map(|bucket| (bucket, store.scan(bucket, b"").unwrap())).to_vec()
}

fn open(folder: &Path) -> LogStore {
    LogStore::open_with(folder, LogOptions { segment_bytes: 64 << 10, step_bytes: 16 << 10, reserve_bytes: 0 }).unwrap()
}

#[test]
#[ignore = "the child of the test below"]
fn the_child_commits_until_it_is_killed() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let mut store = open(Path::new(&folder));
    let mut told = std::io::stdout().lock();
    for number in count(&store).. {
        store.commit(&changes(number)).unwrap();
        writeln!(told, "committed {}", number + 1).unwrap();
        let _more = store.tidy().unwrap();
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the figure, for whoever asked for many")]
fn what_was_acknowledged_survives_every_kill() {
    let kills: u64 = env::var("MOSAIC_KILLS").map_or(8, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (mut model, mut known) = (MemoryStore::default(), 0);
    for kill in 0..kills {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "kills::the_child_commits_until_it_is_killed", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut told = lines.filter_map(|line| line.split_once("committed ")?.1.parse::<u64>().ok());
        let acknowledged = told.nth((kill * 29 % 83) as usize).expect("the child commits");
        child.kill().unwrap();
        // what it said before it ended counts too
        let acknowledged = told.last().unwrap_or(acknowledged);
        child.wait().unwrap();
        let store = open(folder.path());
        let is = count(&store);
        assert!(is == acknowledged || is == acknowledged + 1, "kill {kill}: {acknowledged} acknowledged, {is} there");
        for number in known..is {
            model.commit(&changes(number)).unwrap();
        }
        known = is;
        assert!(contents(&store) == contents(&model), "kill {kill}: after {is} commits");
    }
    println!("{kills} kills, {known} commits acknowledged, none lost");
}
