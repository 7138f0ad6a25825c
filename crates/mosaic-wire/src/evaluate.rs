use std::fmt;

use mosaic_types::{Period, TileId};

use crate::{
    OPRF_BATCH, OprfInput,
    barrier::sealed,
    codec::{DecodeError, Field, Reader, Writer},
};

/// An evaluation query: sixteen blinded points for one table's key. Only a released query can be
/// encoded (see [`crate::encode`]); a batch with fewer inputs is filled with blinded random ones.
#[derive(Clone, PartialEq, Eq)]
pub struct EvaluateFields {
    /// Public area.
    pub tile: TileId,
    /// Period of the discovery table.
    pub period: Period,
    /// Blinded ristretto255 points.
    pub points: [[u8; 32]; OPRF_BATCH],
}

impl EvaluateFields {
    /// Bytes of a query.
    pub const SIZE: usize = 522;
    /// Version of the layout.
    pub const VERSION: u8 = 1;

    /// Reads a query; whether the points are points is for the OPRF to say.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size, version or suite.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::exact(bytes, Self::SIZE)?;
        reader.version(Self::VERSION)?;
        if reader.u8()? != OprfInput::SUITE {
            return Err(DecodeError::OutOfRange(Field::Suite));
        }
        let (tile, period) = (TileId(reader.u32()?), Period(reader.u32()?));
        Ok(Self { tile, period, points: read_points(&mut reader)? })
    }
}

impl sealed::Object for EvaluateFields {
    fn bytes(&self) -> Vec<u8> {
        let head = Writer::<{ Self::SIZE }>::new()
            .byte(Self::VERSION)
            .byte(OprfInput::SUITE)
            .put(&self.tile.0.to_be_bytes())
            .put(&self.period.0.to_be_bytes());
        self.points.iter().fold(head, |writer, point| writer.put(point)).finish().to_vec()
    }
}

impl fmt::Debug for EvaluateFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EvaluateFields({:?})", self.period)
    }
}

pub(crate) fn read_points(reader: &mut Reader<'_>) -> Result<[[u8; 32]; OPRF_BATCH], DecodeError> {
    let mut points = [[0; 32]; OPRF_BATCH];
    for point in &mut points {
        *point = reader.take()?;
    }
    Ok(points)
}
