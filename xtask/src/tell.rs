//! What a command says while it works.

/// What is being done, for who waits.
#[expect(clippy::print_stderr, reason = "progress of a command line tool")]
pub(crate) fn tell(text: &str) {
    eprintln!("xtask: {text}");
}
