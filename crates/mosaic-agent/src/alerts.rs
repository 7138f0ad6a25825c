use std::collections::BTreeMap;

use mosaic_api::{Warning, WarningKind};
use mosaic_federation::{Dropped, Evidence as Proof, TwoTables};
use mosaic_types::{ProviderId, Timestamp};
use mosaic_wire::{GenerationBlock, Head, Receipt, SignedTable};
use serde::{Deserialize, Serialize};

use crate::deposits::Owed;

/// That a provider broke its word: signed messages that cannot both be honest, or what was seen. Kept in the vault;
/// [`Self::proof`] is fit to be published (DESIGN section 6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it proves.
    pub kind: EvidenceKind,
    /// Who is named by it, where one provider is.
    pub provider: Option<ProviderId>,
    /// The signed messages, as they travelled.
    pub messages: Vec<Vec<u8>>,
}

/// What an [`Evidence`] proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EvidenceKind {
    /// Two heads of one origin for one generation.
    TwoHeads,
    /// A receipt and the head of the generation it names, whose records lack an accepted one; then, where they are not
    /// too long to keep, the event and the generation's block.
    DroppedRecord,
    /// Two descriptors for one period, each under two signatures.
    TwoTables,
    /// An evaluation whose proof does not fit the provider's public share. Not signed: an observation.
    WrongShare,
    /// A generation's block that its signed head does not cover, from the provider itself. Not signed: an observation.
    WrongBlock,
}

impl Evidence {
    pub(crate) fn two_heads(a: &Head, b: &Head) -> Self {
        let messages = vec![a.encode().to_vec(), b.encode().to_vec()];
        Self { kind: EvidenceKind::TwoHeads, provider: Some(a.segment.origin), messages }
    }

    pub(crate) fn dropped_record(owed: &Owed, head: &Head, block: Option<&GenerationBlock>) -> Self {
        let mut evidence = Self::dropped_record_unshown(owed, head);
        let empty = || GenerationBlock::new(head.segment, head.index, Vec::new()).ok().map(|block| block.encode());
        let block = block.map(GenerationBlock::encode).or_else(empty).filter(|block| block.len() <= MOST_PROOF);
        evidence.messages.extend(block.map(|block| [owed.event.to_vec(), block]).into_iter().flatten());
        evidence
    }

    /// As [`Self::dropped_record`], where the generation was not downloaded: enough for this device, not for others.
    pub(crate) fn dropped_record_unshown(owed: &Owed, head: &Head) -> Self {
        let messages = vec![owed.receipt.encode().to_vec(), head.encode().to_vec()];
        Self { kind: EvidenceKind::DroppedRecord, provider: Some(owed.receipt.segment.origin), messages }
    }

    /// What convinces anybody who has the federation's document, where the evidence is of that kind: an observation
    /// convinces only who made it.
    pub fn proof(&self) -> Option<Proof> {
        match (self.kind, self.messages.as_slice()) {
            (EvidenceKind::TwoHeads, [first, second]) => {
                Some(Proof::TwoHistories { first: Head::decode(first).ok()?, second: Head::decode(second).ok()? })
            }
            (EvidenceKind::DroppedRecord, [receipt, head, event, block]) => Some(Proof::Dropped(Box::new(Dropped {
                receipt: Receipt::decode(receipt).ok()?,
                event: event.as_slice().try_into().ok()?,
                head: Head::decode(head).ok()?,
                block: GenerationBlock::decode(block).ok()?,
            }))),
            (EvidenceKind::TwoTables, [first, second]) => {
                let (first, second) = (SignedTable::decode(first).ok()?, SignedTable::decode(second).ok()?);
                let proofs = TwoTables::in_both(&first, &second).into_iter();
                let mut ours = proofs.filter(|proof| Some(proof.signer) == self.provider);
                Some(Proof::TwoTables(Box::new(ours.next()?)))
            }
            _ => None,
        }
    }

    /// Two descriptors of one period, both under two signatures: one accusation against each who signed both. Where nobody did,
    /// four providers or more are at odds, and nobody can be named.
    pub(crate) fn two_tables(a: &SignedTable, b: &SignedTable) -> Vec<Self> {
        let messages = vec![a.encode().to_vec(), b.encode().to_vec()];
        let of = |provider| Self { kind: EvidenceKind::TwoTables, provider, messages: messages.clone() };
        let named: Vec<_> = TwoTables::in_both(a, b).into_iter().map(|proof| of(Some(proof.signer))).collect();
        if named.is_empty() { vec![of(None)] } else { named }
    }

    pub(crate) const fn wrong_share(provider: ProviderId) -> Self {
        Self { kind: EvidenceKind::WrongShare, provider: Some(provider), messages: Vec::new() }
    }

    pub(crate) const fn wrong_block(provider: ProviderId) -> Self {
        Self { kind: EvidenceKind::WrongBlock, provider: Some(provider), messages: Vec::new() }
    }

    const fn warning(&self) -> WarningKind {
        match self.kind {
            EvidenceKind::DroppedRecord => WarningKind::ReceiptBroken,
            EvidenceKind::TwoHeads | EvidenceKind::TwoTables | EvidenceKind::WrongShare | EvidenceKind::WrongBlock => {
                WarningKind::ProviderLied
            }
        }
    }

    pub(crate) fn text(&self) -> String {
        let who = self.provider.map_or_else(|| "a provider".to_owned(), |id| format!("provider {id}"));
        match self.kind {
            EvidenceKind::TwoHeads => format!("{who} signed two contents for one generation; the evidence is kept"),
            EvidenceKind::DroppedRecord => {
                format!("{who} acknowledged a record and left it out; the evidence is kept")
            }
            EvidenceKind::TwoTables => format!("{who} signed two keys for one table; the evidence is kept"),
            EvidenceKind::WrongShare => format!("{who} answered with a key share that is not its own"),
            EvidenceKind::WrongBlock => format!("{who} handed out records other than those that were signed"),
        }
    }
}

/// The most pieces kept; the first ones are worth most.
const MOST_EVIDENCE: usize = 64;
/// The longest block kept as evidence, in bytes: one of 600 records.
const MOST_PROOF: usize = 128 * 1_024;

/// What the person should know: evidence, and conditions that come and go.
pub(crate) struct Alerts {
    /// Each with its number, by which a page of the list ends: it stays while others are forgiven, until a restart.
    evidence: Vec<(u32, Evidence)>,
    last: u32,
    skews: BTreeMap<ProviderId, i64>,
}

/// Difference from provider time that is too much (DESIGN section 6).
const SKEW_MS: i64 = 5 * 60 * 1_000;

impl Alerts {
    pub(crate) fn new(evidence: Vec<Evidence>) -> Self {
        let evidence: Vec<_> = (1..).zip(evidence).collect();
        Self { last: evidence.last().map_or(0, |(number, _)| *number), evidence, skews: BTreeMap::new() }
    }

    /// All evidence with its numbers, oldest first.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u32, &Evidence)> {
        self.evidence.iter().map(|(number, evidence)| (*number, evidence))
    }

    /// All evidence as it is stored.
    pub(crate) fn kept(&self) -> Vec<Evidence> {
        self.evidence.iter().map(|(_, evidence)| evidence.clone()).collect()
    }

    /// Keeps a piece of evidence; `true` when it is new.
    pub(crate) fn keep(&mut self, evidence: Evidence) -> bool {
        if self.evidence.len() >= MOST_EVIDENCE || self.evidence.iter().any(|(_, known)| *known == evidence) {
            return false;
        }
        tracing::warn!(kind = ?evidence.kind, provider = ?evidence.provider, "a provider broke its word");
        self.last += 1;
        self.evidence.push((self.last, evidence));
        true
    }

    /// Forgets what names `provider`; `true` when there was something.
    pub(crate) fn forget(&mut self, provider: ProviderId) -> bool {
        let before = self.evidence.len();
        self.evidence.retain(|(_, evidence)| evidence.provider != Some(provider));
        self.evidence.len() < before
    }

    /// Notes how far a provider's clock is ahead of ours.
    pub(crate) fn measure(&mut self, provider: ProviderId, theirs: Timestamp, ours: Timestamp) {
        let difference = i128::from(theirs.as_millis()) - i128::from(ours.as_millis());
        self.skews.insert(provider, i64::try_from(difference).unwrap_or(i64::MAX));
    }

    /// The median of the measured differences in milliseconds: one wrong provider does not move it.
    fn skew_ms(&self) -> i64 {
        let mut skews: Vec<_> = self.skews.values().copied().collect();
        skews.sort_unstable();
        skews.get(skews.len() / 2).copied().unwrap_or(0)
    }

    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let mut warnings: Vec<_> =
            self.evidence.iter().map(|(_, e)| Warning { kind: e.warning(), text: e.text() }).collect();
        warnings.dedup();
        let skew = self.skew_ms();
        if skew.abs() > SKEW_MS {
            let (minutes, way) = (skew.abs() / 60_000, if skew > 0 { "behind" } else { "ahead of" });
            let text = format!("this machine's clock is {minutes} minutes {way} the providers'; set it right");
            warnings.push(Warning { kind: WarningKind::ClockSkew, text });
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_clock_among_three_does_not_move_the_median() {
        let mut alerts = Alerts::new(Vec::new());
        let ours = Timestamp::from_secs(1_000_000);
        for (id, seconds) in [(1, 1_000_001), (2, 1_000_002), (3, 2_000_000)] {
            alerts.measure(ProviderId::new(id).unwrap(), Timestamp::from_secs(seconds), ours);
        }
        assert!(alerts.warnings().is_empty());
        alerts.measure(ProviderId::new(2).unwrap(), Timestamp::from_secs(1_000_301), ours);
        assert_eq!(alerts.warnings()[0].kind, WarningKind::ClockSkew);
    }
}
