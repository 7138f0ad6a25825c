use mosaic_geo::{
    Category, Cell, LocalTime, PlaceRef, displacement_m,
    movement::Travel,
    offset_m,
    plausibility::{Profile, composite_score},
};
use mosaic_types::{LatLng, Timestamp};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha20Rng;

use super::{Paths, Why, lies_in};
use crate::persona::PersonaId;

/// How far from a public place somebody lives, in metres east and north each: homes of a map are unknown.
const DOOR_M: f64 = 140.0;
/// Draws of a door before the place itself is taken.
const DOORS: usize = 8;
/// How near a place somebody stands who is in the street, in metres east and north each.
const STREET_M: f64 = 25.0;

/// How a persona lives, day by day alike.
pub(super) struct Manner {
    pub(super) persona: PersonaId,
    pub(super) home: LatLng,
    pub(super) work: Option<Venue>,
    /// The cells it comes back to, the dearest first.
    pub(super) haunts: Vec<Cell>,
    pub(super) profile: Profile,
    /// How it goes where it does not walk: always the same, so that no car or bicycle is left behind.
    pub(super) rides: Travel,
    /// How far it walks rather than rides, in metres.
    pub(super) walks_m: f64,
    /// Share of a way of travel's speed that it makes.
    pub(super) pace: f64,
    /// When it begins to work, and for how long it does, in hours.
    pub(super) starts: f64,
    pub(super) works_h: f64,
    /// Share of weekdays on which it works, and of occasions on which it goes out and shops.
    pub(super) works: f64,
    pub(super) goes_out: f64,
    pub(super) shops: f64,
}

/// Somewhere to be: a public place, or the street by one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Venue {
    pub(super) position: LatLng,
    pub(super) place: Option<u32>,
}

impl Venue {
    pub(super) const fn inside(place: PlaceRef<'_>) -> Self {
        Self { position: place.position, place: Some(place.number()) }
    }
}

impl Manner {
    /// `None` for an unknown persona or without places.
    pub(super) fn of(paths: &Paths<'_>, persona: PersonaId) -> Option<Self> {
        let member = paths.cast.member(persona)?;
        let mut rng = paths.cast.rng(&[b"path manner", &persona.to_bytes()]);
        let home = home(paths, persona, *member.cells.first()?, &mut rng);
        let employers = |place: PlaceRef<'_>| f64::from(u8::from(place.kind.category().employs()));
        let work = member.cells.get(1).and_then(|cell| sticky(paths, persona, *cell, &employers)).map(Venue::inside);
        let mut profile = Profile::neutral();
        for category in Category::ALL {
            profile = profile.with(category, rng.random_range(0.2..1.0));
        }
        Some(Self {
            persona,
            home,
            work,
            haunts: member.cells.iter().skip(2).copied().collect(),
            profile,
            rides: [Travel::Drive, Travel::Drive, Travel::Transit, Travel::Cycle][rng.random_range(0..4_usize)],
            walks_m: rng.random_range(700.0..1_600.0),
            pace: rng.random_range(0.75..1.0),
            starts: rng.random_range(7.0..10.0),
            works_h: rng.random_range(6.5..9.0),
            works: rng.random_range(0.6..1.0),
            goes_out: rng.random_range(0.25..0.65),
            shops: rng.random_range(0.2..0.5),
        })
    }

    /// The place in a cell to which the persona goes for that at that hour: mostly the same one. `None` where none counts
    /// then.
    pub(super) fn venue<'a>(&self, paths: &Paths<'a>, cell: Cell, at: Timestamp, why: Why) -> Option<PlaceRef<'a>> {
        let then = LocalTime::by_sun(at, self.home);
        let score = |place: PlaceRef<'a>| composite_score(place, then, &self.profile);
        sticky(paths, self.persona, cell, &|place| if why.fits(place.kind.category()) { score(place) } else { 0.0 })
    }

    /// The street by a place of the cell; in the middle of the cell where there is no place. `None` in the sea.
    pub(super) fn street(&self, paths: &Paths<'_>, cell: Cell) -> Option<Venue> {
        let raw = cell.raw().to_be_bytes();
        let mut rng = paths.cast.rng(&[b"path street", &self.persona.to_bytes(), &raw]);
        let by = landmark(paths, self.persona, cell).unwrap_or(cell.center());
        let position = beside(paths, by, STREET_M, cell, &mut rng);
        (!paths.is_sea(position)).then_some(Venue { position, place: None })
    }
}

/// Near a place of the cell. Where there is none and the middle of the cell is water, at the nearest place.
fn home(paths: &Paths<'_>, persona: PersonaId, cell: Cell, rng: &mut ChaCha20Rng) -> LatLng {
    let near = landmark(paths, persona, cell).unwrap_or(cell.center());
    let home = beside(paths, near, DOOR_M, cell, rng);
    let ashore = || paths.places.nearest(home, 1).first().map(|(place, _)| place.position);
    if paths.is_sea(home) { ashore().unwrap_or(home) } else { home }
}

/// A place of the cell to find one's way by: one that people visit, else anything on the map.
fn landmark(paths: &Paths<'_>, persona: PersonaId, cell: Cell) -> Option<LatLng> {
    let visited = |place: PlaceRef<'_>| f64::from(u8::from(place.kind.category().is_visited()));
    let any = || sticky(paths, persona, cell, &|_| 1.0);
    sticky(paths, persona, cell, &visited).or_else(any).map(|place| place.position)
}

/// Somewhere around a point of a cell, within the cell and on land; the point itself where that is hard to find.
fn beside(paths: &Paths<'_>, near: LatLng, metres: f64, cell: Cell, rng: &mut ChaCha20Rng) -> LatLng {
    let mut draw = || offset_m(near, rng.random_range(-metres..metres), rng.random_range(-metres..metres));
    let found = (0..DOORS).map(|_| draw()).find(|door| lies_in(*door, cell) && !paths.is_sea(*door));
    found.unwrap_or(near)
}

/// One place of a cell, by weight, and the same one for as long as it weighs as much: the greatest of keyed draws
/// (weighted rendezvous). `None` where no place weighs anything.
fn sticky<'a>(
    paths: &Paths<'a>,
    persona: PersonaId,
    cell: Cell,
    weight: &dyn Fn(PlaceRef<'a>) -> f64,
) -> Option<PlaceRef<'a>> {
    let raw = cell.raw().to_be_bytes();
    let key = paths.cast.rng(&[b"path place", &persona.to_bytes(), &raw]).next_u64();
    let (origin, mut best) = (cell.center(), None);
    for place in paths.places.in_cell(cell).iter().filter(|place| place.kind.category() != Category::Home) {
        // in_cell goes by the hierarchy of cells: near an edge, a place may lie in the neighbour
        let weight = if lies_in(place.position, cell) { weight(place) } else { 0.0 };
        if weight > 0.0 {
            // by where it is, not by its number: another index of the same places draws the same
            let (east, north) = displacement_m(origin, place.position);
            let named = ((east * 10.0) as i64 as u64) << 32 ^ (north * 10.0) as i64 as u64;
            let unit = (crate::persona::cast::scrambled(named ^ key) >> 11) as f64 / (1_u64 << 53) as f64;
            let rank = -weight / unit.max(f64::MIN_POSITIVE).ln();
            if best.is_none_or(|(_, greatest)| rank > greatest) {
                best = Some((place, rank));
            }
        }
    }
    best.map(|(place, _)| place)
}
