//! The connection under a [`Session`].

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::{
        FromRequestParts as _, Request,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    },
    http::{Uri, header, uri::PathAndQuery},
    response::Response,
};
use futures_util::{SinkExt as _, StreamExt as _, stream::SplitSink};
use mosaic_api::{
    AgentFrame, CorrelationId, LARGEST_FRAME, Problem, ProblemKind, ProximityRequest, SocketEnd, SocketRequest,
};
use mosaic_types::{Clock, Timestamp};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};
use zeroize::Zeroizing;

use super::{
    Shared, answer,
    guard::{Caller, Guard},
};
use crate::{
    driver::{Durability::Memory, Engine},
    session::{Act, Answer, Proof, Session},
};

/// Sockets open at a time. They are programs of one person.
pub(super) const SEATS: usize = 16;
/// The largest answer to a request: what an import may hold, an export can.
const ANSWER: usize = 8 * 1_024 * 1_024;
/// A session's clock is not looked at more often than this without an input.
pub(super) const SHORTEST_SLEEP: Duration = Duration::from_millis(5);
/// How long a program may take to accept the close frame.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Takes a request that asks for a socket.
pub(super) async fn open(shared: Shared, request: Request) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    let caller = parts.extensions.remove::<Caller>();
    let proof = if caller.is_some() { Proof::Shown } else { Proof::Awaited };
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let upgrade = upgrade.map_err(|_| ProblemKind::UpgradeRequired)?;
    let full = || Problem::new(ProblemKind::Quota).with_detail("16 sockets are open; close one first");
    let seat = shared.seats.clone().try_acquire_owned().map_err(|_| full())?;
    let session = shared.engine.ask(Memory, move |_, now, rng| Session::new(now, proof, rng)).await?;
    let upgrade = upgrade.max_message_size(LARGEST_FRAME).max_frame_size(LARGEST_FRAME);
    Ok(upgrade.on_upgrade(move |socket| Line::new(shared, session, caller, seat).serve(socket)))
}

/// One connection.
struct Line {
    engine: Engine,
    guard: Arc<Guard>,
    clock: Arc<dyn Clock>,
    wall: Arc<dyn Clock>,
    session: Session,
    /// Whose cookie let it in, if one did.
    browser: Option<Zeroizing<Vec<u8>>>,
    calls: JoinSet<(CorrelationId, Answer)>,
    _seat: OwnedSemaphorePermit,
}

impl Line {
    fn new(shared: Shared, session: Session, caller: Option<Caller>, seat: OwnedSemaphorePermit) -> Self {
        let Shared { engine, guard, clock, wall, .. } = shared;
        let browser = match caller {
            Some(Caller::Browser { cookie, .. }) => Some(cookie),
            Some(Caller::Program) | None => None,
        };
        Self { engine, guard, clock, wall, session, browser, calls: JoinSet::new(), _seat: seat }
    }

    /// Whether the browser's session, if that let it in, still stands.
    fn is_let_in(&self) -> bool {
        self.browser.as_ref().is_none_or(|cookie| self.guard.browsers().lets_in(self.wall.now(), cookie).is_some())
    }

    /// Works until the program goes away or the session ends.
    async fn serve(mut self, socket: WebSocket) {
        let (sink, mut incoming) = socket.split();
        // the writer may wait for a slow program; everything else goes on meanwhile
        let (outgoing, frames) = mpsc::channel(1);
        let writer = tokio::spawn(write(sink, frames));
        let (mut revision, mut closed) = (self.engine.revision(), self.guard.closed());
        while self.session.end().is_none() {
            let pause = self.clock.until(self.session.next_wake()).max(SHORTEST_SLEEP);
            tokio::select! {
                room = outgoing.reserve(), if self.session.has_frames() => match (room, self.session.next_frame()) {
                    (Ok(room), Some(frame)) => room.send(text(&frame)),
                    _ => break,
                },
                message = incoming.next(), if !self.session.is_full() => match message {
                    Some(Ok(Message::Text(text))) => self.take(text.as_str()).await,
                    Some(Ok(Message::Binary(_))) => self.session.take_binary(self.clock.now()),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    // gone, or broken: a frame that is too large ends here as well
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                },
                Some(Ok((id, answer))) = self.calls.join_next() => {
                    self.session.answered(self.clock.now(), &id, answer);
                }
                revised = revision.changed() => match revised {
                    Ok(()) => self.look().await,
                    Err(_) => self.session.finish(SocketEnd::Stopping),
                },
                Ok(()) = closed.changed() => if !self.is_let_in() { self.session.finish(SocketEnd::Unauthorized) },
                () = sleep(pause) => self.session.tick(self.clock.now()),
            }
        }
        close(outgoing, writer, self.session.end()).await;
    }

    async fn take(&mut self, text: &str) {
        let guard = self.guard.clone();
        let act = self.session.take(self.clock.now(), text, |token| guard.is_token(token.as_bytes()));
        match act {
            Some(Act::Search(id, kinds, search)) => {
                let begun = self.begin(&search).await;
                self.session.subscribed(id, kinds, Some(*search), begun);
                self.look().await;
            }
            Some(Act::Call(request)) => {
                let engine = self.engine.clone();
                self.calls.spawn(async move { (request.id.clone(), call(&engine, *request).await) });
            }
            Some(Act::Attend(span)) => {
                // an engine that ends says so by itself
                let _ended = self.engine.ask(Memory, move |core, now, _| core.attend_for(now, span)).await;
            }
            Some(Act::Look) => self.look().await,
            None => {}
        }
    }

    async fn begin(&self, search: &ProximityRequest) -> Result<(), Problem> {
        let search = search.clone();
        Ok(self.engine.ask(Memory, move |core, now, _| core.begin_search(now, &search)).await??)
    }

    async fn look(&mut self) {
        if self.session.wanted().is_empty() {
            return;
        }
        let wanted = self.session.wanted().clone();
        match self.engine.ask(Memory, move |core, now: Timestamp, _| core.standing(now, &wanted)).await {
            Ok(standing) => self.session.tell(standing),
            Err(_) => self.session.finish(SocketEnd::Stopping),
        }
    }
}

/// Calls an operation the way a request over HTTP does.
pub(super) async fn call(engine: &Engine, asked: SocketRequest) -> Answer {
    let query: Vec<_> =
        asked.query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let target = PathAndQuery::try_from(format!("/?{}", query.join("&"))).map_err(|_| ProblemKind::MalformedQuery)?;
    let body = asked.body.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut request = Request::new(Body::from(body));
    *request.uri_mut() = Uri::from(target);
    request.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    let response = answer::answer(engine, asked.operation, &asked.parameter, request).await?;
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), ANSWER).await.map_err(|_| ProblemKind::Internal)?;
    let body =
        if bytes.is_empty() { None } else { Some(serde_json::from_slice(&bytes).map_err(|_| ProblemKind::Internal)?) };
    Ok((status, body))
}

/// A name or value of a query, every byte that could mean something there escaped.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let letter = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(letter).collect()
}

fn text(frame: &AgentFrame) -> Message {
    Message::text(serde_json::to_string(frame).unwrap_or_default())
}

async fn write(mut sink: SplitSink<WebSocket, Message>, mut frames: mpsc::Receiver<Message>) {
    while let Some(frame) = frames.recv().await {
        if sink.send(frame).await.is_err() {
            return;
        }
    }
}

/// Says why, if the program still listens.
async fn close(outgoing: mpsc::Sender<Message>, mut writer: JoinHandle<()>, end: Option<SocketEnd>) {
    let frame = end.map(|end| CloseFrame { code: end.code(), reason: end.reason().into() });
    let last_word = async {
        // a writer that is gone has nobody to say it to
        let _unheard = outgoing.send(Message::Close(frame)).await;
        drop(outgoing);
        let _ended = (&mut writer).await;
    };
    if timeout(LAST_WORD, last_word).await.is_err() {
        writer.abort();
    }
}
