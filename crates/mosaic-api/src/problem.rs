use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

use crate::strict::Strict;

/// Why a request was refused: a closed vocabulary (RFC 9457 section 3.1). Each word is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The body is no JSON, lacks a field, has an unknown one or one of the wrong type.
    MalformedBody,
    /// A frame of the socket is not what it takes.
    MalformedFrame,
    /// The query string is not what the route takes.
    MalformedQuery,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
    /// The body is larger than any valid one.
    BodyTooLarge,
    /// A coordinate outside its range (L5-12, L5-13).
    InvalidPosition,
    /// A coordinate in a URL that is finer than a hundredth of a degree (DESIGN section 2).
    ExactPosition,
    /// A context outside 1 to 500 characters (L5-12).
    InvalidContext,
    /// A noise ratio outside 0.30 to 0.80 (L5-12).
    InvalidNoise,
    /// An enrichment outside 0.0 to 1.0 (L5-09).
    InvalidEnrichment,
    /// An anonymity floor outside 1 to 10.
    InvalidFloor,
    /// A threshold of a match outside 0.0 to 1.0 (L5-05).
    InvalidThreshold,
    /// A time to live outside 24 to 168 hours (X-34).
    InvalidTtl,
    /// A radius outside 100 to 5000 m (L5-13).
    InvalidRadius,
    /// A window outside 300 to 86400 s (L5-13).
    InvalidWindow,
    /// A result cap outside 1 to 200 (L5-01).
    InvalidLimit,
    /// A timeout of a socket's request outside 100 to 60000 ms.
    InvalidTimeout,
    /// A cursor that no list of this agent gave.
    InvalidCursor,
    /// An idempotency key that is not 1 to 64 letters, digits, `-` and `_`.
    InvalidKey,
    /// An idempotency key that belongs to another request.
    KeyReused,
    /// Not 32 letters and digits (L5-14).
    InvalidToken,
    /// Not 16 digits whose check digits fit.
    InvalidCode,
    /// A contact outside 1 to 300 bytes.
    InvalidContact,
    /// A group's name outside 1 to 64 bytes.
    InvalidName,
    /// A group's announcement outside 1 to 496 bytes.
    InvalidAnnouncement,
    /// A text that is no invitation to a group.
    InvalidInvitation,
    /// A mode that does not exist.
    InvalidMode,
    /// An id of the wrong shape.
    InvalidId,
    /// No tile of the grid, or one finer than zoom 16.
    InvalidTile,
    /// A code for a browser that was never made, was used, or is older than a minute.
    SessionCode,
    /// No, or no valid, bearer token.
    Unauthorized,
    /// The request names another host, or comes from a foreign page.
    ForeignCaller,
    /// No such route.
    UnknownRoute,
    /// The route exists, the method does not.
    MethodNotAllowed,
    /// The socket's route was called without asking for a WebSocket.
    UpgradeRequired,
    /// No broadcast of that id.
    UnknownBroadcast,
    /// No association of that id or token: never existed, expired or deleted look alike (L5-15).
    UnknownAssociation,
    /// No group of that id.
    UnknownGroup,
    /// Nothing is held against a provider of that number.
    NothingHeld,
    /// None of the named cards is known (any more).
    UnknownCard,
    /// An update that would lower the privacy of what is out (L5-10).
    LowersPrivacy,
    /// Not possible as things stand: the detail says what to do first.
    WrongState,
    /// A limit of DESIGN section 6 is used up; `retry_after_seconds` says until when.
    Quota,
    /// An import that is no export of ours.
    InvalidImport,
    /// No public places are installed, so no decoys can be made.
    NoPlaces,
    /// No public places are installed near this position. Trying again changes nothing.
    OutsideArea,
    /// The words hold something that points at one person and is not confirmed. Nothing was charged.
    IdentifyingWords,
    /// The vault could not be written: nothing of the request took effect on disk.
    VaultUnwritable,
    /// A socket's request was not answered in the time it allowed; it may have taken effect all the same.
    TimedOut,
    /// The agent is stopping.
    Stopping,
    /// A fault of ours.
    Internal,
}

impl ProblemKind {
    /// Every kind.
    pub const ALL: [Self; 51] = [
        Self::MalformedBody,
        Self::MalformedFrame,
        Self::MalformedQuery,
        Self::UnsupportedMediaType,
        Self::BodyTooLarge,
        Self::InvalidPosition,
        Self::ExactPosition,
        Self::InvalidContext,
        Self::InvalidNoise,
        Self::InvalidEnrichment,
        Self::InvalidFloor,
        Self::InvalidThreshold,
        Self::InvalidTtl,
        Self::InvalidRadius,
        Self::InvalidWindow,
        Self::InvalidLimit,
        Self::InvalidTimeout,
        Self::InvalidCursor,
        Self::InvalidKey,
        Self::KeyReused,
        Self::InvalidToken,
        Self::InvalidCode,
        Self::InvalidContact,
        Self::InvalidName,
        Self::InvalidAnnouncement,
        Self::InvalidInvitation,
        Self::InvalidMode,
        Self::InvalidId,
        Self::InvalidTile,
        Self::SessionCode,
        Self::Unauthorized,
        Self::ForeignCaller,
        Self::UnknownRoute,
        Self::MethodNotAllowed,
        Self::UpgradeRequired,
        Self::UnknownBroadcast,
        Self::UnknownAssociation,
        Self::UnknownGroup,
        Self::NothingHeld,
        Self::UnknownCard,
        Self::LowersPrivacy,
        Self::WrongState,
        Self::Quota,
        Self::InvalidImport,
        Self::NoPlaces,
        Self::OutsideArea,
        Self::IdentifyingWords,
        Self::VaultUnwritable,
        Self::TimedOut,
        Self::Stopping,
        Self::Internal,
    ];

    /// The word that names this kind in `type`; never changes.
    pub const fn slug(self) -> &'static str {
        self.row().0
    }

    /// HTTP status code.
    pub const fn status(self) -> u16 {
        self.row().1
    }

    /// One line for a person.
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    #[rustfmt::skip] // a table reads best as a table
    const fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::MalformedBody => ("malformed-body", 400, "the body is not what this route takes"),
            Self::MalformedFrame => ("malformed-frame", 400, "the frame is not what the socket takes"),
            Self::MalformedQuery => ("malformed-query", 400, "the query string is not what this route takes"),
            Self::UnsupportedMediaType => ("unsupported-media-type", 415, "send the body as application/json"),
            Self::BodyTooLarge => ("body-too-large", 413, "the body is larger than any valid one"),
            Self::InvalidPosition => ("invalid-position", 422, "that is no position"),
            Self::ExactPosition => ("exact-position", 422, "a URL takes only coordinates with at most two decimals"),
            Self::InvalidContext => ("invalid-context", 422, "the context must have 1 to 500 characters"),
            Self::InvalidNoise => ("invalid-noise", 422, "the noise ratio must lie between 0.30 and 0.80"),
            Self::InvalidEnrichment => ("invalid-enrichment", 422, "the enrichment must lie between 0.0 and 1.0"),
            Self::InvalidFloor => ("invalid-floor", 422, "the anonymity floor must lie between 1 and 10"),
            Self::InvalidThreshold => ("invalid-threshold", 422, "the threshold of a match must lie between 0.0 and 1.0"),
            Self::InvalidTtl => ("invalid-ttl", 422, "the time to live must lie between 24 and 168 hours"),
            Self::InvalidRadius => ("invalid-radius", 422, "the radius must lie between 100 and 5000 metres"),
            Self::InvalidWindow => ("invalid-window", 422, "the window must lie between 300 and 86400 seconds"),
            Self::InvalidLimit => ("invalid-limit", 422, "the result cap must lie between 1 and 200"),
            Self::InvalidTimeout => ("invalid-timeout", 422, "a timeout must lie between 100 and 60000 milliseconds"),
            Self::InvalidCursor => ("invalid-cursor", 422, "that is no cursor of this list"),
            Self::InvalidKey => ("invalid-key", 422, "an idempotency key has 1 to 64 letters, digits, - and _"),
            Self::KeyReused => ("key-reused", 409, "this idempotency key belongs to another request"),
            Self::InvalidToken => ("invalid-token", 422, "a token has exactly 32 letters and digits"),
            Self::InvalidCode => ("invalid-code", 422, "a code has 16 digits, of which two check the others"),
            Self::InvalidContact => ("invalid-contact", 422, "a contact must have 1 to 300 bytes"),
            Self::InvalidName => ("invalid-name", 422, "a group's name must have 1 to 64 bytes"),
            Self::InvalidAnnouncement => ("invalid-announcement", 422, "an announcement must have 1 to 496 bytes"),
            Self::InvalidInvitation => ("invalid-invitation", 422, "that is no invitation to a group of this federation"),
            Self::InvalidMode => ("invalid-mode", 422, "the modes are emergency, balanced and maximum"),
            Self::InvalidId => ("invalid-id", 422, "that is no id of this agent"),
            Self::InvalidTile => ("invalid-tile", 422, "a tile has z from 0 to 16, and x and y below 2^z"),
            Self::SessionCode => ("session-code", 403, "this code was used or is too old; `mosaic open` makes another"),
            Self::Unauthorized => ("unauthorized", 401, "the bearer token is missing or wrong"),
            Self::ForeignCaller => ("foreign-caller", 403, "only programs of this machine may call"),
            Self::UnknownRoute => ("unknown-route", 404, "there is no such route"),
            Self::MethodNotAllowed => ("method-not-allowed", 405, "this route does not take that method"),
            Self::UpgradeRequired => ("upgrade-required", 426, "this route takes only WebSockets"),
            Self::UnknownBroadcast => ("unknown-broadcast", 404, "there is no such broadcast"),
            Self::UnknownAssociation => ("unknown-association", 404, "there is no such association"),
            Self::UnknownGroup => ("unknown-group", 404, "there is no such group"),
            Self::NothingHeld => ("nothing-held", 404, "nothing is held against that provider"),
            Self::UnknownCard => ("unknown-card", 404, "none of these cards is known"),
            Self::LowersPrivacy => ("lowers-privacy", 409, "an update can only make a broadcast stricter"),
            Self::WrongState => ("wrong-state", 409, "this is not possible as things stand"),
            Self::Quota => ("quota", 429, "a limit is used up for now"),
            Self::InvalidImport => ("invalid-import", 422, "that is no export of this program"),
            Self::NoPlaces => ("no-places", 409, "no public places are installed here"),
            Self::OutsideArea => ("outside-area", 409, "this place is outside the area that is installed here"),
            Self::IdentifyingWords => ("identifying-words", 409, "the words hold something that points at one person"),
            Self::VaultUnwritable => ("vault-unwritable", 507, "the vault could not be written"),
            Self::TimedOut => ("timed-out", 504, "the answer did not come in the time allowed"),
            Self::Stopping => ("stopping", 503, "the agent is stopping"),
            Self::Internal => ("internal", 500, "a fault of the agent"),
        }
    }
}

/// A refusal as `application/problem+json` (RFC 9457). Never repeats what was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `urn:mosaic:problem:` and a word that never changes.
    #[serde(rename = "type")]
    #[schema(example = "urn:mosaic:problem:invalid-noise")]
    pub kind: String,
    /// One line for a person.
    pub title: String,
    /// HTTP status code.
    pub status: u16,
    /// What exactly was wrong and what would be right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Seconds after which trying again makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
}

impl Problem {
    /// What every `type` starts with.
    pub const PREFIX: &'static str = "urn:mosaic:problem:";

    /// The media type of a problem (RFC 9457 section 3).
    pub const MEDIA_TYPE: &'static str = "application/problem+json";

    /// A problem without detail.
    pub fn new(kind: ProblemKind) -> Self {
        Self {
            kind: format!("{}{}", Self::PREFIX, kind.slug()),
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: None,
            retry_after_seconds: None,
        }
    }

    /// Adds what exactly was wrong; `detail` must not repeat what was sent.
    #[must_use]
    pub fn with_detail(mut self, detail: impl ToString) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    /// Adds when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// The word behind the prefix of `type`; the whole `type` when it has another prefix.
    pub fn slug(&self) -> &str {
        self.kind.strip_prefix(Self::PREFIX).unwrap_or(&self.kind)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.detail {
            Some(detail) => write!(f, "{}: {detail}", self.title),
            None => f.write_str(&self.title),
        }
    }
}

impl std::error::Error for Problem {}

impl From<ProblemKind> for Problem {
    fn from(kind: ProblemKind) -> Self {
        Self::new(kind)
    }
}

/// Reads a JSON body. The refusal names line and column, never the content: serde's own messages
/// would repeat words of the body.
///
/// # Errors
/// A [`ProblemKind::MalformedBody`] problem.
pub fn parse_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = T::deserialize(Strict(&mut json)).and_then(|read| json.end().map(|()| read));
    read.map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Data => "a field is missing, unknown or of the wrong type",
            serde_json::error::Category::Eof => "the JSON ends too early",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "this is not JSON",
        };
        let place = format!("line {}, column {}", error.line(), error.column());
        Problem::new(ProblemKind::MalformedBody).with_detail(format!("{what} (near {place})"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn slugs_are_unique_and_statuses_are_errors() {
        let slugs: HashSet<_> = ProblemKind::ALL.iter().map(|kind| kind.slug()).collect();
        assert_eq!(slugs.len(), ProblemKind::ALL.len());
        assert!(ProblemKind::ALL.iter().all(|kind| (400..600).contains(&kind.status())));
    }

    #[test]
    fn a_refused_body_is_never_repeated() {
        let problem = parse_body::<Vec<u8>>(br#"["meet at the old mill"]"#).unwrap_err();
        assert_eq!((problem.slug(), problem.status), ("malformed-body", 400));
        assert!(!serde_json::to_string(&problem).unwrap().contains("mill"));
    }
}
