use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Body of `POST /v1/graphql`, as GraphQL over HTTP has it. The schema is `docs/schema.graphql`.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphQlBody {
    /// The document.
    #[schema(min_length = 1, max_length = 16384, example = "{ status { mode version } }")]
    pub query: String,
    /// Which of its operations, where it has several.
    #[serde(rename = "operationName", default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 64)]
    pub operation_name: Option<String>,
    /// Values of its variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variables: Option<Map<String, Value>>,
}
