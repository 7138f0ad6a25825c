//! One valid seed of each object that no person could type. `MOSAIC_VECTORS=write` writes them anew.

use std::fs;

use mosaic_crypto::{
    agreement::AgreementSecret,
    ceremony::{Complaint, Dealing, deal, open_share, verify_complaint},
    shamir,
    signing::SigningKey,
};
use mosaic_federation::{
    Evidence, FederationDescriptor, Independence, JoinLink, ProviderEntry, SignedDocument, Tile, peer::PeerRequest,
};
use mosaic_geo::{Place, PlaceIndex, PlaceKind, PlaceTag, Provenance};
use mosaic_types::{LatLng, ProviderId, SegmentId, Stream, TableId, TileId, Timestamp};
use mosaic_wire::Head;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use crate::fuzz;

/// The kept seed, or the one that was just made and written.
fn kept(target: &str, name: &str, made: &[u8]) -> Vec<u8> {
    let path = fuzz().join("corpus").join(target).join(name);
    if std::env::var("MOSAIC_VECTORS").is_ok_and(|value| value == "write") {
        fs::write(&path, made).unwrap();
    }
    fs::read(&path).unwrap()
}

fn provider(number: u8) -> ProviderId {
    ProviderId::new(number).unwrap()
}

fn secret(number: u8) -> AgreementSecret {
    AgreementSecret::from_bytes([number; 32])
}

fn dealt() -> Dealing {
    let recipients = [1, 2, 3].map(|number| (provider(number), secret(number).public()));
    deal(&[7; 32], provider(2), &recipients, 2, &mut ChaCha20Rng::seed_from_u64(1)).unwrap()
}

#[test]
fn a_dealing_and_a_false_complaint_about_it() {
    let bytes = kept("crypto_dealing", "three-recipients", &dealt().encode());
    let dealing = Dealing::decode(&bytes).unwrap();
    assert!(open_share(&dealing, provider(3), &secret(3)).is_ok());

    // The dealing's digest is what a complaint starts with; the rest claims a share it cannot prove.
    let claim = [&dealing.digest()[..], &[3], secret(1).public().as_bytes(), &[1; 64]].concat();
    let claim = kept("crypto_complaint", "false", &claim);
    let complaint = Complaint::decode(claim.as_slice().try_into().unwrap()).unwrap();
    assert!(!verify_complaint(&dealing, &complaint));
}

#[test]
fn evidence_of_two_histories() {
    let segment = SegmentId { table: TableId(244_956), origin: provider(2), stream: Stream::Steady };
    let head = |root| {
        let signature = [0; 64];
        let sealed_at = Timestamp::from_secs(1_763_683_200);
        let head = Head { segment, index: 4, count: 1, root, previous: [0; 32], sealed_at, signature };
        head.sign(&SigningKey::from_bytes(&[2; 32]))
    };
    let evidence = Evidence::TwoHistories { first: head([1; 32]), second: head([2; 32]) };
    let bytes = kept("federation_evidence", "two-histories", &evidence.encode());
    assert_eq!(Evidence::decode(&bytes), Ok(evidence));
}

#[test]
fn a_question_between_providers() {
    let segment = SegmentId { table: TableId(244_956), origin: provider(2), stream: Stream::Steady };
    let request = PeerRequest::Heads(vec![(segment, 7)]);
    let bytes = kept("federation_peer", "heads", &postcard::to_allocvec(&request).unwrap());
    assert_eq!(postcard::from_bytes(&bytes), Ok(request));
}

#[test]
fn join_links() {
    for (name, host) in [("name", "provider.example.org"), ("ipv6", "[2001:db8::1]")] {
        let link = JoinLink::new(host, 8_443, [0x0A; 32], [0xFF; 32]).unwrap();
        let kept = kept("federation_join_link", name, link.to_string().as_bytes());
        assert_eq!(str::from_utf8(&kept).unwrap().parse(), Ok(link));
    }
}

#[test]
fn a_shamir_share() {
    let shares = shamir::split(&[9; 32], 2, 3, &mut ChaCha20Rng::seed_from_u64(2)).unwrap();
    assert!(shamir::Share::from_bytes(&kept("crypto_share", "second-of-three", &shares[1].to_bytes())).is_ok());
}

#[test]
fn two_places() {
    let place = |lat, lng, name: &str| Place {
        position: LatLng::new(lat, lng).unwrap(),
        kind: PlaceKind::new(PlaceTag::Amenity, "cafe"),
        name: name.into(),
        hours: Some("Mo-Fr 08:00-18:00".into()),
    };
    let places = vec![place(41.15, -8.62, "Primeiro"), place(-33.9, 179.99, "")];
    let index = PlaceIndex::from_places(places, Provenance::new("made for tests", None));
    assert!(PlaceIndex::decode(&kept("geo_places", "two-cafes", &index.encode())).is_ok());
}

#[test]
fn a_signed_federation() {
    let key = |number| SigningKey::from_bytes(&[number; 32]);
    let entry = |number: u8| ProviderEntry {
        id: provider(number),
        url: format!("https://127.0.0.1:{}", 7_000 + u16::from(number)),
        tls_pin: [number; 32],
        signing_key: key(number).verifying_key().to_bytes(),
        cell_key: [number | 0x20; 32],
        ceremony_key: [number | 0x40; 32],
        operator: format!("Operator {number}"),
        jurisdiction: ["FR", "DE", "CH"][usize::from(number) - 1].into(),
    };
    let tile = Tile { id: TileId(1), name: "Porto".into(), lat: 41.15, lng: -8.62, radius_m: 20_000 };
    let providers = [1, 2, 3].map(entry).to_vec();
    let created = Timestamp::from_secs(1_763_683_200);
    let descriptor = FederationDescriptor::new("Seeds", Independence::Checked, created, 100, tile, providers);
    let mut document = SignedDocument::draft(&descriptor).unwrap();
    [1, 2, 3].into_iter().for_each(|number| document.sign(provider(number), &key(number)));
    let kept = kept("federation_document", "three-providers", document.to_json().as_bytes());
    assert!(SignedDocument::parse(&kept).is_ok_and(|document| document.verify().is_ok()));
}
