//! The single-provider slot detector: which elements of an event are real?

mod beyond;
mod learners;

use std::collections::{BTreeMap, HashMap, HashSet};

use rand::Rng;

use crate::{
    BoostedTrees, BoostingPlan, ByteStatistics, Estimate, bootstrap_by_user,
    features::{EPOCH_S, Extractor, WIDTH},
    scored::{Scale, Scored},
};

pub use learners::{LearnerReport, detect_slots_with};

/// One element of an event as the attacker sees it.
#[derive(Clone, Copy, Debug)]
pub struct SlotView {
    /// Whatever names the element: a row, or a word in clear in a naive design.
    pub key: u64,
    /// Full rows it met before; 0 where there is no such thing.
    pub chain: u8,
    /// Of the bytes that travel with it.
    pub bytes: ByteStatistics,
    /// Ground truth: the label in training, the verdict's judge in testing. Never a feature.
    pub real: bool,
}

/// One event, linked to its writer: more than a provider behind a relay gets.
#[derive(Clone, Debug)]
pub struct EventView {
    /// Who wrote it.
    pub user: u32,
    /// When it was seen, in seconds; only the order and the differences matter.
    pub at: u64,
    /// Its elements in the order they were sent.
    pub slots: Vec<SlotView>,
}

/// What the detector achieved on users it did not learn from.
#[derive(Clone, Debug)]
pub struct DetectorReport {
    /// Area under the ROC curve over slots.
    pub auc: Estimate,
    /// The same among the slots of one event only: the chance that a real slot scores above a decoy beside
    /// it. It leaves out what the attacker learns of when there is more to say.
    pub within: Estimate,
    /// Area reached by looking at the clock alone: every slot is scored by the share of real slots that the
    /// training users had in the same half hour. What `auc` has beyond it, it has from the slots.
    pub clock: Estimate,
    /// `auc` less `clock`, whole users drawn for both at once; what the detector has from the slots (ADR 8).
    pub beyond: Estimate,
    /// Share of events with a real slot whose best-scored slot is real.
    pub top_one: Estimate,
    /// 95th percentile of the absolute log-likelihood ratio real against decoy, over slots: the
    /// empirical η of PRIVACY theorem 2.
    pub eta_p95: Estimate,
    /// Real slots judged.
    pub real_slots: usize,
    /// Decoy slots judged.
    pub decoy_slots: usize,
    /// Of the slots judged, how many were sent again after a full row.
    pub retried_slots: usize,
    /// Users judged; as many others were there to learn from.
    pub users: usize,
}

/// Slots the attacker learns from at most: beyond this the model does not change and time is lost.
const MOST_EXAMPLES: usize = 400_000;

/// Trains on users with an even number, judges users with an odd one. `events` in order of time; those
/// before `from`, in seconds, are history to look back at: nothing is learnt from them or judged.
pub fn detect_slots(events: &[EventView], from: u64, resamples: usize, rng: &mut impl Rng) -> DetectorReport {
    let extractor = Extractor::new(events);
    let model = learn(events, from, &extractor);
    let clock = Clock::read(events.iter().filter(|event| event.at >= from && event.user.is_multiple_of(2)));
    let mut judged: BTreeMap<u32, (Scored, Scored)> = BTreeMap::new();
    let mut retried_slots = 0;
    extractor.describe(
        events,
        |event| event.at >= from && event.user % 2 == 1,
        |event, rows| {
            let (seen, timed) = judged.entry(event.user).or_default();
            seen.push(event.slots.iter().zip(rows).map(|(slot, row)| (model.score(row), slot.real)));
            timed.push(event.slots.iter().map(|slot| (clock.share(event.at), slot.real)));
            retried_slots += event.slots.iter().filter(|slot| slot.chain > 0).count();
        },
    );
    let (users, timed): (Vec<Scored>, Vec<Scored>) = judged.into_values().unzip();
    let beyond = beyond::beyond(&users, &timed, resamples, rng);
    let clock = area(&timed, resamples, rng);
    DetectorReport { retried_slots, clock, beyond, ..report(&users, resamples, rng) }
}

/// The share of real slots by half hour.
struct Clock(HashMap<u64, (f64, f64)>);

impl Clock {
    fn read<'a>(events: impl Iterator<Item = &'a EventView>) -> Self {
        let mut halves: HashMap<u64, (f64, f64)> = HashMap::new();
        for event in events {
            let (real, all) = halves.entry(event.at / EPOCH_S).or_default();
            *real += event.slots.iter().filter(|slot| slot.real).count() as f64;
            *all += event.slots.len() as f64;
        }
        Self(halves)
    }

    fn share(&self, at: u64) -> f64 {
        self.0.get(&(at / EPOCH_S)).map_or(0.0, |(real, all)| real / all.max(1.0))
    }
}

/// Whole users, in the order of their numbers, up to [`MOST_EXAMPLES`] slots.
fn learn(events: &[EventView], from: u64, extractor: &Extractor) -> BoostedTrees {
    let mut sizes: HashMap<u32, usize> = HashMap::new();
    for event in events.iter().filter(|event| event.at >= from && event.user.is_multiple_of(2)) {
        *sizes.entry(event.user).or_default() += event.slots.len();
    }
    let mut sizes: Vec<_> = sizes.into_iter().collect();
    sizes.sort_unstable();
    let mut room = MOST_EXAMPLES;
    let teachers = sizes.into_iter().take_while(|(_, size)| {
        let fits = *size <= room;
        room = room.saturating_sub(*size);
        fits
    });
    let teachers: HashSet<u32> = teachers.map(|(user, _)| user).collect();
    let (mut examples, mut labels) = (Vec::<[f64; WIDTH]>::new(), Vec::new());
    extractor.describe(
        events,
        |event| event.at >= from && teachers.contains(&event.user),
        |event, rows| {
            examples.extend(rows);
            labels.extend(event.slots.iter().map(|slot| slot.real));
        },
    );
    BoostedTrees::fit(&examples, &labels, BoostingPlan::default())
}

fn area(users: &[Scored], resamples: usize, rng: &mut impl Rng) -> Estimate {
    let scale = Scale::of(users);
    let ranked: Vec<_> = users.iter().map(|user| scale.rank(user)).collect();
    bootstrap_by_user(&ranked, resamples, rng, |drawn| scale.auc(drawn))
}

fn report(users: &[Scored], resamples: usize, rng: &mut impl Rng) -> DetectorReport {
    let scale = Scale::of(users);
    let ranked: Vec<_> = users.iter().map(|user| scale.rank(user)).collect();
    let real_slots = users.iter().map(Scored::real).sum();
    DetectorReport {
        clock: Estimate { value: 0.5, low: 0.5, high: 0.5 },
        beyond: Estimate { value: 0.0, low: 0.0, high: 0.0 },
        auc: bootstrap_by_user(&ranked, resamples, rng, |drawn| scale.auc(drawn)),
        within: bootstrap_by_user(users, resamples, rng, Scored::within),
        top_one: bootstrap_by_user(users, resamples, rng, Scored::top_one),
        eta_p95: bootstrap_by_user(&ranked, resamples, rng, |drawn| scale.eta_p95(drawn)),
        real_slots,
        decoy_slots: users.iter().map(Scored::len).sum::<usize>() - real_slots,
        retried_slots: 0,
        users: users.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// 200 users, ten events each, ten slots an event of which one, at a random place, is real.
    fn traffic(rng: &mut ChaCha20Rng, mut key: impl FnMut(&mut ChaCha20Rng, u32, bool) -> u64) -> Vec<EventView> {
        (0..2_000_u32)
            .map(|number| {
                let user = number % 200;
                let real_at = rng.random_range(0..10);
                let slots = (0..10)
                    .map(|index| {
                        let real = index == real_at;
                        let mut bytes = [0; 32];
                        rng.fill(&mut bytes[..]);
                        SlotView { key: key(rng, user, real), chain: 0, bytes: ByteStatistics::of(&bytes), real }
                    })
                    .collect();
                EventView { user, at: u64::from(number), slots }
            })
            .collect()
    }

    /// Seed 8: uniform keys for both kinds. Judged on 1,000 real slots of 100 users, the intervals
    /// must contain one half.
    #[test]
    fn uniform_slots_tell_nothing() {
        let mut rng = ChaCha20Rng::seed_from_u64(8);
        let events = traffic(&mut rng, |rng, _, _| rng.random_range(0..1 << 17));
        let report = detect_slots(&events, 0, 100, &mut rng);
        for area in [report.auc, report.within] {
            assert!(area.low < 0.5 && 0.5 < area.high, "{report:?}");
        }
        assert_eq!((report.real_slots, report.decoy_slots, report.users), (1_000, 9_000, 100));
    }

    /// Seed 9: every user repeats one key and draws decoys afresh. The detector must find it.
    #[test]
    fn a_repeated_truth_among_fresh_decoys_is_found() {
        let mut rng = ChaCha20Rng::seed_from_u64(9);
        let events =
            traffic(&mut rng, |rng, user, real| if real { u64::from(user) } else { rng.random_range(0..5_000) });
        let report = detect_slots(&events, 0, 20, &mut rng);
        assert!(report.auc.value > 0.9 && report.top_one.value > 0.8 && report.eta_p95.low > 0.5, "{report:?}");
        assert!(report.beyond.low > 0.3, "what repeats is in the slots, not on the clock: {report:?}");
    }

    /// Seed 10: real slots fall into 64 rows that twenty writers share, decoys into 131,072: what too many
    /// waves at one card would look like. The collisions must be visible to the detector.
    #[test]
    fn rows_that_many_write_to_are_found() {
        let mut rng = ChaCha20Rng::seed_from_u64(10);
        let events = traffic(&mut rng, |rng, user, real| {
            let shared = u64::from(user % 10) << 20 | rng.random_range(0..64);
            if real { shared } else { rng.random_range(0..1 << 17) }
        });
        let report = detect_slots(&events, 0, 20, &mut rng);
        assert!(report.auc.low > 0.7 && report.within.low > 0.7, "{report:?}");
    }

    /// Seed 11: keys are uniform, but nothing is real in the first half of the time. The clock tells that, and
    /// whoever looks at the second half alone sees nothing.
    #[test]
    fn what_the_clock_tells_is_told_apart() {
        let mut rng = ChaCha20Rng::seed_from_u64(11);
        let mut events = traffic(&mut rng, |rng, _, _| rng.random_range(0..1 << 17));
        for event in &mut events {
            event.at *= 10;
            event.slots.iter_mut().for_each(|slot| slot.real &= event.at >= 10_000);
        }
        let whole = detect_slots(&events, 0, 50, &mut rng);
        assert!(whole.clock.low > 0.6 && whole.beyond.high < 0.05, "{whole:?}");
        let late = detect_slots(&events, 10_800, 50, &mut rng);
        assert!(late.clock.high < 0.56 && late.auc.low < 0.5 && late.real_slots > 400, "{late:?}");
    }
}
