use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a provider did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceName {
    /// It signed two contents for one generation.
    TwoHeads,
    /// It acknowledged a record and left it out.
    DroppedRecord,
    /// Two of them signed two keys for one table.
    TwoTables,
    /// It evaluated with another key share than its own.
    WrongShare,
    /// It handed out records other than those that were signed.
    WrongBlock,
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceView {
    /// Its number, from 1. It stays the same until the agent is started anew, whatever is forgiven.
    pub number: u32,
    /// What was done.
    pub kind: EvidenceName,
    /// By which provider, where one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<u8>,
    /// In words.
    pub text: String,
    /// Signed messages that convince anybody who has the federation's document, hexadecimal. Absent for what only this
    /// agent saw. That of a dropped record holds one event of this device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}

/// Answer to `GET /v1/evidence`: what this agent holds against providers, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceReply {
    /// All of it, at most 64 pieces, or a page.
    pub evidence: Vec<EvidenceView>,
    /// The cursor of the next page; absent where the list ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
