use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An instant as milliseconds since the Unix epoch. Ranges to year 584 million; arithmetic saturates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

const WINDOW_SECONDS: u64 = 2 * 3_600;
const PERIOD_SECONDS: u64 = 4 * 3_600;
const EPOCH_SECONDS: u64 = 30 * 60;
const WEEK_SECONDS: u64 = 7 * 86_400;

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the Unix epoch.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000
    }

    /// This instant plus `step`.
    pub fn after(self, step: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(step.as_millis()).unwrap_or(u64::MAX)))
    }

    /// This instant minus `step`, not before the Unix epoch.
    pub fn before(self, step: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(step.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The two-hour window this instant lies in (L5-13 default; DESIGN section 4).
    pub fn window(self) -> Window {
        Window(index(self, WINDOW_SECONDS))
    }

    /// The four-hour table period this instant lies in.
    pub fn period(self) -> Period {
        Period(index(self, PERIOD_SECONDS))
    }

    /// The thirty-minute rotation epoch this instant lies in.
    pub fn epoch(self) -> Epoch {
        Epoch(index(self, EPOCH_SECONDS))
    }

    /// The week this instant lies in, counted from Thursday 1970-01-01.
    pub fn week(self) -> Week {
        Week(index(self, WEEK_SECONDS))
    }
}

fn index(at: Timestamp, length: u64) -> u32 {
    u32::try_from(at.as_secs() / length).unwrap_or(u32::MAX)
}

macro_rules! span {
    ($(#[$doc:meta])* $name:ident, $seconds:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// Length of one span.
            pub const LENGTH: Duration = Duration::from_secs($seconds);

            /// First instant of the span.
            pub const fn start(self) -> Timestamp {
                Timestamp::from_secs(self.0 as u64 * $seconds)
            }

            /// First instant after the span.
            pub const fn end(self) -> Timestamp {
                Timestamp::from_secs((self.0 as u64 + 1) * $seconds)
            }

            /// The span before this one; the first stays the first.
            pub const fn previous(self) -> Self {
                Self(self.0.saturating_sub(1))
            }

            /// The span after this one.
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }
    };
}

span!(
    /// A two-hour window of discovery: the only time a discovery row reveals.
    Window, WINDOW_SECONDS
);
span!(
    /// A four-hour table period; both lanes change tables at its boundaries.
    Period, PERIOD_SECONDS
);
span!(
    /// A thirty-minute epoch, after which every rendezvous state ratchets one way.
    Epoch, EPOCH_SECONDS
);
span!(
    /// A week: how long a blurred place is remembered and a location ledger lasts.
    Week, WEEK_SECONDS
);

/// Where time comes from. Cores take a [`Timestamp`] instead; only drivers hold a clock.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// How long to wait, in the waiting machine's own time, until `at`; zero when it has passed.
    fn until(&self, at: Timestamp) -> Duration {
        at.since(self.now())
    }
}

/// A clock that stands still: for tests that need exactly one instant.
#[derive(Clone, Copy, Debug)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// A clock that runs `speed` times as fast as another: the demo's evening in a minute.
///
/// It exists for practice federations only; nothing accepts one elsewhere.
#[derive(Clone, Debug)]
pub struct ScaledClock<C> {
    inner: C,
    real_start: Timestamp,
    virtual_start: Timestamp,
    speed: f64,
}

impl<C: Clock> ScaledClock<C> {
    /// Starts at `virtual_start` when `inner` shows `real_start`, and runs `speed` (> 0) times as fast.
    pub const fn new(inner: C, real_start: Timestamp, virtual_start: Timestamp, speed: f64) -> Self {
        Self { inner, real_start, virtual_start, speed }
    }
}

impl<C: Clock> Clock for ScaledClock<C> {
    fn now(&self) -> Timestamp {
        let elapsed = self.inner.now().since(self.real_start);
        self.virtual_start.after(elapsed.mul_f64(self.speed))
    }

    fn until(&self, at: Timestamp) -> Duration {
        at.since(self.now()).div_f64(self.speed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_nest_and_meet() {
        let at = Timestamp::from_secs(1_763_683_261);
        assert_eq!(at.window().end(), at.window().next().start());
        assert!(at.period().start() <= at.window().start() && at.window().end() <= at.period().end());
        assert!(at.epoch().start() <= at && at < at.epoch().end());
    }

    #[test]
    fn a_scaled_clock_runs_faster_and_waits_shorter() {
        let real = FixedClock(Timestamp::from_secs(110));
        let clock = ScaledClock::new(real, Timestamp::from_secs(100), Timestamp::from_secs(5_000), 60.0);
        assert_eq!(clock.now(), Timestamp::from_secs(5_600));
        assert_eq!(clock.until(Timestamp::from_secs(5_660)), Duration::from_secs(1));
    }
}
