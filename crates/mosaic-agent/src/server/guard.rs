use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use mosaic_api::{Operation, ProblemKind};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{Shared, refuse};

/// Who may call: a program that names this very host, comes from no foreign page, and read the token.
pub(super) struct Guard {
    token: Zeroizing<String>,
    hosts: [String; 3],
}

impl Guard {
    pub(super) fn new(token: Zeroizing<String>, port: u16) -> Self {
        Self { token, hosts: ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{port}")) }
    }

    /// A name that resolves here by a stranger's doing (DNS rebinding) is not ours.
    fn knows_host(&self, request: &Request) -> bool {
        let named = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
        let host = named.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
        host.is_some_and(|host| self.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(host)))
    }

    /// Browsers name the page a request comes from; programs send nothing.
    fn knows_origin(&self, headers: &HeaderMap) -> bool {
        let ours = |origin: &HeaderValue| {
            let host = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
            host.is_some_and(|host| self.hosts.iter().any(|ours| ours == host))
        };
        let foreign_fetch = |site: &HeaderValue| !matches!(site.as_bytes(), b"same-origin" | b"none");
        headers.get_all(header::ORIGIN).iter().all(ours) && !headers.get_all("sec-fetch-site").iter().any(foreign_fetch)
    }

    fn knows_token(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        shown.is_some_and(|token| self.is_token(token))
    }

    /// Whether this is the token of the installation; takes as long whatever it is.
    pub(super) fn is_token(&self, shown: &[u8]) -> bool {
        bool::from(shown.ct_eq(self.token.as_bytes()))
    }

    /// A digest of what somebody asked, keyed by the token so that it says nothing by itself.
    pub(super) fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        mosaic_crypto::digest(&[&[self.token.as_bytes()], parts].concat())
    }

    /// Pages cannot name a token in the request for a socket: there it may come in the first frame instead.
    fn may_show_later(request: &Request) -> bool {
        request.uri().path() == Operation::Socket.route().1 && !request.headers().contains_key(header::AUTHORIZATION)
    }
}

/// Checks host, origin and token before anything else looks at a request.
pub(super) async fn admit(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let open = request.uri().path() == Operation::Describe.route().1 || Guard::may_show_later(&request);
    let mut response = if !shared.guard.knows_host(&request) || !shared.guard.knows_origin(request.headers()) {
        refuse(&ProblemKind::ForeignCaller.into())
    } else if !open && !shared.guard.knows_token(request.headers()) {
        refuse(&ProblemKind::Unauthorized.into())
    } else {
        next.run(request).await
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
