use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use http_body_util::{BodyExt, Full};
use mosaic_crypto::{agreement::AgreementSecret, sealed};
use mosaic_federation::{JoinLink, UntrustedFederation};
use mosaic_transport::{
    Endpoint, FetchError, Identity, JoinError, Patience, PinnedHttp, Pins, ProviderClient, fetch_federation, os_rng,
};
use mosaic_types::{Period, ProviderId};
use mosaic_wire::{
    Address, CELL, Call, CallFailure, CellReply, CellRequest, EVENT, Problem, ProblemCode, Reply, WireToken,
};
use tokio::net::TcpListener;

use crate::support::{Served, patience, serve};

const EVENT_BYTE: u8 = 0x6d;

fn id(number: u8) -> ProviderId {
    ProviderId::new(number).unwrap()
}

fn deposit() -> Call {
    let token = WireToken { kind: 2, nonce: [1; 32], challenge: [2; 32], key_id: [3; 32], authenticator: [4; 256] };
    Call::Cell(CellRequest::Deposit { token, event: [EVENT_BYTE; EVENT] })
}

/// A provider that opens cells and answers each with a quota problem, so that the reply is checkable.
fn answering(number: u8) -> (Served, Endpoint) {
    let secret = Arc::new(AgreementSecret::random(&mut os_rng().unwrap()));
    let cell_key = secret.public();
    let open = async move |State(secret): State<Arc<AgreementSecret>>, body: Bytes| {
        let cell: [u8; CELL] = body.as_ref().try_into().unwrap();
        let (plain, key) = sealed::open_cell(&secret, &cell).map_err(|_| StatusCode::BAD_REQUEST)?;
        assert!(
            matches!(CellRequest::decode(&plain), Ok(CellRequest::Deposit { event, .. }) if event[9] == EVENT_BYTE)
        );
        let reply = CellReply::Problem(Problem::after(ProblemCode::Quota, 77));
        Ok::<_, StatusCode>(key.seal_reply(&reply.encode(), &mut os_rng().unwrap()).to_vec())
    };
    let router = Router::new().route("/v1/cell", post(open)).with_state(secret);
    offer(number, cell_key, router)
}

fn offer(number: u8, cell_key: mosaic_crypto::agreement::AgreementPublic, router: Router) -> (Served, Endpoint) {
    let identity = Identity::generate().unwrap();
    let pins = Pins::only(identity.pin());
    let served = serve(identity, router);
    let end = Endpoint { provider: id(number), url: served.url.clone(), pins, cell_key };
    (served, end)
}

/// A provider with only the routes of `router`.
fn partial(number: u8, router: Router) -> (Served, Endpoint) {
    offer(number, AgreementSecret::random(&mut os_rng().unwrap()).public(), router)
}

async fn ask(end: Endpoint, call: Call, patience: Patience) -> Result<Reply, CallFailure> {
    let to = Address { provider: end.provider, via: None };
    ProviderClient::new([end], patience).unwrap().call(&to, &call).await
}

#[tokio::test]
async fn a_cell_travels_directly() {
    let (_server, end) = answering(1);
    let reply = ask(end, deposit(), patience()).await;
    assert_eq!(reply, Ok(Reply::Cell(CellReply::Problem(Problem::after(ProblemCode::Quota, 77)))));
}

#[tokio::test]
async fn a_relay_passes_cells_it_cannot_read() {
    let (_target, target_end) = answering(1);
    let onward = ProviderClient::new([target_end.clone()], patience()).unwrap();
    let seen: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let log = Arc::clone(&seen);
    let relay = async move |Path(target): Path<u8>, body: Bytes| {
        log.lock().unwrap().push(body.to_vec());
        let answer = onward.forward(id(target), body.to_vec()).await.unwrap();
        log.lock().unwrap().push(answer.clone());
        answer
    };
    let (_relay, relay_end) = partial(2, Router::new().route("/v1/relay/{target}", post(relay)));

    let client = ProviderClient::new([target_end, relay_end], patience()).unwrap();
    let to = Address { provider: id(1), via: Some(id(2)) };
    for _ in 0..2 {
        let reply = client.call(&to, &deposit()).await;
        assert_eq!(reply, Ok(Reply::Cell(CellReply::Problem(Problem::after(ProblemCode::Quota, 77)))));
    }

    let seen = seen.lock().unwrap();
    assert_eq!(seen.iter().map(Vec::len).collect::<Vec<_>>(), [CELL; 4]);
    assert!(!seen.iter().any(|cell| cell.windows(8).any(|part| part == [EVENT_BYTE; 8])));
    assert_ne!(seen[0], seen[2], "equal requests differ on the wire");
}

#[tokio::test]
async fn a_relay_that_answers_itself_is_found_out() {
    let (_target, target_end) = answering(1);
    let forged = post(|| async { vec![0_u8; CELL] });
    let (_relay, relay_end) = partial(2, Router::new().route("/v1/relay/{target}", forged));
    let client = ProviderClient::new([target_end, relay_end], patience()).unwrap();
    let to = Address { provider: id(1), via: Some(id(2)) };
    assert_eq!(client.call(&to, &deposit()).await, Err(CallFailure::Garbled));
}

#[tokio::test]
async fn problems_arrive_as_problems() {
    let gone = get(|| async { (StatusCode::GONE, Problem::from(ProblemCode::Gone).to_json()) });
    let (_server, end) = partial(1, Router::new().route("/v1/tables/{period}", gone));
    let reply = ask(end, Call::Table(Period(9)), patience()).await;
    assert_eq!(reply, Err(CallFailure::Refused(ProblemCode::Gone.into())));
}

#[tokio::test]
async fn an_oversized_reply_is_refused_before_it_is_kept() {
    let announced = get(|| async { vec![0_u8; 1 << 20] });
    // a body that does not announce its length
    let creeping = get(|| async { Body::new(Full::new(Bytes::from(vec![0_u8; 1 << 20])).map_frame(|frame| frame)) });
    let router = Router::new().route("/announced", announced).route("/creeping", creeping);
    let (_server, end) = partial(1, router);
    let client = PinnedHttp::new(&end.url, end.pins, patience()).unwrap();
    for path in ["/announced", "/creeping"] {
        assert!(matches!(client.get(path, 4_096).await, Err(FetchError::TooLarge { cap: 4_096 })), "{path}");
        assert_eq!(client.get(path, 1 << 20).await.unwrap().body.len(), 1 << 20);
    }
}

#[tokio::test]
async fn a_reply_of_the_wrong_size_is_garbled() {
    let (_server, end) = partial(1, Router::new().route("/v1/time", get(|| async { vec![1_u8; 77] })));
    assert_eq!(ask(end, Call::Time, patience()).await, Err(CallFailure::Garbled));
}

#[tokio::test]
async fn patience_ends() {
    let hurried = Patience { connect: Duration::from_secs(20), request: Duration::from_millis(50) };
    let silent = get(|| async { std::future::pending::<&'static str>().await });
    let (_server, end) = partial(1, Router::new().route("/v1/time", silent));
    assert_eq!(ask(end.clone(), Call::Time, hurried).await, Err(CallFailure::TimedOut));

    // accepts connections and never says a word of TLS
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let end = Endpoint { url: format!("https://{}", mute.local_addr().unwrap()), ..end };
    let hurried = Patience { connect: Duration::from_millis(50), request: Duration::from_secs(20) };
    assert_eq!(ask(end, Call::Time, hurried).await, Err(CallFailure::TimedOut));
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let (server, end) = partial(1, Router::new());
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_ne!(server.address, closed);
    let end = Endpoint { url: format!("https://{closed}"), ..end };
    assert_eq!(ask(end, Call::Time, patience()).await, Err(CallFailure::Unreachable));
}

#[tokio::test]
async fn a_link_takes_only_the_document_it_names() {
    let body = r#"{"body":"{}","signatures":{}}"#;
    let (server, end) = partial(1, Router::new().route("/v1/federation", get(move || async move { body })));
    let link = JoinLink::new("127.0.0.1", server.address.port(), end.pins.primary.to_bytes(), [7; 32]).unwrap();
    let joined = fetch_federation(&link, patience()).await;
    assert!(matches!(joined, Err(JoinError::Untrusted(UntrustedFederation::OtherThanPinned))));
}
