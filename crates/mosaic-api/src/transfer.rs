use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AnonymityView, BroadcastView, Granularity, Person, SettingsBody};

/// The word and version an export begins with.
pub const EXPORT_FORMAT: &str = "mosaic-export/3";

/// The versions before, still imported. The first also listed the ids of the cards that carried each broadcast;
/// neither had what attackers would conclude, which an import ignores as it does broadcasts.
const EARLIER_FORMATS: [&str; 2] = ["mosaic-export/1", "mosaic-export/2"];

/// Answer to `GET /v1/export` and body of `POST /v1/import`: settings, own broadcasts as the public
/// vocabulary names them, and the people the vault keeps. No true place, no word of a context, no key,
/// and no card: a card's id would tell whoever holds the file which of ten cards was real. It is plain
/// text: whoever writes it to a disk seals it first, or says so (C-86).
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportDocument {
    /// `mosaic-export/3`.
    #[schema(pattern = "^mosaic-export/[123]$", example = "mosaic-export/3")]
    pub format: String,
    /// When, unix seconds.
    pub exported_at: u64,
    /// The settings.
    pub settings: SettingsBody,
    /// What was out at that time; listed for the person, ignored by an import.
    pub broadcasts: Vec<ExportedBroadcast>,
    /// Kept people.
    pub people: Vec<Person>,
    /// What the probabilities below mean.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub deniability: String,
    /// What each attacker would conclude from the last 48 hours, taken together: single events, which would tell
    /// when there was something to say, are not in it. Ignored by an import.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anonymity: Vec<AnonymityView>,
}

impl ExportDocument {
    /// Whether this version of the program can import the document.
    pub fn is_known_format(&self) -> bool {
        self.format == EXPORT_FORMAT || EARLIER_FORMATS.contains(&self.format.as_str())
    }
}

/// One broadcast that was out, without anything that links it to a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExportedBroadcast {
    /// Class of the public vocabulary.
    pub class: String,
    /// Topics of the public vocabulary, best first.
    pub topics: Vec<String>,
    /// How precisely the place is released.
    pub granularity: Granularity,
    /// When it ends, unix seconds.
    pub expires_at: u64,
}

impl From<BroadcastView> for ExportedBroadcast {
    fn from(view: BroadcastView) -> Self {
        let BroadcastView {
            class,
            topics,
            granularity,
            expires_at,
            id: _,
            noise: _,
            cards: _,
            not_before: _,
            inclusion: _,
            anonymity: _,
        } = view;
        Self { class, topics, granularity, expires_at }
    }
}

/// Answer to `POST /v1/import`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportReply {
    /// Settings and people that changed; zero when only validated.
    pub changed: u32,
    /// People that were there already, and broadcasts, which are never imported.
    pub ignored: u32,
}
