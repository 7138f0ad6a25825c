use std::{collections::BTreeMap, io::Read, sync::Arc};

use flate2::{Compression, Crc, read::DeflateDecoder, read::DeflateEncoder};
use mosaic_types::LatLng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Place, PlaceIndex, PlaceKind, PlaceTag, Provenance};

const MAGIC: [u8; 8] = *b"MOSAICPL";
const VERSION: u8 = 1;
/// The largest body that is unpacked: [`PlaceIndex::MAX_PLACES`] places at 128 bytes.
const MAX_BODY: u64 = 512 << 20;

/// Why some bytes are no places file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodePlacesError {
    /// The file starts differently.
    #[error("this is no places file; make one with `mosaic places build`")]
    NotPlaces,
    /// Written by a later version.
    #[error("the places file has version {found}, this program reads version 1; build the file again")]
    Version {
        /// The version in the file.
        found: u8,
    },
    /// Cut short, damaged or larger than allowed.
    #[error("the places file is damaged or cut short; build it again")]
    Damaged,
    /// A field has a value it cannot have.
    #[error("place {index} of the places file has an impossible value; build the file again")]
    Impossible {
        /// Which place, counted from zero.
        index: usize,
    },
}

/// The body: columns, so that equal things stand together and compress.
#[derive(Serialize, Deserialize)]
struct Body {
    provenance: Provenance,
    kinds: Vec<(PlaceTag, String)>,
    /// Latitude and longitude in 1e-7 degrees, each minus the place before.
    steps: Vec<(i64, i64)>,
    kind_of: Vec<u32>,
    names: Vec<String>,
    hours: Vec<Option<String>>,
}

impl PlaceIndex {
    /// The index as a file: magic, version, checksum, then the compressed body (`docs/book/traces.md`).
    pub fn encode(&self) -> Vec<u8> {
        // Plain data: neither serialising into memory nor compressing from it can fail.
        let body = postcard::to_stdvec(&self.body()).unwrap_or_default();
        let mut crc = Crc::new();
        crc.update(&body);
        let mut bytes = [&MAGIC[..], &[VERSION], &crc.sum().to_be_bytes()].concat();
        let _packed = DeflateEncoder::new(body.as_slice(), Compression::best()).read_to_end(&mut bytes);
        bytes
    }

    fn body(&self) -> Body {
        let numbers: BTreeMap<&PlaceKind, u32> =
            self.places.iter().map(|place| (&place.kind, 0)).collect::<BTreeMap<_, _>>().into_keys().zip(0..).collect();
        let mut last = (0, 0);
        let mut step = |position| {
            let (lat, lng) = to_e7(position);
            let step = (lat - last.0, lng - last.1);
            last = (lat, lng);
            step
        };
        Body {
            provenance: self.provenance.clone(),
            steps: self.places.iter().map(|place| step(place.position)).collect(),
            kind_of: self.places.iter().filter_map(|place| numbers.get(&place.kind).copied()).collect(),
            names: self.places.iter().map(|place| place.name.clone()).collect(),
            hours: self.places.iter().map(|place| place.hours.clone()).collect(),
            kinds: numbers.into_keys().map(|kind| (kind.tag(), kind.value().to_owned())).collect(),
        }
    }

    /// Reads a file that [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodePlacesError`] for anything else, whatever it is; memory stays bounded.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodePlacesError> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or(DecodePlacesError::NotPlaces)?;
        let (&version, rest) = rest.split_first().ok_or(DecodePlacesError::Damaged)?;
        if version != VERSION {
            return Err(DecodePlacesError::Version { found: version });
        }
        let (sum, packed) = rest.split_first_chunk().ok_or(DecodePlacesError::Damaged)?;
        let mut body = Vec::new();
        let unpacked = DeflateDecoder::new(packed).take(MAX_BODY).read_to_end(&mut body);
        let mut crc = Crc::new();
        crc.update(&body);
        if unpacked.is_err() || crc.sum() != u32::from_be_bytes(*sum) {
            return Err(DecodePlacesError::Damaged);
        }
        postcard::from_bytes(&body).map_err(|_| DecodePlacesError::Damaged).and_then(from_body)
    }
}

fn from_body(body: Body) -> Result<PlaceIndex, DecodePlacesError> {
    let count = body.steps.len();
    if [body.kind_of.len(), body.names.len(), body.hours.len()] != [count; 3] || count > PlaceIndex::MAX_PLACES {
        return Err(DecodePlacesError::Damaged);
    }
    let kinds: Vec<PlaceKind> =
        body.kinds.into_iter().map(|(tag, value)| PlaceKind::new(tag, Arc::<str>::from(value))).collect();
    let columns = body.steps.into_iter().zip(body.kind_of).zip(body.names.into_iter().zip(body.hours)).enumerate();
    let mut last = (0_i64, 0_i64);
    let mut places = Vec::with_capacity(count);
    for (index, (((lat, lng), kind), (name, hours))) in columns {
        last = (last.0.saturating_add(lat), last.1.saturating_add(lng));
        let place = from_e7(last).zip(kinds.get(kind as usize));
        let (position, kind) = place.ok_or(DecodePlacesError::Impossible { index })?;
        places.push(Place { position, kind: kind.clone(), name, hours });
    }
    Ok(PlaceIndex::from_places(places, body.provenance))
}

/// Degrees times ten million, rounded: what OpenStreetMap itself keeps.
#[expect(clippy::cast_possible_truncation, reason = "a position is within 180 degrees")]
pub(super) fn to_e7(position: LatLng) -> (i64, i64) {
    ((position.lat() * 1e7).round() as i64, (position.lng() * 1e7).round() as i64)
}

#[expect(clippy::cast_precision_loss, reason = "numbers beyond 2^53 are no degrees and are refused")]
fn from_e7((lat, lng): (i64, i64)) -> Option<LatLng> {
    LatLng::new(lat as f64 / 1e7, lng as f64 / 1e7).ok()
}

/// The position as it will be after writing and reading.
pub(super) fn round(position: LatLng) -> LatLng {
    from_e7(to_e7(position)).unwrap_or(position)
}
