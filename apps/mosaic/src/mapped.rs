//! Files used where they lie. The one place in this workspace that maps memory.

use std::{fs::File, path::Path};

use memmap2::Mmap;

use crate::exit::{Exit, OrExit, Outcome};

/// A file's bytes, read from disk as they are looked at.
#[derive(Debug)]
pub(crate) struct Mapped(Option<Mmap>);

impl Mapped {
    /// Maps a file somebody named.
    pub(crate) fn open(path: &Path) -> Outcome<Self> {
        let doing = format!("cannot read {}", path.display());
        let file = File::open(path).or_exit(Exit::Local, &doing)?;
        // What is empty cannot be mapped.
        if file.metadata().is_ok_and(|told| told.len() == 0) {
            return Ok(Self(None));
        }
        #[expect(
            unsafe_code,
            reason = "mapping is unsafe because another process may write to the file. Our own files are never written \
                      in place: a new one is renamed over the old one, whose bytes a mapping keeps. Whoever else \
                      writes to one spoils an answer or ends this process; the readers check every bound and every \
                      letter anew"
        )]
        // SAFETY: see the reason above; nothing derives a reference whose validity depends on the content.
        let mapped = unsafe { Mmap::map(&file) }.or_exit(Exit::Local, &doing)?;
        Ok(Self(Some(mapped)))
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}
