use super::{
    ImportError, ImportProblem,
    lines::{number, read, text},
};

/// A packet as somebody on the line sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Nanoseconds since the first of the trace.
    pub at_ns: u64,
    /// Whether the client sent it.
    pub sent: bool,
    /// Bytes.
    pub bytes: u32,
}

/// Reads a packet trace: `time_ns,direction,bytes` with direction `s` (sent by the client) or `r`.
///
/// # Errors
/// [`ImportError`] names the first line that is wrong.
pub fn packets(bytes: &[u8]) -> Result<Vec<Packet>, ImportError> {
    read(bytes, |_, line| {
        let line = text(line)?;
        if line.trim().is_empty() {
            return Ok(None);
        }
        let mut columns = line.split(',');
        let (Some(at), Some(direction), Some(bytes), None) =
            (columns.next(), columns.next(), columns.next(), columns.next())
        else {
            return Err(ImportProblem::Columns("time_ns,direction,bytes"));
        };
        let sent = match direction.trim() {
            "s" => true,
            "r" => false,
            _ => return Err(ImportProblem::Word("direction")),
        };
        Ok(Some(Packet { at_ns: number(at, "time_ns")?, sent, bytes: number(bytes, "bytes")? }))
    })
}
