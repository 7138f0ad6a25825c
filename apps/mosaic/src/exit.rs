//! How a command ends: a documented exit code, a sentence for a person, an object for a program.

use std::{fmt::Display, process::ExitCode};

use mosaic_api::Problem;
use serde_json::{Value, json};

/// Why a command did not do what was asked. The number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Bad arguments or bad input.
    Usage = 2,
    /// The agent or a provider refused.
    Refused = 3,
    /// Nobody answered.
    Unreachable = 4,
    /// Something on this machine: vault, password, port, disk, files.
    Local = 5,
}

/// A command that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    problem: Option<Problem>,
    cause: anyhow::Error,
}

/// What commands return.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure in words.
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self { exit, problem: None, cause: anyhow::anyhow!("{message}") }
    }

    /// Bad arguments or bad input.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The whole chain of causes in one line.
    pub(crate) fn message(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        for cause in self.cause.chain().map(ToString::to_string) {
            if !parts.last().is_some_and(|last| last.contains(&cause)) {
                parts.push(cause);
            }
        }
        parts.join(": ")
    }

    /// The word of the problem type, where the agent or a provider refused.
    pub(crate) fn slug(&self) -> Option<&str> {
        self.problem.as_ref().map(Problem::slug)
    }

    /// For `--json`.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "error": { "exit": self.exit as u8, "message": self.message(), "problem": self.problem } })
    }

    /// For the shell.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let again = problem.retry_after_seconds.map(|seconds| format!(" (try again in {seconds} s)"));
        let cause = anyhow::anyhow!("{problem}{}", again.unwrap_or_default());
        // what the request itself got wrong is bad input, like a bad argument
        let exit = if matches!(problem.status, 400 | 413 | 415 | 422) { Exit::Usage } else { Exit::Refused };
        Self { exit, problem: Some(problem), cause }
    }
}

/// Turns any error into a failure with an exit code and a sentence about what was being done.
pub(crate) trait OrExit<T> {
    /// Names the exit code and what failed.
    fn or_exit(self, exit: Exit, doing: impl Display) -> Outcome<T>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit, doing: impl Display) -> Outcome<T> {
        self.map_err(|error| Failure { exit, problem: None, cause: error.into().context(doing.to_string()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mosaic_api::ProblemKind;

    #[test]
    fn bad_input_is_told_from_a_refusal() {
        assert_eq!(Failure::from(Problem::new(ProblemKind::InvalidToken)).exit, Exit::Usage);
        assert_eq!(Failure::from(Problem::new(ProblemKind::Quota)).exit, Exit::Refused);
    }

    #[test]
    fn causes_are_named_once() {
        let error = std::io::Error::other("disk full");
        let failure = Err::<(), _>(error).or_exit(Exit::Local, "cannot write the export").unwrap_err();
        assert_eq!(failure.message(), "cannot write the export: disk full");
    }
}
