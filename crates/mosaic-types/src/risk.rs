use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How much it would harm a person if somebody learnt when they acted (L6-47).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// The mode's own delays.
    #[default]
    Normal,
    /// A broadcast begins to stand up to half an hour late.
    High,
}

impl Risk {
    /// First length of time that a broadcast never waits: zero, or 1,800 s (L3-11).
    pub const fn longest_wait(self) -> Duration {
        match self {
            Self::Normal => Duration::ZERO,
            Self::High => Duration::from_secs(1_800),
        }
    }

    /// The word on the command line and in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the risk is normal or high")]
pub struct ParseRiskError;

impl FromStr for Risk {
    type Err = ParseRiskError;

    fn from_str(word: &str) -> Result<Self, ParseRiskError> {
        [Self::Normal, Self::High].into_iter().find(|risk| risk.name() == word).ok_or(ParseRiskError)
    }
}
