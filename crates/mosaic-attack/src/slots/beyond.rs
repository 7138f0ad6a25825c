//! What a detector has from the slots themselves, beyond what the clock alone would tell it.

use rand::Rng;

use crate::{
    Estimate, bootstrap_by_user,
    scored::{Scale, Scored},
};

/// Area over all slots less the area that the clock reaches on the same slots, in -1..=1. Both are taken on the same
/// drawn users: the hours that a user is awake move the two together, and two intervals apart would hide that.
/// `seen` and `timed` hold the same users in the same order.
pub(super) fn beyond(seen: &[Scored], timed: &[Scored], resamples: usize, rng: &mut impl Rng) -> Estimate {
    let (slots, clock) = (Scale::of(seen), Scale::of(timed));
    let users: Vec<_> = seen.iter().zip(timed).map(|(seen, timed)| (slots.rank(seen), clock.rank(timed))).collect();
    bootstrap_by_user(&users, resamples, rng, |drawn| {
        let (seen, timed): (Vec<_>, Vec<_>) = drawn.iter().map(|(seen, timed)| (seen, timed)).unzip();
        slots.auc(&seen) - clock.auc(&timed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auc;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// 60 users with 20 slots each: every score of the detector is the clock's plus `gain` for real slots.
    fn users(rng: &mut ChaCha20Rng, gain: f64) -> (Vec<Scored>, Vec<Scored>) {
        let user = |_| {
            let (mut seen, mut timed) = (Scored::default(), Scored::default());
            for _ in 0..20 {
                let (hour, real) = (f64::from(rng.random_range(0..6_u8)), rng.random_bool(0.3));
                timed.push(std::iter::once((hour, real)));
                seen.push(std::iter::once((hour + if real { gain } else { 0.0 }, real)));
            }
            (seen, timed)
        };
        (0..60).map(user).unzip()
    }

    /// Seed 13. A detector that says what the clock says has nothing beyond it, in every resample; one that knows has
    /// nearly half the square beyond a clock at chance; one that is worse than the clock lies below zero. The value is
    /// the difference of the crate's own areas.
    #[test]
    fn the_clock_is_taken_off_and_nothing_else() {
        let mut rng = ChaCha20Rng::seed_from_u64(13);
        let (seen, timed) = users(&mut rng, 0.0);
        let nothing = beyond(&seen, &timed, 50, &mut rng);
        assert_eq!((nothing.value, nothing.low, nothing.high), (0.0, 0.0, 0.0));
        let (seen, timed) = users(&mut rng, 9.0);
        let all = beyond(&seen, &timed, 50, &mut rng);
        assert!(all.low > 0.4, "{all:?}");
        let flat = |users: &[Scored]| users.iter().flat_map(Scored::slots).copied().collect::<Vec<_>>();
        assert!((all.value - (auc(&flat(&seen)) - auc(&flat(&timed)))).abs() < 1e-12);
        assert!(beyond(&timed, &seen, 50, &mut rng).high < -0.4);
    }
}
