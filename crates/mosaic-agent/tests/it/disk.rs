use std::fs;

use mosaic_agent::{Agent, RunError, StartError};
use mosaic_vault::{CommitError, CreateError};
use serde_json::{Value, json};

use crate::support::{Running, config, dir};

fn warns_of_the_disk(status: &Value) -> bool {
    status["warnings"].as_array().unwrap().iter().any(|warning| warning["kind"] == "vault-unwritable")
}

/// What a full disk does: the new vault cannot be written. The old one stays whole, the person is told, and
/// the next command that gets through brings everything to the disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_refuses_the_vault_is_told_and_loses_nothing() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let before = fs::read(dir.path().join("vault")).unwrap();
    let blocker = dir.path().join("vault.new");
    fs::create_dir(&blocker).unwrap();

    let refused = agent.send("PUT", "/v1/config", Some(json!({"ttl.default": 100}))).await;
    assert_eq!((refused.status, refused.slug()), (507, "vault-unwritable"));
    assert!(refused.body["detail"].as_str().unwrap().contains("in memory"), "{}", refused.body);
    assert!(warns_of_the_disk(&agent.send("GET", "/v1/status", None).await.body));
    assert_eq!(agent.send("GET", "/v1/config", None).await.body["ttl.default"], json!(100), "it is tried again");
    assert_eq!(fs::read(dir.path().join("vault")).unwrap(), before);

    fs::remove_dir(&blocker).unwrap();
    assert_eq!(agent.send("PUT", "/v1/config", Some(json!({"noise.default": 0.7}))).await.status, 200);
    assert!(!warns_of_the_disk(&agent.send("GET", "/v1/status", None).await.body));
    agent.stop().await;
    let agent = Running::start(dir.path()).unwrap();
    let settings = agent.send("GET", "/v1/config", None).await.body;
    assert_eq!((&settings["ttl.default"], &settings["noise.default"]), (&json!(100), &json!(0.7)));
    agent.stop().await;
}

/// An agent that ends while the disk refuses says that changes are lost, and leaves the last good vault.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_cannot_save_at_its_end_says_so() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    agent.send("PUT", "/v1/config", Some(json!({"ttl.default": 100}))).await;
    let blocker = dir.path().join("vault.new");
    fs::create_dir(&blocker).unwrap();
    assert_eq!(agent.send("PUT", "/v1/config", Some(json!({"ttl.default": 50}))).await.status, 507);
    assert!(matches!(agent.end().await, Err(RunError::Save(CommitError::Disk(_)))));

    fs::remove_dir(&blocker).unwrap();
    let agent = Running::start(dir.path()).unwrap();
    assert_eq!(agent.send("GET", "/v1/config", None).await.body["ttl.default"], json!(100));
    agent.stop().await;
}

/// Whoever answers a join by code gets a guess at its password: the three of a nameplate are used up whatever happens to
/// the agent, and a join that could not be counted on the disk does not begin.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_gives_no_tries_of_a_code_back() {
    let dir = dir();
    let blocker = dir.path().join("vault.new");
    let join = json!({"code": "4839-1220-7415-3873", "contact": "me"});
    let mut agent = Running::start(dir.path()).unwrap();
    for left in [2, 1, 0] {
        let joined = agent.send("POST", "/v1/associate", Some(join.clone())).await;
        assert_eq!((joined.status, &joined.body["tries_left"]), (201, &json!(left)));
        let again = agent.send("POST", "/v1/associate", Some(join.clone())).await;
        assert_eq!(again.slug(), "wrong-state", "one at a time, and refusals count nothing");
        agent.stop().await;
        agent = Running::start(dir.path()).unwrap();
        assert_eq!(agent.send("GET", "/v1/associations", None).await.body["associations"], json!([]));
    }
    let fourth = agent.send("POST", "/v1/associate", Some(join)).await;
    assert_eq!((fourth.status, fourth.slug()), (409, "wrong-state"));
    assert!(fourth.body["detail"].as_str().unwrap().contains("three times"));

    fs::create_dir(&blocker).unwrap();
    let other = json!({"code": "0000-0000-0000-0098", "contact": "me"});
    assert_eq!(agent.send("POST", "/v1/associate", Some(other)).await.slug(), "vault-unwritable");
    assert_eq!(agent.send("GET", "/v1/associations", None).await.body["associations"], json!([]));
    fs::remove_dir(&blocker).unwrap();
    agent.stop().await;
}

#[tokio::test]
async fn no_vault_is_begun_on_a_disk_that_refuses_it() {
    let dir = dir();
    fs::create_dir(dir.path().join("vault.new")).unwrap();
    let refused = Agent::start(config(dir.path()));
    assert!(matches!(refused, Err(StartError::Create(CreateError::Disk(_)))));
    assert!(!dir.path().join("vault").exists());
}
