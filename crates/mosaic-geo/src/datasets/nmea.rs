use jiff::{civil, tz::TimeZone};
use mosaic_types::{LatLng, Timestamp};

use super::{
    ImportError, ImportProblem,
    lines::{number, unpacked},
};
use crate::{
    Traces,
    movement::{Fix, Gathered},
};

/// Reads the log of a satellite receiver (NMEA 0183) as the movement of `user` (a log names nobody).
///
/// Of all sentences, only RMC names a date, so only these are read, of any talker and only with a valid fix. What a
/// serial line adds is skipped as every receiver's reader does: comments, other sentences, binary messages between them,
/// and sentences whose checksum does not fit. An intact RMC sentence that makes no sense is an error.
///
/// # Errors
/// [`ImportError`] names the first line that is wrong.
pub fn from_nmea(bytes: &[u8], user: &str) -> Result<Traces, ImportError> {
    let bytes = unpacked(bytes)?;
    let mut gathered = Gathered::default();
    for (line, content) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let Some(sentence) = intact(content) else { continue };
        let failed = |problem| ImportError { line, problem };
        if let Some(fix) = recommended_minimum(sentence).map_err(failed)? {
            gathered.add(user, fix).map_err(|error| failed(error.into()))?;
        }
    }
    Ok(gathered.finish())
}

/// The sentence between `$` and `*`, if its checksum fits. Binary bytes before it do not matter.
fn intact(line: &[u8]) -> Option<&str> {
    let start = line.iter().rposition(|byte| *byte == b'$')?;
    let text = str::from_utf8(line.get(start + 1..)?).ok()?.trim_end();
    let (sentence, sum) = text.split_once('*')?;
    let stated = u8::from_str_radix(sum, 16).ok().filter(|_| sum.len() == 2)?;
    (sentence.bytes().fold(0, |sum, byte| sum ^ byte) == stated).then_some(sentence)
}

const COLUMNS: &str = "--RMC,time,status,lat,N|S,lon,E|W,speed,course,date";

fn recommended_minimum(sentence: &str) -> Result<Option<Fix>, ImportProblem> {
    let mut columns = sentence.split(',');
    if columns.next().is_none_or(|name| name.len() != 5 || !name.ends_with("RMC")) {
        return Ok(None);
    }
    let mut column = || columns.next().ok_or(ImportProblem::Columns(COLUMNS));
    let (time, status, lat, ns, lon, ew) = (column()?, column()?, column()?, column()?, column()?, column()?);
    let (_speed, _course, date) = (column()?, column()?, column()?);
    // V is a receiver's warning; a receiver that has just started knows place or date only later
    if status != "A" || [time, lat, lon, date].contains(&"") {
        return Ok(None);
    }
    let position = LatLng::new(angle(lat, ns, ["N", "S"], "lat")?, angle(lon, ew, ["E", "W"], "lon")?)?;
    Ok(Some(Fix { at: instant(date, time).ok_or(ImportProblem::Time)?, position, category: None }))
}

/// `ddmm.mmmm` or `dddmm.mmmm`: degrees and minutes.
fn angle(text: &str, side: &str, sides: [&str; 2], name: &'static str) -> Result<f64, ImportProblem> {
    let dot = text.find('.').unwrap_or(text.len());
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let cut = dot.checked_sub(2).filter(|_| digits).ok_or(ImportProblem::Number(name))?;
    let (degrees, minutes) = text.split_at(cut);
    let degrees: f64 = if degrees.is_empty() { 0.0 } else { number(degrees, name)? };
    let minutes: f64 = number(minutes, name)?;
    if !(0.0..60.0).contains(&minutes) {
        return Err(ImportProblem::Number(name));
    }
    let angle = degrees + minutes / 60.0;
    match sides.iter().position(|known| *known == side) {
        Some(0) => Ok(angle),
        Some(_) => Ok(-angle),
        None => Err(ImportProblem::Word("N, S, E or W")),
    }
}

/// `ddmmyy` and `hhmmss.sss` in UTC. Two digits of a year mean 1980, when the system began, to 2079.
fn instant(date: &str, time: &str) -> Option<Timestamp> {
    let two = |text: &str, at: usize| -> Option<i8> {
        let pair = text.get(at..at + 2).filter(|pair| pair.bytes().all(|byte| byte.is_ascii_digit()))?;
        pair.parse().ok()
    };
    let year = i16::from(two(date, 4)?);
    let year = if year < 80 { 2_000 + year } else { 1_900 + year };
    let day = civil::Date::new(year, two(date, 2)?, two(date, 0)?).ok().filter(|_| date.len() == 6)?;
    let fraction = match time.get(6..)? {
        "" => 0.0,
        rest => rest.strip_prefix('.').and_then(|_| format!("0{rest}").parse::<f64>().ok())?,
    };
    // a leap second counts into the next minute
    let (second, carry) = match two(time, 4)? {
        60 => (59, 1_000),
        second => (second, 0),
    };
    let clock = civil::Time::new(two(time, 0)?, two(time, 2)?, second, 0).ok()?;
    let whole = TimeZone::UTC.to_timestamp(day.to_datetime(clock)).ok()?.as_millisecond();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction of a second")]
    let millis = (fraction * 1_000.0) as u64;
    Some(Timestamp::from_millis(u64::try_from(whole).ok()? + carry + millis))
}
