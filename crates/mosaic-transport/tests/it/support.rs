use std::{net::SocketAddr, time::Duration};

use axum::Router;
use mosaic_transport::{Identity, Limits, Patience, bind_loopback, serve_tls};
use tokio::sync::oneshot;

/// A TLS server on a port of the system's choice that stops when dropped.
pub(crate) struct Served {
    pub(crate) url: String,
    pub(crate) address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

pub(crate) fn serve(identity: Identity, router: Router) -> Served {
    serve_within(Limits::default(), identity, router)
}

pub(crate) fn serve_within(limits: Limits, identity: Identity, router: Router) -> Served {
    let listener = bind_loopback(0).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let stopped = async move {
            let _gone = stopped.await;
        };
        serve_tls(listener, &identity, router, limits, stopped).await.unwrap();
    });
    Served { url: format!("https://{address}"), address, _stop: stop }
}

pub(crate) fn patience() -> Patience {
    Patience { connect: Duration::from_secs(20), request: Duration::from_secs(20) }
}
