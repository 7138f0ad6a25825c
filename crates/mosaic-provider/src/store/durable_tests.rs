//! A disk that is full, under the real database.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use redb::StorageBackend;

use super::*;

const PAGE: usize = 4_096;

/// A sparse file on a disk with so many pages: what was written once can be overwritten for ever, a page
/// that was never written needs one of the free ones.
#[derive(Clone, Debug, Default)]
struct Disk {
    pages: Arc<Mutex<BTreeMap<u64, Vec<u8>>>>,
    length: Arc<Mutex<u64>>,
    room: Arc<AtomicUsize>,
    opened: Arc<AtomicUsize>,
}

impl Disk {
    fn with_room(pages: usize) -> Self {
        let disk = Self::default();
        disk.room.store(pages, Ordering::Relaxed);
        disk
    }

    /// Calls `each` for every page that `offset..offset + length` touches, with the range within the page and
    /// the range within the whole.
    fn split(
        offset: u64,
        length: usize,
        mut each: impl FnMut(u64, usize, usize, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut done = 0;
        while done < length {
            let at = offset + done as u64;
            let (page, within) = (at / PAGE as u64, (at % PAGE as u64) as usize);
            let count = (PAGE - within).min(length - done);
            each(page, within, done, count)?;
            done += count;
        }
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(*self.length.lock().unwrap())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let pages = self.pages.lock().unwrap();
        Self::split(offset, out.len(), |page, within, done, count| {
            match pages.get(&page) {
                Some(bytes) => out[done..done + count].copy_from_slice(&bytes[within..within + count]),
                None => out[done..done + count].fill(0),
            }
            Ok(())
        })
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        *self.length.lock().unwrap() = length;
        self.pages.lock().unwrap().retain(|page, _| page * (PAGE as u64) < length);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut pages = self.pages.lock().unwrap();
        Self::split(offset, bytes.len(), |page, within, done, count| {
            if !pages.contains_key(&page) && pages.len() >= self.room.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let held = pages.entry(page).or_insert_with(|| vec![0; PAGE]);
            held[within..within + count].copy_from_slice(&bytes[done..done + count]);
            Ok(())
        })
    }
}

fn store_on(disk: &Disk, folder: &Path) -> RedbStore {
    let disk = disk.clone();
    let open = move |_: &Path| {
        disk.opened.fetch_add(1, Ordering::Relaxed);
        Builder::new().create_with_backend(disk.clone())
    };
    RedbStore::open_with(folder, open).unwrap()
}

fn put(number: u32) -> Change {
    Change::Put(Bucket::Blocks, number.to_be_bytes().to_vec(), vec![number as u8; 10_000])
}

/// Fills the disk; returns how many entries got in.
fn fill(store: &mut RedbStore) -> u32 {
    for number in 0..100_000 {
        match store.commit(&[put(number)]) {
            Ok(()) => {}
            Err(StoreError::Full) => return number,
            Err(other) => panic!("{other}"),
        }
    }
    panic!("the disk is never full");
}

fn holds(store: &RedbStore, count: u32) {
    assert_eq!(store.scan(Bucket::Blocks, b"").unwrap().len(), count as usize);
    for number in 0..count {
        let value = store.get(Bucket::Blocks, &number.to_be_bytes()).unwrap();
        assert_eq!(value, Some(vec![number as u8; 10_000]), "entry {number}");
    }
}

/// At every size a disk can have: what was acknowledged is there and can be read while nothing can be
/// written, and writing goes on once there is room, all without a restart.
#[test]
fn a_full_disk_stops_changes_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for pages in (300..400).step_by(7) {
        let disk = Disk::with_room(pages);
        let mut store = store_on(&disk, folder.path());
        let count = fill(&mut store);
        assert!(count > 0, "{pages} pages hold something");
        for _ in 0..3 {
            holds(&store, count);
            assert!(matches!(store.commit(&[put(count)]), Err(StoreError::Full)), "{pages} pages");
        }
        holds(&store, count);
        assert_eq!(store.get(Bucket::Blocks, &count.to_be_bytes()).unwrap(), None, "refused is refused");
        disk.room.store(10 * pages, Ordering::Relaxed);
        store.commit(&[put(count)]).unwrap();
        holds(&store, count + 1);
        drop(store);
        holds(&store_on(&disk, folder.path()), count + 1);
    }
}

#[test]
fn a_restart_on_a_full_disk_opens_and_reads() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::with_room(320);
    let mut store = store_on(&disk, folder.path());
    let count = fill(&mut store);
    drop(store);
    disk.room.store(0, Ordering::Relaxed);
    holds(&store_on(&disk, folder.path()), count);
}

#[test]
fn removing_works_on_a_full_disk_or_says_that_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::with_room(340);
    let mut store = store_on(&disk, folder.path());
    let count = fill(&mut store);
    match store.commit(&[Change::RemovePrefix(Bucket::Blocks, Vec::new())]) {
        Ok(()) => assert_eq!(store.scan(Bucket::Blocks, b"").unwrap(), []),
        Err(error) => {
            assert!(matches!(error, StoreError::Full), "{error}");
            holds(&store, count);
        }
    }
}

#[test]
fn one_failure_opens_the_file_again_once() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::with_room(320);
    let mut store = store_on(&disk, folder.path());
    fill(&mut store);
    let before = disk.opened.load(Ordering::Relaxed);
    assert!(store.commit(&[put(99_999)]).is_err());
    assert_eq!(disk.opened.load(Ordering::Relaxed), before + 1);
}

#[test]
fn the_file_and_the_keys_are_their_owners() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = RedbStore::open(folder.path()).unwrap();
    store.keep_key(Period(1), &[1; 32]).unwrap();
    for name in ["store.redb", "share-keys", "share-keys/0000000001.key"] {
        let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}
