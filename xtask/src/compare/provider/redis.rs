//! A Redis of our own, and the load generator that comes with it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};

/// A server of our own on the loopback interface, ended when dropped.
pub(super) struct Redis {
    server: Child,
    port: u16,
    link: Link,
    pub(super) version: String,
}

/// How it is reached, and with that what it is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// Over TLS 1.3, every write flushed before it is answered.
    Tls,
    /// In clear, in memory alone.
    Plain,
}

/// What redis-benchmark does.
#[derive(Clone, Copy)]
pub(super) struct Load {
    /// Connections.
    pub(super) clients: u64,
    /// Questions of a connection that wait for their answers.
    pub(super) in_flight: u64,
    pub(super) requests: u64,
    /// Numbers that are drawn from.
    pub(super) members: u64,
}

impl Redis {
    pub(super) fn start(folder: &Path, link: Link) -> Result<Self> {
        // what an earlier run left would be loaded first
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let port = free_port()?;
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", ""]).arg("--dir").arg(folder);
        match link {
            Link::Plain => command.args(["--port", &port.to_string(), "--appendonly", "no"]),
            Link::Tls => {
                let (key, certificate) = certificate(folder)?;
                command.args(["--port", "0", "--tls-port", &port.to_string(), "--tls-auth-clients", "no"]);
                command.arg("--tls-key-file").arg(&key).arg("--tls-cert-file").arg(&certificate);
                command.arg("--tls-ca-cert-file").arg(&certificate);
                command.args(["--appendonly", "yes", "--appendfsync", "always"])
            }
        };
        let server =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("redis-server did not start")?;
        let redis = Self { server, port, link, version: version()? };
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

    fn address(&self) -> Vec<String> {
        let secured = if self.link == Link::Tls { &["--tls", "--insecure"][..] } else { &[] };
        [&address_of(self.port)[..], &secured.iter().map(|&word| word.to_owned()).collect::<Vec<_>>()].concat()
    }

    /// The server's process.
    pub(super) fn process(&self) -> u32 {
        self.server.id()
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Carries out the commands of a file, one a line.
    pub(super) fn pipe(&self, commands: &Path) -> Result<()> {
        let input = fs::File::open(commands).with_context(|| format!("cannot read {}", commands.display()))?;
        let output = Command::new("redis-cli").args(self.address()).arg("--pipe").stdin(input).output();
        let output = output.context("redis-cli did not start")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success() && said.contains("errors: 0"), "redis-cli --pipe failed: {said}");
        Ok(())
    }

    /// Requests a second of one kind.
    pub(super) fn rate(&self, load: Load, what: &[&str]) -> Result<f64> {
        rate(&self.address(), load, what)
    }
}

/// What redis-cli and redis-benchmark are told of a server on this machine.
pub(super) fn address_of(port: u16) -> [String; 4] {
    let word = |word: &str| word.to_owned();
    [word("-h"), word("127.0.0.1"), word("-p"), port.to_string()]
}

/// Requests a second that whoever speaks the protocol answers.
pub(super) fn rate(address: &[String], load: Load, what: &[&str]) -> Result<f64> {
    let mut command = Command::new("redis-benchmark");
    let Load { clients, in_flight, requests, members } = load;
    let numbers = [("-c", clients), ("-P", in_flight), ("-n", requests), ("-r", members)];
    command.args(address).arg("--csv");
    command.args(numbers.iter().flat_map(|(name, number)| [(*name).to_owned(), number.to_string()]));
    let output = command.args(what).output().context("redis-benchmark did not start")?;
    ensure!(output.status.success(), "redis-benchmark failed ({})", output.status);
    rate_of(&String::from_utf8_lossy(&output.stdout)).context("redis-benchmark printed something else")
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
pub(super) fn free_port() -> Result<u16> {
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
