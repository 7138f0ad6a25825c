use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead as _, BufReader},
    path::Path,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// `manifest.json` of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format, 1.
    pub format: u32,
    /// Version of the program that recorded.
    pub version: String,
    /// What was recorded.
    pub run: Run,
    /// Lines, bytes and hash of every file, by its path in the folder. That the truth has a hash here lets others check
    /// that it was fixed before they attacked.
    pub files: BTreeMap<String, Facts>,
    /// Whether anything true was readable where the design grants nothing.
    pub search: Search,
}

/// A run in figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Seed of people, places and wishes. Keys and noise come from the system: two runs of one seed differ in them.
    pub seed: u64,
    /// Honest people, each with an agent process.
    pub agents: usize,
    /// Agent processes of the Sybil peer.
    pub sybils: usize,
    /// First and last instant, in unix milliseconds of the run's own clock.
    pub from_ms: u64,
    /// See `from_ms`.
    pub until_ms: u64,
    /// How many times faster than the machine's clock the run's own went: delays of the machine and its loopback network
    /// look that many times longer than they were.
    pub speed: f64,
    /// Name of the area.
    pub area: String,
    /// Wishes said, and how many of them an agent withheld.
    pub wishes: [usize; 2],
    /// Events that agents released, those of the Sybil peer too.
    pub events: usize,
    /// Events that providers took, each counted once.
    pub deposits: usize,
}

/// A file in figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Lines, each one JSON object.
    pub lines: u64,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 of the file, as `sha256sum` prints it.
    pub sha256: String,
}

/// The search of all views for everything true: words, names, contacts, tokens and places in many encodings, in the text
/// of each line and behind its hexadecimal strings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// Needles that were planted in a line of the same form.
    pub planted: usize,
    /// How many of those the same search missed; anything but 0 makes it worthless.
    pub missed: usize,
    /// Bytes of needles found, by source. What a Sybil peer may open is searched for places and contacts only.
    pub found: BTreeMap<String, u64>,
}

/// Counts and hashes a file.
///
/// # Errors
/// When it cannot be read.
pub fn facts(path: &Path) -> io::Result<Facts> {
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path)?);
    let (mut facts, mut hash) = (Facts::default(), Sha256::new());
    loop {
        let part = reader.fill_buf()?;
        if part.is_empty() {
            break;
        }
        hash.update(part);
        facts.lines += part.iter().filter(|byte| **byte == b'\n').count() as u64;
        facts.bytes += part.len() as u64;
        let length = part.len();
        reader.consume(length);
    }
    facts.sha256 = hex::encode(hash.finalize());
    Ok(facts)
}
