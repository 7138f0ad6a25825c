use mosaic_provider::store::{MemoryStore, RedbStore, Store, StoreError, check_conformance};
use mosaic_types::Period;

#[test]
fn the_durable_store_conforms() {
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
    let folder = tempfile::tempdir().unwrap();
    let _held = RedbStore::open(folder.path()).unwrap();
    assert!(matches!(RedbStore::open(folder.path()), Err(StoreError::InUse { .. })));
}

#[test]
fn a_damaged_store_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("store.redb"), vec![0x5a; 8_192]).unwrap();
    let Err(error) = RedbStore::open(folder.path()) else { panic!("it is no database") };
    assert!(matches!(&error, StoreError::Damaged { path, .. } if path.ends_with("store.redb")), "{error}");
}

#[test]
fn a_destroyed_key_leaves_no_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = RedbStore::open(folder.path()).unwrap();
    store.keep_key(Period(5), &[0xc7; 32]).unwrap();
    store.destroy_key(Period(5)).unwrap();
    drop(store);
    let mut files = vec![folder.path().join("store.redb")];
    files.extend(std::fs::read_dir(folder.path().join("share-keys")).unwrap().map(|file| file.unwrap().path()));
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(32).any(|window| window == [0xc7; 32]), "{}", file.display());
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
