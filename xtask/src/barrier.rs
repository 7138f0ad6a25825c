//! The release barrier (DESIGN section 5): `Releasable` is implemented in `mosaic-release` alone.

use std::path::Path;

use anyhow::Result;

use crate::tree;

/// Where an implementation is allowed: the release crate, and the wire crate's own unit tests.
const ALLOWED: [&str; 2] = ["crates/mosaic-release/src", "crates/mosaic-wire/src/barrier/tests.rs"];

/// Looks through every Rust file for an implementation of the barrier's trait elsewhere.
pub(crate) fn check() -> Result<()> {
    let mut found = Vec::new();
    for path in tree::files("rs")? {
        if ALLOWED.iter().any(|allowed| path.starts_with(Path::new(allowed))) {
            continue;
        }
        for (number, line) in tree::read(&path)?.lines().enumerate() {
            if opens_the_barrier(line) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    tree::verdict("the release barrier is opened outside mosaic-release", &found)
}

/// Whether a line of code implements the trait. Comments do not.
fn opens_the_barrier(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let words: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    words.contains("impl") && words.contains(concat!("Releas", "able for "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_release_crate_opens_the_barrier() {
        check().unwrap();
    }

    #[test]
    fn an_implementation_is_recognised_and_a_mention_is_not() {
        assert!(opens_the_barrier(concat!("impl<T> mosaic_wire::Releas", "able for Smuggler<T> {")));
        assert!(!opens_the_barrier(concat!("// impl Releas", "able for Smuggler is what we look for")));
    }
}
