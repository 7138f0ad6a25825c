//! A PostgreSQL with PostGIS of our own, in a folder that goes with it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};

use super::redis::free_port;

/// Where Debian puts the server's programs, which are on no search path.
const PROGRAMS: &str = "/usr/lib/postgresql";
/// The server refuses to run as root.
const ACCOUNT: &str = "postgres";

/// A server on the loopback interface, ended when dropped.
pub(super) struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
}

impl Postgres {
    pub(super) fn start() -> Result<Self> {
        let programs = programs()?;
        let folder = std::env::temp_dir().join(format!("mosaic-compare-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let postgres = Self { programs, folder, port: free_port()? };
        if is_root()? {
            done(Command::new("chown").arg(ACCOUNT).arg(&postgres.folder))?;
        }
        let data = postgres.data();
        done(
            postgres.command("initdb").args(["--auth", "trust", "--no-sync", "--username", ACCOUNT, "-D"]).arg(&data),
        )?;
        let settings = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c shared_buffers=512MB -c jit=off",
            postgres.port,
            postgres.folder.display()
        );
        let log = postgres.folder.join("log");
        done(
            postgres
                .command("pg_ctl")
                .args(["start", "--wait", "-D"])
                .arg(&data)
                .args(["-o", &settings, "-l"])
                .arg(log),
        )?;
        Ok(postgres)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// One of the server's own programs, as who may run it.
    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        if !is_root().unwrap_or_default() {
            return Command::new(path);
        }
        let mut command = Command::new("runuser");
        command.args(["-u", ACCOUNT, "--"]).arg(path).current_dir(&self.folder);
        command
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.args(["-h", "127.0.0.1", "-U", ACCOUNT, "-p", &self.port.to_string()]);
        command
    }

    /// The number of the process that all others are children of.
    pub(super) fn process(&self) -> Result<u32> {
        let path = self.data().join("postmaster.pid");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        text.lines().next().and_then(|line| line.parse().ok()).context("postmaster.pid holds something else")
    }

    /// What a statement selects, a row a line.
    pub(super) fn ask(&self, statement: &str) -> Result<String> {
        let output = done(self.client("psql").args(["-v", "ON_ERROR_STOP=1", "-qAtX", "-c", statement, ACCOUNT]))?;
        String::from_utf8(output.stdout).context("psql printed something else")
    }

    /// Carries out a file of statements.
    pub(super) fn carry_out(&self, script: &Path) -> Result<()> {
        done(self.client("psql").args(["-v", "ON_ERROR_STOP=1", "-qX", "-f"]).arg(script).arg(ACCOUNT)).map(drop)
    }

    /// Transactions of a script that one connection had answered, and in how many seconds. Prepared once, as a service would.
    pub(super) fn load(&self, script: &Path, seconds: u64) -> Result<f64> {
        let mut command = self.client("pgbench");
        command.args(["-n", "-M", "prepared", "-c", "1", "-j", "1", "-T", &seconds.to_string(), "-f"]);
        let output = done(command.arg(script).arg(ACCOUNT))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        transactions(&said).with_context(|| format!("pgbench printed something else:\n{said}"))
    }

    pub(super) fn version(&self) -> Result<String> {
        let said = self.ask("SELECT split_part(version(), ' ', 2) || ' with PostGIS ' || PostGIS_Lib_Version()")?;
        Ok(format!("PostgreSQL {}", said.trim()))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.data();
        // what did not start cannot be stopped, and leaves a folder
        let _stopped = self.command("pg_ctl").args(["stop", "--wait", "-m", "immediate", "-D"]).arg(data).output();
        let _gone = fs::remove_dir_all(&self.folder);
    }
}

fn done(command: &mut Command) -> Result<Output> {
    // pg_ctl's child keeps whatever it inherits open, so a pipe would never end
    let logged = command.get_program().to_string_lossy().into_owned();
    let output = if command.get_args().any(|argument| argument == "start") {
        let status = command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).status();
        Output { status: status.with_context(|| format!("{logged} did not start"))?, stdout: vec![], stderr: vec![] }
    } else {
        command.output().with_context(|| format!("{logged} did not start"))?
    };
    ensure!(output.status.success(), "{logged} failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(output)
}

/// The newest release that is installed.
fn programs() -> Result<PathBuf> {
    let releases =
        fs::read_dir(PROGRAMS).with_context(|| format!("{PROGRAMS} is missing; install postgresql-15-postgis-3"))?;
    let releases = releases.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    releases.filter(|bin| bin.join("initdb").is_file()).max().context("no PostgreSQL is installed")
}

fn is_root() -> Result<bool> {
    let output = Command::new("id").arg("-u").output().context("id did not start")?;
    Ok(output.stdout.starts_with(b"0\n"))
}

/// From `number of transactions actually processed: 123`.
fn transactions(said: &str) -> Option<f64> {
    let line = said.lines().find_map(|line| line.strip_prefix("number of transactions actually processed: "))?;
    line.split('/').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_are_read() {
        let said =
            "pgbench (15.18)\nnumber of transactions actually processed: 1234\nlatency average = 1 ms\ntps = 9.1\n";
        assert_eq!(transactions(said), Some(1_234.0));
        assert_eq!(transactions("tps = 9.1\n"), None);
    }
}
