//! Recordings of real runs, cut into what each adversary sees.
//!
//! A recording is a folder: `manifest.json`, `README.md`, `views/` with one JSON Lines file for each place something can
//! be seen from, and `truth.jsonl`, which no attacker opens. [`export()`] joins the files of one adversary. This module
//! reads and writes files only; `mosaic lab record` makes the run.

mod export;
mod manifest;

use std::{fmt, str::FromStr};

use thiserror::Error;

pub use export::{Exported, ViewError, export};
pub use manifest::{Facts, Manifest, Run, Search, facts};

/// What every line of a recording and of an export means.
pub const README: &str = include_str!("views/README.md");
/// The truth's file, beside the views.
pub const TRUTH: &str = "truth.jsonl";
/// The folder of the views.
pub const FOLDER: &str = "views";

/// An adversary (PRIVACY 0.1), by what it sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// The network.
    N,
    /// One provider.
    P1,
    /// Two colluding providers.
    P2,
    /// All providers and the network.
    Pa,
    /// A Sybil peer.
    Y,
    /// Who holds the device, at several times.
    C,
}

impl View {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::N, Self::P1, Self::P2, Self::Pa, Self::Y, Self::C];

    /// The sources it joins, as files `views/SOURCE.jsonl`. For one or two providers, `first` is the (first) dishonest one.
    pub fn sources(self, first: u8) -> Vec<String> {
        let provider = |number: u8| [format!("provider-{number}.requests"), format!("provider-{number}.store")];
        let providers = |numbers: &[u8]| numbers.iter().flat_map(|number| provider(*number)).collect::<Vec<_>>();
        match self {
            Self::N => vec!["network".to_owned()],
            Self::P1 => providers(&[first]),
            Self::P2 => providers(&[first, first % 3 + 1]),
            Self::Pa => [providers(&[1, 2, 3]), vec!["network".to_owned()]].concat(),
            Self::Y => vec!["sybil".to_owned()],
            Self::C => vec!["thief".to_owned()],
        }
    }

    /// Every source of a recording of three providers.
    pub fn all_sources() -> Vec<String> {
        [Self::Pa, Self::Y, Self::C].into_iter().flat_map(|view| view.sources(1)).collect()
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::N => "N",
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::Pa => "PA",
            Self::Y => "Y",
            Self::C => "C",
        })
    }
}

/// A view that there is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a view is one of N, P1, P2, PA, Y and C")]
pub struct NoSuchView;

impl FromStr for View {
    type Err = NoSuchView;

    fn from_str(text: &str) -> Result<Self, NoSuchView> {
        Self::ALL.into_iter().find(|view| view.to_string().eq_ignore_ascii_case(text)).ok_or(NoSuchView)
    }
}
