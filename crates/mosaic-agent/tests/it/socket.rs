//! over a real socket.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use mosaic_api::SocketEnd;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        http::{HeaderName, HeaderValue},
    },
};

use crate::{
    schema,
    support::{HandClock, Running, config, dir},
};

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Opens one with these headers; the status of the refusal otherwise.
    async fn open(agent: &Running, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        Self::open_at(agent, "/v1/socket", headers).await
    }

    async fn open_at(agent: &Running, path: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{}{path}", agent.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        match connect_async(request).await {
            Ok((stream, _)) => Ok(Self(stream)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens one with the token and takes the welcome.
    async fn welcome(agent: &Running) -> (Self, Value) {
        let mut socket = Self::open(agent, &[("authorization", &format!("Bearer {}", agent.token))]).await.unwrap();
        let welcome = socket.hear().await.unwrap();
        assert_eq!(welcome["type"], "welcome");
        (socket, welcome)
    }

    async fn say(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// The next frame, or the code of the close frame; `None` when the connection just ended.
    async fn hear(&mut self) -> Result<Value, Option<u16>> {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => {
                let frame = serde_json::from_str(text.as_str()).unwrap();
                schema::check_frame(&frame);
                Ok(frame)
            }
            Some(Ok(Message::Close(frame))) => Err(frame.map(|frame| frame.code.into())),
            Some(Ok(other)) => panic!("unexpected {other:?}"),
            Some(Err(_)) | None => Err(None),
        }
    }

    /// Asks and gives the answer, and the frames that came before it.
    async fn ask(&mut self, frame: Value) -> (Value, Vec<Value>) {
        let id = frame["id"].clone();
        self.say(frame).await;
        let mut before = Vec::new();
        loop {
            let heard = self.hear().await.unwrap();
            if heard["id"] == id {
                return (heard, before);
            }
            before.push(heard);
        }
    }

    /// The next alert of this kind.
    async fn alert(&mut self, kind: &str) -> Value {
        loop {
            let heard = self.hear().await.unwrap();
            if heard["alert"]["kind"] == kind {
                assert_eq!(heard["type"], "privacy.alert");
                return heard;
            }
        }
    }
}

fn request(id: &str, method: &str, rest: Value) -> Value {
    let mut frame = json!({"type": "request", "id": id, "method": method});
    frame.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    frame
}

/// The same operations through the same engine as over HTTP, with the same refusals.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_get_what_http_gives() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let (mut socket, _) = Socket::welcome(&agent).await;
    let body = json!({"location": {"lat": -45.0, "lon": 0.0}, "context": "coffee"});
    let (made, _) = socket.ask(request("a", "broadcast", json!({"body": body}))).await;
    assert_eq!((&made["type"], &made["status"]), (&json!("reply"), &json!(201)), "{made}");
    let listed = agent.send("GET", "/v1/broadcasts", None).await.body;
    assert_eq!(listed["broadcasts"][0]["id"], made["body"]["id"]);
    let (told, _) = socket.ask(request("b", "listBroadcasts", json!({}))).await;
    assert_eq!(told["body"], listed);

    let by_url = json!({"params": {"lat": -45.0, "lon": 0, "radius": 100}});
    let (near, _) = socket.ask(request("c", "proximityByUrl", by_url)).await;
    assert_eq!(near["body"]["searched"], json!({"radius": 100, "window": 7200}), "{near}");
    let withdrawal = json!({"params": {"id": made["body"]["id"]}});
    let (gone, _) = socket.ask(request("d", "withdraw", withdrawal.clone())).await;
    assert_eq!((&gone["status"], gone.get("body")), (&json!(204), None));
    for (frame, slug) in [
        (request("e", "withdraw", withdrawal), "unknown-broadcast"),
        (request("f", "broadcast", json!({"body": {"context": "x"}})), "malformed-body"),
        (request("g", "wave", json!({})), "malformed-body"),
        (request("h", "proximityByUrl", json!({"params": {"lat": "a&lon=0"}})), "malformed-query"),
        (request("i", "nothing", json!({})), "unknown-route"),
        (request("j", "status", json!({"timeout_ms": 5})), "invalid-timeout"),
        (request("k", "status", json!({"shape": "round"})), "malformed-frame"),
    ] {
        let (refused, _) = socket.ask(frame).await;
        assert_eq!(refused["problem"]["type"], format!("urn:mosaic:problem:{slug}"), "{refused}");
    }
    agent.stop().await;
}

/// what got worse is told while it is asked for, and not afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_come_until_they_are_unsubscribed() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let (mut socket, _) = Socket::welcome(&agent).await;
    let (done, _) = socket.ask(json!({"type": "subscribe", "id": "s", "news": ["privacy.alert"]})).await;
    assert_eq!(done, json!({"type": "reply", "id": "s", "status": 204}));
    // over HTTP: whoever changes it, every socket is told
    agent.send("PUT", "/v1/config", Some(json!({"privacy.mode": "emergency"}))).await;
    socket.alert("moment-visible").await;
    let lowered = socket.alert("noise-lowered").await;
    assert!(lowered["alert"]["text"].as_str().unwrap().contains("towards contacts"), "{lowered}");

    let (done, _) = socket.ask(json!({"type": "unsubscribe", "id": "u", "news": ["privacy.alert"]})).await;
    assert_eq!(done["status"], 204);
    agent.send("POST", "/v1/open-door", None).await;
    let (_, before) = socket.ask(request("a", "status", json!({}))).await;
    assert_eq!(before, Vec::<Value>::new());
    // asked for anew, what stands is told
    let (_, before) = socket.ask(json!({"type": "subscribe", "id": "t", "news": ["privacy.alert"]})).await;
    assert_eq!(before, Vec::<Value>::new());
    socket.alert("open-door-visible").await;
    agent.stop().await;
}

/// at the end of its session a socket is closed, and the next one has another name and no subscriptions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_is_closed_at_rotation_and_opened_anew() {
    let (dir, clock) = (dir(), HandClock::new());
    let mut config = config(dir.path());
    config.clock = clock.clone();
    let agent = Running::start_with(config).unwrap();
    let (mut socket, first) = Socket::welcome(&agent).await;
    socket.ask(json!({"type": "subscribe", "id": "s", "news": ["privacy.alert"]})).await;
    clock.advance(Duration::from_mins(30) - Duration::from_secs(1));
    socket.ask(request("a", "status", json!({}))).await;
    clock.advance(Duration::from_mins(31));
    socket.say(request("b", "status", json!({}))).await;
    let code = loop {
        // an alert may have been on its way
        if let Err(code) = socket.hear().await {
            break code;
        }
    };
    assert_eq!(code, Some(SocketEnd::Rotated.code()));
    let (mut again, second) = Socket::welcome(&agent).await;
    assert_ne!(first["session"], second["session"]);
    agent.send("PUT", "/v1/config", Some(json!({"privacy.mode": "emergency"}))).await;
    let (_, before) = again.ask(request("c", "status", json!({}))).await;
    assert_eq!(before, Vec::<Value>::new());
    agent.stop().await;
}

/// The same guards as over HTTP; a page that cannot set a header shows the token in its first frame, never in the URL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_without_the_token_is_heard() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let bearer = format!("Bearer {}", agent.token);
    for (headers, status) in [
        (vec![("authorization", "Bearer 00")], 401),
        (vec![("authorization", bearer.as_str()), ("origin", "https://evil.example")], 403),
        (vec![("authorization", bearer.as_str()), ("sec-fetch-site", "cross-site")], 403),
        (vec![("authorization", bearer.as_str()), ("host", "evil.example")], 403),
        (vec![("origin", "https://evil.example")], 403),
    ] {
        assert_eq!(Socket::open(&agent, &headers).await.err(), Some(status), "{headers:?}");
    }
    assert_eq!(agent.send("GET", "/v1/socket", None).await.slug(), "upgrade-required");

    let own_page = format!("http://{}", agent.address);
    let mut page = Socket::open(&agent, &[("origin", &own_page)]).await.unwrap();
    page.say(json!({"type": "hello", "token": agent.token})).await;
    assert_eq!(page.hear().await.unwrap()["type"], "welcome");
    page.ask(request("a", "status", json!({}))).await;

    let in_url = format!("/v1/socket?token={}", agent.token);
    for first in [json!({"type": "hello", "token": "0".repeat(64)}), request("a", "export", json!({}))] {
        let mut stranger = Socket::open_at(&agent, &in_url, &[]).await.unwrap();
        stranger.say(first).await;
        assert_eq!(stranger.hear().await, Err(Some(SocketEnd::Unauthorized.code())));
    }
    agent.stop().await;
}

/// Nonsense is refused, what is too large ends the connection, and the agent goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_breaks_nothing() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let (mut socket, _) = Socket::welcome(&agent).await;
    for nonsense in ["", "{", "7", "[]", "{\"type\":\"subscribe\"}", "{\"type\":\"dance\",\"id\":\"1\"}", "\u{0}"] {
        socket.0.send(Message::text(nonsense)).await.unwrap();
        let refused = socket.hear().await.unwrap();
        assert_eq!(refused["problem"]["type"], "urn:mosaic:problem:malformed-frame", "{nonsense}");
    }
    socket.0.send(Message::binary(vec![0xff; 64])).await.unwrap();
    assert_eq!(socket.hear().await.unwrap()["type"], "problem");
    let huge = request("a", "broadcast", json!({"body": {"context": "x".repeat(70_000)}}));
    socket.say(huge).await;
    assert!(socket.hear().await.is_err());
    let (mut again, _) = Socket::welcome(&agent).await;
    again.ask(request("a", "status", json!({}))).await;
    agent.stop().await;
}

/// Sixteen programs at a time; a seat is free again once its socket is closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_sixteen_seats() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let bearer = format!("Bearer {}", agent.token);
    let mut seated = Vec::new();
    for _ in 0..16 {
        seated.push(Socket::welcome(&agent).await.0);
    }
    assert_eq!(Socket::open(&agent, &[("authorization", &bearer)]).await.err(), Some(429));
    let mut last = seated.pop().unwrap();
    last.0.close(None).await.unwrap();
    while last.hear().await.is_ok() {}
    // the seat is given back a moment after the close was answered
    while Socket::open(&agent, &[("authorization", &bearer)]).await.is_err() {}
    agent.stop().await;
}

/// Whoever listens is told that the agent stops, and does not hold it up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_stops_says_so() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let (mut socket, _) = Socket::welcome(&agent).await;
    agent.stop().await;
    assert_eq!(socket.hear().await, Err(Some(SocketEnd::Stopping.code())));
}
