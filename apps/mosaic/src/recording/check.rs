//! The search of a recording for whatever an adversary must not be able to read, with a control that it can find it.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

use mosaic_lab::views::{Search, View};
use serde_json::{Value, json};

use super::Watch;
use crate::{
    demo::{Plan, Record, Scan},
    exit::{Exit, OrExit, Outcome},
};

/// Searches every view. A Sybil peer may read words of cards whose topics it names (that is what discovery is for); it is
/// searched for places, contacts and tokens.
pub(super) fn search(plan: &Plan, records: &[Record], public: &[u8], watch: &Watch) -> Outcome<Search> {
    let all = Scan::of(plan, records, public);
    let secret = Scan::beyond_cards(plan, records, public);
    let mut search = Search::default();
    for scan in [&all, &secret] {
        for needle in scan.needles() {
            let line = json!({ "at_ms": 1, "bytes": hex::encode([&[0x5c; 9], needle, &[0x5c; 4]].concat()) });
            search.planted += 1;
            search.missed += usize::from(of_line(scan, &line.to_string()) == 0);
        }
    }
    for source in View::all_sources() {
        let scan = if source == "sybil" { &secret } else { &all };
        search.found.insert(source.clone(), of_file(scan, &watch.view(&source))?);
    }
    Ok(search)
}

fn of_file(scan: &Scan, path: &Path) -> Outcome<u64> {
    let doing = format!("cannot search {}", path.display());
    // a source that saw nothing may have no file yet
    let Ok(file) = File::open(path) else { return Ok(0) };
    let mut found = 0;
    for line in BufReader::new(file).lines() {
        found += of_line(scan, &line.or_exit(Exit::Local, &doing)?);
    }
    Ok(found)
}

/// Bytes of needles in the text of a line and behind its hexadecimal strings.
fn of_line(scan: &Scan, line: &str) -> u64 {
    let behind = serde_json::from_str(line).map_or(0, |value: Value| of_value(scan, &value));
    scan.readable(line.as_bytes()) + behind
}

fn of_value(scan: &Scan, value: &Value) -> u64 {
    match value {
        Value::String(text) => hex::decode(text).map_or(0, |bytes| scan.readable(&bytes)),
        Value::Array(values) => values.iter().map(|value| of_value(scan, value)).sum(),
        Value::Object(fields) => fields.values().map(|value| of_value(scan, value)).sum(),
        _ => 0,
    }
}
