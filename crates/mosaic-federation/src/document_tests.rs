use super::*;
use crate::fixture::{Town, id};

fn document() -> SignedDocument {
    Town::new().federation.document().clone()
}

#[test]
fn a_document_of_all_providers_is_a_federation() {
    let document = document();
    let read = SignedDocument::parse(document.to_json().as_bytes()).unwrap();
    assert_eq!(read, document);
    let federation = read.verify_pinned(&document.digest()).unwrap();
    assert_eq!(federation.digest(), document.digest());
}

#[test]
fn every_signature_is_needed_and_must_be_good() {
    for number in [1, 2, 3] {
        let mut lacking = document();
        lacking.signatures.remove(&id(number));
        assert!(matches!(lacking.verify(), Err(UntrustedFederation::Unsigned { provider }) if provider == id(number)));
        let mut bent = document();
        bent.sign(id(number), &SigningKey::from_bytes(&[99; 32]));
        let found = bent.verify();
        assert!(matches!(found, Err(UntrustedFederation::BadSignature { provider }) if provider == id(number)));
    }
    let mut stranger = document();
    stranger.sign(id(9), &SigningKey::from_bytes(&[9; 32]));
    assert!(matches!(stranger.verify(), Err(UntrustedFederation::BadSignature { .. })));
}

#[test]
fn the_text_is_signed_byte_for_byte() {
    let mut spaced = document();
    spaced.body.push(' ');
    assert!(matches!(spaced.verify(), Err(UntrustedFederation::BadSignature { .. })));
    let pin = document().digest();
    let mut other = document();
    other.body = other.body.replace("Porto", "Lisbon");
    assert!(matches!(other.verify_pinned(&pin), Err(UntrustedFederation::OtherThanPinned)));
}

#[test]
fn what_is_no_document_is_refused() {
    assert!(matches!(SignedDocument::parse(b"{}"), Err(UntrustedFederation::Unreadable(_))));
    assert!(matches!(SignedDocument::parse(&[b' '; 70_000]), Err(UntrustedFederation::TooLong)));
    let empty = SignedDocument { body: "{}".into(), signatures: BTreeMap::new() };
    assert!(matches!(empty.verify(), Err(UntrustedFederation::NoDescriptor(_))));
}
