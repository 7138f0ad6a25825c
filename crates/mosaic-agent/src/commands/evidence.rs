//! What this agent holds against providers.

use mosaic_api::{EvidenceName, EvidenceReply, EvidenceView};

use crate::{Evidence, EvidenceKind, core::AgentCore};

impl AgentCore {
    /// All of it, oldest first, with proofs that others can check.
    pub fn evidence(&self) -> EvidenceReply {
        EvidenceReply { evidence: self.alerts.evidence.iter().map(view).collect() }
    }
}

fn view(evidence: &Evidence) -> EvidenceView {
    EvidenceView {
        kind: match evidence.kind {
            EvidenceKind::TwoHeads => EvidenceName::TwoHeads,
            EvidenceKind::DroppedRecord => EvidenceName::DroppedRecord,
            EvidenceKind::TwoTables => EvidenceName::TwoTables,
            EvidenceKind::WrongShare => EvidenceName::WrongShare,
            EvidenceKind::WrongBlock => EvidenceName::WrongBlock,
        },
        provider: evidence.provider.map(mosaic_types::ProviderId::get),
        text: evidence.text(),
        proof: evidence.proof().map(|proof| hex::encode(proof.encode())),
    }
}
