use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::support::{Install, Staying, command, ended};

/// Three operators' folders, `p1` to `p3`, on ports of the system's choice.
pub(crate) fn providers(home: &Install) -> Vec<PathBuf> {
    providers_at(home, "127.0.0.1:0")
}

/// One more than is needed.
pub(crate) fn four_providers(home: &Install) -> Vec<PathBuf> {
    let any = "127.0.0.1:0";
    initialised(home, &[("aws", "US", any), ("azure", "IE", any), ("gcp", "BE", any), ("oci", "JP", any)])
}

/// Three, the second of them at an address of our choice.
fn providers_at(home: &Install, second: &str) -> Vec<PathBuf> {
    let any = "127.0.0.1:0";
    initialised(home, &[("aws", "US", any), ("azure", "IE", second), ("gcp", "BE", any)])
}

fn initialised(home: &Install, operators: &[(&str, &str, &str)]) -> Vec<PathBuf> {
    let init = |(number, (operator, law, listen)): (u8, (&str, &str, &str))| {
        let folder = home.file(&format!("p{number}"));
        let mut run = command(&folder);
        run.args(["provider", "init", "--listen", listen, "--operator", operator, "--jurisdiction", law]);
        ended(run.args(["--number", &number.to_string()]).output().unwrap()).done();
        folder
    };
    (1..).zip(operators.iter().copied()).map(init).collect()
}

/// A practice federation of those, signed by each on a copy of its own, collected in `whole.json`.
pub(crate) fn signed(home: &Install, providers: &[PathBuf]) -> PathBuf {
    let draft = home.file("draft.json").display().to_string();
    let mut create = vec!["federation", "create", "--practice", "--name", "test", "--center=-45,0", "--output", &draft];
    let public: Vec<String> = providers.iter().map(|dir| dir.join("public.json").display().to_string()).collect();
    create.extend(public.iter().flat_map(|file| ["--provider", file.as_str()]));
    home.run(&create).done();
    let mut collect = command(home.path());
    collect.args(["federation", "collect", "--output"]).arg(home.file("whole.json"));
    for dir in providers {
        let copy = dir.join("copy.json");
        fs::copy(&draft, &copy).unwrap();
        ended(command(dir).args(["provider", "sign"]).arg(&copy).output().unwrap()).done();
        collect.arg("--file").arg(copy);
    }
    let whole = ended(collect.output().unwrap()).done();
    let signatures = whole["signed_by"].as_array().map(Vec::len);
    assert_eq!((whole["complete"].as_bool(), signatures), (Some(true), Some(providers.len())));
    home.file("whole.json")
}

#[test]
fn three_operators_sign_one_text() {
    let home = Install::new();
    let providers = providers(&home);
    let whole = signed(&home, &providers).display().to_string();
    let shown = home.run(&["federation", "show", "--file", &whole]).done();
    assert_eq!(shown["complete"], true);
    let link = home.run(&["federation", "link", "--file", &whole, "--provider", "2"]).done();
    let link = link["link"].as_str().unwrap();
    assert!(link.starts_with("mosaic:join?at=127.0.0.1:") && link.contains(shown["digest"].as_str().unwrap()));

    let half = providers[0].join("copy.json").display().to_string();
    assert_eq!(home.run(&["federation", "show", "--file", &half]).done()["complete"], false);
    home.run(&["federation", "link", "--file", &half]).failed(2, "has not signed");
    home.run(&["federation", "link", "--file", &whole, "--provider", "9"]).failed(2, "no provider 9");
}

/// The certificate is looked at, not taken for granted: a provider of another federation at the same address, so with
/// another key, is refused.
#[test]
fn another_certificate_is_noticed() {
    let home = Install::new();
    let providers = providers(&home);
    fs::copy(signed(&home, &providers), home.file("federation.json")).unwrap();
    let run = |home: &Install, folder: &Path| {
        let mut run = command(folder);
        run.args(["provider", "run", "--parent-on-stdin", "--federation"]).arg(home.file("whole.json"));
        Staying::start_ok(&mut run)
    };
    let test = ["debug", "test-connection", "--provider", "azure"];
    let right = run(&home, &providers[1]);
    let told = home.run(&test).done();
    assert_eq!((told["pin"].as_str(), told["signature"].as_str()), (Some("matches"), Some("verifies")));
    assert_eq!(right.stop(), 0);
    home.run(&test).failed(4, "cannot be reached");

    let config = fs::read_to_string(providers[1].join("provider.toml")).unwrap();
    let listen = config.lines().find_map(|line| line.strip_prefix("listen = ")).unwrap().trim_matches('"').to_owned();
    let elsewhere = Install::new();
    let others = providers_at(&elsewhere, &listen);
    signed(&elsewhere, &others);
    let other = run(&elsewhere, &others[1]);
    let ran = home.run(&test);
    assert_eq!(ran.json["pin"], "differs");
    ran.failed(3, "another certificate");
    assert_eq!(other.stop(), 0);
}

/// Without `--json`, who serves says so in words, and that practice protects nobody.
#[test]
fn servers_greet_people() {
    let home = Install::new();
    let providers = providers(&home);
    fs::copy(signed(&home, &providers), home.file("federation.json")).unwrap();
    let password = home.write("password", "correct horse\n");
    let federation = home.file("whole.json").display().to_string();
    let provider = ["provider", "run", "--federation", &federation];
    let agent = ["agent", "--password-file", &password];
    let cases: [(&Path, &[&str], &str); 2] =
        [(&providers[0], &provider, "Provider 1 answers at https://"), (home.path(), &agent, "runs at http://")];
    for (dir, line, words) in cases {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mosaic"));
        command.args(line).arg("--parent-on-stdin").arg("--dir").arg(dir).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let said: Vec<String> =
            BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok).take(2).collect();
        drop(stdin);
        assert!(child.wait().unwrap().success());
        assert_eq!(said[0], "PRACTICE: all three operators are you: no privacy");
        assert!(said[1].contains(words), "{said:?}");
    }
}

#[test]
fn fewer_than_three_are_no_federation() {
    let home = Install::new();
    let providers = providers(&home);
    let files: Vec<String> = providers.iter().map(|dir| dir.join("public.json").display().to_string()).collect();
    let create = ["federation", "create", "--name", "test", "--center=-45,0", "--provider", &files[0], "--provider"];
    home.run(&[&create[..], &[files[1].as_str()]].concat()).failed(2, "at least 3 providers");
    home.run(&[&create[..], &[files[0].as_str()]].concat()).failed(2, "number 1");
}

#[test]
fn one_law_over_two_providers_is_refused() {
    let home = Install::new();
    let providers = providers(&home);
    let files: Vec<String> = providers.iter().map(|dir| dir.join("public.json").display().to_string()).collect();
    let text = fs::read_to_string(&files[1]).unwrap().replace("\"IE\"", "\"US\"");
    fs::write(&files[1], text).unwrap();
    let mut create = vec!["federation", "create", "--name", "test", "--center=-45,0"];
    create.extend(files.iter().flat_map(|file| ["--provider", file.as_str()]));
    home.run(&create).failed(2, "jurisdiction US");
}

/// A provider keeps the federation it belongs to until its operator says otherwise.
#[test]
fn a_provider_takes_no_other_federation_by_accident() {
    let home = Install::new();
    let folders = providers(&home);
    let whole = signed(&home, &folders);
    let run = |file: &Path, more: &[&str]| {
        let mut run = command(&folders[0]);
        run.args(["provider", "run", "--parent-on-stdin", "--federation"]).arg(file).args(more);
        // standard input is closed: it starts, says so and stops
        ended(run.stdin(std::process::Stdio::null()).output().unwrap())
    };
    assert_eq!(run(&whole, &[]).done()["provider"], 1);
    let installed = || fs::read(folders[0].join("federation.json")).unwrap();
    let first = installed();

    let strangers = Install::new();
    let foreign = signed(&strangers, &providers(&strangers));
    for more in [&[][..], &["--replace"]] {
        run(&foreign, more).failed(5, "cannot take this federation");
        assert_eq!(installed(), first, "what was installed is kept");
    }

    let renamed = home.file("renamed");
    fs::create_dir(&renamed).unwrap();
    fs::rename(&whole, renamed.join("first.json")).unwrap();
    let again = signed(&home, &folders);
    run(&again, &[]).failed(5, "--replace");
    assert_eq!(installed(), first);
    assert_eq!(run(&again, &["--replace"]).done()["provider"], 1);
    assert_ne!(installed(), first);
}
