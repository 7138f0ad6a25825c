use std::{fs, os::unix::fs::DirBuilderExt as _, path::PathBuf};

use mosaic_federation::{Evidence, Federation};

use crate::{ProviderCore, folder::write, store::Store};

/// Puts evidence where its operator finds it and others can be given it: one file for each in `evidence/` of the
/// provider's folder, as `mosaic evidence verify` reads it.
pub(super) struct Published {
    folder: PathBuf,
    /// How many had been found when files were last written; `None` before the first time.
    found: Option<u64>,
}

impl Published {
    pub(super) const fn into_folder(folder: PathBuf) -> Self {
        Self { folder, found: None }
    }

    /// Writes what has no file yet. A disk that refuses loses nothing: the store has it, and the next start tries again.
    pub(super) fn keep_up<S: Store>(&mut self, core: &ProviderCore<S>) {
        let found = Some(core.counters().evidence);
        if self.found == found {
            return;
        }
        self.found = found;
        let all = core.evidence().unwrap_or_default();
        let file = |evidence: &Evidence| {
            let bytes = evidence.encode();
            (self.folder.join(name(evidence, &bytes, core.federation())), bytes)
        };
        for (path, bytes) in all.iter().map(file).filter(|(path, _)| !path.exists()) {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
            let written = made.map_err(|error| error.to_string());
            let written = written.and_then(|()| write(&path, &bytes, 0o644).map_err(|error| error.to_string()));
            match written {
                Ok(()) => tracing::error!(file = %path.display(), "evidence to publish"),
                Err(error) => tracing::error!(%error, "evidence could not be written beside the store"),
            }
        }
    }
}

/// Such as `two-histories-provider-3-0123456789abcdef.proof`.
fn name(evidence: &Evidence, bytes: &[u8], federation: &Federation) -> String {
    let who = evidence.verify(federation).map(|liar| format!("-provider-{liar}")).unwrap_or_default();
    let number = mosaic_crypto::digest(&[bytes]).first_chunk().copied().map_or(0, u64::from_be_bytes);
    format!("{}{who}-{number:016x}.proof", evidence.kind())
}
