//! Cells: sizes, binding, and what is refused.

use mosaic_crypto::agreement::{AgreementPublic, AgreementSecret};
use mosaic_crypto::sealed::{CELL, OpenCellError, REPLY_PLAIN, REQUEST_PLAIN, SealCellError, open_cell, seal_cell};

use crate::agreement::small_order;
use crate::support::rng;

#[test]
fn a_request_and_its_reply_travel() {
    let mut rng = rng(1);
    let provider = AgreementSecret::random(&mut rng);
    let request = [0x5a; REQUEST_PLAIN];
    let (cell, mine) = seal_cell(&provider.public(), &request, &mut rng).unwrap();
    let (read, theirs) = open_cell(&provider, &cell).unwrap();
    assert_eq!(read, request);
    let reply = theirs.seal_reply(&[0xa5; REPLY_PLAIN], &mut rng);
    assert_eq!(mine.open_reply(&reply).unwrap(), [0xa5; REPLY_PLAIN]);
    let again = theirs.seal_reply(&[0xa5; REPLY_PLAIN], &mut rng);
    assert_ne!(reply[..12], again[..12]);
}

#[test]
fn a_cell_is_for_one_key_and_a_reply_for_one_request() {
    let mut rng = rng(2);
    let (provider, other) = (AgreementSecret::random(&mut rng), AgreementSecret::random(&mut rng));
    let (cell, _) = seal_cell(&provider.public(), &[1; REQUEST_PLAIN], &mut rng).unwrap();
    assert_eq!(open_cell(&other, &cell).err(), Some(OpenCellError::Refused));
    let (second, key) = seal_cell(&provider.public(), &[1; REQUEST_PLAIN], &mut rng).unwrap();
    assert_ne!(cell, second);
    let (_, first_key) = open_cell(&provider, &cell).unwrap();
    assert_eq!(key.open_reply(&first_key.seal_reply(&[0; REPLY_PLAIN], &mut rng)), Err(OpenCellError::Refused));
}

#[test]
fn a_flipped_bit_anywhere_is_refused() {
    let mut rng = rng(3);
    let provider = AgreementSecret::random(&mut rng);
    let (cell, _) = seal_cell(&provider.public(), &[1; REQUEST_PLAIN], &mut rng).unwrap();
    let (_, key) = open_cell(&provider, &cell).unwrap();
    let reply = key.seal_reply(&[2; REPLY_PLAIN], &mut rng);
    for byte in (0..CELL).step_by(97).chain([31, 32, CELL - 1]) {
        let (mut bent_cell, mut bent_reply) = (cell, reply);
        bent_cell[byte] ^= 4;
        bent_reply[byte] ^= 4;
        assert_eq!(open_cell(&provider, &bent_cell).err(), Some(OpenCellError::Refused), "byte {byte}");
        assert_eq!(key.open_reply(&bent_reply), Err(OpenCellError::Refused), "byte {byte}");
    }
}

#[test]
fn keys_of_small_order_are_refused() {
    for point in small_order() {
        let sealed = seal_cell(&AgreementPublic(point), &[0; REQUEST_PLAIN], &mut rng(4));
        assert_eq!(sealed.err(), Some(SealCellError::WeakRecipient), "{}", hex::encode(point));
        let mut cell = [0; CELL];
        cell[..32].copy_from_slice(&point);
        assert!(open_cell(&AgreementSecret::random(&mut rng(5)), &cell).is_err());
    }
}
