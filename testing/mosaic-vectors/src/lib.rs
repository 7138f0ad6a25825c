//! Holds the language-neutral files under `vectors/` against the code, or writes them anew.
//!
//! `MOSAIC_VECTORS=write cargo nextest run` writes the files, and the seeds of the fuzz corpora with them. A
//! change of bytes that is meant shows up as a change of these files; one that is not meant fails a test.
//! Only tests import this crate, so it fails as tests do: by panicking.
#![expect(clippy::unwrap_used, reason = "everything here is called by tests and fails as they do")]

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

/// What spoils a valid message.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Cut to this many bytes.
    Length(usize),
    /// These bytes behind it.
    Append(Vec<u8>),
    /// These bytes at that place.
    Replace(usize, Vec<u8>),
}

impl Edit {
    /// One bit flipped, as the replacement of one byte of `bytes`.
    pub fn flip(bytes: &[u8], at: usize) -> Self {
        Self::Replace(at, vec![bytes[at] ^ 1])
    }

    /// The spoilt bytes.
    pub fn apply(&self, bytes: &[u8]) -> Vec<u8> {
        let mut edited = bytes.to_vec();
        match self {
            Self::Length(length) => edited.truncate(*length),
            Self::Append(more) => edited.extend(more),
            Self::Replace(at, part) => edited[*at..at + part.len()].copy_from_slice(part),
        }
        edited
    }

    /// The edit as the vector files give it.
    pub fn json(&self) -> Value {
        match self {
            Self::Length(length) => json!({ "truncate_to": length }),
            Self::Append(more) => json!({ "append": hex::encode(more) }),
            Self::Replace(at, part) => json!({ "at": at, "replace": hex::encode(part) }),
        }
    }
}

/// `N` recognisable bytes: `seed`, `seed + 7`, `seed + 14`, …
pub fn pattern<const N: usize>(seed: u8) -> [u8; N] {
    let mut next = seed;
    [(); N].map(|()| {
        let byte = next;
        next = next.wrapping_add(7);
        byte
    })
}

/// The name of an error's variant, as the vector files give it.
pub fn kind(error: impl std::fmt::Debug) -> String {
    format!("{error:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// Whether this run writes what it would else compare.
pub fn writing() -> bool {
    std::env::var("MOSAIC_VECTORS").is_ok_and(|value| value == "write")
}

/// Holds a vector file against what the code says, or writes it.
///
/// # Panics
/// If the file differs or cannot be read.
pub fn settle(file: &str, content: &Value) {
    let text = format!("{content:#}\n");
    if writing() {
        fs::create_dir_all(root().join("vectors")).unwrap();
        fs::write(root().join("vectors").join(file), &text).unwrap();
    }
    compare(file, &text);
}

fn compare(file: &str, text: &str) {
    let path = root().join("vectors").join(file);
    let kept = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(kept == text, "{file} differs from the code; MOSAIC_VECTORS=write writes it anew if that is meant");
}

/// Keeps `bytes` as a seed of the fuzz target `target`, when this run writes.
///
/// # Panics
/// If the file cannot be written.
pub fn seed(target: &str, name: &str, bytes: &[u8]) {
    if writing() {
        let folder = root().join("fuzz/corpus").join(target);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name.replace(' ', "-").replace('\'', "")), bytes).unwrap();
    }
}

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_spoils_what_it_says() {
        let bytes = [1, 2, 3];
        assert_eq!(Edit::Length(1).apply(&bytes), [1]);
        assert_eq!(Edit::Append(vec![4]).apply(&bytes), [1, 2, 3, 4]);
        assert_eq!(Edit::flip(&bytes, 1).apply(&bytes), [1, 3, 3]);
        assert_eq!(Edit::flip(&bytes, 1).json(), json!({ "at": 1, "replace": "03" }));
    }

    #[test]
    #[should_panic(expected = "no-such-file.json")]
    fn a_file_that_is_missing_is_a_finding() {
        compare("no-such-file.json", "{}\n");
    }

    #[test]
    #[should_panic(expected = "differs from the code")]
    fn a_file_that_differs_is_a_finding() {
        compare("rfc8439-aead.json", "{}\n");
    }
}
