//! Where a provider keeps what must survive: one small seam, a few engines, one conformance suite.

mod address;
mod conformance;
mod durable;
mod dynamo;
mod import;
mod keyfiles;
mod log;
mod memory;
mod moving;

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
};

use mosaic_types::Period;
use thiserror::Error;
use zeroize::Zeroizing;

pub use address::{InvalidStoreAddress, StoreAddress, TableAddress};
pub use conformance::{Nonconforming, check_conformance};
pub use durable::RedbStore;
pub use dynamo::{TableCredentials, TableOptions, TableStore, TableView};
pub use log::{LogOptions, LogStore, SegmentParts, parse_segment};
pub use memory::MemoryStore;
pub use moving::{Content, CopyError, copy_store};

/// The kinds of things that are stored. Keys are big-endian, so a prefix is a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// Records of our own open generations: table ‖ stream ‖ generation ‖ event.
    Open,
    /// What we answered about an event: table ‖ event.
    Verdicts,
    /// Records that other origins asked us to keep until they seal: table ‖ origin ‖ stream ‖ generation ‖ event.
    Replicas,
    /// Signed heads: table ‖ origin ‖ stream ‖ index.
    Heads,
    /// Sealed generations: table ‖ origin ‖ stream ‖ index.
    Blocks,
    /// Spent tokens: day ‖ spend id.
    Spent,
    /// Key ceremonies, sealed under their period's own key: period.
    Ceremonies,
    /// Where each period's tables stand on their way out: period.
    Tables,
    /// Evidence against other providers: its digest.
    Evidence,
    /// Reports about a day on their way to a statement, and statements: day ‖ kind ‖ rest.
    Counts,
}

impl Bucket {
    /// Every bucket.
    pub const ALL: [Self; 10] = [
        Self::Open,
        Self::Verdicts,
        Self::Replicas,
        Self::Heads,
        Self::Blocks,
        Self::Spent,
        Self::Ceremonies,
        Self::Tables,
        Self::Evidence,
        Self::Counts,
    ];

    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Verdicts => "verdicts",
            Self::Replicas => "replicas",
            Self::Heads => "heads",
            Self::Blocks => "blocks",
            Self::Spent => "spent",
            Self::Ceremonies => "ceremonies",
            Self::Tables => "tables",
            Self::Evidence => "evidence",
            Self::Counts => "counts",
        }
    }
}

/// One change; a commit applies a list of them in order, all or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Stores a value.
    Put(Bucket, Vec<u8>, Vec<u8>),
    /// Removes a key, if it is there.
    Remove(Bucket, Vec<u8>),
    /// Removes every key that starts so.
    RemovePrefix(Bucket, Vec<u8>),
    /// Removes every key that starts so, and asks that no byte of what ever was under one of them stays on the
    /// medium: [`Store::tidy`] has something to do until that is so, also after a restart.
    Erase(Bucket, Vec<u8>),
}

/// A key with its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// Something to do with every entry, which may fail and end it.
pub type Each<'a> = dyn FnMut(Bucket, &[u8], &[u8]) -> Result<(), StoreError> + 'a;

/// What a provider keeps. Whatever a returned `commit` stored is there after a kill -9 or a power loss.
pub trait Store {
    /// The value of a key.
    ///
    /// # Errors
    /// [`StoreError`].
    fn get(&self, bucket: Bucket, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Every entry whose key starts with `prefix`, in ascending order.
    ///
    /// # Errors
    /// [`StoreError`].
    fn scan(&self, bucket: Bucket, prefix: &[u8]) -> Result<Vec<Entry>, StoreError>;

    /// Whether any key starts with `prefix`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn has(&self, bucket: Bucket, prefix: &[u8]) -> Result<bool, StoreError> {
        Ok(!self.scan(bucket, prefix)?.is_empty())
    }

    /// Shows every entry to `each`, bucket by bucket and in whatever order, until it fails.
    ///
    /// # Errors
    /// [`StoreError`], of `each` too.
    fn every(&self, each: &mut Each<'_>) -> Result<(), StoreError> {
        for bucket in Bucket::ALL {
            self.scan(bucket, b"")?.iter().try_for_each(|(key, value)| each(bucket, key, value))?;
        }
        Ok(())
    }

    /// Applies all changes durably, or none of them.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was applied as far as this process can see.
    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError>;

    /// One bounded step of what makes removed bytes leave the medium; whether another one is due. Where bytes stay
    /// until they are reused, there is nothing to do.
    ///
    /// # Errors
    /// [`StoreError`]; what was committed is as it was, and the step can be tried again.
    fn tidy(&mut self) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// Keeps a period's sealing key apart from everything else, where it can be destroyed. Backups must
    /// leave this part out.
    ///
    /// # Errors
    /// [`StoreError`].
    fn keep_key(&mut self, period: Period, key: &[u8; 32]) -> Result<(), StoreError>;

    /// A period's sealing key.
    ///
    /// # Errors
    /// [`StoreError`].
    fn key(&self, period: Period) -> Result<Option<Zeroizing<[u8; 32]>>, StoreError>;

    /// Overwrites and removes a period's sealing key; without one, nothing happens.
    ///
    /// # Errors
    /// [`StoreError`].
    fn destroy_key(&mut self, period: Period) -> Result<(), StoreError>;

    /// Bytes the store occupies.
    fn bytes(&self) -> u64;
}

impl<S: Store + ?Sized> Store for Box<S> {
    fn get(&self, bucket: Bucket, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).get(bucket, key)
    }

    fn scan(&self, bucket: Bucket, prefix: &[u8]) -> Result<Vec<Entry>, StoreError> {
        (**self).scan(bucket, prefix)
    }

    fn has(&self, bucket: Bucket, prefix: &[u8]) -> Result<bool, StoreError> {
        (**self).has(bucket, prefix)
    }

    fn every(&self, each: &mut Each<'_>) -> Result<(), StoreError> {
        (**self).every(each)
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        (**self).commit(changes)
    }

    fn tidy(&mut self) -> Result<bool, StoreError> {
        (**self).tidy()
    }

    fn keep_key(&mut self, period: Period, key: &[u8; 32]) -> Result<(), StoreError> {
        (**self).keep_key(period, key)
    }

    fn key(&self, period: Period) -> Result<Option<Zeroizing<[u8; 32]>>, StoreError> {
        (**self).key(period)
    }

    fn destroy_key(&mut self, period: Period) -> Result<(), StoreError> {
        (**self).destroy_key(period)
    }

    fn bytes(&self) -> u64 {
        (**self).bytes()
    }
}

/// Why the store did not do it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No room left.
    #[error("the disk is full")]
    Full,
    /// The file belongs to a running process.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A file does not hold what was written to it.
    #[error(
        "{}{} is damaged: {what}; put no older copy back, move the store away and start as after a lost disk",
        path.display(),
        offset.map(|at| format!(", byte {at},")).unwrap_or_default()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it, in bytes from its beginning, if that is known.
        offset: Option<u64>,
        /// What was found.
        what: &'static str,
        /// What the engine below said.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// The service that keeps the table did not do it.
    #[error("the store {table} cannot be used: {what}")]
    Table {
        /// The table's address.
        table: String,
        /// What went wrong.
        what: &'static str,
        /// The cause.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// The service has no capacity at the moment.
    #[error("the store is busy; try again in a moment")]
    Busy,
    /// Another process serves from the table.
    #[error("another process serves from {table}; stop it first, or wait until it has ended")]
    Held {
        /// The table's address.
        table: String,
    },
    /// The table belongs to another provider.
    #[error("{table} belongs to another provider; every provider needs a table of its own")]
    Foreign {
        /// The table's address.
        table: String,
    },
    /// Another process has taken the table over.
    #[error("another process has taken {table} over; this one has to stop")]
    Fenced {
        /// The table's address.
        table: String,
    },
    /// Nobody knows whether the last commit took place.
    #[error("nobody knows whether the last change took place; start the provider again, and it is clear")]
    Unsure,
    /// The system refused.
    #[error("the store cannot be read or written")]
    Io(#[source] io::Error),
}

impl StoreError {
    /// Whether this process can do nothing more with the store: it has to end, and another one can go on.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Fenced { .. } | Self::Unsure)
    }

    /// The same, with the file that it is about.
    fn at(mut self, file: &Path) -> Self {
        if let Self::Damaged { path, .. } = &mut self {
            file.clone_into(path);
        }
        self
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Self::Full,
            _ => Self::Io(error),
        }
    }
}
