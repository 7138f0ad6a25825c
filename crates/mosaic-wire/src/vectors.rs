//! The language-neutral vectors under `vectors/wire-*.json`, checked against this code.
//!
//! `MOSAIC_VECTORS=write cargo nextest run -p mosaic-wire vectors` writes them anew, and the seeds of the
//! fuzz corpora with them. The module lives inside the crate because events, queries and cards are encoded
//! only behind the release barrier, whose unit tests lend this module their way through.

mod derivations;
mod messages;
mod problems;
mod records;
mod reports;

use mosaic_vectors::{Edit, kind, pattern, seed, settle};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{DecodeError, barrier::tests::passed};

/// What is known about one kind of message.
struct Object {
    name: &'static str,
    /// Constant size, where there is one.
    size: Option<usize>,
    valid: Vec<(&'static str, Value, Vec<u8>)>,
    malformed: Vec<Malformed>,
    /// Decodes and encodes again.
    read: fn(&[u8]) -> Result<Vec<u8>, DecodeError>,
}

/// A valid message, by its place in the list, and what spoils it.
struct Malformed {
    name: &'static str,
    base: usize,
    edit: Edit,
    error: &'static str,
}

impl Object {
    fn new(name: &'static str, size: usize, read: fn(&[u8]) -> Result<Vec<u8>, DecodeError>) -> Self {
        let object = Self { name, size: Some(size), valid: Vec::new(), malformed: Vec::new(), read };
        object.bad("empty", Edit::Length(0), "WrongSize").bad("one byte short", Edit::Length(size - 1), "WrongSize")
    }

    fn variable(name: &'static str, header: usize, read: fn(&[u8]) -> Result<Vec<u8>, DecodeError>) -> Self {
        let object = Self::new(name, header, read);
        Self { size: None, ..object }
    }

    fn ok(mut self, name: &'static str, fields: Value, bytes: impl AsRef<[u8]>) -> Self {
        self.valid.push((name, fields, bytes.as_ref().to_vec()));
        self
    }

    fn bad(self, name: &'static str, edit: Edit, error: &'static str) -> Self {
        self.bad_of(0, name, edit, error)
    }

    fn bad_of(mut self, base: usize, name: &'static str, edit: Edit, error: &'static str) -> Self {
        self.malformed.push(Malformed { name, base, edit, error });
        self
    }

    fn spoil(self, name: &'static str, at: usize, part: &[u8], error: &'static str) -> Self {
        self.bad(name, Edit::Replace(at, part.to_vec()), error)
    }

    fn json(&self) -> Value {
        let valid = |(name, fields, bytes): &(_, Value, Vec<u8>)| json!({ "name": name, "fields": fields, "bytes": hex::encode(bytes) });
        let malformed = |bad: &Malformed| json!({ "name": bad.name, "base": self.valid[bad.base].0, "edit": bad.edit.json(), "error": bad.error });
        json!({
            "object": self.name,
            "specification": "docs/spec/wire.md",
            "size": self.size,
            "valid": self.valid.iter().map(valid).collect::<Vec<_>>(),
            "malformed": self.malformed.iter().map(malformed).collect::<Vec<_>>(),
        })
    }
}

fn write_seeds(object: &Object) {
    let target = format!("wire_{}", object.name.replace('-', "_"));
    for (name, _, bytes) in &object.valid {
        seed(&target, name, bytes);
    }
    for bad in &object.malformed {
        seed(&target, &format!("bad-{}", bad.name), &bad.edit.apply(&object.valid[bad.base].2));
    }
}

fn objects() -> Vec<Object> {
    [records::objects(), reports::objects(), messages::objects()].into_iter().flatten().collect()
}

#[test]
fn the_files_say_what_the_code_does() {
    for object in objects() {
        settle(&format!("wire-{}.json", object.name), &object.json());
        write_seeds(&object);
    }
}

#[test]
fn valid_messages_round_trip_at_their_constant_size() {
    for object in objects() {
        for (name, _, bytes) in &object.valid {
            let again = (object.read)(bytes);
            assert_eq!(again.as_deref(), Ok(bytes.as_slice()), "{}: {name}", object.name);
            assert!(object.size.is_none_or(|size| size == bytes.len()), "{}: {name}", object.name);
        }
    }
}

#[test]
fn malformed_messages_are_refused_for_the_stated_reason() {
    for object in objects() {
        for bad in &object.malformed {
            let bytes = bad.edit.apply(&object.valid[bad.base].2);
            let error = (object.read)(&bytes).map_err(kind);
            assert_eq!(error, Err(bad.error.to_owned()), "{}: {}", object.name, bad.name);
        }
    }
}

#[test]
fn no_message_survives_losing_or_gaining_one_byte() {
    for object in objects() {
        for (name, _, bytes) in &object.valid {
            let longer = Edit::Append(vec![0]).apply(bytes);
            assert!((object.read)(&longer).is_err(), "{}: {name}, one byte more", object.name);
            let cuts: Vec<_> =
                if bytes.len() < 1_024 { (0..bytes.len()).collect() } else { vec![bytes.len() - 1, 14, 1] };
            for cut in cuts {
                assert!((object.read)(&bytes[..cut]).is_err(), "{}: {name}, cut to {cut}", object.name);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever a stranger changes: a refusal, or a message that encodes to exactly these bytes again.
    #[test]
    fn changed_bytes_are_refused_or_read_as_they_are(at: prop::sample::Index, flip in 1_u8.., more in prop::collection::vec(any::<u8>(), 0..4)) {
        for object in objects() {
            for (name, _, bytes) in &object.valid {
                let mut changed = bytes.clone();
                changed[at.index(bytes.len())] ^= flip;
                changed.extend(&more);
                if let Ok(again) = (object.read)(&changed) {
                    prop_assert!(again == changed, "{}: {}", object.name, name);
                }
            }
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
        for object in objects() {
            if let Ok(again) = (object.read)(&bytes) {
                prop_assert!(again == bytes, "{}", object.name);
            }
        }
    }
}
