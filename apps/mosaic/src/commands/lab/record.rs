use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::{
    commands::{
        Context,
        demo::{progress, traces},
        places,
    },
    demo::{Plan, Script},
    exit::{Exit, Failure, Outcome},
    processes::interrupted,
    recording::{SYBILS, record},
};

/// Record a real evening as its adversaries see it: agent and provider processes, real sockets with a tap on each, two
/// agents of a Sybil peer, a thief. What really happened goes to `truth.jsonl` (mode 0600), for the judge of an attack
/// alone. Every view is searched for anything true that the design does not grant it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic lab record --out evening
  mosaic lab record --out cabs --agents 24 --traces cabs.csv --seed 4")]
pub(crate) struct RecordArgs {
    /// Folder of the recording; it must not hold one yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// People, each with an agent process
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(2..=1_000))]
    agents: u16,
    /// How long the evening is
    #[arg(long, default_value_t = 3.0)]
    hours: f64,
    /// Real movement: user,time,lat,lon
    #[arg(long, value_name = "FILE")]
    traces: Option<PathBuf>,
    /// How many times faster than life; slower machines need less (default: 120 for up to 24 people, then less)
    #[arg(long)]
    speed: Option<f64>,
}

impl RecordArgs {
    /// Records.
    pub(super) async fn run(self, index: Option<&Path>, seed: u64, context: &Context) -> Outcome {
        let speed = self.speed.unwrap_or_else(|| (120.0 * 24.0 / f64::from(self.agents)).clamp(5.0, 120.0));
        if !(1.0..=3_600.0).contains(&speed) || !(1.0..=48.0).contains(&self.hours) {
            return Err(Failure::usage("the speed lies between 1 and 3600, the hours between 1 and 48"));
        }
        let mut script = Script {
            places: index.map(places::read).transpose()?,
            traces: self.traces.as_deref().map(traces).transpose()?,
            agents: self.agents.into(),
            hours: self.hours,
            speed,
            seed,
            exhausted: (self.agents / 6).into(),
            folder: None,
        };
        let plan = Plan::draw(&mut script)?;
        let bar = progress(1_000, context);
        bar.set_message("the evening is recorded");
        let hand = bar.clone();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share in thousandths")]
        let on_time = move |share: f64| hand.set_position((share.clamp(0.0, 1.0) * 1_000.0) as u64);
        let manifest = tokio::select! {
            manifest = record(plan, seed, &self.out, on_time) => manifest?,
            () = interrupted() => return Err(Failure::new(Exit::Local, "stopped before the evening was over")),
        };
        bar.finish_and_clear();
        let told = json!({ "folder": self.out, "manifest": manifest });
        if manifest.search.missed > 0 || manifest.search.found.values().any(|bytes| *bytes > 0) {
            let failure = Failure::new(
                Exit::Refused,
                "a view holds more than the design grants; `search` in the manifest names it",
            );
            return context.out.failed(failure, &told, |_| {});
        }
        let (run, files) = (&manifest.run, &manifest.files);
        context.out.result(&told, |page| {
            page.line(format!(
                "{}: {} people and {SYBILS} agents of a Sybil peer, {} events, {} taken by providers.",
                self.out.display(),
                run.agents,
                run.events,
                run.deposits
            ));
            for (name, facts) in files {
                page.line(format!("  {name}: {} lines, {} bytes", facts.lines, facts.bytes));
            }
            page.line("Next: mosaic lab export --view P1 --from DIR --out FILE");
        });
        Ok(())
    }
}
