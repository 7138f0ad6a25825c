use mosaic_api::Problem;
use mosaic_client::{CallError, FindError, SocketError};
use thiserror::Error;

/// Why something was not done.
#[derive(Debug, Error, uniffi::Error)]
#[non_exhaustive]
pub enum MosaicError {
    /// The agent refused.
    #[error("{message}")]
    Refused {
        /// The word of the problem, such as `quota`; never changes.
        problem: String,
        /// In a sentence.
        message: String,
        /// Seconds after which trying again makes sense.
        retry_after_seconds: Option<u64>,
    },
    /// No agent runs for this folder, or nothing lets in.
    #[error("{message}")]
    NotRunning {
        /// In a sentence.
        message: String,
    },
    /// Nobody answered, or the connection broke. Whether it was done is not known.
    #[error("{message}")]
    Unreachable {
        /// In a sentence.
        message: String,
    },
    /// Nothing was asked: an argument cannot be right.
    #[error("{message}")]
    Invalid {
        /// In a sentence.
        message: String,
    },
    /// The answer is none of this version's.
    #[error("the agent's answer makes no sense")]
    Answer,
}

impl From<Problem> for MosaicError {
    fn from(problem: Problem) -> Self {
        Self::Refused {
            problem: problem.slug().to_owned(),
            message: problem.to_string(),
            retry_after_seconds: problem.retry_after_seconds,
        }
    }
}

impl From<FindError> for MosaicError {
    fn from(error: FindError) -> Self {
        Self::NotRunning { message: error.to_string() }
    }
}

impl From<CallError> for MosaicError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(problem) => problem.into(),
            CallError::InvalidId => Self::Invalid { message: error.to_string() },
            CallError::Answer(_) => Self::Answer,
            _ => Self::Unreachable { message: error.to_string() },
        }
    }
}

impl From<SocketError> for MosaicError {
    fn from(error: SocketError) -> Self {
        match error {
            SocketError::Refused(problem) => problem.into(),
            SocketError::Frame => Self::Answer,
            _ => Self::Unreachable { message: error.to_string() },
        }
    }
}
