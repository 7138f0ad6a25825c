//! Who may write where: a (state, writer, counter) is used at most once.

use std::time::Duration;

use mosaic_types::{Epoch, RowTag};

/// Messages that a state carries from one writer per epoch.
pub(crate) const COUNTERS: u16 = 8;
/// After this long without a report, a frame that was handed out is offered again.
pub(crate) const REPORT_WITHIN: Duration = Duration::from_mins(40);

/// Next free counter of one writer, per epoch.
#[derive(Default)]
pub(crate) struct Counter {
    epoch: Option<Epoch>,
    next: u16,
}

impl Counter {
    /// Nothing more in `epoch` and before: what was written there is not known.
    pub(crate) const fn closed_in(epoch: Epoch) -> Self {
        Self { epoch: Some(epoch), next: COUNTERS }
    }

    /// A counter that was never taken before in this epoch; `None` when all are, or the epoch is past.
    pub(crate) fn take(&mut self, epoch: Epoch) -> Option<u16> {
        if self.epoch.is_none_or(|current| current < epoch) {
            *self = Self { epoch: Some(epoch), next: 0 };
        }
        if self.epoch != Some(epoch) || self.next >= COUNTERS {
            return None;
        }
        self.next += 1;
        Some(self.next - 1)
    }
}

/// The rows of a record, by the number of full rows before.
pub(crate) fn chain(row: impl Fn(u8) -> u32) -> [u32; 4] {
    const { assert!(RowTag::CHAIN == 4) }
    [row(0), row(1), row(2), row(3)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_never_taken_twice() {
        let mut counter = Counter::default();
        let taken: Vec<_> = (0..10).map_while(|_| counter.take(Epoch(5))).collect();
        assert_eq!(taken, (0..COUNTERS).collect::<Vec<_>>());
        assert_eq!((counter.take(Epoch(6)), counter.take(Epoch(5))), (Some(0), None), "the past stays closed");
    }
}
