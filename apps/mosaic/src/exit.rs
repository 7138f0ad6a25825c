//! How a command ends: a documented exit code, a sentence for a person, an object for a program.

use std::{fmt::Display, process::ExitCode};

use mosaic_api::{Problem, ProblemKind};
use serde::Serialize;
use serde_json::{Map, Value, json};

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
    /// What was asked for is to be confirmed first; nothing was done.
    Unconfirmed = 6,
}

/// A command that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    problem: Option<Problem>,
    /// What was found out before: for programs, the reason stands in the same object.
    result: Option<Box<Map<String, Value>>>,
    cause: anyhow::Error,
}

/// What commands return.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure in words.
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self { exit, problem: None, result: None, cause: anyhow::anyhow!("{message}") }
    }

    /// A failure whose error says what was being done.
    pub(crate) fn caused_by(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, problem: None, result: None, cause: error.into() }
    }

    /// Bad arguments or bad input.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The same failure of a command that has a result to show all the same.
    pub(crate) fn with_result(self, result: &impl Serialize) -> Self {
        let result = match serde_json::to_value(result) {
            Ok(Value::Object(result)) => Some(Box::new(result)),
            _ => None,
        };
        Self { result, ..self }
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
        let error = json!({ "exit": self.exit as u8, "message": self.message(), "problem": self.problem });
        let mut object = self.result.as_deref().cloned().unwrap_or_default();
        object.insert("error".to_owned(), error);
        Value::Object(object)
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
        let exit = match problem.status {
            _ if problem.slug() == ProblemKind::IdentifyingWords.slug() => Exit::Unconfirmed,
            400 | 413 | 415 | 422 => Exit::Usage,
            _ => Exit::Refused,
        };
        Self { exit, problem: Some(problem), result: None, cause }
    }
}

/// Turns any error into a failure with an exit code and a sentence about what was being done.
pub(crate) trait OrExit<T> {
    /// Names the exit code and what failed.
    fn or_exit(self, exit: Exit, doing: impl Display) -> Outcome<T>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit, doing: impl Display) -> Outcome<T> {
        let failure = |cause: anyhow::Error| Failure {
            exit,
            problem: None,
            result: None,
            cause: cause.context(doing.to_string()),
        };
        self.map_err(|error| failure(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_input_is_told_from_a_refusal() {
        assert_eq!(Failure::from(Problem::new(ProblemKind::InvalidToken)).exit, Exit::Usage);
        assert_eq!(Failure::from(Problem::new(ProblemKind::Quota)).exit, Exit::Refused);
        assert_eq!(Failure::from(Problem::new(ProblemKind::IdentifyingWords)).exit, Exit::Unconfirmed);
    }

    #[test]
    fn a_result_and_its_failure_are_one_object() {
        let failure = Failure::usage("two lines cannot be").with_result(&json!({ "findings": [1, 2] }));
        let object = failure.to_json();
        assert_eq!((&object["findings"][1], &object["error"]["exit"]), (&json!(2), &json!(2)));
    }

    #[test]
    fn causes_are_named_once() {
        let error = std::io::Error::other("disk full");
        let failure = Err::<(), _>(error).or_exit(Exit::Local, "cannot write the export").unwrap_err();
        assert_eq!(failure.message(), "cannot write the export: disk full");
    }
}
