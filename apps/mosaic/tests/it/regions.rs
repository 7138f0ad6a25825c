//! Regions of the place index: added, shown, renewed, taken away, and always joined into the one the agent uses.

use std::fs;

use serde_json::Value;

use crate::{demo::data, support::Install};

fn places(home: &Install) -> u64 {
    home.run(&["places", "show"]).done()["places"].as_u64().unwrap()
}

fn region(told: &Value, name: &str) -> Value {
    let regions = told["regions"].as_array().unwrap();
    regions.iter().find(|region| region["region"] == name).cloned().unwrap_or_default()
}

#[test]
fn regions_are_joined_into_one_index() {
    let (Some(monaco), Some(helsinki)) =
        (data("osm-extracts/monaco.osm.pbf"), data("osm-extracts/helsinki-centre.osm.pbf"))
    else {
        return;
    };
    let home = Install::new();
    assert_eq!(home.run(&["places", "list"]).done()["regions"].as_array().unwrap().len(), 0);
    let one = home.run(&["places", "add", "monaco", "--osm", &monaco]).done();
    assert_eq!(
        (&region(&one, "monaco")["date"], &region(&one, "monaco")["stale"]),
        (&"2021-04-21".into(), &true.into())
    );
    let alone = places(&home);
    let two = home.run(&["places", "add", "helsinki", "--osm", &helsinki]).done();
    let sum = ["monaco", "helsinki"].map(|name| region(&two, name)["places"].as_u64().unwrap()).iter().sum::<u64>();
    // what is mapped twice at one point with equal words is one place
    assert!(places(&home) <= sum && places(&home) > sum * 9 / 10, "{} of {sum}", places(&home));
    let shown = home.run(&["places", "show"]).done();
    assert!(shown["version"].as_str().unwrap().starts_with("2019-04-21 "), "{shown}");
    let attribution = fs::read_to_string(home.file("places-attribution.txt")).unwrap();
    assert!(attribution.contains("OpenStreetMap") && attribution.contains("ODbL"));

    home.run(&["places", "add", "monaco", "--osm", &monaco]).failed(2, "places update monaco");
    home.run(&["places", "update", "porto", "--osm", &monaco]).failed(2, "places list");
    home.run(&["places", "remove", "porto"]).failed(2, "places list");
    home.run(&["places", "update", "helsinki", "--osm", &monaco]).done();
    assert_eq!(places(&home), alone, "the same region twice is one region");
    home.run(&["places", "remove", "helsinki"]).done();
    home.run(&["places", "remove", "monaco"]).done();
    assert!(!home.file("places.mosaic").exists() && !home.file("places-attribution.txt").exists());
}

#[test]
fn bad_regions_are_refused_and_leave_everything_as_it_was() {
    let home = Install::new();
    let no_map = home.write("no-map.osm.pbf", "<osm/>");
    home.run(&["places", "add", "here", "--osm", &no_map]).failed(2, "no .osm.pbf file");
    home.run(&["places", "add", "../here", "--osm", &no_map]).failed(2, "small letters");
    home.run(&["places", "add", "here", "--osm", "missing.osm.pbf"]).failed(5, "cannot read");
    let empty = home.write("empty.places", "");
    home.run(&["places", "show", "--file", &empty]).failed(2, "mosaic places build");
    let old = home.write("old.places", "MOSAICPL\u{1}...");
    home.run(&["places", "show", "--file", &old]).failed(2, "build the file again");
    assert_eq!(home.run(&["places", "list"]).done()["regions"].as_array().unwrap().len(), 0);
}
