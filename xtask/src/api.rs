//! The served description of the local API against the agent that serves it: schemathesis makes requests of the schemas,
//! valid ones and others, and looks whether each answer is one that the description knows.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;

use crate::{lab, python::Python, tell::tell, tree};

/// What to try.
#[derive(Args)]
pub(crate) struct ApiArgs {
    /// Requests that are drawn for each operation and phase
    #[arg(long, default_value_t = 50)]
    examples: u32,
    /// Everything is drawn from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A program that was built already, instead of building it
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Python 3.10 or 3.11 with its venv module (default: the first on the search path)
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
}

/// Starts a practice federation in a folder of its own, plays, and ends it.
pub(crate) fn run(args: &ApiArgs) -> Result<()> {
    let folder = tree::target()?.join("api");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let requirements = tree::root().join("xtask/api/requirements.txt");
    let python = Python::with_packages(&folder.join("python"), &requirements, args.python.as_deref())?;
    let program = args.program.clone().map_or_else(build, Ok)?;
    let practice = Practice::start(&program, &folder.join("home"))?;
    tell(&format!("schemathesis, {} requests each, at {}", args.examples, practice.agent));
    let (location, bearer) =
        (format!("{}/openapi.json", practice.agent), format!("Authorization: Bearer {}", practice.token));
    let (examples, seed) = (args.examples.to_string(), args.seed.to_string());
    let mut command = Command::new(python.tool("schemathesis"));
    command.arg("--config-file").arg(tree::root().join("xtask/api/schemathesis.toml"));
    command.args(["run", &location, "--header", &bearer, "--checks", "all", "--continue-on-failure", "--no-color"]);
    command.args(["--max-examples", &examples, "--seed", &seed]).current_dir(&folder);
    let status = command.status().context("schemathesis did not start")?;
    ensure!(status.success(), "the description and the agent differ: see above");
    Ok(())
}

fn build() -> Result<PathBuf> {
    tell("building the program");
    lab::build()?;
    Ok(tree::target()?.join("debug").join(format!("mosaic{}", std::env::consts::EXE_SUFFIX)))
}

/// A practice federation and its agent; ends when dropped, since its standard input does.
struct Practice {
    process: Child,
    stdin: Option<ChildStdin>,
    /// Where the agent answers.
    agent: String,
    token: String,
}

impl Practice {
    fn start(program: &Path, home: &Path) -> Result<Self> {
        if home.exists() {
            fs::remove_dir_all(home).with_context(|| format!("cannot empty {}", home.display()))?;
        }
        let mut command = Command::new(program);
        command.args(["--json", "--dir"]).arg(home).args(["up", "--parent-on-stdin"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().with_context(|| format!("{} did not start", program.display()))?;
        let stdin = process.stdin.take();
        let mut line = String::new();
        let stdout = process.stdout.take().context("nothing to read from")?;
        BufReader::new(stdout).read_line(&mut line).context("the practice federation says nothing")?;
        let ready: Value = serde_json::from_str(&line).context("the practice federation did not start")?;
        let agent = ready["agent"].as_str().context("the practice federation names no agent")?.to_owned();
        let path = home.join("agent/api.token");
        let token = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { process, stdin, agent, token })
    }
}

impl Drop for Practice {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ended = self.process.wait();
    }
}
