//! Stands in for a released object, in this crate's tests alone: the vectors need encoded messages.

use mosaic_types::ContactText;

use super::{Releasable, encode, sealed};
use crate::ContactCard;

struct Passed<T>(T);

impl<T: sealed::Object> Releasable for Passed<T> {
    type Object = T;

    fn object(&self) -> &T {
        &self.0
    }
}

/// The bytes an object would have, were it released.
pub(crate) fn passed<T: sealed::Object>(object: T) -> Vec<u8> {
    encode(&Passed(object))
}

#[test]
fn what_passed_the_barrier_can_be_read_by_anybody() {
    let card = ContactCard { text: ContactText::new("tel:+351 000").unwrap() };
    assert_eq!(ContactCard::decode(&passed(card.clone())), Ok(card));
}
