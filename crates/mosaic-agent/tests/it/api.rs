use std::time::Duration;

use mosaic_api::{Method, Operation};
use serde_json::json;

use crate::support::{HandClock, Running, config, dir};

fn place() -> serde_json::Value {
    json!({"lat": -45.0, "lon": 0.0})
}

/// Everything a person asks for is answered although no provider can be reached.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_never_wait_for_the_network() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();

    let body = json!({"location": place(), "context": "coffee meetup", "noise_ratio": 0.3});
    let answer = agent.send("POST", "/v1/broadcast", Some(body)).await;
    assert_eq!((answer.status, &answer.body["granularity"]), (201, &json!("fine")), "{}", answer.body);
    assert_eq!(answer.body["noise"], json!({"requested": 0.3, "effective": {"discovery": 0.6, "rendezvous": 0.5}}));
    let id = answer.body["id"].as_str().unwrap().to_owned();

    let nearby = agent.send("POST", "/v1/proximity", Some(json!({"location": place()}))).await;
    assert_eq!((nearby.status, &nearby.body["searched"]), (200, &json!({"radius": 500, "window": 7200})));
    assert_eq!((&nearby.body["cards"], &nearby.body["complete"]), (&json!([]), &json!(false)));
    let by_url = agent.send("GET", "/v1/proximity?lat=-45.0&lon=0.0&radius=100&window=300", None).await;
    assert_eq!(by_url.body["searched"], json!({"radius": 100, "window": 300}));

    let made = agent.send("POST", "/v1/associate", Some(json!({"contact": "me@example.org"}))).await;
    let token = made.body["token"].as_str().unwrap().to_owned();
    assert_eq!((made.status, token.len()), (201, 32));
    let view = agent.send("GET", &format!("/v1/association/{token}"), None).await;
    assert_eq!((&view.body["kind"], view.body["id"] == made.body["id"]), (&json!("token"), true));
    let twin = agent.send("POST", "/v1/association", Some(json!({"token": token}))).await;
    assert_eq!(twin.body, view.body);

    let status = agent.send("GET", "/v1/status", None).await;
    assert_eq!((&status.body["mode"], &status.body["broadcasts"]), (&json!("balanced"), &json!(1)));
    assert_eq!(status.body["federation"]["banner"], json!("all three operators are you: no privacy"));
    assert!(kinds(&status.body).contains(&"no-table"));

    let listed = agent.send("GET", "/v1/broadcasts", None).await;
    assert_eq!(listed.body["broadcasts"][0]["id"], json!(id));
    assert_eq!(agent.send("DELETE", &format!("/v1/broadcasts/{id}"), None).await.status, 204);
    assert_eq!(agent.send("DELETE", &format!("/v1/broadcasts/{id}"), None).await.slug(), "unknown-broadcast");
    agent.stop().await;
}

/// L5-12, L5-13 over the wire: what is out of bounds gets its own problem.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_out_of_bounds_is_refused_with_its_bounds() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let broadcast = |change: serde_json::Value| {
        let mut body = json!({"location": place(), "context": "coffee"});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        agent.send("POST", "/v1/broadcast", Some(body))
    };
    for (change, status, slug) in [
        (json!({"noise_ratio": 0.29}), 422, "invalid-noise"),
        (json!({"noise_ratio": 0.81}), 422, "invalid-noise"),
        (json!({"context": "x".repeat(501)}), 422, "invalid-context"),
        (json!({"location": {"lat": 91, "lon": 0}}), 422, "invalid-position"),
        (json!({"location": {"lat": "NaN", "lon": 0}}), 400, "malformed-body"),
        (json!({"importance": 1}), 400, "malformed-body"),
    ] {
        let answer = broadcast(change).await;
        assert_eq!((answer.status, answer.slug()), (status, slug));
    }
    for good in [json!({"noise_ratio": 0.30}), json!({"noise_ratio": 0.80}), json!({"context": "x".repeat(500)})] {
        assert_eq!(broadcast(good).await.status, 201);
    }
    for (query, slug) in [
        ("lat=NaN&lon=0", "invalid-position"),
        ("lat=91&lon=0", "invalid-position"),
        ("lon=0", "malformed-query"),
        ("lat=1&lon=0&radius=99", "invalid-radius"),
        ("lat=1&lon=0&window=86401", "invalid-window"),
        ("lat=1&lon=0&exact=true", "malformed-query"),
        ("lat=41.1496&lon=-8.63", "exact-position"),
    ] {
        assert_eq!(agent.send("GET", &format!("/v1/proximity?{query}"), None).await.slug(), slug, "{query}");
    }
    agent.stop().await;
}

/// L5-15: a token that never existed and one that was deleted get the same answer, byte for byte.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_and_forgotten_tokens_look_alike() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let made = agent.send("POST", "/v1/associate", Some(json!({"contact": "me"}))).await;
    let (id, token) = (made.body["id"].as_str().unwrap(), made.body["token"].as_str().unwrap());
    assert_eq!(agent.send("DELETE", &format!("/v1/associations/{id}"), None).await.status, 204);
    let forgotten = agent.send("GET", &format!("/v1/association/{token}"), None).await;
    let unknown = agent.send("GET", "/v1/association/abcdefghijklmnopqrstuvwxyz012345", None).await;
    assert_eq!((forgotten.slug(), &forgotten.body), ("unknown-association", &unknown.body));
    assert_eq!(agent.send("GET", "/v1/association/abc123def456", None).await.slug(), "invalid-token");
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_exports_and_imports() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let set = agent.send("PUT", "/v1/config", Some(json!({"privacy.mode": "maximum", "ttl.default": 72}))).await;
    assert_eq!((&set.body["privacy.mode"], &set.body["ttl.default"]), (&json!("maximum"), &json!(72)));
    let mut export = agent.send("GET", "/v1/export", None).await.body;
    assert_eq!(export["format"], json!("mosaic-export/3"));
    assert!(export["deniability"].as_str().unwrap().contains("decoys"));
    assert_eq!(export["anonymity"].as_array().unwrap().len(), 4);
    export["settings"]["privacy.mode"] = json!("balanced");
    export["people"] = json!([{"id": "00".repeat(16), "contact": "ana@example.org", "since": 1, "kept": true}]);
    let checked = agent.send("POST", "/v1/import?validate=true", Some(export.clone())).await;
    assert_eq!((checked.status, &checked.body["changed"]), (200, &json!(0)));
    assert_eq!(agent.send("POST", "/v1/import", Some(export.clone())).await.body["changed"], json!(2));
    assert_eq!(agent.send("GET", "/v1/config", None).await.body["privacy.mode"], json!("balanced"));
    assert_eq!(agent.send("GET", "/v1/people", None).await.body["people"][0]["contact"], json!("ana@example.org"));
    export["people"][0]["id"] = json!("nobody");
    let bad = agent.send("POST", "/v1/import", Some(export)).await;
    assert_eq!((bad.slug(), bad.body["detail"].as_str().unwrap().contains("person 1")), ("invalid-import", true));
    agent.stop().await;
}

/// Of ten cards that carry an event one is real; which one must not be in a file. Exports of the version
/// before, which said it, are still read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_names_no_card() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let body = json!({"location": place(), "context": "coffee meetup"});
    assert_eq!(agent.send("POST", "/v1/broadcast", Some(body)).await.status, 201);
    let mut export = agent.send("GET", "/v1/export", None).await.body;
    let members: Vec<_> = export["broadcasts"][0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["class", "expires_at", "granularity", "topics"]);

    export["format"] = json!("mosaic-export/1");
    export["broadcasts"][0]["id"] = json!("1");
    export["broadcasts"][0]["cards"] = json!(["00".repeat(16)]);
    let old = agent.send("POST", "/v1/import", Some(export.clone())).await;
    assert_eq!((old.status, &old.body["ignored"]), (200, &json!(1)));
    export["format"] = json!("mosaic-export/4");
    assert_eq!(agent.send("POST", "/v1/import", Some(export)).await.slug(), "invalid-import");
    agent.stop().await;
}

fn kinds(answer: &serde_json::Value) -> Vec<&str> {
    answer["warnings"].as_array().into_iter().flatten().filter_map(|warning| warning["kind"].as_str()).collect()
}

/// ADR 5: what a restart forgets is said when it is made and while it stands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn associations_are_said_to_live_in_memory_only() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    assert!(!kinds(&agent.send("GET", "/v1/status", None).await.body).contains(&"memory-only"));
    let made = agent.send("POST", "/v1/associate", Some(json!({"contact": "me"}))).await;
    assert_eq!(kinds(&made.body), ["memory-only"]);
    assert!(kinds(&agent.send("GET", "/v1/status", None).await.body).contains(&"memory-only"));
    agent.stop().await;
    let agent = Running::start(dir.path()).unwrap();
    assert_eq!(agent.send("GET", "/v1/associations", None).await.body, json!({"associations": []}));
    assert!(!kinds(&agent.send("GET", "/v1/status", None).await.body).contains(&"memory-only"));
    agent.stop().await;
}

/// there is no Tor yet, and who asks for the mode that wants it hears what they get instead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn maximum_mode_says_that_a_relay_stands_in_for_tor() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    for (mode, warned) in [("balanced", false), ("emergency", false), ("maximum", true)] {
        let set = agent.send("PUT", "/v1/config", Some(json!({"privacy.mode": mode}))).await;
        assert_eq!(kinds(&set.body).contains(&"no-tor"), warned, "{mode}");
        for path in ["/v1/config", "/v1/status"] {
            assert_eq!(kinds(&agent.send("GET", path, None).await.body).contains(&"no-tor"), warned, "{mode} {path}");
        }
        assert_eq!(agent.send("GET", "/v1/export", None).await.body["settings"]["privacy.mode"], json!(mode));
    }
    agent.stop().await;
}

/// L5-16: each operation has a handler, and what is none gets a problem.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_is_routed_and_nothing_else() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    for operation in Operation::ALL {
        let (method, path) = operation.route();
        let method = match method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        };
        let answer = agent.send(method, &path.replace("{id}", "x").replace("{token}", "x"), None).await;
        if answer.status >= 400 {
            assert!(!["unknown-route", "method-not-allowed", "internal"].contains(&answer.slug()), "{operation:?}");
        }
    }
    assert_eq!(agent.send("GET", "/v1/nothing", None).await.slug(), "unknown-route");
    assert_eq!(agent.send("DELETE", "/v1/status", None).await.slug(), "method-not-allowed");
    let served = agent.send("GET", "/openapi.json", None).await.body;
    assert_eq!(served, serde_json::to_value(mosaic_api::openapi()).unwrap());
    agent.stop().await;
}

/// L5-20: ten broadcasts an hour, then a refusal that says when.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_eleventh_broadcast_waits() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let mut last = None;
    for _ in 0..11 {
        let body = json!({"location": place(), "context": "coffee"});
        let answer = agent.send("POST", "/v1/broadcast", Some(body)).await;
        if let Some(id) = answer.body["id"].as_str() {
            agent.send("DELETE", &format!("/v1/broadcasts/{id}"), None).await;
        }
        last = Some(answer);
    }
    let refused = last.unwrap();
    assert_eq!((refused.status, refused.slug()), (429, "quota"));
    assert!(refused.head.contains("retry-after: 3601"), "{}", refused.head);
    agent.stop().await;
}

/// Waiting does not help there, so the problem is no quota and names no time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_without_public_places_is_not_a_used_up_limit() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let far = json!({"location": {"lat": 52.52, "lon": 13.41}, "context": "coffee"});
    for _ in 0..11 {
        let refused = agent.send("POST", "/v1/broadcast", Some(far.clone())).await;
        assert_eq!((refused.status, refused.slug()), (409, "outside-area"), "and none of the ten an hour is used");
        assert!(!refused.head.contains("retry-after"), "{}", refused.head);
        assert!(refused.body["detail"].as_str().unwrap().contains("install places for this area"));
    }
    assert_eq!(agent.send("GET", "/v1/broadcasts", None).await.body, json!({"broadcasts": []}));
    agent.stop().await;
}

/// The refusal names what helps, and it does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_eleventh_that_would_stand_needs_a_withdrawal() {
    let (dir, clock) = (dir(), HandClock::new());
    let mut config = config(dir.path());
    config.clock = clock.clone();
    let agent = Running::start_with(config).unwrap();
    let post = || agent.send("POST", "/v1/broadcast", Some(json!({"location": place(), "context": "coffee"})));
    for _ in 0..10 {
        assert_eq!(post().await.status, 201);
    }
    clock.advance(Duration::from_hours(2));
    let refused = post().await;
    assert_eq!((refused.status, refused.slug()), (409, "wrong-state"));
    assert!(!refused.head.contains("retry-after"), "{}", refused.head);
    assert!(refused.body["detail"].as_str().unwrap().contains("DELETE /v1/broadcasts/{id}"), "{}", refused.body);
    let standing = agent.send("GET", "/v1/broadcasts", None).await.body;
    let oldest = standing["broadcasts"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(agent.send("DELETE", &format!("/v1/broadcasts/{oldest}"), None).await.status, 204);
    assert_eq!(post().await.status, 201);
    agent.stop().await;
}
