//! A segment's bytes on their own, as fuzzing feeds them.

use std::io;

use super::{
    disk::DiskFile,
    record::{SEGMENT_HEAD, SegmentHead},
    segment::{self, Found},
};

/// What a segment's bytes were read as.
#[derive(Debug, PartialEq, Eq)]
pub struct SegmentParts {
    /// Whole batches from the beginning, up to the first flaw or the end.
    pub batches: u32,
    /// Bytes that they and the segment's head occupy.
    pub whole: usize,
    /// What was wrong behind them; `None` at the end of the bytes.
    pub flaw: Option<&'static str>,
    /// The whole bytes as they would be written again.
    pub again: Vec<u8>,
}

/// Reads a segment; `None` when it does not begin as one.
pub fn parse_segment(bytes: &[u8]) -> Option<SegmentParts> {
    let head = SegmentHead::decode(bytes.first_chunk::<SEGMENT_HEAD>()?).ok()?;
    let mut parts = SegmentParts { batches: 0, whole: SEGMENT_HEAD, flaw: None, again: head.encode().to_vec() };
    let file = InMemory(bytes);
    loop {
        let at = u32::try_from(parts.whole).ok()?;
        match segment::read_batch(&file, head.marker, at, (bytes.len() - parts.whole) as u64).ok()? {
            Found::End => return Some(parts),
            Found::Flawed { what } => {
                parts.flaw = Some(what);
                return Some(parts);
            }
            Found::Batch(batch) => {
                parts.again.extend_from_slice(&batch.head.encode(head.marker));
                super::record::changes(&batch.body).flatten().for_each(|change| {
                    // what was read is no longer than what can be written
                    let _fits = change.append_to(&mut parts.again);
                });
                parts.batches += 1;
                parts.whole = batch.end() as usize;
            }
        }
    }
}

struct InMemory<'a>(&'a [u8]);

impl DiskFile for InMemory<'_> {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        let from = usize::try_from(at).ok().and_then(|at| self.0.get(at..)?.get(..bytes.len()));
        bytes.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}
