use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use mosaic_types::Period;
use zeroize::Zeroizing;

use super::StoreError;

/// The periods' sealing keys as single files in `share-keys/`, beside whatever engine keeps the rest.
///
/// They are not in the engine because it frees room without overwriting it; a key file is overwritten, flushed
/// and unlinked. On media that copy on write (most flash) the old bytes may survive below the file system:
/// there, encrypt the disk.
pub(super) struct KeyFiles {
    folder: PathBuf,
}

impl KeyFiles {
    /// Opens `share-keys/` in `folder`, making it if needed, readable by the owner only.
    ///
    /// # Errors
    /// [`StoreError::Full`] and [`StoreError::Io`].
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        let keys = folder.join("share-keys");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&keys)?;
        flush(folder)?;
        Ok(Self { folder: keys })
    }

    /// Those in `folder`, to look at.
    pub(super) fn of(folder: &Path) -> Self {
        Self { folder: folder.join("share-keys") }
    }

    /// For tests that keep no keys.
    #[cfg(test)]
    pub(super) fn nowhere() -> Self {
        Self { folder: PathBuf::new() }
    }

    fn file(&self, period: Period) -> PathBuf {
        self.folder.join(format!("{:010}.key", period.0))
    }

    /// As [`Store::keep_key`](super::Store::keep_key).
    pub(super) fn keep(&self, period: Period, key: &[u8; 32]) -> Result<(), StoreError> {
        let beside = self.file(period).with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(key)?;
        file.sync_all()?;
        fs::rename(&beside, self.file(period))?;
        Ok(flush(&self.folder)?)
    }

    /// As [`Store::key`](super::Store::key).
    pub(super) fn get(&self, period: Period) -> Result<Option<Zeroizing<[u8; 32]>>, StoreError> {
        match fs::read(self.file(period)).map(Zeroizing::new) {
            Ok(bytes) => Ok(bytes.as_slice().try_into().ok().map(Zeroizing::new)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// As [`Store::destroy_key`](super::Store::destroy_key).
    pub(super) fn destroy(&self, period: Period) -> Result<(), StoreError> {
        let path = self.file(period);
        match OpenOptions::new().write(true).open(&path) {
            Ok(mut file) => {
                file.write_all(&[0; 32])?;
                file.sync_all()?;
                fs::remove_file(&path)?;
                Ok(flush(&self.folder)?)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// What was created, renamed or removed in `folder` is so after a power cut.
pub(super) fn flush(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
