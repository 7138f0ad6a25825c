use std::{collections::HashSet, fmt::Write, sync::Arc};

use jiff::Timestamp as Instant;
use mosaic_types::{InvalidPosition, LatLng, Timestamp};
use thiserror::Error;

use super::{AddFixError, Fix, Gathered, InvalidUser, Traces, check_user};

/// The longest line that is read, in bytes.
const MAX_LINE: usize = 1_024;
/// The longest category, in characters.
const MAX_CATEGORY: usize = 64;

/// A trace file that cannot be read: which line, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct CsvError {
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong with it. Part of the message, because a line without its reason helps nobody.
    pub problem: CsvProblem,
}

/// What is wrong with a line. The message never repeats the line: it may be a true position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CsvProblem {
    /// Not four or five columns.
    #[error("{found} columns where `user,time,lat,lon[,category]` are expected")]
    Columns {
        /// How many there are.
        found: usize,
    },
    /// Longer than any line of this format.
    #[error("longer than 1024 bytes")]
    TooLong,
    /// The user's name.
    #[error(transparent)]
    User(#[from] InvalidUser),
    /// The time.
    #[error("the time is neither RFC 3339 such as 2026-11-21T18:30:00Z nor unix seconds of 1970 or later")]
    Time,
    /// A coordinate is no number.
    #[error("a coordinate is no decimal number of degrees")]
    Coordinate,
    /// A coordinate is out of range.
    #[error(transparent)]
    Position(#[from] InvalidPosition),
    /// The category.
    #[error("the category has more than 64 characters or a control character or quote")]
    Category,
    /// The file as a whole is too large.
    #[error(transparent)]
    TooMany(AddFixError),
}

impl From<AddFixError> for CsvProblem {
    fn from(error: AddFixError) -> Self {
        match error {
            AddFixError::User(user) => Self::User(user),
            other => Self::TooMany(other),
        }
    }
}

/// One line of a trace file.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a> {
    /// The line, counted from one.
    pub line: usize,
    /// Whose fix.
    pub user: &'a str,
    /// The fix.
    pub fix: Fix,
}

/// The lines of a trace file, in its own order: `user,time,lat,lon[,category]`. A header with these names, blank lines,
/// lines that start with `#`, a byte order mark and carriage returns are skipped; nothing is quoted.
pub fn rows(text: &str) -> impl Iterator<Item = Result<Row<'_>, CsvError>> {
    let mut shared = HashSet::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut header_allowed = true;
    (1..).zip(text.lines()).filter_map(move |(line, content)| {
        if content.trim().is_empty() || content.starts_with('#') {
            return None;
        }
        if std::mem::take(&mut header_allowed) && is_header(content) {
            return None;
        }
        let row = parse(content, &mut shared).map(|(user, fix)| Row { line, user, fix });
        Some(row.map_err(|problem| CsvError { line, problem }))
    })
}

/// Reads a trace file, see [`rows`]. Lines may be in any order.
///
/// # Errors
/// [`CsvError`] for the first line that is wrong.
pub fn read_csv(text: &str) -> Result<Traces, CsvError> {
    let mut gathered = Gathered::default();
    for row in rows(text) {
        let Row { line, user, fix } = row?;
        gathered.add(user, fix).map_err(|error| CsvError { line, problem: error.into() })?;
    }
    Ok(gathered.finish())
}

/// Writes a trace file with header: users by name, fixes by time, unix seconds (with milliseconds where there are any),
/// degrees with as many digits as needed to read back the same.
pub fn write_csv(traces: &Traces) -> String {
    let labelled = traces.users().any(|(_, fixes)| fixes.iter().any(|fix| fix.category.is_some()));
    let mut text = String::from(if labelled { "user,time,lat,lon,category\n" } else { "user,time,lat,lon\n" });
    for (user, fixes) in traces.users() {
        for fix in fixes {
            // Writing to a `String` cannot fail.
            let _ok = write_row(&mut text, user, fix);
        }
    }
    text
}

fn write_row(text: &mut String, user: &str, fix: &Fix) -> std::fmt::Result {
    write!(text, "{user},{}", fix.at.as_secs())?;
    let millis = fix.at.as_millis() % 1_000;
    if millis != 0 {
        write!(text, ".{millis:03}")?;
    }
    write!(text, ",{},{}", fix.position.lat(), fix.position.lng())?;
    if let Some(category) = &fix.category {
        write!(text, ",{category}")?;
    }
    text.push('\n');
    Ok(())
}

fn is_header(line: &str) -> bool {
    let names: Vec<String> = line.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    matches!(names[..], ["user", "time", "lat", "lon"] | ["user", "time", "lat", "lon", "category"])
}

fn parse<'a>(line: &'a str, shared: &mut HashSet<Arc<str>>) -> Result<(&'a str, Fix), CsvProblem> {
    if line.len() > MAX_LINE {
        return Err(CsvProblem::TooLong);
    }
    let mut columns = line.split(',').map(str::trim);
    let mut column = || columns.next();
    let (Some(user), Some(time), Some(lat), Some(lng)) = (column(), column(), column(), column()) else {
        return Err(CsvProblem::Columns { found: line.split(',').count() });
    };
    let category = column().filter(|word| !word.is_empty());
    if column().is_some() {
        return Err(CsvProblem::Columns { found: line.split(',').count() });
    }
    check_user(user)?;
    let position = LatLng::new(degrees(lat)?, degrees(lng)?)?;
    let at = parse_time(time).ok_or(CsvProblem::Time)?;
    let category = category.map(|word| share(word, shared)).transpose()?;
    Ok((user, Fix { at, position, category }))
}

fn degrees(text: &str) -> Result<f64, CsvProblem> {
    text.parse().map_err(|_| CsvProblem::Coordinate)
}

/// RFC 3339, or unix seconds with at most three decimals that count.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !whole.is_empty() && digits(whole) && digits(fraction) {
        let millis: u64 =
            fraction.bytes().chain(*b"000").take(3).fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        // The year 9999 ends the range that RFC 3339 can write too.
        let seconds = whole.parse::<u64>().ok().filter(|&seconds| seconds <= 253_402_300_799)?;
        return Some(Timestamp::from_millis(seconds * 1_000 + millis));
    }
    let instant: Instant = text.parse().ok()?;
    u64::try_from(instant.as_millisecond()).ok().map(Timestamp::from_millis)
}

/// One allocation for every different category.
fn share(word: &str, shared: &mut HashSet<Arc<str>>) -> Result<Arc<str>, CsvProblem> {
    if let Some(known) = shared.get(word) {
        return Ok(Arc::clone(known));
    }
    if word.chars().count() > MAX_CATEGORY || word.contains('"') || word.chars().any(char::is_control) {
        return Err(CsvProblem::Category);
    }
    let category = Arc::<str>::from(word);
    shared.insert(Arc::clone(&category));
    Ok(category)
}
