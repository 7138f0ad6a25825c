use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{Pin, tls};

/// A provider's TLS key and self-signed certificate. The certificate carries no name that matters:
/// clients know it by its [`Pin`] (L2-02).
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
}

/// Why an identity could not be made, read or kept.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The key or the certificate could not be generated.
    #[error("no TLS certificate could be made")]
    Generate(#[source] rcgen::Error),
    /// The file exists but does not hold one key and one certificate.
    #[error("{} does not hold a TLS key and certificate", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be read or written.
    #[error("{} cannot be read or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Key and certificate do not belong together.
    #[error("the TLS key and certificate do not fit together")]
    Mismatch(#[source] rustls::Error),
}

impl Identity {
    /// A fresh P-256 key with a certificate over it.
    ///
    /// # Errors
    /// [`IdentityError::Generate`] when the random source fails.
    pub fn generate() -> Result<Self, IdentityError> {
        let key = KeyPair::generate().map_err(IdentityError::Generate)?;
        let mut params = CertificateParams::new(vec!["mosaic.invalid".to_owned()]).map_err(IdentityError::Generate)?;
        params.distinguished_name.push(DnType::CommonName, "mosaic");
        let certificate = params.self_signed(&key).map_err(IdentityError::Generate)?;
        Ok(Self { certificate: certificate.der().clone(), key: PrivatePkcs8KeyDer::from(key.serialize_der()) })
    }

    /// Makes an identity and keeps it at `path`, readable by its owner only.
    ///
    /// # Errors
    /// [`IdentityError::File`] when it cannot be kept, or something is there already: an identity is
    /// never replaced, because every client pins it.
    pub fn create(path: &Path) -> Result<Self, IdentityError> {
        let failed = |source| IdentityError::File { path: path.to_owned(), source };
        if path.exists() {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        let identity = Self::generate()?;
        identity.store(path).map_err(failed)?;
        Ok(identity)
    }

    /// Reads the identity at `path`. A missing one is not made: it would be another than clients pin.
    ///
    /// # Errors
    /// [`IdentityError`] when the file is missing or unusable.
    pub fn load(path: &Path) -> Result<Self, IdentityError> {
        let pem = fs::read(path).map_err(|source| IdentityError::File { path: path.to_owned(), source })?;
        Self::parse(&Zeroizing::new(pem)).ok_or_else(|| IdentityError::Corrupt { path: path.to_owned() })
    }

    /// What clients pin.
    pub fn pin(&self) -> Pin {
        Pin::of(&self.certificate)
    }

    /// A server configuration with this identity: TLS 1.3 only (L2-01).
    ///
    /// # Errors
    /// [`IdentityError::Mismatch`] when key and certificate do not belong together.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, IdentityError> {
        let key = PrivateKeyDer::Pkcs8(self.key.clone_key());
        tls::server_config(self.certificate.clone(), key).map(Arc::new).map_err(IdentityError::Mismatch)
    }

    fn parse(pem: &[u8]) -> Option<Self> {
        let certificate = CertificateDer::from_pem_slice(pem).ok()?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem).ok()?;
        Some(Self { certificate, key })
    }

    /// Written beside its place, synced and renamed, so that a torn write leaves no half identity; the
    /// folder is synced too, or a power cut could take the name back.
    fn store(&self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("new");
        let mut file = create_private(&beside)?;
        file.write_all(armour("PRIVATE KEY", self.key.secret_pkcs8_der()).as_bytes())?;
        file.write_all(armour("CERTIFICATE", &self.certificate).as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        // a bare file name has the empty folder as its parent
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::File::open(folder)?.sync_all()
    }
}

/// RFC 7468 text around DER.
fn armour(kind: &str, der: &[u8]) -> Zeroizing<String> {
    use base64::Engine as _;
    let text = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(der));
    let mut pem = Zeroizing::new(format!("-----BEGIN {kind}-----\n"));
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem.push_str(&format!("-----END {kind}-----\n"));
    pem
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<fs::File> {
    fs::File::create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_outlives_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tls.pem");
        let first = Identity::create(&path).unwrap();
        let second = Identity::load(&path).unwrap();
        assert_eq!(first.pin(), second.pin());
        second.server_config().unwrap();
        assert_ne!(Identity::generate().unwrap().pin(), first.pin());
    }

    #[test]
    fn a_damaged_identity_is_refused_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tls.pem");
        fs::write(&path, "not a key").unwrap();
        assert!(matches!(Identity::load(&path), Err(IdentityError::Corrupt { .. })));
        assert!(matches!(Identity::create(&path), Err(IdentityError::File { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"not a key");
    }

    #[test]
    fn a_lost_identity_is_an_error_and_no_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tls.pem");
        assert!(matches!(Identity::load(&path), Err(IdentityError::File { .. })));
        assert!(!path.exists());
    }
}
