//! L2-01: neither side speaks TLS 1.2. The old version is spoken by hand, because no library linked
//! here can.

use axum::Router;
use mosaic_transport::{FetchError, Identity, Pin, PinnedHttp, Pins};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::support::{patience, serve};

/// A ClientHello of TLS 1.2 (RFC 5246) with ECDHE suites, groups and signature algorithms a server of
/// that version would gladly take.
fn client_hello() -> Vec<u8> {
    let extensions: Vec<u8> = [
        &[0x00, 0x0a, 0x00, 0x04, 0x00, 0x02, 0x00, 0x17][..],
        &[0x00, 0x0b, 0x00, 0x02, 0x01, 0x00],
        &[0x00, 0x0d, 0x00, 0x06, 0x00, 0x04, 0x04, 0x03, 0x08, 0x04],
    ]
    .concat();
    let mut body = vec![0x03, 0x03];
    body.extend([0x5a; 32]);
    body.push(0);
    body.extend([0x00, 0x04, 0xc0, 0x2b, 0xcc, 0xa9, 0x01, 0x00]);
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    record(1, &body)
}

/// A ServerHello of TLS 1.2.
fn server_hello() -> Vec<u8> {
    let mut body = vec![0x03, 0x03];
    body.extend([0xa5; 32]);
    body.extend([0x00, 0xc0, 0x2b, 0x00]);
    record(2, &body)
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    let mut bytes = vec![0x16, 0x03, 0x03];
    bytes.extend((length + 4).to_be_bytes());
    bytes.extend([kind, 0]);
    bytes.extend(length.to_be_bytes());
    bytes.extend(body);
    bytes
}

const FATAL_PROTOCOL_VERSION: [u8; 2] = [2, 70];

#[tokio::test]
async fn a_client_of_tls_1_2_is_refused() {
    let server = serve(Identity::generate().unwrap(), Router::new());
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&client_hello()).await.unwrap();
    let mut alert = [0; 7];
    stream.read_exact(&mut alert).await.unwrap();
    assert_eq!((alert[0], &alert[5..]), (0x15, &FATAL_PROTOCOL_VERSION[..]));
}

#[tokio::test]
async fn a_server_of_tls_1_2_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; 512];
        let _taken = stream.read(&mut hello).await.unwrap();
        stream.write_all(&server_hello()).await.unwrap();
        // held open until the client hangs up
        let _rest = stream.read_to_end(&mut Vec::new()).await;
    });
    let client = PinnedHttp::new(&url, Pins::only(Pin::of(b"any")), patience()).unwrap();
    assert!(matches!(client.get("/", 64).await, Err(FetchError::WrongHost(_))));
}
