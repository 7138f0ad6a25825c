//! What versions before the log left in a provider's folder: `store.redb`, taken over once.
//!
//! Everything is written to `store.new/`, which becomes `store/` in one rename; then the old file goes. Whatever a crash
//! leaves in between is told apart by what is there, and the next start goes on.

use std::{fs, io, path::Path};

use super::{
    Change, LogOptions, LogStore, RedbStore, Store as _, StoreError,
    keyfiles::{KeyFiles, flush},
};

/// Bytes that are committed to the new store at one time.
const AT_ONCE: usize = 4 << 20;

/// In `store/` until the old file is gone.
const TAKEN: &str = "imported";

/// Takes over `store.redb`, if there is one.
///
/// # Errors
/// [`StoreError::InUse`] while an older version runs, [`StoreError::Full`] when the disk has no room for both,
/// [`StoreError::Damaged`] when the old one cannot be read, or was written to after the log took its place. The old
/// file is as it was then.
pub(super) fn take_over(folder: &Path, options: LogOptions) -> Result<(), StoreError> {
    take_over_with(folder, options, &mut || Ok(()))
}

/// As [`take_over`], with something to do after each step that a crash could come after.
fn take_over_with(
    folder: &Path,
    options: LogOptions,
    between: &mut dyn FnMut() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (old, log, new) = (folder.join("store.redb"), folder.join("store"), folder.join("store.new"));
    let taken = log.join(TAKEN);
    if !old.try_exists()? {
        return remove(&taken);
    }
    if log.try_exists()? && !taken.try_exists()? {
        return Err(StoreError::Damaged {
            path: old,
            offset: None,
            what: "an older version wrote it after the log had taken its place",
            source: None,
        });
    }
    if !log.try_exists()? {
        if new.try_exists()? {
            fs::remove_dir_all(&new)?;
        }
        between()?;
        tracing::info!(file = %old.display(), "taking over the store of an earlier version");
        copy(&RedbStore::open(folder)?, LogStore::open_in(&new, KeyFiles::open(folder)?, options)?, between)?;
        fs::File::create(new.join(TAKEN))?.sync_all()?;
        flush(&new)?;
        between()?;
        fs::rename(&new, &log)?;
        flush(folder)?;
        between()?;
    }
    remove(&old)?;
    between()?;
    remove(&taken)
}

fn copy(
    old: &RedbStore,
    mut new: LogStore,
    between: &mut dyn FnMut() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (mut changes, mut bytes) = (Vec::new(), 0);
    old.every(&mut |bucket, key, value| {
        bytes += key.len() + value.len();
        changes.push(Change::Put(bucket, key.to_vec(), value.to_vec()));
        if bytes >= AT_ONCE {
            new.commit(&changes)?;
            changes.clear();
            bytes = 0;
            between()?;
        }
        Ok(())
    })?;
    new.commit(&changes)
}

/// Removes a file, durably; one that is not there is removed already.
fn remove(file: &Path) -> Result<(), StoreError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(file.parent().map_or(Ok(()), flush)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Bucket, Entry};

    const OPTIONS: LogOptions = LogOptions { segment_bytes: 3 << 20, step_bytes: 1 << 20, reserve_bytes: 0 };

    fn contents(store: &impl super::super::Store) -> Vec<Vec<Entry>> {
        Bucket::ALL.map(|bucket| store.scan(bucket, b"").unwrap()).to_vec()
    }

    /// Every bucket, and more than is committed at one time.
    fn old(folder: &Path) -> Vec<Vec<Entry>> {
        let mut store = RedbStore::open(folder).unwrap();
        for (number, bucket) in Bucket::ALL.into_iter().enumerate() {
            let changes: Vec<_> =
                (0..3_u8).map(|key| Change::Put(bucket, vec![key; 1 + number], vec![key; 400_000])).collect();
            store.commit(&changes).unwrap();
        }
        contents(&store)
    }

    #[test]
    fn a_database_becomes_a_log() {
        let folder = tempfile::tempdir().unwrap();
        let expected = old(folder.path());
        let mut store = LogStore::open_with(folder.path(), OPTIONS).unwrap();
        assert_eq!(contents(&store), expected);
        let names = || {
            let mut names: Vec<_> = fs::read_dir(folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        assert_eq!(names(), ["share-keys", "store"]);
        assert!(!folder.path().join("store").join(TAKEN).exists());
        store.commit(&[Change::Remove(Bucket::Open, vec![0])]).unwrap();
        drop(store);
        assert_eq!(LogStore::open(folder.path()).unwrap().get(Bucket::Open, &[0]).unwrap(), None, "only once");
    }

    /// Ends after each step in turn; whatever is left, the next start has all of it.
    #[test]
    fn a_crash_at_every_step_is_finished_by_the_next_start() {
        let mut steps = 0;
        for end in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let expected = old(folder.path());
            let mut left = end;
            let done = take_over_with(folder.path(), OPTIONS, &mut || {
                left -= 1;
                if left < 0 { Err(StoreError::Full) } else { Ok(()) }
            });
            for start in 0..2 {
                let store = LogStore::open_with(folder.path(), OPTIONS).unwrap();
                assert_eq!(contents(&store), expected, "ended after step {end}, start {start}");
            }
            assert!(!folder.path().join("store.redb").exists() && !folder.path().join("store.new").exists());
            if done.is_ok() {
                break;
            }
            steps += 1;
        }
        assert!(steps >= 6, "{steps} steps");
    }

    /// Somebody went back to an older version, which began anew, and then forth: neither of the two is all of it.
    #[test]
    fn a_database_beside_a_log_is_not_thrown_away() {
        let folder = tempfile::tempdir().unwrap();
        drop(LogStore::open(folder.path()).unwrap());
        old(folder.path());
        let Err(error) = LogStore::open(folder.path()) else { panic!("there are two stores") };
        assert!(error.to_string().contains("store.redb is damaged: an older version wrote it"), "{error}");
        assert!(folder.path().join("store.redb").exists());
    }

    #[test]
    fn an_older_version_that_runs_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let held = RedbStore::open(folder.path()).unwrap();
        assert!(matches!(LogStore::open(folder.path()), Err(StoreError::InUse { .. })));
        drop(held);
        assert!(LogStore::open(folder.path()).is_ok());
    }
}
