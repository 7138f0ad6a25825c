use std::{io, path::Path};

use mosaic_crypto::{aead, digest};
use mosaic_types::Timestamp;
use rand::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    backend::Backend,
    header::{BadHeader, HEADER, Header, KdfCost},
    image::{Image, Item},
};

/// The smallest file.
const SMALLEST: usize = 32 * 1_024;
const CHECKSUM: usize = 32;
const LENGTH: usize = 8;
const AROUND: usize = HEADER + aead::OVERHEAD + CHECKSUM;

/// Why a vault could not be created.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CreateError {
    /// An empty password protects nothing.
    #[error("the password is empty")]
    EmptyPassword,
    /// There is a file of that name; it was not touched.
    #[error("there is a file of that name already")]
    Exists,
    /// Another process has it open.
    #[error("another process uses this vault")]
    InUse,
    /// Not enough memory to stretch the password.
    #[error("there is not enough memory to derive the key")]
    OutOfMemory,
    /// The disk refused.
    #[error("the vault could not be written")]
    Disk(#[source] io::Error),
    /// The database refused.
    #[error("the vault's database failed")]
    Database(#[source] rusqlite::Error),
}

/// Why a vault did not open. Whatever the reason, the file was not changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No file of that name.
    #[error("there is no vault here")]
    Missing,
    /// Another process has it open.
    #[error("another process uses this vault")]
    InUse,
    /// The file does not begin like a vault.
    #[error("this file is no vault")]
    NotAVault,
    /// Written by a newer version of this program.
    #[error("this vault was written by a newer version")]
    NewerVersion,
    /// The file was damaged or cut short.
    #[error("the vault is damaged; restore it from a backup")]
    Damaged,
    /// The file is whole and the password does not fit.
    #[error("wrong password")]
    WrongPassword,
    /// Not enough memory to stretch the password.
    #[error("there is not enough memory to derive the key")]
    OutOfMemory,
    /// The disk refused.
    #[error("the vault could not be read")]
    Disk(#[source] io::Error),
}

/// Why changes did not reach the disk. The old vault is still there, and the changes still in memory.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The disk refused.
    #[error("the vault could not be written")]
    Disk(#[source] io::Error),
    /// The database refused.
    #[error("the vault's database failed")]
    Database(#[source] rusqlite::Error),
}

/// Why a password was not changed. The old one still works.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChangePasswordError {
    /// An empty password protects nothing.
    #[error("the password is empty")]
    EmptyPassword,
    /// Not enough memory to stretch the password.
    #[error("there is not enough memory to derive the key")]
    OutOfMemory,
    /// The vault could not be written under the new key.
    #[error("the vault could not be sealed under the new password")]
    Commit(#[source] CommitError),
}

/// Why an item could not be read or written: the database in memory failed (out of memory).
#[derive(Debug, Error)]
#[error("the vault's database failed")]
pub struct ItemError(#[from] rusqlite::Error);

/// An open vault. Dropping it, or [`Vault::lock`], erases the key; changes since the last commit are lost
/// when it is dropped.
pub struct Vault {
    backend: Backend,
    header: Header,
    key: Zeroizing<[u8; 32]>,
    image: Image,
}

impl Vault {
    /// Creates an empty vault at [`KdfCost::STANDARD`] and writes it.
    ///
    /// # Errors
    /// [`CreateError`]; an existing file is never overwritten.
    pub fn create(path: &Path, password: &str, rng: &mut (impl CryptoRng + ?Sized)) -> Result<Self, CreateError> {
        Self::create_at(path, password, KdfCost::STANDARD, rng)
    }

    /// Creates an empty vault that a thief opens by guessing: see [`KdfCost::dangerously_cheap`].
    ///
    /// # Errors
    /// [`CreateError`]; an existing file is never overwritten.
    pub fn create_dangerously_cheap(
        path: &Path,
        password: &str,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, CreateError> {
        Self::create_at(path, password, KdfCost::dangerously_cheap(), rng)
    }

    fn create_at(
        path: &Path,
        password: &str,
        cost: KdfCost,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, CreateError> {
        if password.is_empty() {
            return Err(CreateError::EmptyPassword);
        }
        let backend = Backend::lock(path).map_err(CreateError::Disk)?.ok_or(CreateError::InUse)?;
        if backend.exists().map_err(CreateError::Disk)? {
            return Err(CreateError::Exists);
        }
        let header = Header::fresh(cost, rng);
        let key = header.key(password).ok_or(CreateError::OutOfMemory)?;
        let image = Image::empty().map_err(CreateError::Database)?;
        let vault = Self { backend, header, key, image };
        vault.commit(rng).map_err(|error| match error {
            CommitError::Disk(cause) => CreateError::Disk(cause),
            CommitError::Database(cause) => CreateError::Database(cause),
        })?;
        Ok(vault)
    }

    /// Opens a vault.
    ///
    /// # Errors
    /// [`OpenError`], which tells a damaged file from a wrong password; the file is never changed.
    pub fn open(path: &Path, password: &str) -> Result<Self, OpenError> {
        if !path.try_exists().map_err(OpenError::Disk)? {
            return Err(OpenError::Missing);
        }
        let backend = Backend::lock(path).map_err(OpenError::Disk)?.ok_or(OpenError::InUse)?;
        let file = backend.read().map_err(OpenError::Disk)?;
        let (header, sealed) = split(&file)?;
        let key = header.key(password).ok_or(OpenError::OutOfMemory)?;
        let plain = aead::open(&key, &header.encode(), sealed).map_err(|error| match error {
            aead::OpenError::WrongKey => OpenError::WrongPassword,
            _ => OpenError::Damaged,
        })?;
        let image = Image::from_bytes(unpad(&plain).ok_or(OpenError::Damaged)?).map_err(|_| OpenError::Damaged)?;
        Ok(Self { backend, header, key, image })
    }

    /// Stores an item, in place of one of the same kind and id. Not on disk until [`Self::commit`].
    ///
    /// # Errors
    /// [`ItemError`].
    pub fn put(&mut self, kind: &str, id: &str, body: &[u8], expires: Option<Timestamp>) -> Result<(), ItemError> {
        Ok(self.image.put(kind, id, body, expires)?)
    }

    /// Reads an item; erased when the returned value is dropped.
    ///
    /// # Errors
    /// [`ItemError`].
    pub fn get(&self, kind: &str, id: &str) -> Result<Option<Zeroizing<Vec<u8>>>, ItemError> {
        Ok(self.image.get(kind, id)?)
    }

    /// All items of one kind, by id.
    ///
    /// # Errors
    /// [`ItemError`].
    pub fn list(&self, kind: &str) -> Result<Vec<Item>, ItemError> {
        Ok(self.image.list(kind)?)
    }

    /// Deletes an item and overwrites its place in the image. Returns how many there were, 0 or 1.
    ///
    /// # Errors
    /// [`ItemError`].
    pub fn delete(&mut self, kind: &str, id: &str) -> Result<usize, ItemError> {
        Ok(self.image.delete(kind, id)?)
    }

    /// Deletes every item whose time has come, and returns how many.
    ///
    /// # Errors
    /// [`ItemError`].
    pub fn expire(&mut self, now: Timestamp) -> Result<usize, ItemError> {
        Ok(self.image.expire(now)?)
    }

    /// Makes everything since the last commit durable.
    ///
    /// # Errors
    /// [`CommitError`]; then the file holds the last commit, whole.
    pub fn commit(&self, rng: &mut (impl CryptoRng + ?Sized)) -> Result<(), CommitError> {
        let image = self.image.to_bytes().map_err(CommitError::Database)?;
        self.backend.replace(&seal(&self.header, &self.key, &image, rng)).map_err(CommitError::Disk)
    }

    /// Commits and erases the key.
    ///
    /// # Errors
    /// [`CommitError`] together with the vault, which stays open.
    pub fn lock(self, rng: &mut (impl CryptoRng + ?Sized)) -> Result<(), (Box<Self>, CommitError)> {
        match self.commit(rng) {
            Ok(()) => Ok(()),
            Err(error) => Err((Box::new(self), error)),
        }
    }

    /// Seals everything under a new password, salt and key at [`KdfCost::STANDARD`]: a cheap vault becomes
    /// a standard one.
    ///
    /// # Errors
    /// [`ChangePasswordError`]; then the old password still opens the file.
    pub fn change_password(
        &mut self,
        password: &str,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), ChangePasswordError> {
        if password.is_empty() {
            return Err(ChangePasswordError::EmptyPassword);
        }
        let header = Header::fresh(KdfCost::STANDARD, rng);
        let key = header.key(password).ok_or(ChangePasswordError::OutOfMemory)?;
        let (old_header, old_key) = (self.header, std::mem::replace(&mut self.key, key));
        self.header = header;
        self.commit(rng).map_err(|error| {
            self.header = old_header;
            self.key = old_key;
            ChangePasswordError::Commit(error)
        })
    }

    /// What a guess of the password costs.
    pub const fn cost(&self) -> KdfCost {
        self.header.cost
    }
}

/// Header and sealed blob of a file that is whole.
fn split(file: &[u8]) -> Result<(Header, &[u8]), OpenError> {
    let (first, rest) = file.split_first_chunk::<HEADER>().ok_or(OpenError::NotAVault)?;
    let header = Header::decode(first).map_err(|error| match error {
        BadHeader::NotAVault => OpenError::NotAVault,
        BadHeader::NewerVersion => OpenError::NewerVersion,
        BadHeader::Damaged => OpenError::Damaged,
    })?;
    let (sealed, checksum) = rest.split_last_chunk::<CHECKSUM>().ok_or(OpenError::Damaged)?;
    if digest(&[sealed]) == *checksum { Ok((header, sealed)) } else { Err(OpenError::Damaged) }
}

fn seal(header: &Header, key: &[u8; 32], image: &[u8], rng: &mut (impl CryptoRng + ?Sized)) -> Vec<u8> {
    let header = header.encode();
    let total = (AROUND + LENGTH + image.len()).next_power_of_two().max(SMALLEST);
    let mut plain = Zeroizing::new(vec![0; total - AROUND]);
    plain[..LENGTH].copy_from_slice(&(image.len() as u64).to_be_bytes());
    plain[LENGTH..LENGTH + image.len()].copy_from_slice(image);
    let sealed = aead::seal(key, &header, &plain, rng);
    let checksum = digest(&[&sealed]);
    [&header[..], &sealed, &checksum].concat()
}

fn unpad(plain: &[u8]) -> Option<&[u8]> {
    let (length, rest) = plain.split_first_chunk::<LENGTH>()?;
    rest.get(..usize::try_from(u64::from_be_bytes(*length)).ok()?)
}
