//! Opening hours in the notation of OpenStreetMap: the part of it that nearly all strings use, and a plain "unknown" for
//! the rest. What is understood is listed in `docs/book/places.md`.

use thiserror::Error;

use crate::local_time::{Day, LocalTime};

mod scan;

use scan::Scanner;

/// Opening hours that this program understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningHours<'a>(&'a str);

/// Opening hours outside the understood part of the notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("these opening hours are not understood; go by what is usual for the kind of place")]
pub struct UnknownHours;

impl<'a> OpeningHours<'a> {
    /// Checks that every rule is understood.
    ///
    /// # Errors
    /// [`UnknownHours`] when one is not, such as one that follows the sun.
    pub fn parse(text: &'a str) -> Result<Self, UnknownHours> {
        let mut rules = Scanner::new(text);
        let mut some = false;
        while rules.next_rule()?.is_some() {
            some = true;
        }
        if some { Ok(Self(text)) } else { Err(UnknownHours) }
    }

    /// Whether it is open.
    pub fn is_open(self, at: LocalTime) -> bool {
        open_at(self.0, at) == Some(true)
    }
}

/// Whether a place with these hours is open; `None` when they are not understood. Reads the text once and keeps nothing,
/// because a check asks about many places for one instant.
pub(crate) fn open_at(text: &str, at: LocalTime) -> Option<bool> {
    let mut rules = Scanner::new(text);
    let (mut some, mut today, mut since_yesterday) = (false, false, false);
    while let Some(rule) = rules.next_rule().ok()? {
        some = true;
        rule.apply(at.today, at.holiday, at.minute, &mut today);
        // What opened yesterday may still be open: its day goes on past midnight.
        rule.apply(at.yesterday, false, at.minute + DAY, &mut since_yesterday);
    }
    some.then_some(today || since_yesterday)
}

/// Minutes of a day.
const DAY: u16 = 1_440;
/// The most date ranges, and the most spans of time, of one rule.
const MOST: usize = 6;

/// One rule: on these days, open or closed in these spans.
#[derive(Clone, Copy, Debug, Default)]
struct Rule {
    /// Inclusive ranges of `month * 32 + day`, which may run over the new year; none means always.
    dates: List<(u16, u16)>,
    /// Bit 0 is Monday.
    weekdays: u8,
    /// Whether any day was named; if not, the rule holds on every day.
    named_days: bool,
    public_holidays: bool,
    /// From and until in minutes, the latter up to two days.
    spans: List<(u16, u16)>,
    closed: bool,
    /// Adds to what holds already (after a comma) instead of replacing it (after a semicolon).
    additional: bool,
}

impl Rule {
    fn apply(&self, day: Day, holiday: bool, minute: u16, open: &mut bool) {
        if self.holds_on(day, holiday) {
            let here = !self.closed && self.spans.items().iter().any(|&(from, until)| from <= minute && minute < until);
            *open = here || self.additional && !self.closed && *open;
        }
    }

    fn holds_on(&self, day: Day, holiday: bool) -> bool {
        let date = u16::from(day.month) * 32 + u16::from(day.day);
        let inside = |&(from, until): &(u16, u16)| {
            if from <= until { (from..=until).contains(&date) } else { date >= from || date <= until }
        };
        let dated = self.dates.items().is_empty() || self.dates.items().iter().any(inside);
        let named = !self.named_days || self.weekdays >> day.weekday & 1 == 1 || self.public_holidays && holiday;
        dated && named
    }
}

/// A few things without an allocation.
#[derive(Clone, Copy, Debug, Default)]
struct List<T> {
    items: [T; MOST],
    len: usize,
}

impl<T> List<T> {
    fn items(&self) -> &[T] {
        self.items.get(..self.len).unwrap_or_default()
    }

    fn push(&mut self, item: T) -> Result<(), UnknownHours> {
        *self.items.get_mut(self.len).ok_or(UnknownHours)? = item;
        self.len += 1;
        Ok(())
    }
}
