//! Verdicts of one user's slots, and the figures that are made of them.

/// Scores of one user's slots with their truth, event by event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scored {
    slots: Vec<(f64, bool)>,
    ends: Vec<usize>,
}

impl Scored {
    /// Adds an event.
    pub(crate) fn push(&mut self, slots: impl Iterator<Item = (f64, bool)>) {
        self.slots.extend(slots);
        self.ends.push(self.slots.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// All slots with their scores and truth.
    #[cfg(test)]
    pub(crate) fn slots(&self) -> &[(f64, bool)] {
        &self.slots
    }

    pub(crate) fn real(&self) -> usize {
        self.slots.iter().filter(|slot| slot.1).count()
    }

    /// Events that have slots of both kinds: in the others there is nothing to choose.
    fn events(&self) -> impl Iterator<Item = &[(f64, bool)]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let events = starts.zip(&self.ends).map(|(start, end)| &self.slots[start..*end]);
        events.filter(|event| event.iter().any(|slot| slot.1) && event.iter().any(|slot| !slot.1))
    }

    /// Share of events whose best-scored slot is real. Ties are broken by expectation: with `t` slots tied
    /// at the top, `r` of them real, the guess is right with probability `r / t`.
    pub(crate) fn top_one(drawn: &[&Self]) -> f64 {
        mean(drawn.iter().flat_map(|user| user.events()).map(|event| {
            let best = event.iter().map(|slot| slot.0).fold(f64::NEG_INFINITY, f64::max);
            let tied = event.iter().filter(|slot| slot.0 == best);
            let (count, real) = tied.fold((0.0, 0.0), |(count, real), slot| (count + 1.0, real + kind(slot.1)));
            real / count
        }))
    }

    /// The chance that a real slot scores above a decoy of its own event, ties counting half.
    pub(crate) fn within(drawn: &[&Self]) -> f64 {
        let pairs = drawn.iter().flat_map(|user| user.events()).map(|event| {
            let (mut above, mut all) = (0.0, 0.0);
            for real in event.iter().filter(|slot| slot.1) {
                for decoy in event.iter().filter(|slot| !slot.1) {
                    above += kind(real.0 > decoy.0) + 0.5 * kind(real.0 == decoy.0);
                    all += 1.0;
                }
            }
            (above, all)
        });
        let (above, all) = pairs.fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
        if all > 0.0 { above / all } else { 0.5 }
    }
}

fn kind(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

/// Bins of the score for η.
const BINS: usize = 20;

/// The order of all scores that occur. Figures on resamples count by rank instead of sorting again.
pub(crate) struct Scale {
    scores: Vec<f64>,
    /// The bin of each score, of twenty that hold equally many slots.
    bins: Vec<usize>,
}

/// One user's slots by the rank of their score.
pub(crate) struct Ranked(Vec<(u32, bool)>);

impl Scale {
    pub(crate) fn of(users: &[Scored]) -> Self {
        let mut all: Vec<f64> = users.iter().flat_map(|user| user.slots.iter().map(|slot| slot.0)).collect();
        all.sort_unstable_by(f64::total_cmp);
        let mut cuts: Vec<f64> = (1..BINS).filter_map(|bin| all.get(bin * all.len() / BINS).copied()).collect();
        cuts.dedup();
        all.dedup();
        let bins = all.iter().map(|score| cuts.partition_point(|cut| cut <= score)).collect();
        Self { scores: all, bins }
    }

    pub(crate) fn rank(&self, user: &Scored) -> Ranked {
        let rank = |score: f64| self.scores.partition_point(|known| *known < score);
        Ranked(user.slots.iter().map(|slot| (u32::try_from(rank(slot.0)).unwrap_or(u32::MAX), slot.1)).collect())
    }

    /// Area under the ROC curve, as [`crate::auc`].
    pub(crate) fn auc(&self, drawn: &[&Ranked]) -> f64 {
        let mut counts = vec![[0.0_f64; 2]; self.scores.len()];
        for (rank, real) in drawn.iter().flat_map(|user| &user.0) {
            counts[*rank as usize][usize::from(*real)] += 1.0;
        }
        let (mut decoys, mut real, mut above) = (0.0, 0.0, 0.0);
        for [decoy, positive] in counts {
            above += positive * (decoys + decoy / 2.0);
            decoys += decoy;
            real += positive;
        }
        if decoys * real > 0.0 { above / (decoys * real) } else { 0.5 }
    }

    /// |ln P(bin | real) / P(bin | decoy)| over the bins of the score, add-half smoothed: its 95th
    /// percentile over the slots.
    pub(crate) fn eta_p95(&self, drawn: &[&Ranked]) -> f64 {
        let mut counts = [[0.5_f64; 2]; BINS];
        for (rank, real) in drawn.iter().flat_map(|user| &user.0) {
            counts[self.bins[*rank as usize]][usize::from(*real)] += 1.0;
        }
        let used = self.bins.last().map_or(1, |last| last + 1);
        let counts = &counts[..used.min(BINS)];
        let total = counts.iter().fold([0.0; 2], |sum, count| [sum[0] + count[0], sum[1] + count[1]]);
        let ratio = |count: &[f64; 2]| ((count[1] / total[1]) / (count[0] / total[0])).ln().abs();
        let mut ratios: Vec<(f64, f64)> =
            counts.iter().map(|count| (ratio(count), count[0] + count[1] - 1.0)).collect();
        ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut left = 0.95 * ratios.iter().map(|(_, slots)| slots).sum::<f64>();
        let reached = ratios.iter().find(|(_, slots)| {
            left -= slots;
            left <= 0.0
        });
        reached.map_or(0.0, |(ratio, _)| *ratio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auc;
    use proptest::prelude::*;

    fn user(slots: &[(f64, bool)]) -> Scored {
        let mut scored = Scored::default();
        slots.chunks(5).for_each(|event| scored.push(event.iter().copied()));
        scored
    }

    #[test]
    fn the_best_of_an_event_and_the_order_within_it() {
        let scored = user(&[(0.9, true), (0.9, false), (0.1, false), (0.2, true), (0.0, false), (0.5, true)]);
        assert_eq!(Scored::top_one(&[&scored]), 0.5, "the last event has nothing to choose");
        assert_eq!(Scored::within(&[&scored]), (2.5 + 2.0) / 6.0);
        assert_eq!(Scored::within(&[&user(&[(0.5, true)])]), 0.5);
    }

    #[test]
    fn eta_of_useless_and_of_telling_scores() {
        let useless: Vec<_> = (0..4_000).map(|number| (f64::from(number / 4), number % 4 == 0)).collect();
        let telling: Vec<_> = (0..4_000).map(|number| (f64::from(number), number >= 3_000)).collect();
        let eta = |slots: &[(f64, bool)]| {
            let users = [user(slots)];
            let scale = Scale::of(&users);
            scale.eta_p95(&[&scale.rank(&users[0])])
        };
        assert!(eta(&useless) < 0.05 && eta(&telling) > 3.0);
        assert_eq!(eta(&[]), 0.0);
    }

    proptest! {
        /// Counting by rank gives what sorting gives, for scores with ties, whoever was drawn how often.
        #[test]
        fn counting_agrees_with_sorting(slots in prop::collection::vec((0_u8..20, any::<bool>()), 1..80)) {
            let slots: Vec<(f64, bool)> = slots.into_iter().map(|(score, real)| (f64::from(score), real)).collect();
            let (first, second) = slots.split_at(slots.len() / 2);
            let users = [user(first), user(second)];
            let scale = Scale::of(&users);
            let ranked = users.each_ref().map(|user| scale.rank(user));
            let drawn = [first, second, second].concat();
            prop_assert!((scale.auc(&[&ranked[0], &ranked[1], &ranked[1]]) - auc(&drawn)).abs() < 1e-12);
        }
    }
}
