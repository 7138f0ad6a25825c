use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Path, State, rejection::PathRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use mosaic_crypto::sealed;
use mosaic_federation::peer::{self, MAX_REQUEST};
use mosaic_transport::os_rng;
use mosaic_types::{Period, ProviderId};
use mosaic_wire::{
    CELL, Call, CallFailure, CellReply, CellRequest, GenerationsQuery, HeadsQuery, Problem, ProblemCode, Reply,
    StackQuery, TokensQuery,
};

use super::{engine::Handle, limits, metrics};

type Shared = State<Arc<Handle>>;

/// A refusal on its way out, as RFC 9457 problem details.
struct Refusal(Problem);

impl<P: Into<Problem>> From<P> for Refusal {
    fn from(problem: P) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(header::CONTENT_TYPE, Problem::MEDIA_TYPE)], self.0.to_json()).into_response();
        if let Some(seconds) = self.0.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// A parameter of the path; one that is no text at all is as unknown as any other.
type Parameter = Result<Path<String>, PathRejection>;

/// Every route of `docs/spec/http.md` that others may reach.
pub(super) fn router(handle: Arc<Handle>, banner: Option<&'static str>) -> Router {
    Router::new()
        .route("/v1/federation", get(federation))
        .route("/v1/tables/{period}", get(table))
        .route("/v1/time", get(time))
        .route("/v1/terms", get(terms))
        .route("/v1/tokens", post(tokens))
        .route("/v1/cell", post(cell))
        .route("/v1/relay/{provider}", post(relay))
        .route("/v1/heads", post(heads))
        .route("/v1/generations", post(generations))
        .route("/v1/stack", post(stack))
        .route("/v1/aggregates", get(aggregates))
        .route("/v1/peer", post(peer))
        .route("/health", get(move |state| health(state, banner)))
        .fallback(async || Refusal::from(ProblemCode::NotFound))
        .method_not_allowed_fallback(async || Refusal::from(ProblemCode::MethodNotAllowed))
        .with_state(handle)
}

/// What only the operator sees: counters that move with each request would tell a relay what became of
/// the ones it passes on.
pub(super) fn operator_router(handle: Arc<Handle>) -> Router {
    Router::new()
        .route("/metrics", get(count))
        .fallback(async || Refusal::from(ProblemCode::NotFound))
        .method_not_allowed_fallback(async || Refusal::from(ProblemCode::MethodNotAllowed))
        .with_state(handle)
}

async fn federation(State(handle): Shared) -> Result<Response, Refusal> {
    match handle.call(Call::Federation).await? {
        Reply::Federation(json) => Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response()),
        _ => Err(ProblemCode::Internal.into()),
    }
}

async fn table(State(handle): Shared, period: Parameter) -> Result<Vec<u8>, Refusal> {
    let period = period.ok().and_then(|Path(text)| text.parse().ok()).map(Period);
    let period = period.ok_or(Refusal::from(ProblemCode::NotFound))?;
    match handle.call(Call::Table(period)).await? {
        Reply::Table(table) => Ok(table.encode().to_vec()),
        _ => Err(ProblemCode::Internal.into()),
    }
}

async fn time(State(handle): Shared) -> Result<Vec<u8>, Refusal> {
    match handle.call(Call::Time).await? {
        Reply::Time(time) => Ok(time.encode().to_vec()),
        _ => Err(ProblemCode::Internal.into()),
    }
}

async fn terms(State(handle): Shared) -> Result<Vec<u8>, Refusal> {
    match handle.call(Call::Terms).await? {
        Reply::Terms(terms) => Ok(terms.encode().to_vec()),
        _ => Err(ProblemCode::Internal.into()),
    }
}

/// Whoever asks pays with work, so that nobody need be told apart: no limit counts addresses, and Tor is one of many.
async fn tokens(State(handle): Shared, body: Body) -> Result<Vec<u8>, Refusal> {
    let bytes = to_bytes(body, TokensQuery::MAX_BYTES).await.map_err(|_| Refusal::from(ProblemCode::WrongSize))?;
    let query = TokensQuery::decode(&bytes).map_err(|_| Refusal::from(ProblemCode::Malformed))?;
    match handle.call(Call::Tokens(query)).await? {
        Reply::Tokens(tokens) => Ok(tokens.encode()),
        _ => Err(ProblemCode::Internal.into()),
    }
}

async fn heads(State(handle): Shared, body: Body) -> Result<Vec<u8>, Refusal> {
    let bytes = exact::<{ HeadsQuery::SIZE }>(body).await?;
    let query = HeadsQuery::decode(&bytes).map_err(|_| Refusal::from(ProblemCode::Malformed))?;
    match handle.call(Call::Heads(query)).await? {
        Reply::Heads(heads) => Ok(heads.encode()),
        _ => Err(ProblemCode::Internal.into()),
    }
}

async fn generations(State(handle): Shared, body: Body) -> Result<Bytes, Refusal> {
    let bytes = exact::<{ GenerationsQuery::SIZE }>(body).await?;
    let query = GenerationsQuery::decode(&bytes).map_err(|_| Refusal::from(ProblemCode::Malformed))?;
    match handle.call(Call::Generations(query)).await? {
        Reply::Generations(blocks) => {
            let room = handle.limits.generations(blocks.encoded_len()).ok_or_else(busy)?;
            Ok(limits::held(blocks.encode(), room))
        }
        _ => Err(ProblemCode::Internal.into()),
    }
}

/// Half of each bin that is asked for, without learning which: the work of a table's length, so only so many at a time.
async fn stack(State(handle): Shared, body: Body) -> Result<Bytes, Refusal> {
    let _place = handle.limits.scan().ok_or_else(busy)?;
    let bytes = to_bytes(body, StackQuery::MOST_BYTES).await.map_err(|_| Refusal::from(ProblemCode::WrongSize))?;
    let query = StackQuery::decode(&bytes).map_err(|_| Refusal::from(ProblemCode::Malformed))?;
    match handle.call(Call::Stack(Box::new(query))).await? {
        Reply::Stack(sums) => {
            let room = handle.limits.generations(sums.encoded_len()).ok_or_else(busy)?;
            Ok(limits::held(sums.encode(), room))
        }
        _ => Err(ProblemCode::Internal.into()),
    }
}

/// What was counted, the same for everybody: whoever stands between may keep it for a while.
async fn aggregates(State(handle): Shared) -> Result<Response, Refusal> {
    const KEEP: &str = "public, max-age=600";
    match handle.call(Call::Statements).await? {
        Reply::Statements(statements) => Ok(([(header::CACHE_CONTROL, KEEP)], statements).into_response()),
        _ => Err(ProblemCode::Internal.into()),
    }
}

/// Opens a cell, handles what is inside, and seals the answer: a refusal looks like a receipt from
/// outside.
async fn cell(State(handle): Shared, body: Body) -> Result<Vec<u8>, Refusal> {
    let bytes = exact::<CELL>(body).await?;
    let (plain, key) = sealed::open_cell(&handle.cell, &bytes).map_err(|_| Refusal::from(ProblemCode::Unsealable))?;
    let reply = match CellRequest::decode(&plain) {
        Ok(request) => match handle.forwarded(&request, &bytes).await {
            Some(Ok(sealed)) => return Ok(sealed),
            Some(Err(problem)) => CellReply::Problem(problem),
            None => match handle.call(Call::Cell(request)).await {
                Ok(Reply::Cell(reply)) => reply,
                Ok(_) => CellReply::Problem(ProblemCode::Internal.into()),
                Err(problem) => CellReply::Problem(problem),
            },
        },
        Err(_) => CellReply::Problem(ProblemCode::Malformed.into()),
    };
    let mut rng = os_rng().map_err(|_| Refusal::from(ProblemCode::Internal))?;
    Ok(key.seal_reply(&reply.encode(), &mut rng).to_vec())
}

/// Forwards a cell it cannot open. Learns who asks and which provider is asked, nothing else.
async fn relay(State(handle): Shared, target: Parameter, body: Body) -> Result<Vec<u8>, Refusal> {
    let known = |id: &ProviderId| *id != handle.me && handle.federation.descriptor().provider(*id).is_some();
    let number = target.ok().and_then(|Path(text)| text.parse().ok());
    let target = number.and_then(|number| ProviderId::new(number).ok()).filter(known);
    let target = target.ok_or(Refusal::from(ProblemCode::RelayUnknown))?;
    let bytes = exact::<CELL>(body).await?;
    let _place = handle.limits.relay().ok_or_else(busy)?;
    handle.client.forward(target, bytes.to_vec()).await.map_err(|failure| match failure {
        CallFailure::Refused(problem) => problem.into(),
        _ => ProblemCode::RelayUnreachable.into(),
    })
}

/// Strangers get as far as the signature: what they send is not decoded and does not reach the engine.
async fn peer(State(handle): Shared, body: Body) -> Result<Vec<u8>, Refusal> {
    let read = handle.limits.peer_bodies.pass(to_bytes(body, MAX_REQUEST)).await.ok_or_else(busy)?;
    let bytes = read.map_err(|_| Refusal::from(ProblemCode::WrongSize))?;
    let signed = peer::check_request(&handle.federation, handle.me, &bytes).map_err(|error| match error {
        peer::EnvelopeError::Malformed => Refusal::from(ProblemCode::Malformed),
        _ => ProblemCode::PeerRefused.into(),
    })?;
    let _place = handle.limits.peer_message().await;
    handle.look_ahead(&signed).await;
    Ok(handle.peer(bytes.to_vec()).await?)
}

fn busy() -> Refusal {
    Problem::after(ProblemCode::Overloaded, 1).into()
}

async fn health(State(handle): Shared, banner: Option<&'static str>) -> Response {
    let ready = handle.count().await.is_some_and(|(_, gauges)| gauges.ready);
    let (status, word) = if ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") };
    let text = banner.map_or_else(|| format!("{word}\n"), |banner| format!("{word}\n{banner}\n"));
    (status, text).into_response()
}

async fn count(State(handle): Shared) -> Result<Response, Refusal> {
    let (counters, gauges) = handle.count().await.ok_or(ProblemCode::NotReady)?;
    let text = metrics::render(&counters, &gauges);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// A body of exactly `N` bytes; what is longer is refused before it is read.
async fn exact<const N: usize>(body: Body) -> Result<[u8; N], Refusal> {
    let bytes = to_bytes(body, N).await.map_err(|_| Refusal::from(ProblemCode::WrongSize))?;
    bytes.as_ref().try_into().map_err(|_| ProblemCode::WrongSize.into())
}
