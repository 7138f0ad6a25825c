//! The log on a disk in memory: against a map, cut at every byte, damaged in every byte, and on a full disk.

mod crashes;
mod damage;
mod journal;
mod room;
mod sweeping;

use proptest::prelude::*;

use super::*;
use crate::store::MemoryStore;
use journal::Journal;

/// Segments of a few batches and steps of one.
const SMALL: LogOptions = LogOptions { segment_bytes: 400, step_bytes: 1, reserve_bytes: 0 };

fn try_open(disk: &Journal) -> Result<LogStore, StoreError> {
    open_with(disk, SMALL)
}

fn open_with(disk: &Journal, options: LogOptions) -> Result<LogStore, StoreError> {
    LogStore::open_on(Box::new(disk.clone()), KeyFiles::nowhere(), options)
}

fn open(disk: &Journal) -> LogStore {
    try_open(disk).unwrap()
}

type Contents = Vec<(Bucket, Entry)>;

fn contents(store: &impl Store) -> Result<Contents, StoreError> {
    let mut all = Vec::new();
    for bucket in Bucket::ALL {
        all.extend(store.scan(bucket, b"")?.into_iter().map(|entry| (bucket, entry)));
    }
    Ok(all)
}

fn put(key: &[u8], value: &[u8]) -> Change {
    Change::Put(Bucket::Open, key.to_vec(), value.to_vec())
}

/// Tidies until nothing is due; bounded, as it has to be.
fn tidy(store: &mut LogStore) {
    for _ in 0..1_000 {
        if !store.tidy().unwrap() {
            return;
        }
    }
    panic!("tidying never ends");
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec![0, 1, 0xFF]), 0..7)
}

fn change() -> impl Strategy<Value = Change> {
    let bucket = prop::sample::select(vec![Bucket::Open, Bucket::Verdicts, Bucket::Evidence]);
    (bucket, key(), prop::collection::vec(any::<u8>(), 0..60), 0_u8..12).prop_map(|(bucket, key, value, what)| {
        match what {
            0 => Change::RemovePrefix(bucket, key),
            1 => Change::Erase(bucket, key),
            2 | 3 => Change::Remove(bucket, key),
            _ => Change::Put(bucket, key, value),
        }
    })
}

/// What is done to both stores.
#[derive(Clone, Debug)]
enum Deed {
    Commit(Vec<Change>),
    Tidy,
    Close,
    Kill,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        8 => prop::collection::vec(change(), 0..6).prop_map(Deed::Commit),
        4 => Just(Deed::Tidy),
        1 => Just(Deed::Close),
        1 => Just(Deed::Kill),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is committed, tidied, closed and killed in between: it holds what a map holds.
    #[test]
    fn it_is_the_same_as_a_map(deeds in prop::collection::vec(deed(), 1..60)) {
        let (mut disk, mut model) = (Journal::default(), MemoryStore::default());
        let mut store = Some(open(&disk));
        for deed in deeds {
            match deed {
                Deed::Commit(changes) => {
                    store.as_mut().unwrap().commit(&changes).unwrap();
                    model.commit(&changes).unwrap();
                }
                Deed::Tidy => drop(store.as_mut().unwrap().tidy().unwrap()),
                Deed::Close => {
                    drop(store.take());
                    store = Some(open(&disk));
                }
                Deed::Kill => {
                    disk = disk.copy();
                    store = Some(open(&disk));
                }
            }
            let store = store.as_ref().unwrap();
            prop_assert_eq!(contents(store).unwrap(), contents(&model).unwrap());
            let live: u64 = store.segments.iter().map(|segment| segment.live).sum();
            let expected: usize = contents(store).unwrap().iter().map(|(_, (key, value))| 12 + key.len() + value.len()).sum();
            prop_assert_eq!(live, expected as u64);
        }
        let mut store = store.unwrap();
        tidy(&mut store);
        prop_assert_eq!(contents(&store).unwrap(), contents(&model).unwrap());
    }
}

#[test]
fn keys_and_commits_of_any_size_are_taken_or_refused() {
    let disk = Journal::default();
    let mut store = open(&disk);
    let longest = vec![7; usize::from(u16::MAX)];
    store.commit(&[put(&longest, &[1; 100_000])]).unwrap();
    assert!(matches!(store.commit(&[put(&[7; 65_536], b"")]), Err(StoreError::Io(_))));
    store.commit(&[put(b"after", b"")]).unwrap();
    drop(store);
    assert_eq!(open(&disk).get(Bucket::Open, &longest).unwrap(), Some(vec![1; 100_000]));
}

#[test]
fn to_commit_nothing_writes_nothing() {
    let disk = Journal::default();
    let mut store = open(&disk);
    let before = disk.len();
    store.commit(&[]).unwrap();
    assert_eq!(disk.len(), before);
}

/// The order of what is read at a start does not matter: with hints, without, and with half of them.
#[test]
fn hints_change_nothing_but_the_time() {
    let disk = Journal::default();
    let mut store = open(&disk);
    for number in 0..40_u8 {
        store
            .commit(&[put(&[number % 7, number], &[number; 40]), Change::RemovePrefix(Bucket::Open, vec![number % 5])])
            .unwrap();
    }
    let expected = contents(&store).unwrap();
    drop(store);
    let hints: Vec<String> = disk.contents().into_keys().filter(|name| name.ends_with(".hint")).collect();
    assert!(hints.len() > 5, "{hints:?}");
    for keep in [0, 1, 2, 3] {
        let other = disk.copy();
        for (number, name) in hints.iter().enumerate().filter(|(number, _)| keep == 0 || number % keep == 0) {
            other.set(name, (number % 2 == 0).then(|| b"nonsense".to_vec()));
        }
        assert_eq!(contents(&open(&other)).unwrap(), expected);
        let written = other.contents();
        assert!(hints.iter().all(|name| written[name] == disk.contents()[name]), "they are written anew");
    }
}
