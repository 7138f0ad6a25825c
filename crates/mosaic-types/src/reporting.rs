use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Whether a device gives a noised answer about each day to the counts over many people (PRIVACY section 11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reporting {
    /// It gives none.
    #[default]
    Off,
    /// It gives one about every day from the day on which this was set.
    On,
}

impl Reporting {
    /// The word on the command line and in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
        }
    }
}

impl fmt::Display for Reporting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that is neither on nor off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("aggregate is on or off")]
pub struct ParseReportingError;

impl FromStr for Reporting {
    type Err = ParseReportingError;

    fn from_str(word: &str) -> Result<Self, ParseReportingError> {
        [Self::Off, Self::On].into_iter().find(|reporting| reporting.name() == word).ok_or(ParseReportingError)
    }
}
