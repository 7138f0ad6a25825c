use std::{collections::BTreeSet, sync::Arc};

use mosaic_crypto::kdf::{self, Label};
use mosaic_geo::{Category, Cell, PlaceIndex, Resolution};
use mosaic_types::{ClassId, TopicId, TtlHours, Window};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use zeroize::Zeroizing;

use super::{PersonaBundle, text};
use crate::Vocabulary;

/// Share of bundles drawn evenly from everything, so that every class in every cell, and every topic, is
/// possible: otherwise a key never seen before would be a true one (novelty, PRIVACY 1.1 and 2.3).
const UNIFORM_SHARE: f64 = 0.2;
/// A region with fewer occupied r8 cells is widened by whole rings up to this many, so that ten bundles
/// can differ in their rows.
const FEWEST_CELLS: usize = 64;
/// Places a persona keeps returning to, after home and work.
const HAUNTS: usize = 4;
/// Topics a persona cares for in each class.
const FAVOURITES: usize = 5;

/// Nine people who do not exist, over the public places of a region.
#[derive(Debug)]
pub struct Cast {
    seed: Zeroizing<[u8; 32]>,
    /// Every r8 cell a bundle may name, with its number of meeting places plus one.
    cells: Vec<(Cell, u32)>,
    members: Vec<Member>,
}

/// One persona: where it spends time and what it likes.
#[derive(Debug)]
struct Member {
    /// Home, work, then haunts.
    cells: Vec<Cell>,
    /// Weight of each class.
    tastes: [f64; ClassId::COUNT as usize],
}

impl Cast {
    /// How many personas a device has: with one person that makes ten.
    pub const MEMBERS: u8 = 9;

    /// The personas of the device with this seed over these places. Without any place there is no
    /// bundle to be had; the release then refuses.
    pub fn new(seed: &[u8; 32], places: &Arc<PlaceIndex>) -> Self {
        let cells = support(places);
        let member = |number| Member::new(seed, number, &cells);
        let members = if cells.is_empty() { Vec::new() } else { (0..Self::MEMBERS).map(member).collect() };
        Self { seed: Zeroizing::new(*seed), cells, members }
    }

    /// Every r8 cell that a bundle may name, sorted.
    pub fn cells(&self) -> impl ExactSizeIterator<Item = Cell> {
        self.cells.iter().map(|(cell, _)| *cell)
    }

    /// Whether a bundle may name `cell`: only such a cell may be released as true.
    pub fn may_name(&self, cell: Cell) -> bool {
        self.cells.binary_search_by_key(&cell, |(known, _)| *known).is_ok()
    }

    /// What `persona` (below [`Self::MEMBERS`]) says in its bundle number `index` of `window`. Always the same answer;
    /// a wish stands for several windows, as people's do. `None` for other personas or without places.
    pub fn bundle(&self, persona: u8, index: u16, window: Window) -> Option<PersonaBundle> {
        let member = self.members.get(usize::from(persona))?;
        let (episode, length) = self.episode(persona, index, window);
        let context: [&[u8]; 4] = [b"bundle", &[persona], &index.to_be_bytes(), &episode.to_be_bytes()];
        let mut rng = self.rng(&context);
        let uniform = rng.random_bool(UNIFORM_SHARE);
        let vocabulary = Vocabulary::builtin();
        let class = if uniform { any_class(&mut rng) } else { member.class(&mut rng) };
        let cell = if uniform { self.any_cell(&mut rng) } else { member.cell(episode * length, &mut rng) };
        let topics = self.topics(persona, class, uniform, &mut rng);
        let first = topics.first().and_then(|topic| vocabulary.topic_name(*topic)).unwrap_or_default();
        Some(PersonaBundle { class, text: text::sentence(first, &mut rng), topics, cell, ttl: time_to_live(&mut rng) })
    }

    fn rng(&self, context: &[&[u8]]) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(kdf::derive(self.seed.as_slice(), Label::PersonaSeed, context))
    }

    /// Which wish stands in `window`: its number and its length in windows (2 h to 48 h).
    fn episode(&self, persona: u8, index: u16, window: Window) -> (u32, u32) {
        let mut rng = self.rng(&[b"episode", &[persona], &index.to_be_bytes()]);
        let length = [1, 2, 2, 4, 12, 24][rng.random_range(0..6_usize)];
        let offset = rng.random_range(0..length);
        (window.0.saturating_add(offset) / length, length)
    }

    fn any_cell(&self, rng: &mut ChaCha20Rng) -> Cell {
        self.cells[rng.random_range(0..self.cells.len())].0
    }

    /// One to four topics of the class: mostly the persona's favourites.
    fn topics(&self, persona: u8, class: ClassId, uniform: bool, rng: &mut ChaCha20Rng) -> Vec<TopicId> {
        let all: Vec<_> = Vocabulary::builtin().topics_of(class).collect();
        let mut liking = self.rng(&[b"favourites", &[persona], &[class.get()]]);
        let favourites: Vec<TopicId> = (0..FAVOURITES)
            .filter_map(|_| by_weight(&all, |topic| topic.weight, &mut liking))
            .map(|topic| topic.id)
            .collect();
        if favourites.is_empty() {
            return Vec::new();
        }
        let count = [1, 1, 2, 2, 3, 4][rng.random_range(0..6_usize)];
        let mut topics: Vec<TopicId> = Vec::with_capacity(count);
        for _ in 0..count {
            let favourite = !uniform && rng.random_bool(1.0 - UNIFORM_SHARE);
            let topic = if favourite {
                favourites[rng.random_range(0..favourites.len())]
            } else {
                all[rng.random_range(0..all.len())].id
            };
            if !topics.contains(&topic) {
                topics.push(topic);
            }
        }
        topics
    }
}

impl Member {
    fn new(seed: &[u8; 32], number: u8, cells: &[(Cell, u32)]) -> Self {
        let mut rng = ChaCha20Rng::from_seed(kdf::derive(seed, Label::PersonaSeed, &[b"member", &[number]]));
        let home = cells[rng.random_range(0..cells.len())].0;
        let mut own =
            vec![home, by_weight(cells, |(_, places)| f64::from(*places), &mut rng).map_or(home, |(cell, _)| cell)];
        let near: Vec<(Cell, f64)> =
            cells.iter().map(|(cell, places)| (*cell, attraction(home, *cell, *places))).collect();
        own.extend(
            (0..HAUNTS).map(|_| by_weight(&near, |(_, weight)| *weight, &mut rng).map_or(home, |(cell, _)| cell)),
        );
        let prior = |class: &crate::Class| class.prior;
        let mut tastes = [0.0; ClassId::COUNT as usize];
        for (taste, class) in tastes.iter_mut().zip(Vocabulary::builtin().classes()) {
            // Some like a class much, most a little: a square of a uniform draw spreads them out.
            *taste = prior(class) * (0.1 + 3.0 * rng.random::<f64>().powi(2));
        }
        Self { cells: own, tastes }
    }

    fn class(&self, rng: &mut ChaCha20Rng) -> ClassId {
        let numbered: Vec<(ClassId, f64)> =
            (0..).map_while(|number| ClassId::new(number).ok()).zip(self.tastes).collect();
        by_weight(&numbered, |(_, taste)| *taste, rng).map_or_else(|| any_class(rng), |(class, _)| class)
    }

    /// Where the persona is in the window in which the wish began: home at night, work on weekdays, out in the evening.
    fn cell(&self, window: u32, rng: &mut ChaCha20Rng) -> Cell {
        // Day 0 was a Thursday; days 2 and 3 are the weekend.
        let (hour, weekend) = ((window % 12) * 2, matches!((window / 12) % 7, 2 | 3));
        let [home, work] = match (hour, weekend) {
            (0..8, _) => [0.90, 0.03],
            (8..18, false) => [0.15, 0.70],
            (8..18, true) => [0.40, 0.05],
            _ => [0.45, 0.10],
        };
        let draw = rng.random::<f64>();
        let place = if draw < home {
            0
        } else if draw < home + work {
            1
        } else {
            2 + rng.random_range(0..HAUNTS)
        };
        self.cells[place]
    }
}

/// People go out where there is something, and rather close to home.
fn attraction(home: Cell, cell: Cell, places: u32) -> f64 {
    let km = mosaic_geo::distance_m(home.center(), cell.center()) / 1_000.0;
    f64::from(places) / (1.0 + km * km)
}

/// The occupied r8 cells, widened by rings where a region is small.
fn support(places: &PlaceIndex) -> Vec<(Cell, u32)> {
    let occupied = places.cells(Resolution::R8);
    let mut cells: Vec<(Cell, u32)> =
        occupied.iter().map(|(cell, _)| (*cell, 1 + meeting_places(places, *cell))).collect();
    let mut known: BTreeSet<Cell> = cells.iter().map(|(cell, _)| *cell).collect();
    while !known.is_empty() && known.len() < FEWEST_CELLS {
        let ring: BTreeSet<Cell> =
            known.iter().flat_map(|cell| cell.disk(1)).filter(|cell| !known.contains(cell)).collect();
        cells.extend(ring.iter().map(|cell| (*cell, 1)));
        known.extend(ring);
    }
    cells.sort_unstable();
    cells
}

/// Public places in the cell; generated homes are nobody's anchor.
fn meeting_places(places: &PlaceIndex, cell: Cell) -> u32 {
    let public = places.in_cell(cell).iter().filter(|place| place.kind.category() != Category::Home).count();
    u32::try_from(public).unwrap_or(u32::MAX - 1)
}

fn any_class(rng: &mut ChaCha20Rng) -> ClassId {
    ClassId::new(rng.random_range(0..ClassId::COUNT)).unwrap_or_else(|_| Vocabulary::builtin().classes()[0].id)
}

/// Mostly the default of 48 h, as among people.
fn time_to_live(rng: &mut ChaCha20Rng) -> TtlHours {
    let hours = [24, 48, 48, 48, 48, 48, 48, 72, 168][rng.random_range(0..9_usize)];
    TtlHours::new(hours).unwrap_or_default()
}

fn by_weight<T: Clone>(items: &[T], weight: impl Fn(&T) -> f64, rng: &mut ChaCha20Rng) -> Option<T> {
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
    use super::*;

    #[test]
    fn nothing_is_drawn_from_nothing_and_every_class_has_topics() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        assert_eq!(by_weight(&[] as &[u8], |_| 1.0, &mut rng), None);
        assert_eq!(by_weight(&[7_u8], |_| 0.0, &mut rng), Some(7));
        for class in Vocabulary::builtin().classes() {
            assert!(Vocabulary::builtin().topics_of(class.id).len() > 0, "{}", class.name);
        }
    }
}
