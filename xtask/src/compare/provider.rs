//! A provider beside what an operator would run instead: the same cores, the same disk, one run. What differs in the work
//! is named in the row, since no peer does all of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::sheet::Sheet;
use crate::{tell::tell, tools, tree};

/// Clients at a time, and seconds of each part.
const CLIENTS: u64 = 64;
const SECONDS: u64 = 15;
/// Requests of one run of redis-benchmark.
const REQUESTS: u64 = 60_000;
/// A record and an event, in bytes.
const RECORD: u64 = 192;
const EVENT: u64 = 2_048;

/// Adds rows for deposits and reads over TLS, for deposits without a network, and for the OPRF.
pub(super) fn compare(sheet: &mut Sheet) -> Result<()> {
    for program in ["redis-server", "redis-benchmark"] {
        ensure!(tools::present(program), "provider: {program} is missing; install it (Debian package redis)");
    }
    ensure!(tools::present("openssl"), "provider: openssl is missing; install it (Debian package openssl)");
    let target = tree::target()?;
    tell(&format!("our deposits and reads over TLS, {SECONDS} s each"));
    let (clients, seconds) = (CLIENTS.to_string(), SECONDS.to_string());
    let told = bench("mosaic-provider", "loopback", &[&clients, &seconds, "--json"])?;
    let line = told.lines().rev().find(|line| line.starts_with('{')).context("our bench printed no figures")?;
    over_tls(&serde_json::from_str(line).context("our bench printed something else")?, &target, sheet)?;
    tell("deposits without a network beside SQLite, then the OPRF beside voprf");
    bench("mosaic-provider", "provider", &["64 to a flush", "--noplot", "--quiet"])?;
    bench("mosaic-crypto", "oprf", &["(blind 1|evaluate 16)/", "--noplot", "--quiet"])?;
    in_one_process(&target, sheet)
}

/// Deposits beside SET, reads beside GET, both over TLS with as many clients.
fn over_tls(ours: &Value, target: &Path, sheet: &mut Sheet) -> Result<()> {
    let redis = Redis::start(&target.join("compare/redis"))?;
    tell(&format!("Redis {}, {REQUESTS} requests each", redis.version));
    let set = redis.rate(&["-t", "set", "-d", &EVENT.to_string()])?;
    let get = redis.rate(&["-t", "get", "-d", &RECORD.to_string()])?;
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

/// A server of our own on the loopback interface, ended when dropped. Every write is flushed before it is answered.
struct Redis {
    server: Child,
    port: u16,
    version: String,
}

impl Redis {
    fn start(folder: &Path) -> Result<Self> {
        // what an earlier run left would be loaded first
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let (key, certificate) = certificate(folder)?;
        let port = free_port()?;
        let mut command = Command::new("redis-server");
        command.args([
            "--bind",
            "127.0.0.1",
            "--port",
            "0",
            "--tls-port",
            &port.to_string(),
            "--tls-auth-clients",
            "no",
        ]);
        command.arg("--tls-key-file").arg(&key).arg("--tls-cert-file").arg(&certificate);
        command.arg("--tls-ca-cert-file").arg(&certificate).arg("--dir").arg(folder);
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
        let server =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("redis-server did not start")?;
        let redis = Self { server, port, version: version()? };
        redis.wait()?;
        Ok(redis)
    }

    /// Asks until it answers: each question is a process, so this does not spin.
    fn wait(&self) -> Result<()> {
        for _ in 0..2_000 {
            let answer = Command::new("redis-cli").args(self.address()).arg("ping").output();
            if answer.context("redis-cli did not start")?.stdout.starts_with(b"PONG") {
                return Ok(());
            }
        }
        anyhow::bail!("redis-server does not answer")
    }

    fn address(&self) -> [String; 6] {
        let word = |word: &str| word.to_owned();
        [word("-h"), word("127.0.0.1"), word("-p"), self.port.to_string(), word("--tls"), word("--insecure")]
    }

    /// Requests a second of one kind, without pipelining: a person's device waits for its answer.
    fn rate(&self, what: &[&str]) -> Result<f64> {
        let mut command = Command::new("redis-benchmark");
        command.args(self.address()).args([
            "--csv",
            "-n",
            &REQUESTS.to_string(),
            "-c",
            &CLIENTS.to_string(),
            "-r",
            "100000",
        ]);
        let output = command.args(what).output().context("redis-benchmark did not start")?;
        ensure!(output.status.success(), "redis-benchmark failed ({})", output.status);
        rate_of(&String::from_utf8_lossy(&output.stdout)).context("redis-benchmark printed something else")
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // one that ended by itself cannot be killed
        let _gone = self.server.kill().and_then(|()| self.server.wait());
    }
}

/// The second column of the last line: requests a second.
fn rate_of(csv: &str) -> Option<f64> {
    csv.lines().rev().find(|line| line.contains(','))?.split(',').nth(1)?.trim_matches('"').parse().ok()
}

/// A key and a certificate signed by itself, as small as ours.
fn certificate(folder: &Path) -> Result<(PathBuf, PathBuf)> {
    let (key, certificate) = (folder.join("key.pem"), folder.join("cert.pem"));
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]);
    command.args(["-subj", "/CN=localhost", "-keyout"]).arg(&key).arg("-out").arg(&certificate);
    let output = command.output().context("openssl did not start")?;
    ensure!(output.status.success(), "openssl made no certificate: {}", String::from_utf8_lossy(&output.stderr));
    Ok((key, certificate))
}

/// A port that the system names as free; it is asked for again a moment later.
fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("no free port")?;
    Ok(listener.local_addr().context("no free port")?.port())
}

/// The 7.0.15 of `Redis server v=7.0.15 sha=…`.
fn version() -> Result<String> {
    let output = Command::new("redis-server").arg("--version").output().context("redis-server did not start")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.split("v=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read() {
        let csv = "\"test\",\"rps\",\"avg_latency_ms\"\n\"SET\",\"1234.50\",\"40.1\"\n";
        assert_eq!(rate_of(csv), Some(1_234.5));
        assert_eq!(rate_of("\"test\",\"rps\"\n"), None);
        assert_eq!(rate_of(""), None);
    }
}
