use std::fmt;

use mosaic_crypto::signing::{SignContext, SigningKey, VerifyingKey};
use mosaic_noise::accounting::Epsilon;
use mosaic_types::{ProviderId, TileId};
use thiserror::Error;

use crate::{ANSWERS, Counted, Mismatch, NoisedAnswer, NoisedSum, Published, aggregators};

/// What both aggregators say about a day: the noisy count of every answer, and how it came about.
#[derive(Clone, PartialEq, Eq)]
pub struct Statement {
    pub(crate) counted: Counted,
    /// ε of each aggregator's noise; either noise alone grants it, with δ = 0.
    pub(crate) epsilon: Epsilon,
    /// How many reports were counted, rounded down to whole hundreds.
    pub(crate) hundreds: u32,
    pub(crate) aggregators: [ProviderId; 2],
    pub(crate) counts: [i32; ANSWERS],
}

/// A statement with the signatures of the leader and the helper.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedStatement {
    statement: Statement,
    signatures: [[u8; 64]; 2],
}

/// Why bytes are no statement to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Untrusted {
    /// Not as long as a statement is, of another version, or with a value outside its range.
    #[error("this is no statement")]
    Unreadable,
    /// Not of the two providers whose turn the day was.
    #[error("it was not these providers' turn to count the day")]
    OutOfTurn,
    /// One provider signed as both.
    #[error("one provider signed as both aggregators")]
    OneSigner,
    /// A provider that the federation does not name, or a signature that does not verify.
    #[error("the signature of provider {provider} does not verify")]
    BadSignature {
        /// Whose.
        provider: ProviderId,
    },
}

const _: () = assert!(SignedStatement::SIZE == Statement::SIZE + 128, "a reply carries whole statements");

impl Statement {
    /// Bytes of an unsigned statement.
    pub const SIZE: usize = 23 + 4 * ANSWERS;
    const VERSION: u8 = 1;
    /// How coarsely the number of reports is told.
    const HUNDRED: u32 = 100;

    /// Puts the sums of the `leader` and the helper together, whichever comes first. Both aggregators get the same.
    ///
    /// # Errors
    /// [`Mismatch`].
    pub fn of(sums: [&NoisedSum; 2], leader: ProviderId, helper: ProviderId) -> Result<Self, Mismatch> {
        let [one, other] = sums;
        let counts = one.with(other)?;
        let hundreds = one.reports.count() / Self::HUNDRED;
        Ok(Self { counted: one.counted, epsilon: one.epsilon, hundreds, aggregators: [leader, helper], counts })
    }

    /// The counts of all answers with the noise of both aggregators, class by class, part after part, nothing last.
    pub const fn counts(&self) -> &[i32; ANSWERS] {
        &self.counts
    }

    /// Version 1 ‖ tile 4 ‖ day 4 ‖ ε in thousandths 4 ‖ ε of the randomised response in thousandths 4 ‖ hundreds of reports
    /// 4 ‖ leader 1 ‖ helper 1 ‖ 65 counts of 4 bytes, signed.
    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![Self::VERSION];
        bytes.extend(self.counted.context());
        bytes.extend(self.epsilon.thousandths().to_be_bytes());
        bytes.extend(NoisedAnswer::EPSILON_THOUSANDTHS.to_be_bytes());
        bytes.extend(self.hundreds.to_be_bytes());
        bytes.extend(self.aggregators.map(ProviderId::get));
        bytes.extend(self.counts.iter().flat_map(|count| count.to_be_bytes()));
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, counted) = bytes.split_at_checked(23).filter(|_| bytes.len() == Self::SIZE)?;
        let word = |at: usize| Some(u32::from_be_bytes(*head.get(at..)?.first_chunk()?));
        if head.first() != Some(&Self::VERSION) || word(13)? != NoisedAnswer::EPSILON_THOUSANDTHS {
            return None;
        }
        let mut counts = [0; ANSWERS];
        for (count, bytes) in counts.iter_mut().zip(counted.chunks_exact(4)) {
            *count = i32::from_be_bytes(*bytes.first_chunk()?);
        }
        let provider = |at: usize| ProviderId::new(*head.get(at)?).ok();
        Some(Self {
            counted: Counted { tile: TileId(word(1)?), day: word(5)? },
            epsilon: Epsilon::from_thousandths(word(9)?).ok()?,
            hundreds: word(17)?,
            aggregators: [provider(21)?, provider(22)?],
            counts,
        })
    }

    /// The signature of one of its aggregators.
    pub fn sign(&self, key: &SigningKey) -> [u8; 64] {
        key.sign(SignContext::Aggregate, &self.encode())
    }

    /// The statement with the signatures of the leader and the helper, in this order.
    pub const fn signed(self, signatures: [[u8; 64]; 2]) -> SignedStatement {
        SignedStatement { statement: self, signatures }
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Statement({:?}, {} hundred reports)", self.counted, self.hundreds)
    }
}

impl SignedStatement {
    /// Bytes of a signed statement.
    pub const SIZE: usize = mosaic_wire::STATEMENT;

    /// The statement as it travels: [`Statement::SIZE`] bytes ‖ the leader's signature 64 ‖ the helper's 64.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.statement.encode();
        bytes.extend(self.signatures.as_flattened());
        bytes
    }

    /// Reads a statement without believing it.
    ///
    /// # Errors
    /// [`Untrusted::Unreadable`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Untrusted> {
        let parts = bytes.split_at_checked(Statement::SIZE).filter(|_| bytes.len() == Self::SIZE);
        let (statement, signatures) = parts.ok_or(Untrusted::Unreadable)?;
        let statement = Statement::decode(statement).ok_or(Untrusted::Unreadable)?;
        let (leader, helper) = signatures.split_at(64);
        let [leader, helper] =
            [leader, helper].map(|signature| signature.try_into().map_err(|_| Untrusted::Unreadable));
        Ok(Self { statement, signatures: [leader?, helper?] })
    }

    /// What it is about, which is not believed yet.
    pub const fn counted(&self) -> Counted {
        self.statement.counted
    }

    /// Reads statements that stand one behind the other, as a provider hands them out: what is none ends the list, and there
    /// are at most [`mosaic_wire::MOST_STATEMENTS`].
    pub fn decode_all(bytes: &[u8]) -> Vec<Self> {
        let each = bytes.chunks(Self::SIZE).take(mosaic_wire::MOST_STATEMENTS);
        each.map_while(|statement| Self::decode(statement).ok()).collect()
    }

    /// Believes a statement of the two `providers` whose turn the day was ([`crate::aggregators`]).
    ///
    /// # Errors
    /// [`Untrusted`].
    pub fn verify_turn(
        self,
        providers: &[ProviderId],
        key_of: impl Fn(ProviderId) -> Option<VerifyingKey>,
    ) -> Result<Published, Untrusted> {
        if aggregators(providers, self.statement.counted.day) != Some(self.statement.aggregators) {
            return Err(Untrusted::OutOfTurn);
        }
        self.verify(key_of)
    }

    /// Believes a statement that two different providers signed.
    ///
    /// # Errors
    /// [`Untrusted`].
    pub fn verify(self, key_of: impl Fn(ProviderId) -> Option<VerifyingKey>) -> Result<Published, Untrusted> {
        let Self { statement, signatures } = self;
        let [leader, helper] = statement.aggregators;
        if leader == helper {
            return Err(Untrusted::OneSigner);
        }
        let message = statement.encode();
        for (provider, signature) in statement.aggregators.into_iter().zip(&signatures) {
            let bad = Untrusted::BadSignature { provider };
            let key = key_of(provider).ok_or(bad)?;
            key.verify_strict(SignContext::Aggregate, &message, signature).map_err(|_| bad)?;
        }
        Ok(Published::new(statement))
    }
}

impl fmt::Debug for SignedStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statement.fmt(f)
    }
}
