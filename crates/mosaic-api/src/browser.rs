//! How a browser gets in (L6-40): a program that has the token asks for a code, the person opens the app with it, and the
//! page exchanges it for a cookie that no script can read.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the cookie's name begins with; `-` and the agent's port follow, because browsers tell hosts apart and not ports:
/// two agents of one machine must not overwrite each other's.
pub const SESSION_COOKIE: &str = "mosaic-session";

/// Answer to `POST /v1/session/code`: a code that lets one browser in, once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionCodeReply {
    /// The code, 128 bits: `http://127.0.0.1:PORT/#CODE` opens the app with it.
    #[schema(pattern = "^[0-9a-f]{32}$", example = "00112233445566778899aabbccddeeff")]
    pub code: String,
    /// Until when it can be exchanged, unix seconds of this machine: a minute.
    pub expires_at: u64,
}

/// Body of `POST /v1/session`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionBody {
    /// The code.
    #[schema(pattern = "^[0-9a-f]{32}$", example = "00112233445566778899aabbccddeeff")]
    pub code: String,
}

/// Answer to `GET /v1/session`: who asks may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// Until when the browser's cookie lets in, unix seconds of this machine; absent for a program that shows the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
}
