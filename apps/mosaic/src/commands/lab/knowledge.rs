use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Args;
use mosaic_geo::{PlaceIndex, Traces, movement::write_csv, synthetic_city};
use mosaic_lab::knowledge::{Thinning, generated, risks};
use serde::Serialize;

use crate::{
    commands::{Context, lab::recorded, places},
    exit::{Exit, OrExit, Outcome},
    home::write_file,
    out::Page,
};

/// How few visits must be known of somebody to pick them out of everybody: for each person, the largest 1 / matches over
/// all choices of so many of their visits. The same risk as scikit-mobility's `LocationAttack`, found without trying
/// every choice. Pseudonyms in, pseudonyms out.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic lab knowledge --traces traces-delta.csv.gz
  mosaic lab knowledge --known 2 --every-hours 6 --side-deg 0.01
  mosaic --json lab knowledge --traces mine.csv --visits-out visits.csv   every person's risk; the visits as a file")]
pub(crate) struct KnowledgeArgs {
    /// Recorded movement: user,time,lat,lon, or the cab data as it is distributed; default: 100 generated people, 24 days
    #[arg(long, value_name = "FILE")]
    traces: Option<PathBuf>,
    /// How many visits are known
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 3], value_parser = clap::value_parser!(u8).range(1..=16))]
    known: Vec<u8>,
    /// A visit is somebody's first position of every so many hours. 25, so that the hour of the day moves on
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..))]
    every_hours: u16,
    /// Side of the squares that count as one place, in degrees
    #[arg(long, default_value_t = 0.005)]
    side_deg: f64,
    /// Write the visits that are attacked as user,time,lat,lon
    #[arg(long, value_name = "FILE")]
    visits_out: Option<PathBuf>,
    /// Times that each attack is run; the median time is printed
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    repeat: u8,
}

/// People and days where no movement is given.
const PEOPLE: usize = 100;
const LENGTH: Duration = Duration::from_hours(24 * 24);

/// What was found.
#[derive(Serialize)]
struct Told {
    people: usize,
    visits: usize,
    every_hours: u16,
    side_deg: f64,
    attacks: Vec<Attacked>,
}

/// One attack.
#[derive(Serialize)]
struct Attacked {
    known: u8,
    /// Median over the repetitions, from visits in memory to everybody's risk.
    seconds: f64,
    mean_risk: f64,
    /// Share of people with risk 1.
    unique: f64,
    risks: BTreeMap<String, f64>,
}

impl KnowledgeArgs {
    /// Attacks.
    pub(super) fn run(self, index: Option<&Path>, seed: u64, context: &Context) -> Outcome {
        let every = Duration::from_hours(self.every_hours.into());
        let thinning = Thinning::new(every, self.side_deg).or_exit(Exit::Usage, "this is no thinning")?;
        let traces = self.movement(index, every, seed)?;
        let visits = thinning.visits(&traces).or_exit(Exit::Usage, "the movement cannot be thinned")?;
        if let Some(path) = &self.visits_out {
            write_file(path, write_csv(&visits).as_bytes())?;
        }
        let told = Told {
            people: visits.len(),
            visits: visits.fix_count(),
            every_hours: self.every_hours,
            side_deg: self.side_deg,
            attacks: self.known.iter().map(|known| attack(&visits, *known, self.repeat)).collect(),
        };
        context.out.result(&told, |page| tell(&told, page));
        Ok(())
    }

    fn movement(&self, index: Option<&Path>, every: Duration, seed: u64) -> Outcome<Traces> {
        if let Some(path) = &self.traces {
            return recorded(path);
        }
        let places: PlaceIndex = match index {
            Some(path) => places::read(path)?,
            None => synthetic_city(1),
        };
        generated(&places, PEOPLE, LENGTH, every, seed).or_exit(Exit::Usage, "nobody can live there")
    }
}

fn attack(visits: &Traces, known: u8, repeat: u8) -> Attacked {
    let mut found = Vec::new();
    let mut seconds: Vec<f64> = (0..repeat.max(1))
        .map(|_| {
            #[expect(clippy::disallowed_methods, reason = "how long the attack takes is what is asked")]
            let start = Instant::now();
            found = risks(visits, known.into());
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let people = found.len().max(1) as f64;
    Attacked {
        known,
        seconds: seconds[seconds.len() / 2],
        mean_risk: found.iter().map(|(_, risk)| risk).sum::<f64>() / people,
        unique: found.iter().filter(|(_, risk)| *risk >= 1.0).count() as f64 / people,
        risks: found.into_iter().collect(),
    }
}

fn tell(told: &Told, page: &mut Page) {
    page.line(format!(
        "{} people, {} visits: a position every {} h in squares of {} degrees",
        told.people, told.visits, told.every_hours, told.side_deg
    ));
    page.line(format!("{:>5}  {:>9}  {:>12}  {:>12}", "known", "mean risk", "picked out", "milliseconds"));
    for one in &told.attacks {
        let (unique, millis) = (one.unique * 100.0, one.seconds * 1e3);
        page.line(format!("{:>5}  {:>9.3}  {unique:>10.0} %  {millis:>12.3}", one.known, one.mean_risk));
    }
}
