use std::time::Duration;

use mosaic_types::{Timestamp, TtlHours};

/// When a wish stands. One rule for the person's and the personas', so that how long something was seen
/// tells nothing about whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    since: Timestamp,
    until: Timestamp,
    ttl: TtlHours,
}

impl Lifetime {
    /// From `since` until its time to live is over.
    pub fn whole(since: Timestamp, ttl: TtlHours) -> Self {
        Self { since, until: since.after(Duration::from_hours(ttl.hours().into())), ttl }
    }

    /// The same, taken back `after` it began; never longer than its time to live.
    #[must_use]
    pub fn withdrawn(self, after: Duration) -> Self {
        Self { until: self.until.min(self.since.after(after)), ..self }
    }

    /// First instant at which it stands.
    pub const fn since(self) -> Timestamp {
        self.since
    }

    /// First instant at which it stands no more.
    pub const fn ends(self) -> Timestamp {
        self.until
    }

    /// The time to live that its bundles name.
    pub const fn ttl(self) -> TtlHours {
        self.ttl
    }

    /// Whether it stands at `at`.
    pub fn stands(self, at: Timestamp) -> bool {
        self.since <= at && at < self.until
    }
}
