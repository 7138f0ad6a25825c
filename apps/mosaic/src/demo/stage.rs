//! Folders and processes of a run.

use std::path::{Path, PathBuf};

use mosaic_transport::SystemClock;
use mosaic_types::Clock as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    clock::PracticeClock,
    demo::Plan,
    exit::{Exit, Failure, OrExit, Outcome},
    home::{Home, write_file},
    local::Local,
    password,
    practice::{self, PROVIDERS},
    processes::{Launch, Running, stop_all},
};

/// Three providers and one agent process for each person.
pub(crate) struct Stage {
    /// Removed, with everything in it, when the run is over.
    folder: Folder,
    clock: PracticeClock,
    running: Vec<Running>,
    /// Each person's agent, by number.
    pub(crate) agents: Vec<Local>,
}

enum Folder {
    Passing(TempDir),
    Kept(PathBuf),
}

/// How many processes start at the same time.
const AT_ONCE: usize = 8;

impl Stage {
    /// Lays out folders and starts everybody.
    pub(crate) async fn set(plan: &Plan, keep: Option<PathBuf>, on_step: impl Fn(u64)) -> Outcome<Self> {
        let folder = match keep {
            Some(path) => Folder::Kept(path),
            None => Folder::Passing(
                tempfile::Builder::new()
                    .prefix("mosaic-demo-")
                    .tempdir()
                    .or_exit(Exit::Local, "no temporary folder can be made")?,
            ),
        };
        let home = Home::at(Some(folder.path().to_owned()))?;
        let clock = PracticeClock { real_start: SystemClock.now(), virtual_start: plan.start, speed: plan.speed };
        let agents = u32::try_from(plan.people.len()).unwrap_or(u32::MAX);
        let tile = practice::tile_around(&plan.places, &plan.area);
        practice::lay_out(&home, tile, agents.max(50), plan.start)?;
        let mut stage = Self { folder, clock, running: Vec::new(), agents: Vec::new() };
        let opened = stage.open(plan, &home, on_step).await;
        match opened {
            Ok(()) => Ok(stage),
            Err(failure) => {
                stage.close().await;
                Err(failure)
            }
        }
    }

    async fn open(&mut self, plan: &Plan, home: &Home, on_step: impl Fn(u64)) -> Outcome {
        for number in 1..=PROVIDERS {
            self.running.push(practice::start_provider(home.provider(number), number, Some(self.clock)).await?.0);
            on_step(1);
        }
        let places = plan.places.encode();
        let numbers: Vec<usize> = (0..plan.people.len()).collect();
        for group in numbers.chunks(AT_ONCE) {
            let starts = group.iter().map(|number| {
                let home = settle_agent(home, *number, &places);
                let clock = self.clock;
                tokio::spawn(async move { start_agent(home?, clock).await })
            });
            for start in starts.collect::<Vec<_>>() {
                let (running, agent) = start.await.or_exit(Exit::Local, "an agent did not start")??;
                self.running.push(running);
                self.agents.push(agent);
                on_step(1);
            }
        }
        Ok(())
    }

    /// The evening's clock.
    pub(crate) const fn clock(&self) -> PracticeClock {
        self.clock
    }

    /// Where provider `number` keeps everything it has.
    pub(crate) fn provider(&self, number: u8) -> PathBuf {
        self.folder.path().join(format!("provider-{number}"))
    }

    /// A folder beside the providers'.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Stops every process; the folders stay until this is dropped.
    pub(crate) async fn close(&mut self) {
        stop_all(std::mem::take(&mut self.running)).await;
    }
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Passing(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }
}

fn settle_agent(home: &Home, number: usize, places: &[u8]) -> Outcome<Home> {
    let agent = Home::at(Some(home.path().join("agents").join(number.to_string())))?;
    agent.keep_federation(&home.federation()?)?;
    write_file(&agent.places(), places)?;
    password::practice(&agent)?;
    Ok(agent)
}

async fn start_agent(home: Home, clock: PracticeClock) -> Outcome<(Running, Local)> {
    let launch = Launch {
        name: "an agent".to_owned(),
        args: vec!["agent".to_owned()],
        dir: home.path().to_owned(),
        clock: Some(clock),
    };
    let (running, ready) = Running::start::<Value>(launch).await?;
    let url = ready["agent"].as_str().ok_or_else(|| Failure::new(Exit::Local, "an agent does not say where it is"))?;
    let token = std::fs::read_to_string(home.token()).or_exit(Exit::Local, "an agent has no token")?;
    Ok((running, Local::at(url.to_owned(), token.trim().to_owned())?))
}
