//! `build-vocabulary INPUT_DIR > data/vocabulary.tsv`: makes the public vocabulary from the taxonomies in
//! `INPUT_DIR` (`osm_presets.csv.gz`, `foursquare_categories_en_fr_it.csv`) and the tables in `data/`.

use std::{
    error::Error,
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use mosaic_obfuscate::build::{self, Taxonomies};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).ok_or("usage: build-vocabulary INPUT_DIR")?;
    let presets = unzipped(&folder.join("osm_presets.csv.gz"))?;
    let categories = fs::read_to_string(folder.join("foursquare_categories_en_fr_it.csv"))?;
    let table = build::build(Taxonomies { presets: &presets, categories: &categories }, build::COMMITTED)?;
    let (classes, topics) = build::summary(&table);
    writeln!(io::stderr(), "{topics} topics in {classes} classes")?;
    io::stdout().write_all(table.as_bytes())?;
    Ok(())
}

fn unzipped(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(fs::File::open(path)?).read_to_string(&mut text)?;
    Ok(text)
}
