//! What a practice run lets the lab write down and play again. An agent of any other federation refuses to start with it.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    net::IpAddr,
    path::{Path, PathBuf},
};

use mosaic_release::SlotTruth;
use mosaic_transport::os_rng;
use mosaic_types::{Lane, Sensitive};
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::json;

use super::StartError;
use crate::EventTruth;

/// What a practice run lets the lab write down and play again; by default nothing.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// Where the truth about every released event goes, one JSON object a line, readable by the owner only.
    pub truth: Option<PathBuf>,
    /// The address of this machine from which the agent connects to providers.
    pub from: Option<IpAddr>,
    /// Seeds everything that a *new* device draws, so that an evening can be played again. A device that is there already
    /// draws from the operating system: the same numbers twice would be the same nonces twice.
    pub seed: Option<u64>,
}

impl Recording {
    /// Whether this is an agent like any other.
    pub(super) const fn is_off(&self) -> bool {
        self.truth.is_none() && self.from.is_none() && self.seed.is_none()
    }

    /// The generator of a device whose vault is to be `vault`.
    pub(super) fn rng(&self, vault: &Path) -> Result<StdRng, StartError> {
        match self.seed.filter(|_| !vault.exists()) {
            Some(seed) => Ok(StdRng::seed_from_u64(seed)),
            None => os_rng().map_err(|_| StartError::Entropy),
        }
    }
}

/// The file that truth goes to.
pub(super) struct TruthFile(File);

impl TruthFile {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map(Self)
    }

    /// Appends what became known. Whole lines in one write, so that a reader never sees half of one.
    pub(super) fn write(&mut self, truths: Vec<Sensitive<EventTruth>>) {
        let lines: String = truths.iter().map(|truth| truth.expose(line)).collect();
        if !lines.is_empty() && self.0.write_all(lines.as_bytes()).is_err() {
            tracing::error!("the truth of a practice run could not be written down; the recording is incomplete");
        }
    }
}

fn line(truth: &EventTruth) -> String {
    let lane = match truth.lane {
        Lane::Discovery => "discovery",
        Lane::Rendezvous => "rendezvous",
    };
    let slots = truth.slots.map(|slot| match slot {
        SlotTruth::Broadcast(_) => "broadcast".to_owned(),
        SlotTruth::Persona(name) => format!("persona-{}-{}", name.company, name.member),
        SlotTruth::Frame(_) => "frame".to_owned(),
        SlotTruth::Uniform => "uniform".to_owned(),
    });
    let real: Vec<bool> = truth.slots.iter().map(|slot| slot.is_real()).collect();
    let object = json!({
        "event": hex::encode(truth.event), "at_ms": truth.at.as_millis(), "lane": lane,
        "resolution": truth.resolution, "slots": slots, "real": real,
    });
    format!("{object}\n")
}
