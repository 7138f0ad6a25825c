use mosaic_types::LatLng;

use super::{
    ImportError, ImportProblem,
    lines::{number, read, text},
};

/// A cell of a mobile network, where its users measured it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tower {
    /// GSM, UMTS, CDMA, LTE or NR.
    pub radio: String,
    /// Mobile country code.
    pub country: u16,
    /// Mobile network code.
    pub network: u16,
    /// Location or tracking area code.
    pub area: u32,
    /// Cell id.
    pub cell: u64,
    /// The middle of the measurements.
    pub position: LatLng,
    /// Reach in metres.
    pub range_m: u32,
    /// How many measurements it rests on.
    pub samples: u32,
}

const HEADER: &str = "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal";

/// Reads an OpenCellID export with its header.
///
/// # Errors
/// [`ImportError`] names the first line that is wrong.
pub fn towers(bytes: &[u8]) -> Result<Vec<Tower>, ImportError> {
    read(bytes, |number, line| {
        let line = text(line)?.trim();
        match (number, line) {
            (1, HEADER) => Ok(None),
            (1, _) => Err(ImportProblem::Header(HEADER)),
            (_, "") => Ok(None),
            _ => tower(line).map(Some),
        }
    })
}

fn tower(line: &str) -> Result<Tower, ImportProblem> {
    let columns: Vec<&str> = line.splitn(15, ',').collect();
    let [radio, mcc, net, area, cell, _, lon, lat, range, samples, _, _, _, _] = columns[..] else {
        return Err(ImportProblem::Columns(HEADER));
    };
    if !["GSM", "UMTS", "CDMA", "LTE", "NR"].contains(&radio) {
        return Err(ImportProblem::Word("radio"));
    }
    Ok(Tower {
        radio: radio.to_owned(),
        country: number(mcc, "mcc")?,
        network: number(net, "net")?,
        area: number(area, "area")?,
        cell: number(cell, "cell")?,
        position: LatLng::new(number(lat, "lat")?, number(lon, "lon")?)?,
        range_m: number(range, "range")?,
        samples: number(samples, "samples")?,
    })
}
