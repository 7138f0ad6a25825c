//! The clock of this machine, or the sped-up one of a practice run.

use std::{str::FromStr, sync::Arc};

use mosaic_federation::{Federation, Independence};
use mosaic_transport::SystemClock;
use mosaic_types::{Clock, ScaledClock, Timestamp};

use crate::exit::{Failure, Outcome};

/// `REAL_START,VIRTUAL_START,SPEED`: milliseconds, milliseconds, a factor. Handed to every process of a demo, so that
/// all of them live in the same sped-up evening.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PracticeClock {
    /// When the run began, on the machine's clock.
    pub(crate) real_start: Timestamp,
    /// What time it then was in the run.
    pub(crate) virtual_start: Timestamp,
    /// How many times faster the run is.
    pub(crate) speed: f64,
}

impl PracticeClock {
    /// The clock itself.
    pub(crate) fn clock(self) -> ScaledClock<SystemClock> {
        ScaledClock::new(SystemClock, self.real_start, self.virtual_start, self.speed)
    }
}

impl FromStr for PracticeClock {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a practice clock reads REAL_MS,VIRTUAL_MS,SPEED".to_owned();
        let mut parts = text.splitn(3, ',');
        let mut next = || parts.next().ok_or_else(wrong);
        let (real, start, speed) = (next()?, next()?, next()?);
        let millis = |text: &str| text.parse().map(Timestamp::from_millis).map_err(|_| wrong());
        let speed: f64 = speed.parse().map_err(|_| wrong())?;
        if !(1.0..=10_000.0).contains(&speed) {
            return Err("the speed lies between 1 and 10000".to_owned());
        }
        Ok(Self { real_start: millis(real)?, virtual_start: millis(start)?, speed })
    }
}

impl std::fmt::Display for PracticeClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{},{},{}", self.real_start.as_millis(), self.virtual_start.as_millis(), self.speed)
    }
}

/// The clock a process works by. Nothing but a practice federation gets a sped-up one: elsewhere it would tell
/// everybody which device is not real.
pub(crate) fn clock_for(practice: Option<PracticeClock>, federation: &Federation) -> Outcome<Arc<dyn Clock>> {
    match practice {
        None => Ok(Arc::new(SystemClock)),
        Some(clock) if federation.descriptor().independence == Independence::Practice => Ok(Arc::new(clock.clock())),
        Some(_) => Err(Failure::usage("a sped-up clock exists in practice federations only")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_survive_the_command_line() {
        let clock = PracticeClock {
            real_start: Timestamp::from_millis(5),
            virtual_start: Timestamp::from_millis(7),
            speed: 120.5,
        };
        assert_eq!(clock.to_string().parse(), Ok(clock));
        assert!("1,2".parse::<PracticeClock>().is_err() && "1,2,NaN".parse::<PracticeClock>().is_err());
    }
}
