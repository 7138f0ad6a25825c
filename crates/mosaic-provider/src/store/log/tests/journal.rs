//! A disk in memory that remembers every operation, so that it can be seen as a crash after any of them left it.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::store::log::disk::{Disk, DiskFile};

/// What happened to the disk, in order.
#[derive(Clone, Debug)]
enum Step {
    Create { name: String, file: usize },
    Rename { from: String, to: String },
    Remove { name: String },
    FlushNames,
    Write { file: usize, at: usize, bytes: Vec<u8> },
    Truncate { file: usize, length: usize },
    Flush { file: usize },
}

/// Names and contents.
#[derive(Clone, Debug, Default)]
struct State {
    names: BTreeMap<String, usize>,
    files: Vec<Vec<u8>>,
}

impl State {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Create { name, file } => {
                self.files.resize(self.files.len().max(file + 1), Vec::new());
                self.names.insert(name.clone(), *file);
            }
            Step::Rename { from, to } => {
                let file = self.names.remove(from).unwrap();
                self.names.insert(to.clone(), file);
            }
            Step::Remove { name } => drop(self.names.remove(name)),
            Step::Write { file, at, bytes } => {
                let held = &mut self.files[*file];
                held.resize(held.len().max(at + bytes.len()), 0);
                held[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Step::Truncate { file, length } => self.files[*file].truncate(*length),
            Step::FlushNames | Step::Flush { .. } => {}
        }
    }
}

/// What a crash spares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crash {
    /// The process is killed: everything written so far, and so many bytes of the write that was under way.
    Kill(usize),
    /// The power fails: of names and contents only what was flushed.
    PowerLoss,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    state: Arc<Mutex<State>>,
    steps: Arc<Mutex<Vec<Step>>>,
    /// Bytes that may still be written; any number at first.
    room: Arc<Mutex<Option<u64>>>,
    /// Flushes of files fail.
    pub(super) dying: Arc<AtomicBool>,
    /// Files cannot be made shorter.
    pub(super) stuck: Arc<AtomicBool>,
    /// Files cannot be removed.
    pub(super) sticky: Arc<AtomicBool>,
}

impl Journal {
    /// How many operations there were.
    pub(super) fn len(&self) -> usize {
        self.steps.lock().unwrap().len()
    }

    /// Bytes that the operation after so many writes; a crash can cut it there.
    pub(super) fn written_by(&self, step: usize) -> usize {
        match self.steps.lock().unwrap().get(step) {
            Some(Step::Write { bytes, .. }) => bytes.len(),
            _ => 0,
        }
    }

    /// So many more bytes fit, or any number.
    pub(super) fn leave_room(&self, bytes: Option<u64>) {
        *self.room.lock().unwrap() = bytes;
    }

    /// The disk as a crash after so many operations leaves it.
    pub(super) fn after(&self, count: usize, crash: Crash) -> Self {
        let steps = self.steps.lock().unwrap();
        let (mut now, mut safe) = (State::default(), State::default());
        for step in &steps[..count] {
            now.take(step);
            match step {
                Step::FlushNames => safe.names.clone_from(&now.names),
                Step::Flush { file } => {
                    safe.files.resize(now.files.len(), Vec::new());
                    safe.files[*file].clone_from(&now.files[*file]);
                }
                _ => safe.files.resize(now.files.len(), Vec::new()),
            }
        }
        let state = match (crash, steps.get(count)) {
            (Crash::PowerLoss, _) => safe,
            (Crash::Kill(kept), Some(Step::Write { file, at, bytes })) => {
                now.take(&Step::Write { file: *file, at: *at, bytes: bytes[..kept].to_vec() });
                now
            }
            (Crash::Kill(_), _) => now,
        };
        Self::of(state)
    }

    /// The disk as it is, without its past: what happens to one of the two is nothing to the other.
    pub(super) fn copy(&self) -> Self {
        Self::of(self.state.lock().unwrap().clone())
    }

    fn of(state: State) -> Self {
        Self { state: Arc::new(Mutex::new(state)), ..Self::default() }
    }

    /// Every file by name.
    pub(super) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state.lock().unwrap();
        state.names.iter().map(|(name, file)| (name.clone(), state.files[*file].clone())).collect()
    }

    /// Puts other bytes into a file, or takes it away.
    pub(super) fn set(&self, name: &str, bytes: Option<Vec<u8>>) {
        let mut state = self.state.lock().unwrap();
        match bytes {
            Some(bytes) => {
                let file = state.names[name];
                state.files[file] = bytes;
            }
            None => drop(state.names.remove(name)),
        }
    }

    fn take(&self, step: Step) {
        self.state.lock().unwrap().take(&step);
        self.steps.lock().unwrap().push(step);
    }
}

struct Open {
    disk: Journal,
    file: usize,
}

impl Disk for Journal {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.state.lock().unwrap().names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = self.state.lock().unwrap().files.len();
        self.take(Step::Create { name: name.into(), file });
        Ok(Box::new(Open { disk: self.clone(), file }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = self.state.lock().unwrap().names.get(name).copied().ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Open { disk: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        if !self.state.lock().unwrap().names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.take(Step::Rename { from: from.into(), to: to.into() });
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        if self.sticky.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let freed = {
            let state = self.state.lock().unwrap();
            let file = state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
            state.files[*file].len() as u64
        };
        if let Some(room) = self.room.lock().unwrap().as_mut() {
            *room += freed;
        }
        self.take(Step::Remove { name: name.into() });
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        self.take(Step::FlushNames);
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(name)
    }
}

impl DiskFile for Open {
    fn length(&self) -> io::Result<u64> {
        Ok(self.disk.state.lock().unwrap().files[self.file].len() as u64)
    }

    fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        let state = self.disk.state.lock().unwrap();
        let from = state.files[self.file].get(at as usize..).and_then(|rest| rest.get(..bytes.len()));
        bytes.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let mut fits = bytes.len();
        if let Some(room) = self.disk.room.lock().unwrap().as_mut() {
            fits = fits.min(*room as usize);
            *room -= fits as u64;
        }
        // a full disk takes what fits
        self.disk.take(Step::Write { file: self.file, at: at as usize, bytes: bytes[..fits].to_vec() });
        if fits == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    fn flush(&self) -> io::Result<()> {
        if self.disk.dying.load(Ordering::Relaxed) {
            return Err(io::Error::other("the medium"));
        }
        self.disk.take(Step::Flush { file: self.file });
        Ok(())
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        if self.disk.stuck.load(Ordering::Relaxed) {
            return Err(io::Error::other("the medium"));
        }
        self.disk.take(Step::Truncate { file: self.file, length: length as usize });
        Ok(())
    }
}
