use std::{fs, io, path::PathBuf};

use thiserror::Error;

use crate::{
    FolderError, ProviderFolder,
    folder::write,
    store::{Content, CopyError, StoreAddress, StoreError, copy_store},
};

/// In the folder while a store is moved: where to.
const MOVING: &str = "moving";

/// Why a store was not moved. The former place counts, and nothing in it was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MoveError {
    /// It is there already.
    #[error("the store is in {0} already")]
    There(StoreAddress),
    /// There is something in the new place, and not from a move that was interrupted.
    #[error("{to} holds {entries} entries already, and no move there was begun; name an empty place")]
    NotEmpty {
        /// The new place.
        to: StoreAddress,
        /// What is in it.
        entries: u64,
    },
    /// One of the two places cannot be used.
    #[error("the store in {place} cannot be used")]
    Store {
        /// Which.
        place: StoreAddress,
        /// Why.
        #[source]
        source: Box<StoreError>,
    },
    /// What was copied is not what was to be copied.
    #[error("the store was not copied")]
    Copy(#[from] CopyError),
    /// The folder cannot be written.
    #[error("the provider's folder cannot be used")]
    Folder(#[from] FolderError),
}

impl ProviderFolder {
    /// Moves the store of a provider that does not run to another place, and writes down that it is there now. What was
    /// in the former place stays; nothing uses it any more. An interrupted move goes on when it is asked for again.
    ///
    /// `tell` hears how many entries of how many were looked at.
    ///
    /// # Errors
    /// [`MoveError`].
    pub fn move_store(&mut self, to: &StoreAddress, tell: &mut dyn FnMut(u64, u64)) -> Result<Content, MoveError> {
        let from = self.config.store.clone();
        if from == *to {
            return Err(MoveError::There(from));
        }
        // the clock of a practice may show any time
        let expire = self.federation().is_ok_and(|federation| federation.descriptor().banner().is_none());
        let owner = self.keys.signing.verifying_key().to_bytes();
        let at = |place: &StoreAddress| {
            let place = place.clone();
            |source: StoreError| MoveError::Store { place, source: Box::new(source) }
        };
        let original = from.open(self.path(), &owner, expire).map_err(at(&from))?;
        let total = Content::of(&*original).map_err(at(&from))?.entries;
        let mut copy = to.open(self.path(), &owner, expire).map_err(at(to))?;
        let entries = Content::of(&*copy).map_err(at(to))?.entries;
        if entries > 0 && self.moving_to()?.as_ref() != Some(to) {
            return Err(MoveError::NotEmpty { to: to.clone(), entries });
        }
        let mark = self.path().join(MOVING);
        write(&mark, to.to_string().as_bytes(), 0o644)?;
        let mut done = 0;
        let content = copy_store(&*original, &mut *copy, &mut || {
            done += 1;
            tell(done, total);
        })?;
        self.set_store(to.clone())?;
        fs::remove_file(&mark).map_err(|source| FolderError::File { path: mark, source })?;
        Ok(content)
    }

    /// Where a move that was interrupted was going.
    fn moving_to(&self) -> Result<Option<StoreAddress>, FolderError> {
        let path: PathBuf = self.path().join(MOVING);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.parse().ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(FolderError::File { path, source }),
        }
    }
}
