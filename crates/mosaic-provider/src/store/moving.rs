use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::{Bucket, Change, Store, StoreError};

/// Bytes that are committed to the new store at one time.
const AT_ONCE: usize = 1 << 20;

/// What is in a store: two with the same content have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// How many entries.
    pub entries: u64,
    /// The exclusive or of all entries' digests, so that their order does not matter. Finds mistakes, not forgers: both
    /// stores are one operator's.
    pub digest: [u8; 32],
}

/// Why a store was not copied.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CopyError {
    /// One of the two stores failed.
    #[error("a store failed")]
    Store(#[from] StoreError),
    /// The two do not hold the same afterwards.
    #[error("the copy holds {} entries and the original {}, or they differ", copy.entries, original.entries)]
    Different {
        /// What is in the original.
        original: Content,
        /// What is in the copy.
        copy: Content,
    },
}

impl Content {
    /// Looks at everything in a store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn of(store: &dyn Store) -> Result<Self, StoreError> {
        let mut content = Self::default();
        store.every(&mut |bucket, key, value| {
            content.entries += 1;
            let digest = digest(bucket, key, value);
            content.digest.iter_mut().zip(digest).for_each(|(all, one)| *all ^= one);
            Ok(())
        })?;
        Ok(content)
    }
}

/// Makes `copy` hold exactly what `original` holds, which stays as it is, and compares the two. What `copy` holds already,
/// from a run that was interrupted, is not written again. `tell` hears of every entry.
///
/// The periods' sealing keys are not among it: they stay in the provider's folder.
///
/// # Errors
/// [`CopyError`]; running it again goes on.
pub fn copy_store(original: &dyn Store, copy: &mut dyn Store, tell: &mut dyn FnMut()) -> Result<Content, CopyError> {
    let mut extra: BTreeMap<(Bucket, Vec<u8>), [u8; 32]> = BTreeMap::new();
    copy.every(&mut |bucket, key, value| {
        extra.insert((bucket, key.to_vec()), digest(bucket, key, value));
        Ok(())
    })?;
    let (mut changes, mut bytes) = (Vec::new(), 0);
    original.every(&mut |bucket, key, value| {
        tell();
        if extra.remove(&(bucket, key.to_vec())) == Some(digest(bucket, key, value)) {
            return Ok(());
        }
        bytes += key.len() + value.len();
        changes.push(Change::Put(bucket, key.to_vec(), value.to_vec()));
        if bytes >= AT_ONCE {
            copy.commit(&std::mem::take(&mut changes))?;
            bytes = 0;
        }
        Ok(())
    })?;
    changes.extend(extra.into_keys().map(|(bucket, key)| Change::Remove(bucket, key)));
    copy.commit(&changes)?;
    while copy.tidy()? {}
    let (original, copy) = (Content::of(original)?, Content::of(copy)?);
    if original == copy { Ok(copy) } else { Err(CopyError::Different { original, copy }) }
}

fn digest(bucket: Bucket, key: &[u8], value: &[u8]) -> [u8; 32] {
    let sizes = [key.len() as u64, value.len() as u64].map(u64::to_be_bytes).concat();
    let parts = [bucket.name().as_bytes(), &[0], &sizes, key, value];
    parts.into_iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{LogStore, MemoryStore};

    fn filled(entries: u32) -> MemoryStore {
        let mut store = MemoryStore::default();
        let put = |number: u32| {
            let bucket = Bucket::ALL[number as usize % Bucket::ALL.len()];
            Change::Put(bucket, number.to_be_bytes().to_vec(), vec![number as u8; 20_000])
        };
        store.commit(&(0..entries).map(put).collect::<Vec<_>>()).unwrap();
        store
    }

    #[test]
    fn a_copy_holds_the_same_and_what_was_there_goes() {
        let folder = tempfile::tempdir().unwrap();
        let mut copy = LogStore::open(folder.path()).unwrap();
        copy.commit(&[Change::Put(Bucket::Heads, vec![1], vec![1]), Change::Put(Bucket::Open, vec![0; 4], vec![])])
            .unwrap();
        let original = filled(200);
        let mut told = 0;
        let content = copy_store(&original, &mut copy, &mut || told += 1).unwrap();
        assert_eq!((content.entries, told), (200, 200));
        assert_eq!(copy.get(Bucket::Heads, &[1]).unwrap(), None);
        assert_eq!(Content::of(&original).unwrap(), content);
        assert_ne!(Content::of(&filled(199)).unwrap(), content);
    }

    /// A store that fails at its n-th commit.
    struct Failing(MemoryStore, u32);

    impl Store for Failing {
        fn get(&self, bucket: Bucket, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            self.0.get(bucket, key)
        }
        fn scan(&self, bucket: Bucket, prefix: &[u8]) -> Result<Vec<super::super::Entry>, StoreError> {
            self.0.scan(bucket, prefix)
        }
        fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
            self.1 = self.1.checked_sub(1).ok_or(StoreError::Full)?;
            self.0.commit(changes)
        }
        fn keep_key(&mut self, period: mosaic_types::Period, key: &[u8; 32]) -> Result<(), StoreError> {
            self.0.keep_key(period, key)
        }
        fn key(&self, period: mosaic_types::Period) -> Result<Option<zeroize::Zeroizing<[u8; 32]>>, StoreError> {
            self.0.key(period)
        }
        fn destroy_key(&mut self, period: mosaic_types::Period) -> Result<(), StoreError> {
            self.0.destroy_key(period)
        }
        fn bytes(&self) -> u64 {
            self.0.bytes()
        }
    }

    /// What was written before an end is not written again.
    #[test]
    fn a_copy_that_was_interrupted_goes_on() {
        const COMMITS: u32 = 4;
        let original = filled(200);
        for commits in 0..=COMMITS {
            let mut copy = Failing(MemoryStore::default(), commits);
            assert_eq!(copy_store(&original, &mut copy, &mut || {}).is_ok(), commits == COMMITS);
            copy.1 = (COMMITS - commits).max(1);
            assert_eq!(copy_store(&original, &mut copy, &mut || {}).unwrap(), Content::of(&original).unwrap());
        }
    }
}
