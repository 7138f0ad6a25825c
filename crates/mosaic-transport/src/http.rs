use std::{error::Error as _, net::IpAddr, time::Duration};

use reqwest::{Client, Method, Response, redirect};
use thiserror::Error;

use crate::{Pins, tls};

/// How patient a client is, in the machine's own time.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the connection, TLS included.
    pub connect: Duration,
    /// For a whole request and its reply.
    pub request: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), request: Duration::from_secs(30) }
    }
}

/// Why a request brought no usable reply.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No connection, or it broke.
    #[error("the host cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The host answered with a certificate other than the pinned ones, or not over TLS 1.3.
    #[error("the host is not the one that is pinned")]
    WrongHost(#[source] reqwest::Error),
    /// No reply in time.
    #[error("the host did not answer in time")]
    TimedOut,
    /// The reply is larger than any honest one.
    #[error("the reply exceeds {cap} bytes")]
    TooLarge {
        /// The most bytes the request could rightly bring.
        cap: usize,
    },
}

impl FetchError {
    /// Whether the host surely never got the request.
    pub fn is_unsent(&self) -> bool {
        match self {
            Self::Unreachable(error) | Self::WrongHost(error) => error.is_connect() || error.is_builder(),
            Self::TimedOut | Self::TooLarge { .. } => false,
        }
    }
}

/// A reply as it arrived, its size already checked.
#[derive(Debug)]
pub struct HttpReply {
    /// HTTP status code.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// A keep-alive connection pool to one pinned host. No proxy, no redirects, no host names sent.
#[derive(Clone, Debug)]
pub struct PinnedHttp {
    client: Client,
    base: String,
}

/// A client could not be made: the linked cryptography lacks TLS 1.3 or the URL is no HTTPS URL.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The TLS configuration was refused.
    #[error("TLS 1.3 is not available")]
    Tls(#[from] rustls::Error),
    /// The HTTP client was refused.
    #[error("the HTTP client could not be set up")]
    Http(#[from] reqwest::Error),
    /// Neither HTTPS nor this machine, or with a name, a password or a query in it.
    #[error("the address must be https://HOST, or http:// to this machine, and nothing more")]
    Url,
}

/// Connections that an agent keeps while it asks nothing.
pub(crate) const IDLE: usize = 2;

impl PinnedHttp {
    /// A pool for `base` (`https://host:port`), accepting `pins` only.
    ///
    /// # Errors
    /// [`ClientError`] when TLS 1.3 is not available.
    pub fn new(base: &str, pins: Pins, patience: Patience) -> Result<Self, ClientError> {
        Self::new_from(base, pins, patience, None, IDLE)
    }

    /// As [`Self::new`], with connections that start at an address of this machine, at most `idle` of which are kept while
    /// nothing is asked.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn new_from(
        base: &str,
        pins: Pins,
        patience: Patience,
        from: Option<IpAddr>,
        idle: usize,
    ) -> Result<Self, ClientError> {
        let client = Client::builder()
            .local_address(from)
            .tls_backend_preconfigured(tls::client_config(pins)?)
            .https_only(true)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(patience.connect)
            .timeout(patience.request)
            // shorter than a server waits for the next request, so that none is sent into a closing connection
            .pool_idle_timeout(Duration::from_secs(20))
            .pool_max_idle_per_host(idle)
            .build()?;
        Ok(Self { client, base: base.trim_end_matches('/').to_owned() })
    }

    /// Fetches `path`, at most `cap` bytes.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn get(&self, path: &str, cap: usize) -> Result<HttpReply, FetchError> {
        self.send(Method::GET, path, Vec::new(), cap).await
    }

    /// Posts `body` to `path`, accepting at most `cap` bytes in return.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn post(&self, path: &str, body: Vec<u8>, cap: usize) -> Result<HttpReply, FetchError> {
        self.send(Method::POST, path, body, cap).await
    }

    async fn send(&self, method: Method, path: &str, body: Vec<u8>, cap: usize) -> Result<HttpReply, FetchError> {
        let request = self.client.request(method, format!("{}{path}", self.base));
        let request = request.header("content-type", "application/octet-stream").body(body);
        let reply = request.send().await.map_err(classify)?;
        Ok(HttpReply { status: reply.status().as_u16(), body: read_capped(reply, cap).await? })
    }
}

/// Reads chunk by chunk, so that an oversized reply is refused before it is buffered.
pub(crate) async fn read_capped(mut reply: Response, cap: usize) -> Result<Vec<u8>, FetchError> {
    let stated = reply.content_length().and_then(|length| usize::try_from(length).ok());
    if stated.is_some_and(|length| length > cap) {
        return Err(FetchError::TooLarge { cap });
    }
    let mut body = Vec::with_capacity(stated.unwrap_or(0));
    while let Some(chunk) = reply.chunk().await.map_err(classify)? {
        if body.len() + chunk.len() > cap {
            return Err(FetchError::TooLarge { cap });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

pub(crate) fn classify(error: reqwest::Error) -> FetchError {
    if error.is_timeout() {
        FetchError::TimedOut
    } else if refused_by_tls(&error) {
        FetchError::WrongHost(error.without_url())
    } else {
        FetchError::Unreachable(error.without_url())
    }
}

/// Whether the TLS library gave up. It hides inside `io::Error`s, whose `source` skips what they wrap.
fn refused_by_tls(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<rustls::Error>() {
            return true;
        }
        let wrapped = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = wrapped.map(|inner| inner as &(dyn std::error::Error + 'static)).or_else(|| inner.source());
    }
    false
}
