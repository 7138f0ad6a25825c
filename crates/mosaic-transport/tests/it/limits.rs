//! Clients that hold on to a server: silent, dripping, greedy, or of another HTTP version. Every wait ends
//! with what the server does; the clock only decides when it does it.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::StatusCode,
    routing::{get, post},
};
use mosaic_transport::{Identity, Limits};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::ring,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::support::{Served, serve_within};

/// Patience of the server where a test waits for its end.
const SHORT: Duration = Duration::from_millis(50);
/// Patience of the server where it must not end, and of the test in all cases.
const LONG: Duration = Duration::from_secs(60);

const PATIENT: Limits = Limits { connections: 64, handshake: LONG, head: LONG, body: LONG, round: LONG };

type Connection = StreamOwned<ClientConnection, TcpStream>;

/// A TLS client that believes everything: these tests are about the server.
#[derive(Debug)]
struct Gullible;

impl ServerCertVerifier for Gullible {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

fn server(limits: Limits) -> Served {
    let swallow = async |body: Body| match to_bytes(body, 4_096).await {
        Ok(bytes) => Ok(bytes.len().to_string()),
        Err(_) => Err(StatusCode::BAD_REQUEST),
    };
    let router = Router::new().route("/", get(|| async { "hello" })).route("/swallow", post(swallow));
    serve_within(limits, Identity::generate().unwrap(), router)
}

/// A connection with its handshake done; an error when the server does not want it.
fn connect(address: SocketAddr) -> std::io::Result<Connection> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Gullible))
        .with_no_client_auth();
    let name = ServerName::try_from("mosaic.invalid").unwrap();
    let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(LONG))?;
    while tls.is_handshaking() {
        tls.complete_io(&mut socket)?;
    }
    Ok(StreamOwned::new(tls, socket))
}

/// What the server says before it hangs up; a panic when it does not.
fn last_words(connection: &mut Connection) -> String {
    let mut said = Vec::new();
    if let Err(error) = connection.read_to_end(&mut said) {
        let hung_up = [std::io::ErrorKind::UnexpectedEof, std::io::ErrorKind::ConnectionReset];
        assert!(hung_up.contains(&error.kind()), "the server holds on: {error}");
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// Connects, says `what`, and returns what the server says until it hangs up.
async fn after_saying(address: SocketAddr, what: &'static [u8]) -> String {
    let talk = move || {
        let mut connection = connect(address).unwrap();
        connection.write_all(what).unwrap();
        connection.flush().unwrap();
        last_words(&mut connection)
    };
    tokio::task::spawn_blocking(talk).await.unwrap()
}

#[tokio::test]
async fn who_says_nothing_after_the_handshake_is_hung_up_on() {
    let server = server(Limits { head: SHORT, ..PATIENT });
    assert_eq!(after_saying(server.address, b"").await, "");
    assert_eq!(after_saying(server.address, b"GET / HTTP/1.1\r\nHost: x\r\n").await, "", "nor after half a request");
    assert_eq!(after_saying(server.address, b"PRI * HT").await, "", "nor after half a preface");
    let said = after_saying(server.address, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(said.ends_with("hello"), "a whole request is answered before the silence after it counts: {said}");
}

#[tokio::test]
async fn a_body_that_does_not_come_ends_the_request_and_the_connection() {
    let server = server(Limits { body: SHORT, ..PATIENT });
    let said = after_saying(server.address, b"POST /swallow HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nx").await;
    assert!(said.starts_with("HTTP/1.1 400"), "{said}");
    let whole = b"POST /swallow HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nxyz";
    assert!(after_saying(server.address, whole).await.ends_with("\r\n\r\n3"));
}

#[tokio::test]
async fn http_2_is_not_spoken() {
    let server = server(PATIENT);
    let said = after_saying(server.address, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 "), "{said:?}");
}

#[tokio::test]
async fn there_are_only_so_many_connections_and_a_closed_one_makes_room() {
    let server = server(Limits { connections: 1, ..PATIENT });
    let address = server.address;
    let talk = move || {
        let first = connect(address).unwrap();
        assert!(connect(address).is_err(), "there is no room for a second one");
        drop(first);
        // the server learns of the end at its own time; every try is a round trip
        (0..20_000).find_map(|_| connect(address).ok()).expect("room after the first one left");
    };
    tokio::task::spawn_blocking(talk).await.unwrap();
}

#[tokio::test]
async fn nobody_is_given_a_ticket_to_be_recognised_by() {
    let server = server(PATIENT);
    let address = server.address;
    let talk = move || {
        let mut connection = connect(address).unwrap();
        connection.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        last_words(&mut connection);
        connection.conn.tls13_tickets_received()
    };
    assert_eq!(tokio::task::spawn_blocking(talk).await.unwrap(), 0);
}
