use std::{collections::HashMap, time::Duration};

use thiserror::Error;

use super::{CsvError, Fix, Row, rows};
use crate::distance_m;

/// How somebody travels, with the speeds of L3-42.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Travel {
    /// 1.4 m/s; also what an unknown word means.
    #[default]
    Walk,
    /// 3.0 m/s.
    Run,
    /// 5.5 m/s.
    Cycle,
    /// 8.3 m/s.
    Transit,
    /// 13.9 m/s.
    Drive,
}

impl Travel {
    /// All, slow to fast.
    pub const ALL: [Self; 5] = [Self::Walk, Self::Run, Self::Cycle, Self::Transit, Self::Drive];
    /// How much farther than speed times time a hop may be, because roads are measured in straight lines and clocks in
    /// seconds (L3-43).
    pub const BUFFER: f64 = 1.2;

    /// Speed in metres a second.
    pub const fn speed_mps(self) -> f64 {
        match self {
            Self::Walk => 1.4,
            Self::Run => 3.0,
            Self::Cycle => 5.5,
            Self::Transit => 8.3,
            Self::Drive => 13.9,
        }
    }

    /// The word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Walk => "walk",
            Self::Run => "run",
            Self::Cycle => "cycle",
            Self::Transit => "transit",
            Self::Drive => "drive",
        }
    }

    /// The slowest way of travel that reaches a speed in metres a second, with [`Self::BUFFER`]; beyond all of them,
    /// driving.
    pub fn of_speed(mps: f64) -> Self {
        Self::ALL.into_iter().find(|travel| mps <= travel.speed_mps() * Self::BUFFER).unwrap_or(Self::Drive)
    }

    /// How many metres apart two positions may be after so long: speed times time times [`Self::BUFFER`] (L3-43).
    pub fn reach_m(self, time: Duration) -> f64 {
        self.speed_mps() * time.as_secs_f64() * Self::BUFFER
    }

    /// The way of travel with that word; an unknown one walks (L3-42).
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|travel| travel.name() == word).unwrap_or_default()
    }
}

/// Why a fix cannot follow the one before.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Reason {
    /// It lies before it in time.
    #[error("earlier than the position before it; sort the file by time")]
    Order,
    /// The same instant, another place.
    #[error("at the same instant as the position before it, {metres:.0} m away")]
    TwoPlaces {
        /// How far apart.
        metres: f64,
    },
    /// Faster than the way of travel allows, yet possible otherwise.
    #[error("{mps:.1} m/s from the position before it, more than {limit:.1} m/s allows")]
    Speed {
        /// The speed it takes.
        mps: f64,
        /// The speed of the way of travel times [`Travel::BUFFER`].
        limit: f64,
    },
    /// Faster than anything that carries people: sound's 343 m/s.
    #[error("{mps:.0} m/s from the position before it: nobody travels like that")]
    Teleport {
        /// The speed it takes.
        mps: f64,
    },
    /// In the sea, as far as anybody said where that is.
    #[error("in the sea")]
    Sea,
    /// Far from any place somebody could be at.
    #[error("{metres:.0} m from the nearest known place: nothing is there")]
    EmptyArea {
        /// How far the nearest place is; infinite when the index is empty.
        metres: f64,
    },
}

/// Faster than this is a jump of the recording, not a journey.
const TELEPORT_MPS: f64 = 343.0;

/// A fix that cannot follow the one before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// Which fix, counted from zero.
    pub index: usize,
    /// Why.
    pub reason: Reason,
}

/// A line of a trace file that cannot follow that user's line before.
#[derive(Clone, Debug, PartialEq)]
pub struct LineFinding {
    /// The line, counted from one.
    pub line: usize,
    /// Whose.
    pub user: String,
    /// Why.
    pub reason: Reason,
}

/// Checks one user's fixes, in the order given, against a way of travel: a hop may be as far as speed, time and
/// [`Travel::BUFFER`] allow (L3-42, L3-43).
pub fn validate_trajectory(fixes: &[Fix], travel: Travel) -> Vec<Finding> {
    let hops = (1..).zip(fixes.windows(2));
    let judged = hops.filter_map(|(index, pair)| match pair {
        [before, after] => judge(before, after, travel).map(|reason| Finding { index, reason }),
        _ => None,
    });
    judged.collect()
}

/// Checks a whole trace file in its own order, user by user.
///
/// # Errors
/// [`CsvError`] for a line that cannot be read at all.
pub fn validate_csv(text: &str, travel: Travel) -> Result<Vec<LineFinding>, CsvError> {
    let (mut last, mut findings) = (HashMap::<&str, Fix>::new(), Vec::new());
    for row in rows(text) {
        let Row { line, user, fix } = row?;
        if let Some(reason) = last.get(user).and_then(|before| judge(before, &fix, travel)) {
            findings.push(LineFinding { line, user: user.to_owned(), reason });
        }
        last.insert(user, fix);
    }
    Ok(findings)
}

fn judge(before: &Fix, after: &Fix, travel: Travel) -> Option<Reason> {
    let metres = distance_m(before.position, after.position);
    if after.at < before.at {
        return Some(Reason::Order);
    }
    if after.at == before.at {
        return (metres > 0.0).then_some(Reason::TwoPlaces { metres });
    }
    let mps = metres / after.at.since(before.at).as_secs_f64();
    let limit = travel.speed_mps() * Travel::BUFFER;
    if mps > TELEPORT_MPS {
        Some(Reason::Teleport { mps })
    } else if mps > limit {
        Some(Reason::Speed { mps, limit })
    } else {
        None
    }
}
