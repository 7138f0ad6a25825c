use std::{fs, net::TcpListener};

use crate::{
    federation::{providers, signed},
    support::{Install, Staying, command},
};

/// Bad input is told before anybody is asked, so no agent need run.
#[test]
fn bad_arguments_end_with_two() {
    let home = Install::new();
    let here = "--at=41.15,-8.61";
    home.run(&["broadcast", here, "--context", &"x".repeat(501)]).failed(2, "501 characters");
    home.run(&["broadcast", here, "--context", "  "]).failed(2, "empty");
    home.run(&["broadcast", here, "--context", "tea", "--noise", "0.29"]).failed(2, "0.30");
    home.run(&["broadcast", here, "--context", "tea", "--noise", "0.81"]).failed(2, "0.80");
    home.run(&["broadcast", here, "--context", "tea", "--noise", "NaN"]).failed(2, "0.30");
    home.run(&["broadcast", here, "--context", "tea", "--ttl", "1h"]).failed(2, "24");
    home.run(&["broadcast", "--at=91,0", "--context", "tea"]).failed(2, "latitude");
    home.run(&["broadcast", "--at=0,181", "--context", "tea"]).failed(2, "ongitude");
    home.run(&["broadcast", "--at=NaN,0", "--context", "tea"]).failed(2, "finite");
    home.run(&["query", here, "--radius", "99m"]).failed(2, "radius");
    home.run(&["query", here, "--radius", "five miles"]).failed(2, "500m");
    home.run(&["query", here, "--time-window", "2 weeks"]).failed(2, "2h");
    home.run(&["associate", "--token", "abc123def456", "--contact", "Ana"]).failed(2, "32 letters and digits");
    home.run(&["associate", "--contact", &"x".repeat(301)]).failed(2, "300");
    home.run(&["join", "https://example.org"]).failed(2, "join link");
    home.run(&["no-such-command"]).failed(2, "unrecognized");
    let token = "7dQ0x3mEoYcB2kVtR8sZ1wJfHnLpG5aU";
    home.run(&["associate", "--list", "--token", token]).failed(2, "cannot be used with");
    home.run(&["broadcast", "--list", "--context", "tea"]).failed(2, "cannot be used with");
    home.run(&["broadcast"]).failed(2, "required");
}

/// L6-45: words that point at a person are not sent unasked, and what fails names kinds, never the words.
#[test]
fn words_that_point_at_a_person_end_with_six() {
    let home = Install::new();
    let said = |words: &str, more: &[&str], code| {
        let line = [&["broadcast", "--at=41.15,-8.61", "--context", words], more].concat();
        home.run(&line).failed(code, if code == 6 { "not sent" } else { "no agent runs" });
    };
    for words in ["coffee, call 600 123 456", "tea? ana@example.org", "bbq at 12 Baker Street", "look for AB12 CDE"] {
        said(words, &[], 6);
        said(words, &["--anyway"], 4);
    }
    // behind the 108 bytes nothing leaves, and a rare word is only told
    said(
        "a long walk in the park and along the river, then coffee and cake together somewhere nice in the old town, call 600 123 456",
        &[],
        4,
    );
    said("any zxqwolfie players here", &[], 4);
}

/// A mistyped place is still a place, and a terminal's text ends up in bug reports.
#[test]
fn errors_repeat_no_place() {
    let home = Install::new();
    let lines: [&[&str]; 5] = [
        &["broadcast", "--context", "tea", "--at", "41.1496;-8.6110"],
        &["broadcast", "--context", "tea", "--at", "41.1496,-198.6110"],
        &["query", "--at", "41.1496", "-8.6110"],
        &["query", "41.1496,-8.6110"],
        &["federation", "create", "--name", "x", "--provider", "y", "--center", "41.1496;-8.6110"],
    ];
    for line in lines {
        for json in [true, false] {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mosaic"));
            let output =
                command.args(line).args(json.then_some("--json")).arg("--dir").arg(home.path()).output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert_eq!(output.status.code(), Some(2), "{said}");
            assert!(!said.contains("41.1") && !said.contains("8.611") && said.len() > 20, "{line:?}: {said}");
        }
    }
}

/// Valid at the edges: they get as far as the missing agent.
#[test]
fn the_edges_are_inside() {
    let home = Install::new();
    for at in ["--at=90,0", "--at=-90,0", "--at=0,180", "--at=0,-180"] {
        home.run(&["broadcast", at, "--context", &"é".repeat(500), "--noise", "0.3"]).failed(4, "no agent runs");
    }
    home.run(&["query", "--at=41.15,-8.61", "--radius", "5km", "--time-window", "24h"]).failed(4, "no agent runs");
}

#[test]
fn trajectories_are_judged() {
    let home = Install::new();
    let good = "user,time,lat,lon\na,2026-11-21T18:00:00Z,41.1500,-8.6100\na,2026-11-21T18:10:00Z,41.1560,-8.6100\n";
    let good = home.write("good.csv", good);
    home.run(&["debug", "validate-trajectory", "--file", &good]).done();
    let jump = "user,time,lat,lon\na,2026-11-21T18:00:00Z,41.15,-8.61\na,2026-11-21T18:00:10Z,48.85,2.35\n";
    let jump = home.write("jump.csv", jump);
    let ran = home.run(&["debug", "validate-trajectory", "--file", &jump]);
    assert_eq!((ran.code, &ran.json["error"]["exit"]), (2, &2.into()));
    assert_eq!(ran.json["findings"][0]["line"], 3, "one object holds the findings and the failure: {}", ran.json);
    let broken = home.write("broken.csv", "user,time,lat,lon\na,yesterday,41.15,-8.61\n");
    home.run(&["debug", "validate-trajectory", "--file", &broken]).failed(2, "line 2");
}

/// The vault: a wrong password, damage, and another process.
#[test]
fn a_vault_says_what_is_wrong_with_it() {
    let home = Install::new();
    let providers = providers(&home);
    fs::copy(signed(&home, &providers), home.file("federation.json")).unwrap();
    let right = home.write("right", "correct horse battery staple\n");
    let wrong = home.write("wrong", "incorrect horse\n");

    let agent = home.start(&["agent", "--password-file", &right]);
    home.run(&["agent", "--password-file", &right]).failed(5, "another process");
    assert_eq!(agent.stop(), 0);

    home.run(&["agent", "--password-file", &wrong]).failed(5, "wrong password");
    let vault = home.file("agent/vault");
    let whole = fs::read(&vault).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(&vault, &damaged).unwrap();
    home.run(&["agent", "--password-file", &right]).failed(5, "damaged");
    assert_eq!(fs::read(&vault).unwrap(), damaged, "a vault that does not open is not touched");
    fs::write(&vault, whole).unwrap();
    assert_eq!(home.start(&["agent", "--password-file", &right]).stop(), 0);

    let new = home.write("new", "another battery\n");
    let change =
        |from: &str, to: &str| ["agent", "--password-file", from, "--new-password-file", to].map(str::to_owned);
    let run = |line: [String; 5]| home.run(&line.each_ref().map(String::as_str));
    run(change(&wrong, &new)).failed(5, "wrong password");
    run(change(&right, &home.write("empty", "\n"))).failed(5, "empty");
    assert_eq!(home.start(&change(&right, &new).each_ref().map(String::as_str)).stop(), 0);
    home.run(&["agent", "--password-file", &right]).failed(5, "wrong password");
    assert_eq!(home.start(&["agent", "--password-file", &new]).stop(), 0);
}

/// An agent that was killed leaves its address behind; who listens there next must not be told the token.
#[test]
fn a_stranger_on_a_stale_address_is_told_nothing() {
    let home = Install::new();
    let providers = providers(&home);
    fs::copy(signed(&home, &providers), home.file("federation.json")).unwrap();
    let password = home.write("password", "correct horse battery staple\n");
    let mut agent = home.start(&["agent", "--password-file", &password]);
    let address = agent.ready["agent"].as_str().unwrap().trim_start_matches("http://").to_owned();
    home.run(&["status"]).done();
    agent.kill();
    assert_eq!(fs::read_to_string(home.file("agent/api.address")).unwrap(), address, "left behind");

    let stranger = TcpListener::bind(&address).unwrap();
    stranger.set_nonblocking(true).unwrap();
    home.run(&["status"]).failed(4, "no agent runs");
    home.run(&["broadcast", "--context", "tea"]).failed(4, "no agent runs");
    assert_eq!(stranger.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "somebody called");
    drop(stranger);
    let wrong = home.write("wrong", "incorrect horse\n");
    home.run(&["agent", "--password-file", &wrong]).failed(5, "wrong password");
    assert!(!home.file("agent/api.address").exists(), "an agent that is about to start is not yet at that address");
    let again = home.start(&["agent", "--password-file", &password]);
    home.run(&["status"]).done();
    assert_eq!(again.stop(), 0);
}

#[test]
fn a_port_in_use_is_named() {
    let home = Install::new();
    let providers = providers(&home);
    signed(&home, &providers);
    let config = fs::read_to_string(home.file("p1/provider.toml")).unwrap();
    let listen = config.lines().find_map(|line| line.strip_prefix("listen = ")).unwrap().trim_matches('"').to_owned();
    let _taken = TcpListener::bind(&listen).unwrap();
    let mut run = command(&home.file("p1"));
    run.args(["provider", "run", "--federation"]).arg(home.file("whole.json"));
    let ran = Staying::start(run).err().unwrap();
    ran.failed(5, "already in use");
}
