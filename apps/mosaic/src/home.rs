//! Where this installation keeps its files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mosaic_client::{TOKEN_FILE, forget_stale_address};
use mosaic_federation::{Federation, SignedDocument};

use crate::exit::{Exit, Failure, OrExit, Outcome};

/// One installation: an agent, its federation and, in a practice federation, its providers.
#[derive(Clone, Debug)]
pub(crate) struct Home(PathBuf);

impl Home {
    /// The folder given, or the platform's place for application data.
    pub(crate) fn at(dir: Option<PathBuf>) -> Outcome<Self> {
        let dir = dir.or_else(platform_data).map(Self);
        dir.ok_or_else(|| Failure::usage("there is no home folder; name one with --dir"))
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The signed federation document this installation is pinned to.
    pub(crate) fn federation_file(&self) -> PathBuf {
        self.0.join("federation.json")
    }

    /// The agent's folder: vault, token and address of the local API.
    pub(crate) fn agent(&self) -> PathBuf {
        self.0.join("agent")
    }

    /// The agent's vault.
    pub(crate) fn vault(&self) -> PathBuf {
        self.agent().join("vault")
    }

    /// The agent's place index.
    pub(crate) fn places(&self) -> PathBuf {
        self.0.join("places.mosaic")
    }

    /// Whom to name for the places.
    pub(crate) fn attribution(&self) -> PathBuf {
        self.0.join("places-attribution.txt")
    }

    /// The folder of the regions that the place index is joined from.
    pub(crate) fn regions(&self) -> PathBuf {
        self.0.join("regions")
    }

    /// Bearer token of the local API.
    pub(crate) fn token(&self) -> PathBuf {
        self.agent().join(TOKEN_FILE)
    }

    /// Password of a practice vault.
    pub(crate) fn practice_password(&self) -> PathBuf {
        self.0.join("practice.password")
    }

    /// The folder of a practice provider.
    pub(crate) fn provider(&self, number: u8) -> PathBuf {
        self.0.join(format!("provider-{number}"))
    }

    /// Lies here while a practice federation is being laid out: whatever providers there are then belong to no
    /// federation yet.
    pub(crate) fn unfinished(&self) -> PathBuf {
        self.0.join("practice.unfinished")
    }

    /// Makes the folder, readable by its owner only.
    pub(crate) fn create(&self) -> Outcome {
        create_private_dir(&self.0).or_exit(Exit::Local, format!("cannot make {}", self.0.display()))
    }

    /// Reads and checks the pinned federation.
    pub(crate) fn federation(&self) -> Outcome<Federation> {
        let path = self.federation_file();
        if !path.exists() {
            return Err(Failure::new(
                Exit::Local,
                "no federation is known here; try `mosaic up` (practice) or `mosaic join LINK`",
            ));
        }
        read_federation(&path)
    }

    /// Keeps a checked federation.
    pub(crate) fn keep_federation(&self, federation: &Federation) -> Outcome {
        self.create()?;
        write_file(&self.federation_file(), federation.document().to_json().as_bytes())
    }

    /// Before an agent starts: the address that a killed one left must not be believed.
    pub(crate) fn forget_stale_address(&self) -> Outcome {
        let doing = format!("cannot remove the address that an agent left in {}", self.agent().display());
        forget_stale_address(&self.agent()).or_exit(Exit::Local, doing)
    }
}

/// Reads and checks a complete signed document.
pub(crate) fn read_federation(path: &Path) -> Outcome<Federation> {
    let doing = format!("cannot use {}", path.display());
    let bytes = read_file(path)?;
    SignedDocument::parse(&bytes).and_then(SignedDocument::verify).or_exit(Exit::Usage, doing)
}

/// Reads a file somebody named.
pub(crate) fn read_file(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).or_exit(Exit::Local, format!("cannot read {}", path.display()))
}

/// Writes beside, syncs, renames: a reader sees the old content or the new one. Owner only.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Outcome {
    let write = || -> io::Result<()> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let mut file = create_private(&beside)?;
        io::Write::write_all(&mut file, bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().or_exit(Exit::Local, format!("cannot write {}", path.display()))
}

/// Makes a file that only its owner reads, or empties it.
#[cfg(unix)]
pub(crate) fn create_private(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Makes a file, or empties it.
#[cfg(not(unix))]
pub(crate) fn create_private(path: &Path) -> io::Result<fs::File> {
    fs::File::create(path)
}

/// Makes a folder that only its owner reads.
#[cfg(unix)]
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes a folder.
#[cfg(not(unix))]
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

fn platform_data() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if cfg!(windows) {
        return named("APPDATA").map(|dir| dir.join("mosaic"));
    }
    let home = named("HOME")?;
    if cfg!(target_os = "macos") {
        return Some(home.join("Library/Application Support/mosaic"));
    }
    Some(named("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share")).join("mosaic"))
}
