//! How tokens are bought (`docs/spec/tokens.md`): a provider's terms, the blinded points, and what comes back.

use mosaic_crypto::{
    digest,
    puzzle::{Puzzle, PuzzleError, Solution},
    signing::{BadSignature, SignContext, SigningKey, VerifyingKey},
};
use mosaic_types::ProviderId;

use crate::{
    codec::{DecodeError, Field, Reader, Writer, count_u16, count_u32},
    receipt::read_provider,
};

/// What a provider asks for tokens now: its puzzle for one unit over 24 hours, and what solutions are bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedTerms {
    /// Whose terms.
    pub provider: ProviderId,
    /// Memory of one attempt, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u8,
    /// Leading zero bits of the stamp.
    pub stamp_bits: u8,
    /// Attempts expected for one unit over 24 hours.
    pub work: u32,
    /// Changes every day, so that nobody solves ahead of it.
    pub seed: [u8; 32],
    /// The provider's signature.
    pub signature: [u8; 64],
}

impl SignedTerms {
    /// Bytes of the terms.
    pub const SIZE: usize = SIGNED + 64;
    /// Version of the layout.
    pub const VERSION: u8 = 1;

    /// The same terms, signed.
    pub fn sign(self, key: &SigningKey) -> Self {
        Self { signature: key.sign(SignContext::Terms, &self.signed_part()), ..self }
    }

    /// Checks the signature under the provider's key.
    ///
    /// # Errors
    /// [`BadSignature`] when it is not of this key over these terms.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), BadSignature> {
        key.verify_strict(SignContext::Terms, &self.signed_part(), &self.signature)
    }

    /// What a query pays: its share of a unit over 24 hours, one attempt at least.
    pub fn puzzle(&self, query: &TokensQuery) -> Puzzle {
        let share = u64::from(self.work) * u64::from(query.units) * u64::from(query.hours);
        let work = share.div_ceil(24).max(1);
        Puzzle { memory_kib: self.memory_kib, passes: self.passes, work, stamp_bits: self.stamp_bits }
    }

    /// The terms as they travel.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        Writer::new().put(&self.signed_part()).put(&self.signature).finish()
    }

    /// Reads terms. Whether they are reasonable is for [`Puzzle::is_reasonable`].
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size, version or provider.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::exact(bytes, Self::SIZE)?;
        reader.version(Self::VERSION)?;
        Ok(Self {
            provider: read_provider(&mut reader)?,
            passes: reader.u8()?,
            stamp_bits: reader.u8()?,
            memory_kib: reader.u32()?,
            work: reader.u32()?,
            seed: reader.take()?,
            signature: reader.take()?,
        })
    }

    fn signed_part(&self) -> [u8; SIGNED] {
        let head = [Self::VERSION, self.provider.get(), self.passes, self.stamp_bits];
        let costs = Writer::new().put(&head).put(&self.memory_kib.to_be_bytes()).put(&self.work.to_be_bytes());
        costs.put(&self.seed).finish()
    }
}

/// Bytes of the terms that the signature covers.
const SIGNED: usize = 44;

/// Asks a provider for tokens of some hours: every provider's deposit tokens, and evaluation tokens of its own.
///
/// How many points there are follows from the header, so that one amount looks like any other of its kind.
#[derive(Clone, PartialEq, Eq)]
pub struct TokensQuery {
    /// Providers of the federation, each of which takes deposits: 1 to 15.
    pub redeemers: u8,
    /// How many units, from 1.
    pub units: u8,
    /// How many hours, 1 to 24.
    pub hours: u8,
    /// The first hour, in hours since the Unix epoch.
    pub first: u32,
    /// The solution of the puzzle.
    pub solution: Solution,
    /// Blinded points: for each hour the deposit tokens of each redeemer in order, then the evaluation tokens.
    pub points: Vec<[u8; 32]>,
}

impl TokensQuery {
    /// Deposit tokens of one unit for one redeemer and hour.
    pub const DEPOSITS: usize = 3;
    /// Evaluation tokens of one unit for one hour.
    pub const EVALUATIONS: usize = 8;
    /// The most points of one query.
    pub const MOST: usize = 16_384;
    /// The most bytes of one query.
    pub const MAX_BYTES: usize = Self::HEADER + 32 * Self::MOST;
    /// Version of the layout.
    pub const VERSION: u8 = 2;
    const HEADER: usize = 24;

    /// How many points the header announces.
    pub fn announced(&self) -> usize {
        usize::from(self.hours) * self.of_an_hour()
    }

    /// Groups of points that share a challenge, in order: their lengths.
    pub fn groups(&self) -> impl Iterator<Item = usize> {
        let units = usize::from(self.units);
        let deposits = std::iter::repeat_n(units * Self::DEPOSITS, usize::from(self.redeemers));
        let hour: Vec<usize> = deposits.chain([units * Self::EVALUATIONS]).collect();
        std::iter::repeat_n(hour, usize::from(self.hours)).flatten()
    }

    fn of_an_hour(&self) -> usize {
        usize::from(self.units) * (usize::from(self.redeemers) * Self::DEPOSITS + Self::EVALUATIONS)
    }

    /// What the puzzle is about: these points, bought now at one provider.
    pub fn statement(&self, seed: &[u8; 32]) -> [u8; 32] {
        digest(&[b"mosaic/tokens query/2", seed, &self.head(), self.points.as_flattened()])
    }

    /// The same query, paid for. Takes its time and memory.
    ///
    /// # Errors
    /// [`PuzzleError`].
    pub fn solved(self, terms: &SignedTerms) -> Result<Self, PuzzleError> {
        let solution = terms.puzzle(&self).solve(&self.statement(&terms.seed))?;
        Ok(Self { solution, ..self })
    }

    /// The query as it travels.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.head().to_vec();
        bytes.extend(self.solution.counter.to_be_bytes());
        bytes.extend(self.solution.stamp.to_be_bytes());
        bytes.extend(self.points.as_flattened());
        bytes
    }

    /// Reads a query.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong version, counts out of range, more than [`Self::MOST`] points, or another number of
    /// points than the header announces.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::at_least(bytes, Self::HEADER)?;
        reader.version(Self::VERSION)?;
        let [redeemers, units, hours] = reader.take()?;
        if !(1..=15).contains(&redeemers) || units == 0 || !(1..=24).contains(&hours) {
            return Err(DecodeError::OutOfRange(Field::Count));
        }
        let first = reader.u32()?;
        let solution = Solution { counter: reader.u64()?, stamp: reader.u64()? };
        let header = Self { redeemers, units, hours, first, solution, points: Vec::new() };
        let points = read_points(&mut reader, header.announced())?;
        Ok(Self { points, ..header })
    }

    fn head(&self) -> [u8; 8] {
        Writer::new()
            .put(&[Self::VERSION, self.redeemers, self.units, self.hours])
            .put(&self.first.to_be_bytes())
            .finish()
    }
}

impl std::fmt::Debug for TokensQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokensQuery({} points)", self.points.len())
    }
}

/// What a provider evaluated, with a proof for each group of points that share a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokensReply {
    /// The points, in the order of the query.
    pub points: Vec<[u8; 32]>,
    /// The proofs, in the order of [`TokensQuery::groups`].
    pub proofs: Vec<[u8; 64]>,
}

impl TokensReply {
    /// The most bytes of one reply.
    pub const MAX_BYTES: usize = Self::HEADER + 64 * Self::MOST_PROOFS + 32 * TokensQuery::MOST;
    /// Version of the layout.
    pub const VERSION: u8 = 2;
    const HEADER: usize = 7;
    const MOST_PROOFS: usize = 24 * 16;

    /// The reply as it travels.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![Self::VERSION];
        bytes.extend(count_u16(self.proofs.len()));
        bytes.extend(count_u32(self.points.len()));
        bytes.extend(self.proofs.as_flattened());
        bytes.extend(self.points.as_flattened());
        bytes
    }

    /// Reads a reply.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size or version, or more points or proofs than a query can ask for.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::at_least(bytes, Self::HEADER)?;
        reader.version(Self::VERSION)?;
        let proofs = usize::from(reader.u16()?);
        if proofs > Self::MOST_PROOFS {
            return Err(DecodeError::TooMany { count: proofs, most: Self::MOST_PROOFS });
        }
        let count = reader.u32()? as usize;
        let proofs = reader.slice(64 * proofs)?.as_chunks().0.to_vec();
        Ok(Self { points: read_points(&mut reader, count)?, proofs })
    }
}

/// Exactly `count` points, which is checked before anything is allocated.
fn read_points(reader: &mut Reader<'_>, count: usize) -> Result<Vec<[u8; 32]>, DecodeError> {
    if count > TokensQuery::MOST {
        return Err(DecodeError::TooMany { count, most: TokensQuery::MOST });
    }
    reader.must_hold(32 * count)?;
    Ok(reader.slice(32 * count)?.as_chunks().0.to_vec())
}
