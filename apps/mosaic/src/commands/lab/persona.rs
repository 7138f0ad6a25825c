use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::{Args, ValueEnum};
use mosaic_geo::{PlaceIndex, Traces, movement::write_csv, synthetic_city};
use mosaic_obfuscate::{Appearance, Cast, DayPath, PersonaId, Stop, Trip, Whereabouts};
use mosaic_types::{LatLng, Timestamp};
use serde_json::{Value, json};

use crate::{
    commands::{Context, places},
    exit::{Exit, Failure, OrExit, Outcome},
    home::write_file,
    out::Page,
    units::Seconds,
};

/// Tell the day of a persona: where it lives, works and goes, how, and where it says something. It is generated from
/// `--seed` and public places and is nobody's. From four in the morning of its local time (by the sun) to the next; the
/// same arguments always tell the same day. Today this command and the lab are all that makes paths.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic lab persona                                       a table of stops and ways
  mosaic lab persona --day 2026-11-21 --member 4 --places porto.osm.pbf
  mosaic lab persona --format geojson --out day.geojson    for a map
  mosaic lab persona --format csv --every 30s              user,time,lat,lon,category
  mosaic lab persona --company 0 --member 8 --json         one of the person's companions")]
pub(crate) struct PersonaArgs {
    /// The day, as YYYY-MM-DD
    #[arg(long, value_name = "DATE", default_value = "2026-11-20", value_parser = noon)]
    day: Timestamp,
    /// 0 for the person's companions (who speak when a person does, so not here), else a quiet company
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(..=i64::from(Cast::QUIET)))]
    company: u16,
    /// Which one of it: 0 to 9, in company 0 to 18
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=18))]
    member: u8,
    /// How it is told
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// How often a position is told as csv
    #[arg(long, value_name = "TIME", default_value = "1m")]
    every: Seconds,
    /// A file instead of the terminal, for csv and geojson
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// How a day is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Stops and ways for people; as JSON with --json.
    Table,
    /// Stops as points, ways as lines (RFC 7946).
    Geojson,
    /// Recorded movement: user,time,lat,lon,category.
    Csv,
}

impl PersonaArgs {
    /// Tells.
    pub(super) fn run(self, index: Option<&Path>, seed: u64, context: &Context) -> Outcome {
        let index: PlaceIndex = match index {
            Some(path) => places::read(path)?,
            None => synthetic_city(1),
        };
        let index = Arc::new(index);
        let persona = PersonaId { company: self.company, member: self.member };
        let device = mosaic_crypto::digest(&[b"lab persona", &seed.to_be_bytes()]);
        let cast = Cast::new(&device, &index, &Whereabouts::default());
        let paths = cast.paths(&index);
        let nobody = || Failure::usage("there is no such persona over these places");
        let start = paths.day_of(persona, self.day).ok_or_else(nobody)?;
        let said = cast.appearances(persona, &cast.quiet_begun(self.company, start, start.after(DAY)));
        let day = Told { path: paths.day(persona, self.day, &said).ok_or_else(nobody)?, said, index: &index, persona };
        match self.format {
            Format::Table => context.out.result(&day.to_json(), |page| day.tell(page)),
            Format::Geojson => {
                let object = day.to_geojson();
                self.give(&object, &object.to_string(), context)?;
            }
            Format::Csv => {
                let csv = day.to_csv(Duration::from_secs(u64::from(self.every.0.max(1))))?;
                self.give(&json!({ "csv": csv }), &csv, context)?;
            }
        }
        Ok(())
    }

    /// Into the file, else to whoever reads the output.
    fn give(&self, object: &Value, text: &str, context: &Context) -> Outcome {
        let Some(path) = &self.out else {
            context.out.result(object, |page| page.line(text));
            return Ok(());
        };
        write_file(path, text.as_bytes())?;
        context.out.result(&json!({ "file": path, "bytes": text.len() }), |page| page.line(path.display()));
        Ok(())
    }
}

const DAY: Duration = Duration::from_hours(24);

/// A day with what it is told by.
struct Told<'a> {
    path: DayPath,
    said: Vec<Appearance>,
    index: &'a PlaceIndex,
    persona: PersonaId,
}

impl Told<'_> {
    fn name(&self) -> String {
        format!("persona-{}-{}", self.persona.company, self.persona.member)
    }

    fn tell(&self, page: &mut Page) {
        page.head(self.name());
        for (number, stop) in self.path.stops().iter().enumerate() {
            let ((lat, lng), what) = (degrees(stop.position), self.what(stop).unwrap_or_default());
            let span = format!("{} – {}", time(stop.from), time(stop.until));
            page.line(format!("  {span}  {:<7} {lat:.5},{lng:.5}  {what}", stop.why.word()));
            if let Some(trip) = self.path.trips().get(number) {
                let (minutes, km) = (trip.arrive.since(trip.leave).as_secs() / 60, trip.metres() / 1_000.0);
                page.line(format!("      {:<7} {km:.1} km in {minutes} min", trip.travel.name()));
            }
        }
        page.line(format!("  said on that day: {}, out of reach {}", self.said.len(), self.path.missed().len()));
        page.line("  times are UTC; generated from a seed and public places, nobody's day");
    }

    /// Kind and name of the public place of a stop.
    fn what(&self, stop: &Stop) -> Option<String> {
        let place = self.index.get(stop.place? as usize)?;
        Some(format!("{} {}", place.kind, place.name()).trim_end().to_owned())
    }

    fn to_json(&self) -> Value {
        let stops: Vec<Value> = self.path.stops().iter().map(|stop| self.stop(stop)).collect();
        let trips: Vec<Value> = self.path.trips().iter().map(trip).collect();
        let all = self.said.iter().map(appearance).collect::<Vec<_>>();
        let missed = self.path.missed().iter().map(appearance).collect::<Vec<_>>();
        json!({ "persona": self.name(), "stops": stops, "trips": trips, "said": all, "out_of_reach": missed })
    }

    fn stop(&self, stop: &Stop) -> Value {
        let (lat, lon) = degrees(stop.position);
        json!({
            "why": stop.why.word(), "place": self.what(stop), "lat": lat, "lon": lon,
            "from": time(stop.from), "until": time(stop.until),
        })
    }

    fn to_geojson(&self) -> Value {
        let feature = |geometry: Value, properties: Value| json!({ "type": "Feature", "geometry": geometry, "properties": properties });
        let point = |stop: &Stop| {
            let (lat, lon) = degrees(stop.position);
            feature(json!({ "type": "Point", "coordinates": [lon, lat] }), self.stop(stop))
        };
        let line = |one: &Trip| {
            let way: Vec<[f64; 2]> = one.way.iter().map(|at| degrees(*at)).map(|(lat, lon)| [lon, lat]).collect();
            feature(json!({ "type": "LineString", "coordinates": way }), trip(one))
        };
        let stops = self.path.stops().iter().map(point);
        let features: Vec<Value> = stops.chain(self.path.trips().iter().map(line)).collect();
        json!({ "type": "FeatureCollection", "features": features })
    }

    fn to_csv(&self, every: Duration) -> Outcome<String> {
        let name = self.name();
        let fixes = self.path.fixes(every).into_iter().map(|fix| (name.as_str(), fix));
        Ok(write_csv(&Traces::collect(fixes).or_exit(Exit::Usage, "the day cannot be told so often")?))
    }
}

fn trip(trip: &Trip) -> Value {
    json!({
        "travel": trip.travel.name(), "metres": trip.metres().round(),
        "leave": time(trip.leave), "arrive": time(trip.arrive),
    })
}

fn appearance(one: &Appearance) -> Value {
    json!({ "cell": one.cell.to_string(), "at": time(one.at) })
}

/// To a centimetre.
fn degrees(at: LatLng) -> (f64, f64) {
    let rounded = |degrees: f64| (degrees * 1e7).round() / 1e7;
    (rounded(at.lat()), rounded(at.lng()))
}

fn time(at: Timestamp) -> String {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX).to_string()
}

/// Noon of a day, UTC: the same day everywhere but at the far end of the Pacific.
fn noon(text: &str) -> Result<Timestamp, String> {
    let wrong = || "a day reads 2026-11-20, from 1970 on".to_owned();
    let date: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
    let noon = date.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| wrong())?;
    let seconds = u64::try_from(noon.timestamp().as_second()).map_err(|_| wrong())?;
    Ok(Timestamp::from_secs(seconds))
}
