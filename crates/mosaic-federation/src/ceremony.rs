use std::{collections::BTreeMap, sync::Arc};

use mosaic_crypto::{
    agreement::AgreementSecret,
    ceremony::{AssembleError, Dealing, OpenShareError, OutcomeError, assemble, open_share, outcome},
    oprf::KeyShare,
    signing::SigningKey,
};
use mosaic_types::{Lane, Period, ProviderId};
use mosaic_wire::{Groups, LaneShape, PublicShare, SignedTable, TableDescriptor, UntrustedTable};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    Evidence, Federation,
    dealing::{SignedDealing, UnsoundDealing},
};

/// One provider's view of the generation of one table key, as a state machine that is stored after every
/// step that answers somebody.
///
/// Safety rests on one rule: a provider signs at most one transcript per period, and stores its
/// signature before it shows it. Two providers' signatures make a table. Transcripts are functions of the
/// set of dealings, so coordinators who know the same dealings propose the same table.
#[derive(Debug)]
pub struct TableCeremony {
    federation: Arc<Federation>,
    me: ProviderId,
    period: Period,
    record: CeremonyRecord,
}

/// What a ceremony stores.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CeremonyRecord {
    dealings: BTreeMap<ProviderId, SignedDealing>,
    excluded: BTreeMap<ProviderId, Vec<u8>>,
    signed: Option<(Proposal, Vec<u8>)>,
    table: Option<Vec<u8>>,
}

/// A transcript that a coordinator asks the others to sign: the table it yields, and the dealings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    table: Vec<u8>,
    dealings: Vec<SignedDealing>,
}

/// What became of a dealing.
#[derive(Debug, PartialEq, Eq)]
pub enum DealingVerdict {
    /// Kept; it counts from now on.
    Kept,
    /// There is one of this dealer already, or the table is complete.
    Known,
    /// Its dealer was excluded before.
    Excluded,
    /// Bad share: the dealer is excluded and this convicts it.
    Convicted(Box<Evidence>),
    /// Not sound enough to look into.
    Unsound(UnsoundDealing),
}

/// Why a proposal was not signed.
#[derive(Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CountersignError {
    /// Another transcript of the period bears our signature; adopt it or wait.
    #[error("another transcript of this period is signed already")]
    AlreadySigned,
    /// The table exists.
    #[error("the table of this period exists already")]
    Complete,
    /// A dealing is unsound.
    #[error("a dealing is unsound")]
    Unsound(#[source] UnsoundDealing),
    /// A dealer is excluded, with the evidence.
    #[error("a dealer is excluded")]
    Excluded(Box<Evidence>),
    /// Too few dealings, or they do not fit together.
    #[error("the dealings have no outcome")]
    Outcome(#[source] OutcomeError),
    /// The proposed table is not what the dealings yield.
    #[error("the table is not what the dealings yield")]
    OtherTable,
}

impl TableCeremony {
    /// A ceremony at its beginning, or where `record` left it.
    pub const fn resume(federation: Arc<Federation>, me: ProviderId, period: Period, record: CeremonyRecord) -> Self {
        Self { federation, me, period, record }
    }

    /// What to store before anything is answered.
    pub const fn record(&self) -> &CeremonyRecord {
        &self.record
    }

    /// Which period's key it is about.
    pub const fn period(&self) -> Period {
        self.period
    }

    /// Who coordinates attempt `attempt`: provider number (period + attempt) mod n (DESIGN section 6).
    pub fn coordinator(&self, attempt: u32) -> ProviderId {
        let providers = &self.federation.descriptor().providers;
        let turn = u64::from(self.period.0) + u64::from(attempt);
        let at = usize::try_from(turn % providers.len() as u64).unwrap_or(0);
        providers[at].id
    }

    /// This provider's own dealing, made at the first call.
    ///
    /// # Errors
    /// [`mosaic_crypto::ceremony::DealError`] when a ceremony key in the descriptor is unusable.
    pub fn deal(
        &mut self,
        key: &SigningKey,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SignedDealing, mosaic_crypto::ceremony::DealError> {
        if let Some(own) = self.record.dealings.get(&self.me) {
            return Ok(own.clone());
        }
        let own = SignedDealing::deal(&self.federation, self.period, self.me, key, rng)?;
        self.record.dealings.insert(self.me, own.clone());
        Ok(own)
    }

    /// This provider's own dealing, if it was made.
    pub fn own_dealing(&self) -> Option<&SignedDealing> {
        self.record.dealings.get(&self.me)
    }

    /// Takes a dealing, looks into our share of it, and complains if that is bad.
    pub fn receive(&mut self, dealing: &SignedDealing, mine: &AgreementSecret) -> DealingVerdict {
        let opened = match dealing.open_for(&self.federation, self.period) {
            Ok(opened) => opened,
            Err(error) => return DealingVerdict::Unsound(error),
        };
        let dealer = opened.dealer();
        if self.record.excluded.contains_key(&dealer) {
            return DealingVerdict::Excluded;
        }
        if self.is_complete() || self.record.dealings.contains_key(&dealer) {
            return DealingVerdict::Known;
        }
        match open_share(&opened, self.me, mine) {
            Ok(_) => {
                self.record.dealings.insert(dealer, dealing.clone());
                DealingVerdict::Kept
            }
            Err(OpenShareError::Cheated(complaint)) => {
                let evidence = Evidence::BadDealing { dealing: dealing.clone(), complaint: *complaint };
                self.exclude(dealer, &evidence);
                DealingVerdict::Convicted(Box::new(evidence))
            }
            Err(_) => DealingVerdict::Unsound(UnsoundDealing::OtherTerms),
        }
    }

    /// Takes another provider's evidence of a bad dealing of this period; returns who was excluded.
    pub fn receive_complaint(&mut self, evidence: &Evidence) -> Option<ProviderId> {
        let Evidence::BadDealing { dealing, .. } = evidence else { return None };
        dealing.open_for(&self.federation, self.period).ok()?;
        let dealer = evidence.verify(&self.federation).ok()?;
        self.exclude(dealer, evidence);
        Some(dealer)
    }

    fn exclude(&mut self, dealer: ProviderId, evidence: &Evidence) {
        self.record.dealings.remove(&dealer);
        self.record.excluded.entry(dealer).or_insert_with(|| evidence.encode());
    }

    /// Dealers whose dealings count here.
    pub fn dealers(&self) -> impl Iterator<Item = ProviderId> + '_ {
        self.record.dealings.keys().copied()
    }

    /// Whether every provider that is not excluded has dealt: then nothing is gained by waiting.
    pub fn all_dealt(&self) -> bool {
        let all = self.federation.descriptor().providers.len();
        self.record.dealings.len() + self.record.excluded.len() >= all
    }

    /// The transcript to propose: the one we signed, or the one of all dealings that count; `None` while
    /// fewer than a threshold have dealt. With a threshold of dealers one is honest unless a threshold
    /// colludes, who need no ceremony to learn the key.
    pub fn proposal(&self) -> Option<Proposal> {
        if let Some((proposal, _)) = &self.record.signed {
            return Some(proposal.clone());
        }
        let dealings: Vec<SignedDealing> = self.record.dealings.values().cloned().collect();
        if dealings.len() < usize::from(self.federation.descriptor().threshold) {
            return None;
        }
        let opened = self.open_all(&dealings).ok()?;
        let table = table_of(&self.federation, self.period, &opened).ok()?;
        Some(Proposal { table: table.encode().to_vec(), dealings })
    }

    /// Checks a proposal and signs it, unless another transcript of the period bears our signature. The
    /// record must be stored before the signature is shown to anybody.
    ///
    /// # Errors
    /// [`CountersignError`].
    pub fn countersign(
        &mut self,
        proposal: &Proposal,
        key: &SigningKey,
        mine: &AgreementSecret,
    ) -> Result<[u8; 64], CountersignError> {
        let table = self.check(proposal, mine)?;
        if let Some((signed, signature)) = &self.record.signed {
            let same = signed.table == proposal.table;
            let signature = signature.as_slice().try_into().ok().filter(|_| same);
            return signature.ok_or(CountersignError::AlreadySigned);
        }
        if self.is_complete() {
            return Err(CountersignError::Complete);
        }
        let signature = table.sign(key);
        self.record.signed = Some((proposal.clone(), signature.to_vec()));
        Ok(signature)
    }

    /// The table that a proposal yields, once every dealing in it was looked into.
    fn check(&mut self, proposal: &Proposal, mine: &AgreementSecret) -> Result<TableDescriptor, CountersignError> {
        let opened = self.open_all(&proposal.dealings)?;
        if opened.len() < usize::from(self.federation.descriptor().threshold) {
            return Err(CountersignError::Outcome(OutcomeError::TooFewDealers));
        }
        for (dealing, signed) in opened.iter().zip(&proposal.dealings) {
            if let Some(evidence) = self.record.excluded.get(&dealing.dealer()).and_then(|e| Evidence::decode(e).ok()) {
                return Err(CountersignError::Excluded(Box::new(evidence)));
            }
            if let Err(OpenShareError::Cheated(complaint)) = open_share(dealing, self.me, mine) {
                let evidence = Evidence::BadDealing { dealing: signed.clone(), complaint: *complaint };
                self.exclude(dealing.dealer(), &evidence);
                return Err(CountersignError::Excluded(Box::new(evidence)));
            }
        }
        let table = table_of(&self.federation, self.period, &opened).map_err(CountersignError::Outcome)?;
        if table.encode()[..] == proposal.table[..] { Ok(table) } else { Err(CountersignError::OtherTable) }
    }

    fn open_all(&self, dealings: &[SignedDealing]) -> Result<Vec<Dealing>, CountersignError> {
        let open = |dealing: &SignedDealing| dealing.open_for(&self.federation, self.period);
        dealings.iter().map(open).collect::<Result<_, _>>().map_err(CountersignError::Unsound)
    }

    /// The transcript that bears our signature, with it.
    pub fn signed(&self) -> Option<(&Proposal, [u8; 64])> {
        let (proposal, signature) = self.record.signed.as_ref()?;
        Some((proposal, signature.as_slice().try_into().ok()?))
    }

    /// Whether `signature` is the one of `signer` under the table of `proposal`.
    pub fn is_signed_by(&self, proposal: &Proposal, signer: ProviderId, signature: &[u8; 64]) -> bool {
        let table = TableDescriptor::decode(&proposal.table).ok();
        let key = self.federation.signing_key(signer).filter(|_| signer != self.me);
        table.zip(key).is_some_and(|(table, key)| table.verify(&key, signature).is_ok())
    }

    /// Joins our signature with another provider's under the proposal that both signed. `None` if either
    /// is missing or bad.
    pub fn join(&self, other: ProviderId, signature: &[u8; 64]) -> Option<SignedTable> {
        let (proposal, own) = self.record.signed.as_ref()?;
        let table = TableDescriptor::decode(&proposal.table).ok()?;
        let own = own.as_slice().try_into().ok()?;
        let signed = SignedTable::new(table, [(self.me, own), (other, *signature)]).ok()?;
        signed.verify(|id| self.federation.signing_key(id)).ok()?;
        Some(signed)
    }

    /// Takes the finished table with the dealings it came from, whoever sends them.
    ///
    /// # Errors
    /// [`IncompleteTable`] when the signatures or the dealings do not fit.
    pub fn complete(&mut self, signed: &SignedTable, dealings: &[SignedDealing]) -> Result<(), IncompleteTable> {
        let table = signed.verify(|id| self.federation.signing_key(id)).map_err(IncompleteTable::Untrusted)?;
        if table.period != self.period {
            return Err(IncompleteTable::OtherPeriod);
        }
        let opened = self.open_all(dealings).map_err(|_| IncompleteTable::Dealings)?;
        let yielded = table_of(&self.federation, self.period, &opened).map_err(|_| IncompleteTable::Dealings)?;
        if yielded != *table {
            return Err(IncompleteTable::Dealings);
        }
        self.record.dealings = opened.iter().map(Dealing::dealer).zip(dealings.iter().cloned()).collect();
        self.record.table = Some(signed.encode().to_vec());
        Ok(())
    }

    /// Whether the table exists.
    pub const fn is_complete(&self) -> bool {
        self.record.table.is_some()
    }

    /// The finished table with the dealings it came from, to hand to a provider that was absent.
    pub fn finished(&self) -> Option<(SignedTable, Vec<SignedDealing>)> {
        let table = SignedTable::decode(self.record.table.as_ref()?).ok()?;
        Some((table, self.record.dealings.values().cloned().collect()))
    }

    /// This provider's share of the finished key.
    ///
    /// # Errors
    /// [`AssembleError`] before the table is finished, or when a dealing cheats us.
    pub fn share(&self, mine: &AgreementSecret) -> Result<KeyShare, AssembleError> {
        let dealings: Vec<SignedDealing> = self.record.dealings.values().cloned().collect();
        let opened = self.open_all(&dealings).map_err(|_| OutcomeError::Mismatched)?;
        if !self.is_complete() {
            return Err(OutcomeError::TooFewDealers.into());
        }
        assemble(&opened, self.me, mine)
    }
}

/// Why a finished table was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IncompleteTable {
    /// Signatures missing or bad.
    #[error("the table lacks two good signatures")]
    Untrusted(#[source] UntrustedTable),
    /// Of another period.
    #[error("the table is of another period")]
    OtherPeriod,
    /// The dealings do not yield it.
    #[error("the dealings do not yield this table")]
    Dealings,
}

impl Proposal {
    /// The dealings it rests on.
    pub fn dealings(&self) -> &[SignedDealing] {
        &self.dealings
    }
}

/// The one table that these dealings yield in this federation.
fn table_of(federation: &Federation, period: Period, dealings: &[Dealing]) -> Result<TableDescriptor, OutcomeError> {
    let outcome = outcome(dealings)?;
    let descriptor = federation.descriptor();
    let lane = |lane| {
        let shape = descriptor.shape(lane);
        LaneShape { rows: shape.rows, capacity: shape.capacity }
    };
    let shares = outcome.public_shares.into_iter().map(|(provider, element)| PublicShare { provider, element });
    Ok(TableDescriptor {
        tile: descriptor.tile.id,
        period,
        valid_from: period.start(),
        threshold: descriptor.threshold,
        public_key: outcome.public_key,
        shares: shares.collect(),
        transcript: outcome.transcript,
        discovery: lane(Lane::Discovery),
        rendezvous: lane(Lane::Rendezvous),
        generation_s: descriptor.generation_seconds,
        groups: Groups::DEFAULT,
    })
}

#[cfg(test)]
#[path = "ceremony_tests.rs"]
mod tests;
