use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, Subcommand};
use mosaic_geo::{
    PlaceIndex, Provenance, Resolution,
    movement::{Gathering, read_csv},
    synthetic_city,
};
use serde_json::json;

use crate::{
    commands::{Context, traces::read_text},
    exit::{Exit, Failure, OrExit, Outcome},
    home::{read_file, write_file},
};

/// Build or show an index of public places. Released places snap to it and personas live in it, so it must cover where
/// you are. OpenStreetMap data stays under the ODbL and says so.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic places build --osm porto.osm.pbf
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
    /// Builds or shows.
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self.action {
            Action::Build(args) => build(args, context),
            Action::Show { file } => show(file, context),
        }
    }
}

fn build(args: BuildArgs, context: &Context) -> Outcome {
    let index = match (&args.osm, &args.stays, args.city) {
        (Some(path), ..) => read(path)?,
        (_, Some(path), _) => from_stays(path)?,
        (_, _, Some(seed)) => synthetic_city(seed),
        _ => return Err(Failure::usage("name --osm, --stays or --city")),
    };
    if index.is_empty() {
        return Err(Failure::usage("no place was found in it"));
    }
    let output = match args.output {
        Some(path) => path,
        None => {
            let home = context.home()?;
            home.create()?;
            home.places()
        }
    };
    write_file(&output, &index.encode())?;
    describe(&index, &output, context);
    Ok(())
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
    let center = index.center();
    let told = json!({
        "file": path,
        "places": index.len(),
        "cells_r8": index.cells(Resolution::R8).len(),
        "center": center.map(|at| [at.lat(), at.lng()]),
        "attribution": index.provenance().attribution,
    });
    context.out.result(&told, |page| {
        page.head(path.display());
        page.pair("places", index.len());
        page.pair("cells with places (r8)", index.cells(Resolution::R8).len());
        if let Some(center) = center {
            page.pair("middle", format!("{:.4},{:.4}", center.lat(), center.lng()));
        }
        page.pair("source", &index.provenance().attribution);
    });
}

/// An index, from an extract or a file this program wrote.
pub(crate) fn read(path: &Path) -> Outcome<PlaceIndex> {
    let bytes = read_file(path)?;
    let doing = format!("cannot use {}", path.display());
    if path.extension().is_some_and(|extension| extension == "pbf") {
        return PlaceIndex::from_osm_pbf(&bytes).or_exit(Exit::Usage, doing);
    }
    PlaceIndex::decode(&bytes).or_exit(Exit::Usage, doing)
}

/// Places where several recorded people stopped.
pub(crate) fn from_stays(path: &Path) -> Outcome<PlaceIndex> {
    let traces = read_csv(&read_text(path)?).or_exit(Exit::Usage, format!("cannot use {}", path.display()))?;
    Ok(PlaceIndex::from_stays(&traces, Gathering::default(), Provenance::new("stops of the recorded movement", None)))
}
