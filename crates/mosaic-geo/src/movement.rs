//! Recorded movement: who was where when, read from and written to plain formats (`docs/book/traces.md`).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use mosaic_types::{LatLng, Timestamp};
use thiserror::Error;

use crate::{displacement_m, offset_m};

mod cabspotting;
mod csv;
mod gpx;
mod haunts;
pub mod imu;
mod plt;
mod stays;
mod surroundings;
mod validate;

pub use cabspotting::{CabspottingError, CabspottingProblem, from_cabspotting_delta};
pub(crate) use csv::parse_time;
pub use csv::{CsvError, CsvProblem, Row, read_csv, rows, write_csv};
pub use gpx::{GpxError, GpxProblem, from_gpx};
pub use haunts::{Haunt, Leg, haunts, legs};
pub use plt::{PltError, PltProblem, from_plt};
pub use stays::{Gathering, Stay, stay_points};
pub use surroundings::{Surroundings, validate_in};
pub use validate::{Finding, LineFinding, Reason, Travel, validate_csv, validate_trajectory};

/// Somebody was here then.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// When.
    pub at: Timestamp,
    /// Where.
    pub position: LatLng,
    /// What the person wanted there, where the file says so.
    pub category: Option<Arc<str>>,
}

/// A user name that a trace file cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "a user is named by 1 to 64 characters without commas, quotes, control characters, spaces at the ends or a leading #"
)]
pub struct InvalidUser;

/// Why a fix cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddFixError {
    /// The name does not fit.
    #[error(transparent)]
    User(#[from] InvalidUser),
    /// There are [`Traces::MAX_FIXES`] already.
    #[error("there are more than {} positions; split the file", Traces::MAX_FIXES)]
    TooManyFixes,
    /// There are [`Traces::MAX_USERS`] already.
    #[error("there are more than {} users; split the file", Traces::MAX_USERS)]
    TooManyUsers,
}

/// Recorded movement of some users, each in order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traces {
    users: BTreeMap<Arc<str>, Vec<Fix>>,
    fixes: usize,
}

impl Traces {
    /// The most fixes that are held, about 2 GB.
    pub const MAX_FIXES: usize = 50_000_000;
    /// The most users that are held.
    pub const MAX_USERS: usize = 1_000_000;

    /// Gathers fixes in any order; equal times of one user keep their order.
    ///
    /// # Errors
    /// [`AddFixError`] for an impossible name and beyond the bounds.
    pub fn collect<U: AsRef<str>>(fixes: impl IntoIterator<Item = (U, Fix)>) -> Result<Self, AddFixError> {
        let mut gathered = Gathered::default();
        for (user, fix) in fixes {
            gathered.add(user.as_ref(), fix)?;
        }
        Ok(gathered.finish())
    }

    /// Every user's name and fixes, by name; fixes in order of time.
    pub fn users(&self) -> impl ExactSizeIterator<Item = (&str, &[Fix])> {
        self.users.iter().map(|(user, fixes)| (&**user, fixes.as_slice()))
    }

    /// A user's fixes in order of time; empty for somebody unknown.
    pub fn fixes(&self, user: &str) -> &[Fix] {
        self.users.get(user).map(Vec::as_slice).unwrap_or_default()
    }

    /// How many users there are.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// How many fixes there are.
    pub fn fix_count(&self) -> usize {
        self.fixes
    }

    /// The first and the last instant of all; `None` without fixes.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let first = self.users.values().filter_map(|fixes| fixes.first()).map(|fix| fix.at).min()?;
        let last = self.users.values().filter_map(|fixes| fixes.last()).map(|fix| fix.at).max()?;
        Some((first, last))
    }

    /// Where a user was, see [`position_at`].
    pub fn position_at(&self, user: &str, at: Timestamp) -> Option<LatLng> {
        position_at(self.fixes(user), at)
    }
}

/// Traces in the making: appended to in any order, sorted once.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    users: HashMap<Arc<str>, Vec<Fix>>,
    fixes: usize,
}

impl Gathered {
    pub(crate) fn add(&mut self, user: &str, fix: Fix) -> Result<(), AddFixError> {
        if self.fixes >= Traces::MAX_FIXES {
            return Err(AddFixError::TooManyFixes);
        }
        self.fixes += 1;
        if let Some(fixes) = self.users.get_mut(user) {
            fixes.push(fix);
            return Ok(());
        }
        check_user(user)?;
        if self.users.len() >= Traces::MAX_USERS {
            return Err(AddFixError::TooManyUsers);
        }
        self.users.insert(user.into(), vec![fix]);
        Ok(())
    }

    pub(crate) fn finish(self) -> Traces {
        let mut users: BTreeMap<Arc<str>, Vec<Fix>> = self.users.into_iter().collect();
        for fixes in users.values_mut() {
            fixes.sort_by_key(|fix| fix.at);
        }
        Traces { users, fixes: self.fixes }
    }
}

fn check_user(user: &str) -> Result<(), InvalidUser> {
    let fits = (1..=64).contains(&user.chars().count()) && user.trim() == user && !user.starts_with('#');
    let plain = !user.contains([',', '"']) && !user.chars().any(char::is_control);
    if fits && plain { Ok(()) } else { Err(InvalidUser) }
}

/// Where somebody was at an instant: on the great circle between the fix before and the one after, at constant speed.
/// `None` before the first fix and after the last. The fixes are in order of time.
pub fn position_at(fixes: &[Fix], at: Timestamp) -> Option<LatLng> {
    let after = fixes.partition_point(|fix| fix.at <= at);
    let before = fixes.get(after.checked_sub(1)?)?;
    if before.at == at {
        return Some(before.position);
    }
    let next = fixes.get(after)?;
    let share = at.since(before.at).as_secs_f64() / next.at.since(before.at).as_secs_f64();
    Some(between(before.position, next.position, share))
}

/// The point a share of the way from `a` to `b`.
pub(crate) fn between(a: LatLng, b: LatLng, share: f64) -> LatLng {
    let (east, north) = displacement_m(a, b);
    offset_m(a, east * share, north * share)
}
