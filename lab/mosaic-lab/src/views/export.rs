use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use serde::Serialize;
use thiserror::Error;

use super::{FOLDER, Facts, Manifest, README, Run, View, facts};

/// What `export` wrote beside the lines: `OUT.manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exported {
    /// Version of the format, 1.
    pub format: u32,
    /// Version of the program that recorded.
    pub version: String,
    /// Who sees this.
    pub view: String,
    /// What was joined, in this order.
    pub sources: Vec<String>,
    /// The run.
    pub run: Run,
    /// Lines, bytes and hash of what was written.
    pub file: Facts,
}

/// Why a view was not exported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ViewError {
    /// A file could not be read or written.
    #[error("{} cannot be read or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No recording, or one of another version.
    #[error("{} is no recording of this version", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
    },
    /// A file is not the one that was recorded.
    #[error("{} is not as it was recorded: its hash is not the manifest's; record anew", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A provider that there is not.
    #[error("providers are numbered 1 to 3")]
    Provider,
}

/// Writes everything `view` sees of the recording in `from` as JSON Lines: the lines of its sources, one source after
/// the other, each with a first field `source`. A manifest and the description of all fields go beside it. The truth is
/// not read.
///
/// # Errors
/// [`ViewError`].
pub fn export(from: &Path, view: View, first_provider: u8, out: &Path) -> Result<Exported, ViewError> {
    if !(1..=3).contains(&first_provider) {
        return Err(ViewError::Provider);
    }
    let manifest = read_manifest(&from.join("manifest.json"))?;
    let sources = view.sources(first_provider);
    let mut writer = BufWriter::new(File::create(out).map_err(failed(out))?);
    for source in &sources {
        let name = format!("{FOLDER}/{source}.jsonl");
        let path = from.join(&name);
        if manifest.files.get(&name) != Some(&facts(&path).map_err(failed(&path))?) {
            return Err(ViewError::Changed { path });
        }
        for line in BufReader::new(File::open(&path).map_err(failed(&path))?).lines() {
            let line = line.map_err(failed(&path))?;
            // every line is an object that holds something
            let rest = line.strip_prefix('{').unwrap_or(&line);
            writeln!(writer, "{{\"source\":\"{source}\",{rest}").map_err(failed(out))?;
        }
    }
    writer.flush().map_err(failed(out))?;
    let told = Exported {
        format: manifest.format,
        version: manifest.version,
        view: view.to_string(),
        sources,
        run: manifest.run,
        file: facts(out).map_err(failed(out))?,
    };
    let text = serde_json::to_string_pretty(&told).unwrap_or_default();
    for (ending, text) in [("manifest.json", text.as_str()), ("README.md", README)] {
        let path = beside(out, ending);
        std::fs::write(&path, text).map_err(failed(&path))?;
    }
    Ok(told)
}

fn read_manifest(path: &Path) -> Result<Manifest, ViewError> {
    let bytes = std::fs::read(path).map_err(failed(path))?;
    let manifest = serde_json::from_slice::<Manifest>(&bytes).ok().filter(|manifest| manifest.format == 1);
    manifest.ok_or_else(|| ViewError::Manifest { path: path.to_owned() })
}

/// `OUT.ENDING`.
fn beside(out: &Path, ending: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

fn failed(path: &Path) -> impl Fn(io::Error) -> ViewError {
    move |source| ViewError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::views::Search;

    fn recording(folder: &Path) {
        std::fs::create_dir(folder.join(FOLDER)).unwrap();
        let mut files = BTreeMap::new();
        for source in View::all_sources() {
            let name = format!("{FOLDER}/{source}.jsonl");
            std::fs::write(folder.join(&name), format!("{{\"of\":\"{source}\"}}\n")).unwrap();
            files.insert(name.clone(), facts(&folder.join(&name)).unwrap());
        }
        let run = Run {
            seed: 1,
            agents: 2,
            sybils: 1,
            from_ms: 0,
            until_ms: 9,
            speed: 1.0,
            area: "nowhere".to_owned(),
            wishes: [2, 0],
            events: 3,
            deposits: 3,
        };
        let manifest = Manifest { format: 1, version: "0".to_owned(), run, files, search: Search::default() };
        std::fs::write(folder.join("manifest.json"), serde_json::to_vec(&manifest).unwrap()).unwrap();
    }

    #[test]
    fn each_view_holds_its_sources_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        recording(folder.path());
        for view in View::ALL {
            let out = folder.path().join(view.to_string());
            let told = export(folder.path(), view, 2, &out).unwrap();
            let text = std::fs::read_to_string(&out).unwrap();
            let expected = view.sources(2).iter().fold(String::new(), |text, source| {
                text + &format!("{{\"source\":\"{source}\",\"of\":\"{source}\"}}\n")
            });
            assert_eq!((text, told.file.lines), (expected, view.sources(2).len() as u64));
            assert!(beside(&out, "README.md").exists() && beside(&out, "manifest.json").exists());
        }
        assert_eq!(View::P2.sources(3)[2], "provider-1.requests");
        assert_eq!("pa".parse(), Ok(View::Pa));
        assert!(matches!(export(folder.path(), View::P1, 4, folder.path()), Err(ViewError::Provider)));
    }

    #[test]
    fn a_changed_file_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        recording(folder.path());
        std::fs::write(folder.path().join("views/network.jsonl"), "{\"of\":\"other\"}\n").unwrap();
        let out = folder.path().join("out");
        assert!(matches!(export(folder.path(), View::N, 1, &out), Err(ViewError::Changed { .. })));
        assert!(export(folder.path(), View::P1, 1, &out).is_ok());
        assert!(matches!(export(&out, View::N, 1, &out), Err(ViewError::File { .. })));
    }
}
