use std::sync::Arc;

use axum::{Router, routing::get};
use axum_server::tls_rustls::RustlsConfig;
use mosaic_transport::{FetchError, Identity, Pin, PinnedHttp, Pins, bind, bind_loopback};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::support::{patience, serve};

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

async fn fetch(url: &str, pins: Pins) -> Result<Vec<u8>, FetchError> {
    PinnedHttp::new(url, pins, patience()).unwrap().get("/", 64).await.map(|reply| reply.body)
}

#[tokio::test]
async fn the_right_pin_is_enough() {
    let identity = Identity::generate().unwrap();
    let pin = identity.pin();
    let server = serve(identity, hello());
    assert_eq!(fetch(&server.url, Pins::only(pin)).await.unwrap(), b"hello");
}

#[tokio::test]
async fn the_backup_pin_is_enough() {
    let identity = Identity::generate().unwrap();
    let pins = Pins { primary: Pin::of(b"the certificate before"), backup: Some(identity.pin()) };
    let server = serve(identity, hello());
    assert_eq!(fetch(&server.url, pins).await.unwrap(), b"hello");
}

#[tokio::test]
async fn another_certificate_is_refused() {
    let server = serve(Identity::generate().unwrap(), hello());
    let pins = Pins::only(Identity::generate().unwrap().pin());
    assert!(matches!(fetch(&server.url, pins).await, Err(FetchError::WrongHost(_))));
}

/// L2-02: a chain that an authority vouches for, even a pinned one, does not replace the pin.
#[tokio::test]
async fn a_valid_chain_under_another_certificate_is_refused() {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(vec![]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&authority_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::from_params(&authority, &authority_key);
    let leaf = CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &issuer).unwrap();
    let listener = bind_loopback(0).unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone(), root.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    let server = axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(Arc::new(config))).unwrap();
    tokio::spawn(server.serve(hello().into_make_service()));

    let pins = Pins { primary: Pin::of(b"another"), backup: Some(Pin::of(root.der())) };
    assert!(matches!(fetch(&url, pins).await, Err(FetchError::WrongHost(_))));
    assert_eq!(fetch(&url, Pins::only(Pin::of(leaf.der()))).await.unwrap(), b"hello");
}

/// A pinned certificate proves nothing without its key.
#[tokio::test]
async fn a_copied_certificate_without_its_key_is_refused() {
    let identity = Identity::generate().unwrap();
    let thief = KeyPair::generate().unwrap();
    let certificate = {
        let server = serve(identity, hello());
        certificate_of(&server.url).await
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(thief.serialize_der()));
    let provider = rustls::crypto::ring::default_provider();
    let signer = provider.key_provider.load_private_key(key).unwrap();
    let certified = Arc::new(rustls::sign::CertifiedKey::new(vec![certificate.clone()], signer));
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)));
    let listener = bind_loopback(0).unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let server = axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(Arc::new(config))).unwrap();
    tokio::spawn(server.serve(hello().into_make_service()));
    assert!(fetch(&url, Pins::only(Pin::of(&certificate))).await.is_err());
}

/// What anybody learns by connecting: the server's certificate.
async fn certificate_of(url: &str) -> rustls_pki_types::CertificateDer<'static> {
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    #[derive(Debug)]
    struct Collector(std::sync::Mutex<Option<Vec<u8>>>);
    impl ServerCertVerifier for Collector {
        fn verify_server_cert(
            &self,
            end_entity: &rustls_pki_types::CertificateDer<'_>,
            _: &[rustls_pki_types::CertificateDer<'_>],
            _: &rustls_pki_types::ServerName<'_>,
            _: &[u8],
            _: rustls_pki_types::UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            *self.0.lock().unwrap() = Some(end_entity.to_vec());
            Ok(ServerCertVerified::assertion())
        }
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &rustls_pki_types::CertificateDer<'_>,
            _: &rustls::DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Ok(HandshakeSignatureValid::assertion())
        }
        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &rustls_pki_types::CertificateDer<'_>,
            _: &rustls::DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Ok(HandshakeSignatureValid::assertion())
        }
        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            let ring = rustls::crypto::ring::default_provider();
            ring.signature_verification_algorithms.supported_schemes()
        }
    }
    let collector = Arc::new(Collector(std::sync::Mutex::new(None)));
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&collector) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let client = reqwest::Client::builder().tls_backend_preconfigured(config).no_proxy().build().unwrap();
    client.get(url).send().await.unwrap();
    let seen = collector.0.lock().unwrap().clone().unwrap();
    seen.into()
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let first = bind_loopback(0).unwrap();
    let address = first.local_addr().unwrap();
    let error = bind(address).unwrap_err();
    assert!(error.to_string().contains(&address.to_string()) && error.to_string().contains("in use"));
}

#[tokio::test]
async fn the_local_interface_never_listens_elsewhere() {
    let everywhere = bind("0.0.0.0:0".parse().unwrap()).unwrap();
    let served = mosaic_transport::serve_loopback(everywhere, hello(), std::future::pending()).await;
    assert!(matches!(served, Err(mosaic_transport::ServeError::NotLoopback { .. })));
}
