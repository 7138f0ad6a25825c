use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mosaic_geo::{Traces, movement::read_csv};

use crate::{
    commands::{Context, places, traces::read_text},
    demo::{Plan, Script, Stage, play},
    exit::{Exit, Failure, OrExit, Outcome},
    processes::interrupted,
};

/// Watch a whole evening, sped up: real processes and real sockets on this machine. People move, say what they want,
/// find each other, wave, accept and get each other's contact, through three providers whose disks are then searched
/// for anything readable. Ends by itself and leaves nothing behind.
///
/// Recorded movement is a CSV file with one position a line, `user,time,lat,lon`: time as RFC 3339 or unix seconds,
/// degrees in WGS 84. `mosaic traces convert` makes it from other formats. Recorded people say what they want three
/// times, where they stop or pass.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic demo
  mosaic demo --places porto.osm.pbf --agents 40 --seed 7 --json
  mosaic demo --traces cabs.csv --agents 40 --hours 3

Wishes that an agent withholds stay in every figure. With --json, minutes of what never came are longer than any: a
quantile that falls among them is null.

Exit code 3 means that a promise was broken: something readable at a provider, a search that misses what was planted
for it, or a contact that nobody gave.")]
pub(crate) struct DemoArgs {
    /// Real places: an OpenStreetMap extract (.osm.pbf) or an index of `mosaic places build`
    #[arg(long, value_name = "FILE")]
    places: Option<PathBuf>,
    /// Real movement: user,time,lat,lon
    #[arg(long, value_name = "FILE")]
    traces: Option<PathBuf>,
    /// How many people take part, each with an agent process
    #[arg(long, default_value_t = 36, value_parser = clap::value_parser!(u16).range(2..=1_000))]
    agents: u16,
    /// How long the evening is
    #[arg(long, default_value_t = 3.0)]
    hours: f64,
    /// Seed of everything that is drawn, the devices' secrets included; processes still meet in another order each time
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many times faster than life; slower machines need less (default: 150 for up to 40 people, then less)
    #[arg(long)]
    speed: Option<f64>,
    /// How many of the people have spent their weekly location ledger before (default: one in six)
    #[arg(long, value_name = "N")]
    exhausted: Option<u16>,
    /// Keep all folders of the run here, to look at
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

impl DemoArgs {
    /// Plays.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        if !(1.0..=3_600.0).contains(&self.speed()) || !(1.0..=48.0).contains(&self.hours) {
            return Err(Failure::usage("the speed lies between 1 and 3600, the hours between 1 and 48"));
        }
        let mut script = self.script()?;
        let plan = Plan::draw(&mut script)?;
        let bar = progress(plan.people.len() as u64 + 3, context);
        bar.set_message("processes start");
        let evening = async {
            let steps = bar.clone();
            let stage = Stage::set(&plan, script.folder, move |step| steps.inc(step)).await?;
            bar.reset();
            bar.set_length(1_000);
            bar.set_message("the evening");
            let hand = bar.clone();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share in thousandths")]
            let on_time = move |share: f64| hand.set_position((share.clamp(0.0, 1.0) * 1_000.0) as u64);
            play(plan, stage, on_time).await
        };
        let summary = tokio::select! {
            summary = evening => summary?,
            () = interrupted() => return Err(Failure::new(Exit::Local, "stopped before the evening was over")),
        };
        bar.finish_and_clear();
        if summary.broken() {
            let failure = Failure::new(Exit::Refused, "a promise was broken, see its figures");
            return context.out.failed(failure, &summary, |page| summary.tell(page));
        }
        context.out.result(&summary, |page| summary.tell(page));
        Ok(())
    }

    /// Two cores keep up with 40 agents at 150.
    fn speed(&self) -> f64 {
        self.speed.unwrap_or_else(|| (150.0 * 40.0 / f64::from(self.agents)).clamp(5.0, 150.0))
    }

    fn script(&self) -> Outcome<Script> {
        Ok(Script {
            places: self.places.as_deref().map(places::read).transpose()?,
            traces: self.traces.as_deref().map(traces).transpose()?,
            agents: self.agents.into(),
            hours: self.hours,
            speed: self.speed(),
            seed: self.seed,
            exhausted: self.exhausted.unwrap_or(self.agents / 6).into(),
            folder: self.keep.clone(),
        })
    }
}

/// Recorded movement that a person named.
pub(crate) fn traces(path: &Path) -> Outcome<Traces> {
    read_csv(&read_text(path)?).or_exit(Exit::Usage, format!("cannot use {}", path.display()))
}

/// A bar on the terminal, unless a program reads.
pub(crate) fn progress(steps: u64, context: &Context) -> ProgressBar {
    let target = if context.out.is_json() { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(steps), target);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent:>3} % {msg}") {
        bar.set_style(style);
    }
    bar
}
