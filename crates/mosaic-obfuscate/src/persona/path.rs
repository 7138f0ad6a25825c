//! A persona's day as a path over public places (L3-50): home, work, lunch, errands and evenings, with ways between them
//! whose travel and speed fit the distance and the hour.
//!
//! Paths are beside what personas say and change nothing of it: they draw from streams of their own, and take what was
//! said as given. A persona that said something at a cell is in that cell then ([`Appearance`]). What a path is made of is
//! the device seed, the index of public places and the moments at which rounds began; nothing of the person's.
//!
//! **What is checked.** Every path is put to [`validate_in`] before it is handed out: order, speed of each way of travel,
//! empty areas, and the sea for whoever says where it is. Places are visited at hours at which they count
//! ([`temporal_score`](mosaic_geo::plausibility::temporal_score)); where people live and work no hours are asked of.
//!
//! **What is left out.** Streets, stops and timetables: a way leads from place to place in straight pieces. Local time
//! follows from the longitude, in whole hours. A path is of one day; what is said later that day bends what is told of the
//! hour before it.

mod manner;
mod schedule;
mod told;
mod way;
mod wishes;

use std::time::Duration;

use mosaic_geo::{
    Cell, Fix, PlaceIndex, Resolution,
    movement::{Finding, Surroundings, Travel, validate_in},
};
use mosaic_types::{LatLng, Timestamp, Window};

use self::{manner::Manner, schedule::Schedule, told::Clock};
use super::{Cast, PersonaId, Round};

pub use told::{DayPath, Stop, Trip, Why};

/// Plans that are tried before the persona stays at home but for what it said.
const TRIES: u8 = 3;
/// How often a way is looked at, in metres: narrower water is not seen.
const LOOKS_M: f64 = 50.0;

/// A moment at which a persona said something, and the r8 cell that it named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appearance {
    /// When the round began.
    pub at: Timestamp,
    /// What the bundle named.
    pub cell: Cell,
}

impl Appearance {
    /// The window in which strangers place it.
    pub fn window(&self) -> Window {
        self.at.window()
    }
}

/// Tells the days of a device's personas.
#[derive(Clone, Copy, Debug)]
pub struct Paths<'a> {
    cast: &'a Cast,
    places: &'a PlaceIndex,
    around: Surroundings<'a>,
}

impl Cast {
    /// The days of its personas over the places it was made from. Over others, whoever lives where no place is stays at
    /// home.
    pub fn paths<'a>(&'a self, places: &'a PlaceIndex) -> Paths<'a> {
        Paths { cast: self, places, around: Surroundings::new(places) }
    }

    /// When a persona appeared where: what it says in those of the rounds in which it speaks.
    pub fn appearances(&self, persona: PersonaId, rounds: &[Round]) -> Vec<Appearance> {
        let speaks = |round: &&Round| self.members(round).contains(&persona);
        let appears =
            |round: &Round| Some(Appearance { at: round.life.since(), cell: self.bundle(persona, round, 0)?.cell });
        rounds.iter().filter(speaks).filter_map(appears).collect()
    }
}

impl<'a> Paths<'a> {
    /// The same with a sea: an index of places holds no coast, so whoever has one says it.
    #[must_use]
    pub fn with_sea(self, sea: &'a dyn Fn(LatLng) -> bool) -> Self {
        Self { around: self.around.with_sea(sea), ..self }
    }

    /// What the paths are checked against.
    pub const fn around(&self) -> &Surroundings<'a> {
        &self.around
    }

    /// When the persona's local day that holds `at` begins: at four in the morning, so that no evening is cut. `None` for
    /// an unknown persona or without places.
    pub fn day_of(&self, persona: PersonaId, at: Timestamp) -> Option<Timestamp> {
        Some(Clock::of(Manner::of(self, persona)?.home, at).start())
    }

    /// The persona's local day that holds `at`. Of `said`, what was said on that day counts; the same arguments give the
    /// same path always. `None` for an unknown persona, without places, or where even its home does not stand up to the
    /// check.
    pub fn day(&self, persona: PersonaId, at: Timestamp, said: &[Appearance]) -> Option<DayPath> {
        let manner = Manner::of(self, persona)?;
        let clock = Clock::of(manner.home, at);
        let mut said: Vec<Appearance> = said.iter().filter(|one| clock.holds(one.at)).copied().collect();
        said.sort_by_key(|one| (one.at, one.cell));
        said.dedup();
        let attempt = |number: u8| {
            let mut schedule = Schedule::new(self, &manner, clock);
            // the last two attempts are plainer: what was said and nothing else, and at the very last not even that
            let missed = if number > TRIES { said.clone() } else { schedule.appear(&said) };
            if number < TRIES {
                wishes::fit(&mut schedule, number);
            }
            schedule.finish(missed)
        };
        (0..=TRIES + 1).map(attempt).find(|path| self.findings(path).is_empty())
    }

    /// What a path fails at: the whole day at its fastest, each of its ways by its own way of travel, every position by what
    /// is around. Empty for whatever [`Self::day`] gives.
    pub fn findings(&self, path: &DayPath) -> Vec<Finding> {
        // whoever is at a place does not move, so its first and last moment stand for all
        let stop = |stop: &Stop| [stop.from, stop.until].map(|at| Fix { at, position: stop.position, category: None });
        let mut day = Vec::new();
        for (number, one) in path.stops().iter().enumerate() {
            day.extend(stop(one));
            day.extend(path.trips().get(number).into_iter().flat_map(|trip| trip.fixes(Duration::from_mins(1))));
        }
        let mut findings = validate_in(&day, path.fastest(), &self.around);
        for trip in path.trips() {
            let seconds = trip.arrive.since(trip.leave).as_secs_f64() * LOOKS_M / trip.metres().max(LOOKS_M);
            let fixes = trip.fixes(Duration::from_secs_f64(seconds.clamp(1.0, 3_600.0)));
            findings.extend(validate_in(&fixes, trip.travel, &self.around));
        }
        findings
    }

    fn is_sea(&self, position: LatLng) -> bool {
        let fix = Fix { at: Timestamp::from_secs(0), position, category: None };
        !validate_in(&[fix], Travel::Walk, &self.around).is_empty()
    }
}

/// Whether a position lies in an r8 cell.
fn lies_in(position: LatLng, cell: Cell) -> bool {
    Cell::at(position, Resolution::R8) == cell
}
