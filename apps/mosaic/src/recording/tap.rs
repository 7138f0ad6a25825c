//! The network observer: every byte between agents and providers, and between providers, passes here.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use mosaic_types::Clock;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpSocket, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::{AbortHandle, JoinSet},
};

use super::{Lines, providers};
use crate::{
    exit::{Exit, OrExit, Outcome},
    practice::PROVIDERS,
};

/// What one read brings at most: a TLS record.
const READ: usize = 16_384;

/// A listener in front of each provider.
pub(crate) struct Tap(Vec<(SocketAddr, TcpListener)>);

/// Taps that are open; they close when this is dropped.
pub(crate) struct Tapping(AbortHandle);

impl Tap {
    pub(crate) async fn open() -> Outcome<Self> {
        let mut taps = Vec::new();
        for _ in 0..PROVIDERS {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
            let listener = listener.or_exit(Exit::Local, "no tap can be opened")?;
            taps.push((listener.local_addr().or_exit(Exit::Local, "no tap can be opened")?, listener));
        }
        Ok(Self(taps))
    }

    /// What the federation calls its providers: the taps.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.0.iter().map(|(address, _)| format!("https://{address}")).collect()
    }

    /// Lets everything pass that waits or comes, towards the providers' own addresses.
    pub(crate) fn start(self, upstream: &[SocketAddr], clock: &Arc<dyn Clock>, log: &Arc<Lines>) -> Tapping {
        let mut taps = JoinSet::new();
        let numbers = Arc::new(AtomicU64::new(0));
        for ((provider, (_, listener)), to) in providers().zip(self.0).zip(upstream.iter().copied()) {
            let (clock, log, numbers) = (Arc::clone(clock), Arc::clone(log), Arc::clone(&numbers));
            taps.spawn(async move {
                let mut lines = JoinSet::new();
                while let Ok((near, client)) = listener.accept().await {
                    let number = numbers.fetch_add(1, Ordering::Relaxed);
                    let line = Line { number, client, provider, clock: Arc::clone(&clock), log: Arc::clone(&log) };
                    lines.spawn(line.pass(near, to));
                    // those that ended
                    while lines.try_join_next().is_some() {}
                }
            });
        }
        let all = tokio::spawn(async move { while taps.join_next().await.is_some() {} });
        Tapping(all.abort_handle())
    }
}

impl Drop for Tapping {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// One connection.
#[derive(Clone)]
struct Line {
    number: u64,
    client: SocketAddr,
    provider: u8,
    clock: Arc<dyn Clock>,
    log: Arc<Lines>,
}

impl Line {
    async fn pass(self, near: TcpStream, to: SocketAddr) {
        self.note("open", None);
        match self.connect(to).await {
            Ok(far) => {
                // both ends send small requests and wait for the answer
                let _hint = (near.set_nodelay(true), far.set_nodelay(true));
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::join!(self.one_way(near_in, far_out, true), self.one_way(far_in, near_out, false));
            }
            Err(error) => tracing::debug!(%error, "the provider behind a tap cannot be reached"),
        }
        self.note("close", None);
    }

    /// The provider sees who connects, as without a tap.
    async fn connect(&self, to: SocketAddr) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(self.client.ip(), 0))?;
        socket.connect(to).await
    }

    async fn one_way(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, up: bool) {
        let mut part = vec![0; READ];
        while let Ok(bytes @ 1..) = from.read(&mut part).await {
            self.note("data", Some((up, bytes)));
            if to.write_all(part.get(..bytes).unwrap_or_default()).await.is_err() {
                break;
            }
        }
        // the other end may be gone
        let _closed = to.shutdown().await;
    }

    fn note(&self, event: &str, data: Option<(bool, usize)>) {
        let mut object = json!({
            "at_ms": self.clock.now().as_millis(), "event": event, "connection": self.number,
            "client": self.client.ip(), "port": self.client.port(), "provider": self.provider,
        });
        if let Some((up, bytes)) = data {
            object["up"] = up.into();
            object["bytes"] = bytes.into();
        }
        if let Err(failure) = self.log.put(&object) {
            tracing::error!(error = failure.message(), "the recording is incomplete");
        }
    }
}
