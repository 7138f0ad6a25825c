//! What is built here beside what a user would pick instead: the same work in the same run, results checked first.

mod lab;
mod places;
mod provider;
mod sheet;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use self::sheet::Sheet;
use crate::tree;

/// What to compare.
#[derive(Args)]
pub(crate) struct CompareArgs {
    /// What to compare; several names go into one table
    #[arg(required = true, value_enum)]
    names: Vec<Comparison>,
    /// lab: recorded movement, user,time,lat,lon or the cab data as it is distributed; default: 100 generated people
    /// over 24 days
    #[arg(long, value_name = "FILE")]
    traces: Option<PathBuf>,
    /// lab: how many visits the attacker knows
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 3])]
    known: Vec<u8>,
    /// lab: side of the squares that count as one place, in degrees. Larger squares give more risks below 1 and take
    /// the peer much longer
    #[arg(long, default_value_t = 0.005)]
    side_deg: f64,
    /// A program that was built already, instead of building it as it is released
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// places: the OpenStreetMap extract (.osm.pbf) that both read
    #[arg(long, value_name = "FILE")]
    extract: Option<PathBuf>,
    /// places: the example of mosaic-geo that was built already, instead of building it as it is released
    #[arg(long, value_name = "FILE")]
    example: Option<PathBuf>,
    /// Python 3.9 to 3.11 with its venv module (default: the first on the search path)
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
}

/// One comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Comparison {
    /// Re-identification with background knowledge, beside scikit-mobility's LocationAttack (some ten minutes)
    Lab,
    /// The index of public places beside osmium's tags-filter, and its lookups beside their bounds (a minute)
    Places,
    /// A provider's deposits, reads and evaluations beside Redis over TLS, SQLite and voprf (some five minutes)
    Provider,
}

/// Runs the comparisons, prints their table and keeps it.
pub(crate) fn run(args: &CompareArgs) -> Result<()> {
    let mut sheet = Sheet::default();
    for name in &args.names {
        match name {
            Comparison::Lab => lab::compare(args, &mut sheet)?,
            Comparison::Places => places::compare(args, &mut sheet)?,
            Comparison::Provider => provider::compare(&mut sheet)?,
        }
    }
    let path = tree::target()?.join("compare.json");
    sheet.keep(&path)?;
    say(&format!("{sheet}\n{}", path.display()));
    if !sheet.equal() {
        bail!("the results differ:\n  {}", sheet.differences().join("\n  "));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the result of a command line tool")]
fn say(text: &str) {
    println!("{text}");
}
