//! Where a running agent is, and what it lets in.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use thiserror::Error;
use zeroize::Zeroizing;

/// The file with the address of the local API, in an agent's folder.
pub const ADDRESS_FILE: &str = "api.address";
/// The file with the token of the local API, in an agent's folder.
pub const TOKEN_FILE: &str = "api.token";
/// Held by the agent as long as it has its vault open.
const LOCK_FILE: &str = "vault.lock";

/// Why no agent was found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FindError {
    /// None runs for this folder.
    #[error("no agent runs for {}", folder.display())]
    NotRunning {
        /// The agent's folder.
        folder: PathBuf,
    },
    /// Its token cannot be read.
    #[error("cannot read {}", file.display())]
    Token {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The address is not on this machine.
    #[error("an agent's address is one of this machine, and {address} is none")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// The token holds what no header can.
    #[error("that is no token of an agent")]
    NoToken,
}

/// `http://127.0.0.1:PORT` of the agent that runs for a folder. One that was killed leaves its address behind, and by then
/// anybody may listen there: only while the vault is locked by its agent is the address believed.
///
/// # Errors
/// [`FindError::NotRunning`] or [`FindError::NotLoopback`].
pub fn url_of(folder: &Path) -> Result<String, FindError> {
    let missing = || FindError::NotRunning { folder: folder.to_owned() };
    if !holds_vault(folder) {
        return Err(missing());
    }
    let text = fs::read_to_string(folder.join(ADDRESS_FILE)).map_err(|_| missing())?;
    let address: SocketAddr = text.trim().parse().map_err(|_| missing())?;
    if address.ip().is_loopback() { Ok(format!("http://{address}")) } else { Err(FindError::NotLoopback { address }) }
}

/// Before an agent starts: between its locking the vault and its leaving an address of its own, that of one that was killed
/// must not be believed.
///
/// # Errors
/// When a stale address is there and cannot be removed.
pub fn forget_stale_address(folder: &Path) -> io::Result<()> {
    if holds_vault(folder) {
        return Ok(());
    }
    match fs::remove_file(folder.join(ADDRESS_FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The token of an agent's folder.
pub(crate) fn token_of(folder: &Path) -> Result<Zeroizing<String>, FindError> {
    let file = folder.join(TOKEN_FILE);
    match fs::read_to_string(&file).map(Zeroizing::new) {
        Ok(text) => Ok(Zeroizing::new(text.trim().to_owned())),
        Err(source) => Err(FindError::Token { file, source }),
    }
}

/// Whether a process has the vault open. Asking shares the lock, so that two who ask do not take each other for the agent;
/// the system gives the lock back when a process dies, however it dies.
fn holds_vault(folder: &Path) -> bool {
    let lock = fs::File::open(folder.join(LOCK_FILE));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_believed_only_under_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::write(path.join(ADDRESS_FILE), "127.0.0.1:4711").unwrap();
        assert!(matches!(url_of(path), Err(FindError::NotRunning { .. })));
        let lock = fs::File::create(path.join(LOCK_FILE)).unwrap();
        lock.lock().unwrap();
        assert_eq!(url_of(path).unwrap(), "http://127.0.0.1:4711");
        fs::write(path.join(ADDRESS_FILE), "192.0.2.1:4711").unwrap();
        assert!(matches!(url_of(path), Err(FindError::NotLoopback { .. })));
        forget_stale_address(path).unwrap();
        assert!(path.join(ADDRESS_FILE).exists(), "its agent runs");
        lock.unlock().unwrap();
        forget_stale_address(path).unwrap();
        forget_stale_address(path).unwrap();
        assert!(!path.join(ADDRESS_FILE).exists());
    }
}
