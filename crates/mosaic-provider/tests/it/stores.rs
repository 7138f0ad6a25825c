use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use mosaic_provider::store::{
    Bucket, Change, LogOptions, LogStore, MemoryStore, RedbStore, Store, StoreError, check_conformance,
};
use mosaic_types::Period;

#[test]
fn the_log_conforms() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(check_conformance(|| LogStore::open(folder.path())), Ok(()));
}

#[test]
fn the_database_conforms() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(check_conformance(|| RedbStore::open(folder.path())), Ok(()));
}

/// A memory store lives as long as somebody holds it: here the place that is "opened again".
#[test]
fn the_memory_store_conforms() {
    let place = std::rc::Rc::new(std::cell::RefCell::new(MemoryStore::default()));
    assert_eq!(check_conformance(|| Ok(Shared(place.clone()))), Ok(()));
}

#[test]
fn a_store_in_use_is_said_to_be() {
    let [log, database] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let _held = (LogStore::open(log.path()).unwrap(), RedbStore::open(database.path()).unwrap());
    assert!(matches!(LogStore::open(log.path()), Err(StoreError::InUse { .. })));
    assert!(matches!(RedbStore::open(database.path()), Err(StoreError::InUse { .. })));
}

#[test]
fn a_damaged_database_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("store.redb"), vec![0x5a; 8_192]).unwrap();
    let Err(error) = RedbStore::open(folder.path()) else { panic!("it is no database") };
    assert!(matches!(&error, StoreError::Damaged { path, .. } if path.ends_with("store.redb")), "{error}");
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn destroys_keys<S: Store>(open: impl Fn(&Path) -> Result<S, StoreError>) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path()).unwrap();
    store.keep_key(Period(5), &[0xc7; 32]).unwrap();
    store.destroy_key(Period(5)).unwrap();
    drop(store);
    for file in files(folder.path()) {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(32).any(|window| window == [0xc7; 32]), "{}", file.display());
    }
}

#[test]
fn a_destroyed_key_leaves_no_bytes() {
    destroys_keys(LogStore::open);
    destroys_keys(RedbStore::open);
}

/// On a real file system: several segments, an erased table, restarts; every file is its owner's alone.
#[test]
fn an_erased_table_is_on_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        LogStore::open_with(
            folder.path(),
            LogOptions { segment_bytes: 4_096, step_bytes: 1_024, ..LogOptions::default() },
        )
        .unwrap()
    };
    let mut store = open();
    store.keep_key(Period(1), &[1; 32]).unwrap();
    let value = |table: u8| [table; 64].to_vec();
    for number in 0..200_u8 {
        store.commit(&[7, 8].map(|table| Change::Put(Bucket::Open, vec![table, number], value(table)))).unwrap();
    }
    store.commit(&[Change::Erase(Bucket::Open, vec![7])]).unwrap();
    let lies = |table: u8| {
        files(folder.path()).iter().any(|file| fs::read(file).unwrap().windows(64).any(|bytes| bytes == value(table)))
    };
    assert!(lies(7));
    drop(store);
    let mut store = open();
    while store.tidy().unwrap() {}
    assert!(!lies(7) && lies(8));
    assert_eq!(store.scan(Bucket::Open, b"").unwrap().len(), 200);
    drop(store);
    assert_eq!(open().scan(Bucket::Open, &[8]).unwrap().len(), 200);
    for path in files(folder.path()).iter().chain([&folder.path().join("store"), &folder.path().join("share-keys")]) {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", path.display());
    }
}

#[derive(Clone)]
pub(crate) struct Shared(std::rc::Rc<std::cell::RefCell<MemoryStore>>);

impl Store for Shared {
    fn get(&self, bucket: mosaic_provider::store::Bucket, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.borrow().get(bucket, key)
    }

    fn scan(
        &self,
        bucket: mosaic_provider::store::Bucket,
        prefix: &[u8],
    ) -> Result<Vec<mosaic_provider::store::Entry>, StoreError> {
        self.0.borrow().scan(bucket, prefix)
    }

    fn commit(&mut self, changes: &[mosaic_provider::store::Change]) -> Result<(), StoreError> {
        self.0.borrow_mut().commit(changes)
    }

    fn keep_key(&mut self, period: Period, key: &[u8; 32]) -> Result<(), StoreError> {
        self.0.borrow_mut().keep_key(period, key)
    }

    fn key(&self, period: Period) -> Result<Option<zeroize::Zeroizing<[u8; 32]>>, StoreError> {
        self.0.borrow().key(period)
    }

    fn destroy_key(&mut self, period: Period) -> Result<(), StoreError> {
        self.0.borrow_mut().destroy_key(period)
    }

    fn bytes(&self) -> u64 {
        self.0.borrow().bytes()
    }
}
