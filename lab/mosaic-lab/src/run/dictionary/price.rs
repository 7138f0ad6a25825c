//! The dictionary online: what a stranger pays who has the providers evaluate every input of a city and a day.
//!
//! The unit is the Sybil-day: what one honest device buys for a day. Work at the issue of tokens is its price; both are read
//! from the code that sells them.

use std::collections::BTreeSet;

use mosaic_geo::{Cell, PlaceIndex, Resolution};
use mosaic_obfuscate::Vocabulary;
use mosaic_wire::{Groups, OPRF_BATCH, TokensQuery};

use super::super::Bench;
use crate::{report::Row, runs::exactly};

/// Windows and tables of a day.
const WINDOWS: u64 = 12;
const TABLES: u64 = 6;
/// Units that a balanced device buys.
const UNITS: f64 = 2.0;
/// Query tokens of a device a day, in the design (PRIVACY 10): 100 an hour.
const DESIGNED: f64 = 2_400.0;
/// Evaluations of a city-day in the design: 16 classes, 1,000 cells, 12 windows.
const LARGE: f64 = 192_000.0;

pub(super) fn print(bench: &mut Bench<'_>) {
    let rows = row_inputs(bench.places);
    let topics = Vocabulary::builtin().topics().len() as u64 * TABLES;
    // two of three providers evaluate each batch, and a device holds as many tokens at each
    let batches = UNITS * TokensQuery::EVALUATIONS as f64 * 24.0 * 3.0 / 2.0;
    let day = batches * OPRF_BATCH as f64;
    let row = |id: &str, metric: &str, value: f64| {
        Row::printed(format!("dictionary/online/{id}"), "dictionary through the providers", "Y", metric, exactly(value))
    };
    let metric = "Sybil-days a city-day, given places, of two units";
    let limits = "one token pays sixteen evaluations, and a device holds enough for its busiest hour, so that its days are cheap; \
                  each costs 96 attempts of 64 MiB at three providers";
    let online = Row { id: "dictionary/online".to_owned(), ..row("", metric, rows as f64 / day) };
    bench.rows.push(online.on("15").beside(0.0).judged(80.0, f64::INFINITY).because(limits));
    bench.rows.push(row("evaluations", "evaluations a city-day, rows", rows as f64));
    bench.rows.push(row("topics", "evaluations a day, all topics", topics as f64));
    bench.rows.push(row("ration", "evaluations that a device's tokens buy a day", day));
    let designed = DESIGNED * OPRF_BATCH as f64;
    let metric = "Sybil-days, 192,000 evaluations at 2,400 tokens a day";
    let batched = "one token pays sixteen evaluations here; 80 supposes one each (PRIVACY 10)";
    bench.rows.push(row("designed", metric, LARGE / designed).because(batched));
}

/// Row inputs of a day: every cell with a public place, and its neighbours, in each class group of its resolution.
fn row_inputs(places: &PlaceIndex) -> u64 {
    let of = |resolution: Resolution| {
        let cells: BTreeSet<Cell> = places.cells(resolution).iter().flat_map(|(cell, _)| cell.disk(1)).collect();
        cells.len() as u64 * u64::from(Groups::DEFAULT.at(resolution.number()).unwrap_or(1))
    };
    [Resolution::R6, Resolution::R7, Resolution::R8].map(of).into_iter().sum::<u64>() * WINDOWS
}
