//! What a person is told about a broadcast: words that point at them (L6-45), a high risk (L3-11, L6-44, L6-47).

use std::{sync::Arc, time::Duration};

use mosaic_agent::RunConfig;
use mosaic_geo::{PlaceIndex, Provenance, synthetic_city};
use serde_json::{Value, json};

use crate::support::{HandClock, NOW, Running, config, dir};

fn body(context: &str, more: Value) -> Value {
    let mut body = json!({"location": {"lat": -45.0, "lon": 0.0}, "context": context});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn of_kind<'a>(reply: &'a Value, kind: &str) -> Vec<&'a Value> {
    let warnings = reply["warnings"].as_array().map(Vec::as_slice).unwrap_or_default();
    warnings.iter().filter(|warning| warning["kind"] == kind).collect()
}

/// Refused words cost nothing: neither one of ten broadcasts an hour nor ledger. The refusal names kinds alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_that_point_at_a_person_are_refused_until_confirmed() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let left = |status: &Value| status["ledger"]["left"].as_f64().unwrap();
    let before = left(&agent.send("GET", "/v1/status", None).await.body);
    let words = "tea? ana@example.org or 600 123 456";
    for _ in 0..12 {
        let refused = agent.send("POST", "/v1/broadcast", Some(body(words, json!({})))).await;
        assert_eq!((refused.status, refused.slug()), (409, "identifying-words"));
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains("an e-mail address and a telephone number") && !detail.contains("ana"), "{detail}");
    }
    let status = agent.send("GET", "/v1/status", None).await.body;
    assert_eq!((left(&status), &status["broadcasts"]), (before, &json!(0)));

    let confirmed = body(words, json!({"confirm_identifiers": true}));
    let sent = agent.send("POST", "/v1/broadcast", Some(confirmed)).await;
    assert_eq!(sent.status, 201, "{}", sent.body);
    let told = of_kind(&sent.body, "identifying-words");
    assert_eq!((told.len(), &told[0]["identifier"]), (2, &json!("email")));
    assert_eq!(told[1]["suggestion"], json!("tea? ana@example.org"));
    assert!(told.iter().all(|warning| !warning["text"].as_str().unwrap().contains("600")));
    agent.stop().await;
}

/// A name and a rare word are told and held up by nothing; what stands behind the 108 bytes does not leave.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hints_and_what_stays_are_told_only() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let late = "a long walk in the park and along the river, then coffee and cake together somewhere nice in the old town, call 600 123 456";
    for (words, identifier) in
        [("ask for Bartholomew", "name"), ("any zxqwolfie players", "rare-word"), (late, "phone")]
    {
        let sent = agent.send("POST", "/v1/broadcast", Some(body(words, json!({})))).await;
        let told = of_kind(&sent.body, "identifying-words");
        assert_eq!((sent.status, told.len(), &told[0]["identifier"]), (201, 1, &json!(identifier)));
        assert_eq!(told[0]["text"].as_str().unwrap().contains("behind the 108 bytes"), identifier == "phone");
    }
    let plain = agent.send("POST", "/v1/broadcast", Some(body("coffee meetup", json!({})))).await;
    assert!(plain.body.get("warnings").is_none(), "{}", plain.body);
    agent.stop().await;
}

/// ADR 12: what one card does not hold is said, and what does not leave at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_words_are_told() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let (two, three) = ("coffee and a slow walk along the river, with dog", "a walk in the park ".repeat(7));
    for (words, says) in
        [("coffee meetup", None), (two, Some("twice")), (three.as_str(), Some("first 108 of 132 bytes"))]
    {
        let sent = agent.send("POST", "/v1/broadcast", Some(body(words, json!({})))).await;
        let told = of_kind(&sent.body, "long-words");
        assert_eq!((sent.status, told.len()), (201, usize::from(says.is_some())), "{}", sent.body);
        assert!(says.is_none_or(|says| told[0]["text"].as_str().unwrap().contains(says)), "{told:?}");
    }
    agent.stop().await;
}

/// A contact is meant to be given: nothing is looked for in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contacts_are_not_judged() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let made = agent.send("POST", "/v1/associate", Some(json!({"contact": "ana@example.org, 600 123 456"}))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    agent.stop().await;
}

/// L3-36: places older than a quarter are told of in the status; younger ones and undated ones are not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_places_are_told_of() {
    let places = |days: Option<u64>| {
        let all = synthetic_city(1).all().iter().map(|place| place.to_place()).collect();
        let taken = days.map(|days| NOW.before(Duration::from_hours(days * 24)));
        Arc::new(PlaceIndex::from_places(all, Provenance::openstreetmap(taken)))
    };
    for (days, old) in [(Some(100), true), (Some(90), false), (None, false)] {
        let dir = dir();
        let agent = Running::start_with(RunConfig { places: places(days), ..config(dir.path()) }).unwrap();
        let status = agent.send("GET", "/v1/status", None).await.body;
        let told = of_kind(&status, "stale-places");
        assert_eq!(told.len(), usize::from(old));
        assert!(told.iter().all(|warning| warning["text"].as_str().unwrap().contains("100 days")));
        agent.stop().await;
    }
}

/// A wish that does not leave is told of, here because nobody is there to take events; one that has not stood for long is
/// not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_that_never_leaves_is_told_of() {
    let (dir, clock) = (dir(), HandClock::new());
    let agent = Running::start_with(RunConfig { clock: Arc::clone(&clock) as _, ..config(dir.path()) }).unwrap();
    let sent = agent.send("POST", "/v1/broadcast", Some(body("coffee", json!({"risk": "normal"})))).await;
    clock.advance(Duration::from_mins(119));
    let early = agent.send("GET", "/v1/status", None).await.body;
    assert!(of_kind(&early, "unsent").is_empty());
    clock.advance(Duration::from_mins(121));
    let late = agent.send("GET", "/v1/status", None).await.body;
    let told = of_kind(&late, "unsent");
    assert!(
        told.len() == 1 && told[0]["text"].as_str().unwrap().contains(sent.body["id"].as_str().unwrap()),
        "{told:?}"
    );
    agent.stop().await;
}

/// L6-47: the moment before which no event carries it lies within half an hour, and is kept. L6-44: four warnings, told
/// once, also after a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn high_risk_waits_and_tells_four_things_once() {
    let (dir, clock) = (dir(), HandClock::new());
    let at = |clock: &Arc<HandClock>| RunConfig { clock: Arc::clone(clock) as _, ..config(dir.path()) };
    let agent = Running::start_with(at(&clock)).unwrap();
    let normal = agent.send("POST", "/v1/broadcast", Some(body("coffee", json!({"risk": "normal"})))).await;
    assert!(normal.body.get("not_before").is_none());
    let high = agent.send("POST", "/v1/broadcast", Some(body("chess", json!({"risk": "high"})))).await;
    let not_before = high.body["not_before"].as_u64().unwrap();
    assert!((NOW.as_secs()..NOW.as_secs() + 1_800).contains(&not_before), "{not_before}");
    assert_eq!((of_kind(&high.body, "high-risk").len(), &high.body["cards"]), (4, &json!([])));
    let again = agent.send("POST", "/v1/broadcast", Some(body("tennis", json!({"risk": "high"})))).await;
    assert!(of_kind(&again.body, "high-risk").is_empty());
    agent.stop().await;

    let agent = Running::start_with(at(&clock)).unwrap();
    let listed = agent.send("GET", "/v1/broadcasts", None).await.body;
    assert_eq!(listed["broadcasts"][1]["not_before"], json!(not_before), "drawn once and kept");
    let set = agent.send("PUT", "/v1/config", Some(json!({"risk.level": "high"}))).await.body;
    assert_eq!(set["risk.level"], json!("high"));
    let by_setting = agent.send("POST", "/v1/broadcast", Some(body("climbing", json!({})))).await;
    assert!(by_setting.body["not_before"].is_u64() && of_kind(&by_setting.body, "high-risk").is_empty());
    clock.advance(Duration::from_mins(31));
    let listed = agent.send("GET", "/v1/broadcasts", None).await.body;
    assert!(listed["broadcasts"].as_array().unwrap().iter().all(|one| one.get("not_before").is_none()));
    agent.stop().await;
}
