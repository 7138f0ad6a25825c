//! The closed vocabulary of refusals: RFC 9457 problem details, the same over HTTP and inside a sealed
//! reply. The texts are for strangers: they say what to do and nothing about anybody else.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::DecodeError;

/// Whether, when and how to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same request will never do.
    Never,
    /// The same request, later; see [`Problem::retry_after_s`].
    Later,
    /// The same request, at another provider.
    Elsewhere,
    /// A corrected request: another table, a fresh token, the right time.
    Corrected,
}

/// Declares the vocabulary once: number, slug, status, retry hint, title, detail.
macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $slug:literal, $status:literal, $retry:ident, $title:literal, $detail:literal;)*) => {
        /// A kind of refusal.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemCode { $($(#[$doc])* $name,)* }

        impl ProblemCode {
            /// The whole vocabulary.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The number inside a sealed reply.
            pub const fn number(self) -> u8 {
                match self { $(Self::$name => $number,)* }
            }

            /// The last part of the problem type's URI.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Whether to try again.
            pub const fn retry(self) -> Retry {
                match self { $(Self::$name => Retry::$retry,)* }
            }

            /// A short summary of the kind.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What a stranger may know and do about it.
            pub const fn detail(self) -> &'static str {
                match self { $(Self::$name => $detail,)* }
            }
        }
    };
}

problems! {
    /// The bytes are no message of this protocol.
    Malformed = 1, "malformed", 400, Never, "Malformed message",
        "The body is not a message of this protocol version.";
    /// Not exactly the constant size.
    WrongSize = 2, "wrong-size", 400, Never, "Wrong size",
        "Every message has one exact size; this body has another.";
    /// The table takes no more deposits.
    StaleTable = 3, "stale-table", 409, Corrected, "Table closed",
        "Deposits for this table have ended. Build the event for the present table.";
    /// No such table here yet, or not for this tile.
    UnknownTable = 4, "unknown-table", 404, Corrected, "Unknown table",
        "This provider serves no such table or area.";
    /// The table and its key share were destroyed.
    Gone = 5, "gone", 410, Never, "Table destroyed",
        "The table and this provider's key share were destroyed on schedule.";
    /// The token is not good here.
    TokenInvalid = 6, "token-invalid", 401, Corrected, "Token not accepted",
        "The token was not issued for this provider, purpose and hour.";
    /// The token was used before.
    TokenSpent = 7, "token-spent", 409, Corrected, "Token already used",
        "The token was redeemed before. Use a fresh one.";
    /// Too much of something that is rationed.
    Quota = 8, "quota", 429, Later, "Quota used up",
        "The quota is used up. Try again after the stated time.";
    /// Too busy.
    Overloaded = 9, "overloaded", 503, Later, "Overloaded",
        "The provider is busy. Try again after the stated time or at another provider.";
    /// No room to store anything.
    StorageFull = 10, "storage-full", 507, Elsewhere, "Storage full",
        "The provider cannot store anything now. Nothing was stored; use another provider.";
    /// The message is too far from the provider's time.
    Skew = 11, "skew", 422, Corrected, "Clock differs",
        "The message is more than five minutes away from this provider's time. Ask /v1/time.";
    /// Not ready: starting, or without its key share yet.
    NotReady = 12, "not-ready", 503, Elsewhere, "Not ready",
        "The provider does not serve this yet. Use another provider or try again later.";
    /// No replica confirmed, so nothing is acknowledged.
    NoReplica = 13, "no-replica", 503, Later, "No replica",
        "No other provider confirmed a copy in time. Send the same event again; it is stored once.";
    /// The seal of the cell does not open.
    Unsealable = 14, "unsealable", 400, Corrected, "Seal does not open",
        "The sealed request was not made for this provider's present key.";
    /// The event was derived under another table descriptor.
    WrongDescriptor = 15, "wrong-descriptor", 409, Corrected, "Other table descriptor",
        "The event names another table descriptor. Ask /v1/tables for the present one.";
    /// The relay cannot reach the named provider.
    RelayUnreachable = 16, "relay-unreachable", 502, Elsewhere, "Relay target unreachable",
        "The named provider did not answer this relay. Use another path.";
    /// The relay serves no such provider.
    RelayUnknown = 17, "relay-unknown", 404, Never, "Unknown relay target",
        "This relay forwards only to the other providers of its federation.";
    /// A route that does not exist.
    NotFound = 18, "not-found", 404, Never, "No such resource",
        "This provider has no such resource.";
    /// A route that exists, under another method.
    MethodNotAllowed = 19, "method-not-allowed", 405, Never, "Method not allowed",
        "The resource exists, but not for this method.";
    /// A provider's message that is not from a provider.
    PeerRefused = 20, "peer-refused", 403, Never, "Not a peer",
        "The message is not signed by a provider of this federation.";
    /// Something broke here.
    Internal = 21, "internal", 500, Later, "Internal error",
        "Something failed at the provider. Nothing was acknowledged.";
    /// The solution is none, or of a puzzle of another day or price.
    PuzzleInvalid = 22, "puzzle-invalid", 403, Corrected, "Puzzle not solved",
        "The puzzle is not solved at its present price. Ask /v1/terms and solve it again.";
    /// A report about a day of which none are taken now.
    DayClosed = 23, "day-closed", 409, Never, "Day closed",
        "Reports about a day are taken on the day after it, by its two aggregators.";
}

impl ProblemCode {
    /// What [`Problem::type_uri`] puts before the slug.
    pub const TYPE_BASE: &'static str = "https://github.com/mosaic-proximity/mosaic/blob/main/docs/spec/http.md#";

    /// The code with that number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }

    /// The code with that slug.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.slug() == slug)
    }
}

/// A refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub struct Problem {
    /// Its kind.
    pub code: ProblemCode,
    /// When to try again, in seconds from now; zero means nothing and is not kept.
    pub retry_after_s: Option<u32>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.detail())
    }
}

impl From<ProblemCode> for Problem {
    fn from(code: ProblemCode) -> Self {
        Self { code, retry_after_s: None }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(rename = "retryAfter", skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
}

impl Problem {
    /// Media type of the JSON body (RFC 9457).
    pub const MEDIA_TYPE: &'static str = "application/problem+json";
    /// The most bytes of a body that is looked at.
    pub const MAX_BYTES: usize = 4_096;

    /// A refusal that says when to try again.
    pub const fn after(code: ProblemCode, seconds: u32) -> Self {
        Self { code, retry_after_s: if seconds == 0 { None } else { Some(seconds) } }
    }

    /// The problem type.
    pub fn type_uri(&self) -> String {
        format!("{}{}", ProblemCode::TYPE_BASE, self.code.slug())
    }

    /// The JSON body.
    pub fn to_json(&self) -> String {
        let code = self.code;
        let body = Body {
            r#type: &self.type_uri(),
            title: code.title(),
            status: code.status(),
            detail: code.detail(),
            retry_after: self.retry_after_s,
        };
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// Reads a JSON body: its type decides, its texts are not believed.
    ///
    /// # Errors
    /// [`DecodeError`] for a body beyond [`Self::MAX_BYTES`], one that is no problem, or an unknown type.
    pub fn from_json(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(DecodeError::WrongSize { expected: Self::MAX_BYTES, found: bytes.len() });
        }
        let body: Received = serde_json::from_slice(bytes).map_err(|_| DecodeError::Json)?;
        let slug = body.r#type.strip_prefix(ProblemCode::TYPE_BASE).ok_or(DecodeError::Json)?;
        let code = ProblemCode::from_slug(slug).ok_or(DecodeError::Json)?;
        Ok(Self { code, retry_after_s: body.retry_after.filter(|seconds| *seconds > 0) })
    }
}

#[derive(Deserialize)]
struct Received {
    r#type: String,
    #[serde(default, rename = "retryAfter")]
    retry_after: Option<u32>,
}
