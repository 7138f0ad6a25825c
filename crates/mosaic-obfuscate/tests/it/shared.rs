use std::path::Path;

/// A file of the shared data sets. Missing, it fails the test in CI and is a reason to return early elsewhere.
pub(crate) fn shared(path: &str) -> Option<Vec<u8>> {
    let full = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")).join(path);
    match std::fs::read(&full) {
        Ok(bytes) => Some(bytes),
        Err(error) if std::env::var_os("CI").is_some_and(|ci| ci == "true") => {
            panic!("the shared data file {} is needed in CI: {error}", full.display())
        }
        Err(error) => {
            note(&format!("skipped: {} is not here ({error})", full.display()));
            None
        }
    }
}

fn note(text: &str) {
    eprintln!("{text}");
}
