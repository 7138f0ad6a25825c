use serde::Deserialize;
use thiserror::Error;

use super::{CorpusOrder, anthropic::Anthropic, clean::clean_lines, deepseek::DeepSeek, gemini::Gemini};

/// A remote language model behind its operator's HTTP interface.
pub trait CorpusModel {
    /// How commands and files name the service.
    fn name(&self) -> &'static str;

    /// Where the service answers, without a path.
    fn base_url(&self) -> &'static str;

    /// The environment variable that holds its key.
    fn key_variable(&self) -> &'static str;

    /// The model that is asked unless another is named.
    fn usual_model(&self) -> ModelName;

    /// The request for an order. The key is not in it: the driver adds it in [`ModelRequest::key_header`].
    fn request(&self, order: &CorpusOrder, model: &ModelName) -> ModelRequest;

    /// The clean lines of a reply, with [`clean_lines`].
    ///
    /// # Errors
    /// [`ReplyError`] for a refusal, a reply that is too large or not of the published form, or one without a clean
    /// line.
    fn lines(&self, status: u16, body: &[u8]) -> Result<Vec<String>, ReplyError>;
}

/// An HTTP POST, described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRequest {
    /// Path behind the base URL, from the slash on.
    pub path: String,
    /// Header fields beside the content type (JSON) and the key.
    pub headers: Vec<(&'static str, &'static str)>,
    /// The field that carries the key.
    pub key_header: &'static str,
    /// What stands before the key in that field.
    pub key_prefix: &'static str,
    /// The JSON body.
    pub body: String,
}

/// Why a reply gives no lines. It repeats nothing of a reply but a word of the service's own list of errors.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReplyError {
    /// The service answered with an error.
    #[error("the service refused with HTTP status {status} ({kind})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The service's word for it: letters, digits and `_`, at most 40; `unknown` without one.
        kind: String,
    },
    /// Beyond [`Service::MOST_REPLY`].
    #[error("the reply is larger than {} bytes", Service::MOST_REPLY)]
    TooLarge,
    /// Not of the form that the service publishes.
    #[error("the reply is not of the published form; was it cut off?")]
    Malformed,
    /// Every line was unfit, or there was none.
    #[error("the reply holds no line that fits")]
    Empty,
}

/// A model's name as its operator writes it: 1 to 64 letters, digits, `-`, `.` and `_`, not beginning with a dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelName(String);

impl ModelName {
    /// Checks a name; `None` if it has other characters or another length.
    pub fn new(name: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        let fits = (1..=64).contains(&name.len()) && !name.starts_with('.') && name.chars().all(plain);
        fits.then(|| Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The services this program knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The Messages API of Anthropic.
    Anthropic,
    /// The chat completions of DeepSeek.
    DeepSeek,
    /// `generateContent` of Google's Gemini API.
    Gemini,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Anthropic, Self::DeepSeek, Self::Gemini];
    /// Largest reply that is read, in bytes.
    pub const MOST_REPLY: usize = 256 * 1024;

    /// What speaks its language.
    pub fn model(self) -> &'static dyn CorpusModel {
        match self {
            Self::Anthropic => &Anthropic,
            Self::DeepSeek => &DeepSeek,
            Self::Gemini => &Gemini,
        }
    }

    /// The service that files and commands call so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.model().name() == name)
    }
}

/// Words a model wrote, and whether it was stopped before its end.
pub(super) struct Written {
    pub(super) text: String,
    pub(super) cut: bool,
}

/// The error of a service that names it by a type.
#[derive(Deserialize)]
pub(super) struct TypedRefusal {
    error: TypedError,
}

#[derive(Deserialize)]
struct TypedError {
    r#type: String,
}

impl TypedRefusal {
    pub(super) fn kind(self) -> String {
        self.error.r#type
    }
}

/// Reads a reply with what a service needs of its own: its form, and the word in its errors.
pub(super) fn read<R: serde::de::DeserializeOwned, E: serde::de::DeserializeOwned>(
    (status, body): (u16, &[u8]),
    written: impl Fn(R) -> Option<Written>,
    kind: impl Fn(E) -> String,
) -> Result<Vec<String>, ReplyError> {
    if body.len() > Service::MOST_REPLY {
        return Err(ReplyError::TooLarge);
    }
    if !(200..300).contains(&status) {
        let word = serde_json::from_slice(body).map(kind).unwrap_or_default();
        let plain = !word.is_empty() && word.len() <= 40 && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let kind = if plain { word } else { "unknown".to_owned() };
        return Err(ReplyError::Refused { status, kind });
    }
    let reply: R = serde_json::from_slice(body).map_err(|_| ReplyError::Malformed)?;
    let Written { text, cut } = written(reply).ok_or(ReplyError::Malformed)?;
    // the last line of a text that was cut is half a line
    let whole = if cut { text.rsplit_once('\n').map_or("", |(whole, _)| whole) } else { &text };
    let lines = clean_lines(whole);
    if lines.is_empty() { Err(ReplyError::Empty) } else { Ok(lines) }
}

/// A generous share of tokens for lines of 41 bytes.
pub(super) fn most_tokens(order: &CorpusOrder) -> u32 {
    200 + 30 * u32::from(order.count)
}

/// A name that the program itself gives.
pub(super) fn usual(name: &'static str) -> ModelName {
    ModelName(name.to_owned())
}
