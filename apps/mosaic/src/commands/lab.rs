mod city;
mod export;
mod knowledge;
mod meter;
mod persona;
mod record;
mod watch;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, Subcommand};
use mosaic_geo::{
    PlaceIndex, Traces,
    movement::{from_cabspotting_delta, read_csv},
    synthetic_city,
};
use mosaic_lab::{AveragingPlan, Report, RunPlan, RunSize, SlotPlan, Status, averaging, html, run, slots};

use self::watch::with_bar;
use crate::{
    commands::{Context, places, traces},
    exit::{Exit, Failure, OrExit, Outcome},
    home::write_file,
    out::Page,
};

/// Attack the real release code and print what was found, with 95 % intervals by user. The attackers know the code and
/// the places, learn from other people than they are judged on, and see more than the design grants them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic lab run --quick                         the whole scoreboard, in minutes; report.json and report.html
  mosaic lab run --full --traces cabs.csv --out found
  mosaic lab slots                               the slot detector of one provider, on both lanes (minutes)
  mosaic lab slots --discovery-agents 100        only the smallest population on the discovery lane
  mosaic lab averaging --places porto.osm.pbf --seed 3
  mosaic lab knowledge --traces cabs.csv         how few visits pick a person out
  mosaic lab record --out evening --agents 12    a real evening as every adversary sees it
  mosaic lab export --view P1 --from evening --out p1.jsonl
  mosaic lab city --people 10000 --days 7 --out city.csv
  mosaic lab persona --day 2026-11-20            a persona's day: stops, ways, what it says
  mosaic lab meter --out meter.bin")]
pub(crate) struct LabArgs {
    #[command(subcommand)]
    attack: Attack,
    /// Real places (.osm.pbf or an index); default: the built-in city
    #[arg(long, global = true, value_name = "FILE")]
    places: Option<PathBuf>,
    /// Everything is drawn from it
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Subcommand)]
enum Attack {
    /// Every attack on the scoreboard: a table here, report.json and report.html in a folder
    Run(RunArgs),
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
    /// How few known visits pick somebody out of everybody
    Knowledge(knowledge::KnowledgeArgs),
    /// Record a real evening as its adversaries see it, with the truth apart
    Record(record::RecordArgs),
    /// Write what one adversary sees of a recording as JSON Lines
    Export(export::ExportArgs),
    /// Generate the movement and the friendships of a city of any size
    City(city::CityArgs),
    /// Make the model of the agent's anonymity meter
    Meter(meter::MeterArgs),
    /// Tell the day of a persona as a table, a map or positions
    Persona(persona::PersonaArgs),
}

/// What `lab run` takes.
#[derive(Debug, Args)]
struct RunArgs {
    /// Small populations: minutes on two cores (the default)
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// Large ones: up to an hour on two cores
    #[arg(long)]
    full: bool,
    /// Recorded movement: user,time,lat,lon, or the cab data as it is distributed (traces-delta.csv.gz); default:
    /// generated residents
    #[arg(long, value_name = "FILE")]
    traces: Option<PathBuf>,
    /// Folder for report.json and report.html
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

impl LabArgs {
    /// Attacks.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        match self.attack {
            Attack::Record(args) => return args.run(self.places.as_deref(), self.seed, context).await,
            Attack::Export(args) => return args.run(context),
            Attack::City(args) => return args.run(self.places.as_deref(), self.seed, context),
            Attack::Knowledge(args) => return args.run(self.places.as_deref(), self.seed, context),
            Attack::Meter(args) => return args.run(self.places.as_deref(), self.seed, context),
            Attack::Persona(args) => return args.run(self.places.as_deref(), self.seed, context),
            Attack::Run(_) | Attack::Slots { .. } | Attack::Averaging { .. } => {}
        }
        let index: PlaceIndex = match &self.places {
            Some(path) => places::read(path)?,
            None => synthetic_city(1),
        };
        let index = Arc::new(index);
        let report = self.found(&index)?;
        if let Attack::Run(args) = &self.attack {
            args.keep(&report)?;
            context.out.result(&report, |page| args.tell(&report, page));
            return Ok(());
        }
        context.out.result(&report, |page| page.line(&report));
        Ok(())
    }

    fn found(&self, places: &Arc<PlaceIndex>) -> Outcome<Report> {
        let seed = self.seed;
        let report = match &self.attack {
            Attack::Run(args) => return args.scoreboard(self.places.as_deref(), places, seed),
            Attack::Slots { discovery_agents, agents, hours, naive_days } => {
                let plan = SlotPlan {
                    discovery_agents: discovery_agents.clone(),
                    rendezvous_agents: *agents,
                    hours: *hours,
                    naive_days: *naive_days,
                    seed,
                };
                with_bar(|progress| slots(places, &plan, progress)).0
            }
            Attack::Averaging { people, reports } => {
                averaging(places, AveragingPlan { people: *people, reports: *reports, receiver_m: 15.0, seed })
            }
            Attack::Knowledge(_)
            | Attack::Record(_)
            | Attack::Export(_)
            | Attack::City(_)
            | Attack::Meter(_)
            | Attack::Persona(_) => {
                return Err(Failure::usage("this is no attack on the release code"));
            }
        };
        report.or_exit(Exit::Usage, "the attack could not be staged")
    }
}

impl RunArgs {
    /// Runs every attack. Missed targets are a finding, not a failure of the command.
    fn scoreboard(&self, places: Option<&Path>, index: &Arc<PlaceIndex>, seed: u64) -> Outcome<Report> {
        let name = |path: &Path| path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let traces = match &self.traces {
            Some(path) => Some((name(path), recorded(path)?)),
            None => None,
        };
        let size = if self.full { RunSize::full() } else { RunSize::quick() };
        let plan = RunPlan { size, seed, places: places.map_or_else(String::new, name), traces };
        // said now, not after an hour
        std::fs::create_dir_all(&self.out).or_exit(Exit::Local, format!("cannot make {}", self.out.display()))?;
        let (report, stages) = with_bar(|progress| run(index, &plan, progress));
        let report = report.or_exit(Exit::Usage, "the attacks could not be staged")?;
        Ok(Report { stages, ..report })
    }

    fn keep(&self, report: &Report) -> Outcome {
        let json = serde_json::to_vec_pretty(report).or_exit(Exit::Local, "the report cannot be written")?;
        write_file(&self.out.join("report.json"), &json)?;
        write_file(&self.out.join("report.html"), html(report).as_bytes())
    }

    fn tell(&self, report: &Report, page: &mut Page) {
        let count = |status| report.count(status);
        page.line(report);
        page.head(format!(
            "{} missed, {} open, {} met",
            count(Status::Missed),
            count(Status::Open),
            count(Status::Met)
        ));
        page.line(self.out.join("report.html").display());
    }
}

/// Movement from a file, by the first line's columns.
fn recorded(path: &Path) -> Outcome<Traces> {
    let text = traces::read_text(path)?;
    let doing = format!("cannot use {}", path.display());
    if text.starts_with("cab,") {
        return from_cabspotting_delta(text.as_bytes()).or_exit(Exit::Usage, doing);
    }
    read_csv(&text).or_exit(Exit::Usage, doing)
}
