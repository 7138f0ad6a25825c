use std::fmt;

use mosaic_crypto::digest;
use mosaic_types::{RowTag, Stream, TableId, TileId};

use crate::{
    EVENT, RECORD, SLOTS,
    barrier::sealed,
    codec::{DecodeError, Field, Reader, Writer},
};

/// The 2,048 bytes that leave a device, field by field. Providers decode it; only a released event
/// can be encoded (see [`crate::encode`]).
#[derive(Clone, PartialEq, Eq)]
pub struct EventFields {
    /// Which generations it goes into: the service class the network sees anyway.
    pub stream: Stream,
    /// Public area.
    pub tile: TileId,
    /// Table of one lane and period.
    pub table: TableId,
    /// Ten rows, all different.
    pub rows: [RowTag; SLOTS],
    /// SHA-256 of a fresh key that the receipt names.
    pub receipt_key: [u8; 32],
    /// Hash of the table descriptor the rows were derived under.
    pub descriptor: [u8; 32],
    /// Random filler.
    pub pad: [u8; 24],
    /// Ten sealed or uniform records, in the order of `rows`.
    pub slots: [[u8; RECORD]; SLOTS],
}

impl EventFields {
    /// Version of the layout.
    pub const VERSION: u8 = 1;

    /// Reads an event.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size or version, an unknown stream or a repeated row.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::exact(bytes, EVENT)?;
        reader.version(Self::VERSION)?;
        let event = Self {
            stream: Stream::from_number(reader.u8()?).ok_or(DecodeError::OutOfRange(Field::Stream))?,
            tile: TileId(reader.u32()?),
            table: TableId(reader.u32()?),
            rows: read_rows(&mut reader)?,
            receipt_key: reader.take()?,
            descriptor: reader.take()?,
            pad: reader.take()?,
            slots: read_slots(&mut reader)?,
        };
        if event.has_distinct_rows() { Ok(event) } else { Err(DecodeError::RepeatedRow) }
    }

    /// Whether no two slots go to the same row.
    pub fn has_distinct_rows(&self) -> bool {
        let mut rows = self.rows.map(RowTag::row);
        rows.sort_unstable();
        rows.windows(2).all(|pair| pair.first() != pair.last())
    }
}

impl sealed::Object for EventFields {
    fn bytes(&self) -> Vec<u8> {
        let head = Writer::<EVENT>::new()
            .byte(Self::VERSION)
            .byte(self.stream.number())
            .put(&self.tile.0.to_be_bytes())
            .put(&self.table.0.to_be_bytes());
        let rows = self.rows.iter().fold(head, |writer, row| writer.put(&row.to_bytes()));
        let fixed = rows.put(&self.receipt_key).put(&self.descriptor).put(&self.pad);
        self.slots.iter().fold(fixed, |writer, slot| writer.put(slot)).finish().to_vec()
    }
}

impl fmt::Debug for EventFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventFields({:?}, {:?})", self.stream, self.table)
    }
}

/// The hash by which a receipt names an event.
pub fn event_hash(event: &[u8; EVENT]) -> [u8; 32] {
    digest(&[b"mosaic/event/1", event])
}

fn read_rows(reader: &mut Reader<'_>) -> Result<[RowTag; SLOTS], DecodeError> {
    let mut rows = [RowTag::from_bytes([0; 3]); SLOTS];
    for row in &mut rows {
        *row = RowTag::from_bytes(reader.take()?);
    }
    Ok(rows)
}

fn read_slots(reader: &mut Reader<'_>) -> Result<[[u8; RECORD]; SLOTS], DecodeError> {
    let mut slots = [[0; RECORD]; SLOTS];
    for slot in &mut slots {
        *slot = reader.take()?;
    }
    Ok(slots)
}
