use std::{sync::Arc, time::Duration};

use mosaic_geo::{Category, Fix, LocalTime, displacement_m, distance_m, movement::Travel, offset_m};
use mosaic_types::{LatLng, Timestamp};

use super::Appearance;

/// Seconds of a day.
pub(super) const DAY_S: i64 = 86_400;
/// Days begin at four in the morning.
const BEGINS_S: i64 = 4 * 3_600;

/// What a persona is at a place for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// It lives there.
    Home,
    /// It works there.
    Work,
    /// Lunch on a day of work.
    Lunch,
    /// Shopping and services.
    Errand,
    /// An evening or an afternoon out.
    Outing,
    /// It says something there.
    Said,
}

impl Why {
    /// Whether one goes to a place of this category for it; what a place is that nobody said fits anything.
    pub(super) const fn fits(self, category: Category) -> bool {
        match self {
            _ if matches!(category, Category::Other) => true,
            Self::Lunch => matches!(category, Category::Food),
            Self::Errand => matches!(category, Category::Shopping | Category::Service | Category::Health),
            Self::Outing => category.is_venue(),
            Self::Home | Self::Work | Self::Said => true,
        }
    }

    /// The word for people and machines.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Work => "work",
            Self::Lunch => "lunch",
            Self::Errand => "errand",
            Self::Outing => "outing",
            Self::Said => "said",
        }
    }
}

/// A persona is at one place for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// Where.
    pub position: LatLng,
    /// What for.
    pub why: Why,
    /// The number of the public place in the index; none for a home and for the street.
    pub place: Option<u32>,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// A way from one stop to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Trip {
    /// How.
    pub travel: Travel,
    /// Where it leads: the stop before, places on the way, the stop after.
    pub way: Vec<LatLng>,
    /// When it begins.
    pub leave: Timestamp,
    /// When it ends.
    pub arrive: Timestamp,
}

impl Trip {
    /// How long it is, in metres along the way.
    pub fn metres(&self) -> f64 {
        length_m(&self.way)
    }

    /// Where the persona is on it; at its ends before and after.
    pub fn position_at(&self, at: Timestamp) -> Option<LatLng> {
        if at >= self.arrive {
            return self.way.last().copied();
        }
        let share = at.since(self.leave).as_secs_f64() / self.arrive.since(self.leave).as_secs_f64();
        let mut left = share * self.metres();
        for pair in self.way.windows(2) {
            let [a, b] = pair else { continue };
            let piece = distance_m(*a, *b);
            if left < piece {
                let ((east, north), share) = (displacement_m(*a, *b), left / piece);
                return Some(offset_m(*a, east * share, north * share));
            }
            left -= piece;
        }
        self.way.last().copied()
    }

    /// A position every so often, both ends included.
    pub fn fixes(&self, every: Duration) -> Vec<Fix> {
        instants(self.leave, self.arrive, every).filter_map(|at| Some(fix(at, self.position_at(at)?, None))).collect()
    }
}

/// One day of a persona, from four in the morning of local time to the next: it begins and ends at home.
#[derive(Clone, Debug, PartialEq)]
pub struct DayPath {
    pub(super) stops: Vec<Stop>,
    pub(super) trips: Vec<Trip>,
    pub(super) missed: Vec<Appearance>,
}

impl DayPath {
    /// The stops in order of time; the n-th trip leads from the n-th to the next.
    pub fn stops(&self) -> &[Stop] {
        &self.stops
    }

    /// The ways between them.
    pub fn trips(&self) -> &[Trip] {
        &self.trips
    }

    /// What was said where the persona could not be in time: bundles are drawn without a look at how far apart they are.
    pub fn missed(&self) -> &[Appearance] {
        &self.missed
    }

    /// Where the persona is; before the day at its first stop, after it at its last.
    pub fn position_at(&self, at: Timestamp) -> Option<LatLng> {
        let number = self.stops.partition_point(|stop| stop.from <= at).saturating_sub(1);
        let stop = self.stops.get(number)?;
        let trip = self.trips.get(number).filter(|trip| at > trip.leave);
        trip.map_or(Some(stop.position), |trip| trip.position_at(at))
    }

    /// A position every so often over the whole day, with what the persona is there for as the category.
    pub fn fixes(&self, every: Duration) -> Vec<Fix> {
        let ends = self.stops.first().zip(self.stops.last()).map(|(first, last)| (first.from, last.until));
        let at_stop = |at: Timestamp| self.stops.iter().find(|stop| stop.from <= at && at <= stop.until);
        let told = |at| Some(fix(at, self.position_at(at)?, at_stop(at).map(|stop| stop.why.word())));
        ends.into_iter().flat_map(|(from, until)| instants(from, until, every)).filter_map(told).collect()
    }

    /// The fastest way of travel of the day; walking where nobody went anywhere.
    pub fn fastest(&self) -> Travel {
        let speed = |trip: &&Trip| trip.travel.speed_mps();
        let fastest = self.trips.iter().max_by(|a, b| speed(a).total_cmp(&speed(b)));
        fastest.map_or(Travel::Walk, |trip| trip.travel)
    }
}

fn fix(at: Timestamp, position: LatLng, category: Option<&str>) -> Fix {
    Fix { at, position, category: category.map(Arc::from) }
}

/// From the first to the last instant, which is always there.
fn instants(from: Timestamp, until: Timestamp, every: Duration) -> impl Iterator<Item = Timestamp> {
    let step = every.max(Duration::from_millis(1));
    let inner = std::iter::successors(Some(from), move |at| Some(at.after(step))).take_while(move |at| *at < until);
    inner.chain([until])
}

/// How long a way is, in metres.
pub(super) fn length_m(way: &[LatLng]) -> f64 {
    let piece = |pair: &[LatLng]| match pair {
        [a, b] => distance_m(*a, *b),
        _ => 0.0,
    };
    way.windows(2).map(piece).sum()
}

/// A local day: how its seconds lie in time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// Unix second at which it begins; not before 1970.
    start: i64,
    /// How far local time is ahead of UTC, in seconds.
    ahead: i64,
}

impl Clock {
    /// The day at `home` that holds `at`.
    pub(super) fn of(home: LatLng, at: Timestamp) -> Self {
        let ahead = i64::from(LocalTime::sun_ahead_h(home)) * 3_600;
        let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX / 2);
        let day = seconds.saturating_add(ahead - BEGINS_S).div_euclid(DAY_S);
        Self { start: (day * DAY_S - ahead + BEGINS_S).max(0), ahead }
    }

    pub(super) fn start(self) -> Timestamp {
        self.at(0)
    }

    /// Names the day, for derivation.
    pub(super) fn name(self) -> [u8; 8] {
        (self.start + self.ahead).div_euclid(DAY_S).to_be_bytes()
    }

    /// Whether it is a Saturday or a Sunday.
    pub(super) fn weekend(self) -> bool {
        // 1970-01-01 was a Thursday; Monday is 0
        ((self.start + self.ahead).div_euclid(DAY_S) + 3).rem_euclid(7) >= 5
    }

    pub(super) fn holds(self, at: Timestamp) -> bool {
        (0..DAY_S).contains(&self.second(at))
    }

    /// The instant of a second of the day.
    pub(super) fn at(self, second: i64) -> Timestamp {
        Timestamp::from_secs(u64::try_from(self.start + second).unwrap_or(0))
    }

    /// The second of the day of an instant.
    pub(super) fn second(self, at: Timestamp) -> i64 {
        i64::try_from(at.as_secs()).unwrap_or(i64::MAX / 2) - self.start
    }

    /// The second of the day of an hour on the wall, 4.0 to 28.0.
    pub(super) fn hour(hour: f64) -> i64 {
        (hour * 3_600.0) as i64 - BEGINS_S
    }

    /// The hour on the wall, 0 to 23, of a second of the day.
    pub(super) fn hour_of(second: i64) -> i64 {
        (second + BEGINS_S).div_euclid(3_600).rem_euclid(24)
    }
}
