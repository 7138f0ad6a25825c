//! The client of the agent's local API: loopback only, with the token of this installation.

use std::time::Duration;

use mosaic_api::{Operation, Problem};
use reqwest::{Client, Method, StatusCode};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    exit::{Exit, Failure, OrExit, Outcome},
    home::Home,
};

/// Talks to one agent.
#[derive(Clone)]
pub(crate) struct Local {
    http: Client,
    url: String,
    token: String,
}

impl Local {
    /// The agent of an installation.
    pub(crate) fn of(home: &Home) -> Outcome<Self> {
        let url = home.agent_url()?;
        let doing = format!("cannot read {}", home.token().display());
        let token = std::fs::read_to_string(home.token()).or_exit(Exit::Local, doing)?;
        Self::at(url, token.trim().to_owned())
    }

    /// An agent at a known address.
    pub(crate) fn at(url: String, token: String) -> Outcome<Self> {
        let http = Client::builder()
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(60))
            .build()
            .or_exit(Exit::Local, "no HTTP client can be set up")?;
        Ok(Self { http, url, token })
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
        self.exchange(operation, id, body).await.map(drop)
    }

    /// Calls an operation; `rest` is the `{id}` of the path or, where the path has none, a query string.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        operation: Operation,
        rest: &str,
        body: Option<&impl Serialize>,
    ) -> Outcome<T> {
        let bytes = self.exchange(operation, rest, body).await?;
        serde_json::from_slice(&bytes).or_exit(Exit::Refused, "the agent's answer makes no sense")
    }

    async fn exchange(&self, operation: Operation, rest: &str, body: Option<&impl Serialize>) -> Outcome<Vec<u8>> {
        let (method, path) = operation.route();
        let url = format!("{}{}", self.url, place(path, rest)?);
        let mut request = self.http.request(http_method(method), url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let away = "the agent does not answer; is it still running?";
        let reply = request.send().await.map_err(reqwest::Error::without_url).or_exit(Exit::Unreachable, away)?;
        let status = reply.status();
        let bytes = reply.bytes().await.map_err(reqwest::Error::without_url).or_exit(Exit::Unreachable, away)?;
        if status.is_success() { Ok(bytes.to_vec()) } else { Err(refusal(status, &bytes)) }
    }
}

/// Ids come from the agent itself and hold nothing that means anything in a path.
fn place(path: &str, rest: &str) -> Outcome<String> {
    if path.contains("{id}") {
        let plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if rest.is_empty() || !plain {
            return Err(Failure::usage("that is no id of this agent"));
        }
        return Ok(path.replace("{id}", rest));
    }
    Ok(if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") })
}

fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => problem.into(),
        Err(_) => Failure::new(Exit::Refused, format!("the agent refused with HTTP status {status}")),
    }
}

const fn http_method(method: mosaic_api::Method) -> Method {
    match method {
        mosaic_api::Method::Get => Method::GET,
        mosaic_api::Method::Post => Method::POST,
        mosaic_api::Method::Put => Method::PUT,
        mosaic_api::Method::Delete => Method::DELETE,
    }
}
