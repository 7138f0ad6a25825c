//! What README tells a newcomer to type works as typed, in this order.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use crate::support::Install;

const PROGRAM: &str = "target/release/mosaic";

/// The lines under "Try it" that run the program, up to the first that needs a file.
fn lines() -> Vec<String> {
    let readme = include_str!("../../../../README.md");
    let section = readme.split("\n## ").find(|section| section.starts_with("Try it")).unwrap();
    let lines = section.lines().filter(|line| line.starts_with(PROGRAM));
    lines.map(str::to_owned).take_while(|line| !line.contains("traces convert")).collect()
}

/// A shell that takes the line as typed, in a folder where the program lies where README says.
fn shell(line: &str, home: &Install) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec {line}")]).current_dir(home.path()).env("MOSAIC_DIR", home.file("data"));
    shell.env_remove("MOSAIC_PASSWORD");
    shell
}

/// Ends `mosaic up` as Ctrl-C does, also when the test fails.
struct Up(Child);

impl Drop for Up {
    fn drop(&mut self) {
        let _gone = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
        let _ended = self.0.wait();
    }
}

#[test]
fn what_readme_says_works() {
    let home = Install::new();
    std::fs::create_dir_all(home.file("target/release")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_mosaic"), home.file(PROGRAM)).unwrap();
    let lines = lines();
    let (first, rest) = lines.split_first().unwrap();
    assert!(first.starts_with("target/release/mosaic up ") && rest.len() >= 3, "{lines:?}");
    let mut up = Up(shell(first, &home).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap());
    let mut said = Vec::new();
    for line in BufReader::new(up.0.stdout.take().unwrap()).lines().map_while(Result::ok) {
        let last = line.contains("Ctrl-C");
        said.push(line);
        if last {
            break;
        }
    }
    assert!(said.iter().any(|line| line.contains("all three operators are you: no privacy")), "{said:?}");
    // what it says to type next, and what README says
    let hints = said.iter().filter(|line| line.starts_with("  "));
    let typed: Vec<&str> = hints.chain(rest).map(|line| line.trim()).collect();
    assert!(typed.len() >= 6 && typed.iter().all(|line| line.starts_with(PROGRAM)), "{typed:?}");
    for line in typed {
        let ran = shell(line, &home).output().unwrap();
        assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
    }
    let out = shell(&format!("{PROGRAM} --json broadcast --list"), &home).output().unwrap();
    assert!(String::from_utf8_lossy(&out.stdout).contains("\"granularity\":\"fine\""), "{out:?}");
}
