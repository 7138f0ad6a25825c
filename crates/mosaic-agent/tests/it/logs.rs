use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use axum::Router;
use mosaic_federation::Independence;
use mosaic_transport::{Identity, bind_loopback, serve_tls};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tracing_subscriber::{fmt::MakeWriter, util::SubscriberInitExt as _};

use crate::support::{Running, config, dir, operators};

#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<u8>>>);

impl Capture {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl io::Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Capture {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

const WORDS: &str = "quietly swapping cuttings of houseplants";
const CONTACT: &str = "houseplants@quiet.example";
const LAT: f64 = -45.003_917_4;
const LON: f64 = 0.005_238_6;

/// CL-10 with everything that a whole agent links: hyper, reqwest and rustls log too (axum as it is built here
/// does not), and none of them writes a word, a place, a contact or a token. A real TLS listener stands for
/// the first provider, so that the calls of the agent are in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_agent_logs_no_secret_at_trace_level() {
    let log = Capture::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    // for every thread of this process, and for the libraries that use `log`
    subscriber.try_init().unwrap();

    let (provider, mut called, stop) = provider();
    let dir = dir();
    let mut config = config(dir.path());
    config.federation = operators(Independence::Practice, Some(provider)).0;
    let agent = Running::start_with(config).unwrap();
    called.recv().await.unwrap();
    let token = say_everything(&agent).await;
    let api_token = agent.token.clone();
    agent.stop().await;
    stop.send(()).unwrap();

    let text = log.text();
    for expected in ["a call failed", "hyper_util::client", "rustls::client"] {
        assert!(text.contains(expected), "no line with {expected}: what is it that was searched?");
    }
    let places = [LAT, LON].map(|degrees| format!("{:.4}", degrees.abs()));
    let secrets =
        [&api_token, &token, &places[0], &places[1], "houseplants", "cuttings", "correct horse", "houseplant"];
    for (number, secret) in secrets.into_iter().enumerate() {
        let line = text.lines().find(|line| line.to_lowercase().contains(&secret.to_lowercase()));
        assert_eq!(line, None, "secret {number}");
    }
}

/// Everything that carries a secret, well-formed and not; returns the association's token.
async fn say_everything(agent: &Running) -> String {
    let place = json!({"lat": LAT, "lon": LON});
    let said = agent.send("POST", "/v1/broadcast", Some(json!({"location": place, "context": WORDS}))).await;
    assert_eq!(said.status, 201);
    let near = agent.send("POST", "/v1/proximity", Some(json!({"location": place, "context": WORDS}))).await;
    assert_eq!(near.status, 200);
    let by_url = format!("/v1/proximity?lat={LAT}&lon={LON}");
    assert_eq!(agent.send("GET", &by_url, None).await.slug(), "exact-position");
    assert_eq!(agent.send("GET", &format!("{by_url}&context=houseplants"), None).await.slug(), "malformed-query");
    let wrong = json!({"location": {"lat": LAT.to_string(), "lon": LON}, "context": WORDS, "houseplants": WORDS});
    assert_eq!(agent.send("POST", "/v1/broadcast", Some(wrong)).await.slug(), "malformed-body");
    let made = agent.send("POST", "/v1/associate", Some(json!({"contact": CONTACT}))).await;
    let token = made.body["token"].as_str().unwrap().to_owned();
    assert_eq!(agent.send("GET", &format!("/v1/association/{token}"), None).await.status, 200);
    assert_eq!(agent.send("POST", "/v1/association", Some(json!({"token": token}))).await.status, 200);
    assert_eq!(agent.send("GET", &format!("/v1/nothing/{token}"), None).await.slug(), "unknown-route");
    token
}

/// A provider that knows nothing, on a real socket behind real TLS. Says when it was called.
fn provider() -> ((std::net::SocketAddr, mosaic_transport::Pin), mpsc::UnboundedReceiver<()>, oneshot::Sender<()>) {
    mosaic_transport::install_crypto();
    let identity = Identity::generate().unwrap();
    let listener = bind_loopback(0).unwrap();
    let place = (listener.local_addr().unwrap(), identity.pin());
    let ((stop, stopped), (call, called)) = (oneshot::channel(), mpsc::unbounded_channel());
    let router = Router::new().fallback(move || {
        let _test_is_over = call.send(());
        async { axum::http::StatusCode::NOT_FOUND }
    });
    tokio::spawn(async move {
        let stopped = async { stopped.await.unwrap_or_default() };
        serve_tls(listener, &identity, router, mosaic_transport::Limits::default(), stopped).await.unwrap();
    });
    (place, called, stop)
}
