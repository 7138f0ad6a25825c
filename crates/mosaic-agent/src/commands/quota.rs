use std::{collections::VecDeque, time::Duration};

use mosaic_types::Timestamp;

/// What a device allows its person: 10 broadcasts and 100 new searches an hour (L5-20). Associations are
/// limited where they are kept.
pub(crate) struct Quotas {
    pub(crate) broadcasts: Quota,
    pub(crate) searches: Quota,
}

/// So many in any hour.
pub(crate) struct Quota {
    most: usize,
    times: VecDeque<Timestamp>,
}

const HOUR: Duration = Duration::from_hours(1);

impl Default for Quotas {
    fn default() -> Self {
        Self { broadcasts: Quota::of(10), searches: Quota::of(100) }
    }
}

impl Quota {
    const fn of(most: usize) -> Self {
        Self { most, times: VecDeque::new() }
    }

    /// Takes one.
    ///
    /// # Errors
    /// When the next one is free.
    pub(crate) fn take(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        while self.times.front().is_some_and(|first| now.since(*first) >= HOUR) {
            self.times.pop_front();
        }
        match self.times.front() {
            Some(first) if self.times.len() >= self.most => Err(first.after(HOUR)),
            _ => {
                self.times.push_back(now);
                Ok(())
            }
        }
    }

    /// Gives the last one back: nothing came of it.
    pub(crate) fn undo(&mut self) {
        self.times.pop_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// L5-20: the eleventh in an hour is refused with the time of the next.
    #[test]
    fn the_eleventh_waits_for_the_first_to_be_an_hour_old() {
        let mut quota = Quotas::default().broadcasts;
        let at = |minutes: u64| Timestamp::from_secs(minutes * 60);
        assert!((0..10).all(|minute| quota.take(at(minute)).is_ok()));
        assert_eq!(quota.take(at(20)), Err(at(60)));
        assert!(quota.take(at(60)).is_ok() && quota.take(at(60)).is_err());
    }
}
