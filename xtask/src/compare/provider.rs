//! A provider beside what an operator would run instead: the same cores, the same disk, one run. What differs in the work
//! is named in the row, since no peer does all of it.

mod nearby;
mod postgres;
mod processes;
mod redis;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use self::redis::{Link, Load, Redis};
use super::sheet::Sheet;
use crate::{tell::tell, tools, tree};

/// Clients at a time, and seconds of each part.
const CLIENTS: u64 = 64;
const SECONDS: u64 = 5;
/// Requests of one run of redis-benchmark.
const REQUESTS: u64 = 60_000;
/// A record and an event, in bytes.
const RECORD: u64 = 192;
const EVENT: u64 = 2_048;

/// Adds rows for deposits and reads over TLS, for who is near, for deposits without a network, and for the OPRF.
pub(super) fn compare(sheet: &mut Sheet) -> Result<()> {
    for (program, package) in [
        ("redis-server", "redis-server"),
        ("redis-benchmark", "redis-tools"),
        ("openssl", "openssl"),
        ("pgbench", "postgresql-15-postgis-3"),
    ] {
        ensure!(tools::present(program), "provider: {program} is missing; install it (Debian package {package})");
    }
    let target = tree::target()?;
    tell(&format!("our deposits and reads over TLS, {SECONDS} s each"));
    let (clients, seconds) = (CLIENTS.to_string(), SECONDS.to_string());
    let told = bench("mosaic-provider", "loopback", &[&clients, &seconds, "--quick", "--json"])?;
    let line = told.lines().rev().find(|line| line.starts_with('{')).context("our bench printed no figures")?;
    let ours = serde_json::from_str(line).context("our bench printed something else")?;
    over_tls(&ours, &target, sheet)?;
    let records_a_second = number(&ours, "/reads/a_second")? * number(&ours, "/records_a_read")?;
    nearby::compare(&target, records_a_second, sheet)?;
    tell("deposits without a network beside SQLite, then the OPRF beside voprf");
    bench("mosaic-provider", "provider", &["64 to a flush", "--noplot", "--quiet"])?;
    bench("mosaic-crypto", "oprf", &["(blind 1|evaluate 16)/", "--noplot", "--quiet"])?;
    in_one_process(&target, sheet)
}

/// Deposits beside SET, reads beside GET, both over TLS with as many clients.
fn over_tls(ours: &Value, target: &Path, sheet: &mut Sheet) -> Result<()> {
    let redis = Redis::start(&target.join("compare/redis"), Link::Tls)?;
    tell(&format!("Redis {}, {REQUESTS} requests each", redis.version));
    let clients = Load { clients: CLIENTS, in_flight: 1, requests: REQUESTS, members: 100_000 };
    let set = redis.rate(clients, &["-t", "set", "-d", &EVENT.to_string()])?;
    let get = redis.rate(clients, &["-t", "get", "-d", &RECORD.to_string()])?;
    let peer = format!("Redis {} over TLS", redis.version);
    let deposits = number(ours, "/deposits/a_second")?;
    let work =
        "events acknowledged over TLS: sealed, paid, flushed here and at a replica, signed; beside SET, flushed here";
    sheet.rate(work.to_owned(), deposits, set, &peer);
    let (reads, records) = (number(ours, "/reads/a_second")?, number(ours, "/records_a_read")?);
    sheet.rate(format!("reads over TLS: a generation of {records} records; beside GET of one"), reads, get, &peer);
    sheet.rate("… records read".to_owned(), reads * records, get, &peer);
    Ok(())
}

/// What criterion measured, from the files that it keeps.
fn in_one_process(target: &Path, sheet: &mut Sheet) -> Result<()> {
    let mean = |group: &str, name: &str| -> Result<f64> {
        // criterion makes names of folders by replacing what is no part of one
        let name = name.replace(['?', '"', '/', '\\', '*', '<', '>', ':', '|', '^'], "_");
        let path = target.join("criterion").join(group).join(name).join("new/estimates.json");
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(number(&serde_json::from_slice(&text).context("not what criterion writes")?, "/mean/point_estimate")? * 1e-9)
    };
    let work = "64 deposits: paid, flushed here and at a replica, signed; beside rows of a table, flushed here";
    let (ours, theirs) =
        (mean("deposit", "replicated, 64 to a flush, log")?, mean("deposit", "SQLite, 64 to a flush")?);
    sheet.seconds(work.to_owned(), ours, theirs, "SQLite");
    for (work, name) in [("evaluate 16 points with proof", "evaluate 16"), ("blind a point", "blind 1")] {
        let (ours, theirs) = (mean("oprf", &format!("{name}/mosaic"))?, mean("oprf", &format!("{name}/voprf"))?);
        sheet.seconds(work.to_owned(), ours, theirs, "voprf (one key, no threshold)");
    }
    Ok(())
}

/// The program of a bench, built: for one that is a server and must be ended by its number.
fn built(package: &str, name: &str) -> Result<PathBuf> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["bench", "--quiet", "--locked", "--no-run", "--message-format", "json"]);
    command.args(["--package", package, "--bench", name]);
    let output = command.current_dir(tree::root()).stderr(Stdio::inherit()).output().context("cargo did not start")?;
    ensure!(output.status.success(), "the bench {name} of {package} does not compile ({})", output.status);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let messages = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let of_bench = |message: &Value| message.pointer("/target/name").and_then(Value::as_str) == Some(name);
    let program = messages.filter(of_bench).find_map(|message| Some(message["executable"].as_str()?.to_owned()));
    program.map(PathBuf::from).with_context(|| format!("cargo names no program of the bench {name}"))
}

/// Runs a bench as cargo builds it for benches; gives what it printed.
fn bench(package: &str, name: &str, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["bench", "--quiet", "--locked", "--package", package, "--bench", name, "--"]).args(arguments);
    let output = command.current_dir(tree::root()).stderr(Stdio::inherit()).output().context("cargo did not start")?;
    ensure!(output.status.success(), "the bench {name} of {package} failed ({})", output.status);
    String::from_utf8(output.stdout).context("the bench printed something else")
}

fn number(value: &Value, at: &str) -> Result<f64> {
    value.pointer(at).and_then(Value::as_f64).with_context(|| format!("no number at {at}"))
}
