//! The operations that let a browser in and out.

use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use mosaic_api::{Operation, Problem, ProblemKind, SessionBody, SessionCodeReply, SessionView};

use super::{
    Shared, answer,
    guard::{Caller, Guard},
};
use crate::{browsers::SESSION_LIFE, driver::Durability::Memory};

/// Answers one of them.
pub(super) async fn answer(shared: &Shared, operation: Operation, request: Request) -> Result<Response, Problem> {
    let (now, caller) = (shared.wall.now(), request.extensions().get::<Caller>().cloned());
    match operation {
        Operation::SessionCode => {
            let code = with_rng(shared, move |guard, rng| guard.browsers().make_code(now, rng)).await?;
            let reply = SessionCodeReply { code: code.text.to_string(), expires_at: code.until.as_secs() };
            Ok((StatusCode::CREATED, axum::Json(reply)).into_response())
        }
        Operation::OpenSession => {
            // whatever session this browser had, it has another one afterwards and not two
            let old = shared.guard.cookie(request.headers());
            let asked: SessionBody = answer::body(request, answer::largest_body(operation)).await?;
            let opened = with_rng(shared, move |guard, rng| {
                let mut browsers = guard.browsers();
                let opened = browsers.exchange(now, asked.code.as_bytes(), rng)?;
                old.into_iter().for_each(|old| browsers.close(now, &old));
                Some(opened)
            });
            let opened = opened.await?.ok_or(ProblemKind::SessionCode)?;
            shared.guard.tell_closed();
            cookie(&shared.guard, &opened.text, SESSION_LIFE.as_secs())
        }
        Operation::ShowSession => {
            let expires_at = match caller.ok_or(ProblemKind::Unauthorized)? {
                Caller::Program => None,
                Caller::Browser { until, .. } => Some(until.as_secs()),
            };
            Ok(axum::Json(SessionView { expires_at }).into_response())
        }
        _ => {
            match caller.ok_or(ProblemKind::Unauthorized)? {
                Caller::Program => shared.guard.browsers().close_all(),
                Caller::Browser { cookie, .. } => shared.guard.browsers().close(now, &cookie),
            }
            shared.guard.tell_closed();
            cookie(&shared.guard, "", 0)
        }
    }
}

/// Draws from the engine's randomness: nothing else in the process has any.
async fn with_rng<R: Send + 'static>(
    shared: &Shared,
    act: impl FnOnce(&Guard, &mut rand::rngs::StdRng) -> R + Send + 'static,
) -> Result<R, Problem> {
    let guard = shared.guard.clone();
    shared.engine.ask(Memory, move |_, _, rng| act(&guard, rng)).await
}

/// No script reads it, no other site sends it, and it goes to the API alone. Not `Secure`: there is no TLS to this machine itself.
fn cookie(guard: &Guard, value: &str, seconds: u64) -> Result<Response, Problem> {
    let name = guard.cookie_name();
    let text = format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/v1; Max-Age={seconds}");
    let mut text = HeaderValue::from_str(&text).map_err(|_| ProblemKind::Internal)?;
    text.set_sensitive(true);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, text)]).into_response())
}
