use std::{collections::HashSet, sync::Arc};

use jiff::fmt::strtime;
use mosaic_types::{LatLng, Timestamp};

use super::{
    ImportError, ImportProblem,
    lines::{number, read, text},
};
use crate::{
    Traces,
    movement::{Fix, Gathered, parse_time},
};

const GOWALLA: &str = "user time lat lon venue";
const FOURSQUARE: &str = "user venue category_id category lat lon offset_min utc_time";

/// Reads check-ins as Gowalla and Brightkite were published (SNAP): `user time lat lon venue`, separated by tabs, time
/// in RFC 3339. The venue's number is not kept; its position tells it apart. Users without any check-in (Brightkite has
/// lines that hold nothing but a user) and positions of exactly 0, 0, which stand for "unknown" there, are left out.
///
/// # Errors
/// [`ImportError`] names the first line that is wrong.
pub fn from_gowalla(bytes: &[u8]) -> Result<Traces, ImportError> {
    gather(bytes, |line| {
        let columns: Vec<&str> = text(line)?.splitn(6, '\t').map(str::trim).collect();
        match columns[..] {
            [""] => Ok(None),
            [_, "", ..] => Ok(None),
            [user, time, lat, lon, _venue] => {
                let position = LatLng::new(number(lat, "lat")?, number(lon, "lon")?)?;
                if (position.lat(), position.lng()) == (0.0, 0.0) {
                    return Ok(None);
                }
                let at = parse_time(time).ok_or(ImportProblem::Time)?;
                Ok(Some((user.to_owned(), Fix { at, position, category: None })))
            }
            _ => Err(ImportProblem::Columns(GOWALLA)),
        }
    })
}

/// Reads Foursquare check-ins as Yang et al. published them (TSMC 2014): `user venue category_id category lat lon
/// offset_min utc_time`, separated by tabs, time such as `Tue Apr 03 18:00:09 +0000 2012`. The name of the category
/// becomes the fix's category, in Latin-1 where it is no UTF-8, without what a trace file cannot hold.
///
/// # Errors
/// [`ImportError`] names the first line that is wrong.
pub fn from_foursquare_tsmc(bytes: &[u8]) -> Result<Traces, ImportError> {
    let mut shared: HashSet<Arc<str>> = HashSet::new();
    gather(bytes, |line| {
        // in Latin-1 every byte is a character
        let line = str::from_utf8(line).map_or_else(|_| line.iter().copied().map(char::from).collect(), str::to_owned);
        let columns: Vec<&str> = line.splitn(9, '\t').map(str::trim).collect();
        match columns[..] {
            [""] => Ok(None),
            [user, _venue, _id, category, lat, lon, _offset, time] => {
                let position = LatLng::new(number(lat, "lat")?, number(lon, "lon")?)?;
                let at = utc(time).ok_or(ImportProblem::Time)?;
                let category = plain(category).map(|word| match shared.get(word.as_str()) {
                    Some(known) => Arc::clone(known),
                    None => {
                        let word: Arc<str> = word.into();
                        shared.insert(Arc::clone(&word));
                        word
                    }
                });
                Ok(Some((user.to_owned(), Fix { at, position, category })))
            }
            _ => Err(ImportProblem::Columns(FOURSQUARE)),
        }
    })
}

fn gather(
    bytes: &[u8],
    mut parse: impl FnMut(&[u8]) -> Result<Option<(String, Fix)>, ImportProblem>,
) -> Result<Traces, ImportError> {
    let mut gathered = Gathered::default();
    read(bytes, |_, line| {
        if let Some((user, fix)) = parse(line)? {
            gathered.add(&user, fix)?;
        }
        Ok(None::<()>)
    })?;
    Ok(gathered.finish())
}

/// A category that a trace file can hold, or none.
fn plain(category: &str) -> Option<String> {
    let words: String = category.chars().map(|c| if c.is_control() || ",\"".contains(c) { ' ' } else { c }).collect();
    let words: String = words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(64).collect();
    let words = words.trim_end();
    (!words.is_empty()).then(|| words.to_owned())
}

fn utc(text: &str) -> Option<Timestamp> {
    let instant = strtime::parse("%a %b %d %H:%M:%S %z %Y", text).ok()?.to_timestamp().ok()?;
    u64::try_from(instant.as_millisecond()).ok().map(Timestamp::from_millis)
}
