mod limits;

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    time::Duration,
};

use axum::{Router, extract::Request, middleware::map_request};
use axum_server::{
    Handle, Server,
    accept::DefaultAcceptor,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use hyper_util::rt::TokioTimer;
use thiserror::Error;

use crate::{Identity, IdentityError};

pub use limits::Limits;

/// How long an open connection may finish its request once the server is told to stop.
const GRACE: Duration = Duration::from_secs(2);
/// How long a local client may take to state its request.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);

/// Why a listener could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another process listens there.
    #[error("{address} is already in use; stop the other process or choose another port")]
    InUse {
        /// The address.
        address: SocketAddr,
    },
    /// The address is not ours to listen on.
    #[error("cannot listen on {address}")]
    Refused {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Why a server ended other than by being told to.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The TLS identity is unusable.
    #[error("the TLS identity is unusable")]
    Identity(#[from] IdentityError),
    /// The listener failed.
    #[error("the listener failed")]
    Listener(#[from] io::Error),
    /// A local interface was about to listen where other machines reach it.
    #[error("{address} is not a loopback address")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
}

/// Opens a listener; port 0 lets the system choose.
///
/// # Errors
/// [`BindError`] when the port is taken or the address is not this machine's.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    let refused = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { address },
        _ => BindError::Refused { address, source },
    };
    let listener = TcpListener::bind(address).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    Ok(listener)
}

/// Opens a listener on 127.0.0.1; port 0 lets the system choose.
///
/// # Errors
/// [`BindError`] when the port is taken.
pub fn bind_loopback(port: u16) -> Result<TcpListener, BindError> {
    bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

/// Serves `router` over TLS 1.3 until `shutdown` completes; open requests then have two seconds. HTTP/1.1
/// only: the waiting times of [`Limits`] would not hold for a client that begins to speak HTTP/2.
///
/// # Errors
/// [`ServeError`] when the identity is unusable or the listener fails.
pub async fn serve_tls(
    listener: TcpListener,
    identity: &Identity,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    listener.set_nonblocking(true)?;
    let tls = RustlsAcceptor::new(RustlsConfig::from_config(identity.server_config()?));
    let acceptor = tls.handshake_timeout(limits.handshake).acceptor(limits::Gate::new(&limits));
    let mut server = axum_server::from_tcp(listener)?.acceptor(acceptor).handle(stop_on(shutdown)).http1_only();
    limit(&mut server, limits.head);
    let hurry = move |request: Request| std::future::ready(limits::hurry(request, limits.body));
    let router = router.layer(map_request(hurry));
    // a handler may ask who connected
    server.serve(router.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

/// Serves `router` in clear on a loopback address until `shutdown` completes: the agent's local API.
///
/// # Errors
/// [`ServeError::NotLoopback`] when other machines could reach the listener, or when it fails.
pub async fn serve_loopback(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback { address });
    }
    listener.set_nonblocking(true)?;
    let mut server = axum_server::from_tcp(listener)?.acceptor(DefaultAcceptor::new()).handle(stop_on(shutdown));
    limit(&mut server, HEAD_PATIENCE);
    server.serve(router.into_make_service()).await?;
    Ok(())
}

fn stop_on(shutdown: impl Future<Output = ()> + Send + 'static) -> Handle<SocketAddr> {
    let handle = Handle::new();
    let stopper = handle.clone();
    tokio::spawn(async move {
        shutdown.await;
        stopper.graceful_shutdown(Some(GRACE));
    });
    handle
}

fn limit<A>(server: &mut Server<SocketAddr, A>, head: Duration) {
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(head);
}
