use mosaic_types::{LatLng, Timestamp};

use super::Resident;
use crate::{
    LocalTime, distance_m,
    movement::{Travel, between},
    seeded::Seeded,
};

const HOUR: f64 = 3_600.0;
const DAY: i64 = 86_400;
/// Days begin at four in the morning, so that an evening is never cut.
const DAY_STARTS: i64 = 4 * 3_600;

/// What somebody is at a place for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// At home.
    Home,
    /// At work.
    Work,
    /// Lunch near work.
    Lunch,
    /// Shopping and services near home.
    Errand,
    /// An evening, or a weekend's midday, at a shared venue.
    Outing,
}

/// Somebody is at one place for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stop {
    /// Where.
    pub position: LatLng,
    /// What for.
    pub purpose: Purpose,
    /// From when.
    pub arrive: Timestamp,
    /// Until when.
    pub leave: Timestamp,
}

/// Where and when two friends will be together, in hours of the clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Date {
    pub(super) venue: LatLng,
    pub(super) from: f64,
    pub(super) until: f64,
}

/// One person's day, from four in the morning of local time to the next: it begins and ends at home.
#[derive(Clone, Debug, PartialEq)]
pub struct DayPlan {
    stops: Vec<Stop>,
}

impl DayPlan {
    /// The stops in order of time; between two, the person travels in a straight line.
    pub fn stops(&self) -> &[Stop] {
        &self.stops
    }

    /// Where the person is; before the day at its first stop, after it at its last.
    pub fn position_at(&self, at: Timestamp) -> Option<LatLng> {
        let next = self.stops.partition_point(|stop| stop.arrive <= at);
        let Some(here) = next.checked_sub(1).and_then(|before| self.stops.get(before)) else {
            return self.stops.first().map(|stop| stop.position);
        };
        match self.stops.get(next) {
            Some(ahead) if at > here.leave => {
                let share = at.since(here.leave).as_secs_f64() / ahead.arrive.since(here.leave).as_secs_f64();
                Some(between(here.position, ahead.position, share))
            }
            _ => Some(here.position),
        }
    }
}

impl Resident {
    /// Where the person is. Plans the day anew; for many instants of one day, keep [`Self::day`].
    pub fn position_at(&self, at: Timestamp) -> LatLng {
        self.day(at).position_at(at).unwrap_or(self.home)
    }

    /// The plan of the day that holds this instant. Local time follows from the longitude of the home, in whole hours.
    pub fn day(&self, at: Timestamp) -> DayPlan {
        self.day_with(at, None)
    }

    /// As [`Self::day`], with an evening that was agreed on in the place of the person's own.
    pub(super) fn day_with(&self, at: Timestamp, date: Option<Date>) -> DayPlan {
        let (day, offset) = self.day_number(at);
        // 1970-01-01 was a Thursday; Monday is 0.
        let weekend = (day + 3).rem_euclid(7) >= 5;
        let mut draw = Seeded::new(&[self.seed, 2, self.number, day.cast_unsigned()]);
        let mut planner = Planner::new(self.home, day * DAY - offset);
        if weekend {
            self.weekend(&mut planner, &mut draw, date)
        } else {
            self.weekday(&mut planner, &mut draw, date)
        }
        planner.finish()
    }

    /// The number of the local day that holds this instant, and how far local days are ahead of UTC, in seconds.
    pub(super) fn day_number(&self, at: Timestamp) -> (i64, i64) {
        let offset = i64::from(LocalTime::sun_ahead_h(self.home)) * 3_600 - DAY_STARTS;
        let day = i64::try_from(at.as_secs()).unwrap_or(i64::MAX / 2).saturating_add(offset).div_euclid(DAY);
        (day, offset)
    }

    fn weekday(&self, planner: &mut Planner, draw: &mut Seeded, date: Option<Date>) {
        let start = 8.5 + 0.5 * draw.normal().clamp(-2.0, 2.0);
        let noon = draw.between(12.0, 13.2);
        let end = (start + 8.5 + 0.5 * draw.normal()).clamp(15.0, 19.0);
        if let Some(work) = self.work {
            planner.visit(work, Purpose::Work, start, noon);
            // Who starts early eats out; the others bring their lunch.
            if let Some(&lunch) = draw.pick(&self.lunch).filter(|_| start < 8.8) {
                planner.visit(lunch, Purpose::Lunch, noon, noon + 0.7);
            }
            planner.visit(work, Purpose::Work, noon + 0.8, end);
        }
        self.errand(planner, draw, end + 0.2);
        self.evening(planner, draw, 0.65, date);
    }

    fn weekend(&self, planner: &mut Planner, draw: &mut Seeded, date: Option<Date>) {
        let late = draw.between(9.5, 11.5);
        self.errand(planner, draw, late);
        if let Some(&place) = draw.pick(&self.outings).filter(|_| late < 11.0) {
            let from = draw.between(13.0, 15.0);
            planner.visit(place, Purpose::Outing, from, from + draw.between(1.0, 3.0));
            planner.visit(self.home, Purpose::Home, from, from);
        }
        self.evening(planner, draw, 0.75, date);
    }

    fn errand(&self, planner: &mut Planner, draw: &mut Seeded, from: f64) {
        if let Some(&shop) = draw.pick(&self.errands).filter(|_| from < 18.5) {
            planner.visit(shop, Purpose::Errand, from, from + draw.between(0.2, 0.6));
        }
        planner.visit(self.home, Purpose::Home, from, from);
    }

    /// Most people go to their favourite most of the time, and all around the same hours.
    fn evening(&self, planner: &mut Planner, draw: &mut Seeded, how_often: f64, date: Option<Date>) {
        if let Some(Date { venue, from, until }) = date {
            return planner.visit(venue, Purpose::Outing, from, until);
        }
        let choice = draw.unit();
        let which = usize::from(choice > 0.6) + usize::from(choice > 0.85);
        let from = draw.between(19.0, 20.5);
        let until = from + draw.between(1.5, 4.0);
        if let Some(&venue) = self.outings.get(which).or(self.outings.first()).filter(|_| draw.chance(how_often)) {
            planner.visit(venue, Purpose::Outing, from, until);
        }
    }
}

/// Turns wishes into a day that can be lived: nobody is faster than a bus.
struct Planner {
    home: LatLng,
    /// Unix second at which the day starts; may lie before 1970.
    start: i64,
    stops: Vec<Planned>,
}

/// A stop in seconds of the day.
struct Planned {
    position: LatLng,
    purpose: Purpose,
    arrive: f64,
    leave: f64,
}

impl Planner {
    fn new(home: LatLng, start: i64) -> Self {
        Self { home, start, stops: vec![Planned { position: home, purpose: Purpose::Home, arrive: 0.0, leave: 0.0 }] }
    }

    /// Adds a visit between two hours of the clock, or what travelling leaves of it; not at all when the person could
    /// not be home again before the day ends.
    fn visit(&mut self, position: LatLng, purpose: Purpose, from: f64, until: f64) {
        let of_day = |hour: f64| (hour - 4.0) * HOUR;
        let Some(last) = self.stops.last_mut() else { return };
        let way = travel_seconds(last.position, position);
        let departs = last.leave.max(of_day(from) - way);
        let arrive = departs + way;
        let leave = arrive.max(of_day(until));
        if leave + travel_seconds(position, self.home) > 23.5 * HOUR {
            return;
        }
        last.leave = departs;
        self.stops.push(Planned { position, purpose, arrive, leave });
    }

    fn finish(mut self) -> DayPlan {
        if let Some(last) = self.stops.last() {
            let arrive = last.leave + travel_seconds(last.position, self.home);
            self.stops.push(Planned { position: self.home, purpose: Purpose::Home, arrive, leave: 24.0 * HOUR });
        }
        let (start, stops) = (self.start, self.stops);
        let stop = |planned: Planned| Stop {
            position: planned.position,
            purpose: planned.purpose,
            arrive: instant(start, planned.arrive),
            leave: instant(start, planned.leave),
        };
        DayPlan { stops: stops.into_iter().map(stop).collect() }
    }
}

/// Short ways on foot, longer ones by bus (L3-42).
fn travel_seconds(a: LatLng, b: LatLng) -> f64 {
    let metres = distance_m(a, b);
    let travel = if metres < 1_200.0 { Travel::Walk } else { Travel::Transit };
    metres / travel.speed_mps()
}

#[expect(clippy::cast_possible_truncation, reason = "a day has 86.4 million milliseconds")]
fn instant(start: i64, seconds: f64) -> Timestamp {
    let millis = start.saturating_mul(1_000).saturating_add((seconds * 1_000.0).round() as i64);
    Timestamp::from_millis(u64::try_from(millis).unwrap_or(0))
}
