//! Writes the Kotlin, Swift and Python that load the client's library (`crates/mosaic-uniffi`).

use std::path::Path;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use uniffi_bindgen::{
    BindgenPaths, BindgenPathsLayer,
    bindings::{GenerateOptions, TargetLanguage, generate_with_bindgen_paths},
};

/// Writes all three languages into `folder`; `library` is the built `libmosaic_uniffi.so` (`.dylib`, `.dll`), which says
/// itself what it offers.
///
/// # Errors
/// When the library cannot be read or the files cannot be written.
pub fn generate(library: &Path, folder: &Path) -> Result<()> {
    let path = |path: &Path| Utf8Path::from_path(path).map(Utf8Path::to_owned).context("a path is not UTF-8");
    let options = GenerateOptions {
        languages: vec![TargetLanguage::Kotlin, TargetLanguage::Swift, TargetLanguage::Python],
        source: path(library)?,
        out_dir: path(folder)?,
        ..GenerateOptions::default()
    };
    let mut paths = BindgenPaths::default();
    paths.add_layer(Client);
    generate_with_bindgen_paths(options, paths)
}

/// Where the client's `uniffi.toml` lies.
struct Client;

impl BindgenPathsLayer for Client {
    fn get_crate_root(&self, crate_name: &str) -> Option<camino::Utf8PathBuf> {
        let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../mosaic-uniffi");
        (crate_name == "mosaic_uniffi").then_some(root)
    }
}
