//! Everything that reads a stranger's bytes, as one list.
//!
//! Each target takes any bytes and must neither panic nor accept what it would not write the same way
//! again. `fuzz/` drives the targets with libFuzzer; the tests of this crate replay the kept corpora in
//! `fuzz/corpus/` on the stable toolchain, so that every past finding stays found.

mod files;
mod peers;
mod wire;

/// One parser under test.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Name of the fuzz target and of its corpus folder.
    pub name: &'static str,
    /// Feeds it bytes; panics on a finding.
    pub run: fn(&[u8]),
}

/// Every target, wire objects first.
pub fn targets() -> impl Iterator<Item = Target> {
    wire::TARGETS.iter().chain(files::TARGETS).chain(peers::TARGETS).copied()
}

/// Runs the target of that name; a name that is in no list is a finding too.
pub fn run(name: &str, bytes: &[u8]) {
    let target = targets().find(|target| target.name == name);
    assert!(target.is_some(), "no target is called {name}");
    if let Some(target) = target {
        (target.run)(bytes);
    }
}
