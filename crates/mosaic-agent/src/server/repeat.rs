//! Requests with an `Idempotency-Key`.

use std::sync::PoisonError;

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use mosaic_api::{CorrelationId, IDEMPOTENCY_KEY, Operation, Problem, ProblemKind};
use zeroize::Zeroizing;

use super::{Shared, answer};
use crate::repeats::{Answered, Begin};

/// Says that an answer was given before.
const REPLAYED: &str = "idempotency-replayed";

/// Answers one operation; under a key, at most once.
pub(super) async fn answer(
    shared: Shared,
    operation: Operation,
    parameter: String,
    request: Request,
) -> Result<Response, Problem> {
    let key = request.headers().get(IDEMPOTENCY_KEY).filter(|_| operation.takes_key());
    let Some(key) = key else {
        return answer::answer(&shared.engine, operation, &parameter, request).await;
    };
    let key = key.to_str().ok().and_then(CorrelationId::new).ok_or(ProblemKind::InvalidKey)?.to_string();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, answer::largest_body(operation)).await.map_err(|_| ProblemKind::BodyTooLarge)?;
    let target = parts.uri.to_string();
    let asked = shared.guard.digest(&[operation.name().as_bytes(), target.as_bytes(), &body]);
    let wrong_state = |detail: &str| Problem::new(ProblemKind::WrongState).with_detail(detail);
    match with(&shared, |repeats| repeats.begin(shared.clock.now(), &key, asked)) {
        Begin::First => {}
        Begin::Again(answered) => return Ok(again(operation, answered)),
        Begin::AtWork => return Err(wrong_state("the request with this key is being answered; ask again in a moment")),
        Begin::Another => return Err(ProblemKind::KeyReused.into()),
        Begin::Full => return Err(wrong_state("256 requests with keys are being answered")),
    }
    let request = Request::from_parts(parts, Body::from(body));
    // a task of its own: who goes away and asks again finds it done, not half done
    let work = tokio::spawn(async move { first(shared, operation, &key, &parameter, request).await });
    work.await.map_err(|_| ProblemKind::Internal)?
}

async fn first(
    shared: Shared,
    operation: Operation,
    key: &str,
    parameter: &str,
    request: Request,
) -> Result<Response, Problem> {
    let answered = answer::answer(&shared.engine, operation, parameter, request).await;
    let response = match answered {
        Ok(response) => response,
        // in memory it took effect: not to be done again
        Err(problem) if problem.slug() == ProblemKind::VaultUnwritable.slug() => super::refuse(&problem),
        Err(problem) => {
            with(&shared, |repeats| repeats.refused(key));
            return Err(problem);
        }
    };
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.map_err(|_| ProblemKind::Internal)?;
    let answered = Answered { status: parts.status.as_u16(), body: Zeroizing::new(bytes.to_vec()) };
    with(&shared, |repeats| repeats.done(key, answered));
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn again(operation: Operation, answered: Answered) -> Response {
    let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::OK);
    let media = if status.is_success() { "application/json" } else { Problem::MEDIA_TYPE };
    let mut response = (status, answered.body.to_vec()).into_response();
    let headers = response.headers_mut();
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    headers.remove(header::CONTENT_TYPE);
    if operation.success() != 204 || !status.is_success() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    }
    response
}

fn with<R>(shared: &Shared, act: impl FnOnce(&mut crate::repeats::Repeats) -> R) -> R {
    // nothing that holds it can panic half way
    act(&mut shared.repeats.lock().unwrap_or_else(PoisonError::into_inner))
}
