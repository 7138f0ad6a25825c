use std::{
    fs,
    net::{SocketAddr, TcpListener},
};

use mosaic_agent::{Agent, Recording, RunConfig, StartError, VaultCost};
use mosaic_federation::Independence;
use mosaic_vault::{OpenError, Vault};
use rand::SeedableRng as _;
use serde_json::json;

use crate::support::{Running, config, dir, federation};

/// What was answered is on the disk: it survives a stop, and an end without one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_and_broadcasts_survive_a_restart() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let token = agent.token.clone();
    agent.send("PUT", "/v1/config", Some(json!({"ttl.default": 100}))).await;
    let body = json!({"location": {"lat": -45.0, "lon": 0.0}, "context": "coffee by the old mill"});
    assert_eq!(agent.send("POST", "/v1/broadcast", Some(body)).await.status, 201);
    let group = agent.send("POST", "/v1/groups", Some(json!({"name": "choir"}))).await.body;
    let announcements = format!("/v1/groups/{}/announcements", group["id"].as_str().unwrap());
    let said = json!({"text": "at the fountain"});
    assert_eq!(agent.send("POST", &announcements, Some(said)).await.status, 201);
    // what a crash leaves: the files of this very moment
    let crashed = tempfile::TempDir::new().unwrap();
    fs::copy(dir.path().join("vault"), crashed.path().join("vault")).unwrap();
    agent.stop().await;
    assert!(!dir.path().join("api.address").exists());

    for place in [dir.path(), crashed.path()] {
        let agent = Running::start(place).unwrap();
        assert_eq!(agent.send("GET", "/v1/config", None).await.body["ttl.default"], json!(100));
        let listed = agent.send("GET", "/v1/broadcasts", None).await.body;
        assert_eq!(listed["broadcasts"].as_array().unwrap().len(), 1);
        let said = agent.send("GET", &announcements, None).await.body;
        assert_eq!(said["announcements"][0]["text"], "at the fountain");
        let address = fs::read_to_string(agent.dir.join("api.address")).unwrap();
        assert_eq!(address, agent.address.to_string());
        assert_eq!(agent.token == token, place == dir.path(), "the token belongs to the installation");
        agent.stop().await;
    }
}

/// What a kill during the very first start leaves: a vault without a state, and an address nobody answers at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_first_start_is_started_over() {
    let dir = dir();
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(8);
    drop(Vault::create_dangerously_cheap(&dir.path().join("vault"), "correct horse", &mut rng).unwrap());
    fs::write(dir.path().join("api.address"), "127.0.0.1:1").unwrap();
    let taken = taken();
    let refused = Agent::start(RunConfig { listen: taken.1, ..config(dir.path()) });
    assert!(matches!(refused.err(), Some(StartError::Bind(_))));
    assert!(!dir.path().join("api.address").exists(), "nobody is sent to where a stranger may listen");
    let agent = Running::start(dir.path()).unwrap();
    assert_eq!(agent.send("GET", "/v1/config", None).await.status, 200);
    agent.stop().await;
}

/// A port in use, held as long as the listener lives.
fn taken() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// S-43, S-46: nothing of what a person said is readable in the agent's directory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_directory_holds_nothing_readable() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let body = json!({"location": {"lat": -45.001234, "lon": 0.004321}, "context": "coffee by the old mill"});
    agent.send("POST", "/v1/broadcast", Some(body)).await;
    let made = agent.send("POST", "/v1/associate", Some(json!({"contact": "ana@example.org"}))).await;
    let token = made.body["token"].as_str().unwrap().to_owned();
    agent.stop().await;
    for entry in fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let bytes = fs::read(entry.path()).unwrap();
        for clear in ["old mill", "45.0012", "0.0043", "ana@example", token.as_str()] {
            assert!(!bytes.windows(clear.len()).any(|part| part == clear.as_bytes()), "{:?}", entry.path());
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.path());
        }
    }
}

#[tokio::test]
async fn a_wrong_password_and_a_corrupt_vault_are_told_apart_and_left_alone() {
    let dir = dir();
    drop(Agent::start(config(dir.path())).unwrap());
    let vault = dir.path().join("vault");
    let whole = fs::read(&vault).unwrap();

    let mut wrong = config(dir.path());
    wrong.password = "battery staple".to_owned().into();
    assert!(matches!(Agent::start(wrong), Err(StartError::Open(OpenError::WrongPassword))));
    assert_eq!(fs::read(&vault).unwrap(), whole);

    let mut damaged = whole;
    damaged[5_000] ^= 1;
    fs::write(&vault, &damaged).unwrap();
    assert!(matches!(Agent::start(config(dir.path())), Err(StartError::Open(OpenError::Damaged))));
    assert_eq!(fs::read(&vault).unwrap(), damaged);
}

#[tokio::test]
async fn an_agent_listens_on_loopback_only_and_alone() {
    let dir = dir();
    let mut open = config(dir.path());
    open.listen = "0.0.0.0:0".parse().unwrap();
    assert!(matches!(Agent::start(open), Err(StartError::NotLoopback { .. })));

    let first = Agent::start(config(dir.path())).unwrap();
    assert!(matches!(Agent::start(config(dir.path())), Err(StartError::Open(OpenError::InUse))));
    let elsewhere = tempfile::TempDir::new().unwrap();
    let mut same_port = config(elsewhere.path());
    same_port.listen = first.address();
    assert!(matches!(Agent::start(same_port), Err(StartError::Bind(_))));
}

#[tokio::test]
async fn a_cheap_vault_is_for_practice_only() {
    let dir = dir();
    let mut config = config(dir.path());
    config.federation = federation(Independence::Checked);
    config.vault = VaultCost::DangerouslyCheap;
    assert!(matches!(Agent::start(config), Err(StartError::CheapVault)));
    assert!(!dir.path().join("vault").exists());
}

#[tokio::test]
async fn a_recording_is_for_practice_only() {
    let dir = dir();
    let truth = dir.path().join("truth");
    for recording in [
        Recording { truth: Some(truth.clone()), ..Recording::default() },
        Recording { from: Some("127.77.0.1".parse().unwrap()), ..Recording::default() },
        Recording { seed: Some(7), ..Recording::default() },
    ] {
        let mut config = config(dir.path());
        config.federation = federation(Independence::Checked);
        config.vault = VaultCost::Standard;
        config.recording = recording;
        assert!(matches!(Agent::start(config), Err(StartError::Recording)));
    }
    assert!(!dir.path().join("vault").exists() && !truth.exists());
}

/// An evening is played again with the same devices, and no device ever draws the same numbers twice.
#[tokio::test]
async fn a_seeded_device_is_new_once() {
    let drawn = |dir: &tempfile::TempDir, seed| {
        let mut config = config(dir.path());
        config.recording.seed = seed;
        drop(Agent::start(config).unwrap());
        fs::read_to_string(dir.path().join("api.token")).unwrap()
    };
    let dirs: Vec<_> = (0..4).map(|_| dir()).collect();
    let first = drawn(&dirs[0], Some(7));
    assert_eq!(drawn(&dirs[1], Some(7)), first);
    assert_ne!(drawn(&dirs[2], Some(8)), first);
    assert_ne!(drawn(&dirs[3], None), first);
    fs::remove_file(dirs[0].path().join("api.token")).unwrap();
    assert_ne!(drawn(&dirs[0], Some(7)), first);
}
