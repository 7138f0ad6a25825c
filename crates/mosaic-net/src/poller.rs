use std::time::Duration;

use mosaic_types::{ServiceClass, Timestamp};
use rand::CryptoRng;

use crate::draw;

/// Whether a person has the app open: the only thing besides the class that sets the pace of polling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attention {
    /// The app is open.
    Foreground,
    /// The device is on its own.
    Background,
}

/// When the agent asks for new heads: at a constant pace, found something or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poller {
    class: ServiceClass,
    phase: Duration,
}

/// Pace of a balanced device on its own (DESIGN section 4).
const UNATTENDED: Duration = Duration::from_mins(10);

impl Poller {
    /// Polls of `class`, shifted by `phase` (taken modulo ten minutes, the slowest pace).
    pub fn new(class: ServiceClass, phase: Duration) -> Self {
        let phase = phase.as_millis() % UNATTENDED.as_millis();
        Self { class, phase: Duration::from_millis(u64::try_from(phase).unwrap_or(0)) }
    }

    /// Polls of a device that starts: each has its own phase, so that providers see no rush.
    pub fn draw(class: ServiceClass, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self::new(class, draw::below(UNATTENDED, rng))
    }

    /// Time between two polls.
    pub fn pace(&self, attention: Attention) -> Duration {
        match (self.class, attention) {
            (ServiceClass::Balanced, Attention::Background) => UNATTENDED,
            (class, _) => class.profile().poll,
        }
    }

    /// The first poll after `after`.
    pub fn next(&self, after: Timestamp, attention: Attention) -> Timestamp {
        let pace = u64::try_from(self.pace(attention).as_millis()).unwrap_or(u64::MAX).max(1);
        let phase = u64::try_from(self.phase.as_millis()).unwrap_or(0) % pace;
        let number = after.as_millis().checked_sub(phase).map_or(0, |since| since / pace + 1);
        Timestamp::from_millis(phase.saturating_add(number.saturating_mul(pace)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_pace_of_each_class() {
        let pace = |class, attention| Poller::new(class, Duration::ZERO).pace(attention).as_secs();
        let both = |class| (pace(class, Attention::Foreground), pace(class, Attention::Background));
        assert_eq!(both(ServiceClass::Balanced), (60, 600));
        assert_eq!(both(ServiceClass::Maximum), (600, 600));
        assert_eq!(both(ServiceClass::Emergency), (15, 15));
        assert_eq!(both(ServiceClass::OpenDoor), (15, 15));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn polls_keep_their_pace(after in 0..4_000_000_000_000_u64, phase in 0..1_000_000_u64) {
            let poller = Poller::new(ServiceClass::Balanced, Duration::from_millis(phase));
            let after = Timestamp::from_millis(after);
            for attention in [Attention::Foreground, Attention::Background] {
                let first = poller.next(after, attention);
                prop_assert!(first > after);
                prop_assert!(first.since(after) <= poller.pace(attention) || after.as_millis() < 1_000_000);
                prop_assert_eq!(poller.next(first, attention).since(first), poller.pace(attention));
            }
        }
    }
}
