use mosaic_api::Problem;
use thiserror::Error;

/// Why an operation was not done, as far as this side knows.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CallError {
    /// The agent refused, and says why.
    #[error(transparent)]
    Refused(Problem),
    /// The agent refused, and does not say why.
    #[error("the agent refused with HTTP status {0}")]
    Status(u16),
    /// Nobody answered. Whether it was done is not known.
    #[error("the agent does not answer; is it still running?")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer is none of this version's.
    #[error("the agent's answer makes no sense")]
    Answer(#[source] serde_json::Error),
    /// Nothing was asked: no id of an agent looks like that.
    #[error("that is no id of this agent")]
    InvalidId,
}
