//! Generated residents over any place index: everybody has a home, most have work, all run errands, and in the evening
//! people go to a few shared venues, so that they do meet. The same index, number and seed always give the same people.
//!
//! They are for demonstrations and simulations. Real movement is less regular; what the lab measures on residents says
//! nothing about people (the recorded traces do).

use mosaic_types::{ClassId, LatLng};
use thiserror::Error;

use crate::{Category, PlaceIndex, offset_m, seeded::Seeded};

mod friends;
mod timetable;
mod tree;

pub use friends::{Friends, Society};
pub use timetable::{DayPlan, Purpose, Stop};

use tree::Tree;

/// An index without any place, where nobody can live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("there is no place in the index, so nobody can live there; use another extract")]
pub struct NoPlaces;

/// One generated person.
#[derive(Clone, Debug, PartialEq)]
pub struct Resident {
    seed: u64,
    number: u64,
    home: LatLng,
    work: Option<LatLng>,
    lunch: Vec<LatLng>,
    errands: Vec<LatLng>,
    outings: Vec<LatLng>,
    interests: [ClassId; 3],
}

/// Generated people.
#[derive(Clone, Debug, PartialEq)]
pub struct Residents(Vec<Resident>);

impl Residents {
    /// Draws `count` residents.
    ///
    /// # Errors
    /// [`NoPlaces`] when the index is empty.
    pub fn generate(places: &PlaceIndex, count: usize, seed: u64) -> Result<Self, NoPlaces> {
        if places.is_empty() {
            return Err(NoPlaces);
        }
        let town = Town::survey(places, count, seed);
        Ok(Self((0..count as u64).map(|number| town.settle(number, seed)).collect()))
    }

    /// Everybody, by number.
    pub fn all(&self) -> &[Resident] {
        &self.0
    }
}

impl Resident {
    /// Where the person sleeps.
    pub const fn home(&self) -> LatLng {
        self.home
    }

    /// Where the person works, if anywhere.
    pub const fn work(&self) -> Option<LatLng> {
        self.work
    }

    /// The shared venues the person goes to in the evening, the favourite first.
    pub fn outings(&self) -> &[LatLng] {
        &self.outings
    }

    /// The classes of the public vocabulary this person cares about, the favourite first; all different. Some classes
    /// are far more popular than others (Zipf), as with people.
    pub const fn interests(&self) -> [ClassId; 3] {
        self.interests
    }
}

/// Positions of one kind of place, found by nearness.
struct Quarter {
    positions: Vec<LatLng>,
    tree: Tree,
}

impl Quarter {
    fn of(positions: Vec<LatLng>) -> Self {
        let tree = Tree::new(positions.iter().copied());
        Self { positions, tree }
    }

    /// One of the `among` nearest.
    fn near(&self, from: LatLng, among: usize, draw: &mut Seeded) -> Option<LatLng> {
        let nearest = self.tree.nearest(from, among);
        draw.pick(&nearest).and_then(|&(at, _)| self.positions.get(at as usize)).copied()
    }

    /// Some of the `among` nearest, without repetition.
    fn some_near(&self, from: LatLng, among: usize, most: usize, draw: &mut Seeded) -> Vec<LatLng> {
        let mut nearest = self.tree.nearest(from, among);
        let mut chosen = Vec::new();
        while chosen.len() < most && !nearest.is_empty() {
            let (at, _) = nearest.swap_remove(draw.below(nearest.len()));
            chosen.extend(self.positions.get(at as usize));
        }
        chosen
    }
}

/// What an index offers to people, by what they need.
struct Town {
    homes: Vec<LatLng>,
    built_homes: bool,
    employers: Quarter,
    food: Quarter,
    shops: Quarter,
    haunts: Quarter,
}

impl Town {
    fn survey(places: &PlaceIndex, count: usize, seed: u64) -> Self {
        // A need that no place of the index serves is met by any place.
        let offering = |needed: &dyn Fn(Category) -> bool| -> Vec<LatLng> {
            let wanted = places.all().iter().filter(|place| needed(place.kind.category()));
            let positions: Vec<LatLng> = wanted.map(|place| place.position).collect();
            if positions.is_empty() { places.all().iter().map(|place| place.position).collect() } else { positions }
        };
        let built_homes = places.all().iter().any(|place| place.kind.category() == Category::Home);
        let mut venues = offering(&Category::is_venue);
        let mut draw = Seeded::new(&[seed, 0]);
        // A dozen people to a venue, so that an evening out is among others; in a large city, five dozen.
        let shared = (count / 12).clamp(3, (count / 60).max(400)).min(venues.len());
        for at in 0..shared {
            let other = at + draw.below(venues.len() - at);
            venues.swap(at, other);
        }
        venues.truncate(shared);
        Self {
            homes: offering(&|category| category == Category::Home),
            built_homes,
            employers: Quarter::of(offering(&Category::employs)),
            food: Quarter::of(offering(&|category| category == Category::Food)),
            shops: Quarter::of(offering(&|category| category == Category::Shopping || category == Category::Service)),
            haunts: Quarter::of(venues),
        }
    }

    fn settle(&self, number: u64, seed: u64) -> Resident {
        let draw = &mut Seeded::new(&[seed, 1, number]);
        let home = self.house(draw);
        let work = if draw.chance(0.8) { self.employers.near(home, 250, draw) } else { None };
        let around_noon = work.unwrap_or(home);
        Resident {
            seed,
            number,
            home,
            work,
            lunch: self.food.some_near(around_noon, 5, 2, draw),
            errands: self.shops.some_near(home, 8, 3, draw),
            outings: self.haunts.some_near(home, 6, 3, draw),
            interests: interests(draw),
        }
    }

    /// Homes of a map are unknown: people live around the places, up to 200 m away.
    fn house(&self, draw: &mut Seeded) -> LatLng {
        let Some(&near) = draw.pick(&self.homes) else { return LatLng::wrapped(0.0, 0.0) };
        if self.built_homes { near } else { offset_m(near, draw.between(-140.0, 140.0), draw.between(-140.0, 140.0)) }
    }
}

/// Three different classes, class `n` with weight `1 / (n + 1)`.
fn interests(draw: &mut Seeded) -> [ClassId; 3] {
    let mut left: Vec<ClassId> = (0..ClassId::COUNT).filter_map(|number| ClassId::new(number).ok()).collect();
    let weight = |class: &ClassId| 1.0 / f64::from(class.get() + 1);
    let mut take = || {
        let mut point = draw.between(0.0, left.iter().map(weight).sum());
        let reached = left.iter().position(|class| {
            point -= weight(class);
            point < 0.0
        });
        left.remove(reached.unwrap_or(0))
    };
    [take(), take(), take()]
}
