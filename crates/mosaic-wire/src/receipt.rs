use mosaic_crypto::signing::{BadSignature, SignContext, SigningKey, VerifyingKey};
use mosaic_types::{ProviderId, SegmentId, Stream, TableId, Timestamp};

use crate::{
    SLOTS,
    codec::{DecodeError, Field, Reader, Writer},
};

/// A provider's signed word that an event is stored here and at one replica (DESIGN section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Segment the event's records go into; its origin signs.
    pub segment: SegmentId,
    /// Generation in which they will be sealed.
    pub generation: u32,
    /// Who else holds them.
    pub replica: ProviderId,
    /// Bit `i`: the record of slot `i` was taken.
    pub accepted: u16,
    /// Bit `i`: the row of slot `i` was full. For each slot, either this or `accepted` is set.
    pub full: u16,
    /// The event's receipt key hash.
    pub receipt_key: [u8; 32],
    /// [`crate::event_hash`] of the event.
    pub event: [u8; 32],
    /// The origin's time.
    pub time: Timestamp,
    /// The origin's signature.
    pub signature: [u8; 64],
}

impl Receipt {
    /// Bytes of a receipt.
    pub const SIZE: usize = 152;
    /// Version of the layout.
    pub const VERSION: u8 = 1;
    const SIGNED: usize = Self::SIZE - 64;
    const ALL_SLOTS: u16 = (1 << SLOTS) - 1;

    /// Replaces the signature by the one of `key`.
    #[must_use]
    pub fn sign(mut self, key: &SigningKey) -> Self {
        self.signature = key.sign(SignContext::Receipt, &self.signed_part());
        self
    }

    /// Checks the signature under the origin's key.
    ///
    /// # Errors
    /// [`BadSignature`] when it is not of this key over these fields.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), BadSignature> {
        key.verify_strict(SignContext::Receipt, &self.signed_part(), &self.signature)
    }

    /// The receipt as it travels.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        Writer::new().put(&self.signed_part()).put(&self.signature).finish()
    }

    /// Reads a receipt; call [`Self::verify`] before believing it.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size or version, a value outside its range, a slot that is both accepted
    /// and full or neither, or an origin that names itself as replica.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::exact(bytes, Self::SIZE)?;
        reader.version(Self::VERSION)?;
        let origin = read_provider(&mut reader)?;
        let table = TableId(reader.u32()?);
        let stream = read_stream(&mut reader)?;
        let generation = reader.u32()?;
        let replica = read_provider(&mut reader)?;
        let (accepted, full) = (reader.u16()?, reader.u16()?);
        let receipt = Self {
            segment: SegmentId { table, origin, stream },
            generation,
            replica,
            accepted,
            full,
            receipt_key: reader.take()?,
            event: reader.take()?,
            time: Timestamp::from_millis(reader.u64()?),
            signature: reader.take()?,
        };
        if !receipt.answers_every_slot() {
            return Err(DecodeError::OutOfRange(Field::Slots));
        }
        if !receipt.is_replicated() {
            return Err(DecodeError::OutOfRange(Field::Provider));
        }
        Ok(receipt)
    }

    /// Whether each of the ten slots is either accepted or full, and nothing else is said: a slot without
    /// an answer would be lost without anybody to blame.
    pub const fn answers_every_slot(&self) -> bool {
        self.accepted & self.full == 0 && self.accepted | self.full == Self::ALL_SLOTS
    }

    /// Whether another provider than the origin holds the records.
    pub fn is_replicated(&self) -> bool {
        self.replica != self.segment.origin
    }

    fn signed_part(&self) -> [u8; Self::SIGNED] {
        Writer::new()
            .byte(Self::VERSION)
            .byte(self.segment.origin.get())
            .put(&self.segment.table.0.to_be_bytes())
            .byte(self.segment.stream.number())
            .put(&self.generation.to_be_bytes())
            .byte(self.replica.get())
            .put(&self.accepted.to_be_bytes())
            .put(&self.full.to_be_bytes())
            .put(&self.receipt_key)
            .put(&self.event)
            .put(&self.time.as_millis().to_be_bytes())
            .finish()
    }
}

pub(crate) fn read_provider(reader: &mut Reader<'_>) -> Result<ProviderId, DecodeError> {
    ProviderId::new(reader.u8()?).map_err(|_| DecodeError::OutOfRange(Field::Provider))
}

pub(crate) fn read_stream(reader: &mut Reader<'_>) -> Result<Stream, DecodeError> {
    Stream::from_number(reader.u8()?).ok_or(DecodeError::OutOfRange(Field::Stream))
}
