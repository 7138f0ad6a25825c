use mosaic_types::{Mode, ServiceClass};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a practice federation shows, always (DESIGN section 2).
pub const PRACTICE_BANNER: &str = "all three operators are you: no privacy";

/// Which federation this agent is pinned to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FederationView {
    /// Its name for people.
    pub name: String,
    /// Digest of the pinned descriptor, hexadecimal.
    pub pin: String,
    /// Whether it is one person's practice federation.
    pub practice: bool,
    /// The permanent banner of a practice federation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banner: Option<String>,
}

/// One provider as this agent sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderView {
    /// Its number.
    pub id: u8,
    /// Who operates it.
    pub operator: String,
    /// Where.
    pub jurisdiction: String,
    /// Whether the last call reached it.
    pub up: bool,
}

/// How much of the federation can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Every provider answers.
    Whole,
    /// At least two answer, so everything works; one more failure would stop it.
    Degraded,
    /// Fewer than two answer. Commands are taken and wait; nothing is lost.
    CutOff,
}

/// What a warning is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WarningKind {
    /// This machine's clock differs by more than five minutes from the providers'.
    ClockSkew,
    /// A provider acknowledged a record and then left it out: evidence is kept.
    ReceiptBroken,
    /// A provider signed two contents for one generation, or its key share was wrong: evidence is kept.
    ProviderLied,
    /// The weekly location ledger is spent: places are released as zones.
    LedgerSpent,
    /// Emergency mode shows the moment of sending.
    MomentVisible,
    /// An open door is visible as such.
    OpenDoorVisible,
    /// The providers have no table key yet.
    NoTable,
    /// The disk refused the vault; the last change is only in memory.
    VaultUnwritable,
    /// Associations live in memory only: a restart forgets them (S-46, C-58).
    MemoryOnly,
    /// The noise in force is lower than it was a moment ago.
    NoiseLowered,
    /// Maximum mode asks for Tor or a mesh; there is neither, and a relay stands in.
    NoTor,
    /// A broadcast falls below the anonymity floor and is sent less often, or not at all.
    AnonymityFloor,
    /// The words of a broadcast hold something that points at one person.
    IdentifyingWords,
    /// The words travel in parts that are read later than a card is seen, or do not leave whole.
    LongWords,
    /// So few devices use this area that whoever reads a card can guess whose it is.
    SparseArea,
    /// The risk is high: what the person does elsewhere can give the moment away.
    HighRisk,
    /// The public places are older than a quarter of a year.
    StalePlaces,
    /// A broadcast stands, and no event has carried it for hours: nobody can have found it.
    Unsent,
    /// So much is looked for in so busy an area that a part of it is passed over.
    PassedOver,
    /// So many answers to the counts were given that the last one was not.
    AnswersSpent,
}

impl WarningKind {
    /// Whether it tells of something that got worse for the person's privacy, and so is a `privacy.alert`.
    pub const fn is_privacy_alert(self) -> bool {
        match self {
            Self::ReceiptBroken
            | Self::ProviderLied
            | Self::LedgerSpent
            | Self::MomentVisible
            | Self::OpenDoorVisible
            | Self::NoiseLowered
            | Self::NoTor
            | Self::AnonymityFloor
            | Self::SparseArea => true,
            // these are about one broadcast before it leaves, or about what does not work
            Self::ClockSkew
            | Self::NoTable
            | Self::VaultUnwritable
            | Self::MemoryOnly
            | Self::IdentifyingWords
            | Self::LongWords
            | Self::HighRisk
            | Self::StalePlaces
            | Self::Unsent
            | Self::PassedOver
            | Self::AnswersSpent => false,
        }
    }
}

/// Something the person should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    /// What about.
    pub kind: WarningKind,
    /// In a sentence.
    pub text: String,
}

/// The weekly location ledger, in units of ε · 200 m: numbers, no places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LedgerView {
    /// What is left.
    pub left: f64,
    /// What a week begins with.
    pub weekly: f64,
    /// When the next week begins and the budget is whole again, unix seconds.
    pub renews_at: u64,
    /// What was paid for this week, by mode.
    pub paid: Vec<PlacesPaid>,
    /// What left as a zone this week, by reason.
    pub zones: Vec<ZoneCount>,
}

/// New places of one mode that the ledger was charged for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlacesPaid {
    /// The mode whose noise they carry.
    #[schema(value_type = String, pattern = "^(emergency|balanced|maximum)$")]
    pub mode: Mode,
    /// How many.
    pub places: u32,
    /// What one costs.
    pub each: f64,
}

/// Releases that left as a zone for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ZoneCount {
    /// Why.
    pub reason: crate::ZoneReason,
    /// How many.
    pub releases: u32,
}

/// How many devices wrote in the last two whole hours, this one included: told from what is read anyway, since each
/// writes a fixed number of events an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CrowdView {
    /// At least.
    pub low: u32,
    /// At most, while every device behaves.
    pub high: u32,
}

/// Answer to `GET /v1/status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusReply {
    /// Version of the program.
    pub version: String,
    /// The mode set.
    #[schema(value_type = String, pattern = "^(emergency|balanced|maximum)$")]
    pub mode: Mode,
    /// The class the network sees now.
    #[schema(value_type = String, pattern = "^(emergency|balanced|maximum|open-door)$")]
    pub class: ServiceClass,
    /// Which federation.
    pub federation: FederationView,
    /// How much of it can be reached.
    pub reach: Reach,
    /// Each provider.
    pub providers: Vec<ProviderView>,
    /// The location ledger.
    pub ledger: LedgerView,
    /// Noise in force without a request: requested by the settings, effective per lane.
    pub noise: crate::NoiseView,
    /// When the next scheduled event leaves, unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_send_at: Option<u64>,
    /// Until when an open door is booked, unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_door_until: Option<u64>,
    /// Events released since the agent started, both lanes, real or not.
    pub events_released: u64,
    /// Deposits that a provider acknowledged with a valid receipt.
    pub deposits_acked: u64,
    /// Events that wait for a provider to acknowledge them.
    pub deposits_waiting: u32,
    /// Bytes sent and received since the agent started, whole HTTP bodies.
    pub bytes_exchanged: u64,
    /// Broadcasts that are out.
    pub broadcasts: u32,
    /// Cards known.
    pub cards: u32,
    /// Waves waiting for this person's answer.
    pub waves_waiting: u32,
    /// What attackers would conclude from what this device sent, and what the meter did about it.
    pub anonymity: crate::AnonymityReport,
    /// How many devices use this federation at present; absent while it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crowd: Option<CrowdView>,
    /// What answers to the counts over many people have cost.
    pub answers: crate::AnswersView,
    /// What the person should know.
    pub warnings: Vec<Warning>,
    /// The agent's time, unix seconds.
    pub now: u64,
}

/// Answer to `POST /v1/open-door`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenDoorReply {
    /// Until when, unix seconds.
    pub until: u64,
    /// What it shows to whom.
    pub visible: String,
}
