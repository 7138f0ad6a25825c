use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, HandClock, Running, config, dir};

async fn post(agent: &Running, path: &str, key: &str, body: Option<&Value>) -> Answer {
    let headers = [
        format!("Host: {}", agent.address),
        format!("Authorization: Bearer {}", agent.token),
        format!("Idempotency-Key: {key}"),
    ];
    agent.raw("POST", path, &headers, body.map(ToString::to_string)).await
}

/// A request that is sent twice under one key is done once, within the hour and in one run of the agent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_makes_a_request_safe_to_repeat() {
    let (dir, clock) = (dir(), HandClock::new());
    let mut config = config(dir.path());
    config.clock = clock.clone();
    let agent = Running::start_with(config).unwrap();
    let coffee = json!({"location": {"lat": -45.0, "lon": 0.0}, "context": "coffee"});
    let first = post(&agent, "/v1/broadcast", "k-1", Some(&coffee)).await;
    let again = post(&agent, "/v1/broadcast", "k-1", Some(&coffee)).await;
    assert_eq!((first.status, again.status, &first.body), (201, 201, &again.body));
    assert!(again.head.contains("idempotency-replayed: true") && !first.head.contains("idempotency-replayed"));
    let tea = json!({"location": {"lat": -45.0, "lon": 0.0}, "context": "tea"});
    let other = post(&agent, "/v1/broadcast", "k-1", Some(&tea)).await;
    assert_eq!((other.status, other.slug()), (409, "key-reused"));
    assert_eq!(post(&agent, "/v1/open-door", "k-1", None).await.slug(), "key-reused", "nor for another operation");
    assert_eq!(post(&agent, "/v1/broadcast", "k 1", Some(&coffee)).await.slug(), "invalid-key");

    // what was refused changed nothing: the key is free
    let bad = json!({"location": {"lat": -45.0, "lon": 0.0}, "context": ""});
    assert_eq!(post(&agent, "/v1/broadcast", "k-2", Some(&bad)).await.slug(), "invalid-context");
    assert_eq!(post(&agent, "/v1/broadcast", "k-2", Some(&tea)).await.status, 201);
    clock.advance(Duration::from_hours(1));
    assert_ne!(post(&agent, "/v1/broadcast", "k-1", Some(&coffee)).await.body["id"], first.body["id"]);
    let out = agent.send("GET", "/v1/broadcasts", None).await.body;
    assert_eq!(out["broadcasts"].as_array().unwrap().len(), 3);
    agent.stop().await;
}

/// An answer without a body is repeated without one, and one that reads only is asked anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_nothing_needs_no_key() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let made = agent.send("POST", "/v1/associate", Some(json!({"contact": "me"}))).await.body;
    let path = format!("/v1/associations/{}/decline", made["id"].as_str().unwrap());
    let (first, again) = (post(&agent, &path, "k", None).await, post(&agent, &path, "k", None).await);
    assert_eq!((first.status, again.status, &again.body), (204, 204, &Value::Null));
    let near = json!({"location": {"lat": -45.0, "lon": 0.0}});
    for _ in 0..2 {
        let answer = post(&agent, "/v1/proximity", "k", Some(&near)).await;
        assert!(answer.status == 200 && !answer.head.contains("idempotency-replayed"), "{}", answer.head);
    }
    agent.stop().await;
}

/// Pages hold every item once, in the order of the whole list, although one is withdrawn and one made in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_comes_in_pages() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let make =
        || agent.send("POST", "/v1/broadcast", Some(json!({"location": {"lat": -45.0, "lon": 0.0}, "context": "tea"})));
    for _ in 0..5 {
        assert_eq!(make().await.status, 201);
    }
    let ids = |page: &Value| {
        page["broadcasts"].as_array().unwrap().iter().map(|b| b["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = agent.send("GET", "/v1/broadcasts?limit=2", None).await.body;
    assert_eq!(ids(&first), ["b1", "b2"]);
    agent.send("DELETE", "/v1/broadcasts/b2", None).await;
    make().await;
    let next = |page: &Value| format!("/v1/broadcasts?limit=2&cursor={}", page["next"].as_str().unwrap());
    let second = agent.send("GET", &next(&first), None).await.body;
    let third = agent.send("GET", &next(&second), None).await.body;
    assert_eq!(
        (ids(&second), ids(&third)),
        (vec!["b3".to_owned(), "b4".to_owned()], vec!["b5".to_owned(), "b6".to_owned()])
    );
    assert_eq!(third.get("next"), None);
    for (query, slug) in [("limit=0", "invalid-limit"), ("cursor=b2", "invalid-cursor"), ("page=2", "malformed-query")]
    {
        assert_eq!(agent.send("GET", &format!("/v1/broadcasts?{query}"), None).await.slug(), slug);
    }
    for path in ["waves", "associations", "people", "receipts"] {
        assert_eq!(agent.send("GET", &format!("/v1/{path}?limit=1"), None).await.status, 200, "{path}");
    }
    agent.stop().await;
}
