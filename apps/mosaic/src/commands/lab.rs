mod city;
mod export;
mod record;

use std::{sync::Arc, time::Duration};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use mosaic_geo::{PlaceIndex, synthetic_city};
use mosaic_lab::{AveragingPlan, Progress, Report, SlotPlan, Told, averaging, slots};

use crate::{
    commands::{Context, places},
    exit::{Exit, Failure, OrExit, Outcome},
};

/// Attack the real release code and print what was found, with 95 % intervals by user. The attackers know the code and
/// the places, learn from other people than they are judged on, and see more than the design grants them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic lab slots                               the slot detector of one provider, on both lanes (minutes)
  mosaic lab slots --discovery-agents 100        only the smallest population on the discovery lane
  mosaic lab averaging --places porto.osm.pbf --seed 3
  mosaic lab record --out evening --agents 12    a real evening as every adversary sees it
  mosaic lab export --view P1 --from evening --out p1.jsonl
  mosaic lab city --people 10000 --days 7 --out city.csv")]
pub(crate) struct LabArgs {
    #[command(subcommand)]
    attack: Attack,
    /// Real places (.osm.pbf or an index); default: the built-in city
    #[arg(long, global = true, value_name = "FILE")]
    places: Option<std::path::PathBuf>,
    /// Everything is drawn from it
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Subcommand)]
enum Attack {
    /// One provider looks for the real slots of events
    Slots {
        /// Population sizes for the discovery lane
        #[arg(long, value_delimiter = ',', default_values_t = [100, 1_000, 10_000])]
        discovery_agents: Vec<u32>,
        /// People of the evening behind the rendezvous lane, and behind the naive design
        #[arg(long, default_value_t = 240)]
        agents: u32,
        /// Hours recorded
        #[arg(long, default_value_t = 6)]
        hours: u64,
        /// Days of wishes that the naive design's server keeps
        #[arg(long, default_value_t = 14)]
        naive_days: u64,
    },
    /// A stranger averages what repeated broadcasts show of one place
    Averaging {
        /// People, each reporting home again and again
        #[arg(long, default_value_t = 300)]
        people: usize,
        /// Reports within one week
        #[arg(long, default_value_t = 100)]
        reports: usize,
    },
    /// Record a real evening as its adversaries see it, with the truth apart
    Record(record::RecordArgs),
    /// Write what one adversary sees of a recording as JSON Lines
    Export(export::ExportArgs),
    /// Generate the movement and the friendships of a city of any size
    City(city::CityArgs),
}

impl LabArgs {
    /// Attacks.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        match self.attack {
            Attack::Record(args) => return args.run(self.places.as_deref(), self.seed, context).await,
            Attack::Export(args) => return args.run(context),
            Attack::City(args) => return args.run(self.places.as_deref(), self.seed, context),
            Attack::Slots { .. } | Attack::Averaging { .. } => {}
        }
        let index: PlaceIndex = match &self.places {
            Some(path) => places::read(path)?,
            None => synthetic_city(1),
        };
        let report = attack(&self.attack, &Arc::new(index), self.seed)?;
        context.out.result(&report, |page| page.line(&report));
        Ok(())
    }
}

fn attack(attack: &Attack, places: &Arc<PlaceIndex>, seed: u64) -> Outcome<Report> {
    let report = match attack {
        Attack::Slots { discovery_agents, agents, hours, naive_days } => {
            let plan = SlotPlan {
                discovery_agents: discovery_agents.clone(),
                rendezvous_agents: *agents,
                hours: *hours,
                naive_days: *naive_days,
                seed,
            };
            let bar = ProgressBar::new(0);
            bar.enable_steady_tick(Duration::from_millis(200));
            let report = slots(places, &plan, &Progress(&|told| show(&bar, told)));
            bar.finish_and_clear();
            report
        }
        Attack::Averaging { people, reports } => {
            averaging(places, AveragingPlan { people: *people, reports: *reports, receiver_m: 15.0, seed })
        }
        Attack::Record(_) | Attack::Export(_) | Attack::City(_) => return Err(Failure::usage("this is no attack")),
    };
    report.or_exit(Exit::Usage, "the attack could not be staged")
}

/// A bar where steps are counted, a spinner where they are not.
fn show(bar: &ProgressBar, told: Told<'_>) {
    match told {
        Told::Stage(what, steps) => {
            let template = if steps > 0 {
                "{spinner} {elapsed_precise} {bar:30} {pos}/{len} {msg} ({eta} left)"
            } else {
                "{spinner} {elapsed_precise} {msg}"
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_length(steps);
            bar.set_position(0);
            bar.reset_eta();
            bar.set_message(what.to_owned());
        }
        Told::Step => bar.inc(1),
    }
}
