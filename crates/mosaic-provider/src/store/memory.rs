use std::collections::BTreeMap;

use mosaic_types::Period;
use zeroize::Zeroizing;

use super::{Bucket, Change, Entry, Store, StoreError};

/// A store in memory, for simulations and tests. A clone is what a restart would find.
#[derive(Clone, Default)]
pub struct MemoryStore {
    entries: BTreeMap<(Bucket, Vec<u8>), Vec<u8>>,
    keys: BTreeMap<Period, Zeroizing<[u8; 32]>>,
}

impl MemoryStore {
    fn under(&self, bucket: Bucket, prefix: &[u8]) -> impl Iterator<Item = (&Vec<u8>, &Vec<u8>)> {
        let from = (bucket, prefix.to_vec());
        let mine = move |key: &(Bucket, Vec<u8>)| key.0 == bucket && key.1.starts_with(&from.1);
        let start = (bucket, prefix.to_vec());
        self.entries.range(start..).take_while(move |(key, _)| mine(key)).map(|((_, key), value)| (key, value))
    }
}

impl Store for MemoryStore {
    fn get(&self, bucket: Bucket, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.entries.get(&(bucket, key.to_vec())).cloned())
    }

    fn scan(&self, bucket: Bucket, prefix: &[u8]) -> Result<Vec<Entry>, StoreError> {
        Ok(self.under(bucket, prefix).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        for change in changes {
            match change {
                Change::Put(bucket, key, value) => {
                    self.entries.insert((*bucket, key.clone()), value.clone());
                }
                Change::Remove(bucket, key) => {
                    self.entries.remove(&(*bucket, key.clone()));
                }
                Change::RemovePrefix(bucket, prefix) | Change::Erase(bucket, prefix) => {
                    let gone: Vec<Vec<u8>> = self.under(*bucket, prefix).map(|(key, _)| key.clone()).collect();
                    gone.into_iter().for_each(|key| drop(self.entries.remove(&(*bucket, key))));
                }
            }
        }
        Ok(())
    }

    fn keep_key(&mut self, period: Period, key: &[u8; 32]) -> Result<(), StoreError> {
        self.keys.insert(period, Zeroizing::new(*key));
        Ok(())
    }

    fn key(&self, period: Period) -> Result<Option<Zeroizing<[u8; 32]>>, StoreError> {
        Ok(self.keys.get(&period).cloned())
    }

    fn destroy_key(&mut self, period: Period) -> Result<(), StoreError> {
        self.keys.remove(&period);
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.entries.iter().map(|((_, key), value)| (key.len() + value.len()) as u64).sum()
    }
}
