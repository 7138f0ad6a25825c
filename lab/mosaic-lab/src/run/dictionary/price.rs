//! The dictionary online: what a stranger pays who has the providers evaluate every input of a city and a day.
//!
//! The unit is the Sybil-day: what one honest device may ask for in a day. Neither anonymous tokens nor work at their
//! issue are built; what stands between a stranger and the vocabulary is a ration of the provider, which is read from
//! the provider's own code.

use std::collections::BTreeSet;

use mosaic_geo::{Cell, PlaceIndex, Resolution};
use mosaic_obfuscate::Vocabulary;
use mosaic_provider::Policy;
use mosaic_wire::{Groups, OPRF_BATCH};

use super::super::Bench;
use crate::{report::Row, runs::exactly};

/// Windows and tables of a day.
const WINDOWS: u64 = 12;
const TABLES: u64 = 6;
/// Query tokens of a device a day, in the design (PRIVACY 10): 100 an hour.
const DESIGNED: f64 = 2_400.0;
/// Evaluations of a city-day in the design: 16 classes, 1,000 cells, 12 windows.
const LARGE: f64 = 192_000.0;

pub(super) fn print(bench: &mut Bench<'_>) {
    let rows = row_inputs(bench.places);
    let topics = Vocabulary::builtin().topics().len() as u64 * TABLES;
    // what the code lets one declared agent have, everybody's ration in equal parts
    let agents = 50;
    let batches = f64::from(Policy::for_agents(agents).evaluations_per_hour / agents) * 24.0;
    let day = batches * OPRF_BATCH as f64;
    let row = |id: &str, metric: &str, value: f64| {
        Row::printed(format!("dictionary/online/{id}"), "dictionary through the providers", "Y", metric, exactly(value))
    };
    let metric = "Sybil-days a city-day, given places and the code's ration";
    let limits = "tokens are a stand-in: the ration is everybody's together, per provider, and no work is paid for it, so a \
                  single stranger may use it up; nothing here is a price yet";
    let online = Row { id: "dictionary/online".to_owned(), ..row("", metric, rows as f64 / day) };
    bench.rows.push(online.on("15").beside(0.0).judged(80.0, f64::INFINITY).because(limits));
    bench.rows.push(row("evaluations", "evaluations a city-day, rows", rows as f64));
    bench.rows.push(row("topics", "evaluations a day, all topics", topics as f64));
    bench.rows.push(row("ration", "evaluations a declared agent's ration buys a day", day));
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
