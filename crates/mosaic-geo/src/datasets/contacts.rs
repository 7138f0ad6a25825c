use super::{
    ImportError, ImportProblem,
    lines::{number, read, text},
};

/// Two people were face to face within 1 to 1.5 m, during the 20 seconds that end at `at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contact {
    /// Seconds since the recording's own zero.
    pub at: u32,
    /// One of the two pseudonyms.
    pub a: u32,
    /// The other.
    pub b: u32,
}

const COLUMNS: &str = "t i j";

/// Reads a SocioPatterns contact list: `t i j`, separated by spaces or tabs, in the file's own order.
///
/// # Errors
/// [`ImportError`] names the first line that is wrong.
pub fn contacts(bytes: &[u8]) -> Result<Vec<Contact>, ImportError> {
    read(bytes, |_, line| {
        let mut columns = text(line)?.split_whitespace();
        let Some(at) = columns.next() else { return Ok(None) };
        let (Some(a), Some(b), None) = (columns.next(), columns.next(), columns.next()) else {
            return Err(ImportProblem::Columns(COLUMNS));
        };
        let (at, a, b) = (number(at, "t")?, number(a, "i")?, number(b, "j")?);
        if a == b { Err(ImportProblem::Alone) } else { Ok(Some(Contact { at, a, b })) }
    })
}

/// Reads who belongs to which department: `i department`.
///
/// # Errors
/// [`ImportError`] names the first line that is wrong.
pub fn departments(bytes: &[u8]) -> Result<Vec<(u32, String)>, ImportError> {
    read(bytes, |_, line| {
        let mut columns = text(line)?.split_whitespace();
        let Some(person) = columns.next() else { return Ok(None) };
        let (Some(department), None) = (columns.next(), columns.next()) else {
            return Err(ImportProblem::Columns("i department"));
        };
        Ok(Some((number(person, "i")?, department.to_owned())))
    })
}
