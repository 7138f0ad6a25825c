use mosaic_geo::{LocalTime, plausibility::score, plausibility::temporal_score};
use mosaic_types::LatLng;
use rand::RngExt;

use super::{
    Appearance, DayPath, Paths, Stop, Trip, Why, lies_in,
    manner::{Manner, Venue},
    told::{Clock, DAY_S},
    way::Way,
};

/// The shortest stop, in seconds.
const SHORTEST_S: i64 = 600;
/// The shortest stop where something is said.
const SHORTEST_SAID_S: i64 = 120;
/// Whoever has so long at home between two stops goes there.
const WORTH_GOING_HOME_S: i64 = 2_400;

/// A stop in seconds of the day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planned {
    pub(super) venue: Venue,
    pub(super) why: Why,
    pub(super) from: i64,
    pub(super) until: i64,
}

/// A day in the making: stops in order, each of which can be reached from the one before.
pub(super) struct Schedule<'a> {
    pub(super) paths: &'a Paths<'a>,
    pub(super) manner: &'a Manner,
    pub(super) clock: Clock,
    stops: Vec<Planned>,
}

impl<'a> Schedule<'a> {
    /// A day at home.
    pub(super) fn new(paths: &'a Paths<'a>, manner: &'a Manner, clock: Clock) -> Self {
        let at_home = |second| Planned { from: second, until: second, ..home(manner) };
        Self { paths, manner, clock, stops: vec![at_home(0), at_home(DAY_S)] }
    }

    /// Goes where the persona said something; what cannot be reached in the window is given back.
    pub(super) fn appear(&mut self, said: &[Appearance]) -> Vec<Appearance> {
        said.iter().filter(|one| !self.appears(one)).copied().collect()
    }

    fn appears(&mut self, said: &Appearance) -> bool {
        let at = self.clock.second(said.at);
        let is_there =
            |stop: &Planned| (stop.from..=stop.until).contains(&at) && lies_in(stop.venue.position, said.cell);
        if self.stops.iter().any(is_there) {
            return true;
        }
        let Some((venue, why)) = self.where_to(said) else { return false };
        // anywhere in the window, as near to the moment as can be
        let opens = self.clock.second(said.window().start()).max(0);
        let whole = Planned { venue, why, from: opens, until: (opens + 7_200 - 1).min(DAY_S) };
        let index = self.stops.partition_point(|stop| stop.from <= at);
        let Some(room) = self.room(index, whole).filter(|room| room.until - room.from >= SHORTEST_SAID_S) else {
            return false;
        };
        let context = [said.at.as_millis().to_be_bytes(), said.cell.raw().to_be_bytes()].concat();
        let mut rng = self.paths.cast.rng(&[b"path said", &self.manner.persona.to_bytes(), &context]);
        let (before, after) = (rng.random_range(120..1_200), rng.random_range(300..2_400));
        let moment = at.clamp(room.from, room.until);
        let stop = Planned { from: room.from.max(moment - before), until: room.until.min(moment + after), ..room };
        self.put(index, stop)
    }

    /// Where in its cell something is said: at home or work if they are there, else at a place that is open then, else
    /// in the street.
    fn where_to(&self, said: &Appearance) -> Option<(Venue, Why)> {
        if lies_in(self.manner.home, said.cell) {
            return Some((home(self.manner).venue, Why::Home));
        }
        if let Some(work) = self.manner.work.filter(|work| lies_in(work.position, said.cell)) {
            return Some((work, Why::Work));
        }
        let open = self.manner.venue(self.paths, said.cell, said.at, Why::Said).map(Venue::inside);
        let open = open.filter(|venue| !self.paths.is_sea(venue.position));
        open.or_else(|| self.manner.street(self.paths, said.cell)).map(|venue| (venue, Why::Said))
    }

    /// The stop before a second of the day.
    pub(super) fn before(&self, second: i64) -> Planned {
        let index = self.stops.partition_point(|stop| stop.from <= second);
        index.checked_sub(1).and_then(|before| self.stops.get(before)).copied().unwrap_or(home(self.manner))
    }

    /// Adds a stop, or what ways leave of it, if that is worth going and open all the time.
    pub(super) fn visit(&mut self, wish: Planned) -> bool {
        let index = self.stops.partition_point(|stop| stop.from <= wish.from);
        let worth = |room: &Planned| room.until - room.from >= SHORTEST_S && self.is_open(room);
        let Some(room) = self.room(index, wish).filter(worth) else { return false };
        self.put(index, room)
    }

    /// As [`Self::visit`], again after whatever comes between.
    pub(super) fn visit_in_parts(&mut self, wish: Planned) {
        let mut left = wish;
        while left.from < left.until {
            self.visit(left);
            let next =
                self.stops.iter().find(|stop| stop.from > left.from && stop.venue.position != left.venue.position);
            left.from = next.map_or(DAY_S, |stop| stop.until.max(stop.from + 1));
        }
    }

    /// What is left of a stop between its neighbours.
    fn room(&self, index: usize, wish: Planned) -> Option<Planned> {
        let (before, after) = (self.stops.get(index.checked_sub(1)?)?, self.stops.get(index)?);
        let from = wish.from.max(before.until + self.leg(before, &wish).seconds);
        let until = wish.until.min(after.from - self.leg(&wish, after).seconds);
        let room = Planned { from, until, ..wish };
        // at another hour another way of travel may be taken
        (from < until && self.fits(before, &room) && self.fits(&room, after)).then_some(room)
    }

    fn put(&mut self, index: usize, stop: Planned) -> bool {
        let around = (index.checked_sub(1).and_then(|before| self.stops.get(before)), self.stops.get(index));
        let (Some(before), Some(after)) = around else { return false };
        let fits = stop.from < stop.until && self.fits(before, &stop) && self.fits(&stop, after);
        if fits {
            self.stops.insert(index, stop);
        }
        fits
    }

    fn fits(&self, before: &Planned, after: &Planned) -> bool {
        before.until + self.leg(before, after).seconds <= after.from
    }

    /// The way from one stop to the next. One leaves home just in time, and every other stop when it is over.
    fn leg(&self, before: &Planned, after: &Planned) -> Way {
        let hour = Clock::hour_of(if before.why == Why::Home { after.from } else { before.until });
        self.way(before.venue.position, after.venue.position, hour)
    }

    fn way(&self, from: LatLng, to: LatLng, hour: i64) -> Way {
        Way::between(self.paths.places, self.manner, from, to, hour)
    }

    /// Whether a place counts from the first to the last minute of a stop.
    fn is_open(&self, stop: &Planned) -> bool {
        let Some(place) = stop.venue.place.and_then(|number| self.paths.places.get(number as usize)) else {
            return true;
        };
        let counts = |second| {
            let then = LocalTime::by_sun(self.clock.at(second), self.manner.home);
            temporal_score(place, then) > score::COUNTS_ABOVE
        };
        stop.why == Why::Work || (stop.from..stop.until).step_by(1_800).chain([stop.until - 60]).all(counts)
    }

    /// The day with all ways: home between two stops where it is worth it, else longer at the one or earlier at the other.
    pub(super) fn finish(mut self, missed: Vec<Appearance>) -> DayPath {
        self.go_home();
        self.stay();
        let mut trips = Vec::new();
        for number in 1..self.stops.len() {
            let (Some(&before), Some(&after)) = (self.stops.get(number - 1), self.stops.get(number)) else { continue };
            let way = self.leg(&before, &after);
            let (leave, arrive) = self.between(&before, &after, way.seconds);
            trips.push(Trip {
                travel: way.travel,
                way: way.points,
                leave: self.clock.at(leave),
                arrive: self.clock.at(arrive),
            });
            if let Some(stop) = self.stops.get_mut(number - 1) {
                stop.until = leave;
            }
            if let Some(stop) = self.stops.get_mut(number) {
                stop.from = arrive;
            }
        }
        let clock = self.clock;
        let stop = |planned: Planned| Stop {
            position: planned.venue.position,
            why: planned.why,
            place: planned.venue.place,
            from: clock.at(planned.from),
            until: clock.at(planned.until),
        };
        DayPath { stops: self.stops.into_iter().map(stop).collect(), trips, missed }
    }

    fn go_home(&mut self) {
        let mut number = 1;
        while let (Some(&before), Some(&after)) = (self.stops.get(number - 1), self.stops.get(number)) {
            let at_home = Planned { from: before.until, until: after.from, ..home(self.manner) };
            let apart = before.why != Why::Home && after.why != Why::Home;
            let seconds = self.leg(&before, &after).seconds;
            let waits = self.lingers(&before, &after, seconds) || self.is_early(&before, &after, seconds);
            let least = if waits { WORTH_GOING_HOME_S } else { 1 };
            let room = self.room(number, at_home).filter(|room| apart && room.until - room.from >= least);
            if let Some(room) = room {
                self.put(number, room);
            }
            number += 1;
        }
    }

    /// Makes one stop of two at one place.
    fn stay(&mut self) {
        let mut number = 1;
        while let (Some(&before), Some(&after)) = (self.stops.get(number - 1), self.stops.get(number)) {
            let both = Planned { until: after.until, ..before };
            if before.venue.position == after.venue.position && self.is_open(&both) && self.stops.len() > 2 {
                self.stops.remove(number);
                if let Some(stop) = self.stops.get_mut(number - 1) {
                    *stop = both;
                }
            } else {
                number += 1;
            }
        }
    }

    /// When the way between two stops begins and ends. Where the one is closed by then and the other not open yet, the
    /// way takes longer.
    fn between(&self, before: &Planned, after: &Planned, seconds: i64) -> (i64, i64) {
        let (late, early) = (after.from - seconds, before.until + seconds);
        match () {
            () if after.why == Why::Home && before.why != Why::Home => (before.until, early),
            () if before.why == Why::Home || self.lingers(before, after, seconds) => (late, after.from),
            () if self.is_early(before, after, seconds) => (before.until, early),
            () => (before.until, after.from),
        }
    }

    /// Whether one can stay until it is time for the next stop.
    fn lingers(&self, before: &Planned, after: &Planned, seconds: i64) -> bool {
        self.is_open(&Planned { until: after.from - seconds, ..*before })
    }

    /// Whether one can be at the next stop right after this one.
    fn is_early(&self, before: &Planned, after: &Planned, seconds: i64) -> bool {
        self.is_open(&Planned { from: before.until + seconds, ..*after })
    }
}

pub(super) const fn home(manner: &Manner) -> Planned {
    Planned { venue: Venue { position: manner.home, place: None }, why: Why::Home, from: 0, until: 0 }
}
