//! The release barrier (DESIGN section 5): `Releasable` is implemented in `mosaic-release` alone.

use std::path::Path;

use anyhow::Result;

use crate::{code, tree};

/// Where an implementation is allowed: the release crate, and the wire crate's own unit tests.
const ALLOWED: [&str; 2] = ["crates/mosaic-release/src", "crates/mosaic-wire/src/barrier/tests.rs"];

/// Looks through every Rust file for an implementation of the barrier's trait elsewhere, or another name for it.
pub(crate) fn check() -> Result<()> {
    let mut found = Vec::new();
    for path in tree::files("rs")? {
        if ALLOWED.iter().any(|allowed| path.starts_with(Path::new(allowed))) {
            continue;
        }
        let code = code::stripped(&tree::read(&path)?);
        found.extend(openings(&code).map(|opening| format!("{}: {opening}", path.display())));
    }
    tree::verdict("the release barrier is opened outside mosaic-release", &found)
}

/// Every place of `code` (as [`code::stripped`] gives it) that implements the trait or gives it another name, under
/// which the next search would miss it. A name of `_` names nothing.
fn openings(code: &str) -> impl Iterator<Item = String> + '_ {
    const TRAIT: &str = "Releasable";
    code.match_indices(TRAIT).filter_map(move |(at, _)| {
        let begins = !code[..at].ends_with(is_name);
        let after = code[at + TRAIT.len()..].trim_start();
        let renamed =
            after.strip_prefix("as ").is_some_and(|name| !name.starts_with('_') || name[1..].starts_with(is_name));
        let implemented = after.starts_with("for ") && !after.starts_with("for <") && !after.starts_with("for<");
        (begins && (implemented || renamed)).then(|| code[at..].chars().take(60).collect())
    })
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opens(text: &str) -> bool {
        openings(&code::stripped(text)).next().is_some()
    }

    #[test]
    fn only_the_release_crate_opens_the_barrier() {
        check().unwrap();
    }

    #[test]
    fn an_implementation_is_recognised_and_a_mention_is_not() {
        assert!(opens("impl<T> mosaic_wire::Releasable for Smuggler<T> {"));
        assert!(opens("impl<T>\n    Releasable\n    // why not\n    for Smuggler<T> {"), "over several lines");
        assert!(opens("impl Releasable/**/for Smuggler {"), "with a comment inside");
        assert!(opens("let url = \"https://x\"; impl Releasable for Smuggler {"), "behind what looks like a comment");
        assert!(!opens("// impl Releasable for Smuggler is what we look for"));
        assert!(!opens("let text = \"impl Releasable for Smuggler\";"));
        assert!(!opens("impl NotReleasable for Thing {} fn send(contact: &impl Releasable) {}"));
    }

    #[test]
    fn another_name_for_the_trait_is_recognised() {
        assert!(opens("use mosaic_wire::Releasable as Harmless;"));
        assert!(opens("use mosaic_wire::{encode, Releasable\n    as _Harmless};"));
        assert!(!opens("use mosaic_wire::{Releasable as _, encode};"), "this one cannot be implemented");
        assert!(!opens("<T as Releasable>::Object"));
    }
}
