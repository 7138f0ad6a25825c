//! Scoreboard 15: whoever can compute the row of a class in a cell walks through the public vocabulary and reads the
//! discovery lane. Offline, with one key share and with two; online, at the price of what a provider rations.

mod offline;
mod price;

use anyhow::Result;

use super::Bench;

pub(super) fn attack(bench: &mut Bench<'_>) -> Result<()> {
    bench.progress.stage("a dictionary of the vocabulary", 0);
    offline::attack(bench)?;
    price::print(bench);
    Ok(())
}
