use jiff::{civil::DateTime, tz::TimeZone};
use mosaic_types::{InvalidPosition, LatLng, Timestamp};
use thiserror::Error;

use super::{AddFixError, Fix, Gathered, Traces};

/// A Geolife `.plt` file that cannot be read: which line, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct PltError {
    /// The line, counted from one; 1 for the file as a whole.
    pub line: usize,
    /// What is wrong with it.
    pub problem: PltProblem,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PltProblem {
    /// Not text.
    #[error("the file is not text")]
    NotText,
    /// The six lines before the data.
    #[error("a Geolife file has six header lines, the first starting with `Geolife trajectory`")]
    Header,
    /// The columns.
    #[error("expected `lat,lon,0,altitude,days,date,time`")]
    Columns,
    /// Date and time.
    #[error("expected a date such as 2008-10-23 and a time such as 02:53:04 (GMT), 1970 or later")]
    Time,
    /// A coordinate is out of range.
    #[error(transparent)]
    Position(#[from] InvalidPosition),
    /// A name that cannot be kept, or too many fixes.
    #[error(transparent)]
    Add(#[from] AddFixError),
}

/// Reads one Geolife `.plt` file as the movement of `user` (the file itself names nobody): six header lines, then
/// `lat,lon,0,altitude,days,date,time` in GMT.
///
/// # Errors
/// [`PltError`] names the first line that is wrong.
pub fn from_plt(bytes: &[u8], user: &str) -> Result<Traces, PltError> {
    let failed = |line| move |problem| PltError { line, problem };
    let text = str::from_utf8(bytes).map_err(|_| failed(1)(PltProblem::NotText))?;
    if !text.starts_with("Geolife trajectory") || text.lines().count() < 6 {
        return Err(failed(1)(PltProblem::Header));
    }
    let mut gathered = Gathered::default();
    for (line, content) in (1..).zip(text.lines()).skip(6).filter(|(_, content)| !content.trim().is_empty()) {
        let fix = parse(content).map_err(failed(line))?;
        gathered.add(user, fix).map_err(|error| failed(line)(error.into()))?;
    }
    Ok(gathered.finish())
}

fn parse(line: &str) -> Result<Fix, PltProblem> {
    let columns: Vec<&str> = line.splitn(9, ',').map(str::trim).collect();
    let [lat, lng, _, _, _, date, time] = columns[..] else { return Err(PltProblem::Columns) };
    let (Ok(lat), Ok(lng)) = (lat.parse(), lng.parse()) else { return Err(PltProblem::Columns) };
    let position = LatLng::new(lat, lng)?;
    let at = instant(date, time).ok_or(PltProblem::Time)?;
    Ok(Fix { at, position, category: None })
}

fn instant(date: &str, time: &str) -> Option<Timestamp> {
    let civil: DateTime = format!("{date}T{time}").parse().ok()?;
    let instant = TimeZone::UTC.to_timestamp(civil).ok()?;
    u64::try_from(instant.as_millisecond()).ok().map(Timestamp::from_millis)
}
