use std::{fs, io, path::PathBuf};

use clap::Args;
use mosaic_geo::{PlaceIndex, Provenance};
use mosaic_transport::SystemClock;
use mosaic_types::Clock as _;
use serde_json::{Value, json};

use super::{date, from_extract, keep, read, warn_if_stale};
use crate::{
    commands::Context,
    exit::{Exit, Failure, OrExit, Outcome},
    home::{Home, create_private_dir, write_file},
};

/// A region and where its places come from.
#[derive(Debug, Args)]
pub(super) struct RegionArgs {
    /// The region's name: small letters, digits and hyphens
    region: RegionName,
    /// An OpenStreetMap extract (.osm.pbf)
    #[arg(long, value_name = "FILE")]
    osm: PathBuf,
}

/// A name that is a file's name everywhere.
#[derive(Clone, Debug)]
pub(super) struct RegionName(String);

impl std::str::FromStr for RegionName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        let fits = (1..=40).contains(&text.len()) && text.chars().all(plain) && !text.starts_with('-');
        if fits { Ok(Self(text.to_owned())) } else { Err("use 1 to 40 small letters, digits and hyphens") }
    }
}

/// Adds a region, or replaces its data.
pub(super) fn add(args: &RegionArgs, known: bool, context: &Context) -> Outcome {
    let home = context.home()?;
    let file = file(&home, &args.region);
    let name = &args.region.0;
    match (file.exists(), known) {
        (true, false) => {
            return Err(Failure::usage(format!("{name} is there already; `mosaic places update {name}` replaces it")));
        }
        (false, true) => return Err(unknown(&args.region)),
        _ => {}
    }
    let index = from_extract(&args.osm, context)?;
    if index.is_empty() {
        return Err(Failure::usage("no place was found in it"));
    }
    home.create()?;
    create_private_dir(&home.regions()).or_exit(Exit::Local, format!("cannot make {}", home.regions().display()))?;
    write_file(&file, index.as_bytes())?;
    join(&home)?;
    list(context)
}

/// Takes a region away.
pub(super) fn remove(region: &RegionName, context: &Context) -> Outcome {
    let home = context.home()?;
    let file = file(&home, region);
    match fs::remove_file(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(unknown(region)),
        done => done.or_exit(Exit::Local, format!("cannot remove {}", file.display()))?,
    }
    join(&home)?;
    list(context)
}

/// Shows all regions.
pub(super) fn list(context: &Context) -> Outcome {
    let home = context.home()?;
    let now = SystemClock.now();
    let mut regions: Vec<(String, usize, Provenance)> = Vec::new();
    for name in names(&home)? {
        let index = read(&home.regions().join(format!("{name}.{ENDING}")))?;
        regions.push((name, index.len(), index.provenance().clone()));
    }
    let told: Vec<Value> = regions
        .iter()
        .map(|(name, places, provenance)| {
            json!({
                "region": name,
                "places": places,
                "date": date(provenance),
                "stale": provenance.overdue(now).is_some(),
                "attribution": provenance.attribution,
            })
        })
        .collect();
    context.out.result(&json!({ "regions": told }), |page| {
        if regions.is_empty() {
            page.line("No region yet; `mosaic places add REGION --osm FILE` adds one.");
        }
        for (name, places, provenance) in &regions {
            let taken = date(provenance).unwrap_or_else(|| "undated".to_owned());
            page.pair(name, format!("{places} places, {taken}; {}", provenance.attribution));
        }
        for (name, _, provenance) in &regions {
            warn_if_stale(page, provenance, now, &format!("mosaic places update {name} --osm FILE"));
        }
    });
    Ok(())
}

/// The one index the agent uses, made of all regions; none without a region.
fn join(home: &Home) -> Outcome {
    let mut parts = Vec::new();
    for name in names(home)? {
        parts.push(read(&home.regions().join(format!("{name}.{ENDING}")))?);
    }
    if parts.is_empty() {
        let gone = [home.places(), home.attribution()].iter().try_for_each(|path| match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        });
        return gone.or_exit(Exit::Local, "cannot remove the index of no region");
    }
    keep(home, &PlaceIndex::joined(&parts))
}

const ENDING: &str = "places";

fn file(home: &Home, region: &RegionName) -> PathBuf {
    home.regions().join(format!("{}.{ENDING}", region.0))
}

fn unknown(region: &RegionName) -> Failure {
    let name = &region.0;
    Failure::usage(format!("there is no region {name}; `mosaic places list` shows those there are"))
}

/// The names of the regions, sorted.
fn names(home: &Home) -> Outcome<Vec<String>> {
    let folder = home.regions();
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.or_exit(Exit::Local, format!("cannot read {}", folder.display()))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let path = entry.or_exit(Exit::Local, format!("cannot read {}", folder.display()))?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}
