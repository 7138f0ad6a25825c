use mosaic_types::{InvalidPosition, LatLng, Timestamp};
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use thiserror::Error;

use super::{AddFixError, Fix, Gathered, Traces, csv::parse_time};

/// A GPX file that cannot be read: where, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct GpxError {
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong there.
    pub problem: GpxProblem,
}

/// What is wrong in a GPX file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GpxProblem {
    /// Not text, or in an encoding other than UTF-8.
    #[error("the file is not UTF-8 text; export the track again")]
    NotText,
    /// Not well-formed.
    #[error("the XML is not well-formed or cut short; export the track again")]
    Xml,
    /// Some other XML.
    #[error("this is no GPX file: its first element is not <gpx>")]
    NotGpx,
    /// A point without its coordinates.
    #[error("a track point needs lat and lon as decimal degrees")]
    Coordinate,
    /// A coordinate is out of range.
    #[error(transparent)]
    Position(#[from] InvalidPosition),
    /// A point without its time.
    #[error("a track point needs <time> as RFC 3339 such as 2026-11-21T18:30:00Z; routes and waypoints have none")]
    Time,
    /// A name that cannot be kept, or too many fixes.
    #[error(transparent)]
    Add(#[from] AddFixError),
}

/// Reads the track points of a GPX 1.0 or 1.1 file as the movement of `user` (the file names tracks, not people).
/// Waypoints and routes have no time and are left out. Entities are never expanded.
///
/// # Errors
/// [`GpxError`] names the first line that is wrong.
pub fn from_gpx(bytes: &[u8], user: &str) -> Result<Traces, GpxError> {
    let text = str::from_utf8(bytes).map_err(|_| GpxError { line: 1, problem: GpxProblem::NotText })?;
    let mut reader = Reader::from_str(text);
    let mut track = Track::default();
    loop {
        let event = reader.read_event();
        let end = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let failed = |problem| GpxError { line: line_at(bytes, end), problem };
        let event = event.map_err(|_| failed(GpxProblem::Xml))?;
        if matches!(event, Event::Eof) {
            return if track.depth == 0 && track.is_gpx {
                Ok(track.fixes.finish())
            } else {
                Err(failed(track.unfinished()))
            };
        }
        track.take(&event, user).map_err(failed)?;
    }
}

/// How far the reading has come.
#[derive(Default)]
struct Track {
    fixes: Gathered,
    depth: usize,
    is_gpx: bool,
    point: Option<LatLng>,
    at: Option<Timestamp>,
    time: Option<String>,
}

impl Track {
    fn take(&mut self, event: &Event<'_>, user: &str) -> Result<(), GpxProblem> {
        match event {
            Event::Start(element) => {
                self.depth += 1;
                self.open(element)?;
            }
            Event::Empty(element) => {
                self.open(element)?;
                self.close(element.local_name().as_ref(), user)?;
            }
            Event::End(element) => {
                self.depth = self.depth.checked_sub(1).ok_or(GpxProblem::Xml)?;
                self.close(element.local_name().as_ref(), user)?;
            }
            Event::Text(text) => {
                if let Some(time) = &mut self.time {
                    time.push_str(text);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), GpxProblem> {
        match element.local_name().as_ref() {
            "gpx" => self.is_gpx = true,
            _ if !self.is_gpx => return Err(GpxProblem::NotGpx),
            "trkpt" => (self.point, self.at) = (Some(position(element)?), None),
            "time" if self.point.is_some() => self.time = Some(String::new()),
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, name: &str, user: &str) -> Result<(), GpxProblem> {
        match name {
            "time" => {
                if let Some(text) = self.time.take() {
                    self.at = Some(parse_time(text.trim()).ok_or(GpxProblem::Time)?);
                }
            }
            "trkpt" => {
                let position = self.point.take().ok_or(GpxProblem::Xml)?;
                let at = self.at.take().ok_or(GpxProblem::Time)?;
                self.fixes.add(user, Fix { at, position, category: None })?;
            }
            _ => {}
        }
        Ok(())
    }

    const fn unfinished(&self) -> GpxProblem {
        if self.is_gpx { GpxProblem::Xml } else { GpxProblem::NotGpx }
    }
}

fn position(element: &BytesStart<'_>) -> Result<LatLng, GpxProblem> {
    let degrees = |name: &str| -> Option<f64> {
        let attribute = element.try_get_attribute(name).ok()??;
        attribute.value.trim().parse().ok()
    };
    let (lat, lng) = degrees("lat").zip(degrees("lon")).ok_or(GpxProblem::Coordinate)?;
    Ok(LatLng::new(lat, lng)?)
}

fn line_at(bytes: &[u8], end: usize) -> usize {
    bytes.iter().take(end).filter(|&&byte| byte == b'\n').count() + 1
}
