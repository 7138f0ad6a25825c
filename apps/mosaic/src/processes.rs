//! Child processes of this binary, and being one.

use std::{fs::File, net::IpAddr, path::PathBuf, process::Stdio, time::Duration};

use clap::Args;
use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdin, Command},
    sync::oneshot,
    time::timeout,
};

use crate::{
    clock::PracticeClock,
    exit::{Exit, Failure, OrExit, Outcome},
};

/// How long a child may take to say that it is ready.
const START: Duration = Duration::from_secs(60);
/// How long a child may take to stop before it is killed.
const STOP: Duration = Duration::from_secs(15);

/// What a parent of this binary tells its children; nothing people type.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ChildArgs {
    /// Stop when standard input closes: the parent is gone
    #[arg(long, hide = true)]
    parent_on_stdin: bool,
    /// Sped-up clock of a practice run
    #[arg(long, hide = true, value_name = "REAL_MS,VIRTUAL_MS,SPEED")]
    pub(crate) practice_clock: Option<PracticeClock>,
    /// What a practice run writes down for the lab
    #[arg(long, hide = true, value_name = "FILE")]
    pub(crate) practice_recording: Option<PathBuf>,
    /// Address of this machine from which a practice run connects to providers
    #[arg(long, hide = true, value_name = "ADDRESS")]
    pub(crate) practice_address: Option<IpAddr>,
    /// What a new device of a practice run draws from, so that the run can be played again
    #[arg(long, hide = true, value_name = "NUMBER")]
    pub(crate) practice_seed: Option<u64>,
}

impl ChildArgs {
    /// Completes when somebody wants this process to stop: Ctrl-C, a termination signal, or a parent that went away.
    pub(crate) async fn stopped(&self) {
        let parent = parent_gone(self.parent_on_stdin);
        tokio::select! {
            () = interrupted() => {}
            () = parent => {}
        }
    }
}

/// A thread of its own, because a blocked read of standard input cannot be cancelled.
async fn parent_gone(watch: bool) {
    if !watch {
        return std::future::pending().await;
    }
    let (gone, told) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let end = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        tracing::debug!(?end, "standard input closed");
        drop(gone);
    });
    if told.await.is_err() {
        tracing::debug!("the parent is gone");
    }
}

/// Completes on Ctrl-C or a termination signal.
pub(crate) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut term) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = term.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// A running child of this binary.
pub(crate) struct Running {
    child: Child,
    /// Kept apart, because waiting for a child closes the one it has.
    stdin: Option<ChildStdin>,
    name: String,
    /// Where it says what went wrong.
    log: PathBuf,
}

/// How a child is started.
pub(crate) struct Launch {
    /// Name for messages.
    pub(crate) name: String,
    /// Arguments, without the ones every child gets.
    pub(crate) args: Vec<String>,
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// Its clock, if not the machine's.
    pub(crate) clock: Option<PracticeClock>,
}

impl Running {
    /// Starts a child and waits until it says that it is ready.
    pub(crate) async fn start<T: DeserializeOwned>(launch: Launch) -> Outcome<(Self, T)> {
        let doing = format!("cannot start {}", launch.name);
        let log = launch.dir.join("log");
        let stderr = File::create(&log).or_exit(Exit::Local, &doing)?;
        let mut command = Command::new(std::env::current_exe().or_exit(Exit::Local, &doing)?);
        command.args(&launch.args).arg("--json").arg("--dir").arg(&launch.dir).arg("--parent-on-stdin");
        if let Some(clock) = launch.clock {
            command.arg("--practice-clock").arg(clock.to_string());
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr).kill_on_drop(true);
        let mut child = command.spawn().or_exit(Exit::Local, &doing)?;
        let mut running = Self { stdin: child.stdin.take(), child, name: launch.name, log };
        let ready = running.first_line().await?;
        Ok((running, ready))
    }

    async fn first_line<T: DeserializeOwned>(&mut self) -> Outcome<T> {
        let stdout = self.child.stdout.take();
        let stdout = stdout.ok_or_else(|| Failure::new(Exit::Local, "a child has no standard output"))?;
        let mut lines = BufReader::new(stdout).lines();
        let line = timeout(START, lines.next_line()).await;
        let said = line.ok().and_then(Result::ok).flatten().unwrap_or_default();
        // whatever else it says must not fill the pipe
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        serde_json::from_str(&said).map_err(|_| self.told(&said))
    }

    /// Why it did not become ready, in its own words.
    fn told(&self, said: &str) -> Failure {
        let object: serde_json::Value = serde_json::from_str(said).unwrap_or_default();
        let exit = match object["error"]["exit"].as_u64() {
            Some(2) => Exit::Usage,
            Some(3) => Exit::Refused,
            Some(4) => Exit::Unreachable,
            _ => Exit::Local,
        };
        match object["error"]["message"].as_str() {
            Some(message) => Failure::new(exit, format!("{}: {message}", self.name)),
            None => Failure::new(exit, format!("{} did not start; see {}", self.name, self.log.display())),
        }
    }

    /// Its process number.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Completes when it ends by itself.
    pub(crate) async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => format!("{} ended: {status}; see {}", self.name, self.log.display()),
            Err(error) => format!("{} is lost: {error}", self.name),
        }
    }

    /// Kills it at once, as a power cut would.
    pub(crate) async fn kill(&mut self) {
        if let Err(error) = self.child.kill().await {
            tracing::debug!(%error, name = self.name, "was gone already");
        }
    }

    /// Asks it to stop by closing its standard input; kills it when it does not.
    pub(crate) async fn stop(mut self) {
        drop(self.stdin.take());
        if timeout(STOP, self.child.wait()).await.is_err() {
            tracing::warn!(name = self.name, "does not stop and is killed");
            self.kill().await;
        }
    }
}

/// Stops all of them at the same time.
pub(crate) async fn stop_all(running: Vec<Running>) {
    let stops: Vec<_> = running.into_iter().map(|child| tokio::spawn(child.stop())).collect();
    for stop in stops {
        if let Err(error) = stop.await {
            tracing::debug!(%error, "a stop was cut short");
        }
    }
}
