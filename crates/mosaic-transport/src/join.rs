use mosaic_federation::{Federation, JoinLink, SignedDocument, UntrustedFederation};
use thiserror::Error;

use crate::{ClientError, FetchError, Patience, Pin, PinnedHttp, Pins};

/// Why a federation could not be joined.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JoinError {
    /// No client could be set up.
    #[error("the connection could not be set up")]
    Client(#[from] ClientError),
    /// The provider in the link did not answer.
    #[error("the provider in the link did not answer")]
    Fetch(#[from] FetchError),
    /// It answered with a refusal.
    #[error("the provider in the link refused with HTTP status {status}")]
    Refused {
        /// HTTP status code.
        status: u16,
    },
    /// The document is not the pinned one, or not a federation.
    #[error("the provider in the link sent no trustworthy federation")]
    Untrusted(#[from] UntrustedFederation),
}

/// Fetches the federation a link names, from the host whose certificate the link names, and takes only
/// the document whose digest the link names.
///
/// # Errors
/// [`JoinError`].
pub async fn fetch_federation(link: &JoinLink, patience: Patience) -> Result<Federation, JoinError> {
    let http = PinnedHttp::new(&link.url(), Pins::only(Pin::from_bytes(*link.tls_pin())), patience)?;
    let reply = http.get("/v1/federation", SignedDocument::MAX_BYTES).await?;
    if reply.status != 200 {
        return Err(JoinError::Refused { status: reply.status });
    }
    Ok(SignedDocument::parse(&reply.body)?.verify_pinned(link.digest())?)
}
