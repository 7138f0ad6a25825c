use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use mosaic_geo::{PlaceIndex, synthetic_city};
use mosaic_lab::{MeterPlan, make_meter};
use serde_json::json;

use super::with_bar;
use crate::{
    commands::{Context, places},
    exit::{Exit, OrExit, Outcome},
    home::write_file,
};

/// Make the model of the agent's anonymity meter: generated people lead an ordinary life in each mode, an attacker
/// learns from some which bundle of an event is real, and from others how sure to be of it. Without options it makes
/// what ships in `models/meter.bin`, byte for byte on the same kind of machine.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic lab meter --out meter.bin
  mosaic lab meter --people 60 --hours 24 --seed 7 --out small.bin")]
pub(crate) struct MeterArgs {
    /// The file of the model
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// People of each mode
    #[arg(long, default_value_t = MeterPlan::SHIPPED.people, value_parser = clap::value_parser!(u32).range(10..=10_000))]
    people: u32,
    /// Hours of each of them
    #[arg(long, default_value_t = MeterPlan::SHIPPED.hours, value_parser = clap::value_parser!(u32).range(1..=168))]
    hours: u32,
}

impl MeterArgs {
    /// Makes.
    pub(super) fn run(self, index: Option<&Path>, seed: u64, context: &Context) -> Outcome {
        let places: PlaceIndex = match index {
            Some(path) => places::read(path)?,
            None => synthetic_city(1),
        };
        let plan = MeterPlan { seed, people: self.people, hours: self.hours };
        let made = with_bar(|progress| make_meter(&Arc::new(places), plan, progress));
        let bytes = made.0.or_exit(Exit::Usage, "the meter could not be made")?.encode();
        write_file(&self.out, &bytes)?;
        let told = json!({ "file": self.out, "bytes": bytes.len(), "people": plan.people, "hours": plan.hours });
        context.out.result(&told, |page| page.line(format!("{}: {} bytes", self.out.display(), bytes.len())));
        Ok(())
    }
}
