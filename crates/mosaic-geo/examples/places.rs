//! What the place index costs, as one JSON object a line, for measurements and comparisons:
//!
//! ```text
//! places build EXTRACT.osm.pbf INDEX     read an extract, write an index
//! places million INDEX                   write an index of a million generated places
//! places resident INDEX                  open it, search it, and tell the memory
//! places measure INDEX-OR-EXTRACT        what checks and destinations take, and how often they name a real venue
//! ```
#![expect(clippy::print_stdout, reason = "its output is its purpose")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::{
    error::Error,
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use mosaic_geo::{
    LocalTime, Place, PlaceIndex, Provenance,
    hours::OpeningHours,
    movement::Travel,
    offset_m,
    plausibility::{Journey, Profile, check, destination, score, temporal_score},
    synthetic_city_for,
};
use mosaic_types::Timestamp;
use rand::RngExt as _;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

/// How many checks and destinations are timed.
const ASKED: usize = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["build", extract, index] => build(extract, index),
        ["million", index] => million(index),
        ["resident", index] => resident(index),
        ["measure", file] => measure(file),
        _ => Err("usage: places build EXTRACT INDEX | million INDEX | resident INDEX | measure FILE".into()),
    }
}

fn build(extract: &str, output: &str) -> Result<(), Box<dyn Error>> {
    let begin = Instant::now();
    let bytes = fs::read(extract)?;
    let index = PlaceIndex::from_osm_pbf(&bytes)?;
    fs::write(output, index.as_bytes())?;
    let seconds = begin.elapsed().as_secs_f64();
    let megabytes = as_number(bytes.len()) / 1e6;
    println!(
        "{{\"extract_mb\":{megabytes:.3},\"seconds\":{seconds:.4},\"mb_per_second\":{:.2},{}}}",
        megabytes / seconds,
        sizes(&index)
    );
    Ok(())
}

/// What the file holds, names included.
fn sizes(index: &PlaceIndex) -> String {
    let (places, bytes) = (index.len(), index.as_bytes().len());
    let each = as_number(bytes) / as_number(places.max(1));
    format!("\"places\":{places},\"bytes\":{bytes},\"bytes_per_place\":{each:.1}")
}

/// Three of the largest generated cities side by side.
fn million(output: &str) -> Result<(), Box<dyn Error>> {
    let city = synthetic_city_for(1, 512_000);
    let moved = |number: usize, place: Place| {
        let position = offset_m(place.position, 70_000.0 * as_number(number), 0.0);
        Place { position, name: format!("{} {number}", place.name), ..place }
    };
    let places = (0..3).flat_map(|number| city.all().iter().map(move |place| moved(number, place.to_place())));
    let index = PlaceIndex::from_places(places.take(1_000_000).collect(), Provenance::new("generated", None));
    fs::write(output, index.as_bytes())?;
    println!("{{{}}}", sizes(&index));
    Ok(())
}

fn resident(file: &str) -> Result<(), Box<dyn Error>> {
    let before = kilobytes("VmRSS:");
    let bytes = fs::read(file)?;
    let begin = Instant::now();
    let index = PlaceIndex::open(bytes)?;
    let opened = begin.elapsed().as_secs_f64();
    for place in index.all().iter().step_by(997) {
        black_box(index.nearest(place.position, 10));
    }
    let (now, most) = (kilobytes("VmRSS:"), kilobytes("VmHWM:"));
    println!(
        "{{{},\"open_seconds\":{opened:.4},\"resident_mb\":{:.1},\"peak_mb\":{:.1}}}",
        sizes(&index),
        (now - before) / 1e3,
        most / 1e3
    );
    Ok(())
}

fn measure(file: &str) -> Result<(), Box<dyn Error>> {
    let bytes = fs::read(file)?;
    let index = if file.ends_with(".pbf") { PlaceIndex::from_osm_pbf(&bytes)? } else { PlaceIndex::open(bytes)? };
    let (mut rng, profile) = (ChaCha20Rng::seed_from_u64(1), Profile::neutral());
    let (mut checks, mut drives, mut real, mut drawn) = (Vec::new(), Vec::new(), 0, 0);
    for _ in 0..ASKED {
        let spot = index.get(rng.random_range(0..index.len().max(1))).ok_or("the index is empty")?;
        let at = LocalTime::at(Timestamp::from_secs(1_780_272_000 + rng.random_range(0..604_800)), 0);
        let from = offset_m(spot.position, rng.random_range(-300.0..300.0), rng.random_range(-300.0..300.0));
        checks.push(least(|| drop(black_box(check(&index, from, at, &profile)))));
        let journey = Journey { from, travel: Travel::Drive, time: Duration::from_hours(1) };
        let (start, mut found) = (rng.clone(), None);
        drives.push(least(|| {
            rng = start.clone();
            found = destination(&index, &journey, at, &profile, &mut rng);
        }));
        if let Some(found) = found {
            drawn += 1;
            let venue = index
                .in_cell(found.place.cell())
                .iter()
                .any(|place| place.kind.category().is_visited() && temporal_score(place, at) > score::COUNTS_ABOVE);
            real += usize::from(venue);
        }
    }
    let hours: Vec<&str> = index.all().iter().filter_map(|place| place.hours()).collect();
    let understood = hours.iter().filter(|text| OpeningHours::parse(text).is_ok()).count();
    println!(
        "{{{},\"check_us\":{},\"destination_1_h_drive_us\":{},\"destinations\":{drawn},\"with_a_venue_that_counts\":{real},\"opening_hours\":{},\"understood\":{understood}}}",
        sizes(&index),
        quantiles(checks),
        quantiles(drives),
        hours.len()
    );
    Ok(())
}

/// The least of three times of the same work: what it takes when nothing else runs in between.
fn least(mut work: impl FnMut()) -> Duration {
    let timed = |_| {
        let begin = Instant::now();
        work();
        begin.elapsed()
    };
    (0..3).map(timed).min().unwrap_or_default()
}

/// Median, 99th percentile and maximum in microseconds.
fn quantiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |share: usize| {
        let rank = (times.len() * share / 1_000).min(times.len().saturating_sub(1));
        times.get(rank).map_or(0.0, |time| time.as_secs_f64() * 1e6)
    };
    format!("{{\"p50\":{:.2},\"p99\":{:.2},\"max\":{:.2}}}", at(500), at(990), at(1_000))
}

/// A line of this process's memory statistics in kB; 0 where the system keeps none.
fn kilobytes(line: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|told| told.strip_prefix(line));
    found.and_then(|told| told.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0.0)
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
const fn as_number(count: usize) -> f64 {
    count as f64
}
