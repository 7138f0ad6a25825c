//! GraphQL over HTTP, and over server-sent events for whoever follows news: the operations of the API, asked for in another
//! language.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::Request,
    http::header,
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream, stream::BoxStream};
use mosaic_api::{
    AgentFrame, CorrelationId, GraphQlBody, News, Problem, ProblemKind, ProximityBody, ProximityRequest, SocketRequest,
};
use mosaic_graphql::{Call, Operations, Schema};
use mosaic_types::Clock;
use serde_json::Value;

use super::{Shared, answer, socket};
use crate::{
    driver::{Durability::Memory, Engine},
    session::{Proof, Session},
};

/// The largest document with its variables.
const DOCUMENT: usize = 64 * 1_024;
/// The longest document.
const LONGEST: usize = 16 * 1_024;

/// Answers a document. Who takes `text/event-stream` follows it (GraphQL over SSE, distinct connections).
pub(super) async fn answer(shared: &Shared, request: Request) -> Result<Response, Problem> {
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let follows = accepts.to_ascii_lowercase().contains("text/event-stream");
    let asked: GraphQlBody = answer::body(request, DOCUMENT).await?;
    if asked.query.is_empty() || asked.query.len() > LONGEST {
        return Err(Problem::new(ProblemKind::MalformedBody).with_detail("a document has 1 to 16384 bytes"));
    }
    let schema = shared.schema.as_ref().ok_or(ProblemKind::Internal)?;
    if !follows {
        return Ok(axum::Json(schema.answer(asked).await).into_response());
    }
    let full = || Problem::new(ProblemKind::Quota).with_detail("16 sockets are open; close one first");
    let seat = shared.seats.clone().try_acquire_owned().map_err(|_| full())?;
    let told = schema.follow(asked).map(move |told| {
        let _held_as_long_as_it_is_followed = &seat;
        Ok::<_, Infallible>(Event::default().event("next").data(told.to_string()))
    });
    let end = stream::once(async { Ok(Event::default().event("complete").data("")) });
    Ok(Sse::new(told.chain(end)).keep_alive(KeepAlive::default()).into_response())
}

/// The schema over an engine.
pub(super) fn schema(engine: Engine, clock: Arc<dyn Clock>) -> Option<Schema> {
    Schema::new(Arc::new(Answering { engine, clock })).ok()
}

/// What answers: the engine, by the way of a request over HTTP.
struct Answering {
    engine: Engine,
    clock: Arc<dyn Clock>,
}

impl Operations for Answering {
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Option<Value>, Problem>> {
        let engine = self.engine.clone();
        async move {
            let Call { operation, parameter, query, body } = call;
            let id = CorrelationId::new("graphql").ok_or(ProblemKind::Internal)?;
            let asked = SocketRequest { id, operation, parameter, query, body, timeout_ms: 60_000 };
            // a task of its own: who goes away finds it done, not half done
            let called = tokio::spawn(async move { socket::call(&engine, asked).await });
            called.await.map_err(|_| ProblemKind::Internal)?.map(|(_, body)| body)
        }
        .boxed()
    }

    fn news(&self, kind: News, search: Option<ProximityBody>) -> BoxStream<'static, Result<Value, Problem>> {
        let (engine, clock) = (self.engine.clone(), Arc::clone(&self.clock));
        let following = async move {
            match Following::begin(engine, clock, kind, search).await {
                Ok(following) => stream::unfold(following, Following::next).boxed(),
                Err(problem) => stream::once(async { Err(problem) }).boxed(),
            }
        };
        following.flatten_stream().boxed()
    }
}

/// News of one kind, by the same session that a socket has.
struct Following {
    engine: Engine,
    clock: Arc<dyn Clock>,
    session: Session,
    revision: tokio::sync::watch::Receiver<u64>,
}

impl Following {
    async fn begin(
        engine: Engine,
        clock: Arc<dyn Clock>,
        kind: News,
        search: Option<ProximityBody>,
    ) -> Result<Self, Problem> {
        let search: Option<ProximityRequest> = search.map(ProximityBody::check).transpose()?;
        let id = CorrelationId::new("graphql").ok_or(ProblemKind::Internal)?;
        let mut session = engine.ask(Memory, |_, now, rng| Session::new(now, Proof::Shown, rng)).await?;
        if let Some(search) = search.clone() {
            engine.ask(Memory, move |core, now, _| core.begin_search(now, &search)).await??;
        }
        session.subscribed(id, [kind].into(), search, Ok(()));
        let revision = engine.revision();
        let mut begun = Self { engine, clock, session, revision };
        begun.look().await;
        Ok(begun)
    }

    async fn look(&mut self) {
        let wanted = self.session.wanted().clone();
        if let Ok(standing) = self.engine.ask(Memory, move |core, now, _| core.standing(now, &wanted)).await {
            self.session.tell(standing);
        }
    }

    /// The next news; none once the session rotated or the agent stops.
    async fn next(mut self) -> Option<(Result<Value, Problem>, Self)> {
        loop {
            while let Some(frame) = self.session.next_frame() {
                if let Some(told) = told(&frame) {
                    return Some((Ok(told), self));
                }
            }
            if self.session.end().is_some() {
                return None;
            }
            let pause = self.clock.until(self.session.next_wake()).max(socket::SHORTEST_SLEEP);
            tokio::select! {
                revised = self.revision.changed() => match revised {
                    Ok(()) => self.look().await,
                    Err(_) => return None,
                },
                () = tokio::time::sleep(pause) => self.session.tick(self.clock.now()),
            }
        }
    }
}

/// What a frame of news tells, without what is of the socket.
fn told(frame: &AgentFrame) -> Option<Value> {
    let told = match frame {
        AgentFrame::ProximityUpdate { cards } => serde_json::to_value(cards),
        AgentFrame::AssociationRequest { request } => serde_json::to_value(request),
        AgentFrame::PrivacyAlert { alert } => serde_json::to_value(alert),
        _ => return None,
    };
    told.ok()
}
