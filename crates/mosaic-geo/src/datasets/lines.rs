use std::{borrow::Cow, io::Read};

use flate2::bufread::MultiGzDecoder;

use super::{ImportError, ImportProblem};

/// The most bytes that are unpacked.
const MOST: u64 = 1 << 30;
/// The longest line that is read, in bytes.
const MAX_LINE: usize = 4_096;

/// The bytes, unpacked if they are gzipped.
pub(super) fn unpacked(bytes: &[u8]) -> Result<Cow<'_, [u8]>, ImportError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(bytes));
    }
    let damaged = ImportError { line: 1, problem: ImportProblem::Damaged };
    let mut text = Vec::new();
    let read = MultiGzDecoder::new(bytes).take(MOST + 1).read_to_end(&mut text).map_err(|_| damaged)?;
    if read as u64 > MOST { Err(damaged) } else { Ok(Cow::Owned(text)) }
}

/// Reads line by line with `parse`, which says nothing for a line that holds nothing.
///
/// # Errors
/// [`ImportError`] for the first line that is wrong.
pub(super) fn read<T>(
    bytes: &[u8],
    mut parse: impl FnMut(usize, &[u8]) -> Result<Option<T>, ImportProblem>,
) -> Result<Vec<T>, ImportError> {
    let bytes = unpacked(bytes)?;
    let mut values = Vec::new();
    for (line, content) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let failed = |problem| ImportError { line, problem };
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        if content.len() > MAX_LINE {
            return Err(failed(ImportProblem::TooLong));
        }
        values.extend(parse(line, content).map_err(failed)?);
    }
    Ok(values)
}

/// A line as text.
pub(super) fn text(line: &[u8]) -> Result<&str, ImportProblem> {
    str::from_utf8(line).map_err(|_| ImportProblem::NotText)
}

/// A whole or decimal number of that name.
pub(super) fn number<N: std::str::FromStr>(text: &str, name: &'static str) -> Result<N, ImportProblem> {
    text.trim().parse().map_err(|_| ImportProblem::Number(name))
}
