//! Records a real evening as its adversaries see it: the processes and sockets of the demo, with a tap on every line
//! between them, providers that write down what they are asked, a curious peer and a thief.
//!
//! The lab's formats are described in `lab/mosaic-lab/src/views/README.md`.

mod check;
mod disks;
mod lines;
mod sybil;
mod tap;
mod thief;
mod truth;

use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    sync::Arc,
};

use mosaic_lab::views::{FOLDER, Manifest, README, Run, TRUTH, View, facts};
use mosaic_types::Clock;
use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;

use crate::{
    demo::{Plan, Recorded, Stage, live},
    exit::{Exit, Failure, OrExit, Outcome},
    home::{create_private_dir, read_file, write_file},
    practice::PROVIDERS,
};

pub(crate) use self::{
    lines::Lines,
    tap::{Tap, Tapping},
    truth::of_agent,
};

/// How many agents the Sybil peer runs.
pub(crate) const SYBILS: usize = 2;

/// Where everything of a recorded run goes, and from which addresses its processes connect.
pub(crate) struct Watch {
    folder: PathBuf,
    /// One for each device, the Sybil's last; their order tells nothing about the people.
    devices: Vec<IpAddr>,
}

impl Watch {
    fn new(folder: &Path, devices: usize, seed: u64) -> Outcome<Self> {
        let doing = format!("cannot record in {}", folder.display());
        if folder.join("manifest.json").exists() || folder.join(FOLDER).exists() {
            return Err(Failure::usage(format!("{} holds a recording already; name another folder", folder.display())));
        }
        create_private_dir(&folder.join(FOLDER)).or_exit(Exit::Local, doing)?;
        let mut devices: Vec<IpAddr> = (0..devices).map(|number| address(77, number)).collect();
        devices.shuffle(&mut ChaCha8Rng::seed_from_u64(!seed));
        Ok(Self { folder: folder.to_owned(), devices })
    }

    /// A file of a view.
    pub(crate) fn view(&self, source: &str) -> PathBuf {
        self.folder.join(FOLDER).join(format!("{source}.jsonl"))
    }

    /// From where a device connects.
    pub(crate) fn device(&self, number: usize) -> IpAddr {
        self.devices.get(number).copied().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// From where a provider connects to the others.
    pub(crate) fn provider(number: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(127, 78, 0, number))
    }
}

/// The n-th address of a network of this machine's own.
fn address(network: u8, number: usize) -> IpAddr {
    let [.., high, low] = u32::try_from(number + 256 + 1).unwrap_or(u32::MAX).to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, network, high, low))
}

/// Plays `plan` in the open and leaves the recording in `folder`.
pub(crate) async fn record(
    plan: Plan,
    seed: u64,
    folder: &Path,
    on_time: impl Fn(f64) + Send + 'static,
) -> Outcome<Manifest> {
    let people = plan.people.len();
    let watch = Watch::new(folder, people + SYBILS, seed)?;
    let tap = Tap::open().await?;
    let network = Arc::new(Lines::create(&watch.view("network"))?);
    let recorded = Recorded { watch: &watch, tap, network: Arc::clone(&network), sybils: SYBILS };
    let mut stage = Stage::set_recorded(&plan, recorded).await?;
    let clock: Arc<dyn Clock> = Arc::new(stage.clock().clock());
    let sybils = stage.agents.split_off(people);
    let peeking = tokio::spawn(sybil::peek(
        plan.places.clone(),
        sybils,
        Arc::clone(&clock),
        Lines::create(&watch.view("sybil"))?,
        seed,
    ));
    let vaults =
        (0..people).map(|number| (watch.device(number), stage.beside(&format!("agents/{number}/agent/vault"))));
    let stealing = tokio::spawn(thief::steal(vaults.collect(), clock, Lines::create(&watch.view("thief"))?));
    let records = live(&plan, &stage, on_time).await;
    for task in [peeking, stealing] {
        task.abort();
    }
    stage.close().await;
    network.flush()?;
    let records = records?;
    let deposits = disks::dump(&stage, &watch)?;
    let events = truth::write(&plan, &records, &stage, &watch, &folder.join(TRUTH))?;
    let public = read_file(&stage.provider(1).join("federation.json"))?;
    let search = check::search(&plan, &records, &public, &watch)?;
    let run = Run {
        seed,
        agents: people,
        sybils: SYBILS,
        from_ms: plan.start.as_millis(),
        until_ms: plan.end.as_millis(),
        speed: plan.speed,
        area: plan.area.clone(),
        wishes: [records.iter().map(|record| record.said.len()).sum(), truth::withheld(&records)],
        events,
        deposits,
    };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let manifest = Manifest { format: 1, version, run, files: files(folder)?, search };
    write_file(&folder.join("README.md"), README.as_bytes())?;
    write_file(&folder.join("manifest.json"), &serde_json::to_vec_pretty(&manifest).unwrap_or_default())?;
    Ok(manifest)
}

fn files(folder: &Path) -> Outcome<BTreeMap<String, mosaic_lab::views::Facts>> {
    let views = View::all_sources().into_iter().map(|source| format!("{FOLDER}/{source}.jsonl"));
    let mut all = BTreeMap::new();
    for name in views.chain([TRUTH.to_owned()]) {
        let path = folder.join(&name);
        // nothing was seen there
        if !path.exists() {
            fs::write(&path, b"").or_exit(Exit::Local, format!("cannot write {}", path.display()))?;
        }
        all.insert(name, facts(&path).or_exit(Exit::Local, format!("cannot read {}", path.display()))?);
    }
    Ok(all)
}

/// What a provider is told besides: where to write what it is asked, and from where to connect.
pub(crate) fn provider_args(number: u8, watch: &Watch) -> Vec<String> {
    let requests = watch.view(&format!("provider-{number}.requests"));
    child_args(&requests, Watch::provider(number))
}

/// What an agent is told besides: where to write the truth, and from where to connect.
pub(crate) fn agent_args(truth: &Path, from: IpAddr) -> Vec<String> {
    child_args(truth, from)
}

fn child_args(file: &Path, from: IpAddr) -> Vec<String> {
    let file = file.display().to_string();
    vec!["--practice-recording".to_owned(), file, "--practice-address".to_owned(), from.to_string()]
}

/// Numbers of all providers.
fn providers() -> impl Iterator<Item = u8> {
    1..=PROVIDERS
}
