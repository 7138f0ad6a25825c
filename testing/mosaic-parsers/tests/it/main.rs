//! Replays the kept fuzz corpora and feeds every target some noise, on the stable toolchain.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod seeds;

use std::{collections::BTreeSet, fs, path::PathBuf};

use mosaic_parsers::{run, targets};
use proptest::prelude::*;

fn fuzz() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz"))
}

/// The names in a folder, without a file extension.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(fuzz().join(folder)).unwrap().map(Result::unwrap);
    entries.map(|entry| entry.path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn every_target_has_a_corpus_and_a_binary_and_nothing_else_does() {
    let known: BTreeSet<_> = targets().map(|target| target.name.to_owned()).collect();
    assert_eq!(names("corpus"), known);
    assert_eq!(names("fuzz_targets"), known);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    assert!(known.iter().all(|name| manifest.contains(&format!("name = \"{name}\""))));
}

#[test]
fn the_corpora_hold_no_finding() {
    for target in targets() {
        let files = fs::read_dir(fuzz().join("corpus").join(target.name)).unwrap().map(|entry| entry.unwrap().path());
        let files: Vec<_> = files.collect();
        assert!(!files.is_empty(), "{} has no corpus", target.name);
        for file in files {
            run(target.name, &fs::read(&file).unwrap());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Each kept file with one byte changed and a tail cut off.
    #[test]
    fn damaged_seeds_never_panic(at: prop::sample::Index, flip in 1_u8.., keep: prop::sample::Index) {
        for target in targets() {
            for file in fs::read_dir(fuzz().join("corpus").join(target.name)).unwrap() {
                let mut bytes = fs::read(file.unwrap().path()).unwrap();
                if bytes.is_empty() {
                    continue;
                }
                let place = at.index(bytes.len());
                bytes[place] ^= flip;
                run(target.name, &bytes);
                bytes.truncate(keep.index(bytes.len()));
                run(target.name, &bytes);
            }
        }
    }
}
