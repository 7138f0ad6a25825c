use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use mosaic_api::{Operation, ProblemKind, SESSION_COOKIE};
use mosaic_types::Timestamp;
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::{Shared, app, app::App, refuse};
use crate::browsers::Browsers;

/// Who may call: a program that names this very host, comes from no foreign page, and read the token; or a browser with a cookie
/// that it got for a code, from a page of this very agent.
pub(super) struct Guard {
    token: Zeroizing<String>,
    hosts: [String; 3],
    cookie_name: String,
    browsers: Mutex<Browsers>,
    closed: watch::Sender<()>,
}

/// Who called.
#[derive(Clone)]
pub(super) enum Caller {
    /// A program that read the token.
    Program,
    /// A browser.
    Browser {
        /// What its cookie says.
        cookie: Zeroizing<Vec<u8>>,
        /// Until when it lets in.
        until: Timestamp,
    },
}

impl Guard {
    pub(super) fn new(token: Zeroizing<String>, port: u16) -> Self {
        Self {
            token,
            hosts: ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{port}")),
            cookie_name: format!("{SESSION_COOKIE}-{port}"),
            browsers: Mutex::default(),
            closed: watch::Sender::new(()),
        }
    }

    /// A name that resolves here by a stranger's doing (DNS rebinding) is not ours.
    fn knows_host(&self, request: &Request) -> bool {
        let host = named_host(request);
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

    /// Who shows the token, or a cookie that is valid at `now`.
    fn caller(&self, now: Timestamp, request: &Request) -> Option<Caller> {
        let headers = request.headers();
        // a program that shows a wrong token is not let in by anything else
        if let Some(shown) = headers.get(header::AUTHORIZATION) {
            let token = shown.as_bytes().strip_prefix(b"Bearer ")?;
            return self.is_token(token).then_some(Caller::Program);
        }
        if !is_own_page(request) {
            return None;
        }
        self.cookie(headers).into_iter().find_map(|cookie| {
            let until = self.browsers().lets_in(now, &cookie)?;
            Some(Caller::Browser { cookie, until })
        })
    }

    /// Whether this is the token of the installation; takes as long whatever it is.
    pub(super) fn is_token(&self, shown: &[u8]) -> bool {
        bool::from(shown.ct_eq(self.token.as_bytes()))
    }

    /// A digest of what somebody asked, keyed by the token so that it says nothing by itself.
    pub(super) fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        mosaic_crypto::digest(&[&[self.token.as_bytes()], parts].concat())
    }

    /// Every cookie of our name: who runs another server on this host can add one, and must not hide ours by that.
    pub(super) fn cookie(&self, headers: &HeaderMap) -> Vec<Zeroizing<Vec<u8>>> {
        let shown =
            headers.get_all(header::COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
        let named =
            shown.filter_map(|pair| pair.trim_ascii().strip_prefix(self.cookie_name.as_bytes())?.strip_prefix(b"="));
        named.map(|value| Zeroizing::new(value.to_vec())).collect()
    }

    /// What our cookie is called.
    pub(super) fn cookie_name(&self) -> &str {
        &self.cookie_name
    }

    /// Codes and sessions of browsers.
    pub(super) fn browsers(&self) -> MutexGuard<'_, Browsers> {
        // nothing that holds it can panic half way
        self.browsers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells open sockets to see whether their session still stands.
    pub(super) fn tell_closed(&self) {
        self.closed.send_replace(());
    }

    /// Changes whenever a session was closed.
    pub(super) fn closed(&self) -> watch::Receiver<()> {
        self.closed.subscribe()
    }

    /// Pages that got no cookie cannot name a token in the request for a socket: there it may come in the first frame instead.
    fn may_show_later(&self, request: &Request) -> bool {
        let silent =
            !request.headers().contains_key(header::AUTHORIZATION) && self.cookie(request.headers()).is_empty();
        silent && request.uri().path() == Operation::Socket.route().1
    }
}

impl Caller {
    /// Whether this caller may ask for that: a browser cannot let in another, or its twelve hours would have no end.
    fn may_ask(&self, path: &str) -> bool {
        matches!(self, Self::Program) || path != Operation::SessionCode.route().1
    }
}

fn named_host(request: &Request) -> Option<&str> {
    let named = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    named.or_else(|| request.uri().authority().map(|authority| authority.as_str()))
}

/// A browser says that a page of this very origin asks; one that says nothing of it is not believed, since a cookie goes along
/// with whatever page asks.
fn is_own_page(request: &Request) -> bool {
    let headers = request.headers();
    let mut sites = headers.get_all("sec-fetch-site").iter().peekable();
    let mut origins = headers.get_all(header::ORIGIN).iter().peekable();
    let host = named_host(request).unwrap_or_default();
    let same = |origin: &HeaderValue| {
        let named = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
        named.is_some_and(|named| named.eq_ignore_ascii_case(host))
    };
    let says_something = sites.peek().is_some() || origins.peek().is_some();
    says_something && sites.all(|site| site == "same-origin") && origins.all(same)
}

/// Checks host, origin and token or cookie before anything else looks at a request.
pub(super) async fn admit(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    let guard = &shared.guard;
    let response = if !guard.knows_host(&request) {
        refuse(&ProblemKind::ForeignCaller.into())
    } else if App::is_asked_for(&request) {
        if App::may_load(request.headers()) {
            next.run(request).await
        } else {
            refuse(&ProblemKind::ForeignCaller.into())
        }
    } else if !guard.knows_origin(request.headers()) {
        refuse(&ProblemKind::ForeignCaller.into())
    } else if is_open(&request) || guard.may_show_later(&request) {
        next.run(request).await
    } else if let Some(caller) =
        guard.caller(shared.wall.now(), &request).filter(|caller| caller.may_ask(request.uri().path()))
    {
        request.extensions_mut().insert(caller);
        next.run(request).await
    } else {
        refuse(&ProblemKind::Unauthorized.into())
    };
    app::guarded(response)
}

/// Whether a request needs neither token nor cookie.
fn is_open(request: &Request) -> bool {
    let (method, path) = (request.method().as_str(), request.uri().path());
    path == Operation::Describe.route().1 || (method, path) == ("POST", Operation::OpenSession.route().1)
}
