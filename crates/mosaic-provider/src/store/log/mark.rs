use std::io;

use super::{
    disk::{self, Disk},
    record::{array_at, u32_at},
};

/// Where the log ended when it was last closed in peace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The last segment.
    pub(super) number: u32,
    /// Its bytes.
    pub(super) length: u32,
    /// Sequence number of the batch to come.
    pub(super) next: u64,
}

impl Mark {
    pub(super) const NAME: &str = "closed";
    const MAGIC: [u8; 8] = *b"MOSLOGC\x01";
    const SIZE: usize = 28;

    pub(super) fn write(&self, disk: &dyn Disk) -> io::Result<()> {
        disk::put(disk, Self::NAME, &self.encode())
    }

    /// The mark, if there is a whole one.
    pub(super) fn read(disk: &dyn Disk) -> Option<Self> {
        let bytes = disk::read(&*disk.open(Self::NAME).ok()?).ok()?;
        Self::decode(bytes.as_slice().try_into().ok()?)
    }

    pub(super) fn remove(disk: &dyn Disk) -> io::Result<()> {
        match disk.remove(Self::NAME) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => disk.flush(),
        }
    }

    fn encode(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..8].copy_from_slice(&Self::MAGIC);
        bytes[8..12].copy_from_slice(&self.number.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.length.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.next.to_be_bytes());
        let check = crc32fast::hash(&bytes[..24]);
        bytes[24..].copy_from_slice(&check.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let whole = bytes[..8] == Self::MAGIC && u32_at(bytes, 24) == crc32fast::hash(&bytes[..24]);
        whole.then(|| Self {
            number: u32_at(bytes, 8),
            length: u32_at(bytes, 12),
            next: u64::from_be_bytes(array_at(bytes, 16)),
        })
    }
}
