use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use mosaic_federation::{Federation, ProviderEntry, SignedDocument, UntrustedFederation};
use mosaic_transport::{Identity, IdentityError};
use mosaic_types::ProviderId;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{ProviderKeys, spent::SpentAddress, store::StoreAddress};

/// `provider.toml`: what an operator decides. No secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// Number in the federation, 1 to 5.
    pub number: ProviderId,
    /// Address to listen on.
    pub listen: SocketAddr,
    /// `https://host:port` under which others reach it.
    pub url: String,
    /// Who runs it.
    pub operator: String,
    /// ISO 3166 code of the law it is under.
    pub jurisdiction: String,
    /// Loopback address on which `/metrics` is shown in clear; without one, nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_listen: Option<SocketAddr>,
    /// Where the store is kept; without it, in the log in the folder.
    #[serde(default, skip_serializing_if = "is_log")]
    pub store: StoreAddress,
    /// Where its fronts keep what is spent; with it, evaluations are theirs alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<SpentAddress>,
}

fn is_log(store: &StoreAddress) -> bool {
    *store == StoreAddress::Log
}

/// A provider's folder: `provider.toml`, `federation.json`, `keys` and `tls.pem` (readable by the owner
/// only), `share-keys/`, and `store/` unless the configuration names another place.
///
/// Back up the first four. Never back up the store or `share-keys/`: a copy of a share outlives its
/// destruction, and a store put back to an earlier state signs a second history.
///
/// A lost store is not replaced by what the other providers hold: they have the sealed generations and
/// the dealings, so this provider evaluates and is read again, but takes no deposits for tables in which it
/// may have signed something that it does not know any more. The next tables are not affected.
pub struct ProviderFolder {
    path: PathBuf,
    /// What the operator decided.
    pub config: ProviderConfig,
    /// Long-lived secrets.
    pub keys: ProviderKeys,
    /// TLS key and certificate.
    pub identity: Identity,
}

/// Why a folder could not be made or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FolderError {
    /// There is a provider in it already; its keys are never replaced.
    #[error("{} holds a provider already", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("{} cannot be read or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// `provider.toml` is not what it should be.
    #[error("{} is not a provider's configuration", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// `keys` has the wrong length.
    #[error("{} does not hold a provider's keys", path.display())]
    Keys {
        /// The file.
        path: PathBuf,
    },
    /// The TLS identity is unusable.
    #[error("the TLS identity is unusable")]
    Identity(#[from] IdentityError),
    /// No federation was installed yet.
    #[error("{} belongs to no federation yet", path.display())]
    NoFederation {
        /// The folder.
        path: PathBuf,
    },
    /// The federation names this provider with another address, certificate or keys, or not at all.
    #[error("the federation does not name this provider with its present {what}")]
    NotNamed {
        /// What differs.
        what: &'static str,
    },
    /// Another federation is installed.
    #[error("another federation is installed in {}", path.display())]
    OtherFederation {
        /// The folder.
        path: PathBuf,
    },
    /// The installed federation is not to be trusted.
    #[error("the federation is not to be trusted")]
    Untrusted(#[from] UntrustedFederation),
}

impl ProviderFolder {
    /// Makes a folder with fresh keys.
    ///
    /// # Errors
    /// [`FolderError::Exists`] rather than replacing anything.
    pub fn create(path: &Path, config: ProviderConfig, rng: &mut dyn CryptoRng) -> Result<Self, FolderError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(at(path))?;
        let above = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(above).and_then(|folder| folder.sync_all()).map_err(at(above))?;
        let file = path.join("provider.toml");
        if file.exists() || path.join("keys").exists() {
            return Err(FolderError::Exists { path: path.to_owned() });
        }
        let keys = ProviderKeys::generate(config.number, rng);
        write(&path.join("keys"), &keys.to_bytes(), 0o600)?;
        let identity = Identity::create(&path.join("tls.pem"))?;
        write_config(path, &config)?;
        Ok(Self { path: path.to_owned(), config, keys, identity })
    }

    /// Opens a folder.
    ///
    /// # Errors
    /// [`FolderError`] naming the file that is missing or wrong.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let file = path.join("provider.toml");
        let text = fs::read_to_string(&file).map_err(at(&file))?;
        let config: ProviderConfig =
            toml::from_str(&text).map_err(|source| FolderError::Config { path: file, source: Box::new(source) })?;
        let file = path.join("keys");
        let bytes = Zeroizing::new(fs::read(&file).map_err(at(&file))?);
        let keys = ProviderKeys::from_bytes(config.number, &bytes).ok_or(FolderError::Keys { path: file })?;
        let identity = Identity::load(&path.join("tls.pem"))?;
        Ok(Self { path: path.to_owned(), config, keys, identity })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes down that the store is kept elsewhere from now on; it must be there.
    ///
    /// # Errors
    /// [`FolderError::File`]; the former place counts then.
    pub fn set_store(&mut self, store: StoreAddress) -> Result<(), FolderError> {
        let config = ProviderConfig { store, ..self.config.clone() };
        write_config(&self.path, &config)?;
        self.config = config;
        Ok(())
    }

    /// The provider's entry for a federation descriptor.
    pub fn entry(&self) -> ProviderEntry {
        ProviderEntry {
            id: self.config.number,
            url: self.config.url.clone(),
            tls_pin: self.identity.pin().to_bytes(),
            signing_key: self.keys.signing.verifying_key().to_bytes(),
            cell_key: self.keys.cell.public().to_bytes(),
            ceremony_key: self.keys.ceremony.public().to_bytes(),
            token_key: self.keys.token_key(),
            operator: self.config.operator.clone(),
            jurisdiction: self.config.jurisdiction.clone(),
        }
    }

    /// Adds this provider's signature to a federation document.
    pub fn sign(&self, document: &mut SignedDocument) {
        document.sign(self.config.number, &self.keys.signing);
    }

    /// Whether `federation` names this provider as it is: others would refuse its certificate otherwise.
    ///
    /// # Errors
    /// [`FolderError::NotNamed`] with what differs.
    pub fn is_named_by(&self, federation: &Federation) -> Result<(), FolderError> {
        let own = self.entry();
        let different = match federation.descriptor().provider(own.id) {
            None => Some("number"),
            Some(named) if named.url != own.url => Some("address"),
            Some(named) if named.tls_pin != own.tls_pin => Some("certificate"),
            Some(named)
                if (named.signing_key, named.cell_key, named.ceremony_key, named.token_key)
                    != (own.signing_key, own.cell_key, own.ceremony_key, own.token_key) =>
            {
                Some("keys")
            }
            Some(_) => None,
        };
        different.map_or(Ok(()), |what| Err(FolderError::NotNamed { what }))
    }

    /// Installs the federation that all its providers signed; the same one again changes nothing.
    ///
    /// # Errors
    /// [`FolderError::NotNamed`] when it does not name this provider, [`FolderError::OtherFederation`] when
    /// another one is installed, and when it cannot be written.
    pub fn install(&self, federation: &Federation) -> Result<(), FolderError> {
        match self.federation() {
            Ok(installed) if installed.digest() == federation.digest() => self.is_named_by(federation),
            Err(FolderError::NoFederation { .. }) => self.replace(federation),
            // an installed one that cannot be read is no reason to take any other
            Ok(_) | Err(_) => {
                self.is_named_by(federation)?;
                Err(FolderError::OtherFederation { path: self.path.clone() })
            }
        }
    }

    /// Installs a federation in the place of another.
    ///
    /// # Errors
    /// [`FolderError::NotNamed`] when it does not name this provider, and when it cannot be written.
    pub fn replace(&self, federation: &Federation) -> Result<(), FolderError> {
        self.is_named_by(federation)?;
        write(&self.path.join("federation.json"), federation.document().to_json().as_bytes(), 0o644)
    }

    /// The installed federation, checked again.
    ///
    /// # Errors
    /// [`FolderError::NoFederation`] before one was installed, [`FolderError::Untrusted`] if it is not sound.
    pub fn federation(&self) -> Result<Federation, FolderError> {
        let file = self.path.join("federation.json");
        match fs::read(&file) {
            Ok(bytes) => Ok(SignedDocument::parse(&bytes)?.verify()?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(FolderError::NoFederation { path: self.path.clone() })
            }
            Err(source) => Err(FolderError::File { path: file, source }),
        }
    }
}

fn write_config(folder: &Path, config: &ProviderConfig) -> Result<(), FolderError> {
    // a few plain fields always serialise
    write(&folder.join("provider.toml"), toml::to_string_pretty(config).unwrap_or_default().as_bytes(), 0o644)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> FolderError + use<> {
    let path = path.to_owned();
    |source| FolderError::File { path, source }
}

/// Written beside its place, flushed and renamed, so that a crash leaves the old file or the new one.
pub(crate) fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FolderError> {
    let store = || {
        let beside = path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        // the new name itself must survive a power cut
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    };
    store().map_err(at(path))
}
