//! Would records that a provider makes up itself cover anything (ADR 24)? The design wanted one for three of people's, at
//! uniform rows. Whoever else holds the table asks of each record whether a person's device wrote it, and looks at nothing
//! but how many others lie in its row.

use std::collections::{BTreeMap, HashMap};

use mosaic_attack::{EventView, auc, bootstrap_by_user};
use mosaic_types::Lane;
use rand::{Rng, RngExt};

use super::Bench;
use crate::{report::Row, runs::RESAMPLES};

/// Events of people for one of the provider's: a quarter of all records is chaff (C-03).
const FOR_ONE: usize = 3;

/// Bits of a slot's key that name its row; those above name the table.
const ROW_BITS: u32 = 24;

pub(super) fn attack(bench: &mut Bench<'_>, lane: Lane, events: &[EventView], rows: u32) {
    let judged = judged(events, rows, &mut bench.rng);
    let found = bootstrap_by_user(&judged, RESAMPLES, &mut bench.rng, |drawn| {
        auc(&drawn.iter().flat_map(|own| own.iter().copied()).collect::<Vec<_>>())
    });
    let (slug, limits) = match lane {
        Lane::Discovery => ("discovery", "told apart, it covers nobody; every download would grow by a third"),
        Lane::Rendezvous => ("rendezvous", "it looks as people's decoys do, which fill five of ten slots already"),
    };
    let metric = format!("AUC by a row's load: a person's record or chaff, {} events", events.len());
    let row = Row::printed(format!("chaff/{slug}"), "chaff of a provider", "P1", &metric, found);
    bench.rows.push(row.because(limits));
}

/// Every record with how many lie in its row and whether a person's device wrote it, by people.
fn judged(events: &[EventView], rows: u32, rng: &mut impl Rng) -> Vec<Vec<(f64, bool)>> {
    let chaff = made_up(events, rows, rng);
    let mut loads: HashMap<u64, u32> = HashMap::new();
    let written = events.iter().flat_map(|event| event.slots.iter().map(|slot| slot.key));
    for key in written.chain(chaff.iter().flat_map(|(_, keys)| keys.iter().copied())) {
        *loads.entry(key).or_default() += 1;
    }
    let load = |key: u64| f64::from(loads.get(&key).copied().unwrap_or_default());
    // by the writer of the event before it, so that whole people with what lies between theirs are drawn
    let mut judged: BTreeMap<u32, Vec<(f64, bool)>> = BTreeMap::new();
    for event in events {
        judged.entry(event.user).or_default().extend(event.slots.iter().map(|slot| (load(slot.key), true)));
    }
    for (user, keys) in &chaff {
        judged.entry(*user).or_default().extend(keys.iter().map(|key| (load(*key), false)));
    }
    judged.into_values().collect()
}

/// After every third event of people one at ten distinct uniform rows of the same table.
fn made_up(events: &[EventView], rows: u32, rng: &mut impl Rng) -> Vec<(u32, Vec<u64>)> {
    let mut chaff = |event: &EventView| {
        let table = event.slots.first().map_or(0, |slot| slot.key >> ROW_BITS << ROW_BITS);
        let mut keys: Vec<u64> = Vec::new();
        while keys.len() < event.slots.len() {
            let key = table | u64::from(rng.random_range(0..rows.max(1)));
            if !keys.contains(&key) || keys.len() >= rows as usize {
                keys.push(key);
            }
        }
        (event.user, keys)
    };
    events.iter().skip(FOR_ONE - 1).step_by(FOR_ONE).map(&mut chaff).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mosaic_attack::{ByteStatistics, SlotView};
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    const ROWS: u32 = 4_096;

    /// 60 people with ten events each, whose slots go where `row` says.
    fn found(mut row: impl FnMut(&mut ChaCha20Rng) -> u32) -> f64 {
        let mut rng = ChaCha20Rng::seed_from_u64(24);
        let bytes = ByteStatistics::of(&[0x5A; 32]);
        let mut event = |number: u32| {
            let mut slot =
                || SlotView { key: (7 << ROW_BITS) | u64::from(row(&mut rng)), chain: 0, bytes, real: false };
            EventView { user: number % 60, at: number.into(), slots: (0..10).map(|_| slot()).collect() }
        };
        let events: Vec<EventView> = (0..600).map(&mut event).collect();
        auc(&judged(&events, ROWS, &mut ChaCha20Rng::seed_from_u64(25)).concat())
    }

    /// Seed 24, 6,000 records and 2,000 of chaff: equal where people write uniformly (standard error 0.007), told apart
    /// where a twentieth of the rows is what people write to.
    #[test]
    fn chaff_is_told_where_people_share_rows() {
        let uniform = found(|rng| rng.random_range(0..ROWS));
        assert!((uniform - 0.5).abs() < 0.03, "{uniform}");
        let busy = found(|rng| rng.random_range(0..ROWS / 20));
        assert!(busy > 0.9, "{busy}");
    }
}
