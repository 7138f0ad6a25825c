use std::{
    ffi::OsStr,
    io::Read,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};
use flate2::read::MultiGzDecoder;
use mosaic_geo::{
    Fix, Traces,
    datasets::{from_foursquare_tsmc, from_gowalla, from_nmea},
    movement::{from_cabspotting_delta, from_gpx, from_plt, write_csv},
};
use serde_json::json;

use crate::{
    commands::Context,
    exit::{Exit, Failure, OrExit, Outcome},
    home::{read_file, write_file},
};

/// Convert recorded movement to `user,time,lat,lon` (RFC 3339 or unix seconds), which every other command reads.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic traces convert --from cabspotting-delta traces-delta.csv.gz --output cabs.csv
  mosaic traces convert --from gpx monday.gpx tuesday.gpx --output me.csv
  mosaic traces convert --from foursquare-tsmc dataset_TSMC2014_NYC.txt --output check-ins.csv
  mosaic traces convert --from plt --input 20081023025304.plt --output geolife.csv")]
pub(crate) struct TracesArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Convert files
    Convert {
        /// Their format
        #[arg(long, value_enum)]
        from: TraceFormat,
        /// Files; .gz is unpacked. In gpx, plt and nmea, a file's name becomes the user
        #[arg(value_name = "FILE", required_unless_present = "input")]
        files: Vec<PathBuf>,
        /// One more file
        #[arg(long, value_name = "FILE")]
        input: Vec<PathBuf>,
        /// Where the result goes
        #[arg(long)]
        output: PathBuf,
    },
}

/// Formats of recorded movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TraceFormat {
    /// `cab,dt,dlat5,dlon5,occ` with differences from row to row.
    CabspottingDelta,
    /// GPS Exchange Format.
    Gpx,
    /// Geolife plots.
    Plt,
    /// Check-ins of Gowalla and Brightkite: user, time, lat, lon, venue, separated by tabs.
    Gowalla,
    /// Check-ins of Foursquare as Yang et al. published them; the category is kept.
    FoursquareTsmc,
    /// The log of a satellite receiver (NMEA 0183).
    Nmea,
}

/// The most bytes that are unpacked from one file.
const MOST: u64 = 4 << 30;

impl TracesArgs {
    /// Converts.
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let Action::Convert { from, files, input, output } = self.action;
        let mut fixes: Vec<(String, Fix)> = Vec::new();
        for path in files.iter().chain(&input) {
            let traces = convert(from, path)?;
            let named =
                traces.users().flat_map(|(user, fixes)| fixes.iter().map(move |fix| (user.to_owned(), fix.clone())));
            fixes.extend(named);
        }
        let traces = Traces::collect(fixes).or_exit(Exit::Usage, "the files do not fit together")?;
        write_file(&output, write_csv(&traces).as_bytes())?;
        let told = json!({ "file": output, "users": traces.len(), "fixes": traces.fix_count() });
        context.out.result(&told, |page| {
            page.line(format!("{}: {} users, {} positions", output.display(), traces.len(), traces.fix_count()));
        });
        Ok(())
    }
}

fn convert(from: TraceFormat, path: &Path) -> Outcome<Traces> {
    let bytes = read_unpacked(path)?;
    let user = path.file_stem().and_then(OsStr::to_str).unwrap_or("user").to_owned();
    let doing = format!("cannot use {}", path.display());
    match from {
        TraceFormat::CabspottingDelta => from_cabspotting_delta(&bytes).or_exit(Exit::Usage, doing),
        TraceFormat::Gpx => from_gpx(&bytes, &user).or_exit(Exit::Usage, doing),
        TraceFormat::Plt => from_plt(&bytes, &user).or_exit(Exit::Usage, doing),
        TraceFormat::Gowalla => from_gowalla(&bytes).or_exit(Exit::Usage, doing),
        TraceFormat::FoursquareTsmc => from_foursquare_tsmc(&bytes).or_exit(Exit::Usage, doing),
        TraceFormat::Nmea => from_nmea(&bytes, &user).or_exit(Exit::Usage, doing),
    }
}

/// A file's bytes, unpacked when its name ends in `.gz`.
fn read_unpacked(path: &Path) -> Outcome<Vec<u8>> {
    let bytes = read_file(path)?;
    if path.extension().is_none_or(|extension| extension != "gz") {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    let doing = format!("cannot unpack {}", path.display());
    MultiGzDecoder::new(bytes.as_slice()).take(MOST).read_to_end(&mut unpacked).or_exit(Exit::Usage, doing)?;
    Ok(unpacked)
}

/// A text file, unpacked when its name ends in `.gz`.
pub(crate) fn read_text(path: &Path) -> Outcome<String> {
    let wrong = |_| Failure::usage(format!("{} is no text file", path.display()));
    String::from_utf8(read_unpacked(path)?).map_err(wrong)
}
