//! Folders and processes of a run.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use mosaic_transport::SystemClock;
use mosaic_types::Clock;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
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
    recording::{Lines, Tap, Tapping, Watch, agent_args, of_agent, provider_args},
};

/// Three providers and one agent process for each person.
pub(crate) struct Stage {
    /// Removed, with everything in it, when the run is over.
    folder: Folder,
    clock: PracticeClock,
    running: Vec<Running>,
    /// Each person's agent, by number; behind them, in a recorded run, those of the Sybil peer.
    pub(crate) agents: Vec<Local>,
    /// Where each provider listens itself, whatever stands in front of it.
    upstream: Vec<SocketAddr>,
    /// What stands in front.
    tapping: Option<Tapping>,
}

/// How a run is recorded.
pub(crate) struct Recorded<'a> {
    /// Where everything goes.
    pub(crate) watch: &'a Watch,
    /// What stands in front of the providers.
    pub(crate) tap: Tap,
    /// Where the tap writes.
    pub(crate) network: Arc<Lines>,
    /// How many agents the Sybil peer runs.
    pub(crate) sybils: usize,
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
        Self::build(plan, keep, None, on_step).await
    }

    /// As [`Self::set`], recorded: the providers are reached through the tap, and everybody writes down their part.
    pub(crate) async fn set_recorded(plan: &Plan, recorded: Recorded<'_>) -> Outcome<Self> {
        Self::build(plan, None, Some(recorded), |_| {}).await
    }

    async fn build(
        plan: &Plan,
        keep: Option<PathBuf>,
        recorded: Option<Recorded<'_>>,
        on_step: impl Fn(u64),
    ) -> Outcome<Self> {
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
        let urls = recorded.as_ref().map(|recorded| recorded.tap.urls()).unwrap_or_default();
        practice::lay_out_behind(&home, tile, agents.max(50), plan.start, &urls)?;
        let mut stage =
            Self { folder, clock, running: Vec::new(), agents: Vec::new(), upstream: Vec::new(), tapping: None };
        let opened = stage.open(plan, &home, recorded, on_step).await;
        match opened {
            Ok(()) => Ok(stage),
            Err(failure) => {
                stage.close().await;
                Err(failure)
            }
        }
    }

    async fn open(
        &mut self,
        plan: &Plan,
        home: &Home,
        recorded: Option<Recorded<'_>>,
        on_step: impl Fn(u64),
    ) -> Outcome {
        for number in 1..=PROVIDERS {
            let more = recorded.as_ref().map(|recorded| provider_args(number, recorded.watch)).unwrap_or_default();
            let (dir, clock) = (home.provider(number), Some(self.clock));
            let (running, ready) = practice::start_provider_with(dir, number, clock, more).await?;
            self.running.push(running);
            self.upstream.extend(ready["address"].as_str().and_then(|address| address.parse::<SocketAddr>().ok()));
            on_step(1);
        }
        let places = plan.places.encode();
        let sybils = recorded.as_ref().map_or(0, |recorded| recorded.sybils);
        let watch = recorded.as_ref().map(|recorded| recorded.watch);
        if let Some(Recorded { tap, network, .. }) = recorded {
            let clock: Arc<dyn Clock> = Arc::new(self.clock.clock());
            self.tapping = Some(tap.start(&self.upstream, &clock, &network));
        }
        let numbers: Vec<usize> = (0..plan.people.len() + sybils).collect();
        for group in numbers.chunks(AT_ONCE) {
            let starts = group.iter().map(|number| {
                let recorded = watch.map(|watch| agent_args(&of_agent(home.path(), *number), watch.device(*number)));
                let more = [recorded.unwrap_or_default(), seeded(plan.seed, *number)].concat();
                let home = settle_agent(home, *number, &places);
                let clock = self.clock;
                tokio::spawn(async move { start_agent(home?, clock, more).await })
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

    /// The folder that holds all of them.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A folder beside the providers'.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Stops every process; the folders stay until this is dropped.
    pub(crate) async fn close(&mut self) {
        stop_all(std::mem::take(&mut self.running)).await;
        self.tapping = None;
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

/// What device `number` of an evening draws from. Processes still meet in another order each time; what a device draws
/// first, its secrets and with them its noise, is the same again.
fn seeded(evening: u64, number: usize) -> Vec<String> {
    let mut devices = ChaCha8Rng::seed_from_u64(evening);
    devices.set_stream(number as u64 + 1);
    vec!["--practice-seed".to_owned(), devices.next_u64().to_string()]
}

async fn start_agent(home: Home, clock: PracticeClock, more: Vec<String>) -> Outcome<(Running, Local)> {
    let launch = Launch {
        name: "an agent".to_owned(),
        args: [vec!["agent".to_owned()], more].concat(),
        dir: home.path().to_owned(),
        clock: Some(clock),
    };
    let (running, ready) = Running::start::<Value>(launch).await?;
    let url = ready["agent"].as_str().ok_or_else(|| Failure::new(Exit::Local, "an agent does not say where it is"))?;
    let token = std::fs::read_to_string(home.token()).or_exit(Exit::Local, "an agent has no token")?;
    Ok((running, Local::at(url.to_owned(), token.trim().to_owned())?))
}
