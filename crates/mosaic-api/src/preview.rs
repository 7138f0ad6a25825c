use mosaic_types::{ContextText, Enrichment};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    BroadcastWarning, Problem,
    broadcast::{check_context, check_enrichment},
};

/// Body of `POST /v1/preview`: words that are still being written. Nothing of them is kept or sent.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewBody {
    /// The words, 1 to 500 characters.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = "^[^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*$",
        example = "coffee meetup"
    )]
    pub context: String,
    /// How much would be added to the words' topics, as in a broadcast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.0, maximum = 1.0, default = 0.0)]
    pub enrichment: Option<f64>,
}

/// A checked [`PreviewBody`].
#[derive(Clone, Debug)]
pub struct PreviewRequest {
    /// The words.
    pub words: ContextText,
    /// How many topics would be added.
    pub enrichment: Enrichment,
}

impl PreviewBody {
    /// Checks the bounds, which are those of a broadcast.
    ///
    /// # Errors
    /// The problem of the first field that is out of bounds.
    pub fn check(self) -> Result<PreviewRequest, Problem> {
        let words = check_context(&self.context)?;
        let enrichment = self.enrichment.map(check_enrichment).transpose()?.unwrap_or_default();
        Ok(PreviewRequest { words, enrichment })
    }
}

/// Answer to `POST /v1/preview`: what a broadcast of these words would say of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PreviewReply {
    /// Class of the public vocabulary the words fall into.
    pub class: String,
    /// Topics of the public vocabulary, best first; what enrichment adds stands last.
    pub topics: Vec<String>,
    /// What the person should know about these words; absent when there is nothing to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<BroadcastWarning>,
    /// Whether a broadcast of these words would be refused until the person confirms what they hold.
    pub to_confirm: bool,
}
