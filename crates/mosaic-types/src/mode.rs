use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{AnonymityFloor, NoiseRatio};

/// How much a person trades speed for cover: the three modes of DESIGN section 4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Fast and visible: sends at once, which shows the moment.
    Emergency,
    /// The default: a fixed cadence, whether or not there is anything to say.
    #[default]
    Balanced,
    /// The slowest and least visible.
    Maximum,
}

/// Which cadence, path and read kind the network sees. The noise ratio is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceClass {
    /// Emergency mode.
    Emergency,
    /// Balanced mode.
    Balanced,
    /// Maximum mode.
    Maximum,
    /// A booked open door: two hours with an event a minute, visible as such.
    OpenDoor,
}

/// One column of the mode table in DESIGN section 4.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModeProfile {
    /// Lowest noise ratio on the rendezvous lane.
    pub rendezvous_floor: NoiseRatio,
    /// Lowest noise ratio on the discovery lane.
    pub discovery_floor: NoiseRatio,
    /// Distance in metres at which two places are indistinguishable up to a factor 4.
    pub location_scale_m: f64,
    /// Time from one event of a lane to that lane's next.
    pub lane_interval: Duration,
    /// Longest random delay before a scheduled event leaves.
    pub send_delay: Duration,
    /// Length of a sealed generation.
    pub generation: Duration,
    /// Time between two polls while the app is open.
    pub poll: Duration,
    /// Rings of cells read around the reader's own.
    pub ring: u32,
    /// Most waves an hour; they replace decoy slots.
    pub waves_per_hour: u32,
    /// The anonymity floor while the person sets none.
    pub anonymity_floor: AnonymityFloor,
    /// Probability that a broadcast is shown at all, drawn once a day for its class and cell.
    pub inclusion: f64,
}

impl Mode {
    /// The service class this mode shows while no open door is booked.
    pub const fn class(self) -> ServiceClass {
        match self {
            Self::Emergency => ServiceClass::Emergency,
            Self::Balanced => ServiceClass::Balanced,
            Self::Maximum => ServiceClass::Maximum,
        }
    }

    /// The mode's row of the table in DESIGN section 4.
    pub fn profile(self) -> ModeProfile {
        self.class().profile()
    }

    /// The mode's word on the command line and in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::Balanced => "balanced",
            Self::Maximum => "maximum",
        }
    }
}

impl ServiceClass {
    /// Parameters of the class. An open door keeps the balanced noise and location scale and changes
    /// only the timing.
    pub fn profile(self) -> ModeProfile {
        let balanced = ModeProfile {
            rendezvous_floor: ratio(0.50),
            discovery_floor: ratio(0.60),
            location_scale_m: 200.0,
            lane_interval: Duration::from_mins(12),
            send_delay: Duration::from_secs(300),
            generation: Duration::from_secs(60),
            poll: Duration::from_secs(60),
            ring: 1,
            waves_per_hour: 25,
            anonymity_floor: AnonymityFloor::from_thousandths(2_000),
            inclusion: 1.0,
        };
        match self {
            Self::Balanced => balanced,
            Self::OpenDoor => ModeProfile {
                lane_interval: Duration::from_secs(120),
                send_delay: Duration::from_secs(20),
                generation: Duration::from_secs(5),
                poll: Duration::from_secs(15),
                ..balanced
            },
            Self::Emergency => ModeProfile {
                rendezvous_floor: NoiseRatio::LOWEST,
                location_scale_m: 50.0,
                send_delay: Duration::from_secs(60),
                generation: Duration::from_secs(5),
                poll: Duration::from_secs(15),
                // who is in danger is never held back
                anonymity_floor: AnonymityFloor::NONE,
                ..balanced
            },
            Self::Maximum => ModeProfile {
                rendezvous_floor: ratio(0.80),
                discovery_floor: ratio(0.80),
                location_scale_m: 500.0,
                lane_interval: Duration::from_hours(1),
                send_delay: Duration::from_secs(1_800),
                generation: Duration::from_mins(10),
                poll: Duration::from_mins(10),
                ring: 2,
                waves_per_hour: 2,
                anonymity_floor: AnonymityFloor::from_thousandths(2_000),
                inclusion: 0.5,
            },
        }
    }
}

fn ratio(raw: f64) -> NoiseRatio {
    NoiseRatio::new(raw).unwrap_or(NoiseRatio::HIGHEST)
}

/// A word that names no mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the modes are emergency, balanced and maximum")]
pub struct ParseModeError;

impl FromStr for Mode {
    type Err = ParseModeError;

    fn from_str(word: &str) -> Result<Self, ParseModeError> {
        [Self::Emergency, Self::Balanced, Self::Maximum]
            .into_iter()
            .find(|mode| mode.name() == word)
            .ok_or(ParseModeError)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_modes() {
        let real = |mode: Mode| {
            let profile = mode.profile();
            (profile.rendezvous_floor.most_real_of(10), profile.discovery_floor.most_real_of(10))
        };
        assert_eq!([real(Mode::Emergency), real(Mode::Balanced), real(Mode::Maximum)], [(7, 4), (5, 4), (2, 2)]);
        assert_eq!("balanced".parse(), Ok(Mode::default()));
    }
}
