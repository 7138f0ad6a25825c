use mosaic_crypto::ceremony::{Complaint, verify_complaint};
use mosaic_types::ProviderId;
use mosaic_wire::{EVENT, EventFields, GenerationBlock, Head, Receipt, SignedTable, TableDescriptor, event_hash};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Federation, dealing::SignedDealing, segment::records_of};

/// Proof of a provider's misconduct that anybody with the federation document can check; it names the
/// liar and nobody else. (A wrong OPRF share is not among them yet: replies are not signed, so it is
/// detected and its author avoided, but a third party has only the reporter's word.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Two heads, both signed, that cannot both be true: one generation with two contents, or a head
    /// that does not follow the one before it.
    TwoHistories {
        /// One head.
        first: Head,
        /// The other, of the same generation or the next.
        second: Head,
    },
    /// A signed receipt for records that the signed generation does not hold.
    Dropped(Box<Dropped>),
    /// Two tables for one period, both signed by one provider: a provider signs one transcript per period
    /// (`docs/spec/ceremony.md`).
    TwoTables(Box<TwoTables>),
    /// A signed dealing whose share for one recipient is bad.
    BadDealing {
        /// The dealing.
        dealing: SignedDealing,
        /// The recipient's complaint.
        complaint: Complaint,
    },
}

/// What shows that an acknowledged record was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The acknowledgement.
    pub receipt: Receipt,
    /// The event it acknowledges.
    pub event: [u8; EVENT],
    /// The head of the generation it names.
    pub head: Head,
    /// That generation.
    pub block: GenerationBlock,
}

/// What one provider signed twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwoTables {
    /// Who signed.
    pub signer: ProviderId,
    /// One table, with the signature.
    pub first: (TableDescriptor, [u8; 64]),
    /// Another of the same period, with the signature.
    pub second: (TableDescriptor, [u8; 64]),
}

impl TwoTables {
    /// The proofs in two tables that readers were shown: one against each provider that signed both.
    pub fn in_both(first: &SignedTable, second: &SignedTable) -> Vec<Self> {
        let of = |table: &SignedTable, signer: ProviderId| {
            let signature = table.signatures().iter().find(|(id, _)| *id == signer)?.1;
            Some((table.dangerously_unverified().clone(), signature))
        };
        let signers = first.signatures().iter().map(|(signer, _)| *signer);
        signers
            .filter_map(|signer| Some(Self { signer, first: of(first, signer)?, second: of(second, signer)? }))
            .collect()
    }

    fn verify(&self, federation: &Federation) -> Result<ProviderId, NoProof> {
        let key = federation.signing_key(self.signer).ok_or(NoProof::Stranger)?;
        let ((first, first_signature), (second, second_signature)) = (&self.first, &self.second);
        if first.period != second.period {
            return Err(NoProof::Unrelated);
        }
        let signed = first.verify(&key, first_signature).and_then(|()| second.verify(&key, second_signature));
        signed.map_err(|_| NoProof::Signature)?;
        if first.encode() == second.encode() { Err(NoProof::Innocent) } else { Ok(self.signer) }
    }
}

/// Why evidence proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoProof {
    /// The accused is no provider of this federation.
    #[error("the accused does not belong to this federation")]
    Stranger,
    /// A signature does not verify.
    #[error("a signature in the evidence does not verify")]
    Signature,
    /// The parts are about different things.
    #[error("the parts of the evidence do not belong together")]
    Unrelated,
    /// Everything fits together, and nothing is wrong.
    #[error("the evidence shows no misconduct")]
    Innocent,
    /// Not the bytes of evidence.
    #[error("the bytes are no evidence")]
    Malformed,
}

impl Evidence {
    /// Who is convicted.
    ///
    /// # Errors
    /// [`NoProof`] when a part is not signed, does not fit, or shows nothing wrong.
    pub fn verify(&self, federation: &Federation) -> Result<ProviderId, NoProof> {
        match self {
            Self::TwoHistories { first, second } => two_histories(federation, first, second),
            Self::Dropped(dropped) => dropped.verify(federation),
            Self::TwoTables(tables) => tables.verify(federation),
            Self::BadDealing { dealing, complaint } => bad_dealing(federation, dealing, complaint),
        }
    }

    /// What it is about, in two words that a file may be named by.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::TwoHistories { .. } => "two-histories",
            Self::Dropped(_) => "dropped-record",
            Self::TwoTables(_) => "two-tables",
            Self::BadDealing { .. } => "bad-dealing",
        }
    }

    /// The evidence as it is published.
    pub fn encode(&self) -> Vec<u8> {
        let parts = match self {
            Self::TwoHistories { first, second } => {
                Parts::TwoHistories(first.encode().to_vec(), second.encode().to_vec())
            }
            Self::Dropped(dropped) => Parts::Dropped {
                receipt: dropped.receipt.encode().to_vec(),
                event: dropped.event.to_vec(),
                head: dropped.head.encode().to_vec(),
                block: dropped.block.encode(),
            },
            Self::TwoTables(tables) => {
                let part = |(table, signature): &(TableDescriptor, [u8; 64])| [&table.encode()[..], signature].concat();
                Parts::TwoTables(tables.signer.get(), part(&tables.first), part(&tables.second))
            }
            Self::BadDealing { dealing, complaint } => Parts::BadDealing(dealing.clone(), complaint.encode().to_vec()),
        };
        // plain byte strings always serialise
        postcard::to_allocvec(&parts).unwrap_or_default()
    }

    /// Reads published evidence; [`Self::verify`] judges it.
    ///
    /// # Errors
    /// [`NoProof::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, NoProof> {
        let parts: Parts = postcard::from_bytes(bytes).map_err(|_| NoProof::Malformed)?;
        parts.read().ok_or(NoProof::Malformed)
    }
}

fn two_histories(federation: &Federation, first: &Head, second: &Head) -> Result<ProviderId, NoProof> {
    let key = federation.signing_key(first.segment.origin).ok_or(NoProof::Stranger)?;
    if first.segment != second.segment {
        return Err(NoProof::Unrelated);
    }
    first.verify(&key).and_then(|()| second.verify(&key)).map_err(|_| NoProof::Signature)?;
    let (lower, upper) = if first.index <= second.index { (first, second) } else { (second, first) };
    let lies = match upper.index - lower.index {
        0 => !lower.agrees_with(upper),
        1 => upper.previous != lower.hash(),
        _ => return Err(NoProof::Unrelated),
    };
    if lies { Ok(first.segment.origin) } else { Err(NoProof::Innocent) }
}

impl Dropped {
    fn verify(&self, federation: &Federation) -> Result<ProviderId, NoProof> {
        let (receipt, head) = (&self.receipt, &self.head);
        let key = federation.signing_key(receipt.segment.origin).ok_or(NoProof::Stranger)?;
        receipt.verify(&key).and_then(|()| head.verify(&key)).map_err(|_| NoProof::Signature)?;
        let same_place = receipt.segment == head.segment && receipt.generation == head.index;
        if !same_place || receipt.event != event_hash(&self.event) || !head.covers(&self.block) {
            return Err(NoProof::Unrelated);
        }
        let event = EventFields::decode(&self.event).map_err(|_| NoProof::Unrelated)?;
        let missing = |record: &mosaic_wire::Record| self.block.records().binary_search(record).is_err();
        let dropped = records_of(&event, receipt.accepted).iter().any(missing);
        if dropped { Ok(receipt.segment.origin) } else { Err(NoProof::Innocent) }
    }
}

fn bad_dealing(federation: &Federation, dealing: &SignedDealing, complaint: &Complaint) -> Result<ProviderId, NoProof> {
    let opened = dealing.open(federation).map_err(|_| NoProof::Signature)?;
    if verify_complaint(&opened, complaint) { Ok(opened.dealer()) } else { Err(NoProof::Innocent) }
}

#[derive(Serialize, Deserialize)]
enum Parts {
    TwoHistories(Vec<u8>, Vec<u8>),
    Dropped { receipt: Vec<u8>, event: Vec<u8>, head: Vec<u8>, block: Vec<u8> },
    BadDealing(SignedDealing, Vec<u8>),
    TwoTables(u8, Vec<u8>, Vec<u8>),
}

/// A table's body and a signature behind it.
fn read_table(bytes: &[u8]) -> Option<(TableDescriptor, [u8; 64])> {
    let (body, signature) = bytes.split_last_chunk()?;
    Some((TableDescriptor::decode(body).ok()?, *signature))
}

impl Parts {
    fn read(self) -> Option<Evidence> {
        Some(match self {
            Self::TwoHistories(first, second) => {
                Evidence::TwoHistories { first: Head::decode(&first).ok()?, second: Head::decode(&second).ok()? }
            }
            Self::Dropped { receipt, event, head, block } => Evidence::Dropped(Box::new(Dropped {
                receipt: Receipt::decode(&receipt).ok()?,
                event: event.try_into().ok()?,
                head: Head::decode(&head).ok()?,
                block: GenerationBlock::decode(&block).ok()?,
            })),
            Self::TwoTables(signer, first, second) => Evidence::TwoTables(Box::new(TwoTables {
                signer: ProviderId::new(signer).ok()?,
                first: read_table(&first)?,
                second: read_table(&second)?,
            })),
            Self::BadDealing(dealing, complaint) => {
                Evidence::BadDealing { dealing, complaint: Complaint::decode(&complaint.try_into().ok()?)? }
            }
        })
    }
}

#[cfg(test)]
#[path = "evidence_tests.rs"]
mod tests;
