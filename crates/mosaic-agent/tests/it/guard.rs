use crate::support::{Running, dir};

fn headers(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// Nothing is answered without the token, and nothing to a foreign page or under a foreign name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_programs_of_this_machine_that_read_the_token() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let (host, bearer) = (format!("Host: {}", agent.address), format!("Authorization: Bearer {}", agent.token));
    let port = agent.address.port();
    let wrong = format!("Authorization: Bearer {}", "0".repeat(64));
    let short = "Authorization: Bearer x".to_owned();
    for (lines, status, slug) in [
        (vec![host.clone()], 401, "unauthorized"),
        (vec![host.clone(), wrong], 401, "unauthorized"),
        (vec![host.clone(), short], 401, "unauthorized"),
        (vec![format!("Host: evil.example:{port}"), bearer.clone()], 403, "foreign-caller"),
        (vec!["Host: 127.0.0.1:1".to_owned(), bearer.clone()], 403, "foreign-caller"),
        (vec![host.clone(), bearer.clone(), "Origin: https://evil.example".to_owned()], 403, "foreign-caller"),
        (vec![host.clone(), bearer.clone(), "Origin: null".to_owned()], 403, "foreign-caller"),
        (vec![host.clone(), bearer.clone(), "Sec-Fetch-Site: cross-site".to_owned()], 403, "foreign-caller"),
    ] {
        let answer = agent.raw("GET", "/v1/status", &lines, None).await;
        assert_eq!((answer.status, answer.slug()), (status, slug), "{lines:?}");
        assert!(answer.head.contains("cache-control: no-store"));
    }
    let own_page = format!("Origin: http://127.0.0.1:{port}");
    assert_eq!(agent.raw("GET", "/v1/status", &[host.clone(), bearer.clone(), own_page], None).await.status, 200);
    let localhost = format!("Host: localhost:{port}");
    assert_eq!(agent.raw("GET", "/v1/status", &[localhost, bearer], None).await.status, 200);
    assert_eq!(agent.raw("GET", "/openapi.json", &[host], None).await.status, 200, "the description is public");
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_have_a_kind_and_a_largest_size() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let lines = headers(&[
        &format!("Host: {}", agent.address),
        &format!("Authorization: Bearer {}", agent.token),
        "Content-Type: text/plain",
        "Content-Length: 2",
    ]);
    assert_eq!(agent.raw("POST", "/v1/broadcast", &lines, None).await.slug(), "unsupported-media-type");
    let huge = serde_json::json!({"location": {"lat": 1, "lon": 1}, "context": "x".repeat(70_000)});
    assert_eq!(agent.send("POST", "/v1/broadcast", Some(huge)).await.slug(), "body-too-large");
    agent.stop().await;
}
