//! The file behind a vault: the only input and output of this crate.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// The file, and a lock beside it that keeps a second process out.
pub(crate) struct Backend {
    path: PathBuf,
    _lock: File,
}

impl Backend {
    /// Takes the lock; `None` when another process holds it.
    pub(crate) fn lock(path: &Path) -> io::Result<Option<Self>> {
        let lock = private(OpenOptions::new().write(true).create(true).truncate(false)).open(beside(path, "lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { path: path.to_owned(), _lock: lock })),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    pub(crate) fn read(&self) -> io::Result<Vec<u8>> {
        fs::read(&self.path)
    }

    pub(crate) fn exists(&self) -> io::Result<bool> {
        self.path.try_exists()
    }

    /// Replaces the file as a whole: the new content is durable under another name before it takes the
    /// place of the old, and the renaming is durable before this returns.
    pub(crate) fn replace(&self, content: &[u8]) -> io::Result<()> {
        let temporary = beside(&self.path, "new");
        let written = write_durably(&temporary, content).and_then(|()| fs::rename(&temporary, &self.path));
        if written.is_err() {
            let _only_tidying = fs::remove_file(&temporary);
        }
        written.and_then(|()| sync_directory(&self.path))
    }
}

fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = private(OpenOptions::new().write(true).create(true).truncate(true)).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn sync_directory(file: &Path) -> io::Result<()> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

/// `vault` → `vault.new`: in the same directory, so that a rename stays within one file system.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// Readable and writable by its owner only.
#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}
