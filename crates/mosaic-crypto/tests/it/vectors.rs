//! The reference vectors of RFC 8439, draft-irtf-cfrg-xchacha, RFC 5869, 9180 and 6962. (7748 stands in `agreement`,
//! 8032 and 9497 beside the code, whose unprefixed signatures, nonces and blinds are not reachable from here.)

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hpke::aead::ChaCha20Poly1305 as HpkeChaCha;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _};
use mosaic_crypto::merkle;
use sha2::Sha256;

use crate::support::{array, bytes, vectors};

#[test]
fn rfc_8439_aead() {
    for vector in vectors("rfc8439-aead.json")["vectors"].as_array().unwrap() {
        let cipher = ChaCha20Poly1305::new(&array::<32>(&vector["key"]).into());
        let nonce = Nonce::from(array::<12>(&vector["nonce"]));
        let (plain, aad) = (bytes(&vector["plaintext"]), bytes(&vector["aad"]));
        let expected = [bytes(&vector["ciphertext"]), bytes(&vector["tag"])].concat();
        assert_eq!(cipher.encrypt(&nonce, Payload { msg: &plain, aad: &aad }).unwrap(), expected);
        assert_eq!(cipher.decrypt(&nonce, Payload { msg: &expected, aad: &aad }).unwrap(), plain);
        let mut bent = expected.clone();
        bent[3] ^= 1;
        assert!(cipher.decrypt(&nonce, Payload { msg: &bent, aad: &aad }).is_err());
        assert!(cipher.decrypt(&nonce, Payload { msg: &expected, aad: b"other" }).is_err());
    }
}

#[test]
fn xchacha20_poly1305_of_the_draft() {
    for vector in vectors("xchacha20-poly1305.json")["vectors"].as_array().unwrap() {
        let cipher = XChaCha20Poly1305::new(&array::<32>(&vector["key"]).into());
        let nonce = XNonce::from(array::<24>(&vector["nonce"]));
        let (plain, aad) = (bytes(&vector["plaintext"]), bytes(&vector["aad"]));
        let expected = [bytes(&vector["ciphertext"]), bytes(&vector["tag"])].concat();
        assert_eq!(cipher.encrypt(&nonce, Payload { msg: &plain, aad: &aad }).unwrap(), expected);
        assert_eq!(cipher.decrypt(&nonce, Payload { msg: &expected, aad: &aad }).unwrap(), plain);
    }
}

#[test]
fn rfc_5869_hkdf_sha256() {
    let file = vectors("rfc5869-hkdf-sha256.json");
    let list = file["vectors"].as_array().unwrap();
    assert_eq!(list.len(), 3);
    for vector in list {
        let (salt, expected) = (bytes(&vector["salt"]), bytes(&vector["okm"]));
        // The RFC's third case has no salt, as every derivation of ours.
        let salt = (!salt.is_empty()).then_some(salt.as_slice());
        let (prk, expand) = Hkdf::<Sha256>::extract(salt, &bytes(&vector["ikm"]));
        assert_eq!(prk.to_vec(), bytes(&vector["prk"]));
        let mut okm = vec![0; expected.len()];
        expand.expand(&bytes(&vector["info"]), &mut okm).unwrap();
        assert_eq!(okm, expected);
    }
}

/// Gives the bytes of one key derivation, as the RFC's `ikmE`.
struct Given(Vec<u8>);

impl rand::TryRng for Given {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        unreachable!("only bytes are drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        unreachable!("only bytes are drawn")
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
        let rest = self.0.split_off(dst.len());
        dst.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

impl rand::TryCryptoRng for Given {}

#[test]
fn rfc_9180_a_2_base() {
    type K = X25519HkdfSha256;
    let vector = vectors("rfc9180-a2-base.json");
    let (secret, public) = K::derive_keypair(&bytes(&vector["ikmR"]));
    assert_eq!(public.to_bytes().to_vec(), bytes(&vector["pkRm"]));
    let info = bytes(&vector["info"]);
    let mut rng = Given(bytes(&vector["ikmE"]));
    let (enc, mut sender) =
        hpke::setup_sender_with_rng::<HpkeChaCha, HkdfSha256, K>(&OpModeS::Base, &public, &info, &mut rng).unwrap();
    assert_eq!(enc.to_bytes().to_vec(), bytes(&vector["enc"]));
    let enc = <K as Kem>::EncappedKey::from_bytes(&bytes(&vector["enc"])).unwrap();
    let mut receiver = hpke::setup_receiver::<HpkeChaCha, HkdfSha256, K>(&OpModeR::Base, &secret, &enc, &info).unwrap();
    for message in vector["encryptions"].as_array().unwrap() {
        let (aad, plain, sealed) = (bytes(&message["aad"]), bytes(&message["pt"]), bytes(&message["ct"]));
        assert_eq!(sender.seal(&plain, &aad).unwrap(), sealed);
        assert_eq!(receiver.open(&sealed, &aad).unwrap(), plain);
    }
    for export in vector["exports"].as_array().unwrap() {
        let mut value = [0; 32];
        receiver.export(&bytes(&export["exporter_context"]), &mut value).unwrap();
        assert_eq!(value, array(&export["value"]));
    }
}

#[test]
fn rfc_6962_roots() {
    let file = vectors("rfc6962-merkle.json");
    let leaves: Vec<Vec<u8>> = file["leaves"].as_array().unwrap().iter().map(bytes).collect();
    let roots = file["roots_by_leaf_count"].as_array().unwrap();
    assert_eq!(roots.len(), leaves.len() + 1);
    for (count, root) in roots.iter().enumerate() {
        assert_eq!(merkle::root(&leaves[..count]), array(root), "{count} leaves");
        for index in 0..count {
            let path = merkle::path(&leaves[..count], index).unwrap();
            assert!(merkle::verify(&leaves[index], index, count, &path, &array(root)));
        }
    }
}
