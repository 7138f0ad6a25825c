//! The slot detector with any of the learners: a defence must hold against the best of them.

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;

use super::{Clock, area, beyond::beyond};
use crate::{
    Estimate, EventView, Guess, Guesses, LabelledSequence, Learner, bootstrap_by_user, features::Extractor, hits_at,
    roc, scored::Scored,
};

/// Most slots that are judged: those of a thousand devices in eight hours. Intervals are thousandths wide then, and a
/// recording of ten thousand devices is described in minutes.
const MOST_JUDGED: usize = 400_000;

/// What one learner achieved on users it did not learn from.
#[derive(Clone, Debug)]
pub struct LearnerReport {
    /// AUC over slots.
    pub auc: Estimate,
    /// The same among the slots of one event.
    pub within: Estimate,
    /// `auc` less what the clock alone reaches on the same slots, whole users drawn for both at once.
    pub beyond: Estimate,
    /// Share of events with slots of both kinds whose best-scored slot is real.
    pub top_one: Estimate,
    /// Share of real slots found at 1 % false alarms.
    pub hits_at_1_percent: f64,
    /// The curve behind `auc`.
    pub roc: Vec<[f64; 2]>,
    /// Events with exactly one real slot as choices, half of the judged users for tuning.
    pub guesses: Guesses,
    /// Users judged.
    pub users: usize,
}

/// One user's described slots, with where its events end.
#[derive(Default)]
struct Described {
    sequence: LabelledSequence,
    ends: Vec<usize>,
    times: Vec<u64>,
}

/// Trains `learner` on users with an even number, on whole users up to `most` slots, and judges those with an
/// odd one, whole users up to 400,000 slots. `events` in order of time.
pub fn detect_slots_with(
    events: &[EventView],
    learner: Learner,
    most: usize,
    resamples: usize,
    rng: &mut impl Rng,
) -> LearnerReport {
    let mut users: BTreeMap<u32, Described> = BTreeMap::new();
    let mut described = first_users(events, |user| !is_judged(user), most);
    described.extend(first_users(events, is_judged, MOST_JUDGED));
    // most of what a large recording costs is describing it
    Extractor::new(events).describe(
        events,
        |event| described.contains(&event.user),
        |event, rows| {
            let own = users.entry(event.user).or_default();
            own.sequence.rows.extend(rows.iter().map(|row| row.to_vec()));
            own.sequence.labels.extend(event.slots.iter().map(|slot| slot.real));
            own.ends.push(own.sequence.rows.len());
            own.times.push(event.at);
        },
    );
    let (judged, teachers): (Vec<_>, Vec<_>) = users.into_iter().partition(|(user, _)| is_judged(*user));
    let lessons: Vec<_> = teachers.into_iter().map(|(_, own)| own.sequence).collect();
    let detector = learner.fit(&lessons, rng);
    drop(lessons);
    let clock = Clock::read(events.iter().filter(|event| !is_judged(event.user)));
    let (mut scored, mut timed, mut pairs, mut guesses) = (Vec::new(), Vec::new(), Vec::new(), Guesses::default());
    for (user, own) in judged {
        let scores = detector.scores(&own.sequence.rows);
        let slots: Vec<(f64, bool)> = scores.into_iter().zip(own.sequence.labels).collect();
        let (mut of_user, mut of_clock) = (Scored::default(), Scored::default());
        let mut start = 0;
        for (end, at) in own.ends.into_iter().zip(own.times) {
            of_user.push(slots[start..end].iter().copied());
            of_clock.push(slots[start..end].iter().map(|slot| (clock.share(at), slot.1)));
            let part = if user % 4 == 1 { &mut guesses.tuning } else { &mut guesses.judged };
            part.extend(single(user, &slots[start..end]));
            start = end;
        }
        scored.push(of_user);
        timed.push(of_clock);
        pairs.extend(slots);
    }
    LearnerReport {
        auc: area(&scored, resamples, rng),
        within: bootstrap_by_user(&scored, resamples, rng, Scored::within),
        beyond: beyond(&scored, &timed, resamples, rng),
        top_one: bootstrap_by_user(&scored, resamples, rng, Scored::top_one),
        hits_at_1_percent: hits_at(&pairs, 0.01),
        roc: roc(&pairs, 100),
        guesses,
        users: scored.len(),
    }
}

const fn is_judged(user: u32) -> bool {
    !user.is_multiple_of(2)
}

/// Of those who are `wanted`, the first whose slots are at most `most` in all.
fn first_users(events: &[EventView], wanted: impl Fn(u32) -> bool, most: usize) -> BTreeSet<u32> {
    let mut slots: BTreeMap<u32, usize> = BTreeMap::new();
    for event in events.iter().filter(|event| wanted(event.user)) {
        *slots.entry(event.user).or_default() += event.slots.len();
    }
    let mut room = most;
    let fitting = slots.into_iter().take_while(|(_, own)| {
        let fits = *own <= room;
        room = room.saturating_sub(*own);
        fits
    });
    fitting.map(|(user, _)| user).collect()
}

/// The event as a choice, if exactly one of its slots is real.
fn single(user: u32, slots: &[(f64, bool)]) -> Option<Guess> {
    let mut real = slots.iter().enumerate().filter(|(_, slot)| slot.1).map(|(index, _)| index);
    let (first, second) = (real.next(), real.next());
    let truth = first.filter(|_| second.is_none())?;
    Some(Guess { user, scores: slots.iter().map(|slot| slot.0).collect(), truth })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BoostingPlan, ByteStatistics, SequencePlan, SlotView, judge_guesses};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    #[test]
    fn whole_users_are_taken_up_to_the_limit() {
        let slot = SlotView { key: 1, chain: 0, bytes: ByteStatistics::default(), real: false };
        let event = |user| EventView { user, at: 0, slots: vec![slot; 10] };
        let events: Vec<EventView> = [5, 1, 3, 1, 2].map(event).into();
        let first = |most| first_users(&events, is_judged, most).into_iter().collect::<Vec<_>>();
        assert_eq!([first(19), first(20), first(30), first(100)], [vec![], vec![1], vec![1, 3], vec![1, 3, 5]]);
        assert_eq!(first_users(&events, |user| !is_judged(user), 10).into_iter().collect::<Vec<_>>(), [2]);
    }

    /// Seed 12, 120 users × 10 events: a truth that repeats among fresh decoys is found by every learner, and
    /// uniform keys by none (60 users with 600 real slots judged; standard error of the area about 0.012).
    #[test]
    fn every_learner_has_teeth_and_none_sees_ghosts() {
        let mut rng = ChaCha20Rng::seed_from_u64(12);
        let mut traffic = |repeats: bool| -> Vec<EventView> {
            let event = |number: u32| {
                let (user, real_at) = (number % 120, rng.random_range(0..10));
                let slot = |index| {
                    let real = index == real_at;
                    let key = if real && repeats { u64::from(user) } else { rng.random_range(1_000..100_000) };
                    SlotView { key, chain: 0, bytes: ByteStatistics::default(), real }
                };
                EventView { user, at: u64::from(number), slots: (0..10).map(slot).collect() }
            };
            (0..1_200).map(event).collect()
        };
        let (telling, silent) = (traffic(true), traffic(false));
        let sequence = SequencePlan { epochs: 6, ..SequencePlan::default() };
        for learner in
            [Learner::Trees(BoostingPlan::default()), Learner::Logistic { penalty: 1.0 }, Learner::Sequence(sequence)]
        {
            let found = detect_slots_with(&telling, learner, 100_000, 20, &mut rng);
            assert!(found.auc.low > 0.8 && found.within.low > 0.8 && found.users == 60, "{found:?}");
            let nothing = detect_slots_with(&silent, learner, 100_000, 20, &mut rng);
            assert!((nothing.auc.value - 0.5).abs() < 0.05, "{:?} {:?}", learner, nothing.auc);
            assert!(judge_guesses(&nothing.guesses, 20, &mut rng).trap.guesses.value > 5.0);
        }
    }
}
