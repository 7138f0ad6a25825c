//! What a provider of a practice federation writes down for the lab: every request it takes, as it sees it.
//!
//! A dishonest provider can do this anyway and cannot be stopped from it (the crate's documentation says so); this is
//! the view that the lab's attackers get. `docs/book/data.md` describes the lines.

use std::{
    cell::RefCell,
    fs::{File, OpenOptions},
    io::{self, Write as _},
    net::{IpAddr, SocketAddr},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::HttpBody as _,
    extract::{ConnectInfo, Request},
    http::header::CONTENT_LENGTH,
    middleware::Next,
    response::Response,
};
use mosaic_types::Clock;
use mosaic_wire::{Call, CellReply, CellRequest, EvaluateFields, Problem, Reply, event_hash};
use serde_json::{Value, json};

/// What a practice provider lets the lab write down; by default nothing.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// Where requests go, one JSON object a line, readable by the owner only.
    pub requests: Option<PathBuf>,
    /// The address of this machine from which the provider connects to the others.
    pub from: Option<IpAddr>,
}

impl Recording {
    /// Whether nothing is written down.
    pub(super) const fn is_off(&self) -> bool {
        self.requests.is_none() && self.from.is_none()
    }
}

tokio::task_local! {
    /// What the request that this task handles turned out to be, once it was opened.
    static OPENED: RefCell<[Value; 2]>;
}

/// Notes what a request was, if it is being recorded.
pub(super) fn asked(call: &Call) {
    let _not_recorded = OPENED.try_with(|opened| opened.borrow_mut()[0] = describe(call));
}

/// Notes what it brought, if it is being recorded.
pub(super) fn answered(reply: &Result<Reply, Problem>) {
    let _not_recorded = OPENED.try_with(|opened| opened.borrow_mut()[1] = describe_reply(reply));
}

/// The file that requests go to.
pub(super) struct Recorder {
    file: Mutex<File>,
    clock: Arc<dyn Clock>,
}

impl Recorder {
    pub(super) fn create(path: &Path, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        Ok(Self { file: Mutex::new(file), clock })
    }

    /// Lets a request pass and writes it down with its answer.
    pub(super) async fn watch(self: Arc<Self>, request: Request, next: Next) -> Response {
        let at = self.clock.now();
        let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let stated = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let (response, opened) = OPENED
            .scope(RefCell::default(), async {
                let response = next.run(request).await;
                (response, OPENED.with(RefCell::take))
            })
            .await;
        let [asked, told] = opened;
        let line = json!({
            "at_ms": at.as_millis(), "answered_ms": self.clock.now().as_millis(),
            "from": from.map(|from| from.ip()), "port": from.map(|from| from.port()),
            "method": method, "path": path, "status": response.status().as_u16(),
            "bytes_in": stated.unwrap_or(0), "bytes_out": response.body().size_hint().exact(),
            "request": asked, "reply": told,
        });
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.write_all(format!("{line}\n").as_bytes()).is_err() {
            tracing::error!("a request could not be written down; the recording is incomplete");
        }
        drop(file);
        response
    }
}

fn describe(call: &Call) -> Value {
    match call {
        Call::Federation => json!({ "kind": "federation" }),
        Call::Table(period) => json!({ "kind": "table", "period": period.0 }),
        Call::Time => json!({ "kind": "time" }),
        Call::Terms => json!({ "kind": "terms" }),
        Call::Tokens(query) => json!({ "kind": "tokens", "query": hex::encode(query.encode()) }),
        Call::Heads(query) => json!({ "kind": "heads", "query": hex::encode(query.encode()) }),
        Call::Generations(query) => json!({ "kind": "generations", "query": hex::encode(query.encode()) }),
        Call::Stack(query) => json!({ "kind": "stack", "query": hex::encode(query.encode()) }),
        Call::Statements => json!({ "kind": "statements" }),
        Call::Cell(CellRequest::Report { token, share }) => json!({
            "kind": "report", "share": hex::encode(share), "token": hex::encode(token.encode()),
        }),
        Call::Cell(CellRequest::Deposit { token, event }) => json!({
            "kind": "deposit", "event": hex::encode(event_hash(event)), "token": hex::encode(token.encode()),
            "bytes": hex::encode(event),
        }),
        Call::Cell(CellRequest::Evaluate { token, query }) => {
            let fields = EvaluateFields::decode(query);
            json!({
                "kind": "evaluate", "token": hex::encode(token.encode()),
                "period": fields.as_ref().ok().map(|fields| fields.period.0),
                "points": fields.map(|fields| fields.points.map(hex::encode).to_vec()).unwrap_or_default(),
            })
        }
    }
}

fn describe_reply(reply: &Result<Reply, Problem>) -> Value {
    match reply {
        Ok(Reply::Cell(CellReply::Receipt(receipt))) => {
            json!({ "kind": "receipt", "bytes": hex::encode(receipt.encode()) })
        }
        Ok(Reply::Cell(CellReply::Evaluation { points, proof })) => {
            json!({ "kind": "evaluation", "points": points.map(hex::encode).to_vec(), "proof": hex::encode(proof) })
        }
        Ok(Reply::Cell(CellReply::Problem(problem))) | Err(problem) => {
            json!({ "kind": "problem", "code": problem.code.number() })
        }
        // as many bytes as `bytes_out` says, and all of it public
        Ok(_) => json!({ "kind": "public" }),
    }
}
