use mosaic_api::{
    AssociateBody, BroadcastBody, BroadcastRequest, Problem, ProximityBody, ProximityParams, ProximityRequest,
    SettingsBody, WaveBody, parse_body,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn broadcast(change: impl FnOnce(&mut Value)) -> Result<BroadcastRequest, Problem> {
    let mut body = json!({"location": {"lat": 41.15, "lon": -8.63}, "context": "coffee meetup"});
    change(&mut body);
    parse_body::<BroadcastBody>(body.to_string().as_bytes())?.check()
}

fn proximity(change: impl FnOnce(&mut Value)) -> Result<ProximityRequest, Problem> {
    let mut body = json!({"location": {"lat": 41.15, "lon": -8.63}});
    change(&mut body);
    parse_body::<ProximityBody>(body.to_string().as_bytes())?.check()
}

fn slug<T>(result: Result<T, Problem>) -> String {
    result.err().map_or_else(|| "accepted".to_owned(), |problem| problem.slug().to_owned())
}

/// L5-12.
#[test]
fn noise_from_both_sides_of_its_bounds() {
    let with = |noise: f64| broadcast(|body| body["noise_ratio"] = json!(noise));
    for good in [0.30, 0.59, 0.60, 0.80] {
        assert_eq!(with(good).unwrap().noise.unwrap().get(), good);
    }
    for bad in [0.29, 0.81, -1.0, 1e300] {
        let problem = with(bad).unwrap_err();
        assert_eq!((problem.slug(), problem.status), ("invalid-noise", 422));
        assert!(problem.to_string().contains("0.30") && problem.to_string().contains("0.80"), "states the bounds");
    }
    assert!(broadcast(|_| {}).unwrap().noise.is_none(), "absent means the mode's own");
}

/// L5-12: characters, not bytes.
#[test]
fn a_context_has_at_most_500_characters() {
    let with = |text: String| slug(broadcast(|body| body["context"] = json!(text)));
    assert_eq!(with("é".repeat(500)), "accepted");
    assert_eq!(with("é".repeat(501)), "invalid-context");
    assert_eq!(with("  ".to_owned()), "invalid-context");
    assert_eq!(with("a\u{0}b".to_owned()), "invalid-context");
}

#[test]
fn positions_and_times_to_live_have_bounds() {
    let at = |lat: f64, lon: f64| slug(broadcast(|body| body["location"] = json!({"lat": lat, "lon": lon})));
    assert_eq!(at(90.0, -180.0), "accepted");
    assert_eq!(at(91.0, 0.0), "invalid-position");
    assert_eq!(at(0.0, 180.5), "invalid-position");
    let ttl = |hours: i64| slug(broadcast(|body| body["ttl_hours"] = json!(hours)));
    assert_eq!([ttl(24), ttl(168)], ["accepted", "accepted"]);
    assert_eq!([ttl(23), ttl(169), ttl(-1)], ["invalid-ttl", "invalid-ttl", "malformed-body"]);
}

#[test]
fn what_is_no_number_or_no_field_is_malformed() {
    let raw = |text: &str| slug(parse_body::<BroadcastBody>(text.as_bytes()).and_then(BroadcastBody::check));
    assert_eq!(raw(r#"{"location":{"lat":NaN,"lon":0},"context":"x"}"#), "malformed-body");
    assert_eq!(raw(r#"{"location":{"lat":1e999,"lon":0},"context":"x"}"#), "malformed-body");
    assert_eq!(raw(r#"{"location":{"lat":1,"lon":0},"context":"x","importance":9}"#), "malformed-body");
    assert_eq!(raw(r#"{"location":{"lat":1,"lon":0,"alt":2},"context":"x"}"#), "malformed-body");
    assert_eq!(raw(r#"{"context":"x"}"#), "malformed-body");
    assert_eq!(raw(""), "malformed-body");
}

/// L5-13.
#[test]
fn proximity_has_defaults_and_bounds() {
    let plain = proximity(|_| {}).unwrap();
    assert_eq!((plain.radius.metres(), plain.window.seconds(), plain.limit.get()), (500, 7_200, 50));
    let with = |field: &str, value: u32| slug(proximity(|body| body[field] = json!(value)));
    for (field, good, bad, problem) in [
        ("radius", [100, 5_000], [99, 5_001], "invalid-radius"),
        ("window", [300, 86_400], [299, 86_401], "invalid-window"),
        ("limit", [1, 200], [0, 201], "invalid-limit"),
    ] {
        assert!(good.iter().all(|value| with(field, *value) == "accepted"), "{field}");
        assert!(bad.iter().all(|value| with(field, *value) == problem), "{field}");
    }
    assert_eq!(slug(proximity(|body| body["context"] = json!(""))), "invalid-context");
}

/// A URL is kept by histories and logs: it takes a hundredth of a degree and nothing finer.
#[test]
fn a_url_takes_no_exact_position() {
    let at = |lat: f64, lon: f64| {
        ProximityParams { lat, lon, radius: None, window: None, limit: None, threshold: None }.check()
    };
    for (lat, lon) in [(41.15, -8.63), (41.0, 0.0), (-0.01, 179.99), (90.0, -180.0), (0.07, 0.29), (33.33, -118.57)] {
        assert!(at(lat, lon).is_ok(), "{lat}, {lon}");
    }
    for (lat, lon) in [(41.1496, -8.63), (41.15, -8.631), (41.150_000_1, 0.0), (0.005, 0.0)] {
        let problem = at(lat, lon).unwrap_err();
        assert_eq!((problem.slug(), problem.status), ("exact-position", 422));
        let shown = problem.to_string();
        assert!(shown.contains("POST /v1/proximity") && !shown.contains("41.1"), "names the twin, not the place");
    }
    assert_eq!([slug(at(91.005, 0.0)), slug(at(f64::NAN, 0.0))], ["invalid-position"; 2], "bounds come first");
}

/// L5-14, L6-32: the twelve-character sample of the source documents is no token.
#[test]
fn tokens_and_contacts() {
    let join = |token: &str, contact: &str| {
        let body = json!({"token": token, "contact": contact});
        slug(parse_body::<AssociateBody>(body.to_string().as_bytes()).and_then(AssociateBody::check))
    };
    assert_eq!(join("abcdefghijklmnopqrstuvwxyz012345", "me@example.org"), "accepted");
    assert_eq!(join("abc123def456", "me@example.org"), "invalid-token");
    assert_eq!(join("abcdefghijklmnopqrstuvwxyz012345", &"x".repeat(301)), "invalid-contact");
}

#[test]
fn waves_name_cards_or_all() {
    let wave = |cards: Value| {
        let body = json!({"cards": cards, "contact": "me@example.org"});
        slug(parse_body::<WaveBody>(body.to_string().as_bytes()).and_then(WaveBody::check))
    };
    assert_eq!(wave(json!("all")), "accepted");
    assert_eq!(wave(json!(["00"])), "accepted");
    assert_eq!([wave(json!("some")), wave(json!(7))], ["malformed-body", "malformed-body"]);
    assert_eq!([wave(json!([])), wave(json!(vec!["00"; 201]))], ["invalid-id", "invalid-id"]);
}

#[test]
fn settings_are_checked_one_by_one() {
    let set = |body: Value| slug(parse_body::<SettingsBody>(body.to_string().as_bytes()).and_then(SettingsBody::check));
    assert_eq!(set(json!({"privacy.mode": "maximum", "ttl.default": 48})), "accepted");
    assert_eq!(set(json!({"privacy.mode": "paranoid"})), "invalid-mode");
    assert_eq!(set(json!({"ttl.default": 23})), "invalid-ttl");
    assert_eq!(set(json!({"noise.default": 0.9})), "invalid-noise");
    assert_eq!(set(json!({"anonymity.floor": 10.5})), "invalid-floor");
    assert_eq!(set(json!({"colour": "blue"})), "malformed-body");
}

proptest! {
    /// Every coordinate of two decimals passes; one that a third digit was added to does not.
    #[test]
    fn two_decimals_are_told_from_three(lat in -8_999..=8_999_i32, lon in -17_999..=17_999_i32, digit in 1..=9) {
        let at = |lat: &str, lon: &str| {
            let (lat, lon) = (lat.parse().unwrap(), lon.parse().unwrap());
            ProximityParams { lat, lon, radius: None, window: None, limit: None, threshold: None }.check()
        };
        let text = |hundredths: i32| {
            let sign = if hundredths < 0 { "-" } else { "" };
            format!("{sign}{}.{:02}", hundredths.abs() / 100, hundredths.abs() % 100)
        };
        let (lat, lon) = (text(lat), text(lon));
        prop_assert!(at(&lat, &lon).is_ok());
        prop_assert_eq!(slug(at(&lat, &format!("{lon}{digit}"))), "exact-position");
    }

    /// Whatever comes in: a request or a problem, and the problem repeats nothing of it.
    #[test]
    fn no_body_panics_or_is_repeated(text in "[a-z]{12,40}", lat in -1e3..1e3_f64, noise in -1.0..2.0_f64) {
        let result = broadcast(|body| {
            body["context"] = json!(text);
            body["location"]["lat"] = json!(lat);
            body["noise_ratio"] = json!(noise);
        });
        if let Err(problem) = result {
            let shown = serde_json::to_string(&problem).unwrap();
            prop_assert!(!shown.contains(&text) && !shown.contains(&lat.to_string()));
        }
    }
}
