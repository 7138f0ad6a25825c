use mosaic_types::InvalidPosition;
use thiserror::Error;

use crate::movement::AddFixError;

/// A file of a public data set that cannot be read: which line, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct ImportError {
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong with it. Part of the message, because a line without its reason helps nobody.
    pub problem: ImportProblem,
}

/// What is wrong with a line. The message never repeats the line: it may be a true position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ImportProblem {
    /// The compression, or more than a gibibyte behind it.
    #[error("the file is damaged, cut short or larger than 1 GiB unpacked; fetch it again")]
    Damaged,
    /// Longer than any line of these formats.
    #[error("longer than 4096 bytes")]
    TooLong,
    /// Bytes that are no UTF-8.
    #[error("not UTF-8 text")]
    NotText,
    /// The first line.
    #[error("the first line is not the header `{0}`")]
    Header(&'static str),
    /// Too few or too many columns.
    #[error("expected the columns `{0}`")]
    Columns(&'static str),
    /// A quote that does not end on its line, or stands in the middle of a column.
    #[error("a quoted column does not end, or a quote stands inside a plain one")]
    Quote,
    /// A number.
    #[error("`{0}` is no number in its range")]
    Number(&'static str),
    /// A word that is not one of a few.
    #[error("`{0}` is not one of the words it may be")]
    Word(&'static str),
    /// A time.
    #[error("the time is not as the format has it, or before 1970")]
    Time,
    /// Two sides of a contact that are one.
    #[error("nobody meets themselves")]
    Alone,
    /// A coordinate out of range.
    #[error(transparent)]
    Position(#[from] InvalidPosition),
    /// A name that cannot be kept, or too much of everything.
    #[error(transparent)]
    Add(#[from] AddFixError),
}
