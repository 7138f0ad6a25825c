use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use rand::CryptoRng;
use zeroize::Zeroizing;

/// Kind and id of the one item in an agent's vault.
pub(super) const STATE: &str = "agent";

/// An agent's directory.
pub(super) struct Files(PathBuf);

impl Files {
    /// Creates the directory, open to its owner only.
    pub(super) fn at(dir: &Path) -> io::Result<Self> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(dir)?;
        Ok(Self(dir.to_owned()))
    }

    pub(super) fn vault(&self) -> PathBuf {
        self.0.join("vault")
    }

    /// The token of this installation, 64 hexadecimal digits: made once, kept in `api.token`.
    pub(super) fn token(&self, rng: &mut impl CryptoRng) -> io::Result<Zeroizing<String>> {
        let path = self.0.join("api.token");
        match fs::read_to_string(&path).map(Zeroizing::new) {
            Ok(token) if is_token(token.trim()) => return Ok(Zeroizing::new(token.trim().to_owned())),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *bytes);
        let token = Zeroizing::new(hex::encode(*bytes));
        write_private(&path, &token)?;
        Ok(token)
    }

    /// Leaves the address of the local API where clients look for it.
    pub(super) fn write_address(&self, address: SocketAddr) -> io::Result<()> {
        write_private(&self.0.join("api.address"), &address.to_string())
    }

    pub(super) fn forget_address(&self) {
        let _gone_already = fs::remove_file(self.0.join("api.address"));
    }
}

fn is_token(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|c| c.is_ascii_hexdigit())
}

/// Readable by its owner only, whole or not at all.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}
