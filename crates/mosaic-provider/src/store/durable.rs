use std::{
    fs::{self, OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use mosaic_types::Period;
use redb::{
    Builder, Database, DatabaseError, Durability, ReadableDatabase as _, ReadableTable as _, TableDefinition,
    TableHandle as _,
};
use zeroize::Zeroizing;

use super::{
    Bucket, Change, Each, Entry, Store, StoreError,
    keyfiles::{KeyFiles, flush},
};

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// How the database is opened, again and again.
type Opener = Box<dyn Fn(&Path) -> Result<Database, DatabaseError> + Send>;

/// What versions before the log kept: a store in one redb file, with the periods' sealing keys as single files in a folder beside it.
///
/// A commit is one transaction and one flush.
///
/// A full disk stops changes, not reads: after a commit that failed, the database is opened again as the
/// last successful one left it.
pub struct RedbStore {
    path: PathBuf,
    keys: KeyFiles,
    open: Opener,
    database: Option<Database>,
}

impl RedbStore {
    /// Opens `store.redb` and `share-keys/` in `folder`, making them if needed, readable by the owner only.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another process has it, [`StoreError`] otherwise.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_with(folder, open_file)
    }

    /// As [`Self::open`], on a database that `open` opens for a path, whatever it lies on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_with(
        folder: &Path,
        open: impl Fn(&Path) -> Result<Database, DatabaseError> + Send + 'static,
    ) -> Result<Self, StoreError> {
        let (path, keys) = (folder.join("store.redb"), KeyFiles::open(folder)?);
        let mut store = Self { path, keys, open: Box::new(open), database: None };
        store.reopen()?;
        flush(folder)?;
        Ok(store)
    }

    /// redb refuses all work after a failed write until the file is opened again.
    fn reopen(&mut self) -> Result<(), StoreError> {
        self.database = None;
        let database = (self.open)(&self.path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { path: self.path.clone() },
            other => failed(other).at(&self.path),
        })?;
        // only once in its life: on a full disk, nothing can be written
        if !has_all_tables(&database)? {
            let setup = database.begin_write().map_err(failed)?;
            for bucket in Bucket::ALL {
                setup.open_table(table(bucket)).map_err(failed)?;
            }
            setup.commit().map_err(failed)?;
        }
        self.database = Some(database);
        Ok(())
    }

    fn database(&self) -> Result<&Database, StoreError> {
        self.database.as_ref().ok_or(StoreError::Full)
    }

    fn apply(&self, changes: &[Change]) -> Result<(), StoreError> {
        let mut transaction = self.database()?.begin_write().map_err(failed)?;
        transaction.set_durability(Durability::Immediate).map_err(failed)?;
        // to open again after a failure must not mean to read the whole file
        transaction.set_quick_repair(true);
        for bucket in Bucket::ALL {
            let of_bucket = |change: &&Change| bucket_of(change) == bucket;
            let mut mine = changes.iter().filter(of_bucket).peekable();
            if mine.peek().is_none() {
                continue;
            }
            let mut table = transaction.open_table(table(bucket)).map_err(failed)?;
            for change in mine {
                match change {
                    Change::Put(_, key, value) => {
                        table.insert(key.as_slice(), value.as_slice()).map_err(failed)?;
                    }
                    Change::Remove(_, key) => {
                        table.remove(key.as_slice()).map_err(failed)?;
                    }
                    // freed pages keep their bytes until they are reused
                    Change::RemovePrefix(_, prefix) | Change::Erase(_, prefix) => match end_of(prefix) {
                        Some(end) => table.retain_in(prefix.as_slice()..end.as_slice(), |_, _| false),
                        None => table.retain_in(prefix.as_slice().., |_, _| false),
                    }
                    .map_err(failed)?,
                }
            }
        }
        transaction.commit().map_err(failed)
    }
}

/// The database at `path`, made if there is none.
fn open_file(path: &Path) -> Result<Database, DatabaseError> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    // also where it was made by an earlier version
    file.set_permissions(Permissions::from_mode(0o600))?;
    Builder::new().create_file(file)
}

fn has_all_tables(database: &Database) -> Result<bool, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let found: Vec<String> = transaction.list_tables().map_err(failed)?.map(|table| table.name().to_owned()).collect();
    Ok(Bucket::ALL.iter().all(|bucket| found.iter().any(|name| name == bucket.name())))
}

impl Store for RedbStore {
    fn get(&self, bucket: Bucket, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let transaction = self.database()?.begin_read().map_err(failed)?;
        let table = transaction.open_table(table(bucket)).map_err(failed)?;
        Ok(table.get(key).map_err(failed)?.map(|value| value.value().to_vec()))
    }

    fn scan(&self, bucket: Bucket, prefix: &[u8]) -> Result<Vec<Entry>, StoreError> {
        let transaction = self.database()?.begin_read().map_err(failed)?;
        let table = transaction.open_table(table(bucket)).map_err(failed)?;
        let mut entries = Vec::new();
        for entry in table.range(prefix..).map_err(failed)? {
            let (key, value) = entry.map_err(failed)?;
            if !key.value().starts_with(prefix) {
                break;
            }
            entries.push((key.value().to_vec(), value.value().to_vec()));
        }
        Ok(entries)
    }

    fn has(&self, bucket: Bucket, prefix: &[u8]) -> Result<bool, StoreError> {
        let transaction = self.database()?.begin_read().map_err(failed)?;
        let table = transaction.open_table(table(bucket)).map_err(failed)?;
        let first = table.range(prefix..).map_err(failed)?.next().transpose().map_err(failed)?;
        Ok(first.is_some_and(|(key, _)| key.value().starts_with(prefix)))
    }

    fn every(&self, each: &mut Each<'_>) -> Result<(), StoreError> {
        let transaction = self.database()?.begin_read().map_err(failed)?;
        for bucket in Bucket::ALL {
            let table = transaction.open_table(table(bucket)).map_err(failed)?;
            for entry in table.iter().map_err(failed)? {
                let (key, value) = entry.map_err(failed)?;
                each(bucket, key.value(), value.value())?;
            }
        }
        Ok(())
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        if self.database.is_none() {
            self.reopen()?;
        }
        let done = self.apply(changes);
        if done.is_err() {
            // what failed is not applied; the next commit must find a database that works
            let _closed = self.reopen();
        }
        done
    }

    fn keep_key(&mut self, period: Period, key: &[u8; 32]) -> Result<(), StoreError> {
        self.keys.keep(period, key)
    }

    fn key(&self, period: Period) -> Result<Option<Zeroizing<[u8; 32]>>, StoreError> {
        self.keys.get(period)
    }

    fn destroy_key(&mut self, period: Period) -> Result<(), StoreError> {
        self.keys.destroy(period)
    }

    fn bytes(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |file| file.len())
    }
}

const fn table(bucket: Bucket) -> Definition {
    TableDefinition::new(bucket.name())
}

const fn bucket_of(change: &Change) -> Bucket {
    match change {
        Change::Put(bucket, ..)
        | Change::Remove(bucket, _)
        | Change::RemovePrefix(bucket, _)
        | Change::Erase(bucket, _) => *bucket,
    }
}

/// The first key after all that start with `prefix`; `None` when there is none.
fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

fn failed(error: impl Into<redb::Error>) -> StoreError {
    let damaged = |source: Box<redb::Error>| StoreError::Damaged {
        path: PathBuf::from("store.redb"),
        offset: None,
        what: "the database cannot be read",
        source: Some(source),
    };
    match error.into() {
        redb::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => damaged(Box::new(error.into())),
        redb::Error::Io(error) => error.into(),
        redb::Error::PreviousIo => StoreError::Full,
        other => damaged(Box::new(other)),
    }
}

#[cfg(test)]
#[path = "durable_tests.rs"]
mod tests;
