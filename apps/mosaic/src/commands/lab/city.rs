use std::{
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use mosaic_geo::{
    Society,
    residents::{Purpose, Stop},
    synthetic_city_for,
};
use mosaic_types::Timestamp;
use serde_json::json;

use crate::{
    commands::{Context, places},
    exit::{Exit, OrExit, Outcome},
    home::create_private,
};

/// Generate a city of any size: homes, jobs, errands, evenings, and friends who meet. The movement is the documented
/// `user,time,lat,lon,category`, two lines for each stop (arrival and departure) with what it was for as the category;
/// the friendships are `user,friend`, each once, in OUT with `.friends.csv` instead of its ending. The same seed always
/// gives the same files. Generated people are more regular than real ones.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic lab city --people 10000 --days 7 --out city.csv
  mosaic lab city --people 500 --days 1 --places porto.osm.pbf --seed 2 --out porto.csv")]
pub(crate) struct CityArgs {
    /// How many people
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=500_000))]
    people: u32,
    /// How many days, from a Monday on
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=366))]
    days: u16,
    /// The file of the movement
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Monday 2026-11-16, noon UTC: the same day everywhere but at the far end of the Pacific.
const MONDAY: Timestamp = Timestamp::from_secs(1_794_830_400);

impl CityArgs {
    /// Generates.
    pub(super) fn run(self, index: Option<&Path>, seed: u64, context: &Context) -> Outcome {
        let people = self.people as usize;
        let places = match index {
            Some(path) => places::read(path)?,
            None => synthetic_city_for(seed, people),
        };
        let society = Society::generate(&places, people, seed).or_exit(Exit::Usage, "nobody can live there")?;
        let stops = self.write_movement(&society)?;
        let friends = self.out.with_extension("friends.csv");
        let friendships = write_friends(&society, &friends)?;
        let told = json!({
            "file": self.out, "friends": friends, "people": people, "days": self.days, "places": places.len(),
            "stops": stops, "friendships": friendships,
        });
        context.out.result(&told, |page| {
            page.line(format!("{}: {people} people, {stops} stops in {} days", self.out.display(), self.days));
            page.line(format!("{}: {friendships} friendships", friends.display()));
        });
        Ok(())
    }

    fn write_movement(&self, society: &Society) -> Outcome<u64> {
        let doing = format!("cannot write {}", self.out.display());
        let mut file = BufWriter::new(create_private(&self.out).or_exit(Exit::Local, &doing)?);
        writeln!(file, "user,time,lat,lon,category").or_exit(Exit::Local, &doing)?;
        let mut count = 0;
        for person in 0..self.people {
            // where one day ends, the next begins: at home, and one stop
            let mut open: Option<Stop> = None;
            for day in 0..u64::from(self.days) {
                let Some(plan) = society.day(person, MONDAY.after(Duration::from_hours(24 * day))) else { continue };
                for stop in plan.stops() {
                    open = match open {
                        Some(before) if before.position == stop.position && before.leave >= stop.arrive => {
                            Some(Stop { leave: stop.leave, ..before })
                        }
                        before => {
                            count += u64::from(before.is_some());
                            write_stop(&mut file, person, before).or_exit(Exit::Local, &doing)?;
                            Some(*stop)
                        }
                    };
                }
            }
            count += u64::from(open.is_some());
            write_stop(&mut file, person, open).or_exit(Exit::Local, &doing)?;
        }
        file.flush().or_exit(Exit::Local, &doing)?;
        Ok(count)
    }
}

fn write_stop(file: &mut impl std::io::Write, person: u32, stop: Option<Stop>) -> std::io::Result<()> {
    let Some(stop) = stop else { return Ok(()) };
    let word = match stop.purpose {
        Purpose::Home => "home",
        Purpose::Work => "work",
        Purpose::Lunch => "lunch",
        Purpose::Errand => "errand",
        Purpose::Outing => "outing",
    };
    let (lat, lng) = (stop.position.lat(), stop.position.lng());
    for at in [stop.arrive, stop.leave] {
        writeln!(file, "{},{},{lat:.7},{lng:.7},{word}", name(person), at.as_secs())?;
    }
    Ok(())
}

fn write_friends(society: &Society, path: &Path) -> Outcome<u64> {
    let doing = format!("cannot write {}", path.display());
    let mut file = BufWriter::new(create_private(path).or_exit(Exit::Local, &doing)?);
    writeln!(file, "user,friend").or_exit(Exit::Local, &doing)?;
    let mut count = 0;
    for (a, b) in society.friends().pairs() {
        writeln!(file, "{},{}", name(a), name(b)).or_exit(Exit::Local, &doing)?;
        count += 1;
    }
    file.flush().or_exit(Exit::Local, &doing)?;
    Ok(count)
}

/// A pseudonym that sorts like the number.
fn name(person: u32) -> String {
    format!("r{person:06}")
}
