use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, extract::Request};
use axum_server::accept::Accept;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep},
};

/// What strangers may take of a server: without limits, silence alone would use up sockets and memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at one time; what comes beyond is closed at once.
    pub connections: usize,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// From the end of the handshake, or of the request before, to the end of the next request's head.
    pub head: Duration,
    /// For a whole request body.
    pub body: Duration,
    /// In how long a client must take [`Self::ROUND`] bytes of a reply that waits for it.
    pub round: Duration,
}

impl Limits {
    /// Bytes of a waiting reply that a client takes in one round: the slowest links manage that.
    pub const ROUND: usize = 256 << 10;
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connections: 1_024, handshake: seconds(10), head: seconds(30), body: seconds(20), round: seconds(30) }
    }
}

/// Lets so many connections in and watches how their replies are taken.
#[derive(Clone)]
pub(super) struct Gate {
    free: Arc<Semaphore>,
    round: Duration,
}

impl Gate {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { free: Arc::new(Semaphore::new(limits.connections)), round: limits.round }
    }
}

impl<S> Accept<TcpStream, S> for Gate {
    type Stream = Watched<TcpStream>;
    type Service = S;
    type Future = std::future::Ready<io::Result<(Self::Stream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let admitted = Arc::clone(&self.free).try_acquire_owned().map(|place| {
            let watched = Watched { stream, round: self.round, taken: 0, waiting: None, _place: Some(place) };
            (watched, service)
        });
        std::future::ready(admitted.map_err(|_| io::ErrorKind::ConnectionRefused.into()))
    }
}

/// A connection that ends when its client leaves a reply lying.
pub(super) struct Watched<I> {
    stream: I,
    round: Duration,
    /// Bytes taken since the round began.
    taken: usize,
    /// The round's end, while a reply waits.
    waiting: Option<Pin<Box<Sleep>>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl<I> Watched<I> {
    /// Judges one attempt to write.
    fn watch(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(count)) => {
                self.taken += count;
                if self.taken >= Limits::ROUND {
                    (self.taken, self.waiting) = (0, None);
                }
                written
            }
            Poll::Ready(Err(_)) => written,
            Poll::Pending => {
                let round = self.round;
                let end = self.waiting.get_or_insert_with(|| Box::pin(sleep(round)));
                end.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = out.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, out);
        if out.filled().len() > before {
            // the next request: what came before was taken
            (self.taken, self.waiting) = (0, None);
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Gives the body of `request` until `patience` from now to arrive.
pub(super) fn hurry(request: Request, patience: Duration) -> Request {
    request.map(|body| Body::new(Hurried { body, patience, end: None, begun: Instant::now() }))
}

/// A body that fails when it takes too long as a whole.
struct Hurried {
    body: Body,
    patience: Duration,
    begun: Instant,
    /// Set when the body first makes its reader wait: most never do.
    end: Option<Pin<Box<Sleep>>>,
}

impl HttpBody for Hurried {
    type Data = axum::body::Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let arrived = Pin::new(&mut self.body).poll_frame(context);
        if arrived.is_ready() {
            return arrived;
        }
        let end = self.begun + self.patience;
        let end = self.end.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        end.as_mut().poll(context).map(|()| Some(Err(axum::Error::new(io::Error::from(io::ErrorKind::TimedOut)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const ROUND: Duration = Duration::from_secs(30);

    fn watched(capacity: usize) -> (Watched<tokio::io::DuplexStream>, tokio::io::DuplexStream) {
        let (server, client) = duplex(capacity);
        (Watched { stream: server, round: ROUND, taken: 0, waiting: None, _place: None }, client)
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_that_nobody_takes_ends_the_connection() {
        let (mut server, _client) = watched(1_024);
        let begun = Instant::now();
        let error = server.write_all(&[7; 4_096]).await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed()), (io::ErrorKind::TimedOut, ROUND));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_that_is_taken_byte_by_byte_ends_it_too() {
        let (mut server, mut client) = watched(64);
        let dripping = tokio::spawn(async move {
            let mut byte = [0; 1];
            while client.read(&mut byte).await.is_ok_and(|count| count > 0) {
                tokio::time::advance(Duration::from_secs(1)).await;
            }
        });
        assert_eq!(server.write_all(&[7; 4_096]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(server);
        dripping.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_honest_client_gets_a_large_reply_whole() {
        let (mut server, mut client) = watched(Limits::ROUND / 2);
        let taking = tokio::spawn(async move {
            let (mut buffer, mut taken) = (vec![0; Limits::ROUND / 2], 0);
            while taken < 8 * Limits::ROUND {
                tokio::time::advance(ROUND / 4).await;
                taken += client.read(&mut buffer).await.unwrap();
            }
        });
        server.write_all(&vec![7; 8 * Limits::ROUND]).await.unwrap();
        taking.await.unwrap();
    }
}
