use mosaic_crypto::{
    digest,
    signing::{BadSignature, SignContext, SigningKey, VerifyingKey},
};
use mosaic_types::{ClassId, Lane, Period, ProviderId, RowTag, Stream, TileId, Timestamp, TopicId, Window};
use thiserror::Error;

use crate::{
    OprfInput,
    codec::{DecodeError, Field, Reader, Writer},
    receipt::read_provider,
};

/// Size of one lane's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneShape {
    /// Rows: 1 to 2^22.
    pub rows: u32,
    /// Records a row takes per origin: at least 1.
    pub capacity: u16,
}

/// The split map: into how many groups the sixteen classes fall at each resolution (1 to 16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups {
    /// At resolution 6.
    pub r6: u8,
    /// At resolution 7.
    pub r7: u8,
    /// At resolution 8.
    pub r8: u8,
}

impl Groups {
    /// The larger the cell, the more groups.
    pub const DEFAULT: Self = Self { r6: 16, r7: 4, r8: 1 };

    /// Groups at `resolution`; `None` unless it is 6, 7 or 8.
    pub const fn at(self, resolution: u8) -> Option<u8> {
        match resolution {
            6 => Some(self.r6),
            7 => Some(self.r7),
            8 => Some(self.r8),
            _ => None,
        }
    }
}

/// A provider's share of the table key, times the generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicShare {
    /// Whose share.
    pub provider: ProviderId,
    /// Encoded ristretto255 element.
    pub element: [u8; 32],
}

/// What a period's two tables are like: key, sizes, split map. The same bytes for everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDescriptor {
    /// Public area.
    pub tile: TileId,
    /// Four-hour period both tables serve.
    pub period: Period,
    /// From when the key may be used.
    pub valid_from: Timestamp,
    /// Providers that must evaluate: at least 2.
    pub threshold: u8,
    /// OPRF public key of the table.
    pub public_key: [u8; 32],
    /// One share per provider, rising by provider: at least `threshold`, at most five.
    pub shares: Vec<PublicShare>,
    /// Hash of the key ceremony's transcript.
    pub transcript: [u8; 32],
    /// The discovery table.
    pub discovery: LaneShape,
    /// The rendezvous table.
    pub rendezvous: LaneShape,
    /// Seconds from one sealing to the next, by [`Stream::number`].
    pub generation_s: [u16; 3],
    /// The split map.
    pub groups: Groups,
}

/// Values that no table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the table descriptor is out of range: {0:?}")]
pub struct InvalidTable(pub Field);

impl TableDescriptor {
    /// Bytes that are signed and hashed.
    pub const BODY: usize = 382;
    /// Version of the layout.
    pub const VERSION: u8 = 1;
    /// The most providers.
    pub const MAX_SHARES: usize = 5;
    const SHARE: usize = 33;
    const RESERVED: usize = 112;

    /// Checks every range.
    ///
    /// # Errors
    /// [`InvalidTable`] naming the first value that no table has.
    pub fn check(&self) -> Result<(), InvalidTable> {
        let lanes = [self.discovery, self.rendezvous];
        let groups = [self.groups.r6, self.groups.r7, self.groups.r8];
        let shapes_fit = lanes.iter().all(|lane| (1..=RowTag::MAX_ROWS).contains(&lane.rows) && lane.capacity > 0)
            && groups.iter().all(|groups| (1..=ClassId::COUNT).contains(groups))
            && !self.generation_s.contains(&0);
        if !shapes_fit {
            return Err(InvalidTable(Field::Shape));
        }
        if self.shares.len() > Self::MAX_SHARES || !self.shares.is_sorted_by(|a, b| a.provider < b.provider) {
            return Err(InvalidTable(Field::Provider));
        }
        let quorum = 2..=self.shares.len();
        if quorum.contains(&usize::from(self.threshold)) { Ok(()) } else { Err(InvalidTable(Field::Threshold)) }
    }

    /// Shape of one lane.
    pub const fn lane(&self, lane: Lane) -> LaneShape {
        match lane {
            Lane::Discovery => self.discovery,
            Lane::Rendezvous => self.rendezvous,
        }
    }

    /// Seconds from one sealing of `stream` to the next.
    pub const fn generation_seconds(&self, stream: Stream) -> u16 {
        let [fast, steady, slow] = self.generation_s;
        match stream {
            Stream::Fast => fast,
            Stream::Steady => steady,
            Stream::Slow => slow,
        }
    }

    /// The public share of one provider.
    pub fn share(&self, provider: ProviderId) -> Option<&[u8; 32]> {
        self.shares.iter().find(|share| share.provider == provider).map(|share| &share.element)
    }

    /// The OPRF input of a discovery row; `None` unless `resolution` is 6, 7 or 8.
    pub fn row_input(&self, resolution: u8, cell: u64, window: Window, class: ClassId) -> Option<OprfInput> {
        let groups = self.groups.at(resolution)?;
        let group = class.get().checked_rem(groups)?;
        Some(OprfInput::Row { period: self.period, resolution, cell, window, groups, group })
    }

    /// The OPRF input of a topic's inner key.
    pub const fn topic_input(&self, class: ClassId, topic: TopicId) -> OprfInput {
        OprfInput::Topic { period: self.period, class, topic }
    }

    /// The hash an event names: over the body, so that it does not depend on who signed.
    pub fn hash(&self) -> [u8; 32] {
        digest(&[b"mosaic/table/1", &self.encode()])
    }

    /// A provider's signature over the body.
    pub fn sign(&self, key: &SigningKey) -> [u8; 64] {
        key.sign(SignContext::TableDescriptor, &self.encode())
    }

    /// Checks one provider's signature over the body.
    ///
    /// # Errors
    /// [`BadSignature`] when it is not of this key over this body.
    pub fn verify(&self, key: &VerifyingKey, signature: &[u8; 64]) -> Result<(), BadSignature> {
        key.verify_strict(SignContext::TableDescriptor, &self.encode(), signature)
    }

    /// The body as it is signed. Shares beyond the fifth have no place; [`Self::check`] refuses them.
    pub fn encode(&self) -> [u8; Self::BODY] {
        let shares = self.shares.get(..Self::MAX_SHARES).unwrap_or(&self.shares);
        let head = Writer::new()
            .byte(Self::VERSION)
            .byte(OprfInput::SUITE)
            .put(&self.tile.0.to_be_bytes())
            .put(&self.period.0.to_be_bytes())
            .put(&self.valid_from.as_millis().to_be_bytes())
            .byte(self.threshold)
            .byte(u8::try_from(shares.len()).unwrap_or(u8::MAX))
            .put(&self.public_key);
        let unused = (Self::MAX_SHARES - shares.len()) * Self::SHARE;
        let listed = shares.iter().fold(head, |writer, share| writer.byte(share.provider.get()).put(&share.element));
        let sized = [self.discovery, self.rendezvous].iter().fold(listed.skip(unused).put(&self.transcript), put_lane);
        let timed = self.generation_s.iter().fold(sized, |writer, seconds| writer.put(&seconds.to_be_bytes()));
        timed.put(&[self.groups.r6, self.groups.r7, self.groups.r8]).skip(Self::RESERVED).finish()
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size, version or suite, a value that [`Self::check`] refuses, or
    /// reserved bytes that are not zero.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::exact(bytes, Self::BODY)?;
        reader.version(Self::VERSION)?;
        if reader.u8()? != OprfInput::SUITE {
            return Err(DecodeError::OutOfRange(Field::Suite));
        }
        let (tile, period) = (TileId(reader.u32()?), Period(reader.u32()?));
        let valid_from = Timestamp::from_millis(reader.u64()?);
        let (threshold, listed) = (reader.u8()?, usize::from(reader.u8()?));
        let table = Self {
            tile,
            period,
            valid_from,
            threshold,
            public_key: reader.take()?,
            shares: read_shares(&mut reader, listed)?,
            transcript: reader.take()?,
            discovery: read_lane(&mut reader)?,
            rendezvous: read_lane(&mut reader)?,
            generation_s: [reader.u16()?, reader.u16()?, reader.u16()?],
            groups: Groups { r6: reader.u8()?, r7: reader.u8()?, r8: reader.u8()? },
        };
        reader.zeros(Self::RESERVED)?;
        table.check().map_err(|InvalidTable(field)| DecodeError::OutOfRange(field))?;
        Ok(table)
    }
}

/// A table descriptor under the signatures of two providers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTable {
    table: TableDescriptor,
    signatures: [(ProviderId, [u8; 64]); 2],
}

/// Why a signed table descriptor is not to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UntrustedTable {
    /// Fewer than two different providers.
    #[error("a table needs the signatures of two different providers")]
    OneSigner,
    /// A value that no table has.
    #[error("the table is not well formed")]
    Invalid(#[source] InvalidTable),
    /// A signer that the federation does not know.
    #[error("provider {0} does not belong to the federation")]
    UnknownSigner(ProviderId),
    /// A signature that does not verify.
    #[error("the signature of provider {0} does not verify")]
    Signature(ProviderId),
}

impl SignedTable {
    /// Bytes of a signed descriptor.
    pub const SIZE: usize = 512;

    /// Joins a body with two signatures, in either order.
    ///
    /// # Errors
    /// [`UntrustedTable::OneSigner`] or [`UntrustedTable::Invalid`].
    pub fn new(table: TableDescriptor, signatures: [(ProviderId, [u8; 64]); 2]) -> Result<Self, UntrustedTable> {
        table.check().map_err(UntrustedTable::Invalid)?;
        let [a, b] = signatures;
        match a.0.cmp(&b.0) {
            std::cmp::Ordering::Less => Ok(Self { table, signatures: [a, b] }),
            std::cmp::Ordering::Greater => Ok(Self { table, signatures: [b, a] }),
            std::cmp::Ordering::Equal => Err(UntrustedTable::OneSigner),
        }
    }

    /// The descriptor, once both signatures verify under the keys that `key_of` knows.
    ///
    /// # Errors
    /// [`UntrustedTable`] naming the signer that is unknown or whose signature is bad.
    pub fn verify(
        &self,
        key_of: impl Fn(ProviderId) -> Option<VerifyingKey>,
    ) -> Result<&TableDescriptor, UntrustedTable> {
        for (signer, signature) in &self.signatures {
            let key = key_of(*signer).ok_or(UntrustedTable::UnknownSigner(*signer))?;
            self.table.verify(&key, signature).map_err(|_| UntrustedTable::Signature(*signer))?;
        }
        Ok(&self.table)
    }

    /// The descriptor, whoever signed it: to look at, not to rely on.
    pub const fn dangerously_unverified(&self) -> &TableDescriptor {
        &self.table
    }

    /// The signers and their signatures, rising by provider.
    pub const fn signatures(&self) -> &[(ProviderId, [u8; 64]); 2] {
        &self.signatures
    }

    /// The signed descriptor as it travels.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let body = Writer::new().put(&self.table.encode());
        self.signatures.iter().fold(body, |writer, (signer, bytes)| writer.byte(signer.get()).put(bytes)).finish()
    }

    /// Reads a signed descriptor; call [`Self::verify`] before believing it.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size, a body that is none, or signers that do not rise.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::exact(bytes, Self::SIZE)?;
        let table = TableDescriptor::decode(reader.slice(TableDescriptor::BODY)?)?;
        let first = (read_provider(&mut reader)?, reader.take()?);
        let second = (read_provider(&mut reader)?, reader.take()?);
        if first.0 < second.0 { Ok(Self { table, signatures: [first, second] }) } else { Err(DecodeError::Order) }
    }
}

fn put_lane<const N: usize>(writer: Writer<N>, lane: &LaneShape) -> Writer<N> {
    writer.put(&lane.rows.to_be_bytes()).put(&lane.capacity.to_be_bytes())
}

fn read_lane(reader: &mut Reader<'_>) -> Result<LaneShape, DecodeError> {
    Ok(LaneShape { rows: reader.u32()?, capacity: reader.u16()? })
}

fn read_shares(reader: &mut Reader<'_>, listed: usize) -> Result<Vec<PublicShare>, DecodeError> {
    let most = TableDescriptor::MAX_SHARES;
    if listed > most {
        return Err(DecodeError::TooMany { count: listed, most });
    }
    let shares = (0..listed)
        .map(|_| Ok(PublicShare { provider: read_provider(reader)?, element: reader.take()? }))
        .collect::<Result<_, _>>()?;
    reader.zeros((most - listed) * TableDescriptor::SHARE)?;
    Ok(shares)
}
