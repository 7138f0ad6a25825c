use mosaic_crypto::{
    digest,
    signing::{BadSignature, SignContext, SigningKey, VerifyingKey},
};
use mosaic_types::{SegmentId, TableId, Timestamp};

use crate::{
    GenerationBlock,
    codec::{DecodeError, Reader, Writer, count_u32},
    receipt::{read_provider, read_stream},
};

/// The origin's signed statement of one sealed generation. Heads of a segment form a hash chain; two
/// different heads for one generation are evidence against the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Segment; its origin signs.
    pub segment: SegmentId,
    /// Generation, counted from 0.
    pub index: u32,
    /// Records in the generation.
    pub count: u32,
    /// Merkle root over the sorted records (RFC 6962).
    pub root: [u8; 32],
    /// [`Head::hash`] of the generation before; zeros for the first.
    pub previous: [u8; 32],
    /// When it was sealed, by the origin's clock.
    pub sealed_at: Timestamp,
    /// The origin's signature.
    pub signature: [u8; 64],
}

impl Head {
    /// Bytes of a head.
    pub const SIZE: usize = 152;
    /// Version of the layout.
    pub const VERSION: u8 = 1;
    const SIGNED: usize = Self::SIZE - 64;

    /// The signed head of a block.
    pub fn seal(block: &GenerationBlock, previous: [u8; 32], sealed_at: Timestamp, key: &SigningKey) -> Self {
        let unsigned = Self {
            segment: block.segment(),
            index: block.index(),
            count: u32::try_from(block.records().len()).unwrap_or(u32::MAX),
            root: block.root(),
            previous,
            sealed_at,
            signature: [0; 64],
        };
        unsigned.sign(key)
    }

    /// Replaces the signature by the one of `key`.
    #[must_use]
    pub fn sign(mut self, key: &SigningKey) -> Self {
        self.signature = key.sign(SignContext::Head, &self.signed_part());
        self
    }

    /// Checks the signature under the origin's key.
    ///
    /// # Errors
    /// [`BadSignature`] when it is not of this key over these fields.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), BadSignature> {
        key.verify_strict(SignContext::Head, &self.signed_part(), &self.signature)
    }

    /// What the next head names as its predecessor: a hash of the signed fields, not of the signature.
    pub fn hash(&self) -> [u8; 32] {
        digest(&[b"mosaic/head/1", &self.signed_part()])
    }

    /// Whether a block is exactly the generation this head states.
    pub fn covers(&self, block: &GenerationBlock) -> bool {
        self.segment == block.segment()
            && self.index == block.index()
            && count_u32(block.records().len()) == self.count.to_be_bytes()
            && self.root == block.root()
    }

    /// Whether two heads state the same generation, whoever delivered them and however signed.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.signed_part() == other.signed_part()
    }

    /// The head as it travels.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        Writer::new().put(&self.signed_part()).put(&self.signature).finish()
    }

    /// Reads a head; call [`Self::verify`] before believing it.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size or version, a value outside its range, or a reserved byte that is
    /// not zero.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::exact(bytes, Self::SIZE)?;
        reader.version(Self::VERSION)?;
        let table = TableId(reader.u32()?);
        let origin = read_provider(&mut reader)?;
        let stream = read_stream(&mut reader)?;
        reader.zeros(1)?;
        Ok(Self {
            segment: SegmentId { table, origin, stream },
            index: reader.u32()?,
            count: reader.u32()?,
            root: reader.take()?,
            previous: reader.take()?,
            sealed_at: Timestamp::from_millis(reader.u64()?),
            signature: reader.take()?,
        })
    }

    fn signed_part(&self) -> [u8; Self::SIGNED] {
        Writer::new()
            .byte(Self::VERSION)
            .put(&self.segment.table.0.to_be_bytes())
            .byte(self.segment.origin.get())
            .byte(self.segment.stream.number())
            .skip(1)
            .put(&self.index.to_be_bytes())
            .put(&self.count.to_be_bytes())
            .put(&self.root)
            .put(&self.previous)
            .put(&self.sealed_at.as_millis().to_be_bytes())
            .finish()
    }
}
