use std::{
    num::NonZero,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use anyhow::{Result, anyhow};
use mosaic_attack::EventView;
use mosaic_geo::PlaceIndex;

use super::{Evening, Meetings, record_evening};
use crate::{Progress, population::PopulationPlan};

/// Evenings of different people who never met, for figures that need more people than one evening can be played with:
/// its cost grows faster than the people in it.
pub(crate) struct Evenings {
    /// The first by itself.
    pub(crate) first: Evening,
    /// Rendezvous events of all, in order of time; people and rows of each evening are numbered apart.
    pub(crate) rendezvous: Vec<EventView>,
    /// What happened in all.
    pub(crate) met: Meetings,
}

/// Plays `count` evenings, at least one, side by side on all cores. The same plan gives the same evenings on any number
/// of them.
pub(crate) fn record_evenings(
    places: &Arc<PlaceIndex>,
    plan: PopulationPlan,
    count: u32,
    progress: &Progress<'_>,
) -> Result<Evenings> {
    let waiting = Mutex::new(0..count.max(1));
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let worker = || -> Result<Vec<(u32, Evening)>> {
        let mut recorded = Vec::new();
        while let Some(number) = next() {
            // spread over all seeds: neighbouring ones stand for other runs
            let seed = plan.seed.wrapping_add(u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            recorded.push((number, record_evening(places, PopulationPlan { seed, ..plan }, progress)?));
        }
        Ok(recorded)
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let recorded: Result<Vec<_>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| anyhow!("an evening stopped"))?).collect()
    });
    let mut recorded: Vec<(u32, Evening)> = recorded?.into_iter().flatten().collect();
    recorded.sort_by_key(|(number, _)| *number);
    let mut evenings = recorded.into_iter();
    let (_, first) = evenings.next().ok_or_else(|| anyhow!("there was no evening"))?;
    let (mut rendezvous, mut met) = (first.rendezvous.clone(), first.met);
    for (number, evening) in evenings {
        met += evening.met;
        rendezvous.extend(evening.rendezvous.into_iter().map(|event| apart(event, number, plan.agents)));
    }
    rendezvous.sort_by_key(|event| (event.at, event.user));
    Ok(Evenings { first, rendezvous, met })
}

/// Numbers people and rows of an evening apart from those of the others: they are of another town. Rows have no more
/// than 56 bits, the table's number included.
fn apart(mut event: EventView, number: u32, agents: u32) -> EventView {
    event.user += number * agents;
    event.slots.iter_mut().for_each(|slot| slot.key |= u64::from(number) << 56);
    event
}

impl std::ops::AddAssign for Meetings {
    fn add_assign(&mut self, other: Self) {
        let Self { waves, answers, approaches, contacts, full } = other;
        self.waves += waves;
        self.answers += answers;
        self.approaches += approaches;
        self.contacts += contacts;
        self.full += full;
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use mosaic_geo::synthetic_city;
    use mosaic_types::Mode;

    use super::*;
    use crate::runs::evening;

    /// Seed 3, two evenings of 24 people, one hour: the first is what it is alone, and nothing of the second is taken
    /// for it.
    #[test]
    fn evenings_are_told_apart() {
        let places = Arc::new(synthetic_city(1));
        let plan = PopulationPlan {
            agents: 24,
            length: Duration::from_hours(1),
            seed: 3,
            mode: Mode::Balanced,
            start: evening(),
            liked: None,
        };
        let both = record_evenings(&places, plan, 2, &Progress::SILENT).unwrap();
        let alone = record_evening(&places, plan, &Progress::SILENT).unwrap();
        assert_eq!(both.first.rendezvous.len(), alone.rendezvous.len());
        assert_eq!((both.first.met, both.first.pairs), (alone.met, alone.pairs));
        let of = |second: bool| both.rendezvous.iter().filter(move |event| (event.user >= 24) == second);
        assert_eq!(of(false).count(), alone.rendezvous.len());
        let keys =
            |second| of(second).flat_map(|event| event.slots.iter().map(|slot| slot.key)).collect::<BTreeSet<u64>>();
        assert!(keys(false).is_disjoint(&keys(true)));
        let people: BTreeSet<u32> = both.rendezvous.iter().map(|event| event.user).collect();
        assert_eq!(people, (0..48).collect());
    }
}
