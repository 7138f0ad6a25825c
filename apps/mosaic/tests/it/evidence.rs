//! Proofs against a provider, checked by somebody who has the federation's document and trusts nobody.

use std::fs;

use mosaic_crypto::signing::SigningKey;
use mosaic_federation::{Evidence, FederationDescriptor, Independence, NoProof, ProviderEntry, SignedDocument, Tile};
use mosaic_types::{Lane, Period, ProviderId, SegmentId, Stream, TableId, TileId, Timestamp};
use mosaic_wire::{GenerationBlock, Head, Record};

use crate::support::Install;

const NOW: Timestamp = Timestamp::from_secs(1_763_683_261);

fn id(number: u8) -> ProviderId {
    ProviderId::new(number).unwrap()
}

/// The keys of three operators, and their federation's document in a file.
fn federation(home: &Install, name: &str, first: u8) -> (Vec<SigningKey>, String) {
    let keys: Vec<_> = (first..first + 3).map(|seed| SigningKey::from_bytes(&[seed; 32])).collect();
    let entry = |(number, key): (u8, &SigningKey)| ProviderEntry {
        id: id(number),
        url: format!("https://127.0.0.1:{number}"),
        tls_pin: [number; 32],
        signing_key: key.verifying_key().to_bytes(),
        cell_key: [100 + number; 32],
        ceremony_key: [200 + number; 32],
        token_key: [50 + number; 32],
        operator: format!("operator {number}"),
        jurisdiction: "XX".to_owned(),
    };
    let tile = Tile { id: TileId(1), name: "Tessera".to_owned(), lat: -45.0, lng: 0.0, radius_m: 20_000 };
    let entries = (1..).zip(&keys).map(entry).collect();
    let descriptor = FederationDescriptor::new("test", Independence::Practice, NOW, 100, tile, entries);
    let mut document = SignedDocument::draft(&descriptor).unwrap();
    (1..).zip(&keys).for_each(|(number, key)| document.sign(id(number), key));
    (keys, home.write(name, &document.to_json()))
}

fn head(row: u32, signer: &SigningKey) -> Head {
    let segment =
        SegmentId { table: TableId::new(Period(122_478), Lane::Discovery), origin: id(2), stream: Stream::Steady };
    let block = GenerationBlock::new(segment, 0, vec![Record { row, bytes: [1; 192] }]).unwrap();
    Head::seal(&block, [0; 32], NOW, signer)
}

#[test]
fn anybody_with_the_federations_document_checks_a_proof() {
    let home = Install::new();
    let (keys, document) = federation(&home, "theirs.json", 1);
    let file = |name: &str, bytes: &[u8]| {
        fs::write(home.file(name), bytes).unwrap();
        home.file(name).display().to_string()
    };
    let verify = |file: &str, document: &str| home.run(&["evidence", "verify", file, "--federation", document]);
    let two = |second: Head| Evidence::TwoHistories { first: head(1, &keys[1]), second }.encode();

    let lie = file("lie.proof", &two(head(2, &keys[1])));
    let said = verify(&lie, &document).done();
    assert_eq!((&said["convicted"], &said["kind"]), (&2.into(), &"two-histories".into()));
    assert_eq!(said["operator"], "operator 2");

    let convicts_nobody = |name: &str, bytes: &[u8], why: NoProof| {
        verify(&file(name, bytes), &document).failed(2, &why.to_string());
    };
    convicts_nobody("same.proof", &two(head(1, &keys[1])), NoProof::Innocent);
    // what another operator signed in its name
    convicts_nobody("forged.proof", &two(head(2, &keys[0])), NoProof::Signature);
    convicts_nobody("cut.proof", &two(head(2, &keys[1]))[..40], NoProof::Malformed);
    convicts_nobody("empty.proof", &[], NoProof::Malformed);
    let (_, other) = federation(&home, "other.json", 11);
    verify(&lie, &other).failed(2, &NoProof::Signature.to_string());
    home.run(&["evidence", "verify", &lie]).failed(5, "no federation is known here");
    home.run(&["evidence", "list"]).failed(4, "no agent runs");
    home.run(&["evidence", "forgive", "3"]).failed(4, "no agent runs");
    home.run(&["evidence", "forgive", "0"]).failed(2, "0");
}
