use mosaic_crypto::kdf::{Label, Root};
use mosaic_geo::{Cell, LocalTime};
use mosaic_types::{ClassId, ClassShares};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::{PersonaId, text::Hand};
use crate::Vocabulary;

/// Most places a persona keeps returning to, after home and work; it has at least one, and the n-th is visited
/// 1 / n as often as the first.
const HAUNTS: usize = 6;
/// How quickly a persona's tastes fall off: its n-th class has weight n to the minus this. From people who like
/// many things to people who want one.
const FALL_OFF: std::ops::Range<f64> = 0.7..2.5;

/// One persona: where it spends time and what it likes.
pub(super) struct Member {
    /// Home, work, then haunts, as the r8 cells they truly lie in.
    pub(super) cells: Vec<Cell>,
    /// All classes, the dearest first.
    pub(super) classes: Vec<ClassId>,
    /// How it writes.
    pub(super) hand: Hand,
    fall_off: f64,
}

impl Member {
    /// All of a company have equally many haunts, so that what one does any other can do too.
    pub(super) fn new(
        root: &Root,
        name: PersonaId,
        (cells, kept): (&[(Cell, u32)], &[Cell]),
        liked: Option<&ClassShares>,
    ) -> Self {
        let rng = |context: &[&[u8]]| ChaCha20Rng::from_seed(root.derive(Label::PersonaSeed, context));
        let haunts = rng(&[b"haunts", &name.company.to_be_bytes()]).random_range(1..=HAUNTS);
        let mut own = spots(cells, haunts, &mut rng(&[b"member", &name.to_bytes()]));
        let known = |cell: &Cell| cells.binary_search_by_key(cell, |(known, _)| *known).is_ok();
        for (own, kept) in own.iter_mut().zip(kept).filter(|(_, kept)| known(kept)) {
            *own = *kept;
        }
        // of its own draws, so that no index of places changes what somebody likes
        let mut taste = rng(&[b"tastes", &name.to_bytes()]);
        let (fall_off, classes) = (taste.random_range(FALL_OFF), tastes(liked, &mut taste));
        Self { cells: own, classes, hand: Hand::new(&mut rng(&[b"hand", &name.to_bytes()])), fall_off }
    }

    /// How dear the class is that it wants something of: 0 for the dearest.
    pub(super) fn rank(&self, rng: &mut impl Rng) -> usize {
        let ranks: Vec<usize> = (0..self.classes.len()).collect();
        by_weight(&ranks, |rank| (*rank as f64 + 1.0).powf(-self.fall_off), rng).unwrap_or_default()
    }

    /// Which of its cells it is at in a window: home at night, work on weekdays, out in the evening. By the sun at home, as
    /// people's days go by it: with the hours of another continent, everybody but the person would be out at night.
    pub(super) fn spot(&self, window: u32, rng: &mut impl Rng) -> usize {
        let ahead = self.cells.first().map_or(0, |home| LocalTime::sun_ahead_h(home.center()));
        let local = i64::from(window) * 2 + i64::from(ahead);
        // Day 0 was a Thursday; days 2 and 3 are the weekend.
        let (hour, weekend) = (local.rem_euclid(24), matches!(local.div_euclid(24).rem_euclid(7), 2 | 3));
        let [home, work] = match (hour, weekend) {
            (0..8, _) => [0.90, 0.03],
            (8..18, false) => [0.15, 0.70],
            (8..18, true) => [0.40, 0.05],
            _ => [0.45, 0.10],
        };
        let draw = rng.random::<f64>();
        if draw < home {
            return 0;
        }
        if draw < home + work {
            return 1;
        }
        let haunts: Vec<usize> = (2..self.cells.len()).collect();
        by_weight(&haunts, |spot| 1.0 / (*spot as f64 - 1.0), rng).unwrap_or_default()
    }
}

/// Home, work and haunts: more people live where there is more, though less than in proportion; they work where there is
/// much, and go out where there is something near home.
fn spots(cells: &[(Cell, u32)], haunts: usize, rng: &mut ChaCha20Rng) -> Vec<Cell> {
    let Some((home, _)) = by_weight(cells, |(_, places)| f64::from(*places).sqrt(), rng) else { return Vec::new() };
    let work = by_weight(cells, |(_, places)| f64::from(*places), rng).map_or(home, |(cell, _)| cell);
    let near: Vec<(Cell, f64)> = cells.iter().map(|(cell, places)| (*cell, attraction(home, *cell, *places))).collect();
    let mut haunt = || by_weight(&near, |(_, weight)| *weight, rng).map_or(home, |(cell, _)| cell);
    let mut own = vec![home, work];
    own.extend((0..haunts).map(|_| haunt()));
    own
}

/// The classes in an order that favours what is popular in the region; where nothing is published of it, what the
/// vocabulary says of people everywhere.
fn tastes(liked: Option<&ClassShares>, rng: &mut ChaCha20Rng) -> Vec<ClassId> {
    let classes = Vocabulary::builtin().classes().iter();
    let mut left: Vec<(ClassId, f64)> =
        classes.map(|class| (class.id, liked.map_or(class.prior, |liked| liked.of(class.id)))).collect();
    let mut tastes = Vec::with_capacity(left.len());
    while let Some((class, _)) = by_weight(&left, |(_, prior)| *prior, rng) {
        left.retain(|(other, _)| *other != class);
        tastes.push(class);
    }
    tastes
}

/// People go out where there is something, and rather close to home.
pub(super) fn attraction(home: Cell, cell: Cell, places: u32) -> f64 {
    let km = mosaic_geo::distance_m(home.center(), cell.center()) / 1_000.0;
    f64::from(places) / (1.0 + km * km)
}

pub(super) fn by_weight<T: Clone>(items: &[T], weight: impl Fn(&T) -> f64, rng: &mut impl Rng) -> Option<T> {
    let total: f64 = items.iter().map(&weight).sum();
    let mut left = rng.random::<f64>() * total;
    let hit = items.iter().find(|item| {
        left -= weight(item);
        left < 0.0
    });
    hit.or(items.last()).cloned()
}

#[cfg(test)]
mod tests {
    use mosaic_geo::Resolution;
    use mosaic_types::LatLng;

    use super::*;

    /// Six hours west everybody does six hours later what is done at Greenwich, on every day of the week; seed 2.
    #[test]
    fn days_go_by_the_sun() {
        let at = |lng: f64| {
            let cells: Vec<(Cell, u32)> = (0..9_i32)
                .map(|place| LatLng::new(40.0 + f64::from(place) / 50.0, lng).unwrap())
                .map(|place| (Cell::at(place, Resolution::R8), 3))
                .collect();
            Member::new(&Root::new(&[2; 32]), PersonaId { company: 0, member: 1 }, (&cells, &[]), None)
        };
        let (greenwich, west) = (at(0.0), at(-90.0));
        let spots = |member: &Member, window: u32| -> Vec<usize> {
            let mut rng = ChaCha20Rng::seed_from_u64(3);
            (0..200).map(|_| member.spot(window, &mut rng)).collect()
        };
        for window in 245_000..245_084 {
            assert_eq!(spots(&greenwich, window), spots(&west, window + 3), "{window}");
        }
        assert_ne!(spots(&greenwich, 245_004), spots(&west, 245_004), "midnight there is evening here");
    }

    #[test]
    fn nothing_is_drawn_from_nothing_and_everybody_likes_everything_somehow() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        assert_eq!(by_weight(&[] as &[u8], |_| 1.0, &mut rng), None);
        assert_eq!(by_weight(&[7_u8], |_| 0.0, &mut rng), Some(7));
        let mut liked = tastes(None, &mut rng);
        liked.sort_unstable();
        assert_eq!(liked.iter().map(|class| class.get()).collect::<Vec<_>>(), (0..16).collect::<Vec<_>>());
        for class in Vocabulary::builtin().classes() {
            assert!(Vocabulary::builtin().topics_of(class.id).len() > 0, "{}", class.name);
        }
    }
}
