use std::time::Duration;

use mosaic_types::{ProviderId, Timestamp};

use crate::Counted;

const DAY: Duration = Duration::from_hours(24);

/// How long after the last moment for reports a relay, or a clock that is a little behind, may still bring one.
const LATE: Duration = Duration::from_mins(10);

/// The leader and the helper of a day: providers take turns in the order of the federation's document, the leader of day d
/// is number d modulo their number and the helper the next one. So nobody chooses, and everybody knows. `None` for fewer
/// than two.
pub fn aggregators(providers: &[ProviderId], day: u32) -> Option<[ProviderId; 2]> {
    let turn = |day: u64| {
        let at = day.checked_rem(providers.len() as u64)?;
        providers.get(usize::try_from(at).ok()?).copied()
    };
    let pair = [turn(day.into())?, turn(u64::from(day) + 1)?];
    (pair[0] != pair[1]).then_some(pair)
}

impl Counted {
    /// When devices may report about the day: from its end, when everything was wished for that ever will be, for a day.
    /// All by UTC.
    pub fn reports_from(self) -> Timestamp {
        Timestamp::from_secs((u64::from(self.day) + 1) * DAY.as_secs())
    }

    /// When aggregators begin to close the batch; what comes later is not counted.
    pub fn closes_at(self) -> Timestamp {
        self.reports_from().after(DAY + LATE)
    }

    /// Whether an aggregator takes a report about the day now.
    pub fn takes_reports(self, now: Timestamp) -> bool {
        (self.reports_from()..self.closes_at()).contains(&now)
    }
}

#[cfg(test)]
mod tests {
    use mosaic_types::TileId;

    use super::*;

    fn providers(count: u8) -> Vec<ProviderId> {
        (1..=count).map(|number| ProviderId::new(number).unwrap()).collect()
    }

    /// In as many days as there are providers each leads once and helps once, whatever the last day is.
    #[test]
    fn providers_take_turns() {
        for count in 2..=5 {
            let all = providers(count);
            let turns: Vec<_> = (0..u32::from(count)).map(|day| aggregators(&all, 20_412 + day).unwrap()).collect();
            for side in [0, 1] {
                let mut took: Vec<_> = turns.iter().map(|turn| turn[side]).collect();
                took.sort();
                assert_eq!(took, all);
            }
            assert!(aggregators(&all, u32::MAX).is_some());
        }
        assert_eq!((aggregators(&providers(1), 7), aggregators(&[], 7)), (None, None));
    }

    #[test]
    fn reports_are_taken_on_the_day_after() {
        let counted = Counted { tile: TileId(7), day: 20_412 };
        let midnight = Timestamp::from_secs(20_413 * 86_400);
        assert!(!counted.takes_reports(midnight.before(Duration::from_millis(1))) && counted.takes_reports(midnight));
        let last = midnight.after(Duration::from_hours(24) + Duration::from_mins(10));
        assert_eq!((counted.closes_at(), counted.takes_reports(last)), (last, false));
        assert!(counted.takes_reports(last.before(Duration::from_millis(1))));
        assert!(Counted { day: u32::MAX, ..counted }.closes_at() > midnight);
    }
}
