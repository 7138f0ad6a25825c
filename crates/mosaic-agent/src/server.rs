//! The local API over HTTP: one route for each [`Operation`], problem details for everything else.

mod answer;
mod app;
mod browser;
mod guard;
mod map;
mod repeat;
mod socket;

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::{RawPathParams, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{MethodFilter, on},
};
use mosaic_api::{AppFile, Method, Operation, Problem, ProblemKind, TileBody};
use mosaic_geo::PlaceIndex;
use mosaic_types::Clock;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use self::{app::App, guard::Guard};
use crate::{driver::Engine, repeats::Repeats};

/// What every handler needs.
#[derive(Clone)]
struct Shared {
    engine: Engine,
    guard: Arc<Guard>,
    clock: Arc<dyn Clock>,
    wall: Arc<dyn Clock>,
    places: Arc<PlaceIndex>,
    app: Arc<App>,
    seats: Arc<Semaphore>,
    repeats: Arc<Mutex<Repeats>>,
}

/// What the local API is served from.
pub(crate) struct Served {
    /// The time of the agent.
    pub(crate) clock: Arc<dyn Clock>,
    /// The time of people and their browsers.
    pub(crate) wall: Arc<dyn Clock>,
    /// Public places, for the map.
    pub(crate) places: Arc<PlaceIndex>,
    /// Files of the web app.
    pub(crate) app: &'static [AppFile],
    /// What a program shows.
    pub(crate) token: Zeroizing<String>,
}

/// The router of the local API on `port`, and of the web app beside it.
pub(crate) fn router(engine: Engine, served: Served, port: u16) -> Router {
    let Served { clock, wall, places, app, token } = served;
    let shared = Shared {
        engine,
        guard: Arc::new(Guard::new(token, port)),
        clock,
        wall,
        places,
        app: Arc::new(App::new(app)),
        seats: Arc::new(Semaphore::new(socket::SEATS)),
        repeats: Arc::default(),
    };
    let mut router = Router::new();
    for operation in Operation::ALL {
        let (method, path) = operation.route();
        let handler = move |State(shared): State<Shared>, params: RawPathParams, request: Request| async move {
            let parameter = params.iter().next().map(|(_, value)| value.to_owned()).unwrap_or_default();
            let answered = match operation {
                Operation::Socket => socket::open(shared, request).await,
                Operation::SessionCode | Operation::OpenSession | Operation::ShowSession | Operation::CloseSession => {
                    browser::answer(&shared, operation, request).await
                }
                Operation::MapTile => tile(&shared, request).await,
                _ => repeat::answer(shared, operation, parameter, request).await,
            };
            answered.unwrap_or_else(|problem| refuse(&problem))
        };
        router = router.route(path, on(filter(method), handler));
    }
    router
        .fallback(|State(shared): State<Shared>, request: Request| async move {
            shared.app.serve(&request).unwrap_or_else(|problem| refuse(&problem))
        })
        .method_not_allowed_fallback(|| async { refuse(&ProblemKind::MethodNotAllowed.into()) })
        .layer(from_fn_with_state(shared.clone(), guard::admit))
        .with_state(shared)
}

async fn tile(shared: &Shared, request: Request) -> Result<Response, Problem> {
    let asked: TileBody = answer::body(request, answer::largest_body(Operation::MapTile)).await?;
    map::tile(shared, asked).await
}

const fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    }
}

/// A problem as a response (RFC 9457).
fn refuse(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(problem).unwrap_or_default();
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(Problem::MEDIA_TYPE));
    if let Some(seconds) = problem.retry_after_seconds {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
