use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::support::{Install, command};

/// `mosaic up`, every client command, Ctrl-C, and everything is still there afterwards.
#[test]
fn a_practice_federation_comes_and_goes() {
    let home = Install::new();
    let up = home.start(&["up"]);
    assert_eq!(up.ready["banner"], "all three operators are you: no privacy");
    let pids: Vec<u64> = up.ready["pids"].as_array().unwrap().iter().filter_map(|pid| pid.as_u64()).collect();
    assert_eq!(pids.len(), 4);

    let said = home.run(&["broadcast", "--context", "coffee meetup", "--noise", "0.7"]).done();
    assert_eq!((said["granularity"].as_str(), said["noise"]["requested"].as_f64()), (Some("fine"), Some(0.7)));
    let id = said["id"].as_str().unwrap();
    assert_eq!(home.run(&["broadcast", "--list"]).done()["broadcasts"][0]["id"], id);
    let stricter = home.run(&["broadcast", "--update", id, "--noise", "0.8"]).done();
    assert_eq!((&stricter["id"], stricter["noise"]["requested"].as_f64()), (&said["id"], Some(0.8)));
    home.run(&["broadcast", "--update", id, "--noise", "0.6"]).failed(3, "cannot lower the noise");
    home.run(&["broadcast", "--withdraw", id]).done();
    assert_eq!(home.run(&["broadcast", "--list"]).done()["broadcasts"], serde_json::json!([]));
    home.run(&["broadcast", "--withdraw", id]).failed(3, "no such broadcast");
    let found = home.run(&["query", "--radius", "500m", "--time-window", "2h"]).done();
    assert_eq!(found["searched"], serde_json::json!({ "radius": 500, "window": 7200 }));
    settings_and_exports(&home);
    looking_under_the_hood(&home);
    counts_over_many_people(&home);
    addresses_of_the_app(&home, &up.ready);
    let made = home.run(&["associate", "--contact", "Ana"]).done();
    assert_eq!(made["token"].as_str().map(str::len), Some(32));
    let door = home.run(&["open-door"]).done();
    assert_eq!(home.run(&["status"]).done()["open_door_until"], door["until"]);
    #[cfg(unix)]
    watching(&home);
    assert!(home.run(&["people"]).done()["people"].as_array().unwrap().is_empty());

    assert_eq!(up.interrupt(), 0);
    for pid in pids {
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "process {pid} was left behind");
    }
    home.run(&["status"]).failed(4, "no agent runs");

    let again = home.start(&["up"]);
    let kept = home.run(&["config", "get", "ttl.default"]).done();
    assert_eq!(kept["ttl.default"], 72, "settings outlive a restart");
    assert_eq!(again.stop(), 0);
}

/// A first start that was cut off must not make the next one fail; what somebody else made there is left alone.
#[test]
fn an_interrupted_first_start_is_made_good() {
    let home = Install::new();
    std::fs::create_dir_all(home.file("provider-1")).unwrap();
    home.write("provider-1/keys", "half of them");
    home.run(&["up"]).failed(5, "exists already");
    assert_eq!(std::fs::read_to_string(home.file("provider-1/keys")).unwrap(), "half of them");

    home.write("practice.unfinished", "");
    let up = home.start(&["up"]);
    home.run(&["status"]).done();
    assert_eq!(up.stop(), 0);
    assert!(!home.file("practice.unfinished").exists());
    assert_eq!(home.start(&["up"]).stop(), 0);
}

/// When one of its processes dies, `up` ends and says where that one wrote why.
#[test]
fn a_child_that_dies_is_named_with_its_log() {
    let home = Install::new();
    let mut child = command(home.path()).arg("up").stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let killed = Command::new("kill").args(["-KILL", &ready["pids"][1].to_string()]).status().unwrap();
    assert!(killed.success());
    line.clear();
    out.read_line(&mut line).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(5));
    let told: Value = serde_json::from_str(&line).unwrap();
    let message = told["error"]["message"].as_str().unwrap();
    let log = home.file("provider-2/log").display().to_string();
    assert!(message.contains("provider 2 ended") && message.contains(&log), "{message}");
}

/// `up` and `open` print the address of the agent with a code, another one each time, and start no browser for a program.
fn addresses_of_the_app(home: &Install, ready: &Value) {
    let opened = home.run(&["open"]).done();
    let codes = [&ready["app"], &opened["app"]].map(|address| {
        let (agent, code) = address.as_str().unwrap().split_once("/#").unwrap();
        assert_eq!(ready["agent"], agent);
        assert!(code.len() == 32 && code.bytes().all(|byte| byte.is_ascii_hexdigit()), "{code}");
        code
    });
    assert_ne!(codes[0], codes[1]);
    assert_eq!(opened["started"], false);
    assert_eq!(home.run(&["open", "--revoke"]).done()["revoked"], true);
}

/// Nobody reported yet: that is said, by the agent and to the operator, and answers begin when a person says so.
fn counts_over_many_people(home: &Install) {
    assert_eq!(home.run(&["aggregates"]).done()["statements"].as_array().map(Vec::len), Some(0));
    assert_eq!(home.run(&["config", "get", "aggregate"]).done()["aggregate"], "off");
    home.run(&["config", "set", "aggregate", "perhaps"]).failed(2, "on or off");
    assert_eq!(home.run(&["config", "set", "aggregate", "on"]).done()["aggregate"], "on");
    let answers = home.run(&["status"]).done()["answers"].clone();
    assert_eq!((&answers["aggregate"], &answers["days"]), (&Value::from("on"), &Value::from(0)));
    let federation = home.file("provider-1/federation.json").display().to_string();
    let told = home.run(&["provider", "counts", "--federation", &federation]).done();
    assert_eq!((&told["days"], &told["lines"]), (&Value::from(0), &Value::Array(Vec::new())));
}

/// What stands is told at once, one document a line, until Ctrl-C.
#[cfg(unix)]
fn watching(home: &Install) {
    let mut child = command(home.path()).args(["query", "--watch"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = lines.by_ref().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let door = told.into_iter().find(|news| news["alert"]["kind"] == "open-door-visible").unwrap();
    assert_eq!(door["type"], "privacy.alert");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

fn settings_and_exports(home: &Install) {
    home.run(&["config", "set", "privacy.mode", "maximum"]).done();
    home.run(&["config", "set", "privacy.mode", "balanced"]).done();
    home.run(&["config", "set", "ttl.default", "48h"]).done();
    home.run(&["config", "set", "privacy.mode", "invisible"]).failed(2, "modes");
    home.run(&["config", "set", "ttl.default", "2h"]).failed(2, "24 and 168");
    home.run(&["config", "set", "colour", "red"]).failed(2, "privacy.mode");

    let sealed = home.file("export.mosaic").display().to_string();
    let password = home.write("password", "a long sentence nobody guesses\n");
    home.run(&["export", "--output", &sealed, "--password-file", &password]).done();
    home.run(&["export", "--output", &sealed, "--password-file", &password]).failed(5, "exists");
    let bytes = std::fs::read(&sealed).unwrap();
    assert!(!bytes.windows(14).any(|part| part == b"mosaic-export/"), "the export is sealed");
    home.run(&["config", "set", "ttl.default", "72h"]).done();
    home.run(&["import", "--file", &sealed, "--password-file", &password, "--validate"]).done();
    assert_eq!(home.run(&["config", "get"]).done()["ttl.default"], 72, "validating changes nothing");
    home.run(&["import", "--file", &sealed, "--password-file", &password]).done();
    assert_eq!(home.run(&["config", "get"]).done()["ttl.default"], 48);
    home.run(&["config", "set", "ttl.default", "72h"]).done();

    let wrong = home.write("wrong", "another sentence\n");
    home.run(&["import", "--file", &sealed, "--password-file", &wrong]).failed(5, "wrong password");
    let plain = home.file("export.json").display().to_string();
    home.run(&["export", "--format", "json", "--plain", "--output", &plain]).done();
    home.run(&["import", "--file", &plain, "--validate"]).done();
    let bad = home.write("bad.json", "{\n  \"format\": \"mosaic-export/1\",\n  \"people\": 7\n}\n");
    home.run(&["import", "--file", &bad]).failed(2, "line");
}

fn looking_under_the_hood(home: &Install) {
    let status = home.run(&["status", "--verbose"]).done();
    assert_eq!(home.run(&["debug", "show-noise-ratio"]).done(), status["noise"]);
    assert!(status["ledger"]["renews_at"].as_u64() > status["now"].as_u64() && status["ledger"]["paid"].is_array());
    let reached = home.run(&["debug", "test-connection", "--provider", "practice 2"]).done();
    assert_eq!((reached["provider"].as_u64(), reached["pin"].as_str()), (Some(2), Some("matches")));
    home.run(&["debug", "test-connection", "--provider", "aws"]).failed(2, "no provider");
}
