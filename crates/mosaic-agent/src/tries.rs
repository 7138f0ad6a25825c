//! How often this device joined at which nameplate: three times, then no more (PRIVACY section 5). Whoever answers
//! there gets one guess at the password each time, so a restart must not give tries back: this is kept in the vault.

use std::{collections::BTreeMap, time::Duration};

use mosaic_types::{Nameplate, Timestamp};
use serde::{Deserialize, Serialize};

/// Joins at one nameplate.
const MOST: u8 = 3;
/// Nameplates that are remembered.
const NAMEPLATES: usize = 1_024;
/// How long after the last join: twice as long as a code lives.
const KEPT: Duration = Duration::from_hours(48);

/// The joins of the last days, by nameplate.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Tries(BTreeMap<u32, Joins>);

#[derive(Clone, Serialize, Deserialize)]
struct Joins {
    count: u8,
    last: Timestamp,
}

impl Tries {
    /// Counts a join; how many are left then. `None` when there was none left, and nothing is counted.
    pub(crate) fn take(&mut self, now: Timestamp, nameplate: Nameplate) -> Option<u8> {
        self.0.retain(|_, joins| now.since(joins.last) < KEPT);
        let known = self.0.get(&nameplate.number()).map_or(0, |joins| joins.count);
        if known >= MOST || (known == 0 && self.0.len() >= NAMEPLATES) {
            return None;
        }
        self.0.insert(nameplate.number(), Joins { count: known + 1, last: now });
        Some(MOST - known - 1)
    }
}

#[cfg(test)]
mod tests {
    use mosaic_types::Code;

    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_763_683_200);

    fn nameplate(number: u64) -> Nameplate {
        Code::from_number(number * 10_000_000).nameplate()
    }

    #[test]
    fn three_joins_at_a_nameplate_and_then_none_for_two_days() {
        let mut tries = Tries::default();
        let taken = [(); 5].map(|()| tries.take(START, nameplate(7)));
        assert_eq!(taken, [Some(2), Some(1), Some(0), None, None]);
        assert_eq!(tries.take(START, nameplate(8)), Some(2), "another nameplate");
        let later = START.after(KEPT);
        assert_eq!(tries.take(later.before(Duration::from_secs(1)), nameplate(7)), None, "refusals are not counted");
        assert_eq!(tries.take(later, nameplate(7)), Some(2));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut tries = Tries::default();
        assert!((0..NAMEPLATES as u64).all(|number| tries.take(START, nameplate(number)).is_some()));
        assert_eq!(tries.take(START, nameplate(NAMEPLATES as u64)), None);
        assert_eq!(tries.take(START, nameplate(0)), Some(1), "who is known goes on");
    }
}
