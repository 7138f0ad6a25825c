//! The main job in small: everybody is found, and a search of the providers' folders finds nothing.

use std::{fs::File, path::PathBuf, process::Stdio};

use serde_json::Value;

use crate::support::{Install, command, ended};

/// Some twenty minutes of wishes, and an hour to be found in.
const EVENING: [&str; 5] = ["demo", "--hours", "1.8", "--speed", "150"];

/// A data set beside the checkout. CI has all of them; elsewhere a test without its data is skipped.
pub(crate) fn data(name: &str) -> Option<String> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../../shared/data", name].iter().collect();
    if path.exists() {
        return Some(path.display().to_string());
    }
    assert!(std::env::var_os("CI").is_none(), "{name} is missing; the data sets belong beside the checkout");
    None
}

/// Plays one evening; two at a time would not get through the same virtual hour on two cores.
fn evening(home: &Install, more: &[&str]) -> Value {
    let alone = File::create(concat!(env!("CARGO_TARGET_TMPDIR"), "/evening.lock")).unwrap();
    alone.lock().unwrap();
    home.run(&[&EVENING[..], more].concat()).done()
}

/// How many of the pairs must be found within an hour. Zones are shown once an hour, so some come a little late; how many
/// zones there are depends on the noise that the devices of the evening happen to draw.
#[derive(Clone, Copy)]
struct Recall {
    /// Of all pairs.
    all: f64,
    /// Of those whose place was released finely.
    fine: f64,
}

/// Generated people: two have spent their ledger before the evening. One evening in seven nobody found one of these two,
/// which misses the aim of 0.95 for all pairs (docs/book/measurements.md).
const WALKERS: Recall = Recall { all: 0.80, fine: 0.95 };
/// Cabs drive across a sparse map: more of their places leave as zones, and the aim is missed oftener.
const CABS: Recall = Recall { all: 0.70, fine: 0.95 };

/// Every figure the demo promises, within what an evening of `agents` people can give.
fn judge(told: &Value, agents: u64, least_pairs: u64, recall: Recall) {
    let number = |name: &str| told[name].as_f64().unwrap_or_else(|| panic!("{name} is no number: {told}"));
    let count = |name: &str| told[name].as_u64().unwrap_or_else(|| panic!("{name} is no count: {told}"));
    assert_eq!(count("agents"), agents);
    assert!(count("discovery_pairs") >= least_pairs, "{told}");
    assert!((recall.all..=1.0).contains(&number("discovery_recall")), "{told}");
    let (pairs, zones) = (count("discovery_pairs") as f64, count("discovery_pairs_exhausted") as f64);
    let found = |name: &str, of: f64| if of > 0.0 { number(name) * of } else { 0.0 };
    let fine = found("discovery_recall", pairs) - found("discovery_recall_exhausted", zones);
    // figures are rounded to thousandths
    assert!(pairs > zones && fine >= recall.fine * (pairs - zones) - 0.1, "{told}");
    let precision = number("discovery_precision");
    assert!(precision > 0.0 && precision <= 1.0, "{told}");
    assert!(number("cards_per_real_person") >= 1.0, "decoys are shown as well: {told}");
    quantiles(told, "minutes_to_discovery");
    quantiles(told, "minutes_to_contact");
    assert!(told["minutes_to_discovery"]["p50"].as_f64().unwrap() <= 60.0, "{told}");
    assert_eq!(told["minutes_to_discovery"]["cases"], told["discovery_pairs"], "{told}");
    assert_eq!(
        (told["association_ok"].as_bool(), told["contacts_equal"].as_bool()),
        (Some(true), Some(true)),
        "{told}"
    );
    let sides = told["token_associations"].as_array().unwrap();
    assert!(sides[0] == sides[1] && sides[1].as_u64().unwrap() >= 2 && count("contacts") > 0, "{told}");
    // a balanced agent sends ten events an hour, whatever happens
    let expected = agents as f64 * 1.8 * 10.0;
    let released = count("events_released") as f64;
    assert!((0.7 * expected..=1.3 * expected).contains(&released), "{told}");
    let acked = count("deposits_acked") as f64;
    assert!(acked > 0.9 * released && acked <= released, "{told}");
    // an event of 2 KiB with its answers, and whole generations read: some megabytes, not gigabytes
    assert!((1_000_000..1_000_000_000).contains(&count("bytes_per_agent_day")), "{told}");
    assert_eq!(count("provider_readable_bytes"), 0, "{told}");
    assert!(count("provider_scanned_bytes") > 2_048 * count("deposits_acked"), "{told}");
    assert!(count("scan_planted_bytes") > 0 && count("scan_control_bytes") >= count("scan_planted_bytes"), "{told}");
    assert_eq!(count("scan_control_missed"), 0, "{told}");
    assert!(count("wishes_withheld") <= count("wishes") && told["pairs_excluded"].is_u64(), "{told}");
    if count("discovery_pairs_exhausted") > 0 {
        assert!((0.0..=1.0).contains(&number("discovery_recall_exhausted")), "{told}");
    }
    assert!((1.8 * 3_600.0 / 150.0..600.0).contains(&number("wall_seconds")), "{told}");
}

/// A quantile is a number of minutes within the evening, or null because it falls among what never came.
fn quantiles(told: &Value, name: &str) {
    let spread = &told[name];
    let count = |part: &str| spread[part].as_u64().unwrap_or_else(|| panic!("{name}.{part} is no count: {told}"));
    let (cases, came) = (count("cases"), count("cases") - count("never"));
    assert!(cases > 0 && came > 0, "{name}: {told}");
    let mut least = 0.0;
    for (part, percent) in [("p50", 50), ("p95", 95)] {
        if (cases * percent).div_ceil(100) > came {
            assert!(spread[part].is_null(), "{name}.{part}: {told}");
        } else {
            let minutes = spread[part].as_f64().unwrap_or_else(|| panic!("{name}.{part} is no number: {told}"));
            assert!((least..=108.0).contains(&minutes), "{name}.{part}: {told}");
            least = minutes;
        }
    }
}

/// A promise that was broken is told once: the figures and the failure in one object, with exit code 3. What breaks it
/// is a name of the evening that the test writes into a provider's folder meanwhile.
#[test]
fn a_broken_promise_is_one_object() {
    let home = Install::new();
    let keep = home.file("kept");
    let mut run = command(home.path());
    run.args(["demo", "--agents", "2", "--hours", "1.7", "--speed", "1800", "--keep"]).arg(&keep);
    let mut child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !keep.join("federation.json").exists() {
        assert!(child.try_wait().unwrap().is_none(), "the demo ended early");
        std::thread::yield_now();
    }
    std::fs::write(keep.join("provider-1/planted"), "Anahita100 was here").unwrap();
    let ran = ended(child.wait_with_output().unwrap());
    assert_eq!((ran.code, &ran.json["error"]["exit"]), (3, &3.into()), "{} {}", ran.json, ran.stderr);
    assert_eq!(ran.json["provider_readable_bytes"], 10, "{}", ran.json);
}

/// In the built-in city.
#[test]
fn a_small_evening() {
    let told = evening(&Install::new(), &["--agents", "24", "--seed", "2"]);
    judge(&told, 24, 16, WALKERS);
    assert!(told["discovery_pairs_exhausted"].as_u64().unwrap() >= 4, "{told}");
}

#[test]
fn an_evening_in_porto() {
    let Some(places) = data("osm-extracts/porto.osm.pbf") else { return };
    let told = evening(&Install::new(), &["--places", &places, "--agents", "20", "--seed", "2"]);
    judge(&told, 20, 12, WALKERS);
}

#[test]
fn an_evening_in_manhattan() {
    let Some(places) = data("osm-extracts/manhattan-midtown.osm.pbf") else { return };
    let told = evening(&Install::new(), &["--places", &places, "--agents", "20", "--seed", "4"]);
    judge(&told, 20, 12, WALKERS);
}

/// Recorded movement: converted, its own stops as places, then an evening of the people recorded.
#[test]
fn an_evening_of_recorded_people() {
    let Some(cabs) = data("cabspotting-sf/traces-delta.csv.gz") else { return };
    let home = Install::new();
    let csv = home.file("cabs.csv").display().to_string();
    let told = home.run(&["traces", "convert", "--from", "cabspotting-delta", &cabs, "--output", &csv]).done();
    assert!(told["users"].as_u64().unwrap() >= 100, "{told}");
    let places = home.file("sf.places").display().to_string();
    let built = home.run(&["places", "build", "--stays", &csv, "--output", &places]).done();
    assert!(built["places"].as_u64().unwrap() > 100, "{built}");
    assert_eq!(home.run(&["places", "show", "--file", &places]).done()["places"], built["places"]);

    let told = evening(&home, &["--traces", &csv, "--agents", "24", "--seed", "1"]);
    assert_eq!(told["area"], "the recording's own stops");
    judge(&told, 24, 16, CABS);
}
