use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{BroadcastView, Granularity, Person, SettingsBody};

/// The word and version an export begins with.
pub const EXPORT_FORMAT: &str = "mosaic-export/2";

/// The version before: it also listed the ids of the cards that carried each broadcast. Still imported,
/// which ignores broadcasts.
const FIRST_FORMAT: &str = "mosaic-export/1";

/// Answer to `GET /v1/export` and body of `POST /v1/import`: settings, own broadcasts as the public
/// vocabulary names them, and the people the vault keeps. No true place, no word of a context, no key,
/// and no card: a card's id would tell whoever holds the file which of ten cards was real. It is plain
/// text: whoever writes it to a disk seals it first, or says so (C-86).
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportDocument {
    /// `mosaic-export/2`.
    #[schema(example = "mosaic-export/2")]
    pub format: String,
    /// When, unix seconds.
    pub exported_at: u64,
    /// The settings.
    pub settings: SettingsBody,
    /// What was out at that time; listed for the person, ignored by an import.
    pub broadcasts: Vec<ExportedBroadcast>,
    /// Kept people.
    pub people: Vec<Person>,
}

impl ExportDocument {
    /// Whether this version of the program can import the document.
    pub fn is_known_format(&self) -> bool {
        [EXPORT_FORMAT, FIRST_FORMAT].contains(&self.format.as_str())
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
        let BroadcastView { class, topics, granularity, expires_at, id: _, cards: _ } = view;
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
