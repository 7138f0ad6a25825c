//! `deploy/Containerfile`, as far as it can be held against the project without an engine that builds it: every path, user, port,
//! signal and argument in it.

use std::{fs, path::PathBuf, process::Command};

use crate::{
    crash::World,
    support::{Staying, command},
};

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// One instruction: its word and what follows.
struct Instruction {
    word: String,
    rest: String,
}

/// The instructions of one stage, its `FROM` first.
type Stage = Vec<Instruction>;

/// Comments and empty lines aside; no line of ours goes on in the next.
fn stages(text: &str) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        assert!(!line.ends_with('\\'), "this reader takes one line for one instruction: {line}");
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let instruction = Instruction { word: word.to_owned(), rest: rest.to_owned() };
        match word {
            "FROM" => stages.push(vec![instruction]),
            _ => stages.last_mut().expect("FROM comes first").push(instruction),
        }
    }
    stages
}

/// What follows a word that stands once in a stage.
fn the<'a>(stage: &'a Stage, word: &str) -> &'a str {
    let found: Vec<&Instruction> = stage.iter().filter(|instruction| instruction.word == word).collect();
    assert_eq!(found.len(), 1, "{word} stands {} times", found.len());
    &found[0].rest
}

fn is_known(word: &str) -> bool {
    ["FROM", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT"].contains(&word)
}

/// The value of a key in a unit or a table.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let of_key =
        |line: &'a str| line.split_once('=').filter(|(name, _)| name.trim() == key).map(|(_, value)| value.trim());
    text.lines().find_map(of_key).unwrap_or_else(|| panic!("no {key}"))
}

#[test]
fn the_images_are_those_of_the_pinned_toolchain_and_of_one_debian() {
    let [build, run] = &stages(&read("deploy/Containerfile"))[..] else { panic!("two stages") };
    assert!([build, run].iter().all(|stage| stage.iter().all(|instruction| is_known(&instruction.word))));
    let toolchain = read("rust-toolchain.toml");
    let channel = value(&toolchain, "channel").trim_matches('"').to_owned();
    let (image, name) = the(build, "FROM").split_once(" AS ").unwrap();
    // the C library of the first must not be newer than that of the second
    assert_eq!((image, name), (format!("docker.io/library/rust:{channel}-slim-bookworm").as_str(), "build"));
    assert!(the(run, "FROM").starts_with("docker.io/library/debian:12."), "bookworm is Debian 12");
}

#[test]
fn what_is_built_is_what_is_copied_and_run() {
    let [build, run] = &stages(&read("deploy/Containerfile"))[..] else { panic!("two stages") };
    let command: Vec<&str> = the(build, "RUN").split(' ').collect();
    assert_eq!(command[..2], ["cargo", "build"]);
    assert!(command.contains(&"--release") && command.contains(&"--locked"), "{command:?}");
    assert_eq!(command[command.len() - 2..], ["-p", "mosaic"]);
    let built = format!("{}/target/release/mosaic", the(build, "WORKDIR"));
    assert_eq!(the(build, "COPY"), ". .");
    let installed =
        the(run, "COPY").strip_prefix(&format!("--from=build {built} ")).expect("copied from where it was built");
    let entry: Vec<String> = serde_json::from_str(the(run, "ENTRYPOINT")).unwrap();
    assert_eq!(entry[0], installed);
    // the unit runs the same, in the same folder
    let unit = read("deploy/mosaic-provider.service");
    assert_eq!(value(&unit, "ExecStart"), entry.join(" "));
    assert_eq!(value(&unit, "KillSignal"), the(run, "STOPSIGNAL"));
    assert!(entry.contains(&format!("/var/lib/{}", value(&unit, "StateDirectory"))));
    // the context holds neither what was built outside nor the history
    let ignored = read(".containerignore");
    assert!(["target", ".git"].iter().all(|path| ignored.lines().any(|line| line == *path)));
}

#[test]
fn it_runs_as_nobody_in_particular_at_the_port_of_the_book() {
    let [_, run] = &stages(&read("deploy/Containerfile"))[..] else { panic!("two stages") };
    let (user, group) = the(run, "USER").split_once(':').unwrap();
    assert!([user, group].iter().all(|id| id.parse::<u32>().unwrap() >= 1_000), "numbers, and not those of the system");
    let book = read("docs/book/operate.md");
    assert!(book.contains(&format!("--listen 0.0.0.0:{}", the(run, "EXPOSE"))));
    assert!(book.contains(user), "the book says whose the mounted folder is");
}

/// The arguments of the image start a provider in its folder, and its signal ends it.
#[test]
fn the_entry_point_starts_a_provider_and_its_signal_ends_it() {
    mosaic_transport::install_crypto();
    let [_, run] = &stages(&read("deploy/Containerfile"))[..] else { panic!("two stages") };
    let entry: Vec<String> = serde_json::from_str(the(run, "ENTRYPOINT")).unwrap();
    let (mut world, _) = World::new(0xc047);
    // the first start installs the document
    world.start(1);
    assert_eq!(world.running.remove(&1).unwrap().terminate(), 0);
    let folder = world.home.file("p1");
    let [dir, _, arguments @ ..] = &entry[1..] else { panic!("--dir FOLDER and more") };
    assert_eq!(dir, "--dir");
    let mut run_it = command(&folder);
    run_it.args(arguments);
    let started = Staying::start(run_it).unwrap();
    assert_eq!(the(run, "STOPSIGNAL"), "SIGINT");
    assert_eq!(started.interrupt(), 0);
}

/// A slim Debian has the C library and GCC's, and nothing else that a program may link to.
#[test]
#[cfg(target_os = "linux")]
fn the_program_needs_no_library_that_a_slim_image_lacks() {
    let output = Command::new("ldd").arg(env!("CARGO_BIN_EXE_mosaic")).output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let names: Vec<&str> = said.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(!names.is_empty());
    let there = [
        "linux-vdso",
        "libc.so",
        "libm.so",
        "libgcc_s.so",
        "libdl.so",
        "libpthread.so",
        "/lib64/ld-linux",
        "/lib/ld-linux",
    ];
    let lacking: Vec<_> = names.iter().filter(|name| !there.iter().any(|known| name.starts_with(known))).collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}
