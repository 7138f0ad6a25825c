//! Room that is kept back for the day the disk is full: to retire a table takes a few hundred bytes, and must not wait
//! for an operator.

use std::io;

use super::{
    disk::{self, Disk},
    record::{self, Kind},
};

/// Bytes of a batch that may use it.
const MOST: usize = 64 << 10;
/// Bytes of a value in a commit that may use it: the state of a table, and no record.
const SMALL: usize = 64;

/// A file that does nothing but occupy room.
pub(super) struct Reserve {
    bytes: u32,
    there: bool,
}

impl Reserve {
    const NAME: &str = "reserve";

    /// Finds it, or makes it if there is room.
    pub(super) fn open(disk: &dyn Disk, bytes: u32, names: &[String]) -> Self {
        let mut reserve = Self { bytes, there: names.iter().any(|name| name == Self::NAME) };
        reserve.restore(disk);
        reserve
    }

    /// Makes it again, if there is room again.
    pub(super) fn restore(&mut self, disk: &dyn Disk) {
        if self.there || self.bytes == 0 {
            return;
        }
        match disk::put(disk, Self::NAME, &vec![0; self.bytes as usize]) {
            Ok(()) => self.there = true,
            Err(_) => drop(disk.remove(&format!("{}.new", Self::NAME))),
        }
    }

    /// Gives the room away; whether there was any.
    pub(super) fn give(&mut self, disk: &dyn Disk) -> io::Result<bool> {
        if !self.there {
            return Ok(false);
        }
        disk.remove(Self::NAME)?;
        self.there = false;
        disk.flush()?;
        Ok(true)
    }
}

/// Whether a commit may use it: it removes, or says little.
pub(super) fn is_for(body: &[u8]) -> bool {
    let little = |change: record::Stored<'_>| change.kind != Kind::Put || change.value.len() <= SMALL;
    body.len() <= MOST && record::changes(body).flatten().all(little)
}

/// Whether what is moved may use it.
pub(super) const fn is_for_moving(body: &[u8]) -> bool {
    body.len() <= MOST
}
