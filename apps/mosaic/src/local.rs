//! The agent's local API, as commands call it: the client, with its errors as failures.

use mosaic_api::{Operation, ProximityBody};
use mosaic_client::{CallError, Client, FindError, SocketError, Watch};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::{
    exit::{Exit, Failure, Outcome},
    home::Home,
};

/// Talks to one agent.
#[derive(Clone)]
pub(crate) struct Local(Client);

impl Local {
    /// The agent of an installation.
    pub(crate) fn of(home: &Home) -> Outcome<Self> {
        Client::of_agent(&home.agent()).map(Self).map_err(|error| match error {
            FindError::NotRunning { .. } => Failure::new(
                Exit::Unreachable,
                format!("no agent runs for {}; start one with `mosaic up` or `mosaic agent`", home.path().display()),
            ),
            other => local(other),
        })
    }

    /// An agent at a known address.
    pub(crate) fn at(url: String, token: String) -> Outcome<Self> {
        Client::at(url, Zeroizing::new(token)).map(Self).map_err(local)
    }

    /// Where it is: `http://` and an address of this machine.
    pub(crate) fn url(&self) -> &str {
        self.0.url()
    }

    /// Calls an operation without parameters or body.
    pub(crate) async fn get<T: DeserializeOwned>(&self, operation: Operation) -> Outcome<T> {
        self.call(operation, "", None::<&()>).await
    }

    /// Calls an operation with a body.
    pub(crate) async fn send<T: DeserializeOwned>(&self, operation: Operation, body: &impl Serialize) -> Outcome<T> {
        self.call(operation, "", Some(body)).await
    }

    /// Calls an operation on one thing, where the answer says nothing.
    pub(crate) async fn act(&self, operation: Operation, id: &str, body: Option<&impl Serialize>) -> Outcome {
        Ok(self.0.act(operation, id, body).await?)
    }

    /// Calls an operation; `rest` is the `{id}` of the path or, where the path has none, a query string.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        operation: Operation,
        rest: &str,
        body: Option<&impl Serialize>,
    ) -> Outcome<T> {
        Ok(self.0.call(operation, rest, body).await?)
    }

    /// News of cards near a place, without end.
    pub(crate) async fn watch(&self, search: ProximityBody) -> Outcome<Watch> {
        Ok(self.0.watch(&mosaic_api::News::ALL, Some(search)).await?)
    }
}

fn local(error: FindError) -> Failure {
    Failure::caused_by(Exit::Local, error)
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let exit = match error {
            CallError::Refused(problem) => return problem.into(),
            CallError::InvalidId => Exit::Usage,
            CallError::Unreachable(_) => Exit::Unreachable,
            _ => Exit::Refused,
        };
        Self::caused_by(exit, error)
    }
}

impl From<SocketError> for Failure {
    fn from(error: SocketError) -> Self {
        let exit = match error {
            SocketError::Refused(problem) => return problem.into(),
            SocketError::Ended(_) | SocketError::Broken(_) => Exit::Unreachable,
            _ => Exit::Refused,
        };
        Self::caused_by(exit, error)
    }
}
