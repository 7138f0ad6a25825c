//! A tiny evening, recorded; every view exported; what each may hold, and what the truth says about it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use serde_json::Value;

use crate::support::Install;

const AGENTS: usize = 4;

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:.200}"))).collect()
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().unwrap_or_else(|| panic!("no {field} in {line}"))
}

/// Every text of a line, and what its hexadecimal strings hold.
fn contents(value: &Value, found: &mut Vec<u8>) {
    match value {
        Value::String(text) => {
            found.extend(text.as_bytes());
            found.push(b'\n');
            found.extend(hex_bytes(text).unwrap_or_default());
        }
        Value::Number(number) => found.extend(number.to_string().as_bytes()),
        Value::Array(values) => values.iter().for_each(|value| contents(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| contents(value, found)),
        Value::Bool(_) | Value::Null => {}
    }
    found.push(b'\n');
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn holds(view: &[u8], needle: &[u8]) -> bool {
    view.windows(needle.len()).any(|part| part == needle)
}

/// One recording serves all that is to be shown: it takes as long as the evening.
#[test]
fn a_recorded_evening_joins_with_its_truth_and_shows_nothing_else() {
    let home = Install::new();
    let dir = home.file("evening");
    let name = dir.display().to_string();
    let agents = AGENTS.to_string();
    let told = home
        .run(&["lab", "record", "--out", &name, "--agents", &agents, "--hours", "1.7", "--speed", "200", "--seed", "5"])
        .done();
    let manifest = &told["manifest"];
    assert_eq!(manifest["search"]["missed"], 0);
    assert!(manifest["search"]["planted"].as_u64().unwrap() > 100, "{manifest}");
    let again = home.run(&["lab", "record", "--out", &name, "--agents", "2", "--hours", "1.7"]);
    again.failed(2, "holds a recording already");

    let truth_file = dir.join("truth.jsonl");
    assert_eq!(fs::metadata(&truth_file).unwrap().permissions().mode() & 0o777, 0o600);
    let truth = lines(&truth_file);
    let of_kind = |kind: &str| truth.iter().filter(|line| line["kind"] == kind).collect::<Vec<_>>();
    assert_eq!(of_kind("person").len(), AGENTS);
    let events: BTreeMap<&str, &Value> = of_kind("event").into_iter().map(|line| (text(line, "event"), line)).collect();
    assert_eq!(events.len() as u64, manifest["run"]["events"].as_u64().unwrap());
    assert!(events.len() > AGENTS * 8, "{} events in 1.7 hours", events.len());

    // no export needs the truth
    fs::rename(&truth_file, home.file("hidden")).unwrap();
    let views: BTreeMap<&str, Vec<Value>> = ["N", "P1", "P2", "PA", "Y", "C"]
        .into_iter()
        .map(|view| {
            let out = home.file(&format!("{view}.jsonl"));
            let told =
                home.run(&["lab", "export", "--view", view, "--from", &name, "--out", &out.display().to_string()]);
            let told = told.done();
            let lines = lines(&out);
            assert_eq!(told["file"]["lines"].as_u64().unwrap(), lines.len() as u64);
            assert!(!lines.is_empty(), "{view} saw nothing");
            assert!(home.file(&format!("{view}.jsonl.README.md")).exists());
            (view, lines)
        })
        .collect();

    deposits_join(&views, &events, manifest);
    the_network_sees_devices(&views["N"], &of_kind("person"));
    the_sybil_opens_cards(&views["Y"], &of_kind("wish"));
    nothing_true_is_readable(&views, &truth);
}

/// A Sybil peer opens cards of people, which it cannot tell, and of personas, which are many more.
fn the_sybil_opens_cards(opened: &[Value], wishes: &[&Value]) {
    let cards =
        wishes.iter().flat_map(|wish| wish["cards"].as_array().unwrap().iter().map(|card| card.as_str().unwrap()));
    let real: BTreeSet<&str> = cards.collect();
    let seen: BTreeSet<&str> = opened.iter().map(|line| text(&line["card"], "id")).collect();
    let found = seen.intersection(&real).count();
    assert!(found > 0 && seen.len() >= 5 * found, "{found} real of {} opened", seen.len());
}

/// Every deposit that a provider took is an event of the truth, in the same bytes; all providers together took as many
/// as the manifest says, and all but the last few of those released.
fn deposits_join(views: &BTreeMap<&str, Vec<Value>>, events: &BTreeMap<&str, &Value>, manifest: &Value) {
    let taken = |view: &str| -> BTreeSet<String> {
        let deposits = views[view].iter().filter(|line| line["request"]["kind"] == "deposit");
        let taken = deposits.filter(|line| line["reply"]["kind"] == "receipt");
        taken
            .map(|line| {
                assert_eq!(text(&line["request"], "bytes").len(), 2 * 2_048);
                text(&line["request"], "event").to_owned()
            })
            .collect()
    };
    let (one, two, all) = (taken("P1"), taken("P2"), taken("PA"));
    assert!(!one.is_empty() && one.is_subset(&two) && two.is_subset(&all) && one.len() < all.len());
    assert!(all.iter().all(|event| events.contains_key(event.as_str())), "a deposit that nobody released");
    assert_eq!(all.len() as u64, manifest["run"]["deposits"].as_u64().unwrap());
    assert!(all.len() * 10 >= events.len() * 8, "{} of {} arrived", all.len(), events.len());
    for line in events.values() {
        let (slots, real) = (line["slots"].as_array().unwrap(), line["real"].as_array().unwrap());
        assert_eq!((slots.len(), real.len()), (10, 10));
        for (slot, real) in slots.iter().zip(real) {
            assert_eq!(real == true, ["broadcast", "frame"].contains(&slot.as_str().unwrap()), "{line}");
        }
    }
    assert!(events.values().any(|line| line["slots"].as_array().unwrap().contains(&"broadcast".into())));
    assert!(views["P1"].iter().any(|line| line["reply"]["points"].as_array().is_some_and(|points| points.len() == 16)));
    let stored = |bucket: &str| views["P1"].iter().any(|line| line["bucket"] == bucket);
    assert!(stored("blocks") && stored("heads") && stored("share-keys"));
    assert!(views["P1"].iter().all(|line| text(line, "source").starts_with("provider-1.")));
}

/// Each device has an address of its own, which connects to providers and sends.
fn the_network_sees_devices(network: &[Value], people: &[&Value]) {
    for person in people {
        let of_device = network.iter().filter(|line| line["client"] == person["client"]);
        let sent: u64 = of_device.filter(|line| line["up"] == true).map(|line| line["bytes"].as_u64().unwrap()).sum();
        assert!(sent > 4_096, "{person} sent {sent} bytes");
    }
    let opened = network.iter().filter(|line| line["event"] == "open").count();
    let closed = network.iter().filter(|line| line["event"] == "close").count();
    assert!(opened > 0 && closed <= opened);
    assert!(network.iter().all(|line| line["bytes"].as_u64().is_none_or(|bytes| (1..=16_384).contains(&bytes))));
}

/// No words, no names, no true place in any view; but a Sybil peer may read the words of cards whose topic it names.
fn nothing_true_is_readable(views: &BTreeMap<&str, Vec<Value>>, truth: &[Value]) {
    let wishes: Vec<&Value> = truth.iter().filter(|line| line["kind"] == "wish").collect();
    assert!(wishes.len() >= AGENTS);
    let mut planted = Vec::new();
    truth.iter().for_each(|line| contents(line, &mut planted));
    let raw: BTreeMap<&str, Vec<u8>> = views
        .iter()
        .map(|(view, lines)| {
            let mut found = Vec::new();
            lines.iter().for_each(|line| contents(line, &mut found));
            (*view, found)
        })
        .collect();
    for wish in wishes {
        let words = text(wish, "words");
        let coordinate = |field: &str| format!("{:.6}", wish[field].as_f64().unwrap());
        let bytes = |field: &str| wish[field].as_f64().unwrap().to_le_bytes();
        // the control: the same search finds them in the truth
        assert!(holds(&planted, words.as_bytes()) && holds(&planted, &coordinate("lat").as_bytes()[..8]));
        for (view, found) in &raw {
            assert!(!holds(found, words.as_bytes()) || *view == "Y", "{view} holds {words}");
            for field in ["lat", "lon"] {
                assert!(!holds(found, &coordinate(field).as_bytes()[..8]), "{view} holds the place of {words}");
                assert!(!holds(found, &bytes(field)), "{view} holds the place of {words}");
            }
        }
    }
}

/// A small city: the documented CSV reads back, friendships name people who are in it, and a seed gives one city.
#[test]
fn a_generated_city() {
    let home = Install::new();
    let out = home.file("city.csv").display().to_string();
    let make = |out: &str| {
        home.run(&["lab", "city", "--people", "120", "--days", "3", "--seed", "9", "--out", out]).done();
    };
    make(&out);
    let found = home.run(&["debug", "validate-trajectory", "--file", &out, "--travel", "transit"]);
    assert_eq!(found.code, 0, "{} {}", found.json, found.stderr);
    let text = fs::read_to_string(&out).unwrap();
    assert!(text.starts_with("user,time,lat,lon,category\n") && text.contains(",outing\n"));
    let users: BTreeSet<&str> = text.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(users.len(), 120);
    let friends = fs::read_to_string(home.file("city.friends.csv")).unwrap();
    let pairs: Vec<(&str, &str)> = friends.lines().skip(1).map(|line| line.split_once(',').unwrap()).collect();
    assert!(pairs.len() > 150 && pairs.iter().all(|(a, b)| a < b && users.contains(a) && users.contains(b)));
    let again = home.file("again.csv").display().to_string();
    make(&again);
    assert_eq!(fs::read_to_string(&again).unwrap(), text);
    assert_eq!(fs::read_to_string(home.file("again.friends.csv")).unwrap(), friends);
}

/// A persona's day as JSON, as a map and as positions: the same day each time, and the positions are read by the command
/// that checks recorded movement.
#[test]
fn a_personas_day_is_told_in_three_ways() {
    let home = Install::new();
    let tell =
        |extra: &[&str]| home.run(&[&["lab", "persona", "--day", "2026-11-21", "--member", "3"], extra].concat());
    let day = tell(&[]).done();
    let (stops, trips) = (day["stops"].as_array().unwrap(), day["trips"].as_array().unwrap());
    assert_eq!(trips.len() + 1, stops.len());
    assert_eq!((&stops[0]["why"], &stops[stops.len() - 1]["why"]), (&"home".into(), &"home".into()));
    assert_eq!(tell(&[]).done(), day);
    assert_ne!(tell(&["--seed", "2"]).done(), day);

    let map = tell(&["--format", "geojson"]).done();
    assert_eq!(map["type"], "FeatureCollection");
    assert_eq!(map["features"].as_array().unwrap().len(), stops.len() + trips.len());
    let file = home.file("day.csv");
    tell(&["--format", "csv", "--every", "30s", "--out", &file.display().to_string()]).done();
    let csv = fs::read_to_string(&file).unwrap();
    assert!(csv.starts_with("user,time,lat,lon,category\npersona-1-3,") && csv.lines().count() == 2 * 1_440 + 2);
    for (wrong, what) in [(["--day", "2026-02-30"], "a day reads"), (["--member", "12"], "no such persona")] {
        home.run(&[&["lab", "persona"], wrong.as_slice()].concat()).failed(2, what);
    }
}
