use std::io::{BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use mosaic_types::{InvalidPosition, LatLng, Timestamp};
use thiserror::Error;

use super::{AddFixError, Fix, Gathered, Traces};

/// The longest line that is read, in bytes; a longer one is no line of this format.
const MAX_LINE: u64 = 256;

/// A `cabspotting-delta` file that cannot be read: which line, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct CabspottingError {
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong with it.
    pub problem: CabspottingProblem,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CabspottingProblem {
    /// The compression, or bytes that are no text.
    #[error("the file is damaged or cut short here; fetch it again")]
    Damaged,
    /// The first line.
    #[error("a cabspotting-delta file starts with `cab,dt,dlat5,dlon5,occ`")]
    Header,
    /// The columns.
    #[error("expected `cab,dt,dlat5,dlon5,occ` with whole numbers in the last four")]
    Columns,
    /// A difference before anything to differ from.
    #[error("the first line of the file must name a cab")]
    NoCab,
    /// The sums left the time after 1970.
    #[error("the running sum of the times leaves the years 1970 to 9999")]
    Time,
    /// The sums left the globe.
    #[error(transparent)]
    Position(#[from] InvalidPosition),
    /// A name that cannot be kept, or too much of everything.
    #[error(transparent)]
    Add(#[from] AddFixError),
}

/// Reads `cabspotting-delta`, gzipped or not: `cab,dt,dlat5,dlon5,occ`, a cab's first line absolute (unix seconds,
/// degrees times 100,000) and named, later ones differences and unnamed. Whether the cab was occupied is not kept.
///
/// # Errors
/// [`CabspottingError`] names the first line that is wrong.
pub fn from_cabspotting_delta(bytes: &[u8]) -> Result<Traces, CabspottingError> {
    if bytes.starts_with(&[0x1f, 0x8b]) { read(BufReader::new(MultiGzDecoder::new(bytes))) } else { read(bytes) }
}

/// Time in seconds, latitude and longitude in 1e-5 degrees.
type Sums = [i64; 3];

fn read(mut lines: impl BufRead) -> Result<Traces, CabspottingError> {
    let (mut gathered, mut cab, mut sums, mut buffer) = (Gathered::default(), String::new(), [0; 3], String::new());
    for line in 1.. {
        let failed = |problem| CabspottingError { line, problem };
        buffer.clear();
        let read =
            lines.by_ref().take(MAX_LINE).read_line(&mut buffer).map_err(|_| failed(CabspottingProblem::Damaged))?;
        let content = buffer.trim_end();
        match (line, read) {
            (1, _) if content != "cab,dt,dlat5,dlon5,occ" => return Err(failed(CabspottingProblem::Header)),
            (1, _) => continue,
            (_, 0) => break,
            _ => {}
        }
        let fix = step(content, &mut cab, &mut sums).map_err(failed)?;
        gathered.add(&cab, fix).map_err(|error| failed(error.into()))?;
    }
    Ok(gathered.finish())
}

fn step(line: &str, cab: &mut String, sums: &mut Sums) -> Result<Fix, CabspottingProblem> {
    let mut columns = line.split(',');
    let name = columns.next().ok_or(CabspottingProblem::Columns)?;
    let mut number = || columns.next()?.parse::<i64>().ok();
    let (Some(dt), Some(dlat), Some(dlng), Some(_occupied), None) = (number(), number(), number(), number(), number())
    else {
        return Err(CabspottingProblem::Columns);
    };
    if !name.is_empty() {
        name.clone_into(cab);
        *sums = [0; 3];
    } else if cab.is_empty() {
        return Err(CabspottingProblem::NoCab);
    }
    for (sum, difference) in sums.iter_mut().zip([dt, dlat, dlng]) {
        *sum = sum.saturating_add(difference);
    }
    position(*sums)
}

#[expect(clippy::cast_precision_loss, reason = "numbers beyond 2^53 are no degrees and are refused")]
fn position([seconds, lat, lng]: Sums) -> Result<Fix, CabspottingProblem> {
    let seconds = u64::try_from(seconds).ok().filter(|&seconds| seconds <= 253_402_300_799);
    let at = seconds.map(Timestamp::from_secs).ok_or(CabspottingProblem::Time)?;
    Ok(Fix { at, position: LatLng::new(lat as f64 / 1e5, lng as f64 / 1e5)?, category: None })
}
