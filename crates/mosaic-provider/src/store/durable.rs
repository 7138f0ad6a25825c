use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use mosaic_types::Period;
use redb::{Database, DatabaseError, Durability, ReadableDatabase as _, TableDefinition};
use zeroize::Zeroizing;

use super::{Bucket, Change, Entry, Store, StoreError};

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// A store in one redb file, with the periods' sealing keys as single files in a folder beside it.
///
/// A commit is one transaction and one flush. Keys are not in the database because its freed pages
/// keep their bytes until they are reused; a key file is overwritten, flushed and unlinked. On media that
/// copy on write (most flash) the old bytes may survive below the file system: there, encrypt the disk.
pub struct RedbStore {
    path: PathBuf,
    keys: PathBuf,
    database: Option<Database>,
}

impl RedbStore {
    /// Opens `store.redb` and `share-keys/` in `folder`, making them if needed.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another process has it, [`StoreError`] otherwise.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let (path, keys) = (folder.join("store.redb"), folder.join("share-keys"));
        fs::create_dir_all(&keys)?;
        let mut store = Self { path, keys, database: None };
        store.reopen()?;
        Ok(store)
    }

    /// redb refuses all work after a failed write until the file is opened again.
    fn reopen(&mut self) -> Result<(), StoreError> {
        self.database = None;
        let database = Database::create(&self.path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { path: self.path.clone() },
            other => failed(other),
        })?;
        let setup = database.begin_write().map_err(failed)?;
        for bucket in Bucket::ALL {
            setup.open_table(table(bucket)).map_err(failed)?;
        }
        setup.commit().map_err(failed)?;
        self.database = Some(database);
        Ok(())
    }

    fn database(&self) -> Result<&Database, StoreError> {
        self.database.as_ref().ok_or(StoreError::Full)
    }

    fn apply(&self, changes: &[Change]) -> Result<(), StoreError> {
        let mut transaction = self.database()?.begin_write().map_err(failed)?;
        transaction.set_durability(Durability::Immediate).map_err(failed)?;
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
                    Change::RemovePrefix(_, prefix) => match end_of(prefix) {
                        Some(end) => table.retain_in(prefix.as_slice()..end.as_slice(), |_, _| false),
                        None => table.retain_in(prefix.as_slice().., |_, _| false),
                    }
                    .map_err(failed)?,
                }
            }
        }
        transaction.commit().map_err(failed)
    }

    fn key_file(&self, period: Period) -> PathBuf {
        self.keys.join(format!("{:010}.key", period.0))
    }

    fn flush_folder(&self) -> io::Result<()> {
        File::open(&self.keys)?.sync_all()
    }
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
        let beside = self.key_file(period).with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(key)?;
        file.sync_all()?;
        fs::rename(&beside, self.key_file(period))?;
        Ok(self.flush_folder()?)
    }

    fn key(&self, period: Period) -> Result<Option<Zeroizing<[u8; 32]>>, StoreError> {
        match fs::read(self.key_file(period)).map(Zeroizing::new) {
            Ok(bytes) => Ok(bytes.as_slice().try_into().ok().map(Zeroizing::new)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn destroy_key(&mut self, period: Period) -> Result<(), StoreError> {
        let path = self.key_file(period);
        match OpenOptions::new().write(true).open(&path) {
            Ok(mut file) => {
                file.write_all(&[0; 32])?;
                file.sync_all()?;
                fs::remove_file(&path)?;
                Ok(self.flush_folder()?)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
        }
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
        Change::Put(bucket, ..) | Change::Remove(bucket, _) | Change::RemovePrefix(bucket, _) => *bucket,
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
    match error.into() {
        redb::Error::Io(error) => error.into(),
        redb::Error::PreviousIo => StoreError::Full,
        other => StoreError::Damaged(Box::new(other)),
    }
}
