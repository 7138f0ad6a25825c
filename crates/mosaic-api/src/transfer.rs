use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{BroadcastView, Person, SettingsView};

/// The word and version an export begins with.
pub const EXPORT_FORMAT: &str = "mosaic-export/1";

/// Answer to `GET /v1/export` and body of `POST /v1/import`: settings, own broadcasts as the public
/// vocabulary names them, and the people the vault keeps. No true place, no word of a context, no key.
/// It is plain text: whoever writes it to a disk seals it first, or says so (C-86).
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportDocument {
    /// `mosaic-export/1`.
    #[schema(example = "mosaic-export/1")]
    pub format: String,
    /// When, unix seconds.
    pub exported_at: u64,
    /// The settings.
    pub settings: SettingsView,
    /// What was out at that time; listed for the person, ignored by an import.
    pub broadcasts: Vec<BroadcastView>,
    /// Kept people.
    pub people: Vec<Person>,
}

/// Answer to `POST /v1/import`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportReply {
    /// Settings and people that changed; zero when only validated.
    pub changed: u32,
    /// People that were there already, and broadcasts, which are never imported.
    pub ignored: u32,
}
