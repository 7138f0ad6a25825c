use std::{path::Path, sync::Arc};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use mosaic_types::Period;
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    super::{Bucket, Entry, StoreError, TableAddress, keyfiles::KeyFiles},
    TableCredentials, TableOptions,
    calls::{CallError, Calls, Read, b},
    damaged, failed, fence, place,
    table::{Found, Table},
    wire::SignedHttp,
};

/// What a front sees of a provider's table and of its periods' keys while another process writes. It takes no fence and
/// changes nothing.
///
/// What was removed may be seen until it is swept, and a commit of several transactions in part. Heads are stored together
/// with their blocks in one, and whoever looks at a table asks [`Bucket::Tables`] first whether it is served at all.
pub struct TableView {
    table: Arc<Table>,
    keys: KeyFiles,
    address: TableAddress,
}

impl TableView {
    /// Looks at the table of `owner`, and at `share-keys/` in `folder`.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] when it is another provider's, [`StoreError::Table`] before a provider has served from it and
    /// without the service.
    pub async fn open(
        folder: &Path,
        address: &TableAddress,
        owner: &[u8; 32],
        credentials: TableCredentials,
    ) -> Result<Self, StoreError> {
        let wire = SignedHttp::new(address, credentials)?;
        let calls = Calls::new(Box::new(wire), address.table.clone(), TableOptions::default().attempts);
        let kept_for = fence::owner(&calls).await.map_err(|error| failed(address, error))?;
        let unused =
            || StoreError::Table { table: address.to_string(), what: "no provider has served from it", source: None };
        if kept_for.ok_or_else(unused)? != owner {
            return Err(StoreError::Foreign { table: address.to_string() });
        }
        Ok(Self { table: Arc::new(Table::to_look_at(calls)), keys: KeyFiles::of(folder), address: address.clone() })
    }

    /// The value of a key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, bucket: Bucket, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let item = self.told(self.table.entry(bucket, key).await)?;
        let Some(item) = item else { return Ok(None) };
        let value = self.told(self.table.value(&item).await)?;
        value.map(Some).ok_or_else(|| damaged(&self.address, "a part of a value is missing"))
    }

    /// Every entry whose key starts with `prefix`, and comes after `after` if that is given, in ascending order. The prefix
    /// names a table, or the bucket is one of few keys.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn scan(&self, bucket: Bucket, prefix: &[u8], after: Option<&[u8]>) -> Result<Vec<Entry>, StoreError> {
        let start = place::sort_key(prefix);
        let mut entries = Vec::new();
        for partition in place::partitions(bucket, prefix) {
            let mut after = after.map(|key| json!({ "k": b(&partition), "s": b(&place::sort_key(key)) }));
            loop {
                let read = Read { after, ..Read::default() };
                let (items, next) = self.told(self.table.calls.query(&partition, Some(&start), read).await)?;
                let found: Vec<Found> = items.into_iter().filter_map(Found::of).collect();
                for (key, value) in self.told(self.table.values(found).await)? {
                    entries.push((key, value.ok_or_else(|| damaged(&self.address, "a part of a value is missing"))?));
                }
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(entries)
    }

    /// The values of keys, in their order, a few at a time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_all(&self, bucket: Bucket, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        const ABREAST: usize = 8;
        let read = keys.into_iter().map(|key| async move { self.get(bucket, &key).await });
        stream::iter(read).buffered(ABREAST).try_collect().await
    }

    /// A period's sealing key, until it is destroyed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn key(&self, period: Period) -> Result<Option<Zeroizing<[u8; 32]>>, StoreError> {
        self.keys.get(period)
    }

    fn told<T>(&self, done: Result<T, CallError>) -> Result<T, StoreError> {
        done.map_err(|error| failed(&self.address, error))
    }
}
