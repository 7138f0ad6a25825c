use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mosaic_types::{Clock, Timestamp};

/// The clock of the machine: the one place of the project that reads it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "every other part takes its time from a `Clock`; this is it")]
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Timestamp::from_millis(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
    }
}
