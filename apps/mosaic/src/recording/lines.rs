use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use crate::{
    exit::{Exit, OrExit, Outcome},
    home::create_private,
};

/// A JSON Lines file that several tasks write to.
pub(crate) struct Lines(Mutex<BufWriter<File>>);

impl Lines {
    pub(super) fn create(path: &Path) -> Outcome<Self> {
        let file = create_private(path).or_exit(Exit::Local, format!("cannot write {}", path.display()))?;
        Ok(Self(Mutex::new(BufWriter::new(file))))
    }

    /// Appends one object.
    pub(super) fn put(&self, object: &Value) -> Outcome {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(file, "{object}").or_exit(Exit::Local, "the recording cannot be written")
    }

    /// What was put is in the file.
    pub(super) fn flush(&self) -> Outcome {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.flush().or_exit(Exit::Local, "the recording cannot be written")
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if self.flush().is_err() {
            tracing::error!("the recording cannot be written");
        }
    }
}
