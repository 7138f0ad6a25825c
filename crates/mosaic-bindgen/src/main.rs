//! `mosaic-bindgen LIBRARY FOLDER`: see the library of this name.

use std::path::PathBuf;

use clap::Parser;

/// Write the Kotlin, Swift and Python that load the client's library.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  cargo build -p mosaic-uniffi --locked
  cargo run -p mosaic-bindgen --locked -- target/debug/libmosaic_uniffi.so target/bindings")]
struct Arguments {
    /// The built library
    library: PathBuf,
    /// Where the files go
    folder: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let Arguments { library, folder } = Arguments::parse();
    mosaic_bindgen::generate(&library, &folder)
}
