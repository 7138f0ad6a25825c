//! The client from another language: the generated Python loads the library and asks a real agent of a running practice
//! federation.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use crate::support::Install;

/// The library that this test program was linked with the Rust half of: cargo leaves it beside the test program.
fn library() -> PathBuf {
    let folder = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let newest = |path: &PathBuf| path.metadata().and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.trim_start_matches("lib").starts_with("mosaic_uniffi") && name.ends_with(std::env::consts::DLL_SUFFIX)
    };
    let all = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    all.filter(named).max_by_key(newest).unwrap_or_else(|| panic!("no library of the client in {}", folder.display()))
}

/// Kotlin, Swift and Python are written, and the Python one plays what a person does.
#[test]
fn python_asks_a_running_agent() {
    // linked here, so that cargo builds the library with this test
    assert_eq!(std::mem::size_of::<mosaic_uniffi::Place>(), 16);
    let (home, bindings) = (Install::new(), tempfile::tempdir().unwrap());
    let library = library();
    mosaic_bindgen::generate(&library, bindings.path()).unwrap();
    let written = |name: &str| bindings.path().join(name).metadata().map_or(0, |meta| meta.len());
    assert!(written("mosaic.py") > 10_000 && written("MosaicClient.swift") > 10_000, "Python and Swift are written");
    assert!(written("org/mosaic/client/mosaic.kt") > 10_000, "Kotlin is written");
    let loaded = format!("{}mosaic_uniffi{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    std::fs::copy(&library, bindings.path().join(loaded)).unwrap();

    let up = home.start(&["up"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/mosaic-uniffi/examples/evening.py");
    let play = || {
        let mut python = Command::new("python3");
        python
            .arg(&script)
            .arg(home.path())
            .env("PYTHONPATH", bindings.path())
            .output()
            .expect("this test needs python3")
    };
    let output = play();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("published b1") && said.contains("refused: identifying-words"), "{said}");
    assert_eq!(home.run(&["broadcast", "--list"]).done()["broadcasts"][0]["id"], "b1", "it is the agent's own");
    assert_eq!(up.stop(), 0);

    let output = play();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("NotRunning"), "an agent that is gone is said to be: {said}");
}
