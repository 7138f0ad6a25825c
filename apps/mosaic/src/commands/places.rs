use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{ArgGroup, Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use mosaic_geo::{
    PlaceIndex, Provenance, Resolution,
    movement::{Gathering, read_csv},
    synthetic_city,
};
use mosaic_transport::SystemClock;
use mosaic_types::{Clock as _, Timestamp};
use serde_json::json;

use crate::{
    commands::{Context, traces::read_text},
    exit::{Exit, Failure, OrExit, Outcome},
    home::{Home, write_file},
    mapped::Mapped,
    out::Page,
};

mod regions;

use regions::{RegionArgs, RegionName};

/// Build, show or join indexes of public places. Released places snap to them and personas live in them, so they must
/// cover where you are. OpenStreetMap data stays under the ODbL and says so; update it every quarter.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic places build --osm porto.osm.pbf
  mosaic places add porto --osm porto.osm.pbf          one region of several
  mosaic places update porto --osm porto-new.osm.pbf
  mosaic places build --stays traces.csv --output sf.places
  mosaic places show --file sf.places")]
pub(crate) struct PlacesArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Build an index
    Build(BuildArgs),
    /// Add a region to this installation's index
    Add(RegionArgs),
    /// Show the regions of this installation's index
    List,
    /// Replace a region's data
    Update(RegionArgs),
    /// Take a region away
    Remove {
        /// The region's name
        region: RegionName,
    },
    /// Show what an index holds
    Show {
        /// The index (default: this installation's)
        #[arg(long)]
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("source").required(true).args(["osm", "stays", "city"])))]
struct BuildArgs {
    /// From an OpenStreetMap extract (.osm.pbf)
    #[arg(long, value_name = "FILE")]
    osm: Option<PathBuf>,
    /// From the stops of recorded movement (user,time,lat,lon), where no extract fits
    #[arg(long, value_name = "FILE")]
    stays: Option<PathBuf>,
    /// The built-in city of this seed
    #[arg(long, value_name = "SEED")]
    city: Option<u64>,
    /// Where it goes (default: this installation's)
    #[arg(long)]
    output: Option<PathBuf>,
}

impl PlacesArgs {
    /// Builds, shows or joins.
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self.action {
            Action::Build(args) => build(args, context),
            Action::Add(args) => regions::add(&args, false, context),
            Action::List => regions::list(context),
            Action::Update(args) => regions::add(&args, true, context),
            Action::Remove { region } => regions::remove(&region, context),
            Action::Show { file } => show(file, context),
        }
    }
}

fn build(args: BuildArgs, context: &Context) -> Outcome {
    let index = match (&args.osm, &args.stays, args.city) {
        (Some(path), ..) => from_extract(path, context)?,
        (_, Some(path), _) => from_stays(path)?,
        (_, _, Some(seed)) => synthetic_city(seed),
        _ => return Err(Failure::usage("name --osm, --stays or --city")),
    };
    if index.is_empty() {
        return Err(Failure::usage("no place was found in it"));
    }
    let output = match args.output {
        Some(path) => {
            write_file(&path, index.as_bytes())?;
            path
        }
        None => {
            let home = context.home()?;
            if home.regions().exists() {
                context.out.note("it replaces the index joined from regions until one of them changes");
            }
            home.create()?;
            keep(&home, &index)?;
            home.places()
        }
    };
    describe(&index, &output, context);
    Ok(())
}

/// Keeps an index as this installation's, and beside it whom to name.
pub(crate) fn keep(home: &Home, index: &PlaceIndex) -> Outcome {
    write_file(&home.places(), index.as_bytes())?;
    write_file(&home.attribution(), format!("{}\n", index.provenance().attribution).as_bytes())
}

fn show(file: Option<PathBuf>, context: &Context) -> Outcome {
    let path = match file {
        Some(path) => path,
        None => context.home()?.places(),
    };
    describe(&read(&path)?, &path, context);
    Ok(())
}

fn describe(index: &PlaceIndex, path: &Path, context: &Context) {
    let (center, provenance, now) = (index.center(), index.provenance(), SystemClock.now());
    let stamp = format!("{} {:08x}", date(provenance).unwrap_or_else(|| "undated".to_owned()), index.checksum());
    let told = json!({
        "file": path,
        "places": index.len(),
        "cells_r8": index.cells(Resolution::R8).len(),
        "center": center.map(|at| [at.lat(), at.lng()]),
        "attribution": provenance.attribution,
        "version": stamp,
        "stale": provenance.overdue(now).is_some(),
    });
    context.out.result(&told, |page| {
        page.head(path.display());
        page.pair("places", index.len());
        page.pair("cells with places (r8)", index.cells(Resolution::R8).len());
        if let Some(center) = center {
            page.pair("middle", format!("{:.4},{:.4}", center.lat(), center.lng()));
        }
        page.pair("source", &provenance.attribution);
        page.pair("version", &stamp);
        warn_if_stale(page, provenance, now, "mosaic places build --osm FILE");
    });
}

/// The day the data was taken, where known.
fn date(provenance: &Provenance) -> Option<String> {
    let taken = i64::try_from(provenance.as_of?.as_secs()).ok()?;
    let day = jiff::Timestamp::from_second(taken).ok()?;
    Some(day.strftime("%Y-%m-%d").to_string())
}

/// Says that the data is more than a quarter old, and what renews it.
fn warn_if_stale(page: &mut Page, provenance: &Provenance, now: Timestamp, renew: &str) {
    if let Some(stale) = stale(provenance, now) {
        page.warn(format!("{stale}; renew it: {renew}"));
    }
}

/// What is to be said about data that is more than a quarter old.
pub(crate) fn stale(provenance: &Provenance, now: Timestamp) -> Option<String> {
    let days = (provenance.overdue(now)? + Provenance::FRESH_FOR).as_secs() / 86_400;
    Some(format!("the places are {days} days old, more than a quarter"))
}

/// An index, from an extract or a file this program wrote, which is used where it lies.
pub(crate) fn read(path: &Path) -> Outcome<PlaceIndex> {
    let bytes = Mapped::open(path)?;
    let doing = format!("cannot use {}", path.display());
    if path.extension().is_some_and(|extension| extension == "pbf") {
        return PlaceIndex::from_osm_pbf(bytes.as_ref()).or_exit(Exit::Usage, doing);
    }
    PlaceIndex::open(bytes).or_exit(Exit::Usage, doing)
}

/// An index of an extract, with a bar while it is read.
fn from_extract(path: &Path, context: &Context) -> Outcome<PlaceIndex> {
    let bytes = Mapped::open(path)?;
    let bar = if context.out.is_json() { ProgressBar::hidden() } else { ProgressBar::new(0) };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed_precise} {bar:30} {percent} % ({eta} left)") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    let index = PlaceIndex::from_osm_pbf_with(bytes.as_ref(), &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    index.or_exit(Exit::Usage, format!("cannot use {}", path.display()))
}

/// Places where several recorded people stopped.
pub(crate) fn from_stays(path: &Path) -> Outcome<PlaceIndex> {
    let traces = read_csv(&read_text(path)?).or_exit(Exit::Usage, format!("cannot use {}", path.display()))?;
    Ok(PlaceIndex::from_stays(&traces, Gathering::default(), Provenance::new("stops of the recorded movement", None)))
}
