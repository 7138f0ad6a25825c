//! How many outputs of a generator that sees people's days could be denied: the gate of plausible deniability
//! (Bindschaedler, Shokri and Gunter 2017) on a synthesizer of movement. The product has no such generator.

mod chain;
mod utility;

use anyhow::Result;
use mosaic_attack::{Estimate, bootstrap_by_user};
use mosaic_geo::{Cell, Resolution};
use mosaic_obfuscate::deniability::{Gate, Generator as _};
use mosaic_types::{LatLng, Timestamp};

use self::chain::{Day, KeptStart, MarkovChain, WINDOWS};
use super::{Bench, movement::walks::Walks};
use crate::{report::Row, runs::RESAMPLES};

/// The gate: ten records, probabilities within a factor of two, thresholds drawn with scale 1.
const K: u32 = 10;
const GAMMA: f64 = 2.0;
const EPSILON0: f64 = 1.0;
/// The most that the guarantee that is printed may leave to chance.
const DELTA: f64 = 1e-3;
/// Outputs of every record, whose mean is taken.
const OUTPUTS: usize = 20;
/// Outputs of every record beside which people's days are held.
const BESIDE: usize = 5;
/// Windows of a seed's day that are kept: none, a morning's, half a day's, all of it.
const KEPT: [usize; 5] = [0, 1, 3, 6, WINDOWS];

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<()> {
    bench.progress.stage("a synthesizer of days, and its gate", 0);
    let walks = Walks::new(bench.places, bench.plan)?;
    // the chain is of other people than the seeds: the gate does not cover what a model was fitted to
    let (taught, seeds): (Vec<_>, Vec<_>) = walks.people().enumerate().partition(|(number, _)| number % 2 == 0);
    let chain = MarkovChain::learn(taught.iter().flat_map(|(_, fixes)| days(fixes)));
    let records: Vec<Day> = seeds.iter().filter_map(|(_, fixes)| days(fixes).into_iter().next()).collect();
    if records.is_empty() {
        return Ok(());
    }
    let gates = [("fixed", Gate::fixed(K, GAMMA)?), ("drawn", Gate::randomised(K, GAMMA, EPSILON0)?)];
    // what a sample of other people is off by
    let others = taught.iter().filter_map(|(_, fixes)| days(fixes).into_iter().next());
    let people: Vec<_> = records.iter().zip(others.map(|day| vec![(day, 1.0)])).collect();
    let apart = utility::distance(&people, &mut bench.rng).map_or(1.0, |found| found.value);
    for kept in KEPT {
        let synthesizer = KeptStart { chain: &chain, kept };
        for (name, gate) in &gates {
            let passing = passing(bench, &synthesizer, gate, &records);
            let reason = match gate.least(DELTA) {
                Some(guarantee) => {
                    format!("{gate}; {guarantee} for each output, refusals unseen; {} records", records.len())
                }
                None => {
                    format!("{gate}; a seed believed by {:.2} at most; {} records", gate.most_believed(), records.len())
                }
            };
            let metric = format!("share let out, {kept} of {WINDOWS} windows kept");
            let id = format!("synthesis/{name}/kept-{kept}");
            bench.rows.push(Row::printed(id, "deniability of generated days", "-", &metric, passing).because(&reason));
        }
        let [(_, gate), _] = &gates;
        let beside = |seed| (seed, outputs(bench, &synthesizer, gate, &records, seed));
        let beside: Vec<_> = records.iter().map(beside).collect();
        if let Some(found) = utility::distance(&beside, &mut bench.rng) {
            let metric = format!("total variation of cells by window, {kept} of {WINDOWS} windows kept");
            let row =
                Row::printed(format!("synthesis/off/kept-{kept}"), "days let out beside people's", "-", &metric, found);
            bench.rows.push(row.beside(apart).because("through the fixed gate; the baseline is other people's days; resampled people are fewer, which lifts the interval"));
        }
    }
    Ok(())
}

/// Some outputs of a seed, each with the probability that it is let out.
fn outputs(
    bench: &mut Bench<'_>,
    synthesizer: &KeptStart<'_>,
    gate: &Gate,
    records: &[Day],
    seed: &Day,
) -> Vec<(Day, f64)> {
    let one = |_| {
        let output = synthesizer.generate(seed, &mut bench.rng);
        let passing = gate.passing(synthesizer, records, seed, &output);
        (output, passing)
    };
    (0..BESIDE).map(one).collect()
}

/// The mean probability that an output is let out, seeds drawn evenly; whole people are resampled.
fn passing(bench: &mut Bench<'_>, synthesizer: &KeptStart<'_>, gate: &Gate, records: &[Day]) -> Estimate {
    let rng = &mut bench.rng;
    let of_seed = |seed: &Day| {
        let one = |_| {
            let output = synthesizer.generate(seed, rng);
            gate.passing(synthesizer, records, seed, &output)
        };
        (0..OUTPUTS).map(one).sum::<f64>() / OUTPUTS as f64
    };
    let shares: Vec<f64> = records.iter().map(of_seed).collect();
    let mean = |drawn: &[&f64]| drawn.iter().copied().sum::<f64>() / drawn.len().max(1) as f64;
    bootstrap_by_user(&shares, RESAMPLES, &mut bench.rng, mean)
}

/// Somebody's days without a gap: the cell of every window of two hours at its first position.
fn days(fixes: &[(Timestamp, LatLng)]) -> Vec<Day> {
    let of_day = |day: &[(Timestamp, LatLng)]| -> Option<Day> {
        let mut cells: [Option<u64>; WINDOWS] = [None; WINDOWS];
        for (at, place) in day {
            let window = (at.as_secs() / 7_200 % WINDOWS as u64) as usize;
            cells[window].get_or_insert_with(|| Cell::at(*place, Resolution::R7).raw());
        }
        let whole: Vec<u64> = cells.into_iter().flatten().collect();
        (whole.len() == WINDOWS).then_some(whole)
    };
    let same = |a: &(Timestamp, LatLng), b: &(Timestamp, LatLng)| a.0.as_secs() / 86_400 == b.0.as_secs() / 86_400;
    fixes.chunk_by(same).filter_map(of_day).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mosaic_geo::synthetic_city;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use crate::{Progress, RunPlan, RunSize};

    /// Seed 81, 60 residents: every row is there, what is kept whole is refused always, and the more is kept the less is
    /// let out of the fixed gate.
    #[test]
    fn the_more_is_kept_the_less_is_let_out() {
        let places = Arc::new(synthetic_city(1));
        let size = RunSize { people: 60, ..RunSize::quick() };
        let plan = RunPlan { size, seed: 81, places: String::new(), traces: None };
        let rng = ChaCha20Rng::seed_from_u64(81);
        let progress = &Progress::SILENT;
        let mut bench = Bench { places: &places, plan: &plan, progress, rng, rows: Vec::new(), series: Vec::new() };
        measure(&mut bench).unwrap();
        let value = |gate: &str, kept: usize| {
            let id = format!("synthesis/{gate}/kept-{kept}");
            bench.rows.iter().find(|row| row.id == id).and_then(|row| row.value).unwrap()
        };
        let fixed = KEPT.map(|kept| value("fixed", kept));
        assert_eq!(fixed[0], 1.0, "an output that no seed shapes could be anybody's");
        assert!(fixed.windows(2).all(|pair| pair[0] >= pair[1]), "{fixed:?}");
        assert_eq!(value("fixed", WINDOWS), 0.0, "a copy is refused unless ten people lived the same day");
        let off = |kept: usize| bench.rows.iter().find(|row| row.id == format!("synthesis/off/kept-{kept}"));
        assert!((0.0..1.0).contains(&off(0).and_then(|row| row.value).unwrap()));
        assert!(off(WINDOWS).is_none(), "nothing is let out, so nothing is beside people's days");
    }

    #[test]
    fn a_day_has_a_cell_for_every_window_or_is_none() {
        let at = |hour: u64| (Timestamp::from_secs(86_400 * 20_000 + hour * 3_600), LatLng::new(1.0, 2.0).unwrap());
        let whole: Vec<_> = (0..48).map(at).collect();
        assert_eq!(days(&whole).iter().map(Vec::len).collect::<Vec<_>>(), [WINDOWS, WINDOWS]);
        let gap: Vec<_> = (0..48).filter(|hour| ![6, 7].contains(hour)).map(at).collect();
        assert_eq!(days(&gap).len(), 1);
    }
}
