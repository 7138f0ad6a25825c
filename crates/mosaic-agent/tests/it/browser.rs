//! The web app beside the API, and how a browser gets in: what each attacker of L6-40 would try, and what it gets [CL-61].

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use futures_util::StreamExt as _;
use mosaic_agent::RunConfig;
use mosaic_api::{AppFile, SocketEnd};
use mosaic_geo::{PlaceIndex, Provenance};
use serde_json::json;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _},
};

use crate::support::{Answer, HandClock, Running, config, dir};

static APP: [AppFile; 3] = [
    AppFile { path: "/index.html", media: "text/html; charset=utf-8", plain: b"the page", gzip: Some(b"packed") },
    AppFile { path: "/assets/app-1a2b.js", media: "text/javascript; charset=utf-8", plain: b"code", gzip: None },
    AppFile { path: "/sw.js", media: "text/javascript; charset=utf-8", plain: b"worker", gzip: None },
];

struct Served {
    agent: Running,
    clock: Arc<HandClock>,
    _dir: tempfile::TempDir,
}

fn serve() -> Served {
    let (dir, clock) = (dir(), HandClock::new());
    let config = RunConfig { app: &APP, wall: clock.clone(), ..config(dir.path()) };
    Served { agent: Running::start_with(config).unwrap(), clock, _dir: dir }
}

impl Served {
    fn host(&self) -> String {
        format!("Host: {}", self.agent.address)
    }

    async fn code(&self) -> String {
        let made = self.agent.send("POST", "/v1/session/code", None).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.body["code"].as_str().unwrap().to_owned()
    }

    /// What a page of this agent says of itself, with a cookie or without.
    fn page(&self, cookie: Option<&str>) -> Vec<String> {
        let mut lines = vec![
            self.host(),
            format!("Origin: http://{}", self.agent.address),
            "Sec-Fetch-Site: same-origin".to_owned(),
        ];
        lines.extend(cookie.map(|cookie| format!("Cookie: theme=dark; {cookie}")));
        lines
    }

    async fn exchange(&self, code: &str, headers: &[String]) -> Answer {
        self.agent.raw("POST", "/v1/session", headers, Some(json!({ "code": code }).to_string())).await
    }

    /// A cookie as a browser keeps it.
    async fn enter(&self) -> String {
        let answer = self.exchange(&self.code().await, &self.page(None)).await;
        assert_eq!(answer.status, 204);
        let set = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap().to_owned();
        let (pair, attributes) = set.split_once("; ").unwrap();
        assert_eq!(attributes, "httponly; samesite=strict; path=/v1; max-age=43200");
        let name = format!("mosaic-session-{}=", self.agent.address.port());
        assert_eq!(pair.strip_prefix(&name).map(str::len), Some(64));
        pair.to_owned()
    }

    async fn status(&self, headers: &[String]) -> u16 {
        self.agent.raw("GET", "/v1/status", headers, None).await.status
    }

    /// Bytes that are no JSON, so that the description's validator does not look at them.
    fn bytes(&self, request: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(self.agent.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        (String::from_utf8(answer[..end].to_vec()).unwrap().to_lowercase(), answer[end + 4..].to_vec())
    }

    fn get(&self, path: &str, headers: &[&str]) -> (String, Vec<u8>) {
        let host = self.host();
        let lines: Vec<_> = [host.as_str()].into_iter().chain(headers.iter().copied()).collect();
        self.bytes(&format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{}\r\n\r\n", lines.join("\r\n")))
    }
}

/// L6-40: a code, a cookie, every operation, and out again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_gets_in_by_a_code_and_out_again() {
    let served = serve();
    let cookie = served.enter().await;
    let page = served.page(Some(&cookie));
    assert_eq!(served.status(&page).await, 200);
    let shown = served.agent.raw("GET", "/v1/session", &page, None).await;
    assert_eq!((shown.status, shown.body["expires_at"].as_u64()), (200, Some(1_763_683_261 + 12 * 3_600)));
    let wish = json!({"location": {"lat": -45.0, "lon": 0.0}, "context": "coffee"}).to_string();
    assert_eq!(served.agent.raw("POST", "/v1/broadcast", &page, Some(wish)).await.status, 201);
    let gone = served.agent.raw("DELETE", "/v1/session", &page, None).await;
    assert!(gone.status == 204 && gone.head.contains("max-age=0"), "{}", gone.head);
    assert_eq!(served.agent.raw("GET", "/v1/session", &page, None).await.status, 401, "the cookie is void");
    assert_eq!(served.status(&page).await, 401);
    let program = served.agent.send("GET", "/v1/session", None).await;
    assert_eq!((program.status, program.body), (200, json!({})), "a program has no session and needs none");
    served.agent.stop().await;
}

/// A code that somebody saw afterwards, guessed, or kept is worth nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_lets_one_browser_in_once_within_a_minute() {
    let served = serve();
    let code = served.code().await;
    let page = served.page(None);
    assert_eq!(served.exchange(&"0".repeat(32), &page).await.slug(), "session-code");
    assert_eq!(served.exchange(&code, &page).await.status, 204);
    assert_eq!(served.exchange(&code, &page).await.slug(), "session-code");
    let late = served.code().await;
    served.clock.advance(Duration::from_secs(60));
    assert_eq!(served.exchange(&late, &page).await.slug(), "session-code");
    served.agent.stop().await;
}

/// Of a thousand browsers that try one code at once, one gets in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raced_code_lets_one_in() {
    let served = Arc::new(serve());
    for _ in 0..20 {
        let code = served.code().await;
        let tries: Vec<_> = (0..8)
            .map(|_| {
                let (served, code) = (Arc::clone(&served), code.clone());
                tokio::spawn(async move { served.exchange(&code, &served.page(None)).await.status })
            })
            .collect();
        let mut let_in = 0;
        for tried in tries {
            let_in += usize::from(tried.await.unwrap() == 204);
        }
        assert_eq!(let_in, 1);
    }
    Arc::into_inner(served).unwrap().agent.stop().await;
}

/// Pages of other sites, of other ports of this host, of names that were bent to this host: none gets anything by a cookie that
/// the browser sends along, and none gets a cookie.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_counts_from_our_own_pages_alone() {
    let served = serve();
    let cookie = format!("Cookie: {}", served.enter().await);
    let (host, port) = (served.host(), served.agent.address.port());
    let foreign = |lines: &[&str]| {
        [&[host.as_str(), cookie.as_str()], lines].concat().iter().map(|line| (*line).to_owned()).collect::<Vec<_>>()
    };
    let (localhost, other_port) = (format!("Origin: http://localhost:{port}"), "Origin: http://127.0.0.1:1".to_owned());
    for (lines, status) in [
        (vec!["Origin: https://evil.example", "Sec-Fetch-Site: cross-site"], 403),
        (vec!["Origin: https://evil.example"], 403),
        (vec!["Sec-Fetch-Site: cross-site"], 403),
        (vec!["Sec-Fetch-Site: same-site"], 403),
        (vec![other_port.as_str(), "Sec-Fetch-Site: same-site"], 403),
        (vec![other_port.as_str()], 403),
        (vec!["Origin: null"], 403),
        // a person who types the address, a link that was followed, and whoever says nothing
        (vec!["Sec-Fetch-Site: none"], 401),
        (vec![], 401),
        // another name of this very host is another origin
        (vec![localhost.as_str()], 401),
        (vec!["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: none"], 401),
        (vec!["Sec-Fetch-Site: same-origin"], 200),
    ] {
        assert_eq!(served.status(&foreign(&lines)).await, status, "{lines:?}");
    }
    // DNS rebinding: the browser believes that evil.example lies here, and calls that its own origin
    let rebound = format!("evil.example:{port}");
    let lines = [
        format!("Host: {rebound}"),
        format!("Origin: http://{rebound}"),
        "Sec-Fetch-Site: same-origin".to_owned(),
        cookie.clone(),
    ];
    assert_eq!(served.status(&lines).await, 403);
    let code = served.code().await;
    assert_eq!(served.exchange(&code, &lines).await.slug(), "foreign-caller");
    let crossing = [host.clone(), "Origin: https://evil.example".to_owned(), "Sec-Fetch-Site: cross-site".to_owned()];
    assert_eq!(served.exchange(&code, &crossing).await.slug(), "foreign-caller", "no page signs a person in");
    assert_eq!(served.exchange(&code, &served.page(None)).await.status, 204, "and none of them spent the code");
    served.agent.stop().await;
}

/// Fixation: a value that the browser brought never becomes a session, and what another server of this host set does not hide ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_never_one_that_the_browser_brought() {
    let served = serve();
    let planted = format!("mosaic-session-{}={}", served.agent.address.port(), "ab".repeat(32));
    let answer = served.exchange(&served.code().await, &served.page(Some(&planted))).await;
    assert!(answer.status == 204 && !answer.head.contains(&planted), "{}", answer.head);
    assert_eq!(served.status(&served.page(Some(&planted))).await, 401);
    let cookie = served.enter().await;
    for both in [format!("{planted}; {cookie}"), format!("{cookie}; {planted}")] {
        assert_eq!(served.status(&served.page(Some(&both))).await, 200);
    }
    // signing in again ends what was there before
    let answer = served.exchange(&served.code().await, &served.page(Some(&cookie))).await;
    assert_eq!((answer.status, served.status(&served.page(Some(&cookie))).await), (204, 401));
    served.agent.stop().await;
}

/// A cookie never outlives its twelve hours, a browser makes no codes, and a wrong token is not made good by a cookie.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_cannot_be_prolonged() {
    let served = serve();
    let cookie = served.enter().await;
    let page = served.page(Some(&cookie));
    assert_eq!(served.agent.raw("POST", "/v1/session/code", &page, None).await.slug(), "unauthorized");
    let wrong = [page.clone(), vec![format!("Authorization: Bearer {}", "0".repeat(64))]].concat();
    assert_eq!(served.status(&wrong).await, 401);
    served.clock.advance(Duration::from_secs(12 * 3_600 - 1));
    assert_eq!(served.status(&page).await, 200);
    served.clock.advance(Duration::from_secs(1));
    assert_eq!(served.status(&page).await, 401);

    let cookie = served.enter().await;
    assert_eq!(served.agent.send("DELETE", "/v1/session", None).await.status, 204, "the token ends all of them");
    assert_eq!(served.status(&served.page(Some(&cookie))).await, 401);
    served.agent.stop().await;
}

/// A socket takes the cookie at its handshake, from our own page, and ends with the session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_lives_as_long_as_its_session() {
    let served = serve();
    let cookie = served.enter().await;
    let open = async |origin: &str, cookie: &str| {
        let mut request = format!("ws://{}/v1/socket", served.agent.address).into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        connect_async(request).await.map(|(socket, _)| socket)
    };
    let refused = |opened: Result<_, Error>| match opened {
        Err(Error::Http(response)) => response.status().as_u16(),
        Ok::<tokio_tungstenite::WebSocketStream<_>, _>(_) => 101,
        Err(error) => panic!("{error}"),
    };
    let own = format!("http://{}", served.agent.address);
    let dead = cookie.replace("=", "=00");
    assert_eq!(refused(open("https://evil.example", &cookie).await), 403);
    assert_eq!(refused(open(&own, &dead).await), 401);
    let mut socket = open(&own, &cookie).await.unwrap();
    let Some(Ok(Message::Text(welcome))) = socket.next().await else { panic!("no welcome") };
    assert!(welcome.contains("\"welcome\""), "no token was asked for: {welcome}");
    served.agent.raw("DELETE", "/v1/session", &served.page(Some(&cookie)), None).await;
    let end = loop {
        match socket.next().await {
            Some(Ok(Message::Close(frame))) => break frame.map(|frame| u16::from(frame.code)),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(end, Some(SocketEnd::Unauthorized.code()));
    served.agent.stop().await;
}

/// The app's files come without a token, with every header that keeps other sites out, and nothing else comes so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_app_is_served_and_says_what_it_may_do() {
    let served = serve();
    let policy = "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                  font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    for (path, body) in
        [("/", "the page"), ("/discover?lang=ar", "the page"), ("/sw.js", "worker"), ("/assets/app-1a2b.js", "code")]
    {
        let (head, bytes) = served.get(path, &[]);
        assert!(head.starts_with("http/1.1 200"), "{path}: {head}");
        assert_eq!(bytes, body.as_bytes(), "{path}");
        for line in [
            policy,
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-resource-policy: same-origin",
            "permissions-policy: geolocation=(), camera=()",
        ] {
            assert!(head.lines().any(|sent| sent.starts_with(line)), "{path} lacks {line}: {head}");
        }
        let kept = if path.starts_with("/assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        assert!(head.contains(&format!("cache-control: {kept}")), "{head}");
    }
    let (head, bytes) = served.get("/", &["Accept-Encoding: br, gzip"]);
    assert!(head.contains("content-encoding: gzip") && bytes == b"packed");
    assert!(!served.get("/", &["Accept-Encoding: gzip;q=0"]).0.contains("content-encoding"));
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    assert!(served.get("/", &[&format!("If-None-Match: {tag}")]).0.starts_with("http/1.1 304"));

    for path in ["/nothing", "/assets/", "/assets/../index.html", "/discover/x", "/v1", "/v1/"] {
        let (head, _) = served.get(path, &[]);
        assert!(!head.starts_with("http/1.1 200"), "{path}: {head}");
    }
    // a link from elsewhere opens the app; nothing of it can be embedded elsewhere
    let link = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"];
    assert!(served.get("/", &link).0.starts_with("http/1.1 200"));
    for embedded in
        [["Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"], ["Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script"]]
    {
        let lines = [&["Sec-Fetch-Site: cross-site"][..], &embedded[..]].concat();
        assert!(served.get("/sw.js", &lines).0.starts_with("http/1.1 403"), "{embedded:?}");
    }
    let rebound =
        format!("GET / HTTP/1.1\r\nConnection: close\r\nHost: evil.example:{}\r\n\r\n", served.agent.address.port());
    assert!(served.bytes(&rebound).0.starts_with("http/1.1 403"));
    assert!(!served.get("/v1/status", &[]).0.starts_with("http/1.1 200"));
    served.agent.stop().await;
}

/// A tile is asked for in a body and drawn from what lies here; the own broadcast is in it as the cell that was released.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tiles_are_drawn_on_the_device() {
    let served = serve();
    let tile = |z: u32, x: u32, y: u32| {
        let body = json!({"z": z, "x": x, "y": y}).to_string();
        let head = format!(
            "POST /v1/map/tile HTTP/1.1\r\nConnection: close\r\n{}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            served.host(),
            served.agent.token,
            body.len()
        );
        served.bytes(&head)
    };
    let wish = json!({"location": {"lat": -45.0, "lon": 0.0}, "context": "coffee"});
    let made = served.agent.send("POST", "/v1/broadcast", Some(wish)).await;
    assert_eq!(made.status, 201);
    let (head, world) = tile(0, 0, 0);
    assert!(
        head.contains("content-type: application/vnd.mapbox-vector-tile") && head.contains("cache-control: no-store")
    );
    let holds = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|part| part == word.as_bytes());
    assert!(["places", "cells", "own", "food"].iter().all(|word| holds(&world, word)));
    assert!(!holds(&tile(3, 0, 0).1, "own"), "not where it is not");
    assert!(tile(17, 0, 0).0.starts_with("http/1.1 422") && tile(1, 2, 0).0.starts_with("http/1.1 422"));
    served.agent.stop().await;

    let dir = dir();
    let places = Arc::new(PlaceIndex::from_places(Vec::new(), Provenance::new("none", None)));
    let agent = Running::start_with(RunConfig { places, ..config(dir.path()) }).unwrap();
    let refused = agent.send("POST", "/v1/map/tile", Some(json!({"z": 0, "x": 0, "y": 0}))).await;
    assert_eq!((refused.status, refused.slug()), (409, "no-places"));
    agent.stop().await;
}

/// What is previewed is what a broadcast says afterwards, and nothing of it stays: no broadcast, no charge, no setting, no date.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_says_what_a_broadcast_would_and_keeps_nothing() {
    let served = serve();
    let agent = &served.agent;
    // what a person's doings change; providers come and go by themselves
    let kept = async || {
        let status = agent.send("GET", "/v1/status", None).await.body;
        let counted = ["ledger", "anonymity", "answers", "broadcasts", "cards", "waves_waiting", "next_send_at"];
        (counted.map(|name| status[name].clone()), agent.send("GET", "/v1/export", None).await.body)
    };
    let before = kept().await;
    let words =
        ["coffee meetup", "looking for a chess partner, write to ana@example.org", "zzqx", "a walk with the dog"];
    let mut previews = Vec::new();
    for words in words {
        let preview = agent.send("POST", "/v1/preview", Some(json!({"context": words, "enrichment": 1.0}))).await;
        assert_eq!(preview.status, 200);
        previews.push(preview.body);
    }
    assert_eq!(kept().await, before);
    assert!(agent.send("GET", "/v1/broadcasts", None).await.body["broadcasts"].as_array().unwrap().is_empty());
    for (words, preview) in words.iter().zip(previews) {
        let mut wish = json!({"location": {"lat": -45.0, "lon": 0.0}, "context": words, "enrichment": 1.0});
        let refused = agent.send("POST", "/v1/broadcast", Some(wish.clone())).await.status == 409;
        assert_eq!(preview["to_confirm"], refused, "{words}");
        wish["confirm_identifiers"] = true.into();
        let made = agent.send("POST", "/v1/broadcast", Some(wish)).await.body;
        assert_eq!((&preview["class"], &preview["topics"]), (&made["class"], &made["topics"]), "{words}");
    }
    for (context, slug) in [("", "invalid-context"), (&"x".repeat(501), "invalid-context")] {
        assert_eq!(agent.send("POST", "/v1/preview", Some(json!({"context": context}))).await.slug(), slug);
    }
    served.agent.stop().await;
}
