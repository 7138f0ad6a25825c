use crate::support::Install;

/// The main job in small: everybody is found, and a search of the providers' folders finds nothing.
#[test]
fn a_small_evening() {
    let home = Install::new();
    let ran = home.run(&["demo", "--agents", "16", "--hours", "1.8", "--speed", "200", "--seed", "3"]);
    let told = ran.done();
    assert!(told["discovery_pairs"].as_u64().unwrap() >= 4, "{told}");
    assert!(told["discovery_recall"].as_f64().unwrap() >= 0.95, "{told}");
    assert_eq!(told["provider_readable_bytes"], 0, "{told}");
    assert!(told["scan_control_bytes"].as_u64().unwrap() > 0 && told["contacts_equal"] == true, "{told}");
    assert_eq!(told["association_ok"], true, "{told}");
    assert!(told["deposits_acked"].as_u64().unwrap() > 0, "{told}");
}

/// Real places and real movement, as far as this checkout has them.
#[test]
fn recorded_movement_converts() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/cabspotting-sf/traces-delta.csv.gz");
    if !std::path::Path::new(data).exists() {
        assert!(std::env::var_os("CI").is_none(), "{data} is missing; the data sets belong beside the checkout");
        return;
    }
    let home = Install::new();
    let csv = home.file("cabs.csv").display().to_string();
    let told =
        home.run(&["traces", "convert", "--from", "cabspotting-delta", "--input", data, "--output", &csv]).done();
    assert!(told["users"].as_u64().unwrap() >= 100, "{told}");
    let places = home.file("sf.places").display().to_string();
    let built = home.run(&["places", "build", "--stays", &csv, "--output", &places]).done();
    assert!(built["places"].as_u64().unwrap() > 100, "{built}");
    assert_eq!(home.run(&["places", "show", "--file", &places]).done()["places"], built["places"]);
}
