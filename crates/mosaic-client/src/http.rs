use std::{path::Path, time::Duration};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue},
};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use mosaic_api::{CorrelationId, IDEMPOTENCY_KEY, Operation, PageParams, Problem};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::{CallError, FindError, discovery};

/// How long connecting to this machine may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take: the disk may be slow, the network is never waited for.
const ANSWER: Duration = Duration::from_secs(60);

/// Talks to one agent. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    url: String,
    bearer: HeaderValue,
    key: Option<HeaderValue>,
}

impl Client {
    /// The agent that runs for a folder: the one with its vault.
    ///
    /// # Errors
    /// [`FindError`].
    pub fn of_agent(folder: &Path) -> Result<Self, FindError> {
        Self::at(discovery::url_of(folder)?, discovery::token_of(folder)?)
    }

    /// An agent at a known URL, such as `http://127.0.0.1:4711`.
    ///
    /// # Errors
    /// [`FindError::NoToken`].
    pub fn at(url: String, token: Zeroizing<String>) -> Result<Self, FindError> {
        let bearer = Zeroizing::new(format!("Bearer {}", token.as_str()));
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| FindError::NoToken)?;
        bearer.set_sensitive(true);
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        Ok(Self { http: legacy::Client::builder(TokioExecutor::new()).build(connector), url, bearer, key: None })
    }

    /// The same client for one request that may be sent twice: within the hour, what is asked again under `key` is answered and
    /// not done again. A key is 1 to 64 letters, digits, `-` and `_`, and belongs to one request.
    ///
    /// # Errors
    /// [`CallError::InvalidId`] for any other key.
    pub fn under_key(&self, key: &str) -> Result<Self, CallError> {
        let key = CorrelationId::new(key).and_then(|key| HeaderValue::from_str(&key.to_string()).ok());
        Ok(Self { key: Some(key.ok_or(CallError::InvalidId)?), ..self.clone() })
    }

    /// Where the agent is, such as `http://127.0.0.1:4711`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Host and port.
    pub(crate) fn host(&self) -> &str {
        self.url.strip_prefix("http://").unwrap_or(&self.url)
    }

    /// The header that lets in.
    pub(crate) const fn bearer(&self) -> &HeaderValue {
        &self.bearer
    }

    /// Calls an operation; `rest` is the parameter of its path or, where that has none, a query string. The methods named
    /// after operations know the types.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call<T: DeserializeOwned>(
        &self,
        operation: Operation,
        rest: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, CallError> {
        serde_json::from_slice(&self.exchange(operation, rest, body).await?).map_err(CallError::Answer)
    }

    /// One page of a list: what [`Operation::is_paged`] says can be had so.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn page<L: DeserializeOwned>(&self, operation: Operation, page: &PageParams) -> Result<L, CallError> {
        let limit = page.limit.map(|limit| format!("limit={limit}"));
        let cursor = page.cursor.as_ref().map(|cursor| format!("cursor={cursor}"));
        let query: Vec<_> = [limit, cursor].into_iter().flatten().collect();
        self.call(operation, &query.join("&"), None::<&()>).await
    }

    /// Calls an operation whose answer says nothing.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn act(&self, operation: Operation, id: &str, body: Option<&impl Serialize>) -> Result<(), CallError> {
        self.exchange(operation, id, body).await.map(drop)
    }

    async fn exchange(
        &self,
        operation: Operation,
        rest: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Vec<u8>, CallError> {
        let (method, path) = operation.route();
        let url = format!("{}{}", self.url, place(path, operation.parameter(), rest)?);
        let mut request = Request::builder().method(http_method(method)).uri(url);
        request = request.header(HOST, self.host()).header(AUTHORIZATION, self.bearer());
        if let Some(key) = self.key.as_ref().filter(|_| operation.takes_key()) {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        let mut bytes = Vec::new();
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json");
            bytes = serde_json::to_vec(body).map_err(CallError::Answer)?;
        }
        let request = request.body(Full::from(bytes)).map_err(lost)?;
        let (status, bytes) = timeout(ANSWER, self.fetch(request)).await.map_err(lost)??;
        if status.is_success() {
            return Ok(bytes);
        }
        let problem = serde_json::from_slice::<Problem>(&bytes);
        Err(problem.map_or(CallError::Status(status.as_u16()), CallError::Refused))
    }

    async fn fetch(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Vec<u8>), CallError> {
        let reply = self.http.request(request).await.map_err(lost)?;
        let status = reply.status();
        Ok((status, reply.into_body().collect().await.map_err(lost)?.to_bytes().to_vec()))
    }
}

fn lost(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CallError {
    CallError::Unreachable(error.into())
}

/// Ids come from the agent itself and hold nothing that means anything in a path.
fn place(path: &str, parameter: Option<&str>, rest: &str) -> Result<String, CallError> {
    let Some(name) = parameter else {
        return Ok(if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") });
    };
    let plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if rest.is_empty() || !plain {
        return Err(CallError::InvalidId);
    }
    Ok(path.replace(&format!("{{{name}}}"), rest))
}

const fn http_method(method: mosaic_api::Method) -> Method {
    match method {
        mosaic_api::Method::Get => Method::GET,
        mosaic_api::Method::Post => Method::POST,
        mosaic_api::Method::Put => Method::PUT,
        mosaic_api::Method::Patch => Method::PATCH,
        mosaic_api::Method::Delete => Method::DELETE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_leave_its_place() {
        let withdraw = |id: &str| place("/v1/broadcasts/{id}", Some("id"), id).ok();
        assert_eq!(withdraw("b1").as_deref(), Some("/v1/broadcasts/b1"));
        for bad in ["", "../people", "b1?x", "b 1", "b1#"] {
            assert_eq!(withdraw(bad), None, "{bad}");
        }
        assert_eq!(place("/v1/import", None, "validate=true").unwrap(), "/v1/import?validate=true");
    }
}
