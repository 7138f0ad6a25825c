use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Output, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use tempfile::TempDir;

/// An installation in a folder of its own.
pub(crate) struct Install {
    pub(crate) folder: TempDir,
}

/// What a command that ended said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) json: Value,
    pub(crate) stderr: String,
}

impl Ran {
    /// Succeeded; gives what it printed.
    pub(crate) fn done(self) -> Value {
        assert_eq!(self.code, 0, "{} {}", self.json, self.stderr);
        self.json
    }

    /// Failed with this code and a message that holds `words`.
    pub(crate) fn failed(self, code: i32, words: &str) {
        let message = self.json["error"]["message"].as_str().unwrap_or(&self.stderr).to_owned();
        assert_eq!(self.code, code, "{message}");
        assert!(message.contains(words), "{message:?} does not say {words:?}");
    }
}

impl Install {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file into the folder.
    pub(crate) fn write(&self, name: &str, content: &str) -> String {
        fs::write(self.file(name), content).unwrap();
        self.file(name).display().to_string()
    }

    /// Runs a command to its end, with `--json`.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        ended(command(self.path()).args(args).output().unwrap())
    }

    /// Starts something that stays, and waits until it says that it is ready.
    pub(crate) fn start(&self, args: &[&str]) -> Staying {
        let mut command = command(self.path());
        command.args(args).arg("--parent-on-stdin");
        Staying::start(command).unwrap_or_else(|ran| panic!("did not start: {ran:?}"))
    }
}

/// In the environment of every command, and nowhere else.
pub(crate) const SECRET: &str = "7hs3cr3t0fth3t4bl3";

pub(crate) fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mosaic"));
    command.arg("--json").arg("--dir").arg(dir).env_remove("MOSAIC_PASSWORD").env_remove("MOSAIC_DIR");
    // the server of tables that runs in tests looks at no signature
    command.env("AWS_ACCESS_KEY_ID", "id").env("AWS_SECRET_ACCESS_KEY", SECRET);
    command
}

pub(crate) fn ended(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        json: serde_json::from_slice(&output.stdout).unwrap_or_default(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A process that serves until it is stopped.
pub(crate) struct Staying {
    child: Child,
    stdin: Option<ChildStdin>,
    pub(crate) ready: Value,
}

impl Staying {
    /// Starts it; what it said when it ended instead.
    pub(crate) fn start(mut command: Command) -> Result<Self, Ran> {
        Self::spawn(&mut command)
    }

    fn spawn(command: &mut Command) -> Result<Self, Ran> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_default();
        if ready.get("error").is_none() && !ready.is_null() {
            // kept open and drained, so that it never blocks or breaks
            std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
            return Ok(Self { child, stdin, ready });
        }
        drop(stdin);
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let code = child.wait().unwrap().code().unwrap_or(-1);
        Err(Ran { code, json: ready, stderr })
    }

    /// Starts it, or fails the test.
    pub(crate) fn start_ok(command: &mut Command) -> Self {
        Self::spawn(command).unwrap_or_else(|ran| panic!("did not start: {ran:?}"))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: what a power cut does to a process.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Presses Ctrl-C and waits for the end.
    #[cfg(unix)]
    pub(crate) fn interrupt(self) -> i32 {
        self.signal("-INT")
    }

    /// Asks it to end, as a service manager does, and waits.
    #[cfg(unix)]
    pub(crate) fn terminate(self) -> i32 {
        self.signal("-TERM")
    }

    #[cfg(unix)]
    fn signal(mut self, signal: &str) -> i32 {
        let sent = Command::new("kill").args([signal, &self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Closes its standard input and waits for the end.
    pub(crate) fn stop(mut self) -> i32 {
        drop(self.stdin.take());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Staying {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // a test that fails must not leave processes behind; one that ended cannot be killed
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// The hidden option that speeds a practice run up, as its parent hands it over.
pub(crate) fn practice_clock(speed: f64) -> String {
    #[expect(clippy::disallowed_methods, reason = "stands in for the parent, which owns the clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    // half an hour into a four-hour table period
    let start = 1_780_675_200_000_u64 + 1_800_000;
    format!("{now},{start},{speed}")
}
